"""Map files on disk as Snapshots: read when they change, the old version kept when the new one is bad.

BETTER: Java goes by a growing modification time alone, takes what is half written, and a duplicate key in a new version
ends its refresh for ever.

Source: argus-pep-server:.../obligation/dfpmap/UpdatingDFPM.java
"""

import logging
import os
import stat
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from argus_py.errors import ConfigurationError, Unavailable
from argus_py.pep.mapping.map_file import MAX_SIZE, MapFile, parse_map_file
from argus_py.snapshot import Snapshot

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3  # readings of a file that changes under the reader; the next refresh tries again
_SETTLED: Final = timedelta(seconds=2)  # a file left alone so long is whole; who writes one pauses less than that
_PAUSE: Final = 0.5  # seconds, before a file that is younger is looked at again

_Signature = tuple[int, int, int]  # modification time, size, inode


class MapFileInMotion(Unavailable):
    """The file changed at every attempt to read it, or has just been emptied: somebody is writing it."""


def load_map_file(
    path: Path, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
) -> Snapshot[MapFile]:
    """A snapshot that holds its first version; ``refresh()`` looks for the next one.

    Raises ConfigurationError: the file cannot be read, or is refused; names file and line.
    """
    snapshot = Snapshot(f"map file {path}", _Loader(path, clock, sleep), clock)
    snapshot.refresh()
    error = snapshot.last_error
    if isinstance(error, ConfigurationError):
        raise error
    if error is not None:
        reason = (error.strerror or error) if isinstance(error, OSError) else error
        raise ConfigurationError(f"Unable to read map file {path}: {reason}") from error
    return snapshot


class _Loader:
    """Reads the file again when its signature differs from that of the version last accepted."""

    def __init__(self, path: Path, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._path = path
        self._clock = clock
        self._sleep = sleep
        self._signature: _Signature | None = None
        self._map_file = MapFile()

    def __call__(self) -> MapFile:
        if self._signature is None or _signature(self._path.stat()) != self._signature:
            data, signature = self._read()
            if not data and self._signature is not None and self._signature[1]:
                raise MapFileInMotion(f"{self._path} is empty now; the entries read before stay in force")
            # An octet that is not UTF-8 costs its line only, and the parser tells which one that is.
            text = data.decode("utf-8-sig", "surrogateescape")
            self._map_file = parse_map_file(text, str(self._path), self._map_file)
            self._signature = signature
            for problem in self._map_file.problems:
                _log.warning("%s", problem)
        return self._map_file

    def _read(self) -> tuple[bytes, _Signature]:
        for _ in range(_ATTEMPTS):
            if not stat.S_ISREG(self._path.stat().st_mode):
                raise ConfigurationError(f"{self._path} is not a regular file")  # opening a pipe would wait for ever
            with self._path.open("rb") as file:
                before = _signature(os.fstat(file.fileno()))
                data = file.read(MAX_SIZE + 1)
            if len(data) > MAX_SIZE:
                raise ConfigurationError(f"{self._path} is larger than {MAX_SIZE} bytes")
            if self._signature is not None and self._is_young(before):
                self._sleep(_PAUSE)  # at the start nobody is kept waiting: the next refresh finds what is added
            if _signature(self._path.stat()) == before and before[1] == len(data):
                return data, before
        raise MapFileInMotion(f"{self._path} changes while it is read")

    def _is_young(self, signature: _Signature) -> bool:
        """Also when its time lies ahead: clocks of file servers differ."""
        return self._clock().timestamp() - signature[0] / 1e9 < _SETTLED.total_seconds()


def _signature(status: os.stat_result) -> _Signature:
    return status.st_mtime_ns, status.st_size, status.st_ino
