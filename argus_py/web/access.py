"""The access log: one line per request, written before it is served, whatever comes of it.

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/http/AccessLoggingFilter.java
"""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger("argus.access")


class AccessLog:
    """ASGI around an application: ``remote host|server:port|path|``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            remote = scope["client"][0] if scope.get("client") else "-"
            host = next((value for name, value in scope["headers"] if name == b"host"), b"-")
            path = scope.get("raw_path") or scope["path"].encode()
            _log.info("%s|%s|%s|", remote, _field(host), _field(path))
        await self._app(scope, receive, send)


def _field(octets: bytes) -> str:
    """BETTER: a bar of the client's making does not move the fields."""
    return octets.decode("latin-1").replace("|", "%7C")
