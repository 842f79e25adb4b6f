"""Writes a Hessian 1 value as the Java serialiser or the C library lays it out.

The format leaves open where strings are cut, how characters above U+FFFF travel and whether an empty list has a length;
the two originals differ in all three. References are never written: the C library reads them wrongly.

Source: argus-pep-common:src/main/java/com/caucho/hessian/io/HessianOutput.java; argus-pep-api-c:src/hessian/
"""

import functools
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from argus_py.hessian.values import HessianList, HessianMap, Long, Value


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """``chunk`` is the longest part of a string, in characters as the layout counts them.

    With ``surrogates`` a character above U+FFFF is two characters of three octets, else one of four.
    """

    chunk: int
    surrogates: bool
    length_of_empty_list: bool


JAVA: Final = Layout(chunk=0x8000, surrogates=True, length_of_empty_list=True)
C: Final = Layout(chunk=0x7FFF, surrogates=False, length_of_empty_list=False)

_BINARY_CHUNK = 0x8000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_CONTINUATION = bytes(range(0x80, 0xC0))
# Most strings of a message are names of fields, attributes and data types: what they look like is remembered.
_WORD: Final = 100  # characters, and the longest name has 80
_WORDS: Final = 1000  # some hundred names; the others are short values, which may come again as well


def write(value: Value, layout: Layout = JAVA) -> bytes:
    """The octets of a value.

    COMPAT: in the C layout, octets that Python could not decode (``surrogateescape``) are sent as they came.

    Raises ValueError: a number that does not fit its type.
    """
    parts: list[bytes] = []
    _write(value, layout, parts)
    return b"".join(parts)


def _write(value: Value, layout: Layout, parts: list[bytes]) -> None:
    match value:
        case str():
            _write_string(value, layout, parts)
        case HessianMap(type_name, fields):
            parts.append(b"M" + _type(type_name))
            for key, content in fields.items():
                _write_string(key, layout, parts)
                _write(content, layout, parts)
            parts.append(b"z")
        case HessianList(items, type_name):
            parts.append(b"V" + _type(type_name))
            if items or layout.length_of_empty_list:
                parts.append(_packed(">ci", b"l", len(items)))
            for item in items:
                _write(item, layout, parts)
            parts.append(b"z")
        case None:
            parts.append(b"N")
        case bool():
            parts.append(b"T" if value else b"F")
        case Long():
            parts.append(_packed(">cq", b"L", value))
        case int():
            parts.append(_packed(">ci", b"I", value))
        case float():
            parts.append(_packed(">cd", b"D", value))
        case datetime():
            parts.append(_packed(">cq", b"d", (value - _EPOCH) // _MILLISECOND))
        case bytes():
            _write_binary(value, parts)


def _packed(form: str, tag: bytes, number: float) -> bytes:
    try:
        return struct.pack(form, tag, number)
    except struct.error as error:
        raise ValueError(f"{number} does not fit: {error}") from None


@functools.lru_cache(_WORDS)
def _type(name: str | None) -> bytes:
    return b"" if name is None else _packed(">cH", b"t", len(name)) + name.encode()


def _write_string(text: str, layout: Layout, parts: list[bytes]) -> None:
    parts.append(_word(text, layout) if len(text) <= _WORD else _chunks(text, layout))


def _chunks(text: str, layout: Layout) -> bytes:
    if layout.surrogates and not text.isascii():
        text = _ASTRAL.sub(_pair, text)
    octets = b""
    start, end = 0, layout.chunk
    while len(text) > end:
        if layout.surrogates and "\ud800" <= text[end - 1] <= "\udbff":
            end -= 1  # Java keeps a pair together
        octets += _chunk(b"s", text[start:end], layout)
        start, end = end, end + layout.chunk
    return octets + _chunk(b"S", text[start:], layout)


_word = functools.lru_cache(_WORDS)(_chunks)


def _chunk(tag: bytes, text: str, layout: Layout) -> bytes:
    octets = text.encode("utf-8", "surrogatepass" if layout.surrogates else "surrogateescape")
    characters = len(octets) if text.isascii() else len(octets.translate(None, _CONTINUATION))
    return struct.pack(">cH", tag, characters) + octets


def _pair(astral: re.Match[str]) -> str:
    high, low = struct.unpack(">HH", astral[0].encode("utf-16-be"))
    return chr(high) + chr(low)


def _write_binary(data: bytes, parts: list[bytes]) -> None:
    start = 0
    while len(data) - start > _BINARY_CHUNK:
        parts.append(struct.pack(">cH", b"b", _BINARY_CHUNK) + data[start : start + _BINARY_CHUNK])
        start += _BINARY_CHUNK
    parts.append(struct.pack(">cH", b"B", len(data) - start) + data[start:])
