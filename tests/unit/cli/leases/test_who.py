"""who: account and minute lead to user, VO, pilot, host, decision and rule."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from argus_py.cli.leases.command import Exit

if TYPE_CHECKING:
    from tests.unit.cli.leases.conftest import Leases, Outcome

MAPPED: dict[str, Any] = {
    "time": "2026-11-10T06:19:02.5Z",
    "client": "CN=Pilot,DC=CH",
    "address": "192.0.2.7",
    "subject": "CN=Alice,DC=CH",
    "vo": "dteam",
    "fqan": "/dteam",
    "fqans": ["/dteam", "/dteam/sub"],
    "account": "dteam002",
    "lease": "%2fdc%3dch%2fcn%3dalice:dteam",
    "decision": "Permit",
    "request_id": "_1",
    "query_id": "_1",
    "decided_by": [],
    "reason": None,
}
RULED: dict[str, Any] = {
    "time": "2026-11-10T06:19:02.6Z",
    "client": "CN=pepd",
    "issuer": "https://pepd",
    "decision": "Permit",
    "request_id": "_1",
    "decided_by": ["root", "default", "rule-7"],
    "reason": 'rule permit { vo="dteam" }',
}
Ask = Callable[..., "Outcome"]


@pytest.fixture
def ask(leases: "Leases", tmp_path: Path) -> Ask:
    """Who was dteam002 at 06:19, by these records of PEP daemon and PDP?"""

    def ask(pep: list[dict[str, Any]], pdp: list[dict[str, Any]], *more: str) -> "Outcome":
        files = []
        for name, records in (("pep", pep), ("pdp", pdp)):
            files.append(tmp_path / f"{name}.jsonl")
            files[-1].write_text("".join(json.dumps(record) + "\n" for record in records))
        at = () if "--at" in more else ("--at", "2026-11-10T06:19")
        return leases("who", "dteam002", *at, *more, "--records", *map(str, files))

    return ask


def test_account_and_minute_lead_to_everything_that_is_asked_for(ask: Ask) -> None:
    outcome = ask([MAPPED], [RULED])
    assert (outcome.exit, outcome.err) == (Exit.FINE, "")
    assert outcome.lines == [
        "dteam002, given at 2026-11-10T06:19:02Z",
        "  user      /DC=CH/CN=Alice",
        "  VO        dteam",
        "  FQANs     /dteam,/dteam/sub",
        "  pilot     /DC=CH/CN=Pilot",
        "  host      192.0.2.7",
        "  decision  Permit",
        '  rule      rule permit { vo="dteam" }',
        "  policies  root > default > rule-7",
        "  request   _1",
    ]


def test_json_has_the_same(ask: Ask) -> None:
    [holder] = ask([MAPPED], [RULED], "--output", "json").json["holders"]
    assert holder == {
        "account": "dteam002",
        "given": "2026-11-10T06:19:02Z",
        "lease": "%2fdc%3dch%2fcn%3dalice:dteam",
        "subject": "CN=Alice,DC=CH",
        "vo": "dteam",
        "fqans": ["/dteam", "/dteam/sub"],
        "client": "CN=Pilot,DC=CH",
        "address": "192.0.2.7",
        "decision": "Permit",
        "rule": 'rule permit { vo="dteam" }',
        "decided_by": ["root", "default", "rule-7"],
        "request_id": "_1",
    }


def test_all_daemons_in_one_process_need_no_other_records(ask: Ask) -> None:
    ours = {**MAPPED, "decided_by": ["root", "rule-1"], "reason": "ours"}
    assert "  rule      ours" in ask([ours], [{**RULED, "reason": "another's"}]).lines


def test_a_decision_of_the_cache_has_the_rule_of_the_query_it_is_from(ask: Ask) -> None:
    cached = {**MAPPED, "request_id": "_9", "query_id": "_1", "cached": True}
    lines = ask([cached], [{**RULED, "request_id": "_9", "reason": "another's"}, RULED]).lines
    assert lines[-3:] == [
        '  rule      rule permit { vo="dteam" }',
        "  policies  root > default > rule-7",
        "  request   _9",
    ]


def test_without_the_records_of_the_pdp_it_is_told_what_is_missing(ask: Ask) -> None:
    outcome = ask([MAPPED], [])
    assert "  rule      -" in outcome.lines
    assert "add its audit.jsonl to --records" in outcome.err


def test_the_one_before_and_everybody_in_that_minute_are_told_and_nobody_else(ask: Ask) -> None:
    def at(time: str, name: str, **changes: str) -> dict[str, Any]:
        return {**MAPPED, "time": time, "subject": f"CN={name}", "lease": f"%2fcn%3d{name.lower()}", **changes}

    records = [
        at("2026-11-10T05:00:00Z", "Older"),
        at("2026-11-10T06:18:00Z", "Before"),
        at("2026-11-10T06:18:59Z", "Refused", decision="Indeterminate"),
        at("2026-11-10T06:19:30Z", "Meanwhile"),
        at("2026-11-10T06:19:30Z", "Elsewhere", account="dteam003"),
        at("2026-11-10T06:20:00Z", "After"),
    ]
    users = [line.split("=")[1] for line in ask(records, [RULED]).lines if line.startswith("  user")]
    assert users == ["Before", "Meanwhile"]


def test_nobody_is_a_problem(ask: Ask) -> None:
    outcome = ask([MAPPED], [RULED], "--at", "2026-11-10T06:18")
    assert (outcome.exit, outcome.out) == (Exit.PROBLEMS, "")
    assert outcome.err == "argus leases: these records have nobody who was given dteam002 by then\n"


def test_control_characters_of_a_name_make_no_line(ask: Ask) -> None:
    outcome = ask([{**MAPPED, "subject": "CN=Eve\n  decision  Deny", "vo": "a\nb"}], [RULED])
    assert len(outcome.lines) == 10


def test_a_damaged_line_is_told_once_and_a_problem(ask: Ask) -> None:
    outcome = ask([MAPPED, {**MAPPED, "time": "never"}], [RULED])
    assert outcome.exit is Exit.PROBLEMS
    assert outcome.err.count("pep.jsonl:2: skipped") == 1
    assert len(outcome.lines) == 10
