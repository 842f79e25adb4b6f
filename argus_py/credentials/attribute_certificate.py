"""VOMS attribute certificates: RFC 5755 with the habits of VOMS, from DER to a value. Nothing in here proves anything.

The extension of a proxy holds them; holder, dates and FQANs are what the VOMS server signed. Generic attributes are
skipped. Targets have one SEQUENCE more than the standard asks for.

Source: voms-api-java:src/main/java/org/italiangrid/voms/asn1/VOMSACUtils.java; RFC 5755 section 4
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1

from argus_py.credentials import der, names
from argus_py.credentials.certificate import Extension, load_certificate
from argus_py.credentials.der import DerError
from argus_py.credentials.general_name import DIRECTORY, URI, GeneralName, read_general_names
from argus_py.credentials.rejections import BadAttributeCertificate, UnreadableCredential
from argus_py.model.dn import DistinguishedName

VOMS_EXTENSION = "1.3.6.1.4.1.8005.100.100.5"
CERTIFICATES = "1.3.6.1.4.1.8005.100.100.10"
GENERIC_ATTRIBUTES = "1.3.6.1.4.1.8005.100.100.11"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
TARGETS = "2.5.29.55"
NO_REVOCATION_AVAILABLE = "2.5.29.56"

MAX_ATTRIBUTE_CERTIFICATES = 16  # one per VO; voms-proxy-init asks for one to three
MAX_CERTIFICATES = 10  # of the server and its sub CAs; real servers send one or two
MAX_FQANS = 1000  # large VOs give a user some fifty
MAX_TARGET_NESTING = 8  # VOMS uses four levels

_FQANS = "1.3.6.1.4.1.8005.100.100.4"
_VERSION_2 = 1
_POLICY_AUTHORITY = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)://([A-Za-z0-9._-]+):([0-9]{1,5})")
_CONSTRUCTED = 0x20
_PRINTABLE_ASCII = re.compile(r"[ -~]+")


@asn1.sequence
class _Extension:
    oid: x509.ObjectIdentifier
    critical: bool | None
    value: bytes


@asn1.sequence
class _IssuerSerial:
    issuer: asn1.TLV
    serial: int
    issuer_unique_id: asn1.BitString | None


@asn1.sequence
class _Holder:
    base_certificate_id: Annotated[_IssuerSerial, asn1.Implicit(0)]


@asn1.sequence
class _V2Form:
    issuer_name: asn1.TLV


@asn1.sequence
class _ValidityPeriod:
    not_before: asn1.GeneralizedTime
    not_after: asn1.GeneralizedTime


@asn1.sequence
class _Attribute:
    type: x509.ObjectIdentifier
    values: asn1.TLV


@asn1.sequence
class _Info:
    version: int
    holder: _Holder
    issuer: Annotated[_V2Form, asn1.Implicit(0)]
    signature: asn1.TLV
    serial: int
    validity: _ValidityPeriod
    attributes: list[_Attribute]
    issuer_unique_id: asn1.BitString | None
    extensions: list[_Extension] | None


@asn1.sequence
class _AttributeCertificate:
    info: asn1.TLV
    algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class _IetfAttributes:
    policy_authority: Annotated[list[asn1.TLV], asn1.Implicit(0)]
    values: list[bytes]


@asn1.sequence
class _Certificates:
    certificates: list[asn1.TLV]


@asn1.sequence
class _AuthorityKeyIdentifier:
    key_identifier: Annotated[bytes | None, asn1.Implicit(0)]
    issuer: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    serial: Annotated[int | None, asn1.Implicit(2)]


@dataclass(frozen=True, slots=True)
class AttributeCertificate:
    """``signed`` are the octets under the signature; ``targets`` None: meant for every host."""

    vo: str
    host: str
    port: int
    fqans: tuple[str, ...]
    holder: DistinguishedName  # VOMS: the subject of the user's certificate; the RFC: its issuer
    holder_serial: int
    issuer: DistinguishedName
    not_before: datetime
    not_after: datetime
    certificates: tuple[x509.Certificate, ...]  # of the VOMS server, then its sub CAs
    key_identifier: bytes | None
    targets: tuple[str, ...] | None
    extensions: Mapping[str, Extension]
    signed: bytes
    algorithm: str  # OID
    signature: bytes


def read_extension(encoded: bytes) -> tuple[bytes, ...]:
    """The attribute certificates of a VOMS extension, each as its DER.

    Raises BadAttributeCertificate: not a SEQUENCE of SEQUENCEs, or more than the limit.
    """
    try:
        lists = der.elements(der.content(encoded, der.SEQUENCE))
        found = tuple(
            certificate for tag, octets, _ in lists for _, _, certificate in der.elements(_is_sequence(tag, octets))
        )
    except DerError as error:
        raise _bad(f"the VOMS extension cannot be read: {error}") from error
    if len(found) > MAX_ATTRIBUTE_CERTIFICATES:
        raise _bad(f"{len(found)} attribute certificates; {MAX_ATTRIBUTE_CERTIFICATES} are allowed")
    return found


def read_attribute_certificate(encoded: bytes) -> AttributeCertificate:
    """One attribute certificate from its DER. Raises BadAttributeCertificate: it breaks the syntax or a limit."""
    try:
        return _read(encoded)
    except (ValueError, UnreadableCredential) as error:
        raise _bad(f"the VOMS attribute certificate cannot be read: {error}") from error


def _read(encoded: bytes) -> AttributeCertificate:
    outer = asn1.decode_der(_AttributeCertificate, encoded)
    signed = asn1.encode_der(outer.info)
    info = asn1.decode_der(_Info, signed)
    if info.version != _VERSION_2:
        raise DerError(f"version {info.version} instead of {_VERSION_2}")
    algorithm = asn1.encode_der(outer.algorithm)
    if algorithm != asn1.encode_der(info.signature):
        raise DerError("the algorithm inside the signature is not the one outside")
    vo, host, port, fqans = _attributes(info.attributes)
    extensions = _extensions(info.extensions or [])
    return AttributeCertificate(
        vo,
        host,
        port,
        fqans,
        _directory_name(info.holder.base_certificate_id.issuer),
        info.holder.base_certificate_id.serial,
        _directory_name(info.issuer.issuer_name),
        info.validity.not_before.as_datetime(),
        info.validity.not_after.as_datetime(),
        _certificates(extensions.get(CERTIFICATES)),
        _key_identifier(extensions.get(AUTHORITY_KEY_IDENTIFIER)),
        _targets(extensions.get(TARGETS)),
        extensions,
        signed,
        _algorithm_oid(algorithm),
        outer.signature.as_bytes(),
    )


def _attributes(attributes: list[_Attribute]) -> tuple[str, str, int, tuple[str, ...]]:
    """VO, host, port and FQANs from the one attribute VOMS defines; others are skipped."""
    voms = [attribute for attribute in attributes if attribute.type.dotted_string == _FQANS]
    if len(voms) != 1:
        raise DerError(f"{len(voms)} attributes with FQANs instead of one")
    value = asn1.decode_der(_IetfAttributes, der.content(asn1.encode_der(voms[0].values), der.SET))
    if len(value.policy_authority) != 1:
        raise DerError("not exactly one policy authority")
    ((tag, authority, _),) = der.elements(asn1.encode_der(value.policy_authority[0]))
    match = _POLICY_AUTHORITY.fullmatch(authority.decode("ascii")) if tag == URI else None
    if match is None:
        raise DerError("the policy authority is not <vo>://<host>:<port>")
    if len(value.values) > MAX_FQANS:
        raise DerError(f"{len(value.values)} FQANs; {MAX_FQANS} are allowed")
    return match[1], match[2], int(match[3]), tuple(_printable(octets, "an FQAN") for octets in value.values)


def _printable(octets: bytes, what: str) -> str:
    text = octets.decode("ascii")
    if not _PRINTABLE_ASCII.fullmatch(text):
        raise DerError(f"{what} is empty or holds control characters")
    return text


def _extensions(extensions: list[_Extension]) -> Mapping[str, Extension]:
    found = {e.oid.dotted_string: Extension(bool(e.critical), e.value) for e in extensions}
    if len(found) != len(extensions):
        raise DerError("an extension is there twice")
    return found


def _certificates(extension: Extension | None) -> tuple[x509.Certificate, ...]:
    if extension is None:
        return ()
    certificates = asn1.decode_der(_Certificates, extension.value).certificates
    if len(certificates) > MAX_CERTIFICATES:
        raise DerError(f"{len(certificates)} certificates; {MAX_CERTIFICATES} are allowed")
    return tuple(load_certificate(asn1.encode_der(certificate)) for certificate in certificates)


def _key_identifier(extension: Extension | None) -> bytes | None:
    return None if extension is None else asn1.decode_der(_AuthorityKeyIdentifier, extension.value).key_identifier


def _targets(extension: Extension | None) -> tuple[str, ...] | None:
    """The host names anywhere in the extension; who is not named there is no target, whatever else it holds."""
    return None if extension is None else tuple(_uris(extension.value, MAX_TARGET_NESTING))


def _uris(encoded: bytes, levels: int) -> list[str]:
    found: list[str] = []
    for tag, octets, _ in der.elements(encoded):
        if tag == URI:
            found.append(_printable(octets, "a target"))
        elif tag & _CONSTRUCTED:
            if not levels:
                raise DerError("the targets are nested too deeply")
            found += _uris(octets, levels - 1)
    return found


def _directory_name(general_names: asn1.TLV) -> DistinguishedName:
    match read_general_names(asn1.encode_der(general_names)):
        case (GeneralName(tag, value),) if tag == DIRECTORY:
            return names.read_name(value)
    raise DerError("holder and issuer are one directory name each")


def _algorithm_oid(algorithm: bytes) -> str:
    match der.elements(der.content(algorithm, der.SEQUENCE)):
        case [(der.OBJECT_IDENTIFIER, oid, _), *_]:
            return der.object_identifier(oid)
    raise DerError("no algorithm")


def _is_sequence(tag: int, octets: bytes) -> bytes:
    if tag != der.SEQUENCE:
        raise DerError("not a SEQUENCE")
    return octets


def _bad(reason: str) -> BadAttributeCertificate:
    return BadAttributeCertificate("parse", reason)
