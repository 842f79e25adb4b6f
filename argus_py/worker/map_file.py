"""Map and ban files as LCMAPS reads them: ``"key" target, target`` per line, with wildcards in keys.

Not the reader of the daemons (``pep.mapping.map_file``): here quotes may be missing, a comment may follow, blanks and
tabs separate targets as commas do, escapes stay as they are, and ``*`` crosses slashes. A file means on a worker node
what it meant there under LCMAPS.

Source: lcmaps-plugins-basic:src/gridlist/lcmaps_gridlist.c
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.fqan import Fqan, FqanSyntaxError
from argus_py.worker.wildcards import matches

MAX_LENGTH: Final = 16 * 1024 * 1024  # characters; a hundred thousand users
_MAX_LINE: Final = 16 * 1024  # characters; the longest name that a certificate can have, twice
_QUALIFIERS: Final = ("/Role=", "/Capability=")


class MapFileError(ConfigurationError):
    """Carries ``file``, ``line`` (from 1) and ``reason``."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}: line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MapLine:
    """``targets``: accounts, pools with a leading dot, or groups; a ban file has none.

    ``text`` is the line without its comment: a DN that nobody has quoted has blanks in it.
    """

    line: int
    key: str
    targets: tuple[str, ...]
    text: str


def parse_map_file(text: str, file: str) -> tuple[MapLine, ...]:
    """Raises MapFileError: a quote not closed or amid a key, an empty key, a line or a file that is too long."""
    if len(text) > MAX_LENGTH:
        raise MapFileError(file, 1, f"{len(text)} characters; {MAX_LENGTH} are allowed")
    found = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) > _MAX_LINE:
            raise MapFileError(file, number, f"{len(line)} characters; {_MAX_LINE} are allowed")
        found.append(_line(number, line, file))
    return tuple(found)


def _line(number: int, line: str, file: str) -> MapLine:
    if line.startswith('"'):
        end = _closing_quote(line)
        if end is None:
            raise MapFileError(file, number, "the quote around the key is not closed")
        key, rest = line[1:end], line[end + 1 :]
    else:
        key, _, rest = line.replace("\t", " ").partition(" ")
        if '"' in key:
            raise MapFileError(file, number, "a quote in the middle of a key")  # as behind a byte order mark
    if not key.strip():
        raise MapFileError(file, number, "the key is empty")
    targets = rest.partition("#")[0].replace(",", " ").split()
    whole = line if line.startswith('"') else f"{key} {rest.partition('#')[0]}".strip()
    return MapLine(number, key, tuple(targets), whole)


def _closing_quote(line: str) -> int | None:
    position = 1
    while position < len(line):
        if line[position] == "\\":
            position += 2
            continue
        if line[position] == '"':
            return position
        position += 1
    return None


@dataclass(frozen=True, slots=True)
class Spellings:
    """One name in all the ways that files write it."""

    texts: tuple[str, ...]
    dn: DistinguishedName | None = None
    fqan: Fqan | None = None

    @classmethod
    def of_dn(cls, dn: DistinguishedName) -> "Spellings":
        """As old and new OpenSSL and Argus write it."""
        return cls(tuple(dict.fromkeys((dn.oneline(escaped=False), dn.oneline(escaped=True), dn.slash()))), dn=dn)

    @classmethod
    def of_fqan(cls, text: str) -> "Spellings":
        """Without the qualifiers that say nothing; what is no FQAN stands for itself."""
        try:
            fqan = Fqan.parse(text)
        except FqanSyntaxError:
            return cls((text,))
        return cls((str(fqan),), fqan=fqan)


def spells(key: str, name: Spellings, *, wildcards: bool) -> bool:
    """Whether the key of a line is one of the name's spellings, or a pattern for one."""
    return any(matches(key, text) if wildcards else key == text for text in name.texts)


def names(key: str, name: Spellings, *, wildcards: bool) -> bool:
    """Whether the key of a line is about the name.

    A key without wildcards is also compared as what it means: ``/E=`` is ``/emailAddress=``, ``/Role=NULL`` is nothing.
    """
    if spells(key, name, wildcards=wildcards):
        return True
    if name.fqan is not None:
        return any(qualifier in key for qualifier in _QUALIFIERS) and _fqan(key) == name.fqan
    return name.dn is not None and "=" in key and _is_dn(key, name.dn)


def lines_for(lines: Iterable[MapLine], name: Spellings, *, wildcards: bool) -> Iterator[MapLine]:
    return (line for line in lines if names(line.key, name, wildcards=wildcards))


def _fqan(key: str) -> Fqan | None:
    try:
        return Fqan.parse(key)
    except FqanSyntaxError:
        return None


def _is_dn(key: str, dn: DistinguishedName) -> bool:
    try:
        return DistinguishedName.parse_slash(key) == dn
    except DnSyntaxError:
        return False
