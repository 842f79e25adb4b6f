"""What a listener may rely on, whoever tells of changes: a PAP or a PDP, through their applications."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from argus_py.clients.changes import ChangesRefused, HttpChanges, NoChangeFeed
from argus_py.clients.transport import PeerUnreachable, Timeouts, Transport
from argus_py.errors import NotPermitted
from argus_py.model.policy_news import News
from argus_py.observe.metrics import Counters
from argus_py.observe.pdp_audit import PdpAuditJournal
from argus_py.pdp.engine import Engine
from argus_py.snapshot import Snapshot
from argus_py.store.memory import MemoryPolicies
from argus_py.web.changes import ChangeFeed, changes_route
from argus_py.web.pap import PapStatus, pap_app
from argus_py.web.pdp import PdpSettings, pdp_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import Combining, PolicySet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = compile_policy(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE))


def pap(feed: ChangeFeed | None) -> Starlette:
    routes = [changes_route(feed)] if feed else []
    return pap_app(FastAPI(), Starlette(), PapStatus(MemoryPolicies(), "1.7.3", NOW), *routes)


def pdp(feed: ChangeFeed | None) -> Starlette:
    policy: Snapshot[CompiledPolicy] = Snapshot("policy", lambda: POLICY, lambda: NOW)
    counters = Counters()
    return pdp_app(
        Engine(policy, lambda: NOW),
        PdpSettings("urn:pdp"),
        status=StatusPage("Argus PDP", "1.7.1", NOW, counters.read, tuple),
        counters=counters,
        journal=PdpAuditJournal(policy),
        clock=lambda: NOW,
        load=Load(),
        changes=feed,
    )


def refusing(feed: ChangeFeed | None) -> Starlette:
    assert feed

    def permit(_scope: object) -> None:
        raise NotPermitted("you may not")

    return Starlette(routes=[changes_route(feed, permit)])


class InProcess(httpx.BaseTransport):
    """The network between a synchronous client and an application in this process."""

    def __init__(self, app: Starlette) -> None:
        self._app = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def exchange() -> tuple[httpx.Response, bytes]:
            response = await self._app.handle_async_request(httpx.Request(request.method, request.url))
            return response, await response.aread()

        response, content = asyncio.run(exchange())
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(content))


Make = Callable[[ChangeFeed | None], Starlette]


def listen(app: Starlette) -> HttpChanges:
    return HttpChanges("https://argus.example.org/any/service", Transport(Timeouts(), http=InProcess(app)))


@pytest.fixture
def feed() -> ChangeFeed:
    return ChangeFeed(lambda: 10.0, wait=timedelta(milliseconds=1))


@pytest.mark.parametrize("make", [pap, pdp])
def test_news_are_told_until_they_are_known(make: Make, feed: ChangeFeed) -> None:
    listener = listen(make(feed))
    with pytest.raises(PeerUnreachable, match="HTTP status 503"):
        listener.after(None)
    feed.announce("a=1&b=2/c d", made=9.0)
    assert listener.after(None) == News("a=1&b=2/c d", timedelta(seconds=1))
    assert listener.after("a=1&b=2/c d") is None
    feed.announce("b")
    assert listener.after("a=1&b=2/c d") == News("b")


@pytest.mark.parametrize("make", [pap, pdp])
def test_a_port_without_a_feed_is_known_for_one(make: Make) -> None:
    with pytest.raises(NoChangeFeed):
        listen(make(None)).after(None)


def test_who_may_not_listen_is_refused(feed: ChangeFeed) -> None:
    with pytest.raises(ChangesRefused, match="HTTP status 403"):
        listen(refusing(feed)).after(None)
