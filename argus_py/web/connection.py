"""One HTTP/1.1 connection: uvicorn's, with the limits that it leaves open.

uvicorn starts its idle clock after the first answer only, and collects the head of a request for as long as octets
come: a client could hold a connection, or our memory, for ever.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 65_536
"""Octets in a row, none of them of a body, after which a request is refused; those of grid clients stay below 1000."""


class HttpConnection(HttpToolsProtocol):
    """Closed when the client, while it is its turn, is silent for the idle time; our answers take what they take."""

    _head = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_client()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn lets it hold a connection that the client has reset

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head = 0

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is longer than {MAX_HEAD} octets.")
        elif self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            self._wait_for_client()

    def _wait_for_client(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
