"""The TLS handshake of one connection: who failed and why is logged and counted, and the client is told.

A handshake takes our processor about a millisecond, and whoever can reach the port can ask for one. So clients take
turns, and between a few steps of handshakes everybody else is served: many at once, after a restart or in an attack,
delay each other and hardly those who are connected already.
"""

import asyncio
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from uvicorn.protocols.utils import get_remote_addr

from argus_py.web.fairness import Place, Places, Turns, neighbourhood
from argus_py.web.tls_stream import TlsStream, take_leave

_AT_ONCE: Final = 4  # steps of handshakes before the event loop looks after others
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


class HandshakeTurns:
    """Who goes on with his handshake next."""

    def __init__(self) -> None:
        self._turns = Turns["Arrival"]()
        self._going_on = False

    def join(self, owner: str, arrival: "Arrival") -> None:
        self._turns.join(owner, arrival)
        if not self._going_on:
            self._going_on = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def leave(self, owner: str, arrival: "Arrival") -> None:
        self._turns.leave(owner, arrival)

    def _go_on(self) -> None:
        try:
            for _ in range(_AT_ONCE):
                if self._turns:
                    self._turns.next().go_on()
        finally:  # an error of ours in one handshake is not the end of all the others
            self._going_on = bool(self._turns)
            if self._going_on:
                asyncio.get_running_loop().call_soon(self._go_on)


@dataclass(frozen=True, slots=True)
class Handshakes:
    """What all connections of a port have in common. ``seconds`` are for the whole handshake.

    ``explain`` gives the cause of a failure, and the text about it.
    """

    explain: Callable[[ssl.SSLError], tuple[str, str]]
    failures: HandshakeFailures
    seconds: float
    places: Places
    turns: HandshakeTurns = field(default_factory=HandshakeTurns)


class Arrival(asyncio.Protocol):
    """A connection of which nothing is known but its address; another protocol takes over when TLS is up."""

    __slots__ = (
        "_address", "_handshakes", "_heard", "_incoming", "_outgoing", "_over", "_owner", "_place", "_take_over",
        "_timer", "_tls", "_transport",
    )  # fmt: skip

    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(
        self, context: ssl.SSLContext, handshakes: Handshakes, take_over: Callable[[Place], asyncio.Protocol]
    ) -> None:
        self._handshakes = handshakes
        self._take_over = take_over
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._place: Place | None = None
        self._heard = False
        self._over = False

    def connection_made(self, transport: Any) -> None:
        address = get_remote_addr(transport)
        self._address = address[0] if address else "-"
        self._owner = neighbourhood(self._address)
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(self._handshakes.seconds, self._late)
        self._place = self._handshakes.places.take(self._owner, self._give_way)
        if self._place is None:
            self._give_way()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return  # what comes now was sent before the client knew
        self._heard = True
        self._incoming.write(data)
        self._transport.pause_reading()
        self._handshakes.turns.join(self._owner, self)

    def go_on(self) -> None:
        """It is this client's turn."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._transport.write(self._outgoing.read())
            self._transport.resume_reading()
        except ssl.SSLError as error:
            self._fail(*self._handshakes.explain(error))
            self._timer.cancel()
            self._timer = take_leave(self._transport, self._outgoing)
        else:
            self._succeed()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._timer.cancel()
        self._handshakes.turns.leave(self._owner, self)
        if self._place is not None:
            self._place.leave()
        if self._heard and not self._over:  # who comes and goes without a word, as probes do, has not failed
            self._fail("closed", "the client has closed the connection")

    def _succeed(self) -> None:
        assert self._place is not None
        self._transport.write(self._outgoing.read())
        self._place.give_way = self._transport.abort
        TlsStream(self._transport, self._tls, self._incoming, self._outgoing).serve(self._take_over(self._place))
        self._timer.cancel()

    def _late(self) -> None:
        self._cut_off("timeout", f"it takes more than {self._handshakes.seconds:g} seconds")

    def _give_way(self) -> None:
        self._cut_off("no_place", "there are too many connections")

    def _cut_off(self, cause: str, text: str) -> None:
        if not self._over:
            self._fail(cause, text)
        self._handshakes.turns.leave(self._owner, self)
        self._transport.abort()

    def _fail(self, cause: str, text: str) -> None:
        self._over = True
        self._handshakes.failures.add(self._address, cause, text)
