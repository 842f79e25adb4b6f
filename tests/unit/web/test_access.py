import asyncio
import logging
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from argus_py.web.access import AccessLog

SCOPE: Scope = {
    "type": "http",
    "client": ("192.0.2.7", 40000),
    "scheme": "https",
    "server": ("192.0.2.1", 8154),
    "headers": [(b"accept", b"*/*"), (b"host", b"argus.example.org:8154")],
    "path": "/authz\n",
    "raw_path": b"/authz%0a",
}


def logged(scope: Scope, caplog: pytest.LogCaptureFixture, error: type[Exception] | None = None) -> list[str]:
    caplog.set_level(logging.INFO, "argus.access")
    served: list[Any] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        served.append(scope)
        if error:
            raise error

    async def receive() -> Message:
        raise AssertionError

    async def send(_message: Message) -> None:
        raise AssertionError

    asyncio.run(AccessLog(app)(scope, receive, send))
    assert served == [scope]
    return caplog.messages


def test_a_request_is_logged_with_its_path_as_sent(caplog: pytest.LogCaptureFixture) -> None:
    assert logged(SCOPE, caplog) == ["192.0.2.7|argus.example.org:8154|/authz%0a|"]


def test_a_bar_from_the_client_separates_nothing(caplog: pytest.LogCaptureFixture) -> None:
    scope = {**SCOPE, "raw_path": b"/a|b", "headers": [(b"host", b"x|y")]}
    assert logged(scope, caplog) == ["192.0.2.7|x%7Cy:443|/a%7Cb|"]


@pytest.mark.parametrize(
    ("scheme", "host", "server"),
    [
        ("https", b"argus.example.org", "argus.example.org:443"),
        ("http", b"argus.example.org", "argus.example.org:80"),
        ("http", b"[2001:db8::1]", "[2001:db8::1]:80"),
        ("http", b"[2001:db8::1]:8154", "[2001:db8::1]:8154"),
        ("https", b"argus:", "argus::443"),
        ("https", b"", "192.0.2.1:8154"),
    ],
)
def test_the_server_is_told_with_its_port(
    scheme: str, host: bytes, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    scope = {**SCOPE, "scheme": scheme, "headers": [(b"host", host)]}
    assert logged(scope, caplog) == [f"192.0.2.7|{server}|/authz%0a|"]


def test_what_is_not_known_is_a_dash(caplog: pytest.LogCaptureFixture) -> None:
    scope: Scope = {"type": "http", "client": None, "headers": [], "path": "/é"}
    assert logged(scope, caplog) == ["-|-|/Ã©|"]


def test_a_request_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError):
        logged(SCOPE, caplog, KeyError)
    assert len(caplog.messages) == 1


def test_the_lifespan_of_the_server_is_no_request(caplog: pytest.LogCaptureFixture) -> None:
    assert logged({"type": "lifespan"}, caplog) == []
