"""The service port from bytes to bytes, with a real enforcer behind it."""

import asyncio
import itertools
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Scope

from argus_py.hessian import base64_lines, messages
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Response, Result, indeterminate
from argus_py.model.trail import REQUEST_ID
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.ports import Call
from argus_py.web.pep import PATIENCE, pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

VECTORS = Path(__file__).parents[2] / "vectors" / "pep" / "cases"
REQUEST = Request(
    (Subject((Attribute(AttributeId.SUBJECT_ID, ("alice",)),)),),
    (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
    Action((Attribute(AttributeId.ACTION_ID, ("run",)),)),
)
BODY = base64_lines.encode(messages.write_request(REQUEST))
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@dataclass
class Ticking:
    """A clock that a second passes on between two looks."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Kept:
    exchanges: list[Exchange] = field(default_factory=list)

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


@dataclass
class Deciding:
    answer: Callable[[Request], Response]
    calls: list[Call] = field(default_factory=list)

    def decide(self, request: Request, call: Call) -> Response:
        self.calls.append(call)
        return self.answer(request)


@dataclass
class Peer:
    """An ASGI server's view of a connection whose client has shown a certificate."""

    app: ASGIApp
    chain: object | None = None

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await self.app({**scope, "extensions": {"argus": {"chain": self.chain}}}, receive, send)


@dataclass(frozen=True)
class Proven:
    subject: DistinguishedName


def permit(_request: Request) -> Response:
    return Response((Result(Decision.PERMIT),))


def app(
    answer: Callable[[Request], Response] | Deciding = permit,
    kept: Kept | None = None,
    counts: Counters | None = None,
    load: Load | None = None,
) -> ASGIApp:
    counts = counts or Counters()
    decisions = answer if isinstance(answer, Deciding) else Deciding(answer)
    enforcer = Enforcer((), decisions, ObligationService(()), lambda: START, counts, monotonic=lambda: 1000.0)
    status = StatusPage("Argus PEP Server", "1.0", START, counts.read, lambda: ())
    return pep_app(
        enforcer,
        kept or Kept(),
        status,
        Ticking(),
        load or Load(),
        monotonic=lambda: 1000.0,
        new_id=map("_{}".format, itertools.count(1)).__next__,
    )


def ask(asgi: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with client(asgi) as http:
            return await http.request(method, path, **options)

    return asyncio.run(send())


def client(asgi: ASGIApp) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(asgi, client=("192.0.2.7", 40000))
    return httpx.AsyncClient(transport=transport, base_url="https://argus.example.org:8154")


def test_a_request_is_answered_in_lines_of_base64() -> None:
    reply = ask(app(), "POST", "/authz", content=BODY)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=us-ascii")
    assert max(map(len, reply.content.split(b"\n"))) == 76
    response = messages.read_response(base64_lines.decode(reply.content))
    assert response.results == (Result(Decision.PERMIT),)
    assert response.request == REQUEST


def recorded() -> dict[str, bytes]:
    """Bodies that real clients have sent and the Java daemon reads."""
    cases = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*-*.json"))}
    return {
        name: case["request"].encode("latin-1")
        for name, case in cases.items()
        if name.startswith(("c-req-", "c-lib-", "java-req-"))
        if case.get("request") and case.get("java_daemon", {"status": 200})["status"] == 200
    }


@pytest.mark.parametrize("body", recorded().values(), ids=recorded().keys())
def test_every_request_of_a_real_client_is_answered(body: bytes) -> None:
    reply = ask(app(), "POST", "/authz", content=body)
    assert reply.status_code == 200
    assert messages.read_response(base64_lines.decode(reply.content)).results == (Result(Decision.PERMIT),)


@pytest.mark.parametrize(
    "content_type", [None, "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"]
)
def test_the_content_type_of_a_request_means_nothing(content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert ask(app(), "POST", "/authz", content=BODY, headers=headers).status_code == 200


def test_a_failure_inside_is_an_answer() -> None:
    def fail(_request: Request) -> Response:
        raise KeyError("secret")

    reply = ask(app(fail), "POST", "/authz", content=BODY)
    response = messages.read_response(base64_lines.decode(reply.content))
    assert reply.status_code == 200
    assert response.results == indeterminate("internal error").results


@pytest.mark.parametrize("body", [b"", b"!!!", b"bm90IGhlc3NpYW4=", BODY[:40], base64_lines.encode(b"N")])
def test_a_body_that_is_no_request_is_a_bad_request(body: bytes) -> None:
    kept, counts = Kept(), Counters()
    reply = ask(app(kept=kept, counts=counts), "POST", "/authz", content=body)
    assert reply.status_code == 400
    assert reply.headers["content-type"].startswith("text/plain")
    assert len(reply.text.splitlines()) == 1
    assert (kept.exchanges, counts.read()) == ([], (0, 0))


def test_reading_stops_at_the_limit() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"A" * 65536

    reply = ask(app(), "POST", "/authz", content=endless())
    assert (reply.status_code, reply.headers["connection"]) == (413, "close")
    assert sent <= base64_lines.MAX_BODY + 2 * 65536


def test_a_body_of_the_limit_is_read() -> None:
    padded = BODY + b"\n" * (base64_lines.MAX_BODY - len(BODY))
    assert ask(app(), "POST", "/authz", content=padded).status_code == 200
    assert ask(app(), "POST", "/authz", content=padded + b"\n").status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_authorization_is_asked_for_by_post_alone(method: str) -> None:
    reply = ask(app(), method, "/authz")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/authz/", "/docs", "/redoc", "/openapi.json", "/status/x"])
def test_other_paths_are_not_found(path: str) -> None:
    assert ask(app(), "GET", path).status_code == 404


def test_the_status_page_counts_requests_and_errors() -> None:
    def fail(_request: Request) -> Response:
        raise KeyError

    counts = Counters()
    ask(app(counts=counts), "POST", "/authz", content=BODY)
    failing = app(fail, counts=counts)
    ask(failing, "POST", "/authz", content=BODY)
    reply = ask(failing, "GET", "/status")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain;charset=iso-8859-1")
    assert "TotalRequests: 2\nTotalCompletedRequests: 1\nTotalRequestErrors: 1\n" in reply.text
    assert ask(failing, "HEAD", "/status").status_code == 200


def test_the_journal_gets_client_address_time_and_answer() -> None:
    kept = Kept()
    name = DistinguishedName.parse_rfc2253("CN=wn001,O=Example")
    ask(Peer(app(kept=kept), Proven(name)), "POST", "/authz", content=BODY)
    ask(Peer(app(kept=kept)), "POST", "/authz", content=BODY)
    first, second = kept.exchanges
    assert (first.client, first.address, first.request) == (name, "192.0.2.7", REQUEST)
    assert (first.received_at, first.duration) == (START + timedelta(seconds=1), timedelta(seconds=1))
    assert first.response.results == (Result(Decision.PERMIT),)
    assert second.client is None


def test_a_request_has_an_id_and_a_deadline_from_its_arrival() -> None:
    kept, decisions = Kept(), Deciding(permit)
    asgi = app(decisions, kept)
    ask(asgi, "POST", "/authz", content=BODY)
    ask(asgi, "POST", "/authz", content=BODY)
    deadline = 1000.0 + PATIENCE.total_seconds()
    assert decisions.calls == [Call("_1", deadline), Call("_2", deadline)]
    assert [exchange.id for exchange in kept.exchanges] == ["_1", "_2"]


def test_the_id_goes_into_the_logs_while_the_request_is_worked_on() -> None:
    seen: list[str | None] = []

    def look(request: Request) -> Response:
        seen.append(REQUEST_ID.get())
        return permit(request)

    asgi = app(look)
    ask(asgi, "POST", "/authz", content=BODY)
    ask(asgi, "POST", "/authz", content=BODY)
    assert (seen, REQUEST_ID.get()) == (["_1", "_2"], None)


def test_beyond_the_load_requests_are_told_to_come_back() -> None:
    entered, release = threading.Semaphore(0), threading.Event()

    def wait(_request: Request) -> Response:
        entered.release()
        assert release.wait(10)
        return Response((Result(Decision.PERMIT),))

    async def two(asgi: ASGIApp) -> list[int]:
        async with client(asgi) as http:
            first = asyncio.create_task(http.post("/authz", content=BODY))
            await asyncio.to_thread(entered.acquire)
            second = await http.post("/authz", content=BODY)
            release.set()
            return [
                (await first).status_code,
                second.status_code,
                (await http.post("/authz", content=BODY)).status_code,
            ]

    assert asyncio.run(two(app(wait, load=Load(working=1, waiting=0)))) == [200, 503, 200]


def test_requests_wait_for_a_thread_within_the_load() -> None:
    async def many(asgi: ASGIApp) -> list[int]:
        async with client(asgi) as http:
            replies = await asyncio.gather(*(http.post("/authz", content=BODY) for _ in range(8)))
            return [reply.status_code for reply in replies]

    assert asyncio.run(many(app(load=Load(working=1, waiting=7)))) == [200] * 8


def test_a_client_that_goes_away_leaves_no_error() -> None:
    async def gone() -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": "/authz",
            "headers": [],
            "query_string": b"",
            "client": None,
        }
        await app()(scope, receive, send)
        return sent

    assert asyncio.run(gone())[0]["status"] == 400
