r"""Log files and their lines, as the Java daemons write them; all times are UTC.

    process.log  2026-11-22 06:19:23.456Z - INFO [enforcer] - message
    access.log   2026-11-22T06:19:23.456Z|1795328363456|remote host|server:port|path|
    audit.log    2026-11-22T06:19:23.456Z|1795328363456|request id|responder|response id|decision|
    audit.jsonl  one JSON object per line, see ``audit``

Text from clients gets into all of them, so control characters are escaped: no request can forge a line. Files are only
appended to and reopened when renamed, for logrotate and for several processes on one file.

Source: argus-pep-server:src/main/config/logging.xml
"""

import logging
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final

from argus_py.model.dn import escape_controls

ACCESS: Final = "argus.access"
AUDIT: Final = "argus.audit"
RECORDS: Final = "argus.records"

_MESSAGE_LIMIT = 8192  # characters; a message may repeat what a client sent, and clients may send a megabyte
_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_JAVA_LEVELS = {"WARNING": "WARN", "CRITICAL": "ERROR"}


class ProcessFormatter(logging.Formatter):
    """Lines of process.log; a traceback follows on indented lines, which cannot be taken for others."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the standard library
        level = _JAVA_LEVELS.get(record.levelname, record.levelname)
        logger = record.name.rpartition(".")[2]
        return f"{_time(record, ' ')} - {level} [{logger}] - {_one_line(record)}"

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - the name in the standard library
        return "\n".join(f"    {escape_controls(line)}" for line in super().formatException(ei).split("\n"))


class BarFormatter(logging.Formatter):
    """Lines of access.log and audit.log: time twice, then what the message has between bars."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the standard library
        return f"{_time(record, 'T')}|{_milliseconds(record)}|{_one_line(record)}"


def configure(directory: Path | None, level: int = logging.INFO) -> None:
    """Send all logs to files of this directory; None: process lines to standard error, the others nowhere.

    For the entry points; whoever embeds the package arranges the loggers of the package himself. Raises OSError: a file
    cannot be opened.
    """
    logging.getLogger("argus_py").setLevel(level)
    process = _file(directory / "process.log") if directory else logging.StreamHandler()
    _attach(logging.getLogger(), process, ProcessFormatter())
    for name, file, formatter in (
        (ACCESS, "access.log", BarFormatter()),
        (AUDIT, "audit.log", BarFormatter()),
        (RECORDS, "audit.jsonl", logging.Formatter("%(message)s")),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        _attach(logger, _file(directory / file) if directory else logging.NullHandler(), formatter)


def _file(path: Path) -> logging.Handler:
    # Half a character, which text of a client may hold, must not cost the line.
    return WatchedFileHandler(path, encoding="utf-8", errors="backslashreplace")


def _attach(logger: logging.Logger, handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)


def _one_line(record: logging.LogRecord) -> str:
    message = record.message
    return escape_controls(message if len(message) <= _MESSAGE_LIMIT else f"{message[:_MESSAGE_LIMIT]}...")


def _time(record: logging.LogRecord, separator: str) -> str:
    at = datetime.fromtimestamp(_milliseconds(record) / 1000, UTC)
    return at.replace(tzinfo=None).isoformat(separator, "milliseconds") + "Z"


def _milliseconds(record: logging.LogRecord) -> int:
    return int(record.created * 1000)
