"""The recorded grid, and a small PKI for what the recordings do not show."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from argus_py.credentials import chain, path, pem
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.crl import Crl, read_crl
from argus_py.credentials.der import encode
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

VECTORS = Path(__file__).parents[2] / "vectors" / "credentials"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
INDEX: list[dict[str, Any]] = json.loads((VECTORS / "grid" / "index.json").read_text(encoding="utf-8"))["credentials"]
REFERENCE: dict[str, dict[str, Any]] = json.loads((VECTORS / "reference-results.json").read_text(encoding="utf-8"))
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n", re.DOTALL)

RFC_INHERIT_ALL = bytes.fromhex("300c300a06082b06010505071501")
RFC_LIMITED = bytes.fromhex("300f300d060b2b060104019b5001010109")


def expected_error(entry: dict[str, Any]) -> str | None:
    """The code for the chain, None if it is valid; CAs have no verdict of their own in the index."""
    if "valid" in entry:
        return None if entry["valid"] else str(entry["error"])
    java = REFERENCE[entry["file"]]
    return None if java["chain_valid"] else str(java["chain_errors"][0]).split("@")[0]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``valid``: entries whose chain is good; ``invalid``: the others, each with its code."""
    cases = [(entry, expected_error(entry)) for entry in INDEX]
    if "valid" in metafunc.fixturenames:
        metafunc.parametrize("valid", [e for e, code in cases if code is None], ids=lambda entry: entry["file"])
    if "invalid" in metafunc.fixturenames:
        metafunc.parametrize("invalid", [case for case in cases if case[1]], ids=lambda case: case[0]["file"])


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def grid() -> Path:
    return VECTORS / "grid"


@pytest.fixture(scope="session")
def reference() -> dict[str, dict[str, Any]]:
    return REFERENCE


@pytest.fixture(scope="session")
def grid_trust(grid: Path) -> TrustAnchors:
    return load_trust_anchors(grid / "certificates")


@pytest.fixture(scope="session")
def grid_voms(grid: Path) -> VomsTrust:
    return load_voms_trust(grid / "vomsdir")


@pytest.fixture(scope="session")
def pem_of(grid: Path) -> Callable[[str], str]:
    """The text of a recorded file without its private key; files that are no text as Latin-1."""
    return lambda file: _PRIVATE_KEY.sub("", (grid / file).read_text(encoding="latin-1"))


@pytest.fixture(scope="session")
def proven(pem_of: Callable[[str], str], grid_trust: TrustAnchors) -> Callable[[str], VerifiedChain]:
    return lambda file: path.verify(chain.order(pem.parse_certificates(pem_of(file))), grid_trust, NOW)


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    @property
    def view(self) -> Certificate:
        return Certificate(self.certificate)


_TYPES = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}


def x500(slash: str) -> x509.Name:
    """A plus sign joins the attributes of one RDN."""
    rdns = [[pair.split("=", 1) for pair in rdn.split("+")] for rdn in slash.split("/")[1:]]
    return x509.Name(
        x509.RelativeDistinguishedName([x509.NameAttribute(_TYPES[label], value) for label, value in rdn])
        for rdn in rdns
    )


def key_usage(**bits: bool) -> x509.KeyUsage:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign"
    unset = dict.fromkeys([*names.split(), "crl_sign", "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(**unset | bits)


class Pki:
    """Makes what a test needs, valid at NOW unless told otherwise; keys are P-256."""

    key_usage = staticmethod(key_usage)

    def __init__(self) -> None:
        self._serial = 1000

    def issue(
        self,
        subject: str,
        issuer: Issued | None = None,
        *extensions: x509.ExtensionType | tuple[x509.ExtensionType, bool],
        key: CertificateIssuerPrivateKeyTypes | None = None,
        signed_with: CertificateIssuerPrivateKeyTypes | None = None,
        issuer_name: str | None = None,
        not_before: datetime = NOW - timedelta(days=1),
        not_after: datetime = NOW + timedelta(days=1),
    ) -> Issued:
        """Extensions are critical if paired with True. Without issuer the certificate is self-signed."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        self._serial += 1
        name = x500(issuer_name) if issuer_name else issuer.certificate.subject if issuer else x500(subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x500(subject))
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(self._serial)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
        )
        for extension in extensions:
            value, critical = extension if isinstance(extension, tuple) else (extension, False)
            builder = builder.add_extension(value, critical)
        signer = signed_with or (issuer.key if issuer else key)
        digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return Issued(builder.sign(signer, digest), key)

    def ca(
        self,
        subject: str = "/DC=org/CN=CA",
        issuer: Issued | None = None,
        *extensions: x509.ExtensionType | tuple[x509.ExtensionType, bool],
        path_length: int | None = None,
        **more: Any,
    ) -> Issued:
        basic = x509.BasicConstraints(ca=True, path_length=path_length)
        return self.issue(subject, issuer, (basic, True), *extensions, **more)

    def proxy(
        self,
        issuer: Issued,
        *extensions: x509.ExtensionType | tuple[x509.ExtensionType, bool],
        info: bytes | None = RFC_INHERIT_ALL,
        cn: str = "4711",
        **more: Any,
    ) -> Issued:
        subject = "".join(f"/{_label(attribute)}={attribute.value!s}" for attribute in issuer.certificate.subject)
        own = [] if info is None else [(self.extension("1.3.6.1.5.5.7.1.14", info), True)]
        return self.issue(more.pop("subject", f"{subject}/CN={cn}"), issuer, *own, *extensions, **more)

    @staticmethod
    def extension(oid: str, value: bytes) -> x509.UnrecognizedExtension:
        return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)

    @staticmethod
    def crl(
        issuer: Issued,
        *revoked: Issued,
        issuer_name: str | None = None,
        this_update: datetime = NOW - timedelta(hours=1),
        next_update: datetime = NOW + timedelta(hours=1),
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        reason: x509.ReasonFlags | None = None,
    ) -> Crl:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x500(issuer_name) if issuer_name else issuer.certificate.subject)
            .last_update(this_update)
            .next_update(next_update)
        )
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        for issued in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(issued.certificate.serial_number)
            entry = entry.revocation_date(datetime(2026, 5, 1, tzinfo=UTC))
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), False)
            builder = builder.add_revoked_certificate(entry.build())
        return read_crl(builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER))

    @staticmethod
    def trust(*anchors: Issued, **more: Any) -> TrustAnchors:
        return TrustAnchors(tuple(anchor.view for anchor in anchors), **more)

    @staticmethod
    def chain(*issued: Issued) -> UnverifiedChain:
        return UnverifiedChain.of(one.certificate for one in issued)


def _label(attribute: x509.NameAttribute[Any]) -> str:
    return next(label for label, oid in _TYPES.items() if oid == attribute.oid)


@pytest.fixture
def pki() -> Pki:
    return Pki()


_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_SEQUENCE, _SET, _INTEGER, _OCTETS, _BITS, _TIME, _URI, _DIRECTORY = 0x30, 0x31, 2, 4, 3, 0x18, 0x86, 0xA4


def sequence(*parts: bytes) -> bytes:
    return encode(_SEQUENCE, b"".join(parts))


def integer(value: int) -> bytes:
    return encode(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        octets += bytes(reversed(septets))
    return encode(6, bytes(octets))


class AcFactory:
    """VOMS attribute certificates as the servers make them, signed with ECDSA; each habit can be broken."""

    sequence = staticmethod(sequence)
    encode = staticmethod(encode)

    def __init__(self, server: Issued, user: Issued) -> None:
        self.server = server
        self.user = user

    def make(
        self,
        *,
        vo: str = "dteam",
        authority: bytes | None = None,
        fqans: Sequence[bytes] = (b"/dteam",),
        holder: x509.Name | None = None,
        serial: int | None = None,
        not_before: datetime = NOW - timedelta(hours=1),
        not_after: datetime = NOW + timedelta(hours=1),
        version: int = 1,
        certificates: Sequence[x509.Certificate] | None = None,
        key_identifier: bytes | None = None,
        no_revocation: bool = True,
        targets: bytes | None = None,
        more_extensions: Sequence[bytes] = (),
        signer: CertificateIssuerPrivateKeyTypes | None = None,
        algorithm: bytes = _ECDSA_SHA256,
        inner_algorithm: bytes | None = None,
    ) -> bytes:
        holder_name = holder or self.user.certificate.subject
        authority = authority or f"{vo}://voms.example.org:15000".encode()
        fqan_attribute = sequence(
            oid("1.3.6.1.4.1.8005.100.100.4"),
            encode(
                _SET,
                sequence(encode(0xA0, encode(_URI, authority)), sequence(*(encode(_OCTETS, fqan) for fqan in fqans))),
            ),
        )
        sent = [self.server.certificate] if certificates is None else certificates
        extensions = [
            *([self.extension("1.3.6.1.4.1.8005.100.100.10", self.certificates(sent))] if sent else []),
            self.extension("2.5.29.35", sequence(encode(0x80, key_identifier or self.server_key_identifier()))),
            *([self.extension("2.5.29.56", b"\x05\x00")] if no_revocation else []),
            *([self.extension("2.5.29.55", targets, critical=True)] if targets is not None else []),
            *more_extensions,
        ]
        info = sequence(
            integer(version),
            sequence(
                encode(
                    0xA0,
                    sequence(encode(_DIRECTORY, holder_name.public_bytes()))
                    + integer(self.user.certificate.serial_number if serial is None else serial),
                )
            ),
            encode(0xA0, sequence(encode(_DIRECTORY, self.server.certificate.subject.public_bytes()))),
            inner_algorithm or algorithm,
            integer(1),
            sequence(*(encode(_TIME, f"{time:%Y%m%d%H%M%SZ}".encode()) for time in (not_before, not_after))),
            sequence(fqan_attribute),
            sequence(*extensions),
        )
        return sequence(info, algorithm, encode(_BITS, b"\x00" + _sign(signer or self.server.key, info)))

    def proxy(self, pki: Pki, *acs: bytes) -> Issued:
        """A proxy of the user that carries them."""
        return pki.proxy(self.user, Pki.extension("1.3.6.1.4.1.8005.100.100.5", sequence(sequence(*acs))))

    def server_key_identifier(self) -> bytes:
        return x509.SubjectKeyIdentifier.from_public_key(self.server.certificate.public_key()).digest

    @staticmethod
    def certificates(certificates: Sequence[x509.Certificate]) -> bytes:
        return sequence(sequence(*(certificate.public_bytes(Encoding.DER) for certificate in certificates)))

    @staticmethod
    def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
        return sequence(oid(dotted), *([b"\x01\x01\xff"] if critical else []), encode(_OCTETS, value))


def _sign(key: CertificateIssuerPrivateKeyTypes, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


@pytest.fixture(scope="session")
def ac_factory() -> type[AcFactory]:
    return AcFactory
