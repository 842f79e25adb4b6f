from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import der
from argus_py.credentials.certificate import BasicConstraints, Certificate, KeyUsage
from argus_py.credentials.moment import Moment
from argus_py.credentials.rejections import UnreadableCredential

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki

BASIC, USAGE = "2.5.29.19", "2.5.29.15"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3000", BasicConstraints(is_ca=False)),
        ("3003010100", BasicConstraints(is_ca=False)),  # the default, encoded: old CAs do that
        ("30030101ff", BasicConstraints(is_ca=True)),
        ("30060101ff020103", BasicConstraints(is_ca=True, path_length=3)),
    ],
)
def test_basic_constraints_are_read(pki: "Pki", value: str, expected: BasicConstraints) -> None:
    issued = pki.issue("/CN=x", None, pki.extension(BASIC, bytes.fromhex(value)))
    assert issued.view.basic_constraints == expected
    assert issued.view.is_ca == expected.is_ca


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("03020106", KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True)),
        ("03020780", KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False)),
        ("0303070080", KeyUsage(digital_signature=False, key_cert_sign=False, crl_sign=False)),
        ("0302037f", KeyUsage(digital_signature=False, key_cert_sign=False, crl_sign=False)),  # 3 of 8 are unused
        ("0303070680", KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True)),
    ],
)
def test_key_usage_is_read(pki: "Pki", value: str, expected: KeyUsage) -> None:
    assert pki.issue("/CN=x", None, pki.extension(USAGE, bytes.fromhex(value))).view.key_usage == expected


def test_what_is_not_there_is_none(pki: "Pki") -> None:
    plain = pki.issue("/CN=x").view
    assert plain.basic_constraints is None
    assert plain.key_usage is None
    assert plain.proxy is None
    assert not plain.is_ca


@pytest.mark.parametrize(
    ("oid", "value", "reason"),
    [
        (BASIC, "30030201ff", "basicConstraints: a negative path length"),
        (BASIC, "0500", "basicConstraints"),
        (USAGE, "0500", "keyUsage"),
        (USAGE, "03020106ff", "keyUsage"),
        (USAGE, "0300", "keyUsage"),
        (USAGE, "030100", "keyUsage"),
        (USAGE, "03020700", "keyUsage"),
        (USAGE, "03020706", "keyUsage"),
        (USAGE, "03020806", "keyUsage"),
    ],
)
def test_an_extension_that_decides_must_be_readable(pki: "Pki", oid: str, value: str, reason: str) -> None:
    with pytest.raises(UnreadableCredential, match=f"CN=x: {reason}"):
        pki.issue("/CN=x", None, pki.extension(oid, bytes.fromhex(value))).view.check_readable()


def test_key_usage_of_a_leaf_must_be_readable_too(pki: "Pki") -> None:
    leaf = pki.issue("/CN=x", None, (pki.extension(USAGE, b"\x05\x00"), True)).view
    with pytest.raises(UnreadableCredential, match="keyUsage"):
        leaf.check_critical(frozenset({USAGE}))


def test_an_extension_that_is_not_asked_for_may_be_nonsense(pki: "Pki") -> None:
    odd = pki.issue("/CN=x", None, pki.extension("2.5.29.31", b"\x05\x00")).certificate
    with pytest.raises(ValueError, match="ParseError"):
        odd.extensions  # noqa: B018  # the reason why this package reads extensions itself
    Certificate(odd).check_readable()


def test_an_extension_must_not_be_there_twice(pki: "Pki") -> None:
    issued = pki.issue("/CN=x", None, pki.extension("1.2.3.4", b"\x05\x00"), pki.extension("1.2.3.5", b"\x05\x00"))
    encoded = issued.certificate.public_bytes(Encoding.DER)
    doubled = encoded.replace(bytes.fromhex("2a0305"), bytes.fromhex("2a0304"))
    with pytest.raises(UnreadableCredential, match=r"extension 1\.2\.3\.4 is there twice"):
        Certificate(x509.load_der_x509_certificate(doubled)).check_readable()


def test_a_date_of_the_year_0_cannot_be_read(pki: "Pki", now: datetime) -> None:
    late = datetime(2050, 1, 1, tzinfo=UTC)
    for issued, field in (
        (pki.issue("/CN=x", not_before=late, not_after=late.replace(year=2051)), "notBefore"),
        (pki.issue("/CN=x", not_after=late), "notAfter"),
    ):
        encoded = issued.certificate.public_bytes(Encoding.DER)
        odd = Certificate(x509.load_der_x509_certificate(encoded.replace(b"20500101", b"00000101")))
        with pytest.raises(UnreadableCredential, match=f"CN=x: {field}: year 0"):
            odd.check_valid(Moment(now))


def test_a_certificate_is_equal_to_its_copy(pki: "Pki") -> None:
    one, other = pki.issue("/CN=x"), pki.issue("/CN=x")
    assert one.view == one.view
    assert len({one.view, one.view, other.view}) == 2


def test_an_unknown_kind_of_key_has_signed_nothing(pki: "Pki") -> None:
    issued = pki.issue("/CN=x")
    ec_public_key, nothing_known = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0209")
    encoded = issued.certificate.public_bytes(Encoding.DER)
    odd = Certificate(x509.load_der_x509_certificate(encoded.replace(ec_public_key, nothing_known)))
    assert odd.public_key is None
    assert issued.view.is_signed_by(issued.view)
    assert not issued.view.is_signed_by(odd)


def test_an_unknown_algorithm_is_no_signature(pki: "Pki") -> None:
    issued = pki.issue("/CN=x")
    ecdsa_sha256, nothing_known = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d040309")
    encoded = issued.certificate.public_bytes(Encoding.DER)
    odd = Certificate(x509.load_der_x509_certificate(encoded.replace(ecdsa_sha256, nothing_known)))
    assert not odd.is_signed_by(issued.view)


def test_the_algorithm_beside_the_signature_must_be_the_signed_one(pki: "Pki") -> None:
    """The signature itself verifies: it was made with the algorithm beside it."""
    issued = pki.issue("/CN=x")
    ecdsa_sha256, ecdsa_sha384 = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d040303")
    signed = issued.certificate.tbs_certificate_bytes.replace(ecdsa_sha256, ecdsa_sha384)
    assert isinstance(issued.key, ec.EllipticCurvePrivateKey)
    signature = issued.key.sign(signed, ec.ECDSA(hashes.SHA256()))
    algorithm = der.encode(der.SEQUENCE, ecdsa_sha256)
    encoded = der.encode(der.SEQUENCE, signed + algorithm + der.encode(der.BIT_STRING, b"\0" + signature))
    assert not Certificate(x509.load_der_x509_certificate(encoded)).is_signed_by(issued.view)
