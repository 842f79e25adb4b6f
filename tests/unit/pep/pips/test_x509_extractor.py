from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.trust import TrustAnchors
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType
from argus_py.model.request import Request, Subject
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.pips.x509_extractor import EXTRACTABLE, X509Extractor
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

Sent = Callable[[str], Attribute]
ISSUER = Attribute(AuthzInterop.SUBJECT_X509_ISSUER, ("/DC=org/DC=argus-test/CN=Argus Test CA",))
CLAIMS = tuple(Attribute(each, ("claimed",)) for each in EXTRACTABLE)


@pytest.mark.parametrize("form", ["as_pem", "as_der"])
def test_the_ca_of_either_form_of_chain_is_told(
    judge: CertificateJudge, now: datetime, form: str, request: pytest.FixtureRequest
) -> None:
    chain = request.getfixturevalue(form)("proxies/alice-dteam.pem")
    enriched = X509Extractor(frozenset(EXTRACTABLE), judge).enrich(Request((Subject((*CLAIMS, chain)),)), now)
    assert enriched.subjects == (Subject((chain, ISSUER)),)


def test_only_what_is_listed_is_extracted_and_owned(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    point = X509Extractor(frozenset({AuthzInterop.CA_POLICY_OID}), judge)
    sent = Subject((*CLAIMS, as_pem("users/alice.pem")))
    assert point.enrich(Request((sent,)), now).subjects[0].attributes == (CLAIMS[0], sent.attributes[-1])


def test_subjects_without_a_chain_lose_their_claims(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    chain = as_pem("users/alice.pem")
    sent = Request((Subject(CLAIMS), Subject((chain, *CLAIMS))))
    enriched = X509Extractor(frozenset(EXTRACTABLE), judge).enrich(sent, now)
    assert enriched.subjects == (Subject(), Subject((chain, ISSUER)))


def test_a_chain_that_does_not_validate_is_refused(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    sent = Request((Subject((as_pem("bad/user-untrusted-ca.pem"),)),))
    with pytest.raises(PipError, match="PKIX validation failed"):
        X509Extractor(frozenset(EXTRACTABLE), judge).enrich(sent, now)


def test_a_request_without_a_subject_is_refused(judge: CertificateJudge, now: datetime) -> None:
    with pytest.raises(PipError, match="No subject found in request"):
        X509Extractor(frozenset(EXTRACTABLE), judge).enrich(Request(), now)


def test_a_chain_of_old_certificates_proves_nothing(judge: CertificateJudge, version_1: str, now: datetime) -> None:
    sent = Request((Subject((Attribute(AttributeId.KEY_INFO, (version_1,)),)),))
    assert X509Extractor(frozenset(EXTRACTABLE), judge).enrich(sent, now) is sent


MACHINE = "urn:oasis:names:tc:xacml:1.0:subject-category:requesting-machine"


def test_one_user_may_show_his_chain_in_both_forms_and_a_machine_its_own(
    judge: CertificateJudge, as_pem: Sent, as_der: Sent, now: datetime
) -> None:
    both = (as_pem("users/alice.pem"), as_der("proxies/alice-dteam.pem"))
    machine = as_der("hosts/ce01.pem")
    sent = Request((Subject((machine,), MACHINE), Subject(both)))
    enriched = X509Extractor(frozenset({AuthzInterop.SUBJECT_X509_ISSUER}), judge).enrich(sent, now)
    assert enriched.subjects == (Subject((machine, ISSUER), MACHINE), Subject((*both, ISSUER)))


@pytest.mark.parametrize("subjects", [1, 2])
def test_nobody_passes_under_the_ca_of_another_user(
    judge: CertificateJudge, as_pem: Sent, as_der: Sent, now: datetime, subjects: int
) -> None:
    alice, bob = as_pem("users/alice.pem"), as_der("users/bob.pem")
    sent = Request((Subject((alice, bob)),) if subjects == 1 else (Subject((bob,)), Subject((alice,))))
    with pytest.raises(PipError, match="Subject contains more than one X509 certificate chain"):
        X509Extractor(frozenset(EXTRACTABLE), judge).enrich(sent, now)


def issue(
    key: ec.EllipticCurvePrivateKey,
    name: x509.Name,
    ca_key: ec.EllipticCurvePrivateKey,
    ca_name: x509.Name,
    now: datetime,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


POLICIES = ObjectIdentifier("2.5.29.32")


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        (
            x509.CertificatePolicies(
                [
                    x509.PolicyInformation(ObjectIdentifier("1.2.840.113612.5.2.2.1"), ["https://cps.example.org"]),
                    x509.PolicyInformation(ObjectIdentifier("1.2.840.113612.5.2.3.3.1"), None),
                ]
            ),
            ("1.2.840.113612.5.2.2.1", "1.2.840.113612.5.2.3.3.1"),
        ),
        (x509.UnrecognizedExtension(POLICIES, bytes.fromhex("3004300206 00".replace(" ", ""))), None),
        (x509.UnrecognizedExtension(POLICIES, bytes.fromhex("30043002 0c00".replace(" ", ""))), None),
        (x509.UnrecognizedExtension(POLICIES, b"nonsense"), None),
    ],
)
def test_the_policies_of_the_certificate_are_told_or_the_request_is_refused(
    now: datetime, extension: x509.ExtensionType, expected: tuple[str, ...] | None
) -> None:
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("CA", "user"))
    ca = issue(ca_key, ca_name, ca_key, ca_name, now, x509.BasicConstraints(ca=True, path_length=None))
    trust = Snapshot("trust anchors", lambda: TrustAnchors((Certificate(ca),)), lambda: now)
    trust.refresh()
    user = issue(key, name, ca_key, ca_name, now, extension)
    text = user.public_bytes(Encoding.PEM).decode()
    chain = Attribute(AttributeId.KEY_INFO, (text,), DataType.STRING)
    point = X509Extractor(frozenset({AuthzInterop.CA_POLICY_OID}), CertificateJudge(trust, None, frozenset()))
    sent = Request((Subject((chain,)),))
    if expected is None:
        with pytest.raises(PipError, match=r"the certificate policies of CN=user cannot be read"):
            point.enrich(sent, now)
    else:
        assert point.enrich(sent, now).subjects[0].attributes[1:] == (Attribute(AuthzInterop.CA_POLICY_OID, expected),)


def test_the_data_type_of_key_info_says_its_form(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    odd = replace(as_pem("users/alice.pem"), datatype=DataType.ANY_URI)
    sent = Request((Subject((odd,)),))
    assert X509Extractor(frozenset(EXTRACTABLE), judge).enrich(sent, now) is sent
