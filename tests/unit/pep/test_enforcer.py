import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from argus_py.errors import ArgusError, CredentialRejected, MalformedInput, Unavailable, Unmapped
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import StatusUri
from argus_py.model.request import Environment, Request, Resource, Subject
from argus_py.model.response import Decision, Effect, Obligation, Response, Result, Status, StatusCode, indeterminate
from argus_py.model.trail import Trail
from argus_py.observe.metrics import Counters
from argus_py.pep.attributes import set_environment
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.ports import Call, DecisionPoint, NoDecision, ObligationHandler, Pip, PipError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CALL = Call("_1", deadline=1025.0)
REQUEST = Request((Subject((Attribute("who", ("me",)),)),), (Resource((Attribute("what", ("it",)),)),))
MAP = Obligation("map", Effect.PERMIT)


@dataclass
class Marking:
    """A PIP that puts its mark and the time behind the marks of those before it."""

    mark: str

    def enrich(self, request: Request, now: datetime, /) -> Request:
        before = request.environment.attributes[0].values if request.environment else ()
        return set_environment(request, (Attribute("marks", (*before, f"{self.mark}@{now:%H:%M}")),))


@dataclass
class Failing:
    """A part of any sort that raises."""

    error: Exception
    obligation_id: str = MAP.id

    def enrich(self, _request: Request, _now: datetime, /) -> Request:
        raise self.error

    def decide(self, request: Request, call: Call) -> Response:
        raise self.error

    def fulfil(self, request: Request, response: Response) -> Response:
        raise self.error


@dataclass
class Deciding:
    """A decision point with one answer; keeps what it was asked."""

    response: Response
    asked: list[Request] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def decide(self, request: Request, call: Call) -> Response:
        self.asked.append(request)
        self.calls.append(call)
        return self.response


@dataclass
class Mapping:
    """A handler that fulfils its obligation for an account."""

    obligation_id: str = MAP.id

    def fulfil(self, request: Request, response: Response) -> Response:
        done = Obligation("done", Effect.PERMIT)
        result = replace(response.results[0], obligations=(done,))
        return replace(response, results=(result,), trail=replace(response.trail, account="dteam001"))


def enforcer(
    decisions: DecisionPoint,
    *,
    pips: tuple[Pip, ...] = (),
    handlers: tuple[ObligationHandler, ...] = (),
    counts: Counters | None = None,
    monotonic: Callable[[], float] = lambda: 1000.0,
) -> Enforcer:
    service = ObligationService(handlers)
    return Enforcer(pips, decisions, service, lambda: NOW, counts or Counters(), monotonic=monotonic)


def permit(*obligations: Obligation, trail: Trail | None = None) -> Response:
    return Response((Result(Decision.PERMIT, obligations=obligations),), trail=trail or Trail())


def marks(request: Request | None) -> tuple[str, ...]:
    assert request is not None
    assert request.environment is not None
    return request.environment.attributes[0].values


def test_information_points_run_in_order_at_one_time_before_the_decision() -> None:
    decisions = Deciding(permit())
    response = enforcer(decisions, pips=(Marking("a"), Marking("b"))).authorize(REQUEST, CALL)
    assert marks(decisions.asked[0]) == ("a@12:00", "b@12:00")
    assert response.request == decisions.asked[0]


def test_empty_values_are_for_information_points_alone() -> None:
    request = replace(REQUEST, subjects=(Subject((Attribute("who", ("", "me")),)),))
    decisions = Deciding(permit())
    assert enforcer(decisions).authorize(request, CALL).request == REQUEST
    assert decisions.asked == [REQUEST]
    refused = enforcer(decisions, pips=(RequestValidator(),)).authorize(request, CALL)
    assert refused.results[0].status.message == (
        "Decision request Subject contains the attribute who with an empty (stripped) value"
    )


def test_handlers_complete_the_decision_and_the_trail() -> None:
    trail = Trail(decided_by=("root", "rule"), responder="https://pdp.example.org/authz")
    response = enforcer(Deciding(permit(MAP, trail=trail)), handlers=(Mapping(),)).authorize(REQUEST, CALL)
    assert response.results == (Result(Decision.PERMIT, obligations=(Obligation("done", Effect.PERMIT),)),)
    assert response.trail == replace(trail, decision="Permit", account="dteam001")


def test_the_effective_request_is_echoed_whatever_the_decision_point_returns() -> None:
    other = Request(environment=Environment((Attribute("forged", ("x",)),)))
    decisions = Deciding(replace(permit(), request=other))
    assert enforcer(decisions, pips=(Marking("a"),)).authorize(REQUEST, CALL).request == decisions.asked[0]


@pytest.mark.parametrize("decision", list(Decision))
def test_a_decision_of_the_decision_point_is_final_and_no_error(decision: Decision) -> None:
    counts = Counters()
    result = Result(decision, Status(StatusCode(StatusUri.MISSING_ATTRIBUTE), "text"), resource_id="r")
    response = enforcer(Deciding(Response((result,))), counts=counts).authorize(REQUEST, CALL)
    assert response.results == (result,)
    assert response.trail.decision == decision.value
    assert counts.read() == (1, 0)


def failed(message: str, request: Request) -> Response:
    return replace(indeterminate(message, request), trail=Trail())


@pytest.mark.parametrize(
    "error", [PipError("no chain"), CredentialRejected("no chain"), MalformedInput("no chain"), Unavailable("no chain")]
)
def test_a_failing_information_point_ends_the_request_with_its_message(
    error: ArgusError, caplog: pytest.LogCaptureFixture
) -> None:
    counts, decisions = Counters(), Deciding(permit())
    pips = (Marking("a"), Failing(error), Marking("b"))
    response = enforcer(decisions, pips=pips, counts=counts).authorize(REQUEST, CALL)
    assert not decisions.asked
    assert marks(response.request) == ("a@12:00",)
    assert response.results == indeterminate("no chain").results
    assert response.trail == Trail(reason=f"{type(error).__name__}: no chain")
    assert counts.read() == (1, 1)
    assert "Error processing PIP: no chain" in caplog.messages


def test_the_reason_names_the_class_of_the_cause() -> None:
    class Revoked(CredentialRejected):
        pass

    error = PipError("PKIX validation failed: CN=x: revoked")
    error.__cause__ = Revoked("CN=x: revoked")
    response = enforcer(Deciding(permit()), pips=(Failing(error),)).authorize(REQUEST, CALL)
    assert response.trail.reason == "Revoked: PKIX validation failed: CN=x: revoked"


def test_no_answering_decision_point_is_indeterminate_and_leaves_its_trail(caplog: pytest.LogCaptureFixture) -> None:
    counts = Counters()
    trail = Trail(request_id="_1", reason="Error sending request to PDP: https://b")
    error = NoDecision("No response received from PDP: [https://a, https://b]", trail)
    response = enforcer(Failing(error), handlers=(Failing(AssertionError()),), counts=counts).authorize(REQUEST, CALL)
    assert response == Response(indeterminate(str(error)).results, REQUEST, trail)
    assert counts.read() == (1, 1)
    assert caplog.messages == ["No response received from PDP: [https://a, https://b]"]


def test_an_unavailable_policy_is_indeterminate() -> None:
    response = enforcer(Failing(Unavailable("no policy has been loaded yet"))).authorize(REQUEST, CALL)
    assert response.results == indeterminate("no policy has been loaded yet").results
    assert response.trail == Trail(reason="Unavailable: no policy has been loaded yet")


def test_a_response_without_a_result_is_indeterminate() -> None:
    counts = Counters()
    response = enforcer(Deciding(Response(())), counts=counts).authorize(REQUEST, CALL)
    assert response.results == indeterminate("the decision point gave no result").results
    assert response.trail.decision is None
    assert counts.read() == (1, 1)


def test_a_permit_that_cannot_be_mapped_goes_out_as_indeterminate(caplog: pytest.LogCaptureFixture) -> None:
    counts = Counters()
    error = Unmapped("Failed to map subject CN=x to a POSIX login name")
    decisions = Deciding(permit(MAP, trail=Trail(cached=True)))
    response = enforcer(decisions, handlers=(Failing(error),), counts=counts).authorize(REQUEST, CALL)
    assert response.results == indeterminate(str(error)).results
    assert response.request == REQUEST
    assert response.trail == Trail(cached=True, decision="Permit", reason=f"Unmapped: {error}")
    assert counts.read() == (1, 1)
    assert f"Error processing obligation handlers: {error}" in caplog.messages


@pytest.mark.parametrize("where", ["pip", "decision", "handler"])
def test_an_error_of_ours_never_permits_and_shows_nothing(where: str, caplog: pytest.LogCaptureFixture) -> None:
    counts, broken = Counters(), Failing(KeyError("secret"))
    pips = (broken,) if where == "pip" else ()
    decisions: DecisionPoint = broken if where == "decision" else Deciding(permit(MAP))
    response = enforcer(decisions, pips=pips, handlers=(broken,), counts=counts).authorize(REQUEST, CALL)
    assert response == Response(indeterminate("internal error").results, REQUEST, Trail(reason="internal error"))
    assert counts.read() == (1, 1)
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.records[0].exc_info is not None


def test_the_decision_point_is_told_who_asks_and_how_long_there_is_time() -> None:
    decisions = Deciding(permit())
    enforcer(decisions).authorize(REQUEST, CALL)
    assert decisions.calls == [CALL]


def test_nobody_is_asked_for_a_client_that_has_given_up() -> None:
    counts, decisions = Counters(), Deciding(permit())
    response = enforcer(decisions, counts=counts, monotonic=lambda: CALL.deadline).authorize(REQUEST, CALL)
    assert not decisions.asked
    assert response.results == indeterminate("The time for an answer is up").results
    assert response.trail == Trail(reason="TimeIsUp: The time for an answer is up")
    assert counts.read() == (1, 1)


def test_no_account_is_leased_for_a_client_that_has_given_up() -> None:
    counts, times = Counters(), iter((1000.0, CALL.deadline))
    handlers = (Failing(AssertionError("not to be run")),)
    permitting = enforcer(Deciding(permit(MAP)), handlers=handlers, counts=counts, monotonic=lambda: next(times))
    response = permitting.authorize(REQUEST, CALL)
    assert response.results == indeterminate("The time for an answer is up").results
    assert (response.trail.decision, response.trail.account) == ("Permit", None)
    assert counts.read() == (1, 1)


def test_request_and_response_are_told_for_debugging_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "argus_py")
    enforcer(Deciding(permit(MAP)), handlers=(Mapping(),)).authorize(REQUEST, CALL)
    assert caplog.messages == []
    caplog.set_level(logging.DEBUG, "argus_py")
    enforcer(Deciding(permit(MAP)), pips=(Marking("a"),), handlers=(Mapping(),)).authorize(REQUEST, CALL)
    assert caplog.messages == [
        "request after the information points: subject{who=[me]} resource{what=[it]} environment{marks=[a@12:00]}",
        f"response: Permit{{{StatusUri.OK}, done on Permit()}}",
    ]
