"""What logs may say of requests and responses."""

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite, StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation, Response, Result, indeterminate
from argus_py.pep.outline import outline_of_request, outline_of_response

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_a_request_is_told_part_by_part() -> None:
    request = Request(
        (
            Subject((Attribute("vo", ("dteam",)), Attribute("fqan", ("/dteam", "/dteam/Role=pilot"), issuer="CN=CA"))),
            Subject((), "urn:category"),
        ),
        (Resource((Attribute("resource", ("wn",)),)),),
        Action((Attribute("action", ("run",)),)),
        Environment((Attribute("profile", ()),)),
    )
    assert outline_of_request(request) == (
        "subject{vo=[dteam], fqan of CN=CA=[/dteam, /dteam/Role=pilot]} subject(urn:category){} "
        "resource{resource=[wn]} action{action=[run]} environment{profile=[]}"
    )
    assert outline_of_request(Request()) == ""


@pytest.mark.parametrize(
    "attribute",
    [
        Attribute(AttributeId.KEY_INFO, ("short",)),
        Attribute("urn:chain", ("c2hvcnQ=",), DataType.BASE64_BINARY),
        Attribute("urn:chain", ("73686f7274",), DataType.HEX_BINARY),
        Attribute("urn:other", (PEM,)),
        Attribute("urn:other", ("\n " + PEM,)),
        Attribute("urn:token", ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",)),
        Attribute("urn:token", ("x" * 201,)),
    ],
)
def test_certificates_and_tokens_are_told_by_their_length_alone(attribute: Attribute) -> None:
    told = outline_of_request(Request((Subject((attribute,)),)))
    assert told == f"subject{{{attribute.id}=[<{len(attribute.values[0])} characters>]}}"


def test_no_text_of_a_client_makes_a_line_long() -> None:
    attribute = Attribute("i" * 100_000, ("v" * 100_000,), issuer="o" * 100_000)
    assert len(outline_of_request(Request((Subject((attribute,)),)))) < 200


def test_a_response_is_told_with_its_obligations() -> None:
    posix = Obligation(
        Glite.LOCAL_ENVIRONMENT_MAP_POSIX,
        Effect.PERMIT,
        (AttributeAssignment(Glite.USER_ID, "dteam001"), AttributeAssignment(Glite.GROUP_ID, None)),
    )
    response = Response((Result(Decision.PERMIT, obligations=(posix,)),))
    assert outline_of_response(response) == (
        f"Permit{{{StatusUri.OK}, {Glite.LOCAL_ENVIRONMENT_MAP_POSIX} on Permit"
        f"({Glite.USER_ID}=dteam001, {Glite.GROUP_ID}=)}}"
    )


def test_a_status_message_is_told() -> None:
    told = outline_of_response(indeterminate("no PDP"))
    assert told == f"Indeterminate{{{StatusUri.PROCESSING_ERROR}, no PDP}}"
