"""Certificate revocation lists: what one says, and whether it can be relied on.

The serial numbers become a set when the list is loaded: the list of a large CA holds tens of thousands, and
``cryptography`` searches them one by one. Its object stays for the date and reason of the rare hit.
"""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from argus_py.credentials import der, names, signatures
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.rejections import UnreadableCredential
from argus_py.model.dn import DistinguishedName

MAX_OCTETS = 64 * 1024 * 1024  # the largest CRL of the grid has a few MiB

_INTEGER = 0x02
_PEM_MARK = b"-----BEGIN X509 CRL-----"
_BAD_EXTENSIONS = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class Crl:
    """``next_update`` None: never outdated. ``unusable`` says why the list must not be relied on, None: it may."""

    fingerprint: bytes  # SHA-256 of the encoding: lists are equal if these are
    decoded: x509.CertificateRevocationList = field(compare=False, repr=False)
    issuer: DistinguishedName = field(compare=False)
    issuer_hashes: tuple[str, str] = field(compare=False)
    this_update: datetime = field(compare=False)
    next_update: datetime | None = field(compare=False)
    serials: frozenset[int] = field(compare=False, repr=False)
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
        return signatures.is_signed(
            self.decoded.tbs_certlist_bytes, self.decoded.signature, algorithm, issuer.public_key
        )

    def is_outdated(self, now: datetime) -> bool:
        return self.next_update is not None and now > self.next_update

    def revocation(self, serial: int) -> str | None:
        """When and why the certificate was revoked, None if it was not."""
        if serial not in self.serials:
            return None
        entry = next(entry for entry in self.decoded if entry.serial_number == serial)
        return f"Certificate was revoked at: {entry.revocation_date_utc:%Y-%m-%d %H:%M:%S} UTC{_reason(entry)}"


def read_crl(encoded: bytes) -> Crl:
    """One CRL, PEM or DER.

    Raises UnreadableCredential: neither, or longer than the limit.
    """
    if len(encoded) > MAX_OCTETS:
        raise UnreadableCredential("inputError", f"a CRL of {len(encoded)} octets; {MAX_OCTETS} are allowed")
    load = x509.load_pem_x509_crl if _PEM_MARK in encoded else x509.load_der_x509_crl
    try:
        decoded = load(encoded)
        serials = frozenset(entry.serial_number for entry in decoded)
        issuer = _issuer(decoded.tbs_certlist_bytes)
        this_update, next_update = decoded.last_update_utc, decoded.next_update_utc  # ValueError: the year 0
    except (ValueError, x509.InvalidVersion) as error:
        raise UnreadableCredential("inputError", f"a CRL cannot be read: {error}") from error
    scope = _scope(decoded)
    return Crl(
        decoded.fingerprint(hashes.SHA256()),
        decoded,
        names.read_name(issuer),
        names.hashes(issuer),
        this_update,
        next_update,
        serials,
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
