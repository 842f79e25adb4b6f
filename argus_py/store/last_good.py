"""Files that are read again and again: parsed once per content, and a bad new version keeps the good old one.

What has the same octets shares one value: in a trust directory most files are there twice, by the old hash and by the
new one, and large CRLs should neither be parsed nor kept twice.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from argus_py.errors import ArgusError

T = TypeVar("T")
_Version = tuple[int, int, int, int, int]  # device, inode, size, time of modification, time of any change
_SETTLED = 2_000_000_000  # nanoseconds; the times of files are coarse, on some file systems as coarse as this


class NotUsable(ArgusError):
    """A file that cannot be read or parsed now; the text says why and does not name it."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """``value`` may be an older version when there is a ``problem``; None: there was never a good one."""

    value: T | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen(Generic[T]):
    """A file as it was found; ``version`` None: it is to be read again whatever it looks like."""

    version: _Version | None
    reading: Reading[T]
    digest: bytes  # of its octets
    good: bytes | None  # the digest of the octets that the value was made of


class LastGood(Generic[T]):
    """The parsed files of one kind. Not for several threads at a time."""

    def __init__(
        self, parse: Callable[[bytes], T], max_octets: int, nanoseconds: Callable[[], int] = time.time_ns
    ) -> None:
        """``parse`` raises an ArgusError for bad content; ``nanoseconds``: the clock that files have their times of."""
        self._parse = parse
        self._max_octets = max_octets
        self._nanoseconds = nanoseconds
        self._seen: dict[Path, _Seen[T]] = {}

    def read(self, path: Path) -> Reading[T]:
        """The content in force; a file that looks as it did the last time is not opened. Never raises."""
        seen = self._seen.get(path)
        old = seen.reading.value if seen else None
        try:
            version = _version(path)
            if seen and seen.version == version:
                return seen.reading
            settled = self._nanoseconds() - version[-1] > _SETTLED  # else a second change might leave no trace
            octets = self._octets(path)
        except FileNotFoundError:
            self._seen.pop(path, None)  # a link to nowhere: what it led to was taken away on purpose
            return Reading(None, "missing, or a link that leads nowhere")
        except OSError as error:
            return Reading(old, error.strerror or str(error))
        except NotUsable as error:
            return Reading(old, str(error))
        self._seen[path] = replace(self._judged(octets, seen), version=version if settled else None)
        return self._seen[path].reading

    def remembered(self, path: Path) -> T | None:
        """What the last ``read`` gave; nothing is looked at."""
        seen = self._seen.get(path)
        return seen.reading.value if seen else None

    def distrust_versions(self) -> None:
        """Read every file again, also those that seem unchanged; network file systems have been wrong about that."""
        self._seen = {path: replace(seen, version=None) for path, seen in self._seen.items()}

    def forget_all_but(self, paths: Collection[Path]) -> None:
        """Drop what has left the directory."""
        self._seen = {path: seen for path, seen in self._seen.items() if path in paths}

    def _octets(self, path: Path) -> bytes:
        """One more than the limit of a file that is too long."""
        with path.open("rb") as file:
            return file.read(self._max_octets + 1)

    def _judged(self, octets: bytes, old: _Seen[T] | None) -> _Seen[T]:
        digest = hashlib.sha256(octets).digest()
        if old and old.digest == digest:
            return old
        twin = next((seen for seen in self._seen.values() if seen.good == digest), None)
        try:
            value = twin.reading.value if twin else self._value(octets)
        except ArgusError as error:
            return _Seen(
                None, Reading(old.reading.value if old else None, str(error)), digest, old.good if old else None
            )
        return _Seen(None, Reading(value), digest, good=digest)

    def _value(self, octets: bytes) -> T:
        if len(octets) > self._max_octets:
            raise NotUsable(f"more than {self._max_octets} octets")
        return self._parse(octets)


def _version(path: Path) -> _Version:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise NotUsable("not a regular file")  # opening a pipe would wait for ever
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
