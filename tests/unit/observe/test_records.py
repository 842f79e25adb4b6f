import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.observe.records import (
    MAX_LINE,
    DamagedLine,
    MappingRecord,
    Ruling,
    UnreadableRecords,
    read_mappings,
    read_rulings,
)

LEASE = "%2fcn%3dalice:dteam"
FIELDS: dict[str, Any] = {
    "time": "2026-11-22T06:19:23.456Z",
    "client": "CN=ce01,O=Example",
    "address": "192.0.2.7",
    "subject": "CN=Alice",
    "fqan": "/dteam/Role=pilot",
    "account": "dteam001",
    "lease": LEASE,
}
RECORD = MappingRecord(
    time=datetime(2026, 11, 22, 6, 19, 23, 456000, UTC),
    account="dteam001",
    lease=LEASE,
    subject="CN=Alice",
    fqans=("/dteam/Role=pilot",),
    client="CN=ce01,O=Example",
    address="192.0.2.7",
)


def line(**changes: Any) -> bytes:
    return json.dumps({**FIELDS, **changes}).encode() + b"\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def read(*files: Path) -> list[MappingRecord | DamagedLine]:
    return list(read_mappings(files))


def test_a_record_tells_who_got_which_account_when(file: Path) -> None:
    file.write_bytes(line())
    assert read(file) == [RECORD]


def test_what_is_not_known_is_missing(file: Path) -> None:
    file.write_bytes(line(client=None, subject=None, fqan=None, lease=None))
    [found] = read(file)
    assert isinstance(found, MappingRecord)
    assert (found.client, found.subject, found.fqans, found.lease) == (None, None, (), None)


def test_all_fqans_are_read_where_they_are_told(file: Path) -> None:
    file.write_bytes(line(fqans=["/dteam/Role=pilot", "/dteam"]))
    [found] = read(file)
    assert isinstance(found, MappingRecord)
    assert found.fqans == ("/dteam/Role=pilot", "/dteam")


def test_a_mapping_is_told_with_its_decision_and_the_ids_of_both_daemons(file: Path) -> None:
    told = {"vo": "dteam", "decision": "Permit", "request_id": "_1", "query_id": "_0", "reason": "in words"}
    file.write_bytes(line(**told, decided_by=["root", "rule"]) + line(**told, decided_by=[]))
    ruled, unruled = read(file)
    assert isinstance(ruled, MappingRecord)
    assert isinstance(unruled, MappingRecord)
    assert (ruled.vo, ruled.decision, ruled.request_id, ruled.query_id) == ("dteam", "Permit", "_1", "_0")
    assert ruled.ruling == Ruling(("root", "rule"), "in words")
    assert unruled.ruling == Ruling()


def test_rulings_are_found_by_id_in_the_records_of_the_pdp(file: Path) -> None:
    ours = {"account": None, "request_id": "_1", "decided_by": ["root", "rule"], "reason": "in words"}
    file.write_bytes(
        line(request_id="_1", decided_by=[])
        + b"no record\n"
        + line(**{**ours, "decided_by": "rule"})
        + line(**{**ours, "request_id": "_2"})
        + line(**{**ours, "request_id": None})
        + line(**ours)
    )
    assert read_rulings([file], {"_1", "_3"}) == {"_1": Ruling(("root", "rule"), "in words")}
    with pytest.raises(UnreadableRecords):
        read_rulings([file.with_name("none")], {"_1"})


def test_requests_without_an_account_are_passed_over(file: Path) -> None:
    file.write_bytes(line(account=None) + line() + b'{"decision": "Deny"}\n')
    assert read(file) == [RECORD]


def test_rotated_files_may_be_compressed_whatever_they_are_called(file: Path, tmp_path: Path) -> None:
    file.write_bytes(line())
    (tmp_path / "audit.jsonl-20261121").write_bytes(gzip.compress(line(account="dteam002")))
    found = read(tmp_path / "audit.jsonl-20261121", file)
    assert [record.account for record in found if isinstance(record, MappingRecord)] == ["dteam002", "dteam001"]


def test_an_empty_file_has_no_records(file: Path) -> None:
    file.touch()
    assert read(file) == []


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (b"\n", "it is not JSON"),
        (b'{"time": "2026-11-2{"time": \n', "it is not JSON"),
        (b"[" * 100_000 + b"\n", "it is not JSON"),
        (b"\xff\xfe\n", "it is not JSON"),
        (b"[]\n", "it is no JSON object"),
        (line(account=7), "its account is no text"),
        (line(subject=["CN=Alice"]), "its subject is no text"),
        (line(fqans="/dteam"), "its fqans are no list of texts"),
        (line(fqans=[1]), "its fqans are no list of texts"),
        (line(decided_by=7), "its decided_by are no list of texts"),
        (line(query_id=7), "its query_id is no text"),
        (line(time=None), "its time None is none, or has no zone"),
        (line(time="yesterday"), "its time 'yesterday' is none, or has no zone"),
        (line(time="2026-11-22T06:19:23"), "its time '2026-11-22T06:19:23' is none, or has no zone"),
        (line(time="0001-01-01T00:00:00+23:00"), "its time '0001-01-01T00:00:00+23:00' is none, or has no zone"),
        (b"x" * MAX_LINE + b"y\n", f"it has more than {MAX_LINE} bytes"),
    ],
)
def test_a_damaged_line_is_told_and_skipped(damaged: bytes, reason: str, file: Path) -> None:
    file.write_bytes(line() + damaged + line())
    assert read(file) == [RECORD, DamagedLine(file, 2, reason), RECORD]


def test_a_last_line_without_its_end_is_cut_off(file: Path) -> None:
    file.write_bytes(line() + line()[:40])
    assert [str(each) for each in read(file)[1:]] == [f"{file}:2: skipped, it is cut off"]


def test_a_compressed_file_that_is_cut_off_is_good_up_to_there(file: Path) -> None:
    lines = b"".join(line(address=f"192.0.2.{number}") for number in range(2000))
    file.write_bytes(gzip.compress(lines)[:-2000])
    *good, last = read(file)
    assert len(good) > 10
    assert isinstance(last, DamagedLine)
    assert last.reason.startswith("and all that follows: ")


def test_a_compressed_file_that_is_damaged_is_told(file: Path) -> None:
    data = bytearray(gzip.compress(line() * 10))
    data[12:20] = b"\0" * 8
    file.write_bytes(data)
    [only] = read(file)
    assert isinstance(only, DamagedLine)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecords, match=f"{tmp_path}/audit.jsonl: No such file or directory"):
        read(tmp_path / "audit.jsonl")
