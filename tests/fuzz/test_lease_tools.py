"""Readers of what others wrote: names in a gridmapdir, lines of records, the status of processes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.observe.records import DamagedLine, MappingRecord, read_mappings
from argus_py.pep.mapping.lease_name import lease_name
from argus_py.store.account_use import UseUnknown, uids_with_processes
from argus_py.store.lease_files import LeaseName, person_key, read_lease_name

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
GROUPS = st.lists(st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
@example("%2f%2")
@example(":::")
@example("%ff%2f:mapcount=")
def test_any_file_name_is_read(name: str) -> None:
    read = read_lease_name(name)
    assert isinstance(read, LeaseName)
    person_key(read.dn)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["CN", "O", "DC", "UID", "emailAddress"]), TEXTS), min_size=1), GROUPS)
def test_who_was_named_is_found_again_by_the_name_of_the_lease(
    attributes: list[tuple[str, str]], groups: list[str]
) -> None:
    try:
        dn = DistinguishedName.parse_slash("".join(f"/{label}={value}" for label, value in attributes))
    except DnSyntaxError:
        return
    read = read_lease_name(lease_name(dn, groups))
    assert read.groups == tuple(groups)
    if "\\" not in dn.slash():  # an escape of control characters and of letters beyond ASCII may run into digits
        assert person_key(read.dn) == person_key(dn)


LINES = st.one_of(
    st.binary(max_size=200),
    st.recursive(st.none() | st.booleans() | st.floats() | TEXTS, lambda inner: st.lists(inner) | inner).map(
        lambda value: json.dumps(value).encode()
    ),
    st.fixed_dictionaries(
        {"time": st.just("2026-11-22T06:19:23Z") | TEXTS, "account": TEXTS | st.integers()},
        optional={
            name: st.none() | TEXTS | st.integers() | st.lists(TEXTS)
            for name in ("lease", "subject", "fqan", "fqans", "client", "address")
        },
    ).map(lambda value: json.dumps(value).encode()),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lease-tools")


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(LINES, max_size=5))
def test_any_line_is_a_record_or_told_as_damaged_and_the_others_are_read(scratch: Path, lines: list[bytes]) -> None:
    good: dict[str, Any] = {"time": "2026-11-22T06:19:23Z", "account": "the last one"}
    file = scratch / "audit.jsonl"
    file.write_bytes(b"\n".join([b"{}", *lines, json.dumps(good).encode() + b"\n"]))  # no line that begins as gzip

    found = list(read_mappings([file]))

    assert all(isinstance(each, MappingRecord | DamagedLine) for each in found)
    assert isinstance(found[-1], MappingRecord)
    assert found[-1].account == "the last one"


@settings(max_examples=100, deadline=None)
@given(damaged=st.binary(max_size=300))
def test_any_compressed_file_is_read_or_told_as_damaged(scratch: Path, damaged: bytes) -> None:
    file = scratch / "audit.jsonl.gz"
    file.write_bytes(b"\x1f\x8b\x08\x00" + damaged)
    assert all(isinstance(each, MappingRecord | DamagedLine) for each in read_mappings([file]))


@settings(max_examples=100, deadline=None)
@given(status=st.binary(max_size=200) | st.text().map(lambda text: f"Uid:\t{text}".encode()))
def test_a_status_tells_uids_or_that_nobody_knows(scratch: Path, status: bytes) -> None:
    (scratch / "proc" / "1").mkdir(parents=True, exist_ok=True)
    (scratch / "proc" / "1" / "status").write_bytes(status)
    try:
        assert uids_with_processes(scratch / "proc")
        assert re.search(rb"^Uid:", status, re.MULTILINE)
    except UseUnknown:
        pass
