"""Is an account in use? What the processes of this host, the files below some directories, and the batch system say.

An account may be given to somebody else on what is said here. Where something cannot be seen, it counts as in use, or
the question has no answer (UseUnknown) and nobody may act.
"""

import os
import re
import signal
import stat
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from tempfile import TemporaryFile
from typing import Final

from argus_py.errors import Unavailable

PROC: Final = Path("/proc")
MAX_DEPTH: Final = 64  # directories; real jobs stay below 30, and each level holds a file descriptor open
MAX_FILES: Final = 20_000_000  # some hours of looking; beyond it the answer would come from another day
COMMAND_TIMEOUT: Final = timedelta(minutes=10)  # a batch system under load answers within one
MAX_OUTPUT: Final = 64 * 1024 * 1024  # bytes; a line for each of a million jobs

_UIDS = re.compile(rb"^Uid:\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$", re.MULTILINE)


class UseUnknown(Unavailable):
    """Nobody can say which accounts are in use; carries ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot tell which accounts are in use: {reason}")
        self.reason = reason


def uids_with_processes(proc: Path = PROC) -> frozenset[int]:
    """Of all processes of this host: real, effective, saved and file system uid.

    Raises UseUnknown: the kernel hides processes of others from this one.
    """
    try:
        processes = [name for name in os.listdir(proc) if name.isdecimal()]
    except OSError as error:
        raise UseUnknown(f"{proc}: {error.strerror}") from error
    if "1" not in processes:  # it has always one; it is not listed to strangers where /proc is mounted with hidepid
        raise UseUnknown(f"{proc} does not show the processes of others, only root sees them")
    uids: set[int] = set()
    for process in processes:
        uids |= _uids_of(proc / process / "status")
    return frozenset(uids)


def _uids_of(status: Path) -> frozenset[int]:
    try:
        found = _UIDS.search(status.read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return frozenset()  # it has ended
    except OSError as error:
        raise UseUnknown(f"{status}: {error.strerror}") from error
    if found is None:
        raise UseUnknown(f"{status} has no line of uids")
    return frozenset(map(int, found.groups()))


def uids_with_files_since(directories: Iterable[Path], since: datetime) -> frozenset[int]:
    """The owners of what was changed at ``since`` or later, below the directories or in their place.

    Each directory is searched on its own device, and no symbolic link is followed. The owner of a directory that
    cannot be read, lies too deep or is a mount point counts as one who has changed something in it.

    Raises UseUnknown: one of the directories cannot be read, or there are too many files.
    """
    search = _FileSearch(since)
    for directory in directories:
        search.directory(directory)
    return frozenset(search.uids)


class _FileSearch:
    def __init__(self, since: datetime) -> None:
        self.uids: set[int] = set()
        self._since = since.timestamp()
        self._looked_at = 0

    def directory(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                found = os.fstat(descriptor)
                self._look(found)
                self._below(descriptor, found.st_dev, MAX_DEPTH)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UseUnknown(f"{path}: {error.strerror}") from error

    def _below(self, directory: int, device: int, depth: int) -> None:
        """By descriptors: whoever owns the files may put a symbolic link in the place of a directory meanwhile."""
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                self._look(found)
                if stat.S_ISDIR(found.st_mode) and not self._searched(entry.name, found, directory, device, depth):
                    self.uids.add(found.st_uid)

    def _searched(self, name: str, found: os.stat_result, parent: int, device: int, depth: int) -> bool:
        if depth == 0 or found.st_dev != device:
            return False
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            try:
                self._below(descriptor, device, depth - 1)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return True  # removed meanwhile
        except OSError:
            return False
        return True

    def _look(self, found: os.stat_result) -> None:
        self._looked_at += 1
        if self._looked_at > MAX_FILES:
            raise UseUnknown(f"there are more than {MAX_FILES} files to look at")
        # Whoever unpacks or copies files may give them any time of modification, but not of change.
        if max(found.st_mtime, found.st_ctime) >= self._since:
            self.uids.add(found.st_uid)


def named_by_command(
    command: Sequence[str], accounts: Sequence[str], timeout: timedelta = COMMAND_TIMEOUT
) -> frozenset[str]:
    """The words that the command prints one a line; it gets ``accounts`` in the same form.

    A batch system prints all its users, so a name that is not among the accounts is no error.

    Raises UseUnknown: it cannot be started, fails, takes too long, or prints what is no list of names.
    """
    program = command[0]
    with TemporaryFile() as listed, TemporaryFile() as printed:
        listed.write("".join(f"{account}\n" for account in accounts).encode())
        listed.seek(0)
        try:
            # The administrator's own command, not through a shell.
            process = Popen(command, stdin=listed, stdout=printed, start_new_session=True)  # noqa: S603
        except OSError as error:
            raise UseUnknown(f"{program} cannot be started: {error.strerror}") from error
        try:
            exit_code = process.wait(timeout.total_seconds())
        except TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise UseUnknown(f"{program} did not end within {timeout.total_seconds():.0f} s") from None
        if exit_code:
            raise UseUnknown(f"{program} failed with exit code {exit_code}")
        printed.seek(0)
        return _names(program, printed.read(MAX_OUTPUT + 1))


def _names(program: str, output: bytes) -> frozenset[str]:
    if len(output) > MAX_OUTPUT:
        raise UseUnknown(f"{program} printed more than {MAX_OUTPUT} bytes")
    try:
        lines = output.decode().splitlines()
    except UnicodeDecodeError:
        raise UseUnknown(f"{program} printed what is no UTF-8 text") from None
    names = [line.strip() for line in lines]
    for name in names:
        if len(name.split()) > 1:
            raise UseUnknown(f"{program} printed {name[:80]!r} where a name of one word was expected")
    return frozenset(filter(None, names))
