"""Configuration that decides about identities: read only where nobody but its owners could have written it.

A file is as safe as the weakest directory above it, and as every link on the way; so each part of the path is looked
at, as the kernel walks it. The descriptor that is read is the one that was judged.
"""

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from argus_py.errors import ConfigurationError

_MAX_LINKS: Final = 40  # as the kernel allows
_FOREIGN_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class UntrustedFile(ConfigurationError):
    """Carries ``path``, ``culprit`` (the path itself, or a directory or link on the way to it) and ``reason``."""

    def __init__(self, path: str, culprit: str, reason: str) -> None:
        text = f"{path} cannot be used: " + (reason if culprit == path else f"{culprit} {reason}")
        super().__init__(text)
        self.path = path
        self.culprit = culprit
        self.reason = reason


def read_site_file(path: str, owners: Collection[int], max_octets: int) -> bytes:
    """``owners``: the users who may write it.

    Raises UntrustedFile: missing, unreadable, no regular file, too long, or others can change it or put another one in
    its place.
    """
    if not os.path.isabs(path):
        raise UntrustedFile(path, path, "it is no absolute path")
    try:
        _check_way(path, owners)
        with open(path, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UntrustedFile(path, path, "it is not a regular file")
            _check(path, path, found, owners)
            octets = file.read(max_octets + 1)
    except OSError as error:
        raise UntrustedFile(path, path, error.strerror or str(error)) from error
    if len(octets) > max_octets:
        raise UntrustedFile(path, path, f"it is longer than {max_octets} octets")
    return octets


def check_trust_directory(path: str) -> None:
    """One that everybody can write makes everybody a CA. Its owner may be any: CAs come from CVMFS, too.

    Raises UntrustedFile; what is missing is for the reader to tell.
    """
    with suppress(OSError):
        found = os.stat(path)
        if found.st_mode & stat.S_IWOTH:
            raise UntrustedFile(path, path, f"can be written by everybody (mode {stat.S_IMODE(found.st_mode):04o})")


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe would wait for a writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _check_way(path: str, owners: Collection[int]) -> None:
    """Every directory and link on the way to the file, one after the other."""
    pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    here, links = "/", 0
    while True:
        found = os.lstat(here)
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MAX_LINKS:
                raise UntrustedFile(path, here, "is one of too many links")
            if found.st_uid not in owners:
                raise UntrustedFile(path, here, f"is a link of the user {found.st_uid}")
            target = os.readlink(here)
            pending += [part for part in reversed(target.split("/")) if part not in ("", ".")]
            here = "/" if target.startswith("/") else os.path.dirname(here)
        elif stat.S_ISDIR(found.st_mode):
            _check(path, here, found, owners)
        if not pending:
            return
        part = pending.pop()
        here = os.path.dirname(here) if part == ".." else os.path.join(here, part)


def _check(path: str, culprit: str, found: os.stat_result, owners: Collection[int]) -> None:
    if found.st_uid not in owners:
        raise UntrustedFile(path, culprit, f"belongs to the user {found.st_uid}")
    if found.st_mode & _FOREIGN_WRITE:
        raise UntrustedFile(path, culprit, f"can be written by others (mode {stat.S_IMODE(found.st_mode):04o})")
