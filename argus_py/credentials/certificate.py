"""One certificate of a chain, with what the rules ask of it; each field is decoded once, when first asked for.

Names and extensions are read from the DER of the certificate: ``cryptography`` refuses all extensions when one it knows
is odd, and cannot decode T61 names. Its object is kept for keys, times and signatures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import der, names, proxy, signatures
from argus_py.credentials.der import DerError
from argus_py.credentials.moment import Moment
from argus_py.credentials.proxy import ProxyInfo
from argus_py.credentials.rejections import NotValidNow, UnknownCriticalExtension, UnreadableCredential
from argus_py.model.dn import DistinguishedName

BASIC_CONSTRAINTS = "2.5.29.19"
KEY_USAGE = "2.5.29.15"
NAME_CONSTRAINTS = "2.5.29.30"
SUBJECT_ALT_NAME = "2.5.29.17"
ISSUER_ALT_NAME = "2.5.29.18"
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
WITHOUT_RULES = frozenset(
    {
        "2.5.29.37",  # extended key usage: nobody here asks for a purpose
        "2.5.29.32",  # certificate policies: none is required, so any will do
    }
)


@dataclass(frozen=True, slots=True)
class Extension:
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """``path_length``: how many sub CAs may follow; None is any number."""

    is_ca: bool
    path_length: int | None = None


@dataclass(frozen=True, slots=True)
class KeyUsage:
    digital_signature: bool
    key_cert_sign: bool
    crl_sign: bool


# RFC 5280 section 4.1, 4.2.1.9. BOOLEAN OPTIONAL where the RFC has DEFAULT FALSE: old CAs encode the default.
@asn1.sequence
class _Extension:
    oid: x509.ObjectIdentifier
    critical: bool | None
    value: bytes


@asn1.sequence
class _TbsCertificate:
    version: Annotated[int | None, asn1.Explicit(0)]
    serial: int
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    public_key: asn1.TLV
    issuer_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[_Extension] | None, asn1.Explicit(3)]


@asn1.sequence
class _BasicConstraints:
    is_ca: bool | None
    path_length: int | None


def load_certificate(encoded: bytes) -> x509.Certificate:
    """Raises UnreadableCredential: not the DER of a certificate; says nothing about the octets."""
    try:
        return x509.load_der_x509_certificate(encoded)
    except (ValueError, x509.InvalidVersion):
        raise UnreadableCredential("inputError", "Can not parse the input data as a certificate") from None


class Certificate:
    """Wraps an ``x509.Certificate``; equal if the encodings are equal.

    Raises UnreadableCredential, from whatever is asked first: a field that is not DER or breaks its syntax.
    """

    def __init__(self, decoded: x509.Certificate) -> None:
        self.x509 = decoded

    def __eq__(self, other: object) -> bool:
        return self.x509 == other.x509 if isinstance(other, Certificate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.x509)

    @cached_property
    def subject_der(self) -> bytes:
        return asn1.encode_der(self._tbs.subject)

    @cached_property
    def subject(self) -> DistinguishedName:
        return names.read_name(self.subject_der)

    @cached_property
    def hashes(self) -> tuple[str, str]:
        """What the files of this CA are called in a trust directory: by the old hash, or by the new one."""
        return names.hashes(self.subject_der)

    @cached_property
    def issuer(self) -> DistinguishedName:
        return names.read_name(asn1.encode_der(self._tbs.issuer))

    @cached_property
    def issuer_hashes(self) -> tuple[str, str]:
        """What the files of its issuer are called."""
        return names.hashes(asn1.encode_der(self._tbs.issuer))

    @cached_property
    def is_self_issued(self) -> bool:
        return self.subject == self.issuer

    @cached_property
    def serial(self) -> int:
        return self._tbs.serial

    @cached_property
    def not_before(self) -> datetime:
        try:
            return self.x509.not_valid_before_utc
        except ValueError as error:  # the year 0, which DER has and datetime has not
            raise self._unreadable(f"notBefore: {error}") from error

    @cached_property
    def not_after(self) -> datetime:
        try:
            return self.x509.not_valid_after_utc
        except ValueError as error:
            raise self._unreadable(f"notAfter: {error}") from error

    @cached_property
    def public_key(self) -> CertificatePublicKeyTypes | None:
        """None for a key that nobody here can use, which then has signed nothing."""
        try:
            return self.x509.public_key()
        except (UnsupportedAlgorithm, ValueError):
            return None

    @cached_property
    def extensions(self) -> Mapping[str, Extension]:
        found: dict[str, Extension] = {}
        for extension in self._tbs.extensions or ():
            oid = extension.oid.dotted_string
            if oid in found:
                raise self._unreadable(f"extension {oid} is there twice")
            found[oid] = Extension(bool(extension.critical), extension.value)
        return found

    @cached_property
    def basic_constraints(self) -> BasicConstraints | None:
        extension = self.extensions.get(BASIC_CONSTRAINTS)
        if extension is None:
            return None
        try:
            decoded = asn1.decode_der(_BasicConstraints, extension.value)
        except ValueError as error:
            raise self._unreadable(f"basicConstraints: {error}") from error
        if decoded.path_length is not None and decoded.path_length < 0:
            raise self._unreadable("basicConstraints: a negative path length")
        return BasicConstraints(bool(decoded.is_ca), decoded.path_length)

    @cached_property
    def is_ca(self) -> bool:
        return self.basic_constraints is not None and self.basic_constraints.is_ca

    @cached_property
    def key_usage(self) -> KeyUsage | None:
        extension = self.extensions.get(KEY_USAGE)
        if extension is None:
            return None
        try:
            octets = der.content(extension.value, der.BIT_STRING)
        except DerError as error:
            raise self._unreadable(f"keyUsage: {error}") from error
        unused = octets[0] if octets else 8  # bits at the end, which may be set and mean nothing
        value = int.from_bytes(octets[1:]) >> unused << unused
        if unused > 7 or not value:
            raise self._unreadable("keyUsage: no bit is set")  # RFC 5280 section 4.2.1.3 asks for one
        bits = value >> 8 * (len(octets) - 2)
        return KeyUsage(bool(bits & 0x80), bool(bits & 0x04), bool(bits & 0x02))

    @cached_property
    def proxy(self) -> ProxyInfo | None:
        """What kind of proxy this is, None for an end entity or CA."""
        for oid, read in (
            (proxy.RFC_PROXY_CERT_INFO, proxy.read_rfc_info),
            (proxy.DRAFT_PROXY_CERT_INFO, proxy.read_draft_info),
        ):
            extension = self.extensions.get(oid)
            if extension is not None:
                try:
                    return read(extension.value)
                except ValueError as error:
                    raise self._unreadable(f"ProxyCertInfo: {error}") from error
        return proxy.legacy_info(self.subject)

    def check_readable(self) -> None:
        """Raises UnreadableCredential: any of the fields that are asked of a CA cannot be read."""
        _ = self.subject, self.issuer, self.hashes, self.basic_constraints, self.key_usage

    def is_signed_by(self, issuer: "Certificate") -> bool:
        """Whether the signature verifies with the issuer's key; costs a public key operation."""
        if not self._names_one_algorithm:
            return False
        algorithm = signatures.algorithm_of(self.x509)
        return signatures.is_signed(self.x509.tbs_certificate_bytes, self.x509.signature, algorithm, issuer.public_key)

    def check_valid(self, moment: Moment, grace: timedelta = timedelta(0)) -> None:
        """Raises NotValidNow: expired, or not valid yet."""
        if moment.is_after(self.not_after, grace):
            raise NotValidNow(
                "certificateExpired",
                f"Certificate has expired on: {self.not_after:%Y-%m-%d %H:%M:%S} UTC",
                self.subject,
            )
        if moment.is_before(self.not_before, grace):
            raise NotValidNow(
                "certificateNotYetValid",
                f"Certificate is not yet valid. Will be from: {self.not_before:%Y-%m-%d %H:%M:%S} UTC",
                self.subject,
            )

    def check_critical(self, known: frozenset[str]) -> None:
        """Raises UnknownCriticalExtension: one that is critical is not among ``known``.

        UnreadableCredential: a known one is nonsense, though nobody may ask a leaf for it.
        """
        _ = self.basic_constraints, self.key_usage
        for oid, extension in self.extensions.items():
            if extension.critical and oid not in known:
                raise UnknownCriticalExtension(
                    "unknownCriticalExt", f"Unknown critical extension was found: {oid}", self.subject
                )

    @property
    def _names_one_algorithm(self) -> bool:
        """RFC 5280 section 4.1.1.2: the algorithm beside the signature, which is not signed, is the one that is."""
        fields = der.elements(der.content(self.x509.public_bytes(Encoding.DER), der.SEQUENCE))
        return fields[1][2] == asn1.encode_der(self._tbs.signature)

    @cached_property
    def _tbs(self) -> _TbsCertificate:
        try:
            return asn1.decode_der(_TbsCertificate, self.x509.tbs_certificate_bytes)
        except ValueError as error:
            raise UnreadableCredential("inputError", f"a certificate cannot be read: {error}") from error

    def _unreadable(self, reason: str) -> UnreadableCredential:
        return UnreadableCredential("inputError", reason, self.subject)
