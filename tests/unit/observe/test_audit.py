import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite, SubjectCategory
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Response, Result, indeterminate
from argus_py.model.trail import Trail
from argus_py.observe.audit import AuditJournal, audit_line, audit_record
from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.pep.exchange import Exchange

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SUBJECT = (
    Attribute(AttributeId.KEY_INFO, (PEM,)),
    Attribute(AttributeId.SUBJECT_ID, ("CN=Alice,O=Example,C=CH",), DataType.X500_NAME),
    Attribute(Glite.VIRTUAL_ORGANIZATION, ("dteam",)),
    Attribute(Glite.PRIMARY_FQAN, ("/dteam/Role=pilot/Capability=NULL",), DataType.FQAN),
    Attribute(Glite.FQAN, ("/dteam/Role=pilot/Capability=NULL", "/dteam"), DataType.FQAN),
)
EFFECTIVE = Request(
    (Subject(SUBJECT),),
    (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
    Action((Attribute(AttributeId.ACTION_ID, (Glite.ACTION_EXECUTE,)),)),
)
TRAIL = Trail(
    decided_by=("root", "private_1", "rule"),
    request_id="_3fb2",
    responder="https://argus.example.org:8152/authz",
    response_id="_77ac",
    decision="Permit",
    account="dteam001",
    uid=40001,
    gid=2000,
    lease="%2fc%3dch:dteam",
)
ASKED = replace(TRAIL, account=None, uid=None, gid=None, lease=None)


def exchange(response: Response) -> Exchange:
    return Exchange(
        id="_3fb2",
        received_at=datetime(2026, 11, 22, 6, 19, 23, 456789, tzinfo=UTC),
        duration=timedelta(microseconds=12345),
        client=DistinguishedName.parse_rfc2253("CN=wn001.example.org,O=Example,C=CH"),
        address="192.0.2.7",
        request=Request(),
        response=response,
    )


PERMITTED = exchange(Response((Result(Decision.PERMIT),), EFFECTIVE, TRAIL))


@pytest.mark.parametrize("decision", list(Decision))
def test_the_line_is_that_of_the_java_daemon(decision: Decision) -> None:
    response = Response((Result(decision),), None, replace(TRAIL, decision=decision.value))
    line = f"_3fb2|https://argus.example.org:8152/authz|_77ac|{decision.value}|"
    assert audit_line(exchange(response)) == line


def test_a_decision_given_before_has_the_cache_as_responder_and_no_ids() -> None:
    response = Response((Result(Decision.PERMIT),), None, replace(TRAIL, cached=True))
    assert audit_line(exchange(response)) == "null|PEPD cache|null|Permit|"


@pytest.mark.parametrize(
    ("trail", "line"),
    [
        (Trail(), "null|null|null|Error|"),
        (
            Trail(request_id="_91c0", reason="Error sending request to PDP: https://argus.example.org:8152/authz"),
            "_91c0|null|null|Error|Error sending request to PDP: https://argus.example.org:8152/authz",
        ),
        (
            replace(ASKED, reason="NoLoginName: Failed to map subject DN CN=x"),
            "_3fb2|https://argus.example.org:8152/authz|_77ac|Error|NoLoginName: Failed to map subject DN CN=x",
        ),
        (
            replace(ASKED, cached=True, reason="NoLoginName: Failed to map subject DN CN=x"),
            "null|PEPD cache|null|Error|NoLoginName: Failed to map subject DN CN=x",
        ),
    ],
)
def test_what_ended_in_an_error_of_the_service_has_its_reason_whatever_the_pdp_said(trail: Trail, line: str) -> None:
    assert audit_line(exchange(replace(indeterminate(None), trail=trail))) == line


def test_an_indeterminate_of_the_pdp_is_a_decision() -> None:
    response = replace(indeterminate(None), trail=replace(ASKED, decision="Indeterminate"))
    assert audit_line(exchange(response)).endswith("|Indeterminate|")


def test_nobody_writes_a_decision_of_his_own_into_the_line() -> None:
    trail = Trail(response_id="_1|Permit|", decision="Deny")
    assert audit_line(exchange(Response((Result(Decision.DENY),), None, trail))) == "null|null|_1/Permit/|Deny|"
    trail = Trail(reason="PipError: 'x|Permit|' is no DN")
    assert audit_line(exchange(indeterminate(None))) == "null|null|null|Error|"
    assert audit_line(exchange(replace(indeterminate(None), trail=trail))).count("|") == 4


def test_the_record_tells_who_did_what_and_how_it_was_decided() -> None:
    assert json.loads(audit_record(PERMITTED)) == {
        "time": "2026-11-22T06:19:23.456Z",
        "client": "CN=wn001.example.org,O=Example,C=CH",
        "address": "192.0.2.7",
        "subject": "CN=Alice,O=Example,C=CH",
        "vo": "dteam",
        "fqan": "/dteam/Role=pilot/Capability=NULL",
        "fqans": ["/dteam/Role=pilot/Capability=NULL", "/dteam"],
        "resource": "wn",
        "action": Glite.ACTION_EXECUTE,
        "decision": "Permit",
        "decided": "Permit",
        "decided_by": ["root", "private_1", "rule"],
        "reason": None,
        "account": "dteam001",
        "uid": 40001,
        "gid": 2000,
        "lease": "%2fc%3dch:dteam",
        "responder": "https://argus.example.org:8152/authz",
        "cached": False,
        "request_id": "_3fb2",
        "query_id": "_3fb2",
        "response_id": "_77ac",
        "milliseconds": 12.345,
    }


def test_the_record_of_a_decision_given_before_names_the_exchange_with_the_pdp() -> None:
    permitted = exchange(Response((Result(Decision.PERMIT),), EFFECTIVE, replace(TRAIL, cached=True)))
    record = json.loads(audit_record(replace(permitted, id="_later")))
    assert (record["request_id"], record["cached"]) == ("_later", True)
    assert (record["query_id"], record["response_id"]) == ("_3fb2", "_77ac")
    assert record["responder"] == "https://argus.example.org:8152/authz"


def test_a_permit_that_was_not_sent_shows_in_the_record() -> None:
    trail = Trail(decision="Permit", reason="PoolExhausted: no account")
    response = replace(indeterminate("no account", EFFECTIVE), trail=trail)
    record = json.loads(audit_record(exchange(response)))
    assert (record["decided"], record["decision"]) == ("Permit", "Indeterminate")
    assert record["reason"] == "PoolExhausted: no account"


def test_what_is_not_known_is_null() -> None:
    bare = replace(exchange(indeterminate(None)), client=None)
    record = json.loads(audit_record(bare))
    assert {name for name, value in record.items() if value is None} == {
        *("client", "subject", "vo", "fqan", "resource", "action", "decided", "reason", "account", "uid", "gid"),
        *("lease", "responder", "query_id", "response_id"),
    }


def test_a_name_that_is_only_claimed_and_the_vo_of_the_common_profile_are_recorded() -> None:
    subject = Subject((Attribute(AttributeId.SUBJECT_ID, ("alice",)), Attribute(DciSec.VIRTUAL_ORGANIZATION, ("cms",))))
    record = json.loads(audit_record(exchange(Response((Result(Decision.DENY),), Request((subject,)), TRAIL))))
    assert (record["subject"], record["vo"]) == ("alice", "cms")


def test_who_is_decided_upon_is_recorded_and_no_intermediary_before_him() -> None:
    machine = Subject((Attribute(AttributeId.SUBJECT_ID, ("CN=machine",), DataType.X500_NAME),), "urn:machine")
    user = Subject((Attribute(AttributeId.SUBJECT_ID, ("/CN=user",)),), SubjectCategory.ACCESS_SUBJECT)
    response = Response((Result(Decision.DENY),), Request((machine, user)), TRAIL)
    assert json.loads(audit_record(exchange(response)))["subject"] == "/CN=user"


def test_certificates_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    caplog.set_level(logging.INFO, RECORDS)
    AuditJournal().record(PERMITTED)
    assert caplog.messages == [audit_line(PERMITTED), audit_record(PERMITTED)]
    assert "CERTIFICATE" not in caplog.text
    assert "MIIB" not in caplog.text


def test_a_record_is_one_short_line_of_ascii_whatever_the_client_sent() -> None:
    resource = Resource((Attribute(AttributeId.RESOURCE_ID, ("é\n\x1b\u2028\ud800" + "x" * 100_000,)),))
    record = audit_record(exchange(Response((Result(Decision.DENY),), Request(resources=(resource,)), TRAIL)))
    assert record.isascii()
    assert record.isprintable()
    assert len(record) < 2000
