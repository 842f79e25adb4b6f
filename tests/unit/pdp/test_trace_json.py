"""Explanations as programs read them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect
from argus_py.pdp.explanation import explained
from argus_py.pdp.question import Question
from argus_py.pdp.trace_json import explanation_as_json
from argus_py.xacml.policy import (
    AttributeSelector,
    AttributeValue,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    Target,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = 'resource "wn" { obligation "map" { vo="x" } action "run" { rule deny { vo="a" } rule permit { vo="b" } } }'
XACML = "urn:oasis:names:tc:xacml:1.0:"
REQUEST = Question.parse("/C=CH/CN=Alice", "wn", "run", fqans=["/b"]).request()


def test_it_is_the_decision_what_made_it_and_the_way_as_a_tree(root_of: Callable[[str], PolicySet]) -> None:
    root = root_of(POLICY)
    told = explanation_as_json(explained(root, REQUEST, NOW), {"3": 1})
    trace = told.pop("trace")
    assert told == {
        "decision": "Permit",
        "reason": 'rule permit { vo="b" } of action "run" of resource "wn" of pap "default"',
        "status": None,
        "decided_by": [root.id, root.children[0].id, "0", "public_1", "3"],
        "pap": "default",
        "line": 1,
        "obligations": [
            {"id": "map", "attributes": [{"id": "http://glite.org/xacml/attribute/virtual-organization", "value": "x"}]}
        ],
    }
    (pap,) = trace["children"]
    (resource,) = pap["children"]
    (action,) = resource["children"]
    assert [(each["kind"], each["text"], each["decision"]) for each in (trace, pap, resource, action)] == [
        ("PolicySet", None, "Permit"),
        ("PolicySet", 'pap "default"', "Permit"),
        ("PolicySet", 'resource "wn"', "Permit"),
        ("Policy", 'action "run"', "Permit"),
    ]
    assert action["children"][0] == {
        "kind": "Rule",
        "id": "2",
        "line": None,
        "text": 'rule deny { vo="a" }',
        "decision": "NotApplicable",
        "explanation": "its target does not match: http://glite.org/xacml/attribute/virtual-organization "
        "does not match 'a'",
        "target": "NoMatch",
        "condition": None,
        "matches": [
            {
                "category": "Subject",
                "attribute": "http://glite.org/xacml/attribute/virtual-organization",
                "issuer": None,
                "function": XACML + "function:string-equal",
                "value": "a",
                "found": ["b"],
                "values_found": 1,
                "matching": None,
                "outcome": "NoMatch",
            }
        ],
        "children": [],
        "omitted": 0,
    }
    (match,) = action["children"][1]["matches"]
    assert (match["outcome"], match["matching"]) == ("Match", "b")
    assert json.loads(json.dumps(trace)) == trace


def test_errors_have_a_status_and_a_reason() -> None:
    root = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (PolicyIdReference("elsewhere"),))
    told = explanation_as_json(explained(root, REQUEST, NOW))
    assert told["decision"] == "Indeterminate"
    assert told["status"] == XACML + "status:processing-error"
    assert told["reason"] == "elsewhere: a reference that cannot be followed"
    assert told["pap"] is None
    (reference,) = told["trace"]["children"]
    assert (reference["kind"], reference["text"], reference["target"]) == ("PolicyIdReference", None, "Indeterminate")


def test_nothing_decides_where_nothing_applies() -> None:
    told = explanation_as_json(explained(Policy("p", Combining.RULES_FIRST_APPLICABLE), REQUEST, NOW))
    assert [told[key] for key in ("decision", "reason", "decided_by", "pap", "line", "obligations")] == [
        "NotApplicable",
        "no rule applies",
        [],
        None,
        None,
        [],
    ]


def test_conditions_and_selectors_are_told() -> None:
    match = Match(
        XACML + "function:string-equal",
        AttributeValue(DataType.STRING, "x"),
        AttributeSelector("//@AttributeId", DataType.STRING),
    )
    rules = (
        Rule("1", Effect.DENY, Target(((match,),))),
        Rule("2", Effect.DENY, condition=AttributeValue(DataType.BOOLEAN, "false")),
    )
    root = Policy("p", Combining.RULES_FIRST_APPLICABLE, rules)
    first, second = explanation_as_json(explained(root, REQUEST, NOW))["trace"]["children"]
    (match_told,) = first["matches"]
    assert match_told["selector"] == "//@AttributeId"
    assert (second["target"], second["condition"]) == ("Match", "NoMatch")
