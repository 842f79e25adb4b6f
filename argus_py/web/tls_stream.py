"""TLS of one connection whose handshake is done: towards the socket a protocol, towards HTTP a transport.

asyncio and uvloop have such classes. Theirs reserve 256 KiB for each connection, keep for good a buffer of the size of
the longest answer, ask for the client's certificate in a form nobody reads, and drop a connection in silence when its
handshake fails. What is left out here is what a server of short requests and answers has no use for.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

PIECE: Final = 4096
"""Octets that pass through OpenSSL's buffers at once: they grow with what is put in, and never shrink again."""

FAREWELL: Final = 1.0
"""Seconds in which a client can read our last words. To close while it is still sending could take them from it."""

UNREAD: Final = 65_536
"""Octets that wait for a client which makes OpenSSL say more and more and does not read it."""

_RECORD: Final = 16_384  # octets; TLS has none that is longer


class TlsStream(asyncio.Protocol, asyncio.Transport):
    """Passes on what the client sends, in clear, until one of the two sides wants no more."""

    __slots__ = ("_closing", "_incoming", "_outgoing", "_paused", "_protocol", "_raw", "_timer", "_tls")

    def __init__(
        self, raw: asyncio.Transport, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None:
        self._raw = raw
        self._tls = tls
        self._incoming = incoming
        self._outgoing = outgoing
        self._protocol: asyncio.Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._paused = False

    def serve(self, protocol: asyncio.Protocol) -> None:
        """Begin, with what has come together with the end of the handshake.

        INVARIANT: if the protocol fails when it is told of the connection, nothing is ever passed on to it.
        """
        protocol.connection_made(self)
        self._protocol = protocol
        self._raw.set_protocol(self)
        self._go_on_reading()

    # --- The protocol

    def data_received(self, data: bytes) -> None:
        for piece in _pieces(data):
            if self._closing:
                return  # what comes now was sent before the client knew
            self._incoming.write(piece)
            self._read()

    def eof_received(self) -> None:
        """The transport closes itself: an end without good-bye is an end."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        protocol, self._protocol = self._protocol, None  # nothing refers in a circle, all memory is free at once
        if protocol is not None:
            protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        if self._protocol is not None:
            self._protocol.resume_writing()

    def _read(self) -> None:
        try:
            while not self._paused and not self._closing and (self._incoming.pending or self._tls.pending()):
                data = self._tls.read(_RECORD)
                if not data:
                    self.close()  # the client says good-bye
                elif self._protocol is not None:
                    self._protocol.data_received(data)
        except ssl.SSLWantReadError:  # not all of a record is there
            if self._outgoing.pending:
                self._send()  # what OpenSSL says to a client that wants another handshake
                if self._raw.get_write_buffer_size() > UNREAD:
                    self.abort()
        except ssl.SSLError:
            self._take_leave()  # OpenSSL has written an alert

    # --- The transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        match name:
            case "ssl_object":
                return self._tls
            case "sslcontext":
                return self._tls.context
        return self._raw.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        for piece in _pieces(data):
            self._tls.write(piece)
            self._send()

    def close(self) -> None:
        if self._closing:
            return
        with suppress(ssl.SSLError):
            self._tls.unwrap()  # says good-bye, and complains that the client has not done so
        self._take_leave()

    def abort(self) -> None:
        self._closing = True
        self._raw.abort()

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        asyncio.get_running_loop().call_soon(self._go_on_reading)

    def get_write_buffer_size(self) -> int:
        return self._raw.get_write_buffer_size()

    def _go_on_reading(self) -> None:
        self._read()
        if not self._paused and not self._raw.is_closing():
            self._raw.resume_reading()

    def _take_leave(self) -> None:
        self._closing = True
        self._timer = take_leave(self._raw, self._outgoing)

    def _send(self) -> None:
        self._raw.write(self._outgoing.read())


def take_leave(raw: asyncio.Transport, outgoing: ssl.MemoryBIO) -> asyncio.TimerHandle:
    """Send the last words and the end of ours; what the client still sends is for its protocol to throw away."""
    raw.write(outgoing.read())
    raw.write_eof()
    raw.resume_reading()
    return asyncio.get_running_loop().call_later(FAREWELL, raw.close)


def _pieces(data: bytes | bytearray | memoryview) -> Iterator[bytes | bytearray | memoryview]:
    if len(data) <= PIECE:
        yield data
        return
    octets = memoryview(data)
    for begin in range(0, len(octets), PIECE):
        yield octets[begin : begin + PIECE]
