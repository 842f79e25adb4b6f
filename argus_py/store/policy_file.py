"""The last good policy of a PDP in a file, for a start while no PAP answers.

One line of JSON about the document, then the document, a PolicySet as PAPs send it. A file that was damaged, or written
in part, does not have the digest that it says it has, and is not used. When the policy was last known to be the one
that the PAP has, is the time of modification of the file.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from argus_py.errors import MalformedInput, Unavailable
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
    """``digest``: SHA-256 of the document; ``confirmed_at``: when ``source`` was last known to have it."""

    root: PolicySet
    digest: str
    source: str
    confirmed_at: datetime


class PolicyFile:
    """Nobody else than the user of the daemon may read it: it names users and what they may do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, document: bytes, source: str, confirmed_at: datetime) -> None:
        """In the place of what is there, at once and whole. Raises PolicyNotKept."""
        about = {
            "format": _FORMAT,
            "source": source,
            "fetched_at": confirmed_at.isoformat(),
            "sha256": hashlib.sha256(document).hexdigest(),
        }
        new = self._path.with_name(f".{self._path.name}.new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()  # of a process that was killed
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(file, "wb") as written:
                written.write(json.dumps(about).encode() + b"\n")
                written.write(document)
                written.flush()
                os.fsync(written.fileno())
            _set_time(new, confirmed_at)
            os.replace(new, self._path)
        except OSError as error:
            raise PolicyNotKept(self._path, error.strerror or str(error)) from error

    def confirm(self, confirmed_at: datetime) -> None:
        """The policy in the file is still the one that its source has. Raises PolicyNotKept."""
        try:
            _set_time(self._path, confirmed_at)
        except OSError as error:
            raise PolicyNotKept(self._path, error.strerror or str(error)) from error

    def read(self) -> KeptPolicy | None:
        """None: there is no file. Raises UnusablePolicyFile."""
        try:
            with self._path.open("rb") as file:
                modified = os.fstat(file.fileno()).st_mtime
                header = file.readline(_MAX_HEADER)
                document = file.read(policy_xml.MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnusablePolicyFile(self._path, error.strerror or str(error)) from error
        source, digest = self._about(header)
        if hashlib.sha256(document).hexdigest() != digest:
            raise UnusablePolicyFile(self._path, "its content does not have the digest that it should have")
        try:
            root = policy_xml.read_policy_set(document)
        except MalformedInput as error:
            raise UnusablePolicyFile(self._path, str(error)) from error
        return KeptPolicy(root, digest, source, datetime.fromtimestamp(modified, UTC))

    def _about(self, header: bytes) -> tuple[str, str]:
        """Source and digest."""
        try:
            about = json.loads(header)
        except (ValueError, RecursionError) as error:
            raise UnusablePolicyFile(self._path, f"its first line cannot be read: {error}") from error
        if not isinstance(about, dict) or about.get("format") != _FORMAT:
            raise UnusablePolicyFile(self._path, "its first line is not that of a kept policy")
        source, digest = about.get("source"), about.get("sha256")
        if not isinstance(source, str) or not isinstance(digest, str):
            raise UnusablePolicyFile(self._path, "its first line lacks source or digest")
        return source, digest


def _set_time(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))
