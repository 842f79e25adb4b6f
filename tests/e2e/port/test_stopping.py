"""The end of a process: who still gets his answer, who is cut off, and what the exit code says."""

import os
import signal
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.responses import PlainTextResponse

from argus_py.run.servers import Daemon, Periodic, Port, Servers

if TYPE_CHECKING:
    from tests.e2e.port.conftest import Connection, Serve, ServedPort

    Eventually = Callable[[Callable[[], bool]], None]


def is_listening(port: "ServedPort") -> bool:
    try:
        port.ask()
    except (OSError, EOFError):
        return False
    return True


@pytest.fixture
def ask_for_long(tmp_path: Path, eventually: "Eventually") -> "Callable[[Connection, str], Path]":
    """Sends a request that is worked on, when this returns, until somebody makes the file."""

    def ask(connection: "Connection", name: str) -> Path:
        file = tmp_path / name
        connection.send(f"POST /wait?file={file} HTTP/1.1\nContent-Length: 0")
        eventually(file.with_suffix(".begun").exists)
        return file

    return ask


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_progress_are_answered(
    serve: "Serve",
    ask_for_long: "Callable[[Connection, str], Path]",
    eventually: "Eventually",
    wanted: signal.Signals,
) -> None:
    port = serve()
    with port.connect() as one, port.connect("proxies/alice-plain.pem") as other:
        files = [ask_for_long(one, "one"), ask_for_long(other, "other")]
        port.process.send_signal(wanted)
        eventually(lambda: not is_listening(port))
        time.sleep(1.5)  # longer than connections without a request are waited for
        for file in files:
            file.touch()
        for connection in (one, other):
            answer = connection.answer()
            assert (answer.text, answer.headers["connection"]) == ("done", "close")
            assert connection.is_closed()
    assert port.exit_code() == 0


def test_a_connection_without_a_request_is_closed_at_once(
    serve: "Serve", ask_for_long: "Callable[[Connection, str], Path]"
) -> None:
    port = serve()
    with port.connect() as busy, port.connect() as idle, port.connect() as new:
        file = ask_for_long(busy, "file")
        assert idle.ask().status == 200
        port.terminate()
        assert idle.is_closed()
        assert new.is_closed()
        file.touch()
        assert busy.answer().text == "done"
    assert port.exit_code() == 0


def test_a_connection_whose_handshake_ends_after_the_begin_of_the_end_is_closed(
    serve: "Serve", ask_for_long: "Callable[[Connection, str], Path]", eventually: "Eventually"
) -> None:
    port = serve()
    with port.connect() as busy, port.connect_in_clear() as raw:
        file = ask_for_long(busy, "file")
        context = busy.tls.context
        with context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=False) as late:
            late.setblocking(False)
            with suppress(ssl.SSLWantReadError):
                late.do_handshake()
            port.terminate()
            eventually(lambda: not is_listening(port))
            late.setblocking(True)
            late.do_handshake()
            assert late.recv(1) == b""
        file.touch()
        assert busy.answer().text == "done"  # it was not cut off, which would have closed the other one too
    assert port.exit_code() == 0


def test_clients_that_do_not_read_the_good_bye_do_not_delay_the_end(serve: "Serve") -> None:
    port = serve(drain=1000)
    with port.connect() as pooled:
        assert pooled.ask().status == 200
        port.terminate()
        assert port.exit_code() == 0


def test_a_request_that_takes_too_long_is_cut_off(
    serve: "Serve", ask_for_long: "Callable[[Connection, str], Path]"
) -> None:
    port = serve(drain=0.1)
    with port.connect() as connection:
        ask_for_long(connection, "never")
        port.terminate()
        assert port.exit_code() == 1
        assert "1 requests took longer than 0.1 s to finish and are cut off" in port.log
        assert connection.is_closed()


def test_a_request_that_never_arrives_in_full_is_cut_off(serve: "Serve") -> None:
    port = serve(drain=0.1)
    with port.connect() as connection:
        connection.ask("POST /authz HTTP/1.1\nContent-Length: 10\nExpect: 100-continue")
        port.terminate()
        assert port.exit_code() == 1
        assert "Traceback" not in port.log


def test_a_port_in_use_is_named(serve: "Serve") -> None:
    taken = serve().number
    second = serve(port=taken)
    assert second.exit_code() == 1
    assert second.log.startswith(f"cannot listen on 127.0.0.1 port {taken} (TEST): ")


# --- In this process


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_port_without_tls_speaks_plain_http() -> None:
    servers = Servers([Daemon(Port("PLAIN", "127.0.0.1", 0, PlainTextResponse("hello"), None))])
    answers = []

    def ask() -> None:
        try:
            answers.append(httpx.get(servers.urls["PLAIN"], trust_env=False).text)
        finally:
            stop()

    servers.run(threading.Thread(target=ask).start)
    assert answers == ["hello"]


def plain_daemon(task: Callable[[], object]) -> Daemon:
    port = Port("PLAIN", "127.0.0.1", 0, PlainTextResponse(), None)
    return Daemon(port, (Periodic("policy", timedelta(), task),))


def test_what_is_done_periodically_ends_with_the_servers() -> None:
    threads: set[threading.Thread] = set()
    begun = threading.Event()

    def look() -> None:
        threads.add(threading.current_thread())
        begun.set()

    def stop_when_begun() -> None:
        begun.wait()
        stop()

    Servers([plain_daemon(look)]).run(stop_when_begun)
    assert [thread.is_alive() for thread in threads] == [False]


def test_a_periodic_task_that_hangs_does_not_hold_the_end(caplog: pytest.LogCaptureFixture) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        let_go.wait()

    def stop_meanwhile() -> None:
        begun.wait()
        stop()

    daemon = Daemon(Port("PLAIN", "127.0.0.1", 0, PlainTextResponse(), None), (Periodic("policy", timedelta(), hang),))
    Servers([daemon], drain=timedelta(milliseconds=10)).run(stop_meanwhile)
    let_go.set()
    assert "left in the middle: policy" in caplog.messages
