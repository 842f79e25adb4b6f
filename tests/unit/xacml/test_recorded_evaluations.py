"""The 399 recorded evaluations: the answers of the Java PDP, or of the standard where the two differ."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.xacml.context_xml import ContextSyntaxError, request_from_element
from argus_py.xacml.document import parse
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.index import compile_policy
from argus_py.xacml.policy_elements import PolicySyntaxError
from argus_py.xacml.policy_xml import read_policy_set
from argus_py.xacml.request_attributes import UnknownDataType

Case = dict[str, Any]
CASES: list[Case] = json.loads((Path(__file__).parents[2] / "vectors/xacml/evaluation.json").read_text())
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# Existing policies and clients live with these; the standard has it otherwise.
KEPT_FROM_JAVA = {
    "string-equal-3": "values are trimmed",
    "string-equal-4": "values are trimmed",
    "regexp-2": "a pattern stands for the whole value",
}
# Deliberately unlike the Java PDP.
DIFFERENT = {
    "regexp-19": ("Indeterminate", "class intersection has no equal in linear time"),
    "regexp-21": ("Indeterminate", "possessive quantifiers neither"),
    "regexp-22": ("Indeterminate", "back references neither"),
    "regexp-29": ("Indeterminate", "back references to named groups neither"),
    "x500-string-equal": ("Permit", "the shipped mapping of emi-resource-owner was meant to work"),
    "x500-match-6": ("NotApplicable", "the standard wants the end of the name; Java looks anywhere"),
    "attribute-selector": ("NotApplicable", "selectors are evaluated, and nothing is selected"),
    "obl-assignment-empty": ("Permit", "an empty assignment is an empty value"),
}


READING_A_REQUEST = [case for case in CASES if "request_xml" in case]
REJECTED = [case for case in CASES if "rejected" in case["upstream"] or case["id"] == "condition-variable-unknown"]
UNKNOWN_DATA_TYPE = [case for case in CASES if case["id"] == "unknown-datatype-request"]
EVALUATED = [case for case in CASES if case not in READING_A_REQUEST + REJECTED + UNKNOWN_DATA_TYPE]


def by_id(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def attributes(recorded: list[Any]) -> tuple[Attribute, ...]:
    return tuple(Attribute(id, tuple(values), datatype, issuer) for id, datatype, issuer, values in recorded)


def request_of(case: Case) -> Request:
    recorded = case["request"]
    return Request(
        tuple(Subject(attributes(each), category) for category, each in recorded["subjects"]),
        tuple(Resource(attributes(each)) for each in recorded["resources"]),
        Action(attributes(recorded["action"])) if recorded["action"] is not None else None,
        Environment(attributes(recorded["environment"])) if recorded["environment"] is not None else None,
    )


def expected(case: Case) -> tuple[str, list[str]]:
    """Decision and ids of the obligations."""
    upstream = case["upstream"]
    wanted = {} if case["id"] in KEPT_FROM_JAVA else case.get("standard", {})
    obligations = wanted.get("obligations", [obligation["id"] for obligation in upstream["obligations"]])
    if case["id"] in DIFFERENT:
        return DIFFERENT[case["id"]][0], ["a"] if case["id"] == "obl-assignment-empty" else obligations
    return wanted.get("decision", upstream["decision"]), obligations


def test_every_case_is_in_one_group() -> None:
    assert len(CASES) == 399
    groups = (EVALUATED, REJECTED, READING_A_REQUEST, UNKNOWN_DATA_TYPE)
    assert tuple(map(len, groups)) == (388, 5, 5, 1)


@by_id(EVALUATED)
def test_the_recorded_decision_and_obligations_come_out(case: Case) -> None:
    policy = read_policy_set(case["policy"].encode())
    evaluation = evaluate(policy, request_of(case), NOW)
    assert (evaluation.decision.value, [obligation.id for obligation in evaluation.obligations]) == expected(case)
    assert compile_policy(policy).evaluate(request_of(case), NOW) == evaluation
    status = evaluation.fault.status if evaluation.fault else StatusUri.OK
    assert status == case.get("standard", {}).get("status", status)


@by_id(REJECTED)
def test_what_the_java_pdp_rejects_or_can_never_evaluate_is_rejected(case: Case) -> None:
    with pytest.raises(PolicySyntaxError):
        read_policy_set(case["policy"].encode())


@by_id(UNKNOWN_DATA_TYPE)
def test_an_unknown_data_type_anywhere_in_the_request_is_refused(case: Case) -> None:
    policy = read_policy_set(case["policy"].encode())
    with pytest.raises(UnknownDataType):
        evaluate(policy, request_of(case))
    with pytest.raises(UnknownDataType):
        compile_policy(policy).evaluate(request_of(case))


@by_id(READING_A_REQUEST)
def test_a_request_that_cannot_be_read_is_refused(case: Case) -> None:
    with pytest.raises(ContextSyntaxError):
        request_from_element(parse(case["request_xml"].encode(), max_bytes=100_000))
