"""More clients than can be served, and clients who mean no good: the others are served all the same."""

import json
import os
import resource
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.port.conftest import Connection, Serve, ServedPort

    Eventually = Callable[[Callable[[], bool]], None]

FILES, PLACES = 60, 30
OTHER = "127.0.0.2"


@pytest.fixture
def small(serve: "Serve") -> "ServedPort":
    """A process that may have ``FILES`` open files, of which it leaves half to connections."""
    return serve(files=(FILES, FILES))


def failures(connection: "Connection") -> str:
    causes: str = json.loads(connection.ask("GET /failures HTTP/1.1").text)["TlsHandshakeFailureCauses"]
    return causes


# --- Connections


def test_the_connection_that_is_idle_longest_makes_room(small: "ServedPort") -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(small.connect()) for _ in range(PLACES)]
        for connection in connections:
            assert connection.ask().status == 200
        connections[0].ask()
        assert stack.enter_context(small.connect()).ask().status == 200
        assert connections[1].is_closed()
        assert [connection.ask().status for connection in (connections[0], *connections[2:])] == [200] * (PLACES - 1)


def test_a_connection_that_waits_for_its_answer_stays(
    small: "ServedPort", tmp_path: Path, eventually: "Eventually"
) -> None:
    file = tmp_path / "answer"
    with ExitStack() as stack:
        waiting = stack.enter_context(small.connect())
        waiting.send(f"POST /wait?file={file} HTTP/1.1\nContent-Length: 0")
        eventually(file.with_suffix(".begun").exists)
        for _ in range(2 * PLACES):
            stack.enter_context(small.connect())
        file.touch()
        assert waiting.answer().text == "done"


def test_who_takes_all_connections_takes_none_from_others(small: "ServedPort") -> None:
    with ExitStack() as stack:
        honest = stack.enter_context(small.connect(source=OTHER))
        assert honest.ask().status == 200
        for _ in range(3 * PLACES):
            stack.enter_context(small.connect())
        assert honest.ask().status == 200
        assert stack.enter_context(small.connect(source=OTHER)).ask().status == 200


def test_handshakes_that_do_not_go_on_make_room(small: "ServedPort") -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(small.connect_in_clear()) for _ in range(3 * PLACES)]
        assert silent[0].recv(1) == b""
        with small.connect(source=OTHER) as connection:
            assert connection.ask().status == 200
            assert f"no_place {2 * PLACES + 1}" in failures(connection)


def test_a_handshake_fails_once(small: "ServedPort") -> None:
    with ExitStack() as stack:
        stack.enter_context(small.connect("bad/user-revoked.pem", ssl.TLSVersion.TLSv1_3))  # and stays a while
        for _ in range(3 * PLACES):
            stack.enter_context(small.connect_in_clear())
        with small.connect(source=OTHER) as connection:
            assert failures(connection) == f"certificate_revoked 1, no_place {2 * PLACES + 1}"


def test_the_process_takes_as_many_file_descriptors_as_it_may(serve: "Serve") -> None:
    port = serve(files=(100, 500))
    assert port.ask().status == 200
    assert resource.prlimit(port.process.pid, resource.RLIMIT_NOFILE) == (500, 500)


def test_a_process_without_file_descriptors_left_answers_whom_it_has_and_new_ones_later(serve: "Serve") -> None:
    port = serve()
    with port.connect() as connection:
        assert connection.ask().status == 200
        descriptors = len(os.listdir(f"/proc/{port.process.pid}/fd"))
        soft, hard = resource.prlimit(port.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(port.process.pid, resource.RLIMIT_NOFILE, (descriptors + 5, hard))
        with ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(port.connect_in_clear())
            assert connection.ask().status == 200
        resource.prlimit(port.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert port.ask().status == 200


# --- Requests


def test_requests_beyond_those_that_may_wait_are_told_to_come_again(
    serve: "Serve", tmp_path: Path, eventually: "Eventually"
) -> None:
    port = serve(working=1, waiting=2)
    file = tmp_path / "answer"
    with ExitStack() as stack:
        first, *others = (stack.enter_context(port.connect()) for _ in range(5))
        first.send(f"POST /wait?file={file} HTTP/1.1\nContent-Length: 0")
        eventually(file.with_suffix(".begun").exists)
        for connection in others:
            connection.send("GET /authz HTTP/1.1")
        eventually(lambda: sum(connection.is_answered for connection in others) == 2)
        refused = [connection for connection in others if connection.is_answered]
        answers = [connection.answer() for connection in refused]
        assert [(answer.status, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 2
        with port.connect(source=OTHER) as other:
            other.send("GET /authz HTTP/1.1")
            waiting = [connection for connection in others if connection not in refused]
            eventually(lambda: any(connection.is_answered for connection in waiting))
            (displaced,) = (connection for connection in waiting if connection.is_answered)
            assert displaced.answer().status == 503
            (left,) = (connection for connection in waiting if connection is not displaced)
            file.touch()
            assert [connection.answer().status for connection in (first, left, other)] == [200] * 3
        assert refused[0].ask().status == 200


def test_bodies_that_do_not_come_keep_nobody_from_being_served(serve: "Serve") -> None:
    port = serve(working=1, waiting=2)
    with ExitStack() as stack:
        slow = [stack.enter_context(port.connect()) for _ in range(10)]
        for connection in slow:
            connection.send("POST /authz HTTP/1.1\nContent-Length: 10", b"half")
        assert slow[0].answer().status == 503
        assert port.ask().status == 200


def is_cut_off(connection: socket.socket) -> bool:
    """Of somebody who sends an octet now and then."""
    for _ in range(100):
        try:
            connection.sendall(b"x")
        except OSError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    "begin",
    [b"POST /authz HTTP/1.1\r\nX: ", b"POST /authz HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"],
    ids=["head", "body"],
)
def test_a_request_in_drops_is_not_waited_for(serve: "Serve", begin: bytes) -> None:
    port = serve(idle=1)
    with port.connect() as connection:
        connection.tls.sendall(begin)
        assert is_cut_off(connection.tls)


def test_a_handshake_in_drops_is_not_waited_for(serve: "Serve") -> None:
    port = serve(idle=1)
    with port.connect_in_clear() as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert is_cut_off(connection)
