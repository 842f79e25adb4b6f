import asyncio
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.responses import PlainTextResponse

from argus_py.web.pap_loopback import COMMAND_HEADER, loopback_app


@dataclass
class Daemon:
    stops: list[str] = field(default_factory=list)

    def ask(self, path: str, command: str | None, given: str | None = None, method: str = "GET") -> httpx.Response:
        app = loopback_app(lambda: PlainTextResponse("Status: OK\n"), lambda: self.stops.append("stop"), command)
        headers = {} if given is None else {COMMAND_HEADER.encode(): given.encode()}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8151") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(send())


def test_the_status_page_needs_nothing() -> None:
    assert Daemon().ask("/status", "secret").text == "Status: OK\n"


@pytest.mark.parametrize(
    ("command", "given", "stops"),
    [
        ("secret", "secret", ["stop"]),
        ("secret", "wrong", []),
        ("secret", None, []),
        ("secret", "s\xe9cret", []),
        ("s\xe9cret", "s\xe9cret", ["stop"]),
        ("", None, ["stop"]),
        (None, None, ["stop"]),
        (None, "anything", ["stop"]),
    ],
)
def test_the_right_command_stops_the_daemon_and_every_answer_is_the_same(
    command: str | None, given: str | None, stops: list[str]
) -> None:
    daemon = Daemon()
    answer = daemon.ask("/shutdown", command, given)
    assert (answer.status_code, answer.content) == (200, b"")
    assert daemon.stops == stops


def test_a_wrong_command_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    Daemon().ask("/shutdown", "secret", "wrong")
    assert caplog.messages == ["Shutdown attempted with invalid command string!"]


def test_nothing_else_is_there() -> None:
    daemon = Daemon()
    assert daemon.ask("/pap/status", None).status_code == 404
    assert daemon.ask("/shutdown", None, method="POST").status_code == 405
    assert daemon.stops == []
