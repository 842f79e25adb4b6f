"""What a connection allows its client, by a clock that is set; its talking is covered in ``tests/e2e/port``."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from argus_py.web.connection import MAX_AHEAD, MAX_HEAD, SLOWEST, HttpConnection, claim_from
from argus_py.web.fairness import Places

IDLE = 30
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call

    def cancel(self) -> None:
        self.at = float("inf")


class Loop:
    """Tasks run in the real one, time passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.timers: list[Timer] = []
        self.create_task = asyncio.get_running_loop().create_task

    def time(self) -> float:
        return self.seconds

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.seconds + delay, call))
        return self.timers[-1]

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for timer in [timer for timer in self.timers if timer.at <= self.seconds]:
            timer.cancel()
            timer.call()


class Transport(asyncio.Transport):
    """``unread`` octets lie between us and the client."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.sent = b""
        self.unread = 0
        self.end: str | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self.address, 40_000) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert self.end != "lost"
        self.sent += data

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = "aborted"

    def is_closing(self) -> bool:
        return self.end is not None

    def get_write_buffer_size(self) -> int:
        return self.unread

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Port:
    """The application answers when ``release`` is set."""

    def __init__(self, places: int = 10) -> None:
        self.release = asyncio.Event()
        self.release.set()
        self.loop = Loop()
        self._config = Config(self._answer, interface="asgi3", ws="none", log_config=None, timeout_keep_alive=IDLE)
        self._config.load()
        self._state = ServerState()
        self._claim = claim_from(Places(places))

    async def _answer(self, _scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await self.release.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    def connect(self, address: str = "192.0.2.1") -> "tuple[HttpConnection, Transport]":
        connection, transport = HttpConnection(self._config, self._state, self._claim), Transport(address)
        connection.loop = self.loop  # type: ignore[assignment]
        connection.connection_made(transport)
        return connection, transport


async def others_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def answers(transport: Transport) -> int:
    return transport.sent.count(b"HTTP/1.1 204")


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_a_client_that_never_says_a_word_is_left_after_the_idle_time() -> None:
    async def scenario() -> None:
        port = Port()
        _, transport = port.connect()
        port.loop.sleep(IDLE - 1)
        assert transport.end is None
        port.loop.sleep(1)
        assert transport.end == "closed"

    run(scenario)


def test_blank_lines_are_not_a_request_and_do_not_keep_a_connection() -> None:
    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        for _ in range(IDLE + 1):
            connection.data_received(b"\r\n")
            port.loop.sleep(1)
        assert transport.end == "closed"

    run(scenario)


@pytest.mark.parametrize(
    "begin", [b"POST / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 10000\r\n\r\n"], ids=["head", "body"]
)
def test_a_request_that_comes_in_drops_is_not_waited_for_much_longer_than_one_that_stops(begin: bytes) -> None:
    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        port.loop.sleep(IDLE - 1)
        connection.data_received(begin)
        for _ in range(IDLE - 1):
            port.loop.sleep(1)
            connection.data_received(b"x")
        assert transport.end is None
        port.loop.sleep(2)
        assert transport.end == "closed"

    run(scenario)


def test_a_long_request_may_take_longer_if_it_goes_on() -> None:
    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        seconds = 10 * IDLE
        connection.data_received(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (seconds * SLOWEST))
        for _ in range(seconds):
            port.loop.sleep(1)
            connection.data_received(b"x" * SLOWEST)
            await others_run()
        assert (transport.end, answers(transport)) == (None, 1)

    run(scenario)


def test_our_answers_take_what_they_take() -> None:
    async def scenario() -> None:
        port = Port()
        port.release.clear()
        connection, transport = port.connect()
        connection.data_received(REQUEST)
        await others_run()
        port.loop.sleep(100 * IDLE)
        port.release.set()
        await others_run()
        assert (transport.end, answers(transport)) == (None, 1)
        port.loop.sleep(IDLE)
        assert transport.end == "closed"

    run(scenario)


def test_a_request_behind_another_one_does_not_have_to_be_complete_before_that_is_answered() -> None:
    async def scenario() -> None:
        port = Port()
        port.release.clear()
        connection, transport = port.connect()
        connection.data_received(REQUEST + REQUEST[:-1])
        await others_run()
        port.loop.sleep(100 * IDLE)
        port.release.set()
        await others_run()
        assert (transport.end, answers(transport)) == (None, 1)
        connection.data_received(REQUEST[-1:])
        await others_run()
        assert answers(transport) == 2

    run(scenario)


@pytest.mark.parametrize("head", [b"", b"Connection: close\r\n"])
def test_an_answer_that_nobody_takes_is_thrown_away(head: bytes) -> None:
    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        transport.unread = 60 * SLOWEST
        connection.data_received(b"GET / HTTP/1.1\r\n" + head + b"\r\n")
        await others_run()
        assert answers(transport) == 1
        port.loop.sleep(IDLE + 59)
        assert transport.end != "aborted"
        port.loop.sleep(1)
        assert transport.end == "aborted"

    run(scenario)


def test_who_asks_but_does_not_read_is_left() -> None:
    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        transport.unread = SLOWEST
        connection.pause_writing()
        connection.data_received(REQUEST)
        await others_run()
        assert answers(transport) == 0
        port.loop.sleep(IDLE + 1)
        assert transport.end == "aborted"
        connection.connection_lost(None)
        await others_run()

    run(scenario)


def test_who_reads_again_gets_his_answer_and_all_the_time_that_takes() -> None:
    async def scenario() -> None:
        port = Port()
        port.release.clear()
        connection, transport = port.connect()
        connection.data_received(REQUEST)
        connection.pause_writing()
        connection.resume_writing()
        port.loop.sleep(100 * IDLE)
        port.release.set()
        await others_run()
        assert (transport.end, answers(transport)) == (None, 1)

    run(scenario)


def test_the_idle_time_begins_when_the_answer_is_taken() -> None:
    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        connection.data_received(REQUEST)
        await others_run()
        transport.unread = 60 * SLOWEST
        connection.pause_writing()
        port.loop.sleep(IDLE + 1)
        transport.unread = 0
        connection.resume_writing()
        port.loop.sleep(IDLE - 1)
        assert transport.end is None
        port.loop.sleep(1)
        assert transport.end == "closed"

    run(scenario)


def test_who_sends_many_requests_before_the_answers_is_refused() -> None:
    async def scenario() -> None:
        port = Port()
        port.release.clear()
        connection, transport = port.connect()
        connection.data_received(REQUEST * (MAX_AHEAD + 1))
        assert transport.end is None
        connection.data_received(REQUEST)
        assert transport.sent.startswith(b"HTTP/1.1 400")
        port.release.set()
        await others_run()

    run(scenario)


def test_an_early_answer_does_not_let_a_client_send_for_ever() -> None:
    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body"})

    async def scenario() -> None:
        port = Port()
        connection, transport = port.connect()
        connection.app = refuse
        connection.data_received(b"POST / HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n")
        await others_run()
        assert transport.sent.startswith(b"HTTP/1.1 413")
        connection.data_received(b"x" * (MAX_HEAD + 1))
        assert transport.end == "closed"

    run(scenario)


def test_an_idle_connection_makes_room_and_one_that_is_answered_does_not() -> None:
    async def scenario() -> None:
        port = Port(places=2)
        (idle, idle_transport), (busy, busy_transport) = port.connect(), port.connect()
        idle.data_received(REQUEST)
        await others_run()
        port.release.clear()
        busy.data_received(REQUEST)
        await others_run()
        newcomers = [port.connect(f"192.0.2.{number}")[1] for number in (2, 3)]
        assert [idle_transport.end, busy_transport.end, newcomers[0].end] == ["aborted", None, "aborted"]
        port.release.set()
        await others_run()
        assert answers(busy_transport) == 1
        busy.connection_lost(None)
        assert port.connect()[1].end is None
        assert newcomers[1].end is None

    run(scenario)


def test_a_half_sent_request_makes_room() -> None:
    async def scenario() -> None:
        port = Port(places=1)
        connection, transport = port.connect()
        connection.data_received(REQUEST + REQUEST[:-1])
        await others_run()
        port.connect("192.0.2.2")
        assert (transport.end, answers(transport)) == ("aborted", 1)

    run(scenario)


def test_there_is_no_connection_without_a_place() -> None:
    async def scenario() -> None:
        port = Port(places=1)
        port.release.clear()
        connection, transport = port.connect()
        connection.data_received(REQUEST)
        newcomer, none = port.connect()
        assert (transport.end, none.end) == (None, "aborted")
        newcomer.connection_lost(None)
        port.release.set()
        await others_run()

    run(scenario)


def test_an_idle_connection_holds_nothing_of_its_last_request() -> None:
    async def scenario() -> None:
        connection, transport = Port().connect()
        for _ in range(3):
            connection.data_received(REQUEST)
            await others_run()
            held: list[object] = [connection.cycle, connection.scope, connection.headers]
            assert held == [None, None, None]
        assert answers(transport) == 3

    run(scenario)


@pytest.mark.parametrize("reason", [None, ConnectionResetError()])
def test_a_lost_connection_is_not_held_until_it_would_have_been_idle(reason: Exception | None) -> None:
    async def scenario() -> None:
        port = Port()
        connection, _ = port.connect()
        connection.connection_lost(reason)
        assert [timer for timer in port.loop.timers if timer.at != float("inf")] == []

    run(scenario)


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_nothing_is_sent_to_a_client_that_is_gone(requests: int, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        port = Port()
        port.release.clear()
        connection, transport = port.connect()
        connection.data_received(requests * REQUEST)
        await others_run()
        transport.end = "lost"
        connection.connection_lost(ConnectionResetError())
        port.release.set()
        await others_run()
        assert transport.sent == b""
        assert all(timer.at == float("inf") for timer in port.loop.timers)

    run(scenario)
    assert caplog.messages == []
