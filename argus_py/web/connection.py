"""One HTTP/1.1 connection: uvicorn's, with the limits that it leaves open.

uvicorn starts its idle clock after an answer only, collects the head of a request for as long as octets come, queues
requests that are sent before the answers, and keeps an answer for a client that does not take it: a client could hold
a connection, or our memory, for ever.
"""

from collections.abc import Callable
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from argus_py.web.fairness import Place, Places, neighbourhood

MAX_HEAD: Final = 65_536
"""Octets in a row, none of them of a body, after which a request is refused; those of grid clients stay below 1000."""

MAX_AHEAD: Final = 16
"""Requests sent before the answer to the first of them; grid clients send none."""

SLOWEST: Final = 16_384
"""Octets per second: a client that is slower, in sending a request or in taking an answer, uses up the idle time."""

Claim = Callable[[Any], Place | None]
"""Asks for the place of the connection on this transport."""


class TooManyAhead(Exception):
    """A client does not wait for answers."""


def claim_from(places: Places) -> Claim:
    def claim(transport: Any) -> Place | None:
        address = get_remote_addr(transport)
        return places.take(neighbourhood(address[0] if address else "-"), transport.abort)

    return claim


class HttpConnection(HttpToolsProtocol):
    """Ended when the client, while it is its turn, does nothing or too little; our answers take what they take."""

    def __init__(self, config: Config, server_state: ServerState, claim: Claim) -> None:
        super().__init__(config, server_state, {})
        self._claim = claim
        self._place: Place | None = None
        self._answered: RequestResponseCycle | None = None
        self._head = 0
        self._octets = 0
        self._since = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._place = self._claim(transport)
        if self._place is None:
            transport.abort()
        self._begin_turn()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._answered is not None:
            self._answered.disconnected = True  # uvicorn tells the last one only, which may wait behind this one
        self._unset_keepalive_if_required()  # uvicorn lets it hold a connection that the client has reset
        if self._place is not None:
            self._place.leave()

    # --- The client's turn: to send a request

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_AHEAD:
            raise TooManyAhead
        super().on_message_begin()
        self._head = self._octets = 0
        self._since = self.loop.time()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if not self.cycle.response_complete:
            self._head = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._place is not None and not self.cycle.response_complete:
            self._place.work()

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        self._octets += len(data)
        super().data_received(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is longer than {MAX_HEAD} octets.")
        if self._is_turn_of_client():
            self._wait_for_client()
        else:
            self._unset_keepalive_if_required()

    # --- The client's turn: to take the answer

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, app)
        self._answered = cycle

    def on_response_complete(self) -> None:
        self._answered = None
        super().on_response_complete()
        if self._place is not None and self._is_request_awaited():
            self._place.rest()
        if self.cycle.response_complete and not self.cycle.more_body:
            # Most of what an idle connection holds is its last request; this is the state before the first one.
            if self.scope is self.cycle.scope:  # the next one has not begun
                self.scope = self.headers = None  # type: ignore[assignment]
            self.cycle = None  # type: ignore[assignment]
        if self._is_turn_of_client():
            self._begin_turn(self.transport.get_write_buffer_size())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._begin_turn(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_turn_of_client():
            self._begin_turn(self.transport.get_write_buffer_size())
        else:
            self._unset_keepalive_if_required()

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    # --- The clock

    def _is_request_awaited(self) -> bool:
        last = self.cycle
        return not self.pipeline and (last is None or last.response_complete or last.more_body)

    def _is_turn_of_client(self) -> bool:
        return self.transport.is_closing() or self.flow.write_paused or self._is_request_awaited()

    def _begin_turn(self, unread: int = 0) -> None:
        """``unread``: octets that are there for the client."""
        self._since = self.loop.time()
        self._octets = unread
        self._allow(self._left())

    def _wait_for_client(self) -> None:
        """It has just sent something."""
        self._allow(min(self._left(), self.timeout_keep_alive))

    def _left(self) -> float:
        """Of the client's turn, if all this time something goes to and fro."""
        return self._since + self.timeout_keep_alive + self._octets / SLOWEST - self.loop.time()

    def _allow(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(max(0.0, seconds), self.timeout_keep_alive_handler)
