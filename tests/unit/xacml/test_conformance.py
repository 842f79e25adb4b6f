"""The conformance suite of XACML 2.0: decision, status code and obligations of 250 tests."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import StatusUri
from argus_py.model.request import Request
from argus_py.model.response import Decision
from argus_py.xacml.context_xml import read_request
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.index import compile_policy
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.policy_elements import PolicySyntaxError
from argus_py.xacml.policy_xml import read_policy, read_policy_set

Case = dict[str, Any]
VECTORS = Path(__file__).parents[2] / "vectors" / "xacml2-conformance"
CASES: dict[str, Case] = {case["id"]: case for case in json.loads((VECTORS / "cases.json").read_text())}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONLY_ONE_APPLICABLE = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:only-one-applicable"
FIRST_APPLICABLE = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable"

REFUSED_WHEN_READ = {
    "IIA004": "a designator without AttributeId",
    "IIC003": "a bag where one value is needed",
    "IIC012": "a condition that is not boolean",
    "IIC014": "a string added to an integer",
}
NOT_AS_EXPECTED = {
    "IIA005": ("NotApplicable", "COMPAT: an attribute without AttributeId is taken and never selected, as in Java"),
    "IIIC003": ("Permit", "a PDP of Argus knows no tree of resources and gives one result"),
}
# What the PIP of the test knows of a subject: here, too, PIPs complete a request before it is decided.
ROLE_OF_IIA002 = Attribute("urn:oasis:names:tc:xacml:1.0:example:attribute:role", ("Physician",))
EVALUATED = sorted(set(CASES) - set(REFUSED_WHEN_READ) - set(NOT_AS_EXPECTED))


def read(xml: str) -> PolicySet | Policy:
    return read_policy_set(xml.encode()) if xml.startswith("<PolicySet") else read_policy(xml.encode())


def root_of(case: Case) -> PolicySet:
    """One of the initial policies is to be applicable; what they refer to is delivered behind them."""
    initial = PolicySet("initial", ONLY_ONE_APPLICABLE, tuple(map(read, case["policies"])))
    return PolicySet("root", FIRST_APPLICABLE, (initial, *map(read, case.get("referenced", ()))))


def request_of(case: Case) -> Request:
    request = read_request(case["request"].encode())
    if case["id"] != "IIA002":
        return request
    (subject,) = request.subjects
    return replace(request, subjects=(replace(subject, attributes=(*subject.attributes, ROLE_OF_IIA002)),))


def evaluated(case: Case) -> Evaluation:
    """By both ways, which agree."""
    root, request = root_of(case), request_of(case)
    evaluation = evaluate(root, request, NOW)
    assert compile_policy(root).evaluate(request, NOW) == evaluation
    return evaluation


def obligations_of(evaluation: Evaluation) -> list[Any]:
    """Their order among each other does not count."""
    return sorted(
        [each.id, each.fulfill_on.value, [[a.attribute_id, a.datatype, a.value] for a in each.assignments]]
        for each in evaluation.obligations
    )


def test_the_suite_is_complete() -> None:
    kinds = [case["kind"] for case in CASES.values()]
    assert [kinds.count(kind) for kind in ("core", "mandatory", "optional")] == [50, 174, 26]
    assert len(EVALUATED) == 244


@pytest.mark.parametrize("id", EVALUATED)
def test_the_expected_result_comes_out(id: str) -> None:
    evaluation = evaluated(CASES[id])
    (expected,) = CASES[id]["results"]
    status = evaluation.fault.status if evaluation.fault else StatusUri.OK
    assert (evaluation.decision.value, status) == (expected["decision"], expected["status"])
    assert obligations_of(evaluation) == sorted(expected["obligations"])


@pytest.mark.parametrize("id", REFUSED_WHEN_READ)
def test_a_policy_that_is_wrong_on_purpose_is_refused(id: str) -> None:
    (expected,) = CASES[id]["results"]
    assert expected["decision"] == Decision.INDETERMINATE.value
    with pytest.raises(PolicySyntaxError):
        root_of(CASES[id])


@pytest.mark.parametrize("id", NOT_AS_EXPECTED)
def test_what_is_done_in_another_way_on_purpose(id: str) -> None:
    decision, _reason = NOT_AS_EXPECTED[id]
    assert evaluated(CASES[id]).decision.value == decision
