"""The host certificate while a daemon runs: renewed files are taken up without a restart, once they fit together."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argus_py.clients.transport import Transport
from argus_py.errors import ConfigurationError
from argus_py.run.parts import LOOK
from argus_py.run.servers import Periodic
from argus_py.web.tls import ServerTls

_log = logging.getLogger(__name__)
_Version = tuple[int, int, int, int, int]  # device, inode, size, time of modification, time of any change


class KeyPairWatch:
    """Looks at a certificate and its key, and has them loaded again when one of the files has changed.

    Files are replaced one after the other, and what does not fit together in between is refused: the pair in force
    stays, ``problem`` says why, and the next change is the next attempt.
    """

    def __init__(self, files: tuple[Path, Path], reload: Callable[[], None]) -> None:
        """``reload`` raises ConfigurationError, and then changes nothing."""
        self.problem: str | None = None
        self._files = files
        self._reload = reload
        self._seen = self._versions()
        self._lock = threading.Lock()  # who has read an older pair must not be the last to put it in force

    def __call__(self) -> None:
        with self._lock:
            self._look()

    def _look(self) -> None:
        versions = self._versions()
        if versions == self._seen:
            return
        self._seen = versions
        try:
            self._reload()
        except ConfigurationError as error:
            self.problem = f"the host certificate in force stays: {error}"
            _log.error("%s", self.problem)
        else:
            self.problem = None
            _log.info("host certificate loaded again from %s", self._files[0])

    def _versions(self) -> list[_Version | None]:
        return [_version(file) for file in self._files]


def _version(file: Path) -> _Version | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@dataclass(frozen=True, slots=True)
class PortTls:
    """The TLS of a service port with what belongs to it in a daemon; ``tls`` None: there is none."""

    tls: ServerTls | None
    watch: KeyPairWatch | None

    @classmethod
    def of(cls, tls: ServerTls | None) -> "PortTls":
        return cls(tls, KeyPairWatch(tls.files, tls.reload) if tls else None)

    @property
    def periodic(self) -> tuple[Periodic, ...]:
        return (Periodic("host certificate", LOOK, self.watch),) if self.watch else ()

    def lines(self) -> list[tuple[str, str]]:
        """For the status page."""
        lines = self.tls.failures.lines() if self.tls else []
        if self.watch and self.watch.problem:
            lines.append(("Problem", self.watch.problem))
        return lines


def follow_credential(calls: Transport) -> tuple[Periodic, ...]:
    """What keeps the certificate that is shown to peers up to date."""
    tls = calls.tls
    if tls is None or tls.files is None:
        return ()
    return (Periodic("certificate for outgoing calls", LOOK, KeyPairWatch(tls.files, tls.reload)),)
