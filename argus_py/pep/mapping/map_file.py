r"""Map files: ``"DN or FQAN" target, target`` per line; the same syntax for accounts and groups.

The first character of a line is dropped unread and the last ``"`` ends the key; there are no trailing comments.
BETTER: a key is an FQAN only if it starts with "/", ``\/`` is a slash inside a value, and a key that can match nothing
is told once when the file is read; Java drops it without a word, or fails every request because of it.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/obligation/dfpmap/DFPMFileParser.java, X509MatchStrategy.java
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.fqan import FqanPattern, FqanSyntaxError

MAX_SIZE: Final = 64 * 1024 * 1024  # bytes; some 500 000 users, twenty times the largest VO
_BLANK = "".join(map(chr, range(0x21)))  # what Java's String.trim() strips
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(?:([bfnrt'\"\\/])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.?))", re.DOTALL)
# A backslash before a slash stays: the reader of the DN needs to know that the slash is part of a value.
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'", '"': '"', "\\": "\\", "/": "\\/"}


class MapFileError(ConfigurationError):
    """The file is refused as a whole; carries ``file``, ``line`` (from 1) and ``reason``."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}: Error on map file line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FqanEntry:
    pattern: FqanPattern
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapFile:
    """Lines are kept in file order: ``targets_of_dn`` joins those of all lines that name the DN."""

    targets_of_dn: Mapping[DistinguishedName, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    fqan_entries: tuple[FqanEntry, ...] = ()
    warnings: tuple[str, ...] = ()  # lines that can match nothing, and why


def parse_map_file(text: str, file: str) -> MapFile:
    """``file`` names the text in errors and warnings.

    >>> parse_map_file('"/dteam/Role=*" .dteam', "grid-mapfile").fqan_entries[0].targets
    ('.dteam',)

    Raises MapFileError: a key without quotes, an unknown escape, an empty key or target list, a key twice.
    """
    keys: set[str] = set()
    by_dn: dict[DistinguishedName, list[str]] = {}
    by_fqan: list[FqanEntry] = []
    warnings: list[str] = []
    for number, raw in enumerate(_LINE_END.split(text), 1):
        line = raw.strip(_BLANK)
        if not line or line.startswith("#"):
            continue
        try:
            key, targets = _split(line)
        except ValueError as error:
            raise MapFileError(file, number, str(error)) from None
        if key in keys:
            raise MapFileError(file, number, f"An entry with the key: {key} already exists, it can not be replaced")
        keys.add(key)
        try:
            if _is_fqan(key):
                by_fqan.append(FqanEntry(FqanPattern.parse(key.replace("\\/", "/")), targets))
            else:
                by_dn.setdefault(_parse_dn(key), []).extend(targets)
        except (DnSyntaxError, FqanSyntaxError) as error:
            warnings.append(f"{file}: line {number} matches nobody: {error}")
    targets_of_dn = {dn: tuple(targets) for dn, targets in by_dn.items()}
    return MapFile(MappingProxyType(targets_of_dn), tuple(by_fqan), tuple(warnings))


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
