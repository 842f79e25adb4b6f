"""The port of the PAP for its own host: the status page without a certificate, and the way to stop the daemon.

COMPAT: whatever is sent to /shutdown, the answer is 200 and empty; without a configured command none has to be given.
The BDII provider asks the service port without a certificate and gets nowhere: this port is where it should ask.

Source: argus-pap:src/main/java/org/glite/authz/pap/server/standalone/ShutdownServlet.java
"""

import hmac
import logging
from collections.abc import Callable
from typing import Final

import anyio.to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from argus_py.web.jetty import UnservedRequests

_log = logging.getLogger(__name__)

COMMAND_HEADER: Final = "PAP_SHUTDOWN_COMMAND"


def loopback_app(status: Callable[[], Response], stop: Callable[[], None], command: str | None) -> ASGIApp:
    """``stop`` is called when a request with the right ``command`` has been answered."""

    async def show_status(_request: Request) -> Response:
        return await anyio.to_thread.run_sync(status)

    async def shut_down(request: Request) -> Response:
        given = request.headers.get(COMMAND_HEADER, "").encode("latin-1")  # the octets that were sent
        if command is not None and not hmac.compare_digest(given, command.encode()):
            _log.warning("Shutdown attempted with invalid command string!")
            return Response()
        _log.info("Shutdown requested")
        return Response(background=BackgroundTask(stop))

    routes = [Route("/status", show_status), Route("/shutdown", shut_down)]
    return UnservedRequests(Starlette(routes=routes), {"/status": ("GET", "HEAD"), "/shutdown": ("GET",)})
