"""TLS between a socket that is none and a protocol that remembers; the client is OpenSSL."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from argus_py.web.tls_stream import PIECE, UNREAD, TlsStream

GRID = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid"


class Socket(asyncio.Transport):
    """Keeps what is sent to the client."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.told: list[str] = []
        self.protocol: asyncio.BaseProtocol | None = None
        self.unread = 7

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert "write_eof" not in self.told
        self.sent.append(bytes(data))

    def write_eof(self) -> None:
        self.told.append("write_eof")

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def is_closing(self) -> bool:
        return "close" in self.told or "abort" in self.told

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_write_buffer_size(self) -> int:
        return self.unread

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1234) if name == "peername" else default


class Protocol(asyncio.Protocol):
    def __init__(self, pauses: bool = False) -> None:
        self.received: list[bytes] = []
        self.told: list[str] = []
        self.transport: Any = None
        self._pauses = pauses

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.received.append(data)
        if self._pauses:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")

    def pause_writing(self) -> None:
        self.told.append("pause_writing")

    def resume_writing(self) -> None:
        self.told.append("resume_writing")


class Connection:
    """Both ends, the handshake done."""

    def __init__(self, protocol: Protocol | None = None, early: bytes = b"") -> None:
        server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        server.load_cert_chain(GRID / "hosts" / "localhost.pem", GRID / "hosts" / "localhost.key")
        client.load_verify_locations(GRID / "ca" / "argus-test-ca.pem")
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        ours = server.wrap_bio(to_server, to_client, server_side=True)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client.wrap_bio(self._in, self._out, server_hostname="localhost")
        for _ in range(3):
            for side in (self.tls, ours):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
                to_server.write(self._out.read())
                self._in.write(to_client.read())
        if early:
            self.tls.write(early)
            to_server.write(self._out.read())
        self.protocol = protocol or Protocol()
        self.socket = Socket()
        self.stream = TlsStream(self.socket, ours, to_server, to_client)
        self.stream.serve(self.protocol)

    def encrypted(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self._out.read()

    def send(self, data: bytes) -> None:
        self.stream.data_received(self.encrypted(data))

    def read(self) -> bytes:
        """What the client gets; empty when the server has said good-bye."""
        self._in.write(b"".join(self.socket.sent))
        self.socket.sent.clear()
        try:
            return self.tls.read(1 << 20)
        except ssl.SSLZeroReturnError:
            return b""

    def good_bye(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.stream.data_received(self._out.read())


def in_loop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test() -> None:
        asyncio.run(scenario())

    test.__name__ = scenario.__name__
    return test


@in_loop
async def test_what_the_client_sends_is_passed_on_in_clear() -> None:
    connection = Connection()
    connection.send(b"hello")
    assert connection.protocol.received == [b"hello"]


@in_loop
async def test_what_comes_with_the_end_of_the_handshake_is_not_lost() -> None:
    assert Connection(early=b"hello").protocol.received == [b"hello"]


@in_loop
async def test_octets_may_come_one_by_one() -> None:
    connection = Connection()
    for octet in connection.encrypted(b"hello"):
        connection.stream.data_received(bytes([octet]))
    assert connection.protocol.received == [b"hello"]


@in_loop
async def test_long_messages_go_through_in_both_directions() -> None:
    connection = Connection()
    message = bytes(range(256)) * 512
    connection.send(message)
    assert b"".join(connection.protocol.received) == message
    connection.stream.write(message)
    received = b""
    while len(received) < len(message):
        received += connection.read()
    assert received == message


@in_loop
async def test_no_long_message_gets_into_the_buffers_of_openssl() -> None:
    connection = Connection()
    connection.stream.write(b"x" * (10 * PIECE))
    assert max(map(len, connection.socket.sent)) < PIECE + 100


class Talkative:
    """Stands for OpenSSL that refuses another handshake again and again."""

    def __init__(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def read(self, _octets: int) -> bytes:
        self._incoming.read()
        self._outgoing.write(b"no")
        raise ssl.SSLWantReadError

    def pending(self) -> int:
        return 0


@in_loop
async def test_who_does_not_read_what_openssl_says_is_cut_off() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    socket = Socket()
    stream = TlsStream(socket, Talkative(incoming, outgoing), incoming, outgoing)  # type: ignore[arg-type]
    stream.serve(Protocol())
    socket.unread = UNREAD
    stream.data_received(b"again?")
    assert (socket.sent, stream.is_closing()) == ([b"no"], False)
    socket.unread += 1
    stream.data_received(b"again?")
    assert stream.is_closing()
    assert socket.told[-1] == "abort"


@in_loop
async def test_who_takes_a_long_answer_slowly_may_go_on_sending() -> None:
    connection = Connection()
    connection.socket.unread = 10 * UNREAD
    octets = connection.encrypted(b"hello")
    connection.stream.data_received(octets[:10])
    connection.stream.data_received(octets[10:])
    assert connection.protocol.received == [b"hello"]


@in_loop
async def test_the_good_bye_of_the_client_is_returned_and_the_end() -> None:
    connection = Connection()
    connection.good_bye()
    assert connection.read() == b""
    assert connection.stream.is_closing()
    assert "write_eof" in connection.socket.told


@in_loop
async def test_a_closed_connection_says_so_and_throws_away_what_still_comes() -> None:
    connection = Connection()
    still = connection.encrypted(b"still")
    connection.stream.write(b"last words")
    connection.stream.close()
    connection.stream.close()
    connection.stream.data_received(still)
    connection.stream.write(b"more")
    assert [connection.read(), connection.read()] == [b"last words", b""]
    assert connection.protocol.received == []
    assert connection.socket.told.count("write_eof") == 1
    assert "close" not in connection.socket.told  # which would take the last words away from the client


@in_loop
async def test_rubbish_gets_an_alert_and_is_the_end() -> None:
    connection = Connection()
    connection.stream.data_received(b"\x17\x03\x03\x00\x20" + bytes(32))
    connection.send(b"hello")
    assert connection.stream.is_closing()
    assert connection.protocol.received == []
    with pytest.raises(ssl.SSLError, match="alert bad record mac"):
        connection.read()


@in_loop
async def test_nothing_is_read_while_the_protocol_does_not_want_it() -> None:
    connection = Connection(Protocol(pauses=True))
    connection.send(b"one")
    connection.send(b"two")
    assert connection.protocol.received == [b"one"]
    assert connection.socket.told[-1] == "pause"
    connection.stream.resume_reading()
    await asyncio.sleep(0)
    assert connection.protocol.received == [b"one", b"two"]
    assert connection.socket.told[-1] == "pause"  # it does not want more than that
    connection.stream.resume_reading()
    await asyncio.sleep(0)
    assert connection.socket.told[-1] == "resume"


@in_loop
async def test_a_paused_client_can_still_be_told_the_end() -> None:
    connection = Connection(Protocol(pauses=True))
    connection.send(b"one")
    connection.stream.close()
    assert connection.socket.told[-2:] == ["write_eof", "resume"]


@in_loop
async def test_the_socket_tells_the_protocol_how_it_is() -> None:
    connection = Connection()
    connection.stream.pause_writing()
    connection.stream.resume_writing()
    connection.stream.connection_lost(None)
    assert connection.protocol.told == ["made", "pause_writing", "resume_writing", "lost"]
    assert connection.stream.get_write_buffer_size() == 7
    connection.stream.write(b"too late")
    connection.stream.close()
    connection.stream.pause_writing()
    connection.stream.resume_writing()
    assert connection.socket.sent == []


@in_loop
async def test_an_aborted_connection_is_silent() -> None:
    connection = Connection()
    connection.stream.abort()
    connection.stream.write(b"hello")
    assert (connection.socket.sent, connection.socket.told[-1]) == ([], "abort")


@in_loop
async def test_who_asks_learns_of_tls_and_of_the_address() -> None:
    connection = Connection()
    tls = connection.stream.get_extra_info("ssl_object")
    assert tls.version() == "TLSv1.3"
    assert connection.stream.get_extra_info("sslcontext") is tls.context
    assert connection.stream.get_extra_info("peername") == ("192.0.2.1", 1234)
    assert connection.stream.get_extra_info("compression", "none") == "none"


class Failing(Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raise KeyError("a bug")


@in_loop
async def test_a_protocol_that_fails_when_the_connection_is_made_gets_nothing() -> None:
    protocol = Failing()
    with pytest.raises(KeyError):
        Connection(protocol, early=b"hello")
    assert protocol.received == []
