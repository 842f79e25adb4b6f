"""Distinguished names: RFC 2253 text as the JDK writes it, the slash form of OpenSSL, and Java's equality.

A name is a list of (type, text): the ASN.1 string type is kept for printing alone, so a name that went through text
still equals the certificate's. Equality decides authorisations and is strict where Java is: DC, e-mail and all types
without an RFC 2253 keyword compare exactly, the rest by folded text. ``loosely_equal`` is for what operators type.

Source: JDK javax.security.auth.x500.X500Principal; canl-java:.../x509/impl/OpensslNameUtils.java, X500NameUtils.java
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from argus_py.errors import MalformedInput

MAX_TEXT_LENGTH: Final = 8192  # real names stay below 500 characters; bounds what one attribute of a request can cost
MAX_ATTRIBUTES: Final = 100  # attributes of a name; the longest seen in the field has 12
_CACHED_NAMES: Final = 2048  # names of a busy site's users and hosts; bounds the memory together with MAX_TEXT_LENGTH

_DC, _EMAIL, _DN_QUALIFIER = "0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1", "2.5.4.46"
# Labels by type: RFC 2253 section 2.3 | X500Principal.toString | canl's slash form | canl's readable form.
# COMPAT: lease names are made from the third column.
_LABELS: Final = (
    ("2.5.4.3", "CN", "CN", "CN", "CN"),
    ("2.5.4.6", "C", "C", "C", "C"),
    ("2.5.4.7", "L", "L", "L", "L"),
    ("2.5.4.8", "ST", "ST", "ST", "ST"),
    ("2.5.4.9", "STREET", "STREET", "STREET", "STREET"),
    ("2.5.4.10", "O", "O", "O", "O"),
    ("2.5.4.11", "OU", "OU", "OU", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID", "UID", "UID", "UID"),
    (_DC, "DC", "DC", "DC", "DC"),
    (_EMAIL, None, "EMAILADDRESS", "EMAILADDRESS", "EMAILADDRESS"),
    ("2.5.4.4", None, "SURNAME", "sn", "SURNAME"),
    ("2.5.4.5", None, "SERIALNUMBER", "SERIALNUMBER", "SERIALNUMBER"),
    ("2.5.4.12", None, "T", "T", "T"),
    ("2.5.4.42", None, "GIVENNAME", "gn", "GIVENNAME"),
    ("2.5.4.43", None, "INITIALS", "INITIALS", "INITIALS"),
    ("2.5.4.44", None, "GENERATION", "generationQualifier", "GENERATION"),
    (_DN_QUALIFIER, None, "DNQ", "dnQualifier", "DN"),
    ("1.3.6.1.4.1.42.2.11.2.1", None, "IP", None, "IP"),
    ("2.5.4.15", None, None, "BusinessCategory", "BusinessCategory"),
    ("2.5.4.16", None, None, "PostalAddress", "PostalAddress"),
    ("2.5.4.17", None, None, "PostalCode", "PostalCode"),
    ("2.5.4.20", None, None, "TelephoneNumber", "TelephoneNumber"),
    ("2.5.4.41", None, None, "Name", "Name"),
    ("2.5.4.45", None, None, "x500UniqueIdentifier", "UniqueIdentifier"),
    ("2.5.4.65", None, None, "Pseudonym", "Pseudonym"),
    ("1.2.840.113549.1.9.2", None, None, "unstructuredName", "unstructuredName"),
    ("1.2.840.113549.1.9.8", None, None, "unstructuredAddress", "unstructuredAddress"),
    ("1.3.6.1.5.5.7.9.1", None, None, "DateOfBirth", "DateOfBirth"),
    ("1.3.6.1.5.5.7.9.2", None, None, "PlaceOfBirth", "PlaceOfBirth"),
    ("1.3.6.1.5.5.7.9.3", None, None, "Gender", "Gender"),
    ("1.3.6.1.5.5.7.9.4", None, None, "CountryOfCitizenship", "CountryOfCitizenship"),
    ("1.3.6.1.5.5.7.9.5", None, None, "CountryOfResidence", "CountryOfResidence"),
)
_RFC2253_LABELS: Final = {oid: label for oid, label, _, _, _ in _LABELS if label}
_JAVA_LABELS: Final = {oid: label for oid, _, label, _, _ in _LABELS if label}
_SLASH_LABELS: Final = {oid: label for oid, _, _, label, _ in _LABELS if label}
_READABLE_LABELS: Final = {oid: label for oid, _, _, _, label in _LABELS}
# Where the names of OpenSSL differ by more than their case.
_OPENSSL_LABELS: Final = {"2.5.4.12": "title", "2.5.4.13": "description", "2.5.4.97": "organizationIdentifier"}

# What X500Principal reads. COMPAT: no E, SN, GN, TITLE, USERID, POSTALCODE: a policy naming them is unreadable in Java.
_JAVA_KEYWORDS: Final = {label: oid for oid, label in _JAVA_LABELS.items()} | {
    "S": "2.5.4.8",
    "DNQUALIFIER": _DN_QUALIFIER,
    "EMAIL": _EMAIL,
}
# What twenty years of OpenSSL, Globus and canl wrote in slash forms.
_SLASH_KEYWORDS: Final = {
    **_JAVA_KEYWORDS,
    **{label.upper(): oid for oid, label in _SLASH_LABELS.items()},
    "E": _EMAIL,
    "USERID": "0.9.2342.19200300.100.1.1",
    "TITLE": "2.5.4.12",
    "DN": _DN_QUALIFIER,
    "DESCRIPTION": "2.5.4.13",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
}

# Compared by folded text: what has a keyword in RFC 2253, save DC, an IA5String to Java.
_FOLDED: Final = frozenset(_RFC2253_LABELS) - {_DC}
_LOOSELY_FOLDED: Final = _FOLDED | {_DC, _EMAIL}

_UTF8, _PRINTABLE, _IA5 = 0x0C, 0x13, 0x16
# X.680 character strings; Latin-1 stands for every 8-bit type: it reads any byte (T61String in practice) and goes back.
_CODECS: Final = {
    _UTF8: "utf-8",
    0x12: "latin-1",  # NumericString
    _PRINTABLE: "latin-1",
    0x14: "latin-1",  # T61String
    _IA5: "latin-1",
    0x1A: "latin-1",  # VisibleString
    0x1B: "latin-1",  # GeneralString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
_HEX_IN_JDK: Final = frozenset({0x12, 0x1A, 0x1C})  # string types the JDK does not print as text

_PRINTABLE_TEXT = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")
_DOTTED_OID = re.compile(r"(?:OID\.)?((?:[01]\.(?:0|[1-3]?[0-9])|2\.(?:0|[1-9][0-9]*))(?:\.(?:0|[1-9][0-9]*))*)", re.I)
# Possessive quantifiers keep the readers linear: no text is scanned twice.
_ATTRIBUTE = re.compile(
    r"""[ \n]*+ (?P<type>[A-Za-z0-9.\-]++) [ ]*+ = [ \n]*+
        (?: "(?P<quoted>(?:[^"\\]|\\.)*+)" [ \n]*+
          | \#(?P<hex>(?:[0-9A-Fa-f]{2})++) [ \n]*+
          | (?P<plain>(?!\#)(?:[^,+;<>"\\]|\\.)*+)
        )
        (?P<end>[,;+]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_ESCAPABLE: Final = frozenset(',=+<>#;\\" \n\r')
_SPECIAL = re.compile(r'[,=+<>#;"\\]')
_READABLE_SPECIAL = re.compile(r'[,=+<>;"\\]|\A#')
_JAVA_QUOTED = re.compile(r'[,+=\n<>#;\\"]|\A | \Z|  ')
# BETTER: the JDK leaves a leading line feed bare and then skips it on the way back; here it reads back, there too.
# The look behind keeps it linear: a run of blanks inside a value is tried at its first character alone.
_BLANK_EDGES = re.compile(r"\A[ \r\n]+|(?<![ \r])[ \r]+\Z")
_BLANK_RUN = re.compile(r" {2,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ASCII_BLANK = "".join(map(chr, range(0x21)))  # what Java's String.trim() strips

_SLASH_BOUNDARY = re.compile(r"(?<!\\)([/+])([A-Za-z0-9.]+)=")
_SLASH_ESCAPE = re.compile(r"\\([/+])|((?:\\x[0-9A-Fa-f]{1,2})+)")
_SLASH_UNPRINTABLE = re.compile(r"[^ -\x7f]")  # COMPAT: canl leaves DEL as it is
_OPENSSL_UNPRINTABLE = re.compile(r"[^ -~]")


class DnSyntaxError(MalformedInput):
    """The text is not a distinguished name; carries ``text`` (all of it) and ``reason``."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"not a distinguished name: {escape_controls(text[:200])!r}: {reason}")
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AttributeTypeAndValue:
    """``type`` is a dotted OID, ``tag`` the ASN.1 tag of the string (for printing alone).

    ``der`` is the whole encoded value when that is not a readable character string; ``value`` is then its ``#hex``.
    """

    type: str
    value: str
    tag: int = field(compare=False)
    der: bytes | None = None

    @classmethod
    def of_text(cls, oid: str, value: str) -> "AttributeTypeAndValue":
        """With the string type the JDK chooses: IA5 for e-mail and DC, else PrintableString if it fits, else UTF-8."""
        if oid in (_EMAIL, _DC) and value.isascii():
            return cls(oid, value, _IA5)
        return cls(oid, value, _PRINTABLE if _PRINTABLE_TEXT.fullmatch(value) else _UTF8)

    @classmethod
    def of_der(cls, oid: str, der: bytes) -> "AttributeTypeAndValue":
        """From the whole encoding (tag, length, content); what is no well-formed character string stays as it is."""
        tag, content = der[0] if der else 0, _content(der)
        if tag in _CODECS and content is not None:
            try:
                return cls(oid, content.decode(_CODECS[tag]), tag)
            except UnicodeDecodeError:
                pass  # a damaged string is compared and printed by its bytes
        return cls(oid, f"#{der.hex()}", tag, der)

    def to_der(self) -> bytes:
        """The whole encoding of the value."""
        if self.der is not None:
            return self.der
        content = self.value.encode(_CODECS[self.tag])
        return bytes([self.tag]) + _length(len(content)) + content

    def _rfc2253(self) -> str:
        label = _RFC2253_LABELS.get(self.type)
        if label is None or self.der is not None or self.tag in _HEX_IN_JDK:
            return f"{label or self.type}=#{self.to_der().hex()}"
        return f"{label}={_escape_edges(_SPECIAL.sub(_backslash, self.value))}"

    def _slash(self) -> str:
        value = _SLASH_UNPRINTABLE.sub(lambda m: "".join(f"\\x{byte:X}" for byte in m[0].encode()), self.value)
        return f"/{_SLASH_LABELS.get(self.type, self.type)}={value}"

    def _oneline(self, escaped: bool) -> str:
        value = re.sub(r"[/+]", _backslash, self.value) if escaped else self.value
        value = _OPENSSL_UNPRINTABLE.sub(lambda m: "".join(f"\\x{byte:02X}" for byte in m[0].encode()), value)
        return f"{_OPENSSL_LABELS.get(self.type) or _SLASH_LABELS.get(self.type, self.type)}={value}"

    def _readable(self) -> str:
        value = self.value
        if self.der is None:
            value = escape_controls(_escape_edges(_READABLE_SPECIAL.sub(_backslash, value)))
        return f"{_READABLE_LABELS.get(self.type, self.type)}={value}"

    def _java(self) -> str:
        value = self.value
        if self.der is None and _JAVA_QUOTED.search(value):
            value = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{_JAVA_LABELS.get(self.type, 'OID.' + self.type)}={value}"

    def _key(self, folded: frozenset[str]) -> str:
        """Ends where its length says, so that keys in a row cannot be taken for others."""
        text = _fold(self.value) if self.type in folded and self.der is None else self.value
        return f"{self.type}{'=' if self.der is None else '#'}{len(text)}:{text}"


Rdn = tuple[AttributeTypeAndValue, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DistinguishedName:
    """``rdns`` are in encoded order, the root first; attributes of one RDN in the order read.

    >>> name = DistinguishedName.parse_slash("/DC=org/OU=People/CN=host/ce02.example.org")
    >>> name.rfc2253()
    'CN=host/ce02.example.org,OU=People,DC=org'
    >>> name == DistinguishedName.parse_rfc2253("cn = HOST/ce02.example.org, ou = people, dc = org")
    True
    """

    rdns: tuple[Rdn, ...]
    _key: str | None = field(init=False, repr=False, default=None)  # made when it is asked for

    @property
    def key(self) -> str:
        """What all equal names have in common, and no other name."""
        key = self._key
        if key is None:
            key = _key(self.rdns, _FOLDED)
            object.__setattr__(self, "_key", key)
        return key

    @classmethod
    def parse_rfc2253(cls, text: str) -> "DistinguishedName":
        """Read what Java's X500Principal reads; blank text is the empty name.

        Raises DnSyntaxError: unknown keyword, bad escape, no "=", trailing comma, more than the limits.
        """
        return _parse_rfc2253(text)

    @classmethod
    def parse_slash(cls, text: str) -> "DistinguishedName":
        """Read every slash form in use (OpenSSL before and since 3.0, canl); a slash without a known label is text.

        One slash at the end is dropped unless it is escaped.

        Raises DnSyntaxError: no leading "/", unknown first label, more than the limits.
        """
        return _parse_slash(text)

    def rfc2253(self) -> str:
        """The subject-id of requests and policies, byte for byte as the JDK; raw control characters included."""
        return ",".join("+".join(attribute._rfc2253() for attribute in rdn) for rdn in reversed(self.rdns))

    def slash(self) -> str:
        """The form of Argus and canl, which lease names are made from. It cannot always be read back."""
        return "".join(attribute._slash() for rdn in self.rdns for attribute in reversed(rdn))

    def oneline(self, escaped: bool) -> str:
        """What X509_NAME_oneline of OpenSSL makes of a name of UTF-8 strings, save the case of some labels.

        ``escaped``: as recent versions (3.0.19) do, which tell slashes and plus signs in values from those between.
        """
        separator = "+" if escaped else "/"
        return "".join("/" + separator.join(attribute._oneline(escaped) for attribute in rdn) for rdn in self.rdns)

    def java_string(self) -> str:
        """X500Principal.toString, for the messages to clients that contain it."""
        return ", ".join(" + ".join(attribute._java() for attribute in rdn) for rdn in reversed(self.rdns))

    def readable(self) -> str:
        """For messages and logs: names of types where there are any, control characters escaped."""
        return ",".join("+".join(attribute._readable() for attribute in rdn) for rdn in reversed(self.rdns))

    def loosely_equal(self, other: "DistinguishedName") -> bool:
        """Equality that also ignores the case of DC and e-mail: for finding files and for what operators type."""
        return _key(self.rdns, _LOOSELY_FOLDED) == _key(other.rdns, _LOOSELY_FOLDED)

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, DistinguishedName) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


def escape_controls(text: str) -> str:
    r"""Controls, line separators and direction marks as ``\XX`` per UTF-8 byte: a log line stays one honest line."""
    return _CONTROL.sub(lambda m: "".join(f"\\{byte:02X}" for byte in m[0].encode()), text)


@lru_cache(_CACHED_NAMES)
def _parse_rfc2253(text: str) -> DistinguishedName:
    _check_text(text)
    if not text.strip(_ASCII_BLANK):
        return DistinguishedName(())
    rdns: list[Rdn] = []
    rdn: list[AttributeTypeAndValue] = []
    position, count = 0, 0
    while True:
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            raise DnSyntaxError(text, f"no attribute can be read at character {position + 1}")
        count += 1
        if count > MAX_ATTRIBUTES:
            raise DnSyntaxError(text, f"more than {MAX_ATTRIBUTES} attributes")
        rdn.append(_attribute(text, match))
        if match["end"] != "+":
            rdns.append(tuple(rdn))
            rdn = []
        if not match["end"]:
            return DistinguishedName(tuple(reversed(rdns)))
        position = match.end()


def _attribute(text: str, match: re.Match[str]) -> AttributeTypeAndValue:
    oid = _oid(match["type"], _JAVA_KEYWORDS)
    if oid is None:
        raise DnSyntaxError(text, f"unknown attribute type {match['type']!r}")
    if match["hex"] is not None:
        return AttributeTypeAndValue.of_der(oid, bytes.fromhex(match["hex"]))
    if match["quoted"] is not None:
        return AttributeTypeAndValue.of_text(oid, _unescape(text, match["quoted"]).strip(_ASCII_BLANK))
    plain = match["plain"].rstrip(" ")
    if (len(plain) - len(plain.rstrip("\\"))) % 2:
        plain += " "  # the last backslash escaped the first of the trailing blanks
    return AttributeTypeAndValue.of_text(oid, _unescape(text, plain))


def _unescape(text: str, value: str) -> str:
    if "\\" not in value:
        return value

    def replace(match: re.Match[str]) -> str:
        pairs, character = match[1], match[2]
        if pairs is None:
            if character not in _ESCAPABLE:
                raise DnSyntaxError(text, f"bad escape {match[0]!r}")
            return str(character)
        try:
            return bytes.fromhex(pairs.replace("\\", "")).decode()
        except UnicodeDecodeError:
            raise DnSyntaxError(text, f"{pairs} is not UTF-8") from None

    return _ESCAPE.sub(replace, value)


@lru_cache(_CACHED_NAMES)
def _parse_slash(text: str) -> DistinguishedName:
    _check_text(text)
    if not text.startswith("/"):
        raise DnSyntaxError(text, "a name in slash form starts with '/'")
    # COMPAT: a slash left at the end is dropped, or a ban and a map entry written so would miss whom they meant.
    body = text if text.endswith("\\/") else text.removesuffix("/")
    starts = []
    for match in _SLASH_BOUNDARY.finditer(body):
        oid = _oid(match[2], _SLASH_KEYWORDS)
        if oid is not None:
            starts.append((match, oid))
    if not starts or starts[0][0].start() != 0:
        raise DnSyntaxError(text, "no known attribute type after the leading '/'")
    if len(starts) > MAX_ATTRIBUTES:
        raise DnSyntaxError(text, f"more than {MAX_ATTRIBUTES} attributes")
    ends = [match.start() for match, _ in starts[1:]] + [len(body)]
    rdns: list[Rdn] = []
    for (match, oid), end in zip(starts, ends, strict=True):
        attribute = AttributeTypeAndValue.of_text(oid, _unescape_slash(body[match.end() : end]))
        if match[1] == "+":
            rdns[-1] += (attribute,)  # OpenSSL 3 writes a multi-valued RDN so
        else:
            rdns.append((attribute,))
    return DistinguishedName(tuple(rdns))


def _unescape_slash(value: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return str(match[1])
        data = bytes(int(digits, 16) for digits in match[2].split("\\x")[1:])
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")  # the bytes of a T61String

    return _SLASH_ESCAPE.sub(replace, value) if "\\" in value else value


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT_LENGTH:
        raise DnSyntaxError(text, f"longer than {MAX_TEXT_LENGTH} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DnSyntaxError(text, "half a surrogate pair") from None


def _oid(label: str, keywords: dict[str, str]) -> str | None:
    oid = keywords.get(label.upper())
    if oid is None and (match := _DOTTED_OID.fullmatch(label)):
        return match[1]
    return oid


def _key(rdns: tuple[Rdn, ...], folded: frozenset[str]) -> str:
    return ",".join("+".join(sorted(attribute._key(folded) for attribute in rdn)) for rdn in rdns)


def _fold(text: str) -> str:
    """As the canonical form of the JDK: blanks, then case, then NFKD, in this order."""
    text = _BLANK_RUN.sub(" ", text).strip(_ASCII_BLANK).upper().lower()
    return text if text.isascii() else unicodedata.normalize("NFKD", text)


def _backslash(match: re.Match[str]) -> str:
    return "\\" + match[0]


def _escape_edges(value: str) -> str:
    return _BLANK_EDGES.sub(lambda m: "".join("\\" + blank for blank in m[0]), value)


def _content(der: bytes) -> bytes | None:
    """The content octets of exactly one definite-length encoding, or None."""
    if len(der) < 2:
        return None
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    return der[start:] if start <= len(der) and len(der) - start == length else None


def _length(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([0x80 | len(octets)]) + octets
