"""Reads the records of audit.jsonl back: which subject was mapped to which account, when, and by which rule.

Rotated files may be compressed; a file is read line by line, so that months of records fit into any memory. A line that
is no record is told and skipped: a full disk or a crash cuts lines short, and the rest of the file is good.
"""

import gzip
import json
import zlib
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from argus_py.errors import Unavailable

MAX_LINE: Final = 1024 * 1024  # bytes; the fields of a record are cut, with all of them full it has a tenth of this
_GZIP: Final = b"\x1f\x8b"


class UnreadableRecords(Unavailable):
    """A file of records cannot be opened or read; carries ``file``."""

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(f"cannot read the records in {file}: {error.strerror or error}")
        self.file = file


@dataclass(frozen=True, slots=True)
class Ruling:
    """``decided_by`` are ids from the outermost PolicySet to the rule; ``reason`` is the rule in words."""

    decided_by: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MappingRecord:
    """``lease`` is None for an account outside the pools; ``client`` is the service that asked, by its certificate.

    ``query_id`` is that of the question to the PDP. ``ruling`` says nothing where the PDP is a daemon of its own, whose
    records tell it; ``read_rulings`` finds it there.
    """

    time: datetime
    account: str
    lease: str | None
    subject: str | None
    fqans: tuple[str, ...]  # the primary one first
    client: str | None
    address: str | None
    vo: str | None = None
    decision: str | None = None
    request_id: str | None = None
    query_id: str | None = None
    ruling: Ruling = Ruling()


@dataclass(frozen=True, slots=True)
class DamagedLine:
    file: Path
    line: int  # from 1
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: skipped, {self.reason}"


def read_mappings(files: Iterable[Path]) -> Iterator[MappingRecord | DamagedLine]:
    """Records of requests that got an account, in the order of the files.

    Raises UnreadableRecords: a file cannot be opened or read.
    """
    for read in _records(files):
        if isinstance(read, DamagedLine):
            yield read
            continue
        file, number, fields = read
        try:
            if fields.get("account") is not None:
                yield _mapping(fields)
        except ValueError as error:
            yield DamagedLine(file, number, str(error))


def read_rulings(files: Iterable[Path], ids: Container[str]) -> dict[str, Ruling]:
    """By the id of the request, those of the records that have one; damaged lines are passed over.

    Raises UnreadableRecords: a file cannot be opened or read.
    """
    found: dict[str, Ruling] = {}
    for read in _records(files):
        if isinstance(read, DamagedLine):
            continue
        _, _, fields = read
        try:
            request_id, ruling = _text(fields, "request_id"), _ruling(fields)
        except ValueError:
            continue
        if request_id is not None and request_id in ids and ruling.decided_by:
            found[request_id] = ruling
    return found


def _records(files: Iterable[Path]) -> Iterator[tuple[Path, int, dict[str, Any]] | DamagedLine]:
    """File and line of each object, and what it has."""
    for file in files:
        try:
            with _opened(file) as lines:
                yield from _read(file, lines)
        except OSError as error:
            raise UnreadableRecords(file, error) from error


def _opened(file: Path) -> BinaryIO | gzip.GzipFile:
    with file.open("rb") as opened:
        compressed = opened.read(len(_GZIP)) == _GZIP
    return gzip.open(file) if compressed else file.open("rb")


def _read(file: Path, lines: BinaryIO | gzip.GzipFile) -> Iterator[tuple[Path, int, dict[str, Any]] | DamagedLine]:
    number = 0
    try:
        while line := lines.readline(MAX_LINE):
            number += 1
            found = _object(line)
            yield DamagedLine(file, number, found) if isinstance(found, str) else (file, number, found)
            while line and not line.endswith(b"\n"):  # the rest of a line that is too long
                line = lines.readline(MAX_LINE)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield DamagedLine(file, number + 1, f"and all that follows: {error}")


def _object(line: bytes) -> dict[str, Any] | str:
    """A text says what is wrong with the line."""
    if not line.endswith(b"\n"):
        return "it is cut off" if len(line) < MAX_LINE else f"it has more than {MAX_LINE} bytes"
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return "it is not JSON"
    return read if isinstance(read, dict) else "it is no JSON object"


def _mapping(read: dict[str, Any]) -> MappingRecord:
    """Raises ValueError: a field is missing or of another type."""
    account = _text(read, "account")
    assert account is not None
    return MappingRecord(
        time=_time(_text(read, "time")),
        account=account,
        lease=_text(read, "lease"),
        subject=_text(read, "subject"),
        fqans=_fqans(read),
        client=_text(read, "client"),
        address=_text(read, "address"),
        vo=_text(read, "vo"),
        decision=_text(read, "decision"),
        request_id=_text(read, "request_id"),
        query_id=_text(read, "query_id"),
        ruling=_ruling(read),
    )


def _ruling(read: dict[str, Any]) -> Ruling:
    decided_by = _texts(read, "decided_by")
    return Ruling(decided_by, _text(read, "reason") if decided_by else None)


def _text(read: dict[str, Any], name: str) -> str | None:
    value = read.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"its {name} is no text")
    return value


def _fqans(read: dict[str, Any]) -> tuple[str, ...]:
    primary = _text(read, "fqan")
    first = () if primary is None else (primary,)
    return tuple(dict.fromkeys((*first, *_texts(read, "fqans"))))


def _texts(read: dict[str, Any], name: str) -> tuple[str, ...]:
    listed = read.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise ValueError(f"its {name} are no list of texts")
    return tuple(listed)


def _time(text: str | None) -> datetime:
    try:
        time = datetime.fromisoformat(text or "")
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"its time {text!r} is none, or has no zone")
