"""One listening port: HTTP, by way of TLS or in clear.

uvicorn's protocols are used without uvicorn's server: that one looks ten times a second whether it should stop.
"""

import asyncio
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from argus_py.web.connection import HttpConnection, claim_from
from argus_py.web.fairness import Place, Places
from argus_py.web.handshake import Arrival, Handshakes
from argus_py.web.tls import ServerTls, TlsConnection

BACKLOG: Final = 2048


class Listener:
    """Serves an application from ``open`` to ``close``; for one event loop."""

    def __init__(self, app: ASGIApp, tls: ServerTls | None, idle_timeout: timedelta, places: Places) -> None:
        """``tls`` None: everybody is served in clear. ``places`` of connections may be shared by several ports."""
        idle = max(1, int(idle_timeout.total_seconds()))
        self._config = Config(
            app,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=idle,
        )
        self._config.load()
        self._state = ServerState()
        self._connection = self._with_tls(tls, places, idle) if tls else self._in_clear(places)

    async def open(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, sock=bound, backlog=BACKLOG)

    def close(self) -> None:
        """Nobody new; connections end when their requests are answered, the others now."""
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()

    @property
    def unanswered(self) -> int:
        """Requests in progress."""
        return len(self._state.tasks)

    @property
    def connections(self) -> int:
        """Those that have said who they are, if they have to."""
        return len(self._state.connections)

    def _in_clear(self, places: Places) -> Callable[[], asyncio.Protocol]:
        claim = claim_from(places)
        return lambda: HttpConnection(self._config, self._state, claim)

    def _with_tls(self, tls: ServerTls, places: Places, seconds: float) -> Callable[[], asyncio.Protocol]:
        handshakes = Handshakes(tls.explain, tls.failures, seconds, places)

        def take_over(place: Place) -> asyncio.Protocol:
            connection = TlsConnection(self._config, self._state, place, tls)
            if not self._server.is_serving():  # closed during the handshake
                asyncio.get_running_loop().call_soon(connection.shutdown)
            return connection

        return lambda: Arrival(tls.context, handshakes, take_over)
