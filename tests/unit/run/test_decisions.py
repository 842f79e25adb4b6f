"""The decision point of a PEP daemon as it is put together, and what the status page tells of it."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from argus_py.clients.changes import NoChangeFeed
from argus_py.clients.transport import PeerUnreachable, Timeouts, Transport
from argus_py.config.pepd import PdpSettings
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.policy_news import News
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Effect, Response
from argus_py.pdp.ports import PolicyTooOld
from argus_py.pep.ports import Call, NoDecision
from argus_py.run.decisions import Decisions
from argus_py.snapshot import Snapshot, Version
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    Rule,
    Target,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CALL = Call("_1", deadline=math.inf)
A, B = "https://a.example.org:8152/authz", "https://b.example.org:8152/authz"
REQUEST = Request(
    (Subject((Attribute(AttributeId.SUBJECT_ID, ("CN=alice",)),)),),
    (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
    Action((Attribute(AttributeId.ACTION_ID, ("run",)),)),
)


def settings(cached: int = 500) -> PdpSettings:
    return PdpSettings((A, B), cached, timedelta(minutes=10), 200, timedelta(seconds=30))


class Network(httpx.BaseTransport):
    """No PDP can be reached."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"{request.url.host}: refused")


@dataclass
class Site:
    """A policy that permits or denies everything."""

    policy: Snapshot[CompiledPolicy] = field(init=False)
    effect: Effect = Effect.PERMIT
    target: Target = field(default_factory=Target)

    def __post_init__(self) -> None:
        self.policy = Snapshot("policy", self.load, lambda: NOW)

    def load(self) -> CompiledPolicy:
        rule = Rule("rule", self.effect, self.target)
        policy = Policy("policy", Combining.RULES_FIRST_APPLICABLE, rules=(rule,))
        return compile_policy(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, children=(policy,)))

    def change(self, effect: Effect) -> None:
        self.effect = effect
        assert self.policy.refresh()


def decide(decisions: Decisions) -> tuple[Decision, bool]:
    response = decisions.point.decide(REQUEST, CALL)
    return response.results[0].decision, response.trail.cached


def test_a_new_policy_of_this_process_is_in_force_at_once() -> None:
    site = Site()
    decisions = Decisions.of_engine(settings(), "urn:pdp", site.policy)
    assert decide(decisions) == (Decision.INDETERMINATE, False)
    site.change(Effect.PERMIT)
    assert [decide(decisions) for _ in range(2)] == [(Decision.PERMIT, False), (Decision.PERMIT, True)]
    site.change(Effect.DENY)
    assert [decide(decisions) for _ in range(2)] == [(Decision.DENY, False), (Decision.DENY, True)]


def test_a_policy_of_this_process_that_looks_at_the_clock_is_asked_again_and_again() -> None:
    midnight = AttributeValue(DataType.TIME, "00:00:00Z")
    time = AttributeDesignator(Category.ENVIRONMENT, AttributeId.CURRENT_TIME, DataType.TIME)
    at_most = "urn:oasis:names:tc:xacml:1.0:function:time-less-than-or-equal"
    site = Site(target=Target(environments=((Match(at_most, midnight, time),),)))
    site.change(Effect.PERMIT)
    decisions = Decisions.of_engine(settings(), "urn:pdp", site.policy)
    assert [decide(decisions) for _ in range(2)] == [(Decision.PERMIT, False)] * 2


class Expiring:
    """A policy that may not be used any more from some moment on."""

    def __init__(self, policy: Snapshot[CompiledPolicy]) -> None:
        self._policy = policy
        self.too_old = False

    @property
    def current(self) -> Version[CompiledPolicy]:
        if self.too_old:
            raise PolicyTooOld(timedelta(minutes=2), timedelta(minutes=1))
        return self._policy.current


def test_a_policy_of_this_process_that_is_too_old_decides_nothing_not_even_out_of_the_cache() -> None:
    site = Site()
    site.change(Effect.PERMIT)
    policy = Expiring(site.policy)
    decisions = Decisions.of_engine(settings(), "urn:pdp", policy)
    assert decide(decisions) == (Decision.PERMIT, False)
    policy.too_old = True
    assert decide(decisions) == (Decision.INDETERMINATE, False)


def test_the_engine_of_this_process_answers_by_its_name_and_the_id_of_the_call() -> None:
    site = Site()
    site.change(Effect.PERMIT)
    trail = Decisions.of_engine(settings(), "urn:pdp", site.policy).point.decide(REQUEST, CALL).trail
    assert (trail.responder, trail.request_id, trail.response_id) == ("urn:pdp", "_1", None)


def test_without_cached_responses_everything_is_decided_anew() -> None:
    site = Site()
    site.change(Effect.PERMIT)
    decisions = Decisions.of_engine(settings(cached=0), "urn:pdp", site.policy)
    assert [decide(decisions) for _ in range(2)] == [(Decision.PERMIT, False)] * 2
    decisions.clear()
    assert decisions.details() == []


def test_a_clear_is_for_the_cache() -> None:
    site = Site()
    site.change(Effect.PERMIT)
    decisions = Decisions.of_engine(settings(), "urn:pdp", site.policy)
    decide(decisions)
    decisions.clear()
    assert decide(decisions) == (Decision.PERMIT, False)


def test_the_status_tells_of_the_cache() -> None:
    site = Site()
    site.change(Effect.PERMIT)
    decisions = Decisions.of_engine(settings(), "urn:pdp", site.policy)
    decide(decisions)
    decide(decisions)
    assert decisions.details() == [
        ("CachedDecisions", "1 of 500"),
        ("DecisionCacheHits", "1"),
        ("DecisionCacheMisses", "1"),
    ]


def test_the_status_tells_of_each_pdp() -> None:
    decisions = Decisions.of_pdps(settings(cached=0), "urn:pep", Transport(Timeouts(), http=Network()))
    assert decisions.details() == [("PdpEndpoint", f"{A} up"), ("PdpEndpoint", f"{B} up")]
    with pytest.raises(NoDecision):
        decisions.point.decide(REQUEST, CALL)
    told = [(name, re.sub(r"\d+ s ago", "n s ago", line)) for name, line in decisions.details()]
    assert told == [
        ("PdpEndpoint", f"{A} down, last failure n s ago, Error sending request to PDP: {A}: a.example.org: refused"),
        ("PdpEndpoint", f"{B} down, last failure n s ago, Error sending request to PDP: {B}: b.example.org: refused"),
    ]


class Pdp:
    """A remote PDP with its change feed, as far as a test lets it go; ``site`` is its policy."""

    def __init__(self, site: Site, service: str = A) -> None:
        self.service = service
        self.tells: News | Exception | None = News("1")
        self.meanwhile: Callable[[], object] = lambda: None
        self.now = 1000.0
        self._local = Decisions.of_engine(settings(cached=0), service, site.policy).point

    def after(self, known: str | None) -> News | None:
        if isinstance(self.tells, Exception):
            raise self.tells
        return None if self.tells is None or self.tells.state == known else self.tells

    def decide(self, request: Request, call: Call) -> Response:
        response = self._local.decide(request, call)
        self.meanwhile()
        return response

    def followed(self) -> Decisions:
        return Decisions(self, settings(), changes=[self], monotonic=lambda: self.now)


def step(decisions: Decisions) -> timedelta:
    (follower,) = decisions.steady
    return follower.step()


@pytest.fixture
def site() -> Site:
    site = Site()
    site.change(Effect.PERMIT)
    return site


def test_a_change_that_a_pdp_tells_of_makes_the_cache_forget(site: Site) -> None:
    pdp = Pdp(site)
    decisions = pdp.followed()
    step(decisions)
    assert [decide(decisions) for _ in range(2)] == [(Decision.PERMIT, False), (Decision.PERMIT, True)]
    site.change(Effect.DENY)
    assert decide(decisions) == (Decision.PERMIT, True)  # not heard of yet
    pdp.tells = News("2", timedelta(seconds=0.25))
    step(decisions)
    assert [decide(decisions) for _ in range(2)] == [(Decision.DENY, False), (Decision.DENY, True)]
    assert ("PdpChanges", f"{A} followed") in decisions.details()
    assert ("PropagationMilliseconds", "250") in decisions.details()


def test_what_was_decided_before_a_change_is_not_kept_after_it(site: Site) -> None:
    pdp = Pdp(site)
    decisions = pdp.followed()
    step(decisions)

    def change() -> None:
        pdp.tells = News("2")
        step(decisions)

    pdp.meanwhile = change
    assert decide(decisions) == (Decision.PERMIT, False)
    pdp.meanwhile = lambda: None
    site.change(Effect.DENY)
    assert decide(decisions) == (Decision.DENY, False)


def test_while_a_pdp_is_not_heard_decisions_live_for_half_a_minute(site: Site) -> None:
    pdp = Pdp(site)
    decisions = pdp.followed()
    step(decisions)
    decide(decisions)
    pdp.tells = PeerUnreachable(A, "refused")
    step(decisions)
    pdp.now += 29
    assert decide(decisions) == (Decision.PERMIT, True)
    pdp.now += 1
    assert [decide(decisions) for _ in range(2)] == [(Decision.PERMIT, False)] * 2


def test_nothing_outlives_an_interruption(site: Site) -> None:
    pdp = Pdp(site)
    decisions = pdp.followed()
    step(decisions)
    decide(decisions)
    for pdp.tells in (PeerUnreachable(A, "refused"), News("1")):
        step(decisions)
    assert decide(decisions) == (Decision.PERMIT, False)


def test_decisions_of_a_pdp_in_java_live_as_long_as_they_are_configured_to(site: Site) -> None:
    pdp = Pdp(site)
    pdp.tells = NoChangeFeed(A)
    decisions = pdp.followed()
    step(decisions)
    decide(decisions)
    pdp.now += 599
    assert decide(decisions) == (Decision.PERMIT, True)
    pdp.now += 1
    assert decide(decisions) == (Decision.PERMIT, False)


def test_nobody_is_followed_for_a_cache_that_is_not_there() -> None:
    network = Transport(Timeouts(), http=Network())
    assert Decisions.of_pdps(settings(cached=0), "urn:pep", network).steady == ()
    assert [task.name for task in Decisions.of_pdps(settings(), "urn:pep", network).steady] == [
        f"changes of {A}",
        f"changes of {B}",
    ]
