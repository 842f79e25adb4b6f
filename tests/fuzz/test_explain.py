"""Questions on the admin port and files on the command line: an answer or a refusal, whatever they hold."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argus_py.cli.policy_files import FileRefused, read_policies
from argus_py.model.response import Decision
from argus_py.pdp.engine import Engine
from argus_py.pdp.explanation import explained
from argus_py.pdp.question import Question
from argus_py.pdp.trace_json import explanation_as_json
from argus_py.pdp.trace_text import format_explanation
from argus_py.snapshot import Snapshot
from argus_py.web.explain import explaining
from argus_py.xacml.index import compile_policy
from argus_py.xacml.policy_xml import read_policy_set

VECTORS = Path(__file__).parents[1] / "vectors"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = (VECTORS / "xacml" / "policy-two-paps.xml").read_bytes()
TEXT = b'resource "wn" { obligation "map" { vo="x" } action ".*" { rule permit { vo="dteam" fqan="/dteam" } } }\n'
POLICY = Snapshot("policy", lambda: compile_policy(read_policy_set(DOCUMENT)), lambda: NOW)
POLICY.refresh()
ANSWER = explaining(Engine(POLICY, lambda: NOW))
QUESTION: dict[str, Any] = {"subject": "/C=CH/CN=Alice", "resource": "wn", "action": "run", "fqans": ["/dteam"]}
ASKED = Question.parse("/C=CH/CN=Alice", "wn", "run", fqans=["/dteam"]).request()

texts = st.one_of(st.sampled_from(["/C=CH/CN=x", "CN=x", "/vo/Role=a", "grid-ce", "common", "text", ""]), st.text())
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
fields = st.dictionaries(
    st.one_of(st.sampled_from([*QUESTION, "issuers", "profile", "output", "whole"]), st.text(max_size=3)),
    values,
    max_size=3,
)


def mutated(data: st.DataObject, octets: bytes) -> bytes:
    """With a piece in the place of another one."""
    start = data.draw(st.integers(0, len(octets)))
    end = data.draw(st.integers(start, min(len(octets), start + 40)))
    return octets[:start] + data.draw(st.binary(max_size=8)) + octets[end:]


@settings(max_examples=200, deadline=None)
@given(fields)
def test_a_question_is_answered_or_refused(changed: dict[str, Any]) -> None:
    response = ANSWER(json.dumps({**QUESTION, **changed}).encode())
    assert response.status_code in (200, 400)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_question_is_answered_or_refused(data: st.DataObject) -> None:
    response = ANSWER(mutated(data, json.dumps(QUESTION).encode()))
    assert response.status_code in (200, 400)


@pytest.mark.parametrize("original", [TEXT, DOCUMENT], ids=["text", "document"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_policy_file_is_explained_or_refused(original: bytes, data: st.DataObject, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_bytes(mutated(data, original))
    try:
        given_policies = read_policies([file])
    except FileRefused:
        return
    explanation = explained(given_policies.root, ASKED, NOW)
    for whole in (False, True):
        lines = format_explanation(explanation, whole, given_policies.lines).splitlines()
        assert lines[0] in {f"Decision: {decision.value}" for decision in Decision}
    json.dumps(explanation_as_json(explanation, given_policies.lines))
