"""HTTP on a service port: what clients of all ages send, and what must not hold a connection for ever."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.web.connection import MAX_HEAD

if TYPE_CHECKING:
    from tests.e2e.port.conftest import Serve, ServedPort


def test_a_target_may_be_in_absolute_form(port: "ServedPort") -> None:
    with port.connect() as connection:
        answer = connection.ask("POST https://localhost:8154/authz HTTP/1.1\nContent-Length: 4", b"body")
        assert (answer.status, '"octets":4' in answer.text) == (200, True)


def test_http_1_0_is_answered_and_closed(port: "ServedPort") -> None:
    with port.connect() as connection:
        assert connection.ask("POST /authz HTTP/1.0\nContent-Length: 4", b"body").status == 200
        assert connection.is_closed()


def test_a_connection_is_kept_for_further_requests(port: "ServedPort") -> None:
    with port.connect("proxies/alice-plain.pem") as connection:
        callers = [connection.ask().caller for _ in range(3)]
        assert callers[0] == callers[1] == callers[2]
        assert callers[0]["proxies"] == 1


def test_requests_may_be_sent_before_the_answers(port: "ServedPort") -> None:
    with port.connect() as connection:
        for body in (b"1", b"22", b"333"):
            connection.send(f"POST /authz HTTP/1.1\nContent-Length: {len(body)}", body)
        assert [f'"octets":{count}' in connection.answer().text for count in (1, 2, 3)] == [True] * 3


def test_who_asks_whether_to_go_on_is_told_to(port: "ServedPort") -> None:
    with port.connect() as connection:
        assert connection.ask("POST /authz HTTP/1.1\nContent-Length: 4\nExpect: 100-continue").status == 100
        connection.tls.sendall(b"body")
        assert '"octets":4' in connection.answer().text


def test_an_offer_to_upgrade_is_ignored(port: "ServedPort") -> None:
    with port.connect() as connection:
        assert connection.ask("GET /authz HTTP/1.1\nConnection: Upgrade\nUpgrade: h2c").status == 200


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET /authz HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /authz HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /authz HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /authz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET https://localhost HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"CONNECT localhost:8154 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_400_and_the_end_of_the_connection(port: "ServedPort", octets: bytes) -> None:
    with port.connect() as connection:
        connection.tls.sendall(octets)
        assert connection.answer().status == 400
        assert connection.is_closed()


def test_rubbish_after_a_request_ends_the_connection(port: "ServedPort") -> None:
    with port.connect() as connection:
        assert connection.ask().status == 200
        connection.tls.sendall(b"rubbish\r\n\r\n")
        assert connection.answer().status == 400
        assert connection.is_closed()


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",  # the target
        b"GET /authz HTTP/1.1\r\nX-Long: ",  # one field
        b"POST /authz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Long: ",  # a field after the body
    ],
)
def test_a_head_without_end_is_refused(port: "ServedPort", begin: bytes) -> None:
    with port.connect() as connection:
        connection.tls.sendall(begin)
        connection.tls.sendall(b"x" * (8 * MAX_HEAD))
        assert connection.answer().status == 400
        assert connection.is_closed()


def test_a_long_body_is_no_long_head(port: "ServedPort") -> None:
    body = b"x" * (3 * MAX_HEAD)
    with port.connect() as connection:
        for _ in range(3):
            answer = connection.ask(f"POST /authz HTTP/1.1\nContent-Length: {len(body)}", body)
            assert f'"octets":{len(body)}' in answer.text


def test_only_a_silent_client_whose_turn_it_is_is_not_waited_for(serve: "Serve", tmp_path: Path) -> None:
    port = serve(idle=1)
    go_on = tmp_path / "go_on"
    begun = [b"", b"POST /authz HT", b"POST /authz HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"]
    with ExitStack() as connections:
        waiting, answered, *silent = (connections.enter_context(port.connect()) for _ in range(2 + len(begun)))
        waiting.send(f"POST /wait?file={go_on} HTTP/1.1\nContent-Length: 0")
        answered.ask()
        for connection, octets in zip(silent, begun, strict=True):
            connection.tls.sendall(octets)
        assert all(connection.is_closed() for connection in (answered, *silent))
        go_on.touch()
        assert waiting.answer().text == "done"
