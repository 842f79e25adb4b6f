"""Ban files of LCMAPS: an entry a line in double quotes, a DN in slash form or an FQAN; ``#`` begins a comment line.

Worker nodes without Argus are told by such a file who is banned, so that it is read strictly and replaced with care: a
line that cannot be read refuses the file (LCMAPS would pass over the ban), and an empty list replaces a file with
entries only when the caller knows that nobody is banned. LCMAPS takes entries for patterns of ``fnmatch``. Lines are
read as by ``worker.map_file``, but for a name with blanks and without quotes: its end is not certain.

Source: lcmaps-plugins-basic:src/ban_dn (the format, as its manual page tells it)
"""

import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argus_py.errors import Conflict, MalformedInput, Unavailable
from argus_py.store.whole_file import replace_file
from argus_py.worker.map_file import MAX_LENGTH, MapFileError, MapLine, parse_map_file

_READABLE: Final = 0o644  # the plug-in may read it as the caller of gLExec
_CONTROL: Final = r"\x00-\x1f\x7f"
_UNWRITABLE = re.compile(f"[{_CONTROL}]")
_SPECIAL = re.compile(rf'[*?\[\\"{_CONTROL}]')


class UnwritableBan(MalformedInput):
    """``entry`` is none that a line of a ban file can hold."""

    def __init__(self, entry: str) -> None:
        super().__init__(f"the ban {entry!r} cannot be written to a ban file")
        self.entry = entry


class BanMapUnavailable(Unavailable):
    """The file ``path`` cannot be read or written; what was there stays."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"ban map {path}: {reason}")
        self.path = path
        self.reason = reason


class EmptyBanMap(Conflict):
    """Refused: an empty list in the place of the entries in ``path``, which stay in force."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"ban map {path} has entries and is not replaced by an empty list")
        self.path = path


@dataclass(frozen=True, slots=True)
class BanEntry:
    """``pattern``: as ``fnmatch`` reads it."""

    line: int
    pattern: str


def parse_ban_map(text: str, file: str) -> tuple[BanEntry, ...]:
    r"""The entries in file order; what stands behind a quoted one is not looked at.

    >>> parse_ban_map('# EGI\n"/dteam/Role=x"\n', "ban_users.db")
    (BanEntry(line=2, pattern='/dteam/Role=x'),)

    Raises MapFileError.
    """
    return tuple(BanEntry(each.line, _pattern(file, each)) for each in parse_map_file(text, file))


def _pattern(file: str, line: MapLine) -> str:
    if line.targets and not line.text.startswith('"'):
        raise MapFileError(file, line.line, "an entry with a blank in it stands in double quotes")
    return line.key.replace('\\"', '"')


def read_ban_map(path: Path) -> tuple[BanEntry, ...]:
    """Raises BanMapUnavailable, also when there is no such file: nobody is permitted for want of it; MapFileError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BanMapUnavailable(path, "it is not a regular file")  # opening a pipe would wait for ever
        with path.open("rb") as file:
            data = file.read(MAX_LENGTH + 1)
    except OSError as error:
        raise BanMapUnavailable(path, error.strerror or str(error)) from error
    if len(data) > MAX_LENGTH:
        raise BanMapUnavailable(path, f"it is larger than {MAX_LENGTH} octets")
    # DNs of old certificates are in Latin-1; one such line must not be the end of the list.
    return parse_ban_map(data.decode("utf-8-sig", "surrogateescape"), str(path))


def literal_pattern(text: str) -> str:
    """The pattern that stands for the text: what ``fnmatch`` or the file reads in its own way becomes a ``?``.

    Of all that can be written it matches least: a text of the same length that differs in these characters alone.

    >>> literal_pattern("/DC=org/CN=*.example.org")
    '/DC=org/CN=?.example.org'
    """
    return _SPECIAL.sub("?", text)


def write_ban_map(
    path: Path, entries: Collection[str], header: Iterable[str] = (), *, may_be_empty: bool = False
) -> None:
    """Replace the file at once and whole. ``entries`` are patterns; ``header`` the lines of a comment.

    ``may_be_empty``: the caller has read the complete list, so that an empty one is the truth.

    Raises UnwritableBan, EmptyBanMap, BanMapUnavailable: the file is what it was.
    """
    text = format_ban_map(entries, header)
    if not entries and not may_be_empty and _has_entries(path):
        raise EmptyBanMap(path)
    try:
        replace_file(path, text.encode("utf-8", "surrogateescape"), _READABLE)
    except OSError as error:
        raise BanMapUnavailable(path, error.strerror or str(error)) from error


def format_ban_map(entries: Iterable[str], header: Iterable[str] = ()) -> str:
    """The text of a file. Raises UnwritableBan."""
    lines = [f"# {_UNWRITABLE.sub(' ', line)}" for line in header]
    lines += map(_line, entries)
    return "".join(f"{line}\n" for line in lines)


def _line(entry: str) -> str:
    """Raises UnwritableBan: it would be read as something else, or refuse the whole file."""
    line = '"{}"'.format(entry.replace('"', '\\"'))
    try:
        read = () if _UNWRITABLE.search(entry) else parse_ban_map(line, "")
    except MapFileError as error:
        raise UnwritableBan(entry) from error
    if [each.pattern for each in read] != [entry]:
        raise UnwritableBan(entry)
    return line


def _has_entries(path: Path) -> bool:
    """A file that cannot be read counts: what it bans is not known."""
    try:
        return bool(read_ban_map(path))
    except BanMapUnavailable:
        return path.exists()
    except MapFileError:
        return True
