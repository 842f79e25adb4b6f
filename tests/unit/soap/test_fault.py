"""SOAP faults, as the Java services write them."""

from collections.abc import Callable

import pytest
from lxml import etree

from argus_py.soap import envelope, fault
from argus_py.soap.fault import AXIS_NAMESPACE, Fault

LIMIT = 10_000
HOST = "argus.example.org"


def test_a_fault_is_the_one_of_the_java_pdp_byte_for_byte(vector: Callable[[str], bytes]) -> None:
    written = fault.write(Fault("Client", "SAML 2 Issuer is not of ENTITY format type"), "soap11")
    assert written == vector("pdp/fault-issuer-format.xml")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fault-no-soapaction", Fault("Client.NoSOAPAction", "no SOAPAction header!", AXIS_NAMESPACE, HOST)),
        (
            "fault-no-such-operation",
            Fault("Client", "No such operation 'XACMLAuthzDecisionQuery'", AXIS_NAMESPACE, HOST),
        ),
        (
            "fault-not-authorized",
            Fault(
                "Server.userException",
                "org.glite.authz.pap.authz.exceptions.PAPAuthzException: "
                "Insufficient privileges to perform operation 'GetPoliciesForPDPOperation'.",
                host=HOST,
            ),
        ),
    ],
)
def test_a_fault_says_the_same_as_that_of_the_java_pap(
    name: str, expected: Fault, vector: Callable[[str], bytes], canonical: Callable[[bytes], str]
) -> None:
    assert canonical(fault.write(expected, "soapenv")) == canonical(vector(f"pap/{name}.xml"))


@pytest.mark.parametrize("code", ["Client", "Server.userException"])
@pytest.mark.parametrize("namespace", [envelope.SOAP_NAMESPACE, AXIS_NAMESPACE])
def test_a_written_fault_is_read_as_the_same_value(code: str, namespace: str) -> None:
    written = Fault(code, "why & how", namespace)
    assert fault.from_element(envelope.read(fault.write(written, "soapenv"), LIMIT)) == written


def test_a_character_that_xml_cannot_carry_does_not_hold_a_fault_back() -> None:
    read = fault.from_element(envelope.read(fault.write(Fault("Client", "a\x00b"), "soap11"), LIMIT))
    assert read == Fault("Client", "a\ufffdb")


def test_a_fault_without_code_and_text_is_still_a_fault() -> None:
    element = etree.Element(f"{{{envelope.SOAP_NAMESPACE}}}Fault")
    assert fault.from_element(element) == Fault("without a code", "")


def test_another_element_is_no_fault() -> None:
    assert fault.from_element(etree.Element("Fault")) is None
