"""The access log: one line per request, written before it is served, whatever comes of it.

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/http/AccessLoggingFilter.java
"""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger("argus.access")


_PORT = {"http": 80, "https": 443}


class AccessLog:
    """ASGI around an application: ``remote host|server:port|path|``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            remote = scope["client"][0] if scope.get("client") else "-"
            path = scope.get("raw_path") or scope["path"].encode()
            _log.info("%s|%s|%s|", remote, _field(_server(scope)), _field(path))
        await self._app(scope, receive, send)


def _server(scope: Scope) -> bytes:
    """As the client calls it, with its port; without a Host the address it has reached."""
    host: bytes = next((value for name, value in scope["headers"] if name == b"host"), b"")
    if not host:
        return b"%s:%d" % (scope["server"][0].encode(), scope["server"][1]) if scope.get("server") else b"-"
    _, colon, port = host.rpartition(b":")
    return host if colon and port.isdigit() else b"%s:%d" % (host, _PORT[scope["scheme"]])


def _field(octets: bytes) -> str:
    """BETTER: a bar of the client's making does not move the fields."""
    return octets.decode("latin-1").replace("|", "%7C")
