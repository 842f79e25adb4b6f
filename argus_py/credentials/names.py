"""X.501 names: from DER to ``DistinguishedName``, and the two hashes that name the files of a trust directory.

``cryptography`` cannot decode a name with a T61String; such users exist, so names are read from their octets. Every RDN
keeps the order of the encoding, sorted or not.

Source: OpenSSL crypto/x509/x509_cmp.c (X509_NAME_hash, X509_NAME_hash_old), crypto/x509/x_name.c (canonical encoding)
"""

import hashlib
from functools import lru_cache

from cryptography import x509

from argus_py.credentials import der
from argus_py.credentials.der import DerError
from argus_py.credentials.rejections import UnreadableCredential
from argus_py.model.dn import MAX_ATTRIBUTES, AttributeTypeAndValue, DistinguishedName, Rdn

MAX_NAME_OCTETS = 8192  # as the limit on the text of a name
_CACHED_NAMES = 1024  # CAs and busy users, at most 8 MiB with the limit above; nobody can spend more by sending others
_CACHED_OIDS = 256  # attribute types in use number a few dozen
_UTF8 = 0x0C
_CANONICAL_CODECS = {  # X509_NAME_hash: these become UTF8String, folded; other types stay as they are
    _UTF8: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_WHITE_SPACE = " \t\n\v\f\r"

_object_identifier = lru_cache(_CACHED_OIDS)(der.object_identifier)


@lru_cache(_CACHED_NAMES)
def read_name(encoded: bytes) -> DistinguishedName:
    """The value of a DER Name.

    Raises UnreadableCredential: not a Name, or longer than the limits.
    """
    if len(encoded) > MAX_NAME_OCTETS:
        raise UnreadableCredential("inputError", f"a name of {len(encoded)} octets; {MAX_NAME_OCTETS} are allowed")
    try:
        rdns = tuple(_rdn(rdn) for rdn in _rdns(encoded))
    except DerError as error:
        raise UnreadableCredential("inputError", f"a name cannot be read: {error}") from error
    if sum(map(len, rdns)) > MAX_ATTRIBUTES:
        raise UnreadableCredential("inputError", f"a name of more than {MAX_ATTRIBUTES} attributes")
    return DistinguishedName(rdns)


def distinguished_name(name: x509.Name) -> DistinguishedName:
    """The same for a name that ``cryptography`` could decode."""
    return read_name(name.public_bytes())


def hashes(encoded: bytes) -> tuple[str, str]:
    """The old and the new hash of a DER Name. Raises UnreadableCredential: not a Name."""
    return hash_old(encoded), hash_new(encoded)


def hash_old(encoded: bytes) -> str:
    """The file name OpenSSL 0.9 and the Java daemons look for, from a DER Name: ``openssl x509 -subject_hash_old``."""
    return _little_endian(hashlib.md5(encoded, usedforsecurity=False).digest())


def hash_new(encoded: bytes) -> str:
    """The file name OpenSSL 1 and later look for, from a DER Name: ``openssl x509 -subject_hash``.

    Raises UnreadableCredential: not a Name.
    """
    try:
        canonical = b"".join(
            der.encode(der.SET, b"".join(sorted(_canonical(type_, value) for type_, value in _attributes(rdn))))
            for rdn in _rdns(encoded)
        )
    except DerError as error:
        raise UnreadableCredential("inputError", f"a name cannot be read: {error}") from error
    return _little_endian(hashlib.sha1(canonical, usedforsecurity=False).digest())


def _rdns(encoded: bytes) -> list[bytes]:
    rdns = []
    for tag, rdn, _ in der.elements(der.content(encoded, der.SEQUENCE)):
        if tag != der.SET:
            raise DerError("an RDN is not a SET")
        rdns.append(rdn)
    return rdns


def _attributes(rdn: bytes) -> list[tuple[bytes, bytes]]:
    """Content of the type and whole encoding of the value."""
    attributes = []
    for tag, attribute, _ in der.elements(rdn):
        match der.elements(attribute):
            case [(der.OBJECT_IDENTIFIER, type_, _), (_, _, value)] if tag == der.SEQUENCE:
                attributes.append((type_, value))
            case _:
                raise DerError("an attribute of a name is not a pair of type and value")
    if not attributes:
        raise DerError("an RDN is empty")
    return attributes


def _rdn(rdn: bytes) -> Rdn:
    return tuple(AttributeTypeAndValue.of_der(_object_identifier(type_), value) for type_, value in _attributes(rdn))


def _canonical(type_: bytes, value: bytes) -> bytes:
    ((tag, octets, _),) = der.elements(value)
    codec = _CANONICAL_CODECS.get(tag)
    if codec is not None:
        try:
            text = octets.decode(codec)
        except UnicodeDecodeError as error:
            raise DerError(f"a string of a name cannot be decoded: {error}") from error
        words = [word for word in _split(text.translate(_ASCII_LOWER)) if word]
        value = der.encode(_UTF8, " ".join(words).encode())
    return der.encode(der.SEQUENCE, der.encode(der.OBJECT_IDENTIFIER, type_) + value)


def _split(text: str) -> list[str]:
    """At ASCII white space alone; ``str.split()`` knows more blanks than OpenSSL."""
    return text.translate({ord(blank): " " for blank in _WHITE_SPACE}).split(" ")


def _little_endian(digest: bytes) -> str:
    return f"{int.from_bytes(digest[:4], 'little'):08x}"
