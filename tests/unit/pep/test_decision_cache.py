"""Decisions that are given again: which, for how long, to whom, and never those of a policy that is gone."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import Unavailable
from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Decision, Effect, Obligation, Response, Result
from argus_py.model.trail import Trail
from argus_py.pep.decision_cache import Cached, CacheUse, canonical_key
from argus_py.pep.ports import Call, DecisionPoint

CALL = Call("_1", deadline=1000.0)
TTL = timedelta(minutes=10)


def asking(value: str) -> Request:
    return Request((Subject((Attribute("who", (value,)),)),))


REQUEST = asking("alice")
PERMIT = Response(
    (Result(Decision.PERMIT, obligations=(Obligation("map", Effect.PERMIT),)),),
    REQUEST,
    Trail(("root", "rule"), "rule permit", "Permit", "_1", "https://pdp", "_r"),
)


class Point:
    """Gives ``response`` and counts; ``meanwhile`` happens while it decides."""

    def __init__(self, response: Response = PERMIT) -> None:
        self.response = response
        self.error: Exception | None = None
        self.asked: list[tuple[Request, Call]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def decide(self, request: Request, call: Call) -> Response:
        self.asked.append((request, call))
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if self.error:
            raise self.error
        return replace(self.response, request=request)


class Daemon:
    """A cache with everything around it."""

    def __init__(self, size: int = 10, point: DecisionPoint | None = None) -> None:
        self.now = 1000.0
        self.policy: int | None = 1
        self.point = Point()
        self.cache = Cached(point or self.point, size, TTL, lambda: self.now, lambda: self.policy)

    def ask(self, request: Request = REQUEST) -> Response:
        return self.cache.decide(request, CALL)

    @property
    def decided(self) -> int:
        return len(self.point.asked)


@pytest.mark.parametrize("decision", [Decision.PERMIT, Decision.DENY])
def test_a_permit_and_a_deny_are_given_again_with_all_they_hold(decision: Decision) -> None:
    daemon = Daemon()
    daemon.point.response = replace(PERMIT, results=(replace(PERMIT.results[0], decision=decision),))
    first = daemon.ask()
    assert daemon.ask() == replace(first, trail=replace(first.trail, cached=True))
    assert not first.trail.cached
    assert daemon.point.asked == [(REQUEST, CALL)]


@pytest.mark.parametrize("decision", [Decision.NOT_APPLICABLE, Decision.INDETERMINATE])
@pytest.mark.parametrize("before", [(), (Result(Decision.PERMIT),)])
def test_no_other_decision_is_kept_nor_one_of_several(decision: Decision, before: tuple[Result, ...]) -> None:
    daemon = Daemon()
    daemon.point.response = replace(PERMIT, results=(*before, Result(decision)))
    assert daemon.ask() == daemon.ask()
    assert daemon.decided == 2


def test_a_response_without_a_result_and_a_failure_are_not_kept() -> None:
    daemon = Daemon()
    daemon.point.response = Response(())
    daemon.ask()
    daemon.point.error = Unavailable("no PDP")
    with pytest.raises(Unavailable):
        daemon.ask()
    assert (daemon.decided, daemon.cache.use.entries) == (2, 0)


def test_another_request_is_decided_anew() -> None:
    daemon = Daemon()
    daemon.ask()
    assert not daemon.ask(asking("bob")).trail.cached


def test_a_decision_is_given_for_the_time_to_live_in_seconds_however_often_it_is_asked_for() -> None:
    daemon = Daemon()
    daemon.ask()
    for _ in range(6):
        daemon.now += 99.9
        assert daemon.ask().trail.cached
    daemon.now += 0.6
    assert not daemon.ask().trail.cached
    assert daemon.ask().trail.cached


def test_the_least_recently_used_goes_first() -> None:
    daemon = Daemon(size=2)
    daemon.ask(asking("a"))
    daemon.ask(asking("b"))
    daemon.ask(asking("a"))
    daemon.ask(asking("c"))
    assert [daemon.ask(asking(name)).trail.cached for name in "acb"] == [True, True, False]
    assert daemon.cache.use.entries == 2


def test_requests_themselves_are_not_kept() -> None:
    daemon = Daemon()
    daemon.ask(Request((Subject((Attribute("who", ("a", "b")),)),)))
    other_order = Request((Subject((Attribute("who", ("b", "a")),)),))
    response = daemon.ask(other_order)
    assert (response.request, response.trail.cached) == (other_order, True)


def test_after_a_clear_everything_is_decided_anew() -> None:
    daemon = Daemon()
    daemon.ask()
    daemon.cache.clear()
    assert daemon.cache.use.entries == 0
    assert not daemon.ask().trail.cached


def test_a_decision_asked_for_before_a_clear_is_not_given_after_it() -> None:
    daemon = Daemon()
    daemon.point.meanwhile = daemon.cache.clear
    daemon.ask()
    assert not daemon.ask().trail.cached


def test_a_decision_of_another_policy_is_never_given() -> None:
    daemon = Daemon()
    daemon.ask()
    daemon.policy = 2
    assert not daemon.ask().trail.cached
    assert daemon.ask().trail.cached


def test_a_decision_that_a_new_policy_has_overtaken_is_not_kept() -> None:
    daemon = Daemon()

    def swap() -> None:
        daemon.policy = 2

    daemon.point.meanwhile = swap
    daemon.ask()
    assert not daemon.ask().trail.cached


def test_a_decision_that_a_new_policy_overtakes_unnoticed_is_not_given() -> None:
    """The swap comes between the last look at the policy and the end of the keeping."""
    versions = iter((1, 1, 2, 2))
    cache = Cached(Point(), 10, TTL, lambda: 1000.0, lambda: next(versions))
    cache.decide(REQUEST, CALL)
    assert cache.use.entries == 1
    assert not cache.decide(REQUEST, CALL).trail.cached


def test_what_is_decided_by_the_new_policy_while_others_wait_for_the_old_one_stays() -> None:
    daemon = Daemon()

    def swap_and_ask() -> None:
        daemon.policy = 2
        daemon.point.response = replace(PERMIT, results=(Result(Decision.DENY),))
        daemon.ask()
        daemon.point.response = PERMIT

    daemon.point.meanwhile = swap_and_ask
    assert daemon.ask().results == PERMIT.results  # asked when that was the policy
    response = daemon.ask()
    assert (response.results, response.trail.cached) == ((Result(Decision.DENY),), True)


def test_a_decision_that_depends_on_more_than_the_request_is_not_kept() -> None:
    daemon = Daemon()
    daemon.ask()
    daemon.policy = None
    assert [daemon.ask().trail.cached for _ in range(2)] == [False, False]
    daemon.policy = 2
    assert [daemon.ask().trail.cached for _ in range(2)] == [False, True]


def test_the_use_is_counted() -> None:
    daemon = Daemon(size=7)
    daemon.ask()
    daemon.ask()
    daemon.ask(asking("bob"))
    assert daemon.cache.use == CacheUse(entries=2, size=7, hits=1, misses=2)


def test_a_slow_decision_does_not_hold_up_others() -> None:
    entered, release = threading.Event(), threading.Event()

    class Slow:
        def decide(self, request: Request, call: Call) -> Response:
            if request == REQUEST:
                entered.set()
                assert release.wait(10)
            return PERMIT

    daemon = Daemon(point=Slow())
    thread = threading.Thread(target=daemon.ask)
    thread.start()
    assert entered.wait(10)
    assert daemon.ask(asking("bob")).results == PERMIT.results
    assert daemon.ask(asking("bob")).trail.cached
    release.set()
    thread.join()
    assert daemon.ask().trail.cached


A, B = Attribute("a", ("1", "2")), Attribute("b", ("3",), issuer="ca")
SUBJECTS = (Subject((A, B)), Subject((A,), "other"))
WHOLE = Request(
    SUBJECTS, (Resource((A, B), "content"), Resource((B,))), Action((A, B)), Environment((Attribute("e", ("5",)), A))
)


def test_the_order_of_subjects_attributes_and_values_means_nothing() -> None:
    turned = Attribute("a", ("2", "1"))
    same = replace(
        WHOLE,
        subjects=(Subject((turned,), "other"), Subject((B, turned))),
        action=Action((B, turned)),
        environment=Environment((turned, Attribute("e", ("5",)))),
    )
    assert canonical_key(same) == canonical_key(WHOLE)


CHANGES = {
    "a subject is missing": replace(WHOLE, subjects=SUBJECTS[:1]),
    "category": replace(WHOLE, subjects=(SUBJECTS[0], replace(SUBJECTS[1], category=None))),
    "attributes of another subject": replace(WHOLE, subjects=(Subject((A,)), Subject((A, B), "other"))),
    "id": replace(WHOLE, action=Action((replace(A, id="c"), B))),
    "datatype": replace(WHOLE, action=Action((replace(A, datatype="urn:t"), B))),
    "issuer": replace(WHOLE, action=Action((A, replace(B, issuer=None)))),
    "value": replace(WHOLE, action=Action((replace(A, values=("1", "3")), B))),
    "value missing": replace(WHOLE, action=Action((replace(A, values=("1",)), B))),
    "values joined": replace(WHOLE, action=Action((replace(A, values=("1', '2",)), B))),
    "value of another attribute": replace(
        WHOLE, action=Action((replace(A, values=("3", "2")), replace(B, values=("1",))))
    ),
    "no attribute": replace(WHOLE, action=Action()),
    "no action": replace(WHOLE, action=None),
    "no environment": replace(WHOLE, environment=None),
    "action as environment": replace(WHOLE, action=None, environment=Environment((A, B))),
    "resource markup": replace(WHOLE, resources=(Resource((A, B), "content", "<r>content</r>"), Resource((B,)))),
    "resource content": replace(WHOLE, resources=(Resource((A, B)), Resource((B,)))),
    "first resource": replace(WHOLE, resources=WHOLE.resources[::-1]),
    "first value of a resource": replace(WHOLE, resources=(Resource((replace(A, values=("2", "1")), B), "content"),)),
    "half a character": replace(WHOLE, action=Action((replace(A, values=("\ud800", "2")), B))),
    "the other half": replace(WHOLE, action=Action((replace(A, values=("\udc00", "2")), B))),
    "empty": Request(),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_any_difference_of_content_makes_another_key(changed: Request) -> None:
    assert canonical_key(changed) != canonical_key(WHOLE)


def test_all_of_them_differ() -> None:
    assert len({canonical_key(request) for request in CHANGES.values()}) == len(CHANGES)


TEXTS = st.sampled_from(("", "a", "b", "a', 'b", "\n", "é"))
ATTRIBUTES = st.lists(
    st.builds(Attribute, TEXTS, st.lists(TEXTS, max_size=2, unique=True).map(tuple), TEXTS, st.none() | TEXTS),
    max_size=2,
    unique=True,
).map(tuple)
REQUESTS = st.builds(
    Request,
    st.lists(st.builds(Subject, ATTRIBUTES, st.none() | TEXTS), max_size=2, unique=True).map(tuple),
    st.lists(st.builds(Resource, ATTRIBUTES, st.none() | TEXTS, st.none() | TEXTS), max_size=1).map(tuple),
    st.none() | st.builds(Action, ATTRIBUTES),
    st.none() | st.builds(Environment, ATTRIBUTES),
)


def as_sets(request: Request) -> tuple[object, ...]:
    """What must not be mixed up: a request without the orders that mean nothing."""

    def sets(attributes: tuple[Attribute, ...]) -> frozenset[object]:
        return frozenset((a.id, frozenset(a.values), a.datatype, a.issuer) for a in attributes)

    return (
        frozenset((sets(subject.attributes), subject.category) for subject in request.subjects),
        request.resources,
        request.action and sets(request.action.attributes),
        request.environment and sets(request.environment.attributes),
    )


@settings(max_examples=300, deadline=None)
@given(REQUESTS, REQUESTS)
def test_keys_are_equal_exactly_for_equal_content(one: Request, other: Request) -> None:
    if as_sets(one) != as_sets(other):
        assert canonical_key(one) != canonical_key(other)
    reordered = replace(
        one,
        subjects=tuple(replace(s, attributes=s.attributes[::-1]) for s in one.subjects[::-1]),
        action=one.action and Action(one.action.attributes[::-1]),
    )
    assert canonical_key(reordered) == canonical_key(one)


def test_a_decision_is_given_again_only_while_its_responder_can_be_relied_on() -> None:
    reliable = {"https://pdp"}
    point = Point()
    cache = Cached(point, 10, TTL, lambda: 0.0, is_reliable=lambda responder: responder in reliable)
    assert [cache.decide(REQUEST, CALL).trail.cached for _ in range(2)] == [False, True]
    reliable.clear()
    assert [cache.decide(REQUEST, CALL).trail.cached for _ in range(2)] == [False, False]
    reliable.add("https://pdp")
    assert cache.decide(REQUEST, CALL).trail.cached


def test_a_decision_of_an_unreliable_responder_is_not_kept() -> None:
    reliable: set[str | None] = set()
    cache = Cached(Point(), 10, TTL, lambda: 0.0, is_reliable=lambda responder: responder in reliable)
    cache.decide(REQUEST, CALL)
    assert cache.use.entries == 0
