"""The decision of the PDP: one result, with its obligations, its resource and the way to it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from argus_py.errors import Unavailable
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite, StatusUri
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Effect, MissingAttribute, Status, StatusCode
from argus_py.pdp.engine import Engine
from argus_py.pdp.ports import PolicyTooOld
from argus_py.snapshot import Snapshot, Version
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.request_attributes import MAX_VALUES

POLICY = """
resource "wn" {
    obligation "http://glite.org/xacml/obligation/local-environment-map" { }
    action "run" {
        rule deny { vo="banned" fqan="/banned" }
        rule permit { vo="dteam" }
    }
}
"""


BROKEN_FOR_EMPTY_ACTIONS = 'resource "wn" { action ".*" { rule deny { "action"=".+" } rule permit { vo="dteam" } } }'

DATE_EQUAL = "urn:oasis:names:tc:xacml:1.0:function:date-equal"

EngineOf = Callable[[str], Engine]


def engine_with(root: PolicySet, clock: Callable[[], datetime]) -> Engine:
    policy = Snapshot("policy", lambda: compile_policy(root), clock)
    policy.refresh()
    return Engine(policy, clock)


@pytest.fixture
def engine_of(root_of: Callable[[str], PolicySet], clock: Callable[[], datetime]) -> EngineOf:
    def engine_of(text: str) -> Engine:
        return engine_with(root_of(text), clock)

    return engine_of


def request(vo: str = "dteam", *resources: str, datatype: str = "http://www.w3.org/2001/XMLSchema#string") -> Request:
    return Request(
        (Subject((Attribute(Glite.VIRTUAL_ORGANIZATION, (vo,), datatype),)),),
        tuple(Resource((Attribute(AttributeId.RESOURCE_ID, (id,)),)) for id in resources or ("wn",)),
        Action((Attribute(AttributeId.ACTION_ID, ("run",)),)),
    )


def test_without_a_policy_everything_is_indeterminate_with_an_error(clock: Callable[[], datetime]) -> None:
    def unavailable() -> object:
        raise Unavailable("the PAP is down")

    policy: Snapshot[object] = Snapshot("policy", unavailable, clock)
    policy.refresh()
    response = Engine(policy, clock).decide(request())  # type: ignore[arg-type]  # it never holds anything
    [result] = response.results
    assert result.decision is Decision.INDETERMINATE
    assert result.status.code.value == StatusUri.PROCESSING_ERROR
    assert result.status.message == "No policy has been loaded yet"
    logged = "No policy available by which the incomming request may be evaluated"
    assert response.trail.reason == f"{logged}: no policy has been loaded yet: the PAP is down"


def test_a_decision_comes_with_obligations_resource_and_trail(engine_of: EngineOf) -> None:
    response = engine_of(POLICY).decide(request())
    [result] = response.results
    assert (result.decision, result.status.code.value, result.resource_id) == (Decision.PERMIT, StatusUri.OK, "wn")
    assert [obligation.id for obligation in result.obligations] == [Glite.LOCAL_ENVIRONMENT_MAP]
    assert response.request == request()
    assert response.trail.decided_by[2:] == ("0", "public_1", "3")
    assert (response.trail.decision, response.trail.reason) == (
        "Permit",
        'rule permit { vo="dteam" } of action "run" of resource "wn" of pap "default"',
    )


def test_the_first_resource_names_the_only_result(engine_of: EngineOf) -> None:
    [result] = engine_of(POLICY).decide(request("dteam", " ce ", "wn")).results
    assert (result.decision, result.resource_id) == (Decision.PERMIT, "ce")
    [result] = engine_of(POLICY).decide(Request(action=request().action)).results
    assert result.resource_id is None


def test_an_evaluation_in_error_has_the_status_of_the_standard_and_a_reason(engine_of: EngineOf) -> None:
    empty = Request(resources=request().resources, action=Action((Attribute(AttributeId.ACTION_ID, ("",)),)))
    response = engine_of(BROKEN_FOR_EMPTY_ACTIONS).decide(empty)
    [result] = response.results
    assert (result.decision, result.status.code.value) == (Decision.INDETERMINATE, StatusUri.SYNTAX_ERROR)
    assert response.trail.reason is not None
    assert AttributeId.ACTION_ID in response.trail.reason


def test_what_is_missing_is_told_with_the_status(clock: Callable[[], datetime]) -> None:
    designator = AttributeDesignator(Category.SUBJECT, "urn:a", DataType.STRING, "issuer", must_be_present=True)
    match = Match(FunctionUri.STRING_EQUAL, AttributeValue(DataType.STRING, "x"), designator)
    root = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, target=Target(subjects=((match,),)))
    [result] = engine_with(root, clock).decide(request()).results
    missing = (MissingAttribute("urn:a", DataType.STRING, "issuer"),)
    assert result.status == Status(StatusCode(StatusUri.MISSING_ATTRIBUTE), missing=missing)


def test_a_policy_may_ask_for_the_time_of_the_request(clock: Callable[[], datetime]) -> None:
    designator = AttributeDesignator(Category.ENVIRONMENT, AttributeId.CURRENT_DATE, DataType.DATE)
    match = Match(DATE_EQUAL, AttributeValue(DataType.DATE, "2026-01-01Z"), designator)
    rule = Rule("new year", Effect.DENY, Target(environments=((match,),)))
    policy = Policy("policy", Combining.RULES_FIRST_APPLICABLE, (rule,))
    engine = engine_with(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (policy,)), clock)
    assert engine.decide(request()).results[0].decision is Decision.DENY


def test_a_rule_behind_a_reference_is_told_in_words(
    root_of: Callable[[str], PolicySet], clock: Callable[[], datetime]
) -> None:
    root = root_of(POLICY)
    references = PolicySet("references", Combining.POLICIES_FIRST_APPLICABLE, (PolicySetIdReference("0"),))
    engine = engine_with(replace(root, children=(references, *root.children)), clock)
    trail = engine.decide(request()).trail
    assert trail.decided_by[1:3] == ("references", "0")
    assert trail.reason is not None
    assert trail.reason.startswith('rule permit { vo="dteam" } of action "run" of resource "wn"')


def test_a_request_with_too_many_values_is_not_evaluated(engine_of: EngineOf) -> None:
    many = Request((Subject((Attribute("urn:a", ("x",) * (MAX_VALUES + 1)),)),))
    [result] = engine_of(POLICY).decide(many).results
    assert (result.decision, result.status.code.value) == (Decision.INDETERMINATE, StatusUri.PROCESSING_ERROR)


def test_a_request_with_an_unknown_data_type_is_not_evaluated(engine_of: EngineOf) -> None:
    [result] = engine_of(POLICY).decide(request(datatype="urn:unknown")).results
    assert (result.decision, result.status.code.value) == (Decision.INDETERMINATE, StatusUri.PROCESSING_ERROR)
    assert "urn:unknown" in (result.status.message or "")


@pytest.mark.parametrize("vo", ["dteam", "banned", "atlas"])
def test_an_explanation_is_of_the_decision_that_is_made(engine_of: EngineOf, vo: str) -> None:
    engine = engine_of(POLICY)
    (result,), trail = engine.decide(request(vo)).results, engine.decide(request(vo)).trail
    explanation = engine.explain(request(vo))
    evaluation = explanation.evaluation
    assert (evaluation.decision, evaluation.obligations, evaluation.path) == (
        result.decision,
        result.obligations,
        trail.decided_by,
    )
    assert (explanation.words or evaluation.reason) == trail.reason


class TooOld:
    """A policy that was good once."""

    @property
    def current(self) -> Version[CompiledPolicy]:
        raise PolicyTooOld(timedelta(minutes=61), timedelta(hours=1))


def test_by_a_policy_that_is_too_old_nothing_is_decided(clock: Callable[[], datetime]) -> None:
    engine = Engine(TooOld(), clock)
    (result,) = engine.decide(request()).results
    assert (result.decision, result.status.code) == (Decision.INDETERMINATE, StatusCode(StatusUri.PROCESSING_ERROR))
    assert result.status.message == "the policy is 61 minutes old, and may be used for 60"
    assert engine.without_policy() == result.status.message


def test_an_engine_says_whether_there_is_something_to_decide_by(engine_of: EngineOf) -> None:
    assert engine_of(POLICY).without_policy() is None
