"""Reads one Hessian 1 value from bytes: no input or output, no classes, linear time.

The message is as large as it would be with its references written out: a reference costs what it stands for, so a
short message cannot become a large tree. The lengths of lists are not looked at, the end mark counts, as in Java.
What follows the first value is not read, as in both original readers.

Source: argus-pep-common:src/main/java/com/caucho/hessian/io/HessianInput.java; argus-pep-api-c:src/hessian/
"""

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from argus_py.hessian.values import HessianError, HessianList, HessianMap, Long, Value

MAX_OCTETS: Final = 1 << 20  # requests with a certificate chain have 4 to 20 kB, the largest seen 60 kB
MAX_VALUES: Final = 20_000  # a request with a thousand FQANs has about 2500
MAX_DEPTH: Final = 32  # the model needs 7

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTINUATION = bytes(range(0x80, 0xC0))
# Overlong forms of two and three octets; their lead octets occur nowhere else.
_OVERLONG = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read(data: bytes) -> Value:
    """The first value in ``data``.

    Raises HessianError: unknown or missing octets, text that is no text, a bad reference, more than the limits.
    """
    if len(data) > MAX_OCTETS:
        raise HessianError(f"more than {MAX_OCTETS} octets", MAX_OCTETS)
    return _Reader(data).value(depth=1)


@dataclass(slots=True)
class _Referable:
    """A list or map, by the number references use; ``content`` is None until its end has been read.

    ``octets`` and ``values`` are what had been spent before it while it is read, and what it costs itself afterwards.
    """

    octets: int
    values: int
    content: HessianList | HessianMap | None = None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._referred_octets = 0  # what the references read so far stand for
        self._values = 0
        self._referables: list[_Referable] = []

    def value(self, depth: int) -> Value:
        start = self._position
        self._spend_values(1)
        match self._octets(1):
            case b"S" | b"s" | b"X" | b"x" as tag:
                return self._string(tag)
            case b"M":
                return self._map(depth)
            case b"V":
                return self._list(depth)
            case b"N":
                return None
            case b"I":
                return int.from_bytes(self._octets(4), signed=True)
            case b"T":
                return True
            case b"F":
                return False
            case b"L":
                return Long.from_bytes(self._octets(8), signed=True)
            case b"D":
                number: float = struct.unpack(">d", self._octets(8))[0]
                return number
            case b"d":
                return self._date()
            case b"B" | b"b" as tag:
                return self._binary(tag)
            case b"R":
                return self._reference()
            case tag:
                raise HessianError(f"unknown tag {tag!r}", start)

    def _list(self, depth: int) -> HessianList:
        referable = self._begin(depth)
        type_name = self._type()
        if self._next_is(b"l"):
            self._octets(4)
        items = []
        while not self._next_is(b"z"):
            items.append(self.value(depth + 1))
        content = HessianList(tuple(items), type_name)
        self._end(referable, content)
        return content

    def _map(self, depth: int) -> HessianMap:
        referable = self._begin(depth)
        type_name = self._type()
        fields: dict[str, Value] = {}
        while not self._next_is(b"z"):
            start = self._position
            key = self.value(depth + 1)
            if not isinstance(key, str):
                raise HessianError("a map key that is not a string", start)
            fields[key] = self.value(depth + 1)
        content = HessianMap(type_name, fields)
        self._end(referable, content)
        return content

    def _begin(self, depth: int) -> _Referable:
        if depth > MAX_DEPTH:
            raise HessianError(f"more than {MAX_DEPTH} levels", self._position)
        referable = _Referable(self._position + self._referred_octets, self._values)
        self._referables.append(referable)
        return referable

    def _end(self, referable: _Referable, content: HessianList | HessianMap) -> None:
        referable.octets = self._position + self._referred_octets - referable.octets
        referable.values = self._values - referable.values
        referable.content = content

    def _reference(self) -> HessianList | HessianMap:
        start = self._position
        number = int.from_bytes(self._octets(4), signed=True)
        if not 0 <= number < len(self._referables):
            raise HessianError(f"a reference to object {number}, which does not exist", start)
        referable = self._referables[number]
        if referable.content is None:
            raise HessianError(f"a reference to object {number}, which encloses it", start)
        self._spend_values(referable.values)
        self._referred_octets += referable.octets
        if self._position + self._referred_octets > MAX_OCTETS:
            raise HessianError(f"references that stand for more than {MAX_OCTETS} octets", start)
        return referable.content

    def _type(self) -> str | None:
        return self._characters() if self._next_is(b"t") else None

    def _string(self, tag: bytes) -> str:
        text = self._characters()
        if tag.islower():  # not the last chunk
            chunks = [text]
            while tag.islower():
                tag = self._next_chunk(b"SsXx")
                chunks.append(self._characters())
            text = "".join(chunks)
        if text.isascii() or not _SURROGATE.search(text):
            return text
        try:  # a pair may be split over two chunks, so pairs are joined here
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise HessianError("a string with half a surrogate pair", self._position) from None

    def _characters(self) -> str:
        """A count of 16 bits and so many characters; halves of surrogate pairs are left as they are."""
        count = int.from_bytes(self._octets(2))
        start = self._position
        octets = self._data[start : start + count]
        if len(octets) == count and octets.isascii():
            self._position += count
            return octets.decode("ascii")
        octets = self._octets(self._octets_of(count))
        try:
            return octets.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            pass
        try:
            # COMPAT: the Java reader takes overlong forms.
            return _OVERLONG.sub(_shortest, octets).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise HessianError("a string that is not UTF-8", start + error.start) from error

    def _octets_of(self, count: int) -> int:
        """How many octets the next ``count`` characters take.

        Each character begins with an octet that is no continuation, whether it is UTF-8 of up to four octets (C) or
        half a surrogate pair in three (Java); so both ways of counting are read alike.
        """
        end, missing = self._position, count
        while missing:
            octets = self._data[end : end + missing]
            if not octets:
                raise HessianError("the end of the data inside a string", end)
            end += len(octets)
            missing -= len(octets.translate(None, _CONTINUATION))
        while self._data[end : end + 1] in _CONTINUATION and end < len(self._data):
            end += 1
        return end - self._position

    def _binary(self, tag: bytes) -> bytes:
        chunks = [self._octets(int.from_bytes(self._octets(2)))]
        while tag == b"b":
            tag = self._next_chunk(b"Bb")
            chunks.append(self._octets(int.from_bytes(self._octets(2))))
        return b"".join(chunks)

    def _next_chunk(self, tags: bytes) -> bytes:
        start = self._position
        self._spend_values(1)
        tag = self._octets(1)
        if tag not in tags:
            raise HessianError("a chunk without the chunk that follows it", start)
        return tag

    def _date(self) -> datetime:
        start = self._position
        milliseconds = int.from_bytes(self._octets(8), signed=True)
        try:
            return _EPOCH + timedelta(milliseconds=milliseconds)
        except OverflowError:
            raise HessianError("a date outside the years 1 to 9999", start) from None

    def _octets(self, count: int) -> bytes:
        start, end = self._position, self._position + count
        if end > len(self._data):
            raise HessianError("the end of the data", len(self._data))
        self._position = end
        return self._data[start:end]

    def _next_is(self, tag: bytes) -> bool:
        """Step over the next octet if it is ``tag``."""
        found = self._data.startswith(tag, self._position)
        self._position += found
        return found

    def _spend_values(self, count: int) -> None:
        self._values += count
        if self._values > MAX_VALUES:
            raise HessianError(f"more than {MAX_VALUES} values", self._position)


def _shortest(overlong: re.Match[bytes]) -> bytes:
    code = 0
    for octet in overlong[0]:
        code = code << 6 | octet & 0x3F
    return chr(code & 0x7FF).encode()
