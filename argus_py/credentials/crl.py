"""Certificate revocation lists: what one says, and whether it can be relied on.

The list of a large CA has tens of thousands of entries, and a site has hundreds of CAs most of which are never asked
about. So entries are not taken out when a list is loaded. A question is a search for the octets of the serial number,
which is all it takes for nearly everybody; ``cryptography``, who reads entry after entry, is asked about the rest.
"""

import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from argus_py.credentials import der, names, signatures
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.moment import Moment
from argus_py.credentials.rejections import UnreadableCredential
from argus_py.model.dn import DistinguishedName

MAX_OCTETS = 64 * 1024 * 1024  # the largest CRL of the grid has a few MiB

_INTEGER = 0x02
_PEM_BEGIN, _PEM_END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"
_BAD_EXTENSIONS = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class Crl:
    """``next_update`` None: never outdated. ``unusable`` says why the list must not be relied on, None: it may."""

    fingerprint: bytes  # SHA-256 of the encoding: lists are equal if these are
    encoded: bytes = field(compare=False, repr=False)  # DER
    decoded: x509.CertificateRevocationList = field(compare=False, repr=False)
    issuer: DistinguishedName = field(compare=False)
    issuer_hashes: tuple[str, str] = field(compare=False)
    this_update: datetime = field(compare=False)
    next_update: datetime | None = field(compare=False)
    covers_users: bool = field(default=True, compare=False)
    covers_cas: bool = field(default=True, compare=False)
    unusable: str | None = field(default=None, compare=False)

    def covers(self, certificate: Certificate) -> bool:
        return self.covers_cas if certificate.is_ca else self.covers_users

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Whether the issuer may sign CRLs and has signed this one; costs a public key operation."""
        if issuer.key_usage is not None and not issuer.key_usage.crl_sign:
            return False
        algorithm = signatures.algorithm_of(self.decoded)
        return signatures.is_signed(_tbs(self.encoded), self.decoded.signature, algorithm, issuer.public_key)

    def is_outdated(self, moment: Moment) -> bool:
        return self.next_update is not None and moment.is_after(self.next_update)

    def revocation(self, serial: int) -> str | None:
        """When and why the certificate was revoked, None if it was not."""
        # INVARIANT: the list was read as DER, where a serial number has one encoding.
        if _integer(serial) not in self.encoded:
            return None
        entry = self._entry(serial)
        if entry is None:
            return None  # the same octets, but elsewhere in the list
        return f"Certificate was revoked at: {entry.revocation_date_utc:%Y-%m-%d %H:%M:%S} UTC{_reason(entry)}"

    def _entry(self, serial: int) -> x509.RevokedCertificate | None:
        if serial < 0:  # against the RFC; the library reads them and does not look for them
            return next((entry for entry in self.decoded if entry.serial_number == serial), None)
        return self.decoded.get_revoked_certificate_by_serial_number(serial)


def read_crl(encoded: bytes) -> Crl:
    """One CRL, PEM or DER.

    Raises UnreadableCredential: neither, or longer than the limit.
    """
    if len(encoded) > MAX_OCTETS:
        raise UnreadableCredential("inputError", f"a CRL of {len(encoded)} octets; {MAX_OCTETS} are allowed")
    try:
        octets = _der(encoded)
        decoded = x509.load_der_x509_crl(octets)
        issuer = _issuer(_tbs(octets))
        this_update, next_update = decoded.last_update_utc, decoded.next_update_utc  # ValueError: the year 0
    except (ValueError, x509.InvalidVersion) as error:
        raise UnreadableCredential("inputError", f"a CRL cannot be read: {error}") from error
    scope = _scope(decoded)
    return Crl(
        hashlib.sha256(octets).digest(),
        octets,
        decoded,
        names.read_name(issuer),
        names.hashes(issuer),
        this_update,
        next_update,
        scope.covers_users,
        scope.covers_cas,
        scope.unusable,
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    covers_users: bool = True
    covers_cas: bool = True
    unusable: str | None = None


def _scope(decoded: x509.CertificateRevocationList) -> _Scope:
    """RFC 5280 section 5.2: a list with a critical extension that is not understood says nothing about anybody."""
    try:
        extensions = decoded.extensions
    except _BAD_EXTENSIONS as error:
        return _Scope(unusable=f"an extension cannot be read: {error}")
    scope = _Scope()
    for extension in extensions:
        point = extension.value
        if isinstance(point, x509.IssuingDistributionPoint):
            if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
                return _Scope(unusable="indirect CRLs and CRLs for some reasons or attribute certificates alone")
            scope = _Scope(not point.only_contains_ca_certs, not point.only_contains_user_certs)
        elif extension.critical:
            return _Scope(unusable=f"unknown critical extension {extension.oid.dotted_string}")
    return scope


def _der(encoded: bytes) -> bytes:
    """What the first PEM block holds; all of it if there is none. Raises ValueError: the block is no base64."""
    _, begin, rest = encoded.partition(_PEM_BEGIN)
    if not begin:
        return encoded
    body, end, _ = rest.partition(_PEM_END)
    if not end:
        raise ValueError("the PEM block has no end")
    return binascii.a2b_base64(b"".join(body.split()), strict_mode=True)


def _tbs(encoded: bytes) -> bytes:
    """What is signed, as it stands in the encoding; ``cryptography`` encodes all entries anew."""
    return der.elements(der.content(encoded, der.SEQUENCE))[0][2]


def _integer(value: int) -> bytes:
    bits = value.bit_length() if value >= 0 else (~value).bit_length()
    return der.encode(_INTEGER, value.to_bytes(bits // 8 + 1, signed=True))


def _issuer(tbs: bytes) -> bytes:
    """RFC 5280 section 5.1: version (optional), signature, issuer, ..."""
    fields = der.elements(der.content(tbs, der.SEQUENCE))
    return fields[2 if fields[0][0] == _INTEGER else 1][2]


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, *_BAD_EXTENSIONS):
        return ""
    return f", the reason reported is: {reason.value}"
