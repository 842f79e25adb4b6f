from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from argus_py.clients.transport import Timeouts, Transport

VECTORS = Path(__file__).parents[2] / "vectors" / "soap"


@pytest.fixture(scope="session")
def vector() -> Callable[[str], bytes]:
    """The bytes of a recorded message."""
    return lambda name: (VECTORS / name).read_bytes()


class Wire(httpx.BaseTransport):
    """Hands requests to a function; what it answers comes as a stream, as from the network."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        answer = self.answer(request)
        if not answer.is_stream_consumed:
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))


@pytest.fixture(scope="session")
def wire() -> type[Wire]:
    return Wire


class Peer:
    """Answers each call with the next of ``answers``, the last one again and again, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def transport(self) -> Transport:
        return Transport(Timeouts(), http=Wire(self))


@pytest.fixture
def peer() -> type[Peer]:
    return Peer
