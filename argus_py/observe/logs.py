r"""Log files and their lines, as the Java daemons write them; all times are UTC.

    process.log  2026-11-22 06:19:23.456Z - INFO [enforcer] - message
                 2026-11-22 06:19:23.456Z - INFO [enforcer] [request id] - message, in the course of a request
    access.log   2026-11-22T06:19:23.456Z|1795328363456|remote host|server:port|path|
    audit.log    2026-11-22T06:19:23.456Z|1795328363456|request id|responder|response id|decision|
    audit.jsonl  one JSON object per line, see ``audit``

The process log can be one of JSON objects too. Text from clients gets into all of them, so control characters are
escaped: no request can forge a line. Files are only appended to and reopened when renamed, for logrotate and for
several processes on one file. A file that cannot be written costs its lines, not the request: who is let in does not
depend on the room on a disk. What was lost is counted, and shown by ``trouble``.

Source: argus-pep-server:src/main/config/logging.xml
"""

import contextlib
import json
import logging
import re
import sys
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final

from argus_py.model.dn import escape_controls
from argus_py.model.trail import REQUEST_ID

ACCESS: Final = "argus.access"
AUDIT: Final = "argus.audit"
RECORDS: Final = "argus.records"

_MESSAGE_LIMIT = 8192  # characters; a message may repeat what a client sent, and clients may send a megabyte
_ID_LIMIT = 64  # characters; a peer chooses the ids of its queries, ours have 33
_NOT_OF_IDS = re.compile(r"[^A-Za-z0-9_.-]")
_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_JAVA_LEVELS = {"WARNING": "WARN", "CRITICAL": "ERROR"}


class ProcessFormatter(logging.Formatter):
    """Lines of process.log; a traceback follows on indented lines, which cannot be taken for others."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the standard library
        logger = record.name.rpartition(".")[2]
        request_id = _request_id()
        of = f" [{request_id}]" if request_id else ""
        return f"{_time(record, ' ')} - {_level(record)} [{logger}]{of} - {_one_line(record)}"

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - the name in the standard library
        return "\n".join(f"    {escape_controls(line)}" for line in super().formatException(ei).split("\n"))


class JsonFormatter(logging.Formatter):
    """The same as one JSON object in ASCII per line, for collectors of logs."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        told = {
            "time": _time(record, "T"),
            "level": _level(record),
            "logger": record.name,
            "message": _cut(record.message),
            "request_id": _request_id(),
            "traceback": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in told.items() if value is not None})


class BarFormatter(logging.Formatter):
    """Lines of access.log and audit.log: time twice, then what the message has between bars."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the standard library
        return f"{_time(record, 'T')}|{_milliseconds(record)}|{_one_line(record)}"


class LogFile(WatchedFileHandler):
    """Appends to a file, and outlives its troubles: ``problem`` is there while lines are lost, ``lost`` counts them."""

    def __init__(self, path: Path) -> None:
        # Half a character, which text of a client may hold, must not cost the line.
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.problem: str | None = None
        self.lost = 0
        self._silent = False

    def emit(self, record: logging.LogRecord) -> None:
        self.problem = None
        try:
            super().emit(record)
        except OSError:  # the file was renamed, and a new one cannot be opened
            self.handleError(record)
        self._silent = self.problem is not None

    def close(self) -> None:
        with contextlib.suppress(OSError):  # lines that waited for room on the disk; they have been counted
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name in the standard library
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)  # a bug of ours
            return
        self.lost += 1
        self.problem = str(error)
        if not self._silent:
            sys.stderr.write(f"{self.baseFilename}: {error}; log lines are lost\n")


def configure(directory: Path | None, level: int = logging.INFO, as_json: bool = False) -> None:
    """Send all logs to files of this directory; None: process lines to standard error, the others nowhere.

    ``as_json`` is about the process log. For the entry points; whoever embeds the package arranges the loggers of the
    package himself. Raises OSError: a file cannot be opened.
    """
    logging.getLogger("argus_py").setLevel(level)
    process = LogFile(directory / "process.log") if directory else logging.StreamHandler()
    _attach(logging.getLogger(), process, JsonFormatter() if as_json else ProcessFormatter())
    for name, file, formatter in (
        (ACCESS, "access.log", BarFormatter()),
        (AUDIT, "audit.log", BarFormatter()),
        (RECORDS, "audit.jsonl", logging.Formatter("%(message)s")),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        _attach(logger, LogFile(directory / file) if directory else logging.NullHandler(), formatter)


def trouble() -> list[tuple[str, str]]:
    """Lines for the status page: the log files that have lost lines since the start, and why if they still do."""
    files = [handler for name in ("", ACCESS, AUDIT, RECORDS) for handler in logging.getLogger(name).handlers]
    return [
        ("LogTrouble", f"{file.baseFilename}, {file.lost} lines lost, {file.problem or 'written again'}")
        for file in files
        if isinstance(file, LogFile) and file.lost
    ]


def _attach(logger: logging.Logger, handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)


def _one_line(record: logging.LogRecord) -> str:
    return escape_controls(_cut(record.message))


def _cut(text: str) -> str:
    return text if len(text) <= _MESSAGE_LIMIT else f"{text[:_MESSAGE_LIMIT]}..."


def _request_id() -> str | None:
    """Of the request that this thread works on."""
    request_id = REQUEST_ID.get()
    return _NOT_OF_IDS.sub("", request_id[:_ID_LIMIT]) if request_id else None


def _level(record: logging.LogRecord) -> str:
    return _JAVA_LEVELS.get(record.levelname, record.levelname)


def _time(record: logging.LogRecord, separator: str) -> str:
    at = datetime.fromtimestamp(_milliseconds(record) / 1000, UTC)
    return at.replace(tzinfo=None).isoformat(separator, "milliseconds") + "Z"


def _milliseconds(record: logging.LogRecord) -> int:
    return int(record.created * 1000)
