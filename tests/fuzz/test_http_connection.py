"""Whatever a client sends: it is answered, waited for by the clock, or left; and never an error of ours."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from argus_py.web.connection import HttpConnection, claim_from
from argus_py.web.fairness import Places

GET = b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /authz HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = b"POST /authz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
PIECES = st.one_of(
    st.sampled_from([GET, POST, CHUNKED, b"\r\n", b"HTTP/1.1", b": ", b"Expect: 100-continue\r\n"]), st.binary()
)


class Transport(asyncio.Transport):
    """To nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def told(pieces: list[bytes]) -> bytes:
    """What the client gets for these."""
    config = Config(answer, interface="asgi3", ws="none", log_config=None)
    config.load()
    connection, transport = HttpConnection(config, ServerState(), claim_from(Places(1))), Transport()
    errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    connection.connection_made(transport)
    for piece in pieces:
        if transport.closed:
            break
        connection.data_received(piece)
        for _ in range(5):
            await asyncio.sleep(0)
    assert transport.closed or connection.timeout_keep_alive_task is not None
    connection.connection_lost(None)
    assert (connection.timeout_keep_alive_task, errors) == (None, [])
    return transport.sent


@given(st.lists(PIECES, max_size=8))
@example([GET * 3, POST[:-1], POST[-1:]])
@example([CHUNKED[:-3], b"x"])
@settings(max_examples=200, deadline=None)
def test_whatever_comes_the_clock_runs_or_the_connection_ends(pieces: list[bytes]) -> None:
    asyncio.run(told(pieces))


@example([GET, GET], [len(GET) + 1])
@given(st.lists(st.sampled_from([GET, POST, CHUNKED]), max_size=4), st.lists(st.integers(0, 250), max_size=12))
@settings(max_examples=200, deadline=None)
def test_however_requests_are_cut_each_is_answered_once(requests: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(requests)
    pieces = [octets[begin:end] for begin, end in pairwise([0, *sorted(cuts), len(octets)])]
    assert asyncio.run(told(pieces)).count(b"HTTP/1.1 204") == len(requests)
