"""The admin port as an application: who may give commands, which there are, what they answer."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp

from argus_py.web.admin import MAX_QUESTION, PASSWORD_HEADER, admin_app
from argus_py.web.status import StatusPage

STATUS = StatusPage("Argus PEP Server", "0.1", datetime(2026, 11, 24, tzinfo=UTC), lambda: (3, 1), lambda: ())


@dataclass
class Daemon:
    """Remembers what it was told to do."""

    done: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def clear(self) -> None:
        self.done.append("clear")
        self.threads.add(threading.current_thread().name)

    def reload(self) -> str:
        self.done.append("reload")
        return "three files\n"

    def stop(self) -> None:
        self.done.append("stop")

    def answer(self, body: bytes) -> Response:
        self.done.append(body.decode())
        self.threads.add(threading.current_thread().name)
        return Response("because")

    def port(self, password: str | None = None) -> ASGIApp:
        commands = {"/clearResponseCache": self.clear, "/reload": self.reload}
        return admin_app(STATUS, commands, self.stop, password, {"/explain": self.answer})


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


def ask(
    app: ASGIApp, method: str, target: str, headers: dict[bytes, bytes] | None = None, body: bytes | None = None
) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8155") as client:
            return await client.request(method, target, headers=headers, content=body)

    return asyncio.run(send())


def test_status_is_the_page_of_the_service_port(daemon: Daemon) -> None:
    answer = ask(daemon.port(), "GET", "/status")
    assert answer.text.splitlines()[:5] == STATUS.text().splitlines()[:5]
    assert answer.text.endswith("TotalRequests: 3\nTotalCompletedRequests: 2\nTotalRequestErrors: 1\n")
    assert answer.headers["content-type"] == "text/plain;charset=iso-8859-1"
    assert ask(daemon.port(), "HEAD", "/status").status_code == 200


def test_a_command_without_a_word_to_say_has_an_empty_answer(daemon: Daemon) -> None:
    answer = ask(daemon.port(), "GET", "/clearResponseCache")
    assert (answer.status_code, answer.content) == (200, b"")
    assert daemon.done == ["clear"]
    assert threading.current_thread().name not in daemon.threads


def test_a_command_may_say_what_came_of_it(daemon: Daemon) -> None:
    answer = ask(daemon.port(), "GET", "/reload")
    assert answer.text == "three files\n"
    assert answer.headers["content-type"] == "text/plain;charset=utf-8"


def test_shutdown_is_answered_before_it_begins(daemon: Daemon) -> None:
    answer = ask(daemon.port(), "GET", "/shutdown")
    assert (answer.status_code, answer.content) == (200, b"")
    assert daemon.done == ["stop"]


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/clearResponseCache", "/shutdown", "/reload"])
def test_only_a_get_is_a_command(daemon: Daemon, method: str, path: str) -> None:
    answer = ask(daemon.port(), method, path)
    assert answer.status_code == 405
    assert (answer.content == b"") == (method != "POST")
    assert daemon.done == []


IN_JSON = {b"Content-Type": b"Application/JSON; charset=utf-8"}


def test_a_question_is_posted_and_answered_in_a_thread(daemon: Daemon) -> None:
    answer = ask(daemon.port(), "POST", "/explain", IN_JSON, b"{}")
    assert (answer.status_code, answer.text) == (200, "because")
    assert daemon.done == ["{}"]
    assert threading.current_thread().name not in daemon.threads


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_a_post_is_a_question(daemon: Daemon, method: str) -> None:
    assert ask(daemon.port(), method, "/explain", IN_JSON, b"{}").status_code == 405
    assert daemon.done == []


@pytest.mark.parametrize("kind", [{}, {b"Content-Type": b"text/plain"}, {b"Content-Type": b""}])
def test_a_web_page_cannot_ask(daemon: Daemon, kind: dict[bytes, bytes]) -> None:
    """Other types than JSON can be sent across origins without leave."""
    answer = ask(daemon.port(), "POST", "/explain", kind, b"{}")
    assert (answer.status_code, answer.text) == (415, "a question is application/json\n")
    assert daemon.done == []


def test_a_question_has_a_limit(daemon: Daemon) -> None:
    assert ask(daemon.port(), "POST", "/explain", IN_JSON, b" " * (MAX_QUESTION + 1)).status_code == 413
    assert daemon.done == []
    assert ask(daemon.port(), "POST", "/explain", IN_JSON, b" " * MAX_QUESTION).status_code == 200


def test_a_question_needs_the_password_too(daemon: Daemon) -> None:
    assert ask(daemon.port("secret"), "POST", "/explain", IN_JSON, b"{}").status_code == 401
    headers = {**IN_JSON, PASSWORD_HEADER.encode(): b"secret"}
    assert ask(daemon.port("secret"), "POST", "/explain", headers, b"{}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/Status", 404), ("GET", "/status/", 404), ("PATCH", "/status", 501)],
)
def test_other_requests_are_answered_as_by_jetty(daemon: Daemon, method: str, path: str, status: int) -> None:
    assert ask(daemon.port(), method, path).status_code == status


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/status"),
        ("GET", "/status?password="),
        ("GET", "/status?password=wrong"),
        ("GET", "/status?Password=secret"),
        ("GET", "/status?password=wrong&password=s%20%C3%A9=t"),
        ("GET", "/status?" + "&".join(["password=s%20%C3%A9=t"] * 11)),
        ("GET", "/nothing"),
        ("POST", "/shutdown"),
        ("PATCH", "/shutdown"),
    ],
)
def test_without_the_password_everything_is_unauthorized_and_empty(daemon: Daemon, method: str, target: str) -> None:
    answer = ask(daemon.port("s é=t"), method, target)
    assert (answer.status_code, answer.content, dict(answer.headers)) == (401, b"", {"content-length": "0"})
    assert daemon.done == []


@pytest.mark.parametrize(
    "target",
    ["/reload?password=s%20%C3%A9=t", "/reload?x=1&password=+s+%C3%A9%3Dt%09", "/reload?password=s+%c3%a9%3dt"],
)
def test_the_password_may_be_in_the_query_string(daemon: Daemon, target: str) -> None:
    assert ask(daemon.port(" s é=t "), "GET", target).status_code == 200


def test_the_password_may_be_a_header(daemon: Daemon) -> None:
    headers = {PASSWORD_HEADER.encode(): "s é=t".encode()}
    assert ask(daemon.port("s é=t"), "GET", "/reload", headers).status_code == 200
    assert ask(daemon.port("s é=t"), "GET", "/reload?password=wrong", headers).status_code == 200
    assert ask(daemon.port("other"), "GET", "/reload", headers).status_code == 401


def test_no_password_is_asked_for_where_there_is_none(daemon: Daemon) -> None:
    assert ask(daemon.port(), "GET", "/reload?password=any").status_code == 200


def test_the_log_tells_who_asked_and_never_the_password(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for target in ("/reload?password=secret", "/shutdown?password=secret", "/reload?password=guess"):
        ask(daemon.port("secret"), "GET", target)
    told = [record.getMessage() for record in caplog.records if record.name == "argus_py.web.admin"]
    assert told == [
        "/reload asked for by 127.0.0.1",
        "Service shutting down, asked for by 127.0.0.1",
        "/reload refused for 127.0.0.1: no valid password",
    ]
