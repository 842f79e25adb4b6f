"""What the PEP server may rely on, whoever decides: the engine in its process, or a PDP behind a network."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from argus_py.clients.pdp import HttpPdp
from argus_py.clients.transport import Timeouts, Transport
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite, StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Decision, Response
from argus_py.model.trail import Trail
from argus_py.observe.metrics import Counters
from argus_py.pdp.engine import Engine
from argus_py.pdp.exchange import Exchange, Journal
from argus_py.pep.decision_cache import Cached
from argus_py.pep.failover import Failover
from argus_py.pep.ports import Call, DecisionPoint
from argus_py.run.decisions import LocalPdp
from argus_py.snapshot import Snapshot
from argus_py.web.pdp import PdpSettings, pdp_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy_xml import read_policy_set

POLICY = Path(__file__).parent.parent / "vectors" / "soap" / "pdp" / "policies" / "ce-site.xml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call("_1", deadline=math.inf)
URL = "https://pdp.example.org:8152/authz"


class InProcess(httpx.BaseTransport):
    """The network between a synchronous client and an application in this process."""

    def __init__(self, app: httpx.ASGITransport) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def exchange() -> tuple[httpx.Response, bytes]:
            body = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            response = await self.app.handle_async_request(body)
            return response, await response.aread()

        response, content = asyncio.run(exchange())
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(content))


@dataclass
class Kept:
    """The journal of a PDP."""

    exchanges: list[Exchange] = field(default_factory=list)

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def in_process(policy: Snapshot[CompiledPolicy]) -> DecisionPoint:
    return LocalPdp(Engine(policy, lambda: NOW), "urn:pdp")


def over_http(policy: Snapshot[CompiledPolicy], journal: Journal | None = None) -> DecisionPoint:
    counters = Counters()
    app = pdp_app(
        Engine(policy, lambda: NOW),
        PdpSettings("urn:pdp", explain=True),
        status=StatusPage("Argus PDP", "1.7.1", NOW, counters.read, tuple),
        counters=counters,
        journal=journal or Kept(),
        clock=lambda: NOW,
        load=Load(),
    )
    transport = Transport(Timeouts(), http=InProcess(httpx.ASGITransport(app)))
    return HttpPdp(URL, "urn:pep", transport, lambda: NOW)


def behind_a_failover(policy: Snapshot[CompiledPolicy]) -> DecisionPoint:
    return Failover({URL: over_http(policy)}, lambda: 0.0)


def behind_a_cache(policy: Snapshot[CompiledPolicy]) -> DecisionPoint:
    return Cached(in_process(policy), 10, timedelta(minutes=10), lambda: 0.0)


Make = Callable[[Snapshot[CompiledPolicy]], DecisionPoint]
IMPLEMENTATIONS: list[Make] = [in_process, over_http, behind_a_failover, behind_a_cache]


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


@pytest.fixture
def policy() -> Snapshot[CompiledPolicy]:
    return Snapshot("policy", lambda: compile_policy(read_policy_set(POLICY.read_bytes())), lambda: NOW)


@pytest.fixture
def point(make: Make, policy: Snapshot[CompiledPolicy]) -> DecisionPoint:
    policy.refresh()
    return make(policy)


def request_of(resource: str, *subject: Attribute, action: str = "submit") -> Request:
    return Request(
        (Subject(subject), Subject()),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),), "content"),),
        Action((Attribute(AttributeId.ACTION_ID, (action,)),)),
        Environment((Attribute(Glite.PROFILE_ID, (Glite.PROFILE_COMPUTE_ELEMENT,), DataType.ANY_URI),)),
    )


CE = "http://authz.example.org/resource/ce01"
ATLAS = Attribute(Glite.VIRTUAL_ORGANIZATION, ("atlas",))
BANNED = Attribute(AttributeId.SUBJECT_ID, ("CN=Banned User,O=Example,C=IT",), DataType.X500_NAME)
ADMIN = Attribute(AttributeId.SUBJECT_ID, ("CN=Admin User,O=Example,C=IT",), DataType.X500_NAME)


@pytest.mark.parametrize(
    ("request_", "decision", "obligations"),
    [
        (request_of(CE, ATLAS), Decision.PERMIT, [Glite.LOCAL_ENVIRONMENT_MAP]),
        (request_of(CE, BANNED, ATLAS), Decision.DENY, []),
        (request_of("elsewhere"), Decision.NOT_APPLICABLE, []),
        (
            request_of(CE, Attribute(Glite.FQAN, ("no slash",), DataType.FQAN)),
            Decision.INDETERMINATE,
            [],
        ),
        (request_of("se", ADMIN), Decision.PERMIT, ["urn:example:audit", Glite.LOCAL_ENVIRONMENT_MAP_POSIX]),
        (Request(), Decision.NOT_APPLICABLE, []),
    ],
)
def test_a_decision_comes_with_its_obligations_and_the_request_it_is_about(
    request_: Request, decision: Decision, obligations: list[str], point: DecisionPoint
) -> None:
    response = point.decide(request_, CALL)
    (result,) = response.results
    assert result.decision is decision
    assert result.status.code.value == (StatusUri.SYNTAX_ERROR if decision is Decision.INDETERMINATE else StatusUri.OK)
    assert [obligation.id for obligation in result.obligations] == obligations
    assert response.request == request_


def test_the_trail_names_the_decision_and_the_query_by_the_id_of_the_call(point: DecisionPoint) -> None:
    trail = point.decide(request_of(CE, ATLAS), CALL).trail
    assert (trail.decision, trail.request_id, trail.cached) == ("Permit", CALL.id, False)
    assert trail.responder in {URL, "urn:pdp"}


def test_the_pdp_writes_of_a_query_under_the_id_of_the_call(policy: Snapshot[CompiledPolicy]) -> None:
    policy.refresh()
    journal = Kept()
    over_http(policy, journal).decide(request_of(CE, ATLAS), CALL)
    assert [exchange.response.trail.request_id for exchange in journal.exchanges] == [CALL.id]


def test_the_same_question_has_the_same_answer(point: DecisionPoint) -> None:
    first, second = (point.decide(request_of(CE, ATLAS), CALL) for _ in range(2))
    assert (second.results, second.request) == (first.results, first.request)


def test_before_the_first_policy_everything_is_indeterminate(make: Make, policy: Snapshot[CompiledPolicy]) -> None:
    (result,) = make(policy).decide(request_of(CE, ATLAS), CALL).results
    assert result.decision is Decision.INDETERMINATE
    assert result.status.code.value == StatusUri.PROCESSING_ERROR


@pytest.mark.parametrize(
    "request_",
    [
        request_of(CE, ATLAS),
        request_of(CE, BANNED, ATLAS),
        request_of("se", ADMIN),
        request_of(CE, Attribute("urn:a", ("1",), "urn:unknown-datatype")),
        request_of(" padded ", Attribute("urn:<&>\"'\u20ac", ("<&>\"'\u20ac\U0001f600\r\n\tx", "", " "))),
        Request((Subject((), "urn:category"),), (Resource(),), Action(), Environment()),
    ],
)
def test_a_pdp_behind_a_network_answers_as_the_engine_does(request_: Request, policy: Snapshot[CompiledPolicy]) -> None:
    policy.refresh()

    def answer(point: DecisionPoint) -> Response:
        return replace(point.decide(request_, CALL), trail=Trail())

    assert answer(over_http(policy)) == answer(in_process(policy))
