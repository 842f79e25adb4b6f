"""Body in, worker thread, body out."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from argus_py.web.workers import Load, Workers

LIMIT = 10
T = TypeVar("T")
WHOLE = {"type": "http.request", "body": b"body"}


def too_large(limit: int) -> Response:
    return PlainTextResponse(f"over {limit}", 413)


def app_of(workers: Workers, answer: "Answer") -> Starlette:
    async def serve(request: Request) -> Response:
        return await workers.serve(request, answer, too_large)

    return Starlette(routes=[Route("/", serve, methods=["POST"])])


class Answer:
    """Gives the body back; waits for ``release`` if told to, and keeps the threads it ran in."""

    def __init__(self, release: threading.Event | None = None) -> None:
        self.release = release
        self.threads: list[str] = []
        self.bodies: list[bytes] = []

    def __call__(self, body: bytes) -> Response:
        self.threads.append(threading.current_thread().name)
        self.bodies.append(body)
        if self.release:
            self.release.wait(10)
        return Response(body)


def run(scenario: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(scenario)


async def post(app: Starlette, body: bytes | AsyncIterator[bytes], sender: str = "192.0.2.1") -> httpx.Response:
    transport = httpx.ASGITransport(app, client=(sender, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.post("/", content=body)


def request_of(*messages: dict[str, Any]) -> Request:
    """One whose client says no more after these."""
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
        return message or {}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"xxxx"


def test_a_body_is_answered_in_another_thread() -> None:
    answer = Answer()
    response = asyncio.run(post(app_of(Workers(Load(), LIMIT), answer), b"hello"))
    assert (response.status_code, response.content) == (200, b"hello")
    assert answer.threads != [threading.current_thread().name]


def test_a_body_in_pieces_is_put_together() -> None:
    answer = Answer()
    asyncio.run(post(app_of(Workers(Load(), LIMIT), answer), pieces(2)))
    assert answer.bodies == [b"xxxxxxxx"]


def test_a_body_of_the_limit_is_taken_and_one_octet_more_is_not() -> None:
    answer = Answer()
    app = app_of(Workers(Load(), LIMIT), answer)
    assert asyncio.run(post(app, b"x" * LIMIT)).status_code == 200
    over = asyncio.run(post(app, b"x" * (LIMIT + 1)))
    assert (over.status_code, over.text) == (413, "over 10")
    assert len(answer.bodies) == 1


class Busy:
    """Workers of which one is kept busy until ``release`` is set."""

    def __init__(self, waiting: int, patience: float = 1000.0) -> None:
        self.release = threading.Event()
        self.answer = Answer(self.release)
        self.app = app_of(Workers(Load(working=1, waiting=waiting), LIMIT, patience), self.answer)
        self.sent: list[asyncio.Task[httpx.Response]] = []

    async def send(self, body: bytes | AsyncIterator[bytes], sender: str = "192.0.2.1") -> None:
        """Returns when the request has got as far as it gets for now."""
        self.sent.append(asyncio.create_task(post(self.app, body, sender)))
        while not self.answer.threads:
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)

    async def answers(self) -> list[tuple[int, bytes]]:
        """In the order in which the requests were sent."""
        self.release.set()
        responses = await asyncio.gather(*self.sent)
        return [(each.status_code, each.content if each.status_code == 200 else b"") for each in responses]


def test_a_body_that_is_announced_as_too_long_is_not_read() -> None:
    async def scenario() -> int:
        request = request_of(WHOLE)
        request.scope["headers"].append((b"content-length", b"%d" % (LIMIT + 1)))
        return (await Workers(Load(), LIMIT).serve(request, Answer(), too_large)).status_code

    assert run(scenario()) == 413


def test_of_too_many_requests_the_one_that_waits_longest_is_turned_away_with_the_advice_to_come_again() -> None:
    async def scenario() -> list[tuple[int, bytes]]:
        busy = Busy(waiting=1)
        for body in (b"1", b"2", b"3"):
            await busy.send(body)
        refused = await busy.sent[1]
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        return [*await busy.answers(), ((await post(busy.app, b"4")).status_code, b"4")]

    assert run(scenario()) == [(200, b"1"), (503, b""), (200, b"3"), (200, b"4")]


def test_who_sends_most_makes_room_for_others() -> None:
    async def scenario() -> list[tuple[int, bytes]]:
        busy = Busy(waiting=3)
        for body in (b"1", b"2", b"3", b"4"):
            await busy.send(body)
        for body in (b"5", b"6"):
            await busy.send(body, "192.0.2.2")
        return await busy.answers()

    assert [status for status, _ in run(scenario())] == [200, 503, 503, 200, 200, 200]


def test_clients_take_turns_with_the_threads() -> None:
    async def scenario() -> list[bytes]:
        busy = Busy(waiting=10)
        for body in (b"a1", b"a2", b"a3"):
            await busy.send(body)
        await busy.send(b"b1", "192.0.2.2")
        await busy.answers()
        return busy.answer.bodies

    assert run(scenario()) == [b"a1", b"a2", b"b1", b"a3"]


def test_bodies_that_do_not_come_make_room() -> None:
    async def scenario() -> list[int]:
        answer = Answer()
        workers = Workers(Load(working=1, waiting=1), LIMIT)
        half = {"type": "http.request", "body": b"half", "more_body": True}
        slow = [asyncio.create_task(workers.serve(request_of(half), answer, too_large)) for _ in range(3)]
        await asyncio.sleep(0)
        response = await post(app_of(workers, answer), b"1")
        refused = await asyncio.gather(*slow[:2])
        slow[2].cancel()
        return [response.status_code, *(each.status_code for each in refused)]

    assert run(scenario()) == [200, 503, 503]


def test_what_is_worked_on_makes_no_room() -> None:
    async def scenario() -> list[int]:
        busy = Busy(waiting=0)
        await busy.send(b"1")
        refused = await post(busy.app, b"2", "192.0.2.2")
        return [refused.status_code, *(status for status, _ in await busy.answers())]

    assert run(scenario()) == [503, 200]


def test_what_has_waited_too_long_is_refused_and_never_worked_on() -> None:
    async def scenario() -> list[tuple[int, bytes]]:
        busy = Busy(waiting=5, patience=0.01)
        await busy.send(b"1")
        await busy.send(b"2")
        await busy.sent[1]
        answers = await busy.answers()
        assert busy.answer.bodies == [b"1"]
        return answers

    assert run(scenario()) == [(200, b"1"), (503, b"")]


def test_a_thread_that_was_meant_for_a_refused_request_is_not_lost() -> None:
    async def scenario() -> list[tuple[int, bytes]]:
        busy = Busy(waiting=5, patience=0.01)
        for body in (b"1", b"2", b"3"):
            await busy.send(body)
        await asyncio.wait(busy.sent[1:])
        await busy.answers()
        return [((await post(busy.app, body)).status_code, body) for body in (b"4", b"5")]

    assert run(scenario()) == [(200, b"4"), (200, b"5")]


def test_work_goes_on_in_the_context_of_its_request() -> None:
    name = contextvars.ContextVar("name", default="nobody")

    async def scenario() -> list[bytes]:
        workers = Workers(Load(working=1), LIMIT)

        def answer(_body: bytes) -> Response:
            told = name.get().encode()
            name.set("somebody of this thread")
            return Response(told)

        async def serve(request: Request) -> Response:
            name.set(request.headers["X-Name"])
            return await workers.serve(request, answer, too_large)

        app = Starlette(routes=[Route("/", serve, methods=["POST"])])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            told = [await client.post("/", headers={"X-Name": each}) for each in ("one", "two")]
        return [each.content for each in told]

    assert run(scenario()) == [b"one", b"two"]


def test_an_error_in_the_work_is_the_callers_and_frees_the_thread() -> None:
    async def scenario() -> int:
        workers = Workers(Load(working=1, waiting=0), LIMIT)

        def fail(_body: bytes) -> Response:
            raise TimeoutError("of a socket, say")

        for _ in range(3):
            with pytest.raises(TimeoutError, match="of a socket"):
                await workers.serve(request_of(WHOLE), fail, too_large)
        return (await post(app_of(workers, Answer()), b"2")).status_code

    assert run(scenario()) == 200


def test_no_more_threads_work_than_the_load_allows() -> None:
    release = threading.Event()
    answer = Answer(release)
    app = app_of(Workers(Load(working=2, waiting=10), LIMIT), answer)

    async def scenario() -> int:
        tasks = [asyncio.create_task(post(app, b"a")) for _ in range(5)]
        while len(answer.threads) < 2:
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)
        working = len(answer.threads)
        release.set()
        await asyncio.gather(*tasks)
        return working

    assert run(scenario()) == 2
    assert len(answer.threads) == 5


def test_a_client_that_hangs_up_leaves_its_place() -> None:
    workers = Workers(Load(working=1, waiting=0), LIMIT)
    answer = Answer()

    async def scenario() -> list[int]:
        gone = await workers.serve(request_of({"type": "http.disconnect"}), answer, too_large)
        return [gone.status_code, (await post(app_of(workers, answer), b"a")).status_code]

    assert run(scenario()) == [400, 200]
