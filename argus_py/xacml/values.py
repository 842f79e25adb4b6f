"""The data types of XACML 2.0 and gLite, and the reading of those that policies compare.

COMPAT: leading and trailing characters up to U+0020 are cut from every value of every type, as Java's trim() does; the
standard keeps them in strings, but existing policies and clients live with the cut.
"""

import re
from collections.abc import Callable, Hashable
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import DataType

DATATYPES: Final = frozenset(uri for name, uri in vars(DataType).items() if not name.startswith("_"))

_BLANK: Final = "".join(map(chr, range(0x21)))
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,100}", re.ASCII)  # bounds the cost of a conversion; a number has few digits
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}

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

    Raises UnreadableValue: no text at all, which must not meet ``.*``; half a surrogate pair.
    """
    if not text:
        raise UnreadableValue(DataType.STRING, text, "an empty value is not matched with a pattern")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UnreadableValue(DataType.STRING, text, "half a surrogate pair") from None
    return trim(text)


def read_boolean(text: str) -> bool:
    """Raises UnreadableValue: none of the four words of XML Schema."""
    value = _BOOLEANS.get(trim(text))
    if value is None:
        raise UnreadableValue(DataType.BOOLEAN, text, "true, false, 1 or 0 is expected")
    return value


def read_integer(text: str) -> int:
    """Raises UnreadableValue: no decimal number, or more than 100 digits."""
    trimmed = trim(text)
    if not _INTEGER.fullmatch(trimmed):
        raise UnreadableValue(DataType.INTEGER, text, "a decimal number is expected")
    return int(trimmed)


def read_x500_name(text: str) -> DistinguishedName:
    """Raises DnSyntaxError."""
    return DistinguishedName.parse_rfc2253(trim(text))


def read_fqan(text: str) -> Fqan:
    """Raises FqanSyntaxError."""
    return Fqan.parse(text)
