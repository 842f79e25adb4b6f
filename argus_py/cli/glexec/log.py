"""The log of gLExec and, beside it, that of LCMAPS: to syslog or to files, each with its level from 0 to 5.

Errors are written at every level: a refusal of which nobody finds the reason is a call to the support. What cannot be
written to a file stops the run, since a payload that leaves no trace must not run; syslog does not tell.
"""

import os
import stat
import syslog
from contextlib import suppress
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from argus_py.errors import ConfigurationError
from argus_py.model.dn import escape_controls
from argus_py.worker.glexec_conf import GlexecConf, LogDestination

_IDENT: Final = "glexec"
_STDERR: Final = 2  # itself, without buffers that would fail once more when the interpreter ends
_MAX_LINE: Final = 4000  # characters; syslog cuts at eight thousand octets


class Level(IntEnum):
    """The value is what the keys of glexec.conf count in."""

    ERROR = 1
    WARNING = 2
    NOTICE = 3
    INFO = 4
    DEBUG = 5


_PRIORITIES: Final = {
    Level.ERROR: syslog.LOG_ERR,
    Level.WARNING: syslog.LOG_WARNING,
    Level.NOTICE: syslog.LOG_NOTICE,
    Level.INFO: syslog.LOG_INFO,
    Level.DEBUG: syslog.LOG_DEBUG,
}


class Log:
    """``file`` None: to syslog."""

    def __init__(self, file: str | None, level: int, *, also_errors_here: bool) -> None:
        """``also_errors_here``: to standard error as well, for whoever started this.

        Raises ConfigurationError: the file cannot be written.
        """
        self._level = max(level, Level.ERROR)
        self._also_errors_here = also_errors_here
        self._file = file
        self._descriptor = None if file is None else _open(file)
        if file is None:
            syslog.openlog(_IDENT, syslog.LOG_PID, syslog.LOG_DAEMON)

    def write(self, level: Level, text: str) -> None:
        """Raises ConfigurationError: the line is lost."""
        line = escape_controls(text.encode("utf-8", "backslashreplace").decode())[:_MAX_LINE]
        try:
            if level <= self._level:
                self._record(level, line)
        finally:  # in this order: whoever does not read standard error keeps us waiting
            if level is Level.ERROR and self._also_errors_here:
                with suppress(OSError):  # nor is it a mistake here if it is full or closed
                    os.write(_STDERR, f"[gLExec]: {line}\n".encode())

    def _record(self, level: Level, line: str) -> None:
        if self._descriptor is None:
            syslog.syslog(_PRIORITIES[level], line)
            return
        now = datetime.now(UTC)
        octets = f"{now:%Y-%m-%dT%H:%M:%SZ} {_IDENT}[{os.getpid()}]: {level.name}: {line}\n".encode()
        try:
            written = os.write(self._descriptor, octets)
        except OSError as error:
            raise ConfigurationError(f"the log {self._file} cannot be written: {error.strerror}") from error
        if written < len(octets):
            raise ConfigurationError(f"the log {self._file} cannot be written: no space left")


def open_logs(conf: GlexecConf) -> tuple[Log, Log]:
    """That of gLExec, and that of LCMAPS, whose file counts where files are asked for at all.

    Raises ConfigurationError: a file cannot be written, or none is named.
    """
    here = not conf.silent_logging
    if conf.log_destination is LogDestination.SYSLOG:
        return (
            Log(None, conf.log_level, also_errors_here=here),
            Log(None, conf.policy_log_level, also_errors_here=False),
        )
    if conf.log_file is None:
        raise ConfigurationError("log_destination = file needs log_file")
    return (
        Log(conf.log_file, conf.log_level, also_errors_here=here),
        Log(conf.lcmaps_log_file or conf.log_file, conf.policy_log_level, also_errors_here=False),
    )


def _open(file: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(file, flags, 0o640)
    except OSError as error:
        raise ConfigurationError(f"the log {file} cannot be written: {error.strerror}") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"the log {file} cannot be written: it is not a regular file")
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigurationError(f"the log {file} cannot be written: it belongs to the user {found.st_uid}")
    return descriptor
