"""Body in, worker thread, body out."""

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from argus_py.web.workers import Load, Workers

LIMIT = 10


def app_of(workers: Workers, answer: "Answer") -> Starlette:
    async def serve(request: Request) -> Response:
        return await workers.serve(request, answer, lambda limit: PlainTextResponse(f"over {limit}", 413))

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


async def post(app: Starlette, body: bytes | AsyncIterator[bytes]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        return await client.post("/", content=body)


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


def test_more_requests_than_may_wait_are_turned_away_and_later_ones_are_not() -> None:
    release = threading.Event()
    answer = Answer(release)
    app = app_of(Workers(Load(working=1, waiting=1), LIMIT), answer)

    async def scenario() -> list[int]:
        first = [asyncio.create_task(post(app, b"a")) for _ in range(2)]
        while not answer.threads:
            await asyncio.sleep(0.001)
        refused = await post(app, b"b")
        release.set()
        served = await asyncio.gather(*first)
        later = await post(app, b"c")
        return [response.status_code for response in (refused, *served, later)]

    assert asyncio.run(scenario()) == [503, 200, 200, 200]


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

    assert asyncio.run(scenario()) == 2
    assert len(answer.threads) == 5


def test_a_client_that_hangs_up_leaves_its_place() -> None:
    workers = Workers(Load(working=1, waiting=0), LIMIT)
    answer = Answer()

    async def scenario() -> list[int]:
        async def hung_up() -> dict[str, str]:
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        gone = await workers.serve(Request(scope, hung_up), answer, lambda _limit: Response())
        return [gone.status_code, (await post(app_of(workers, answer), b"a")).status_code]

    assert asyncio.run(scenario()) == [400, 200]
