"""The client of argus-glexec against servers on the loopback that answer well, badly, slowly, or not at all."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from argus_py.clients.pep_call import Deadlines, NoEndpointAnswers, Peer, ask
from argus_py.errors import ConfigurationError
from argus_py.hessian import base64_lines, messages
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result

DENY = Response((Result(Decision.DENY),))
BODY = base64_lines.encode(messages.write_response(DENY))
SHORT = Deadlines(timedelta(seconds=1), timedelta(seconds=0.5), timedelta(seconds=1))
Handler = Callable[[socket.socket], None]


def sending(*pieces: bytes, pause: float = 0.0) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return handle


def answer(status: str = "200 OK", body: bytes = BODY) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def serving(handle: Handler) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # nobody came
            with connection:
                try:
                    handle(connection)
                except OSError:
                    return  # the client has had enough

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/authz"
        server.shutdown(socket.SHUT_RDWR)  # who waits for a client waits no more
        thread.join()


def asked(handlers: Sequence[Handler], deadlines: Deadlines = SHORT) -> Response:
    with ExitStack() as stack:
        endpoints = [stack.enter_context(serving(handler)) for handler in handlers]
        return ask(endpoints, Request(), Peer(), deadlines)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    "pieces",
    [
        (answer(),),
        tuple(bytes([octet]) for octet in answer()),
        (CHUNKED,),
        (b"HTTP/1.1 200 OK\r\n\r\n", BODY),
        (b"HTTP/1.0 200 OK\r\n\r\n", BODY),
    ],
    ids=["length", "octets", "chunked", "until-the-end", "old"],
)
def test_every_form_of_a_body_is_read(pieces: tuple[bytes, ...]) -> None:
    assert asked([sending(*pieces)]).results[0].decision is Decision.DENY


BAD = {
    "HTTP status 503": sending(answer("503 Service Unavailable")),
    "HTTP status 401": sending(answer("401 Unauthorized")),
    "not a readable Hessian message": sending(answer(body=b"AAAA")),
    "ended before the answer did": sending(answer()[:-10]),
    "is not HTTP": sending(b"SSH-2.0\r\n\r\n"),
    "too long": sending(answer(body=b"A" * (base64_lines.MAX_BODY + 1))),
    "no answer in time": sending(answer()[:20], pause=0.7),
}


@pytest.mark.parametrize("reason", BAD)
def test_next_endpoint_is_asked_after_whatever_goes_wrong(reason: str) -> None:
    assert asked([BAD[reason], sending(answer())], Deadlines(exchange=timedelta(seconds=0.5))).results == DENY.results
    with pytest.raises(NoEndpointAnswers, match=reason) as nobody:
        asked([BAD[reason]])
    assert len(nobody.value.reasons) == 1


def test_answer_ends_the_search() -> None:
    reached: list[str] = []

    def second(_connection: socket.socket) -> None:
        reached.append("second")

    assert asked([sending(answer()), second]).results[0].decision is Decision.DENY
    assert reached == []


def test_answer_that_drips_does_not_get_around_the_deadline() -> None:
    begin = time.monotonic()
    with pytest.raises(NoEndpointAnswers, match="no answer in time"):
        asked([sending(*(bytes([octet]) for octet in answer()), pause=0.05)])
    assert time.monotonic() - begin < 10


def test_host_that_is_not_there_is_a_reason() -> None:
    with pytest.raises(NoEndpointAnswers) as nobody:
        ask(["http://127.0.0.1:1/authz", "http://no.such.host.invalid/authz"], Request(), Peer(), SHORT)
    assert nobody.value.reasons[0] == "http://127.0.0.1:1/authz: Connection refused"
    assert len(nobody.value.reasons) == 2


def test_credentials_that_cannot_be_used_are_told_before_anybody_is_asked() -> None:
    for peer in (Peer(ca_file="/nonexistent"), Peer(proxy=b"no proxy"), Peer(certificate="/nonexistent")):
        with pytest.raises(ConfigurationError):
            ask(["http://127.0.0.1:1/authz"], Request(), peer, SHORT)
