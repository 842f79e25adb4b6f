from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType
from argus_py.model.request import Request, Subject
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.pips.scas_legacy import OWNED, ScasLegacy
from argus_py.pep.ports import PipError

Sent = Callable[[str], Attribute]
CLAIMS = tuple(Attribute(each, ("claimed",)) for each in sorted(OWNED))
OTHER = Attribute(AttributeId.SUBJECT_ID, ("/CN=x",))


@pytest.fixture
def point(judge: CertificateJudge) -> ScasLegacy:
    return ScasLegacy(ProfileSettings(), judge)


@pytest.fixture
def as_cert_chain(as_pem: Sent) -> Sent:
    return lambda file: replace(as_pem(file), id=AuthzInterop.CERT_CHAIN, datatype=DataType.BASE64_BINARY)


def serial_number(file: Path) -> str:
    return str(x509.load_pem_x509_certificate(file.read_bytes()).serial_number)


def test_a_chain_gives_the_attributes_of_the_profile(
    point: ScasLegacy, as_cert_chain: Sent, grid: Path, now: datetime
) -> None:
    chain = as_cert_chain("proxies/alice-dteam-pilot.pem")
    enriched = point.enrich(Request((Subject((*CLAIMS, chain, OTHER)),)), now)
    user, ca = (serial_number(grid / file) for file in ("users/alice.pem", "ca/argus-test-ca.pem"))
    assert enriched.subjects[0].attributes == (
        chain,
        OTHER,
        Attribute(AuthzInterop.SUBJECT_X509_ID, ("/DC=org/DC=argus-test/OU=People/CN=Alice Adams",)),
        Attribute(AuthzInterop.SUBJECT_X509_ISSUER, ("/DC=org/DC=argus-test/CN=Argus Test CA",)),
        Attribute(AuthzInterop.CERTIFICATE_SERIAL_NUMBER, (user,), DataType.INTEGER),
        Attribute(AuthzInterop.CA_SERIAL_NUMBER, (ca,), DataType.INTEGER),
        Attribute(AuthzInterop.VO, ("dteam",)),
        Attribute(AuthzInterop.VOMS_SIGNING_SUBJECT, ("CN=voms.argus-test.org, OU=Hosts, DC=argus-test, DC=org",)),
        Attribute(AuthzInterop.VOMS_SIGNING_ISSUER, ("/DC=org/DC=argus-test/OU=Hosts/CN=voms.argus-test.org",)),
        Attribute(AuthzInterop.VOMS_PRIMARY_FQAN, ("/dteam/Role=pilot",)),
        Attribute(AuthzInterop.VOMS_FQAN, ("/dteam/Role=pilot", "/dteam", "/dteam/NGI_IT")),
        Attribute(AuthzInterop.VOMS_DNS_PORT, ("voms.argus-test.org:15000",)),
    )


def test_without_a_chain_claims_go_all_the_same(point: ScasLegacy, now: datetime) -> None:
    assert point.enrich(Request((Subject((*CLAIMS, OTHER)),)), now) == Request((Subject((OTHER,)),))
    honest = Request((Subject((OTHER,)),))
    assert point.enrich(honest, now) is honest


def test_a_chain_of_another_data_type_is_none(point: ScasLegacy, as_cert_chain: Sent, now: datetime) -> None:
    sent = Request((Subject((replace(as_cert_chain("users/alice.pem"), datatype=DataType.STRING),)),))
    with pytest.raises(PipError, match=r"did not contain the required certificate chain in attribute: .*/cert-chain"):
        point.enrich(sent, now)


def test_a_bad_attribute_certificate_ends_the_request(point: ScasLegacy, as_cert_chain: Sent, now: datetime) -> None:
    with pytest.raises(PipError, match="AC validity check failed"):
        point.enrich(Request((Subject((as_cert_chain("bad/ac-expired.pem"),)),)), now)
