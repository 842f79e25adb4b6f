"""The decision of the PDP: one result, with its obligations, its resource and the way to it."""

from collections.abc import Callable
from datetime import datetime

import pytest

from argus_py.errors import Unavailable
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, Glite, StatusUri
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision
from argus_py.pdp.engine import Engine
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import compile_policy
from argus_py.xacml.policy import PolicySet

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

EngineOf = Callable[[str], Engine]


@pytest.fixture
def engine_of(root_of: Callable[[str], PolicySet], clock: Callable[[], datetime]) -> EngineOf:
    def engine_of(text: str) -> Engine:
        policy = Snapshot("policy", lambda: compile_policy(root_of(text)), clock)
        policy.refresh()
        return Engine(policy)

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
    response = Engine(policy).decide(request())  # type: ignore[arg-type]  # it never holds anything
    [result] = response.results
    assert result.decision is Decision.INDETERMINATE
    assert result.status.code.value == StatusUri.PROCESSING_ERROR
    assert result.status.message == "No policy has been loaded yet"
    assert response.trail.reason == "no policy has been loaded yet: the PAP is down"


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


def test_an_evaluation_in_error_has_the_status_ok_and_a_reason(engine_of: EngineOf) -> None:
    empty = Request(resources=request().resources, action=Action((Attribute(AttributeId.ACTION_ID, ("",)),)))
    response = engine_of(BROKEN_FOR_EMPTY_ACTIONS).decide(empty)
    [result] = response.results
    assert (result.decision, result.status.code.value) == (Decision.INDETERMINATE, StatusUri.OK)
    assert response.trail.reason is not None
    assert AttributeId.ACTION_ID in response.trail.reason


def test_a_request_with_an_unknown_data_type_is_not_evaluated(engine_of: EngineOf) -> None:
    [result] = engine_of(POLICY).decide(request(datatype="urn:unknown")).results
    assert (result.decision, result.status.code.value) == (Decision.INDETERMINATE, StatusUri.PROCESSING_ERROR)
    assert "urn:unknown" in (result.status.message or "")
