"""POST /explain: questions in JSON, explanations as text or JSON, and what is answered to questions that are none."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.responses import Response

from argus_py.errors import Unavailable
from argus_py.pdp.engine import Engine
from argus_py.snapshot import Snapshot
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.web.explain import explaining
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import Combining, PolicySet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = 'resource "wn" { action "run" { rule deny { emi-group="/dteam/x" } rule permit { vo="dteam" } } }'
QUESTION = {"subject": "/C=CH/CN=Alice", "resource": "wn", "action": "run", "fqans": ["/dteam"]}

Ask = Callable[..., Response]


def engine_with(policy: CompiledPolicy | None) -> Engine:
    def load() -> CompiledPolicy:
        if policy is None:
            raise Unavailable("no PAP")
        return policy

    snapshot = Snapshot("policy", load, lambda: NOW)
    snapshot.refresh()
    return Engine(snapshot, lambda: NOW)


@pytest.fixture
def ask() -> Ask:
    elements = lower(parse(POLICY), DEFAULT_MAPPINGS, iter("0123").__next__)
    explain = explaining(engine_with(compile_policy(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, elements))))
    return lambda **fields: explain(json.dumps({**QUESTION, **fields}).encode())


def told(response: Response) -> dict[str, Any]:
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    read: dict[str, Any] = json.loads(bytes(response.body))
    return read


def test_the_answer_is_json_unless_text_is_asked_for(ask: Ask) -> None:
    answer = told(ask())
    assert (answer["decision"], answer["decided_by"]) == ("Permit", ["root", "0", "public_1", "3"])


def test_text_is_short_or_whole(ask: Ask) -> None:
    short, whole = ask(output="text"), ask(output="text", whole=True)
    assert short.headers["content-type"] == "text/plain;charset=utf-8"
    for response in (short, whole):
        assert bytes(response.body).startswith(b"Decision: Permit\nBy: rule permit")


def test_all_fields_count(ask: Ask) -> None:
    assert told(ask(fqans=[]))["decision"] == "NotApplicable"
    assert told(ask(action="stop"))["decision"] == "NotApplicable"
    assert told(ask(profile="common", fqans=["/dteam/x"]))["decision"] == "Deny"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"subject": "Alice"}, "Alice"),
        ({"subject": ""}, "subject: the DN is empty"),
        ({"fqans": ["dteam"]}, "not an FQAN: 'dteam'"),
        ({"issuers": ["x"]}, "x"),
        ({"resource": 7}, "resource: Input should be a valid string"),
        ({"resource": None}, "resource: Input should be a valid string"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"profile": "other"}, "profile: Input should be 'grid-wn', 'grid-ce' or 'common'"),
        ({"whole": "yes"}, "whole: Input should be a valid boolean"),
        ({"fqans": ["/a"] * 501}, "fqans: more than 500 of them"),
    ],
)
def test_what_is_no_question_is_answered_400_with_the_reason(ask: Ask, fields: dict[str, Any], reason: str) -> None:
    response = ask(**fields)
    assert response.status_code == 400
    assert reason in bytes(response.body).decode()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"subject": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_object_is_answered_400(body: bytes) -> None:
    assert explaining(engine_with(None))(body).status_code == 400


def test_without_a_policy_the_answer_is_503() -> None:
    response = explaining(engine_with(None))(json.dumps(QUESTION).encode())
    assert (response.status_code, bytes(response.body)) == (503, b"no policy has been loaded yet: no PAP\n")
