"""Calls of SOAP services: what counts as an answer."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from lxml import etree

from argus_py.clients.transport import PeerFault, PeerUnreachable, Timeouts, Transport
from argus_py.soap import envelope
from argus_py.soap.fault import Fault
from argus_py.xacml.document import XmlSyntaxError

URL = "http://peer.example.org/service"
LIMIT = 1000
ANSWER = envelope.write(etree.Element("answer"), "soap11")
FAULT = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Server</faultcode>'
    b"<faultstring>why</faultstring></e:Fault></e:Body></e:Envelope>"
)


Call = Callable[[httpx.Response], etree._Element]


@pytest.fixture
def call(wire: Any) -> Call:
    """Calls a peer that gives one answer."""
    return lambda response: Transport(Timeouts(), http=wire(lambda _request: response)).call(
        URL, etree.Element("query"), LIMIT
    )


def test_the_element_of_the_answer_is_returned(call: Call) -> None:
    assert call(httpx.Response(200, content=ANSWER)).tag == "answer"


def test_a_call_is_a_post_with_the_headers_of_the_java_clients(wire: Any) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=ANSWER)

    Transport(Timeouts(), http=wire(handler)).call(URL, etree.Element("query"), LIMIT)
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["Content-Type"] == "text/xml;charset=utf-8"
    assert request.headers["SOAPAction"] == "http://www.oasis-open.org/committees/security"
    assert envelope.read(request.content, LIMIT).tag == "query"


@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_is_told_with_its_code_and_text(status: int, call: Call) -> None:
    with pytest.raises(PeerFault) as caught:
        call(httpx.Response(status, content=FAULT))
    assert (caught.value.url, caught.value.fault) == (URL, Fault("Server", "why"))


@pytest.mark.parametrize(
    ("status", "content"),
    [(404, b"<html><body>Not Found"), (503, b""), (500, b"<html><body/></html>"), (302, ANSWER), (201, ANSWER)],
)
def test_another_status_is_no_answer(status: int, content: bytes, call: Call) -> None:
    with pytest.raises(PeerUnreachable, match=f"http://peer.example.org/service: HTTP status {status}"):
        call(httpx.Response(status, content=content, headers={"Location": "http://elsewhere.example.org/"}))


@pytest.mark.parametrize("content", [b"", b"hello", b"<html/>"])
def test_what_is_no_envelope_is_refused_by_its_reader(content: bytes, call: Call) -> None:
    with pytest.raises((XmlSyntaxError, envelope.NotAnEnvelope)):
        call(httpx.Response(200, content=content))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ReadTimeout("timed out"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
    ],
)
def test_a_failure_on_the_way_is_told(error: httpx.HTTPError, wire: Any) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(PeerUnreachable) as caught:
        Transport(Timeouts(), http=wire(handler)).call(URL, etree.Element("query"), LIMIT)
    assert caught.value.reason == str(error)


@pytest.mark.parametrize("url", ["ftp://peer.example.org/", "http://[/", "peer", "http://a..b/", "http://xn--/"])
def test_a_url_that_cannot_be_called_is_told(url: str) -> None:
    with pytest.raises(PeerUnreachable):
        Transport(Timeouts()).call(url, etree.Element("query"), LIMIT)


def test_an_answer_beyond_the_limit_is_not_read_to_its_end(call: Call) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * 400

    with pytest.raises(PeerUnreachable, match="longer than 1000 octets"):
        call(httpx.Response(200, content=endless()))
    assert len(sent) == 3


def test_an_answer_that_drips_is_given_up_in_time(wire: Any) -> None:
    now = [0.0]

    def slow() -> Iterator[bytes]:
        for _ in range(100):
            now[0] += 9
            yield b" "

    http = wire(lambda _request: httpx.Response(200, content=slow()))
    transport = Transport(Timeouts(answer=timedelta(seconds=20)), http=http, monotonic=lambda: now[0])
    with pytest.raises(PeerUnreachable, match="no complete answer within 20 seconds"):
        transport.call(URL, etree.Element("query"), LIMIT)
    assert now[0] == 27


@pytest.mark.parametrize(
    ("left", "connect", "answer"),
    [(None, 5, 10), (1000, 5, 10), (20, 5, 10), (12, 3, 6), (2, 0.5, 1), (0, 0.00025, 0.0005), (-7, 0.00025, 0.0005)],
)
def test_tcp_tls_and_answer_together_take_no_longer_than_there_is_time(
    left: float | None, connect: float, answer: float, wire: Any
) -> None:
    limits: list[dict[str, float]] = []

    def keep(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"])
        return httpx.Response(200, content=ANSWER)

    timeouts = Timeouts(timedelta(seconds=5), timedelta(seconds=10))
    transport = Transport(timeouts, http=wire(keep), monotonic=lambda: 1000.0)
    transport.call(URL, etree.Element("query"), LIMIT, None if left is None else 1000.0 + left)
    (limit,) = limits
    assert [limit["connect"], limit["read"]] == pytest.approx([connect, answer])


def test_an_answer_that_drips_is_given_up_before_the_deadline(wire: Any) -> None:
    now = [0.0]

    def slow() -> Iterator[bytes]:
        for _ in range(100):
            now[0] += 1
            yield b" "

    transport = Transport(
        Timeouts(), http=wire(lambda _request: httpx.Response(200, content=slow())), monotonic=lambda: now[0]
    )
    with pytest.raises(PeerUnreachable, match="no complete answer within 4 seconds"):
        transport.call(URL, etree.Element("query"), LIMIT, deadline=8)
    assert now[0] == 5


def test_an_encoded_answer_is_not_unpacked(call: Call) -> None:
    with pytest.raises(XmlSyntaxError):
        call(httpx.Response(200, stream=httpx.ByteStream(b"\x1f\x8b"), headers={"Content-Encoding": "gzip"}))
