"""Proxy files of gLExec: read from the caller, written for the payload, in both cases with that user's own rights.

What is read is judged on the open descriptor. What is written comes into being under a name nobody knew, with mode
0600, and takes its place by a rename, which follows no link and never shows half a proxy, so that it needs no lock.

flock does not work on every NFS; to read, fcntl locks, and none at all, can be chosen in glexec.conf.
"""

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from argus_py.worker.errors import ClientError
from argus_py.worker.glexec_conf import Lock

_ATTEMPTS: Final = 50
_PAUSE: Final = 0.1  # seconds; a proxy is renewed in milliseconds, and nobody keeps us longer than five seconds


class UnusableFile(ClientError):
    """Carries ``path`` and ``reason``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}")
        self.path = path
        self.reason = reason


def read_proxy_file(
    path: str, owner: int, lock: Lock, max_octets: int, sleep: Callable[[float], None] = time.sleep
) -> bytes:
    """Raises UnusableFile: missing, too long, of somebody else, open to others, or locked for too long."""
    _check_path(path)
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UnusableFile(path, "it is not a regular file")
            if found.st_uid != owner:
                raise UnusableFile(path, f"it belongs to the user {found.st_uid}, not to {owner}")
            if found.st_mode & 0o077:
                raise UnusableFile(path, f"others have access to it (mode {stat.S_IMODE(found.st_mode):04o})")
            _lock(file.fileno(), lock, path, sleep)
            octets = file.read(max_octets + 1)
    except OSError as error:
        raise UnusableFile(path, error.strerror or str(error)) from error
    if len(octets) > max_octets:
        raise UnusableFile(path, f"it is longer than {max_octets} octets")
    return octets


def write_proxy_file(path: str, octets: bytes) -> None:
    """Raises UnusableFile: the directory or what is there already takes no file of this user's."""
    _check_path(path)
    directory, name = os.path.split(path)
    scratch = os.path.join(directory, f".{name[:64]}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(
            scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR
        )
    except OSError as error:
        raise UnusableFile(path, error.strerror or str(error)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)
            file.write(octets)
            file.flush()
            os.rename(scratch, path)
    except BaseException as error:  # an interrupt, too, leaves no private key behind
        with suppress(OSError):
            os.unlink(scratch)
        if not isinstance(error, OSError):
            raise
        raise UnusableFile(path, error.strerror or str(error)) from error


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe would wait for a writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _check_path(path: str) -> None:
    if not os.path.isabs(path) or "\0" in path or not os.path.basename(path):
        raise UnusableFile(path, "it is no absolute path of a file")


def _lock(descriptor: int, lock: Lock, path: str, sleep: Callable[[float], None]) -> None:
    """Released with the descriptor. Raises UnusableFile."""
    if lock is Lock.DISABLED:
        return
    take = fcntl.flock if lock is Lock.FLOCK else fcntl.lockf
    for _ in range(_ATTEMPTS):
        try:
            take(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise UnusableFile(path, f"it cannot be locked by {lock.value}: {error.strerror}") from error
            sleep(_PAUSE)
        else:
            return
    raise UnusableFile(path, f"somebody else holds a lock on it for more than {_ATTEMPTS * _PAUSE:g} seconds")
