"""The last good policy of a PDP in a file, for a start while no PAP answers.

One line of JSON about the document, then the document, a PolicySet as PAPs send it. A file that was damaged, or written
in part, does not have the digest that it says it has, and is not used; nor is one that somebody else may have written,
who could permit himself what he likes. When the policy was last known to be the one that the PAP has, is the time of
modification of the file.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from argus_py.errors import MalformedInput, Unavailable
from argus_py.store.whole_file import replacing
from argus_py.xacml import policy_xml
from argus_py.xacml.policy import PolicySet

_FORMAT: Final = 1
_MAX_HEADER: Final = 4096  # octets; a URL, a time and a digest


class UnusablePolicyFile(MalformedInput):
    """The file ``path`` is there and cannot be used; ``reason`` says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"last good policy {path}: {reason}")
        self.path = path
        self.reason = reason


class PolicyNotKept(Unavailable):
    """The policy cannot be written to the file ``path``."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"last good policy {path} cannot be written: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """``digest``: by which the policy is known; ``confirmed_at``: when ``source`` was last known to have it."""

    root: PolicySet
    digest: str
    source: str
    confirmed_at: datetime


class PolicyFile:
    """Nobody else than the user of the daemon may read it: it names users and what they may do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: tuple[int, int] | None = None  # device and inode of what was written here last

    def write(self, document: bytes, digest: str, source: str, confirmed_at: datetime) -> None:
        """In the place of what is there, at once and whole. Raises PolicyNotKept."""
        about = {
            "format": _FORMAT,
            "source": source,
            "digest": digest,
            "fetched_at": confirmed_at.isoformat(),
            "sha256": hashlib.sha256(document).hexdigest(),
        }
        try:
            with replacing(self._path, 0o600) as file:
                file.write(json.dumps(about).encode() + b"\n")
                file.write(document)
                file.flush()  # before the time is set, which writing would move
                _set_time(file.fileno(), confirmed_at)
                self._written = _identity(os.fstat(file.fileno()))
        except OSError as error:
            raise PolicyNotKept(self._path, error.strerror or str(error)) from error

    def confirm(self, confirmed_at: datetime) -> None:
        """The policy written last is still the one that its source has.

        Raises PolicyNotKept: also when there is another one in the file, as of a second PDP.
        """
        try:
            with self._path.open("rb") as file:
                if _identity(os.fstat(file.fileno())) != self._written:
                    raise PolicyNotKept(self._path, "it is not the file that was written here")
                _set_time(file.fileno(), confirmed_at)
        except OSError as error:
            raise PolicyNotKept(self._path, error.strerror or str(error)) from error

    def read(self) -> KeptPolicy | None:
        """None: there is no file. Raises UnusablePolicyFile."""
        try:
            with open(self._path, "rb", opener=_without_waiting) as file:
                about = os.fstat(file.fileno())
                self._check(about)
                header = file.readline(_MAX_HEADER)
                document = file.read(policy_xml.MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnusablePolicyFile(self._path, error.strerror or str(error)) from error
        source, digest, sha256 = self._about(header)
        if hashlib.sha256(document).hexdigest() != sha256:
            raise UnusablePolicyFile(self._path, "its content does not have the digest that it should have")
        try:
            root = policy_xml.read_policy_set(document)
        except MalformedInput as error:
            raise UnusablePolicyFile(self._path, str(error)) from error
        return KeptPolicy(root, digest, source, datetime.fromtimestamp(about.st_mtime, UTC))

    def _check(self, file: os.stat_result) -> None:
        if not stat.S_ISREG(file.st_mode):
            raise UnusablePolicyFile(self._path, "it is not a regular file")
        if file.st_uid not in (0, os.geteuid()) or file.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UnusablePolicyFile(self._path, "others than the user of the daemon may write it")

    def _about(self, header: bytes) -> tuple[str, str, str]:
        """Source, digest of the policy, and that of the document."""
        try:
            about = json.loads(header)
        except (ValueError, RecursionError) as error:
            raise UnusablePolicyFile(self._path, f"its first line cannot be read: {error}") from error
        if not isinstance(about, dict) or about.get("format") != _FORMAT:
            raise UnusablePolicyFile(self._path, "its first line is not that of a kept policy")
        source, digest, sha256 = about.get("source"), about.get("digest"), about.get("sha256")
        if not isinstance(source, str) or not isinstance(digest, str) or not isinstance(sha256, str):
            raise UnusablePolicyFile(self._path, "its first line lacks source or digest")
        return source, digest, sha256


def _without_waiting(path: str, flags: int) -> int:
    """For a writer, if it is a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _identity(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino


def _set_time(file: int, moment: datetime) -> None:
    os.utime(file, (moment.timestamp(), moment.timestamp()))
