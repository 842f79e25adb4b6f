"""Both wires of argus-glexec against servers on the loopback that answer well, badly, slowly, or not at all."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from argus_py.cli.glexec import json_call
from argus_py.client.answer import MAX_ANSWER
from argus_py.clients import pep_call
from argus_py.clients.pep_call import Peer
from argus_py.errors import ConfigurationError
from argus_py.hessian import base64_lines, messages
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result, Status, StatusCode
from argus_py.worker.failover import Deadlines, NoEndpointAnswers
from argus_py.worker.pep_question import Profile, Question
from argus_py.worker.ports import PepTls

DENY = Response((Result(Decision.DENY, Status(StatusCode(), "why")),))
SHORT = Deadlines(timedelta(seconds=1), timedelta(seconds=0.5), timedelta(seconds=1))
QUESTION = Question("resource", "action", Profile.WORKER_NODE, "PAYLOAD", "PILOT")
Handler = Callable[[socket.socket], None]


def ask_hessian(endpoints: Sequence[str], deadlines: Deadlines) -> Response:
    return pep_call.ask(endpoints, QUESTION.request(), Peer(), deadlines)


def ask_rest(endpoints: Sequence[str], deadlines: Deadlines) -> Response:
    return json_call.ask(endpoints, QUESTION, PepTls(), proxy=None, judge=None, deadlines=deadlines)


@dataclass(frozen=True)
class Wire:
    """``deny`` is the body of an answer; ``trash`` what is told of a body that is none."""

    ask: Callable[[Sequence[str], Deadlines], Response]
    media_type: str
    deny: bytes
    trash: str
    no_http: str
    too_long: int

    def answer(self, status: str = "200 OK", body: bytes | None = None) -> bytes:
        octets = self.deny if body is None else body
        head = f"HTTP/1.1 {status}\r\nContent-Type: {self.media_type}\r\nContent-Length: {len(octets)}\r\n\r\n"
        return head.encode() + octets

    def asked(self, handlers: Sequence[Handler], deadlines: Deadlines = SHORT) -> Response:
        with ExitStack() as stack:
            return self.ask([stack.enter_context(serving(handler)) for handler in handlers], deadlines)


HESSIAN = Wire(
    ask_hessian,
    "application/octet-stream",
    base64_lines.encode(messages.write_response(DENY)),
    "not a readable Hessian message",
    "is not HTTP",
    base64_lines.MAX_BODY,
)
TOLD = {"request_id": "_1", "decision": "Deny", "reason": "denied", "status": StatusCode().value, "message": "why"}
REST = Wire(
    ask_rest,
    "application/json",
    json.dumps({**TOLD, "fqans": [], "groups": [], "obligations": []}).encode(),
    "it is not JSON",
    "no answer of HTTP",
    MAX_ANSWER,
)


@pytest.fixture(params=[HESSIAN, REST], ids=["hessian", "rest"])
def wire(request: pytest.FixtureRequest) -> Wire:
    assert isinstance(request.param, Wire)
    return request.param


def sending(*pieces: bytes, pause: float = 0.0) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return handle


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


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


@pytest.mark.parametrize("form", ["length", "octets", "chunked", "until-the-end", "old"])
def test_every_form_of_a_body_is_read(wire: Wire, form: str) -> None:
    answer, body, kind = wire.answer(), wire.deny, f"Content-Type: {wire.media_type}\r\n".encode()
    pieces = {
        "length": (answer,),
        "octets": tuple(bytes([octet]) for octet in answer),
        "chunked": (
            b"HTTP/1.1 200 OK\r\n%bTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (kind, len(body), body),
        ),
        "until-the-end": (b"HTTP/1.1 200 OK\r\n%b\r\n" % kind, body),
        "old": (b"HTTP/1.0 200 OK\r\n%b\r\n" % kind, body),
    }
    assert wire.asked([sending(*pieces[form])]).results == DENY.results


def test_header_fields_without_end_are_not_read_to_the_end(wire: Wire) -> None:
    endless = sending(b"HTTP/1.1 200 OK\r\n" + b"X: %b\r\n" % (b"x" * 65000) * 200)
    with pytest.raises(NoEndpointAnswers, match=f"its answer is too long|{wire.no_http}"):
        wire.asked([endless], Deadlines())


def failures(wire: Wire) -> dict[str, Handler]:
    """By the reason that is told of them."""
    return {
        "HTTP status 503": sending(wire.answer("503 Service Unavailable")),
        "HTTP status 401": sending(wire.answer("401 Unauthorized")),
        "HTTP status 404": sending(wire.answer("404 Not Found")),
        wire.trash: sending(wire.answer(body=b"AAAA")),
        wire.no_http: sending(b"SSH-2.0\r\n\r\n"),
        "no answer in time": sending(wire.answer()[:20], pause=0.7),
    }


@pytest.mark.parametrize("number", range(6))
def test_next_endpoint_is_asked_after_whatever_goes_wrong(wire: Wire, number: int) -> None:
    reason, handler = list(failures(wire).items())[number]
    assert wire.asked([handler, sending(wire.answer())], Deadlines(exchange=timedelta(seconds=0.5))) == DENY
    with pytest.raises(NoEndpointAnswers, match=reason) as nobody:
        wire.asked([handler])
    assert len(nobody.value.reasons) == 1


def test_what_is_cut_or_too_long_is_no_answer(wire: Wire) -> None:
    for octets in (wire.answer()[:-10], wire.answer(body=b"A" * (wire.too_long + 1))):
        assert wire.asked([sending(octets), sending(wire.answer())], Deadlines()) == DENY


def test_answer_ends_the_search(wire: Wire) -> None:
    reached: list[str] = []

    def second(_connection: socket.socket) -> None:
        reached.append("second")

    assert wire.asked([sending(wire.answer()), second]) == DENY
    assert reached == []


def test_answer_that_drips_does_not_get_around_the_deadline(wire: Wire) -> None:
    begin = time.monotonic()
    with pytest.raises(NoEndpointAnswers, match="no answer in time"):
        wire.asked([sending(*(bytes([octet]) for octet in wire.answer()), pause=0.05)])
    assert time.monotonic() - begin < 10


def test_endpoints_that_hang_share_the_time_there_is(wire: Wire) -> None:
    """None of them may take more than its own part, nor all of them more than there is."""
    begin = time.monotonic()
    with pytest.raises(NoEndpointAnswers) as nobody:
        wire.asked([silent, silent, silent])
    assert time.monotonic() - begin < 4
    assert [reason.partition(": ")[2] for reason in nobody.value.reasons] == ["no answer in time"] * 3


def test_host_that_is_not_there_is_a_reason(wire: Wire) -> None:
    with pytest.raises(NoEndpointAnswers) as nobody:
        wire.ask(["http://127.0.0.1:1/authz", "https://no.such.host.invalid/authz"], SHORT)
    assert nobody.value.reasons[0] == "http://127.0.0.1:1/authz: Connection refused"
    assert nobody.value.reasons[1] == "https://no.such.host.invalid/authz: Name or service not known"


def test_credentials_that_cannot_be_used_are_told_before_anybody_is_asked() -> None:
    for peer in (Peer(ca_file="/nonexistent"), Peer(proxy=b"no proxy"), Peer(certificate="/nonexistent")):
        with pytest.raises(ConfigurationError):
            pep_call.ask(["http://127.0.0.1:1/authz"], Request(), peer, SHORT)
    for tls, proxy in (
        (PepTls(ca_file="/nonexistent"), None),
        (PepTls(), b"no proxy"),
        (PepTls(certificate="/nonexistent"), None),
    ):
        with pytest.raises(ConfigurationError):
            json_call.ask(["https://127.0.0.1:1"], QUESTION, tls, proxy=proxy, judge=None, deadlines=SHORT)


def test_endpoint_in_clear_text_elsewhere_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(ConfigurationError, match="only this machine is asked without TLS"):
        ask_rest(["http://127.0.0.1:1", "http://argus.example.org:8154"], SHORT)
