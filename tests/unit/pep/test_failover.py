"""Several PDPs as one decision point."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from argus_py.errors import Unavailable
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result
from argus_py.model.trail import Trail
from argus_py.pep.failover import Endpoint, Failover
from argus_py.pep.ports import Call, NoDecision
from argus_py.xacml.document import NotXmlText

A, B, C = "https://a/authz", "https://b/authz", "https://c/authz"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Point:
    """A PDP that gives ``decision``, or raises ``error`` if it has one, and takes its time."""

    def __init__(self, clock: Clock, decision: Decision = Decision.PERMIT) -> None:
        self.clock = clock
        self.decision = decision
        self.error: Exception | None = None
        self.seconds = 0.0
        self.asked = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def decide(self, request: Request, call: Call) -> Response:
        self.asked += 1
        self.call = call
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        self.clock.now += self.seconds
        if self.error:
            raise self.error
        return Response((Result(self.decision),), request)


class Site:
    def __init__(self, memory: timedelta = timedelta(seconds=30)) -> None:
        self.clock = Clock()
        self.points = {url: Point(self.clock) for url in (A, B, C)}
        self.failover = Failover(self.points, self.clock, memory)

    def decide(self, seconds: float = 1000) -> Response:
        return self.failover.decide(Request(), Call("_1", self.clock.now + seconds))

    def fail(self, *urls: str, reason: str = "refused") -> None:
        for url in urls:
            self.points[url].error = NoDecision(f"{url}: {reason}", Trail(reason=f"{url} {reason}"))

    def asked_by_one_request(self) -> list[str]:
        before = {url: point.asked for url, point in self.points.items()}
        self.decide()
        return [url for url, point in self.points.items() if point.asked > before[url]]


def test_the_first_one_decides() -> None:
    assert Site().asked_by_one_request() == [A]


@pytest.mark.parametrize("decision", list(Decision))
def test_every_decision_is_final(decision: Decision) -> None:
    site = Site()
    site.points[A].decision = decision
    assert site.decide().results == (Result(decision),)
    assert site.points[B].asked == 0


def test_the_next_one_is_asked_after_a_failure() -> None:
    site = Site()
    site.fail(A, B)
    site.points[C].decision = Decision.DENY
    assert site.decide().results == (Result(Decision.DENY),)


def test_all_dead_is_told_with_the_list_and_the_trail_of_the_last() -> None:
    site = Site()
    site.fail(A, B, C)
    with pytest.raises(NoDecision) as caught:
        site.decide()
    assert str(caught.value) == f"No response received from PDP: [{A}, {B}, {C}]"
    assert caught.value.trail == Trail(reason=f"{C} refused")


def test_a_failure_without_a_trail_gives_its_text() -> None:
    site = Site()
    site.fail(A, B)
    site.points[C].error = Unavailable("no trust anchors")
    with pytest.raises(NoDecision) as caught:
        site.decide()
    assert caught.value.trail == Trail(reason="no trust anchors")


def test_one_that_failed_lately_is_asked_last() -> None:
    site = Site(memory=timedelta(seconds=30))
    site.fail(A)
    assert site.asked_by_one_request() == [A, B]
    site.clock.now += 29
    assert site.asked_by_one_request() == [B]


def test_one_that_failed_lately_still_decides_when_the_others_are_dead() -> None:
    site = Site()
    site.fail(A)
    site.decide()
    site.points[A].error = None
    site.fail(B, C)
    assert site.asked_by_one_request() == [A, B, C]


def test_a_failure_is_forgotten_after_some_time() -> None:
    site = Site(memory=timedelta(seconds=30))
    site.fail(A)
    site.decide()
    site.points[A].error = None
    site.clock.now += 30
    assert site.asked_by_one_request() == [A]


def test_a_failed_one_is_tried_again_by_one_request_at_a_time() -> None:
    site = Site(memory=timedelta(seconds=30))
    site.fail(A)
    site.decide()
    site.clock.now += 30
    asked_meanwhile: list[list[str]] = []
    site.points[A].meanwhile = lambda: asked_meanwhile.append(site.asked_by_one_request())

    assert site.asked_by_one_request() == [A, B]
    assert asked_meanwhile == [[B]]


def test_a_failure_is_forgotten_with_the_next_success() -> None:
    site = Site(memory=timedelta(seconds=30))
    site.fail(A)
    site.decide()
    site.points[A].error = None
    site.fail(B, C)
    site.points[C].seconds = 5
    assert site.asked_by_one_request() == [A, B, C]
    site.points[B].error = None
    site.clock.now += 25  # the failure of B is forgotten by its age, that of A would not be
    assert site.asked_by_one_request() == [A]


def test_no_further_one_is_asked_after_the_deadline_of_the_call() -> None:
    site = Site()
    site.fail(A, B)
    site.points[A].seconds = site.points[B].seconds = 10
    with pytest.raises(NoDecision):
        site.decide(seconds=20)
    assert [point.asked for point in site.points.values()] == [1, 1, 0]


def test_the_call_is_handed_on() -> None:
    site = Site()
    site.decide(seconds=20)
    assert site.points[A].call == Call("_1", site.clock.now + 20)


def test_the_state_of_each_is_told() -> None:
    site = Site()
    site.fail(A)
    site.decide()
    site.clock.now += 7
    assert site.failover.endpoints() == [
        Endpoint(A, timedelta(seconds=7), f"{A}: refused"),
        Endpoint(B),
        Endpoint(C),
    ]
    site.clock.now += 30
    site.points[A].error = None
    site.decide()
    assert site.failover.endpoints()[0] == Endpoint(A)


def test_one_that_is_tried_again_keeps_the_reason_of_its_failure() -> None:
    site = Site()
    site.fail(A)
    site.decide()
    site.clock.now += 30
    told: list[Endpoint] = []
    site.points[A].meanwhile = lambda: told.append(site.failover.endpoints()[0])
    site.decide()
    assert told == [Endpoint(A, timedelta(), f"{A}: refused")]


def test_a_request_that_cannot_be_sent_is_no_failure_of_a_pdp() -> None:
    site = Site()
    site.points[A].error = NotXmlText("urn:a", "\x00")
    with pytest.raises(NotXmlText):
        site.decide()
    site.points[A].error = None
    assert site.asked_by_one_request() == [A]
