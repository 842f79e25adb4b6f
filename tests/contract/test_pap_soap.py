"""The client of a PAP's management services over real connections, with answers that are framed in several ways."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from argus_py.clients.pap_soap import NotAPap, PapSoap, PapUnreachable, SoapRefused
from argus_py.soap.java_exceptions import JavaClass

VECTORS: Final = Path(__file__).parents[1] / "vectors"
HOST_CERTIFICATE: Final = VECTORS / "credentials" / "grid" / "hosts" / "localhost.pem"
EXCHANGES: Final = {
    exchange["case"]: exchange for exchange in json.loads((VECTORS / "pap-soap" / "exchanges.json").read_text())
}
TYPE: Final = "Content-Type: text/xml;charset=utf-8"
PATIENCE: Final = 10.0  # seconds


def until_the_end(status: str, body: bytes) -> bytes:
    """As Jetty answers a client of HTTP/1.0."""
    return f"HTTP/1.0 {status}\r\n{TYPE}\r\n\r\n".encode() + body


def until_the_end_of_1_1(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\n{TYPE}\r\nConnection: close\r\n\r\n".encode() + body


def with_its_length(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\n{TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def in_chunks(status: str, body: bytes) -> bytes:
    pieces = [body[start : start + 100] for start in range(0, len(body), 100)]
    chunks = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (*pieces, b""))
    return f"HTTP/1.1 {status}\r\n{TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks


Frame = Callable[[str, bytes], bytes]
FRAMES: Final[list[Frame]] = [until_the_end, until_the_end_of_1_1, with_its_length, in_chunks]


@contextmanager
def server(answer: bytes, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Gives one answer to one request and closes; the port it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            connection, _ = listener.accept()
            connection.settimeout(PATIENCE)
            with connection:
                try:
                    wrapped = connection if tls is None else tls.wrap_socket(connection, server_side=True)
                except OSError:
                    return  # refused by the client
                received = b""
                while b"</soapenv:Envelope>" not in received:
                    received += wrapped.recv(65536)
                wrapped.sendall(answer)
                wrapped.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def pap_at(scheme: str, host: str, port: int, verify: ssl.SSLContext | bool = True) -> Iterator[PapSoap]:
    url = f"{scheme}://{host}:{port}/pap/services/"
    with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False, verify=verify) as http:
        yield PapSoap(http)


@pytest.mark.parametrize("framed", FRAMES)
def test_an_answer_is_read_however_it_ends(framed: Frame) -> None:
    with (
        server(framed("200 OK", EXCHANGES["ping"]["response"].encode())) as port,
        pap_at("http", "127.0.0.1", port) as pap,
    ):
        assert pap.ping() == "PAP version: 1.7.3"


@pytest.mark.parametrize("framed", FRAMES)
def test_a_fault_is_read_however_it_ends(framed: Frame) -> None:
    body = EXCHANGES["getPap-not-found"]["response"].encode()
    answer = framed("500 Server Error", body)
    with server(answer) as port, pap_at("http", "127.0.0.1", port) as pap, pytest.raises(SoapRefused) as refused:
        pap.get_pap("nope")
    assert refused.value.java_class == JavaClass.NOT_FOUND


@pytest.mark.parametrize("framed", [until_the_end, until_the_end_of_1_1])
def test_an_answer_cut_short_is_none(framed: Frame) -> None:
    answer = framed("200 OK", EXCHANGES["ping"]["response"].encode()[:-20])
    with server(answer) as port, pap_at("http", "127.0.0.1", port) as pap, pytest.raises(NotAPap):
        pap.ping()


def test_an_answer_shorter_than_its_length_is_none() -> None:
    answer = with_its_length("200 OK", EXCHANGES["ping"]["response"].encode())[:-20]
    with (
        server(answer) as port,
        pap_at("http", "127.0.0.1", port) as pap,
        pytest.raises(PapUnreachable, match=r"java\.io\.IOException"),
    ):
        pap.ping()


def test_nobody_there_is_told_as_the_java_client_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pap_at("http", "127.0.0.1", port) as pap, pytest.raises(PapUnreachable) as failed:
        pap.ping()
    expected = "Error contacting the PAP service. Caused by java.net.ConnectException: Connection refused."
    assert str(failed.value) == expected


def test_a_host_that_does_not_exist_is_told_as_the_java_client_does() -> None:
    with pap_at("http", "pap.invalid", 8150) as pap, pytest.raises(PapUnreachable) as failed:
        pap.ping()
    assert str(failed.value) == "Error. Caused by java.net.UnknownHostException: pap.invalid."


def test_a_host_of_an_unknown_ca_is_not_authenticated() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(HOST_CERTIFICATE, HOST_CERTIFICATE.with_suffix(".key"))
    nobody_trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with (
        server(b"", tls) as port,
        pap_at("https", "localhost", port, nobody_trusted) as pap,
        pytest.raises(PapUnreachable) as failed,
    ):
        pap.ping()
    expected = "SSL authentication error. Caused by javax.net.ssl.SSLPeerUnverifiedException: "
    assert str(failed.value).startswith(expected)
