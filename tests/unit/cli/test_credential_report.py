"""The report of argus check-credential: what the recorded grid has no example of."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from argus_py.cli import credential_report as report
from argus_py.credentials import proxy
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.crl import Crl, read_crl
from argus_py.credentials.explanation import explain_chain
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.trust import TrustAnchors

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
CA = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
USER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "User")])
Extension = tuple[x509.ExtensionType, bool]


def issue(
    subject: x509.Name,
    *extensions: Extension,
    issuer: x509.Name = CA,
    key: CertificateIssuerPrivateKeyTypes = KEY,
    not_after: datetime = NOW + timedelta(days=30),
) -> Certificate:
    """Everybody has the same key, unless told otherwise."""
    public_key = key.public_key()
    builder = x509.CertificateBuilder(issuer, subject, public_key, 4711, NOW - timedelta(days=1), not_after)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    plain = isinstance(key, ed25519.Ed25519PrivateKey)
    return Certificate(builder.sign(key, None if plain else hashes.SHA256()))


ANCHOR = issue(CA, (x509.BasicConstraints(ca=True, path_length=None), True))


def crl(next_update: datetime, *extensions: Extension) -> Crl:
    builder = x509.CertificateRevocationListBuilder(CA, NOW - timedelta(days=1), next_update)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return read_crl(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))


def fields(lines: Iterable[str], label: str) -> list[str]:
    return [line.split(label, 1)[1].strip() for line in lines if line.strip().startswith(f"{label} ")]


def tree(*links: Certificate, trust: TrustAnchors | None = None) -> list[str]:
    trust = trust or TrustAnchors((ANCHOR,))
    explained = explain_chain(UnverifiedChain(links), trust, NOW)
    return list(next(report.chain_sections(explained, trust, NOW)))


@pytest.mark.parametrize(
    ("extensions", "next_update", "state"),
    [
        ((), NOW + timedelta(hours=3), "valid until 2026-11-24 15:00:00 UTC, 3 h 00 min left"),
        ((), NOW - timedelta(hours=3), "outdated since 2026-11-24 09:00:00 UTC"),
        (
            ((x509.DeltaCRLIndicator(1), True),),
            NOW + timedelta(hours=3),
            "cannot be used: unknown critical extension 2.5.29.27",
        ),
    ],
)
def test_the_state_of_a_crl_is_told(extensions: tuple[Extension, ...], next_update: datetime, state: str) -> None:
    trust = TrustAnchors((ANCHOR,), (crl(next_update, *extensions),))
    assert fields(tree(issue(USER), trust=trust), "CRL") == [state]


def test_every_crl_of_a_ca_is_told() -> None:
    crls = (crl(NOW + timedelta(hours=1)), crl(NOW + timedelta(hours=2)))
    states = fields(tree(issue(USER), trust=TrustAnchors((ANCHOR,), crls)), "CRL")
    assert [state.partition(", ")[2] for state in states] == ["1 h 00 min left", "2 h 00 min left"]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (rsa.generate_private_key(65537, 1024), "RSA 1024 bits, signed by RSA with SHA256"),
        (ec.generate_private_key(ec.SECP384R1()), "EC secp384r1, signed by ECDSA with SHA256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519, signed by ED25519"),
        (dsa.generate_private_key(1024), "DSA, signed by DSA with SHA256"),
    ],
    ids=lambda value: value if isinstance(value, str) else "key",
)
def test_keys_and_signatures_are_named(key: CertificateIssuerPrivateKeyTypes, shown: str) -> None:
    lines = tree(issue(USER, issuer=USER, key=key))
    assert fields(lines, "key") == [shown]


def test_the_limit_of_a_proxy_is_told() -> None:
    info = bytes.fromhex("300f020101300a06082b06010505071501")  # inherit all, one more proxy
    name = x509.Name([*USER, x509.NameAttribute(NameOID.COMMON_NAME, "1")])
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(proxy.RFC_PROXY_CERT_INFO), info)
    lines = tree(issue(name, (extension, True), issuer=USER), issue(USER))
    assert "   `- [3] proxy, RFC 3820, 1 more allowed  /CN=User/CN=1" in lines


def test_a_certificate_with_an_unreadable_extension_is_shown_all_the_same() -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(proxy.RFC_PROXY_CERT_INFO), b"no DER")
    lines = tree(issue(USER, (extension, True)))
    assert "`- [2] unreadable  /CN=User" in lines
    assert fields(lines, "RFC 2253") == ["CN=CA", "CN=User"]


def test_a_proxy_in_its_minutes_of_grace_is_good_without_time_left() -> None:
    info = bytes.fromhex("300c300a06082b06010505071501")
    name = x509.Name([*USER, x509.NameAttribute(NameOID.COMMON_NAME, "1")])
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(proxy.RFC_PROXY_CERT_INFO), info)
    leaf = issue(name, (extension, True), issuer=USER, not_after=NOW - timedelta(minutes=3))
    verified = explain_chain(UnverifiedChain((leaf, issue(USER))), TrustAnchors((ANCHOR,)), NOW).verdict
    assert isinstance(verified, VerifiedChain)
    assert fields(report.good_lines(verified, None, NOW), "until") == [
        "2026-11-24 11:57:00 UTC, now in its minutes of grace"
    ]


def test_no_file_is_named_for_an_issuer_that_has_no_hash() -> None:
    """A UTF8String that is none: OpenSSL cannot hash the name, people can still see it."""
    encoded = issue(USER, issuer=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")]))
    damaged = encoded.x509.public_bytes(Encoding.DER).replace(b"Root", b"R\xffot")
    lines = tree(Certificate(x509.load_der_x509_certificate(damaged)))
    assert lines[1] == "[-] unknown issuer  /CN=#0c0452ff6f74"
    assert fields(lines, "files") == []


def test_a_check_of_a_certificate_that_is_not_shown_names_it() -> None:
    """The path over the first certificate of the sub CA failed, and the one shown holds."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sub")])
    is_ca = (x509.BasicConstraints(ca=True, path_length=None), True)
    old, renewed = issue(name, is_ca, not_after=NOW - timedelta(hours=1)), issue(name, is_ca)
    trust = TrustAnchors((ANCHOR,))
    explained = explain_chain(UnverifiedChain((issue(USER, issuer=name), old, renewed)), trust, NOW)
    _, checks = report.chain_sections(explained, trust, NOW)
    lines = list(checks)
    assert "    ok      /CN=Sub: signed by a trust anchor" in lines
    assert "    FAILED  /CN=Sub: Certificate has expired on: 2026-11-24 11:00:00 UTC" in lines
