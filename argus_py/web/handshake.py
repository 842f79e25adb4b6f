"""The TLS handshake of one connection, so that it is known who failed and why, and so that the client is told.

asyncio and uvloop drop a failed connection in silence: the log stays empty, and the alert that OpenSSL has written for
the client is never sent. Here the alert goes out, the failure is logged and counted, and what the client still sends is
read and thrown away for a moment: to close on unread octets would reset the connection and could take the alert away.

The class below that does TLS is uvloop's own, used without its ``create_server``, which tells nobody the address.
"""

import asyncio
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.utils import get_remote_addr
from uvloop.loop import SSLProtocol  # type: ignore[attr-defined]  # its stubs list what is documented

from argus_py.web.openssl import JudgingContext

_FAREWELL: Final = 1.0  # seconds a refused client has to read its alert
_QUIET: Final = 60.0  # seconds between two log lines about the same failure of the same client
_REMEMBERED: Final = 1000  # clients and failures; beyond that lines come more often than they should


class HandshakeFailures:
    """What went wrong, counted by cause: an alert of RFC 8446 section 6, or OpenSSL's word. For one event loop."""

    def __init__(self, warn: Callable[[str], object], monotonic: Callable[[], float]) -> None:
        self._warn = warn
        self._monotonic = monotonic
        self._counts: Counter[str] = Counter()
        self._told: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()  # when, and how often since

    def add(self, address: str, cause: str, text: str) -> None:
        """``text`` is for the log, where it stands once a minute for each client and cause."""
        self._counts[cause] += 1
        now, key = self._monotonic(), (address, cause)
        told_at, untold = self._told.get(key, (-_QUIET, 0))
        if now - told_at < _QUIET:
            self._told[key] = (told_at, untold + 1)
            return
        self._told[key] = (now, 0)
        self._told.move_to_end(key)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        again = f" ({untold} times more since it was last told)" if untold else ""
        self._warn(f"TLS handshake with {address} failed: {text}{again}")

    def lines(self) -> list[tuple[str, str]]:
        """For the status page."""
        causes = ", ".join(f"{cause} {count}" for cause, count in sorted(self._counts.items()))
        return [("TlsHandshakeFailures", str(self._counts.total())), ("TlsHandshakeFailureCauses", causes)]


class ServerContext(JudgingContext):
    """``arriving`` is the connection that the next SSL object is made for."""

    arriving: "Arrival"

    def announce(self, arrival: "Arrival") -> None:
        """The next SSL object is made for this connection, and tells it of its handshake."""
        self.arriving = arrival
        self.sslobject_class = _ObservedObject


class Arrival(asyncio.Protocol):
    """A connection of which nothing is known but its address; another protocol takes over when TLS is up."""

    def __init__(
        self,
        context: ServerContext,
        take_over: Callable[[], asyncio.Protocol],
        explain: Callable[[ssl.SSLError], tuple[str, str]],
        failures: HandshakeFailures,
        seconds: float,
    ) -> None:
        """``explain`` gives the cause of a failure, and the text about it; ``seconds`` are for the whole handshake."""
        self.heard = False
        self._context = context
        self._take_over = take_over
        self._explain = explain
        self._failures = failures
        self._seconds = seconds
        self._failed = False
        self._address = "-"

    def connection_made(self, transport: Any) -> None:
        address = get_remote_addr(transport)
        self._address = address[0] if address else "-"
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = self._loop.create_future()
        ended.add_done_callback(self._ended)
        tls = SSLProtocol(
            self._loop,
            self._take_over(),
            self._context,
            ended,
            server_side=True,
            ssl_handshake_timeout=self._seconds,
        )
        transport.set_protocol(tls)
        self._context.announce(self)  # nothing comes between this and the SSL object, which is made in the next call
        tls.connection_made(transport)

    def failed(self, error: ssl.SSLError) -> None:
        """The handshake will not be continued; the alert is about to be sent."""
        self._failed = True
        self._failures.add(self._address, *self._explain(error))
        self._loop.call_later(_FAREWELL, self._transport.close)

    def _ended(self, handshake: "asyncio.Future[None]") -> None:
        """Failures that OpenSSL knows nothing of. Who comes and goes without a word, as probes do, is none."""
        error = None if handshake.cancelled() else handshake.exception()
        if self._failed or error is None:
            return
        if isinstance(error, ConnectionAbortedError):
            self._failures.add(self._address, "timeout", f"it takes more than {self._seconds:g} seconds")
        elif self.heard:
            self._failures.add(self._address, "closed", "the client has closed the connection")


class _ObservedObject(ssl.SSLObject):
    """Reports the failure of its handshake, then keeps its user waiting: whoever waits sends what is to be sent."""

    _incoming: ssl.MemoryBIO
    _arrival: Arrival
    _failed = False

    @classmethod
    def _create(cls, incoming: ssl.MemoryBIO, *args: Any, context: ServerContext, **kwargs: Any) -> "_ObservedObject":
        made: _ObservedObject = super()._create(incoming, *args, context=context, **kwargs)  # type: ignore[misc]
        made._incoming = incoming
        made._arrival = context.arriving
        return made

    def do_handshake(self) -> None:
        if self._failed:
            self._incoming.read()
            raise ssl.SSLWantReadError
        self._arrival.heard = self._arrival.heard or self._incoming.pending > 0
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self._failed = True
            self._arrival.failed(error)
            raise ssl.SSLWantReadError from error
