"""Texts of requests and policies as values: the basic data types of XACML 2.0 (appendix B.3), X.500 names and FQANs.

COMPAT: leading and trailing characters up to U+0020 are cut from every value of every type, as Java's trim() does; the
standard keeps them in strings, but existing policies and clients live with the cut.
"""

import base64
import binascii
import re
from collections.abc import Callable, Hashable
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import DataType

MAX_DIGITS: Final = 100  # of an integer, read or computed; bounds the cost of arithmetic, and a number has few digits
MAX_SUBJECT_LENGTH: Final = 8192  # characters of a value that meets a pattern; a URI is hardly ever longer than 2000

_BLANK: Final = "".join(map(chr, range(0x21)))
_INTEGER: Final = re.compile(rf"[+-]?[0-9]{{1,{MAX_DIGITS}}}", re.ASCII)
_DOUBLE: Final = re.compile(
    r"-?INF|NaN|[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?", re.ASCII
)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_XML_SPACE: Final = re.compile(r"[ \t\r\n]+")

Value = Hashable
Reader = Callable[[str], Value]


class UnreadableValue(MalformedInput):
    """The ``text`` is no value of the ``datatype``."""

    def __init__(self, datatype: str, text: str, reason: str) -> None:
        super().__init__(f"{text[:200]!r} is no {datatype}: {reason}")
        self.datatype = datatype
        self.text = text


def trim(text: str) -> str:
    return text.strip(_BLANK)


def read_string(text: str) -> str:
    return trim(text)


def read_pattern_subject(text: str) -> str:
    """A string to be matched with a pattern.

    Raises UnreadableValue: no text at all, which must not meet ``.*``; too long; half a surrogate pair.
    """
    if not text:
        raise UnreadableValue(DataType.STRING, text, "an empty value is not matched with a pattern")
    reason = unfit_for_patterns(text)
    if reason:
        raise UnreadableValue(DataType.STRING, text, reason)
    return trim(text)


def unfit_for_patterns(text: str) -> str | None:
    """Why no pattern is tried on the text, if it is so."""
    if len(text) > MAX_SUBJECT_LENGTH:
        return f"longer than {MAX_SUBJECT_LENGTH} characters"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "half a surrogate pair"
    return None


def read_any_uri(text: str) -> str:
    """Compared by code points, whatever the parts of the URI mean."""
    return trim(text)


def read_boolean(text: str) -> bool:
    """Raises UnreadableValue: none of the four words of XML Schema."""
    value = _BOOLEANS.get(trim(text))
    if value is None:
        raise UnreadableValue(DataType.BOOLEAN, text, "true, false, 1 or 0 is expected")
    return value


def read_integer(text: str) -> int:
    """Raises UnreadableValue: no decimal number, or one with more than MAX_DIGITS digits."""
    trimmed = trim(text)
    if not _INTEGER.fullmatch(trimmed):
        raise UnreadableValue(DataType.INTEGER, text, "a decimal number is expected")
    return int(trimmed)


def read_double(text: str) -> float:
    """BETTER: the forms of XML Schema, INF among them; Java takes ``1d`` and ``0x1p3`` instead.

    Raises UnreadableValue.
    """
    trimmed = trim(text)
    if not _DOUBLE.fullmatch(trimmed):
        raise UnreadableValue(DataType.DOUBLE, text, "a number of XML Schema is expected")
    return float(trimmed)


def read_hex_binary(text: str) -> bytes:
    """Raises UnreadableValue."""
    try:
        return binascii.unhexlify(trim(text))
    except ValueError as error:
        raise UnreadableValue(DataType.HEX_BINARY, text, "pairs of hexadecimal digits are expected") from error


def read_base64_binary(text: str) -> bytes:
    """Blanks and line ends may stand anywhere. Raises UnreadableValue."""
    try:
        return base64.b64decode(_XML_SPACE.sub("", trim(text)), validate=True)
    except ValueError as error:
        raise UnreadableValue(DataType.BASE64_BINARY, text, "base64 is expected") from error


def read_x500_name(text: str) -> DistinguishedName:
    """Raises DnSyntaxError."""
    return DistinguishedName.parse_rfc2253(trim(text))


def read_fqan(text: str) -> Fqan:
    """Raises FqanSyntaxError."""
    return Fqan.parse(text)
