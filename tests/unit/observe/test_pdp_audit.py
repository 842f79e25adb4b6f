import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from argus_py.errors import Unavailable
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Response, Result, indeterminate
from argus_py.model.trail import Trail
from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.observe.pdp_audit import PdpAuditJournal, audit_line, audit_record
from argus_py.pdp.exchange import Exchange
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import Combining, PolicySet

NOW = datetime(2026, 2, 3, 4, 5, 6, 789000, UTC)
PERMITTED = Exchange(
    received_at=NOW,
    duration=timedelta(microseconds=1500),
    client=DistinguishedName.parse_rfc2253("CN=pep.example.org,O=Example,C=CH"),
    address="192.0.2.7",
    issuer="http://argus.example.org/pepd",
    request=Request(
        (Subject((Attribute(AttributeId.SUBJECT_ID, ("CN=Alice,C=CH",)),)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
        Action((Attribute(AttributeId.ACTION_ID, ("execute",)),)),
    ),
    response=Response(
        (Result(Decision.PERMIT),),
        trail=Trail(("root-x", "x", "rule"), "rule permits", request_id="_q", response_id="_r"),
    ),
)
POLICY = PolicySet("root-x", Combining.POLICIES_FIRST_APPLICABLE, version="7")
UNREAD = replace(PERMITTED, client=None, issuer=None, request=None, response=indeterminate("unreadable"))


def snapshot(policy: CompiledPolicy | None) -> Snapshot[CompiledPolicy]:
    def load() -> CompiledPolicy:
        if policy is None:
            raise Unavailable("no PAP")
        return policy

    loaded = Snapshot("policy", load, lambda: NOW)
    loaded.refresh()
    return loaded


def test_the_line_is_that_of_the_java_pdp() -> None:
    line = audit_line(PERMITTED, POLICY)
    assert line == "http://argus.example.org/pepd|_q|root-x|7|Permit|_r|"


def test_what_is_missing_is_the_word_null() -> None:
    assert audit_line(UNREAD, None) == "null|null|null|null|Indeterminate|null|"


def test_a_bar_in_what_the_peer_says_makes_no_field() -> None:
    assert audit_line(replace(PERMITTED, issuer="a|Permit|b"), POLICY).count("|") == 6


def test_the_record_says_who_what_and_by_which_rule() -> None:
    assert json.loads(audit_record(PERMITTED)) == {
        "time": "2026-02-03T04:05:06.789Z",
        "client": "CN=pep.example.org,O=Example,C=CH",
        "address": "192.0.2.7",
        "issuer": "http://argus.example.org/pepd",
        "subject": "CN=Alice,C=CH",
        "vo": None,
        "fqan": None,
        "fqans": [],
        "resource": "wn",
        "action": "execute",
        "decision": "Permit",
        "decided_by": ["root-x", "x", "rule"],
        "reason": "rule permits",
        "request_id": "_q",
        "response_id": "_r",
        "milliseconds": 1.5,
    }


def test_the_record_of_a_request_that_was_not_read_says_why() -> None:
    record = json.loads(audit_record(UNREAD))
    assert (record["client"], record["subject"], record["resource"], record["action"]) == (None, None, None, None)
    assert (record["decision"], record["reason"]) == ("Indeterminate", "unreadable")


def test_long_texts_are_cut() -> None:
    exchange = replace(PERMITTED, issuer="x" * 5000)
    assert len(json.loads(audit_record(exchange))["issuer"]) < 1100
    assert len(audit_line(exchange, POLICY)) < 1200


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        (compile_policy(POLICY), "root-x|7"),
        (None, "null|null"),
    ],
)
def test_the_journal_writes_line_and_record_with_the_policy_in_force(
    policy: CompiledPolicy | None, fields: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, AUDIT), caplog.at_level(logging.INFO, RECORDS):
        PdpAuditJournal(snapshot(policy)).record(PERMITTED)
    line, record = caplog.records
    assert (line.name, line.message) == (AUDIT, f"http://argus.example.org/pepd|_q|{fields}|Permit|_r|")
    assert (record.name, json.loads(record.message)["request_id"]) == (RECORDS, "_q")
