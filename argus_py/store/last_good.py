"""Small files that are read again and again: parsed once per version, and a bad new version keeps the good old one."""

import os
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from argus_py.errors import ArgusError

T = TypeVar("T")
_Version = tuple[int, int, int, int]  # device, inode, size, time of modification


class NotUsable(ArgusError):
    """A file that cannot be read or parsed now; the text says why and does not name it."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """``value`` may be an older version when there is a ``problem``; None: there was never a good one."""

    value: T | None
    problem: str | None = None


class LastGood(Generic[T]):
    """The parsed files of one kind. Not for several threads at a time."""

    def __init__(self, parse: Callable[[bytes], T], max_octets: int) -> None:
        """``parse`` raises an ArgusError for bad content."""
        self._parse = parse
        self._max_octets = max_octets
        self._seen: dict[Path, tuple[_Version, Reading[T]]] = {}

    def read(self, path: Path) -> Reading[T]:
        """The content in force; the file is opened only if it differs from the last time. Never raises."""
        seen = self._seen.get(path)
        old = seen[1].value if seen else None
        try:
            version = _version(path)
            if seen and seen[0] == version:
                return seen[1]
            reading = self._read_new(path, old)
        except FileNotFoundError:
            self._seen.pop(path, None)  # a link to nowhere: what it led to was taken away on purpose
            return Reading(None, "the link leads nowhere")
        except OSError as error:
            return Reading(old, error.strerror or str(error))
        except NotUsable as error:
            return Reading(old, str(error))
        self._seen[path] = (version, reading)
        return reading

    def forget_all_but(self, paths: Collection[Path]) -> None:
        """Drop what has left the directory."""
        self._seen = {path: seen for path, seen in self._seen.items() if path in paths}

    def _read_new(self, path: Path, old: T | None) -> Reading[T]:
        with path.open("rb") as file:
            octets = file.read(self._max_octets + 1)
        if len(octets) > self._max_octets:
            return Reading(old, f"more than {self._max_octets} octets")
        try:
            return Reading(self._parse(octets))
        except ArgusError as error:
            return Reading(old, str(error))


def _version(path: Path) -> _Version:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise NotUsable("not a regular file")  # opening a pipe would wait for ever
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
