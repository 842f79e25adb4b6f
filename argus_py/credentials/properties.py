"""Java properties files, the form of ``.info`` and vo-ca-ap files.

Lines that begin with ``#`` or ``!`` are comments, a backslash at the end of a line continues it, a key ends at the
first blank, ``=`` or ``:``. Of a key that stands there twice the last one counts.

Source: java.util.Properties.load (OpenJDK)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from argus_py.errors import MalformedInput

_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANK = " \t\f"
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*+\\\Z")
_ENTRY = re.compile(r"(?P<key>(?:[^\\=: \t\f]|\\.)*+)[ \t\f]*+[=:]?[ \t\f]*+(?P<value>.*+)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.?))", re.DOTALL)
_UTF16 = "utf-16-be"  # escapes are of its units: two of them make one character of the higher planes
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class PropertiesSyntaxError(MalformedInput):
    """A properties file that Java would not load; carries ``line`` and ``reason``."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Property:
    """``line`` is where its key stands."""

    value: str
    line: int


def parse_properties(text: str) -> dict[str, Property]:
    r"""The properties by key, in the order in which keys were first met.

    >>> parse_properties('/cms: file:a.info,\\\n   file:b.info')
    {'/cms': Property(value='file:a.info,file:b.info', line=1)}

    Raises PropertiesSyntaxError: ``\u`` without four hexadecimal digits.
    """
    found: dict[str, Property] = {}
    for number, line in _logical_lines(text):
        entry = _ENTRY.fullmatch(line)
        assert entry is not None  # anything matches
        found[_unescaped(entry["key"], number)] = Property(_unescaped(entry["value"], number), number)
    return found


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Without comments, empty lines, and blanks at the beginning; with the number of the first line of each."""
    lines = enumerate(_LINE_END.split(text), start=1)
    for number, line in lines:
        first = line.lstrip(_BLANK)
        if not first or first[0] in "#!":
            continue
        parts = [first]
        while _CONTINUED.search(parts[-1]):
            parts[-1] = parts[-1][:-1]
            _, following = next(lines, (0, ""))
            parts.append(following.lstrip(_BLANK))
        if any(parts):
            yield number, "".join(parts)


def _unescaped(text: str, line: int) -> str:
    def character(escape: re.Match[str]) -> str:
        digits, other = escape.groups()
        if digits:
            return chr(int(digits, 16))
        if other == "u":
            raise PropertiesSyntaxError(line, "\\u is followed by four hexadecimal digits")
        return _CONTROL.get(other, other)

    return _ESCAPE.sub(character, text).encode(_UTF16, "surrogatepass").decode(_UTF16, "replace")
