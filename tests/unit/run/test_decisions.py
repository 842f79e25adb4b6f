"""The decision point of a PEP daemon as it is put together, and what the status page tells of it."""

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from argus_py.clients.transport import Timeouts, Transport
from argus_py.config.pepd import PdpSettings
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Effect
from argus_py.pep.ports import Call, NoDecision
from argus_py.run.decisions import Decisions
from argus_py.snapshot import Snapshot
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
