r"""Map files: ``"DN or FQAN" target, target`` per line; the same syntax for accounts and groups.

The first character of a line is dropped unread and the last ``"`` ends the key; there are no trailing comments.
BETTER: a key is an FQAN only if it starts with "/", ``\/`` is a slash inside a value, and a line that can match nothing
is told when the file is read; Java drops it without a word, or fails every request because of it.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/obligation/dfpmap/DFPMFileParser.java, X509MatchStrategy.java
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName, DnSyntaxError, escape_controls
from argus_py.model.fqan import Fqan, FqanPattern, FqanSyntaxError
from argus_py.pep.mapping.fqan_index import FqanIndex

MAX_SIZE: Final = 64 * 1024 * 1024  # bytes; some 500 000 users, twenty times the largest VO
_BLANK = "".join(map(chr, range(0x21)))  # what Java's String.trim() strips
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(?:([bfnrt'\"\\/])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.?))", re.DOTALL)
# A backslash before a slash stays: the reader of the DN needs to know that the slash is part of a value.
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'", '"': '"', "\\": "\\", "/": "\\/"}
_NOT_DECODED = re.compile("[\ud800-\udfff]")
_LABEL = re.compile(r"(?<!\\)/([A-Za-z0-9.]+)=")


class MapFileError(ConfigurationError):
    """The file is refused as a whole; carries ``file``, ``line`` (from 1) and ``reason``."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        text = escape_controls(f"{file}: Error on map file line {line}: {reason}")
        super().__init__(text.encode("utf-8", "backslashreplace").decode())  # an escape can make half a surrogate pair
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MapProblem:
    """A line that may not do what its writer meant; the others are not harmed."""

    file: str
    line: int
    reason: str  # continues "line 7 ..."

    def __str__(self) -> str:
        return f"{self.file}: line {self.line} {self.reason}"


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A line: the key without quotes and escapes, at least one target, the pattern if the key is one of FQANs."""

    line: int
    key: str
    targets: tuple[str, ...]
    pattern: FqanPattern | None = None

    def names(self, dn: DistinguishedName) -> bool:
        return self.pattern is None and _parse_dn(self.key) == dn


@dataclass(frozen=True, slots=True)
class MapTarget:
    """A name of an account, a pool or a group, and the line that gave it."""

    name: str
    entry: MapEntry


@dataclass(frozen=True, slots=True)
class MapFile:
    """``entries`` are the lines that can match somebody, in file order; how many there are costs a look-up nothing."""

    file: str = ""
    entries: tuple[MapEntry, ...] = ()
    problems: tuple[MapProblem, ...] = ()
    # Hashes alone: the names of 100 000 users would take ten times the memory of their lines.
    _by_dn_hash: Mapping[int, tuple[MapEntry, ...]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, compare=False
    )
    _by_fqan: FqanIndex[MapEntry] = field(default_factory=FqanIndex, repr=False, compare=False)

    def of_dn(self, dn: DistinguishedName) -> tuple[MapEntry, ...]:
        """The lines that name the subject, in file order."""
        return tuple(entry for entry in self._by_dn_hash.get(hash(dn), ()) if entry.names(dn))

    def of_fqan(self, *fqans: Fqan) -> tuple[MapEntry, ...]:
        """The lines that match one of the FQANs, in file order."""
        found = {entry.line: entry for fqan in fqans for entry in self._by_fqan.matching(fqan)}
        return tuple(found[line] for line in sorted(found))

    def repeated_names(self) -> Iterator[tuple[MapEntry, MapEntry]]:
        """Every line with a DN that an earlier line has too, in whatever spelling, behind the first such line."""
        for entries in self._by_dn_hash.values():
            for entry in entries[1:]:
                dn = _parse_dn(entry.key)
                first = next(other for other in entries if other.names(dn))
                if first is not entry:
                    yield first, entry

    def sound_dns(self) -> dict[str, int]:
        """The hashes of the DNs by their keys, of lines without a problem."""
        suspect = {problem.line for problem in self.problems}
        return {
            entry.key: hashed
            for hashed, entries in self._by_dn_hash.items()
            for entry in entries
            if entry.line not in suspect
        }


_NO_LINES: Final = MapFile()


def parse_map_file(text: str, file: str, before: MapFile = _NO_LINES) -> MapFile:
    """``file`` names the text in errors and problems; half a surrogate pair stands for an octet that is not UTF-8.

    ``before``, an older version: the DNs in it need not be read again. That of 100 000 users takes seconds, and a new
    version differs in a few.

    >>> parse_map_file('"/dteam/Role=*" .dteam', "grid-mapfile").entries[0].targets
    ('.dteam',)

    Raises MapFileError: a key without quotes, an unknown escape, an empty key or target list, a key twice.
    """
    reading = _Reading(file, before.sound_dns())
    for number, raw in enumerate(_LINE_END.split(text), 1):
        line = raw.strip(_BLANK)
        if line and not line.startswith("#"):
            reading.line(number, line)
    return reading.map_file()


class _Reading:
    """One file; gathers its lines."""

    def __init__(self, file: str, sound_dns: Mapping[str, int]) -> None:
        self._file = file
        self._sound_dns = sound_dns
        self._keys: set[str] = set()
        self._entries: list[MapEntry] = []
        self._problems: list[MapProblem] = []
        self._by_dn_hash: dict[int, list[MapEntry]] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # thousands of lines have the same targets

    def line(self, number: int, line: str) -> None:
        if _NOT_DECODED.search(line):
            # BETTER: Java reads on with replacement characters, and refuses no file for it either.
            self._problem(number, "matches nobody: it is not UTF-8")
            return
        try:
            key, targets = _split(line)
        except ValueError as error:
            raise MapFileError(self._file, number, str(error)) from None
        if key in self._keys:
            raise MapFileError(
                self._file, number, f"An entry with the key: {key} already exists, it can not be replaced"
            )
        self._keys.add(key)
        try:
            self._entry(number, key, self._shared.setdefault(targets, targets))
        except (DnSyntaxError, FqanSyntaxError) as error:
            self._problem(number, f"matches nobody: {error}")

    def map_file(self) -> MapFile:
        patterns = ((entry.pattern, entry) for entry in self._entries if entry.pattern is not None)
        return MapFile(
            self._file,
            tuple(self._entries),
            tuple(self._problems),
            MappingProxyType({hashed: tuple(entries) for hashed, entries in self._by_dn_hash.items()}),
            FqanIndex(patterns),
        )

    def _entry(self, number: int, key: str, targets: tuple[str, ...]) -> None:
        if _is_fqan(key):
            self._entries.append(MapEntry(number, key, targets, FqanPattern.parse(key.replace("\\/", "/"))))
            return
        hashed = self._sound_dns.get(key)
        if hashed is None:
            dn = _parse_dn(key)
            hashed = hash(dn)
            self._suspect(number, key, dn)
        entry = MapEntry(number, key, targets)
        self._entries.append(entry)
        self._by_dn_hash.setdefault(hashed, []).append(entry)

    def _suspect(self, number: int, key: str, dn: DistinguishedName) -> None:
        if "*" in key:
            self._problem(number, "has a star in a DN, which stands for itself: there are no wildcards in DNs")
        if key.startswith("/"):
            labels = _LABEL.findall(key)
            if len(labels) > sum(map(len, dn.rdns)):
                self._problem(
                    number, f"has an unknown attribute type among {', '.join(labels)}, which is read as part of a value"
                )

    def _problem(self, number: int, reason: str) -> None:
        self._problems.append(MapProblem(self._file, number, reason))


def _split(line: str) -> tuple[str, tuple[str, ...]]:
    """The key and the targets. Raises ValueError with the reason."""
    end = line.rfind('"')
    if end < 1:
        raise ValueError("the key is not in double quotes")
    # COMPAT: what stands in the place of the first quote is not looked at.
    key = _unescape(line[1:end].strip(_BLANK)).strip(_BLANK)
    if not key:
        raise ValueError("Map file entry key may not be null or empty")
    stripped = (target.strip(_BLANK) for target in line[end + 1 :].split(","))
    targets = tuple(target for target in stripped if target)
    if not targets:
        raise ValueError("Map file entry value may not be null or empty")
    return key, targets


def _unescape(key: str) -> str:
    def replace(match: re.Match[str]) -> str:
        character, byte, unit, other = match.groups()
        if other is not None:
            raise ValueError(f"Escape sequence '{match[0]}' in string '{key}' is not supported")
        return _ESCAPED[character] if character else chr(int(byte or unit, 16))

    if "\\" not in key:
        return key
    # Two \u escapes may be the halves of one character, as in Java.
    return _ESCAPE.sub(replace, key).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _is_fqan(key: str) -> bool:
    first = key.lstrip("/").partition("/")[0]
    return key.startswith("/") and bool(first) and "=" not in first


def _parse_dn(key: str) -> DistinguishedName:
    return DistinguishedName.parse_slash(key) if key.startswith("/") else DistinguishedName.parse_rfc2253(key)
