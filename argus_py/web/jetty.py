"""What a port answers to requests that nothing on it is made for: the statuses of the Jetty below the Java daemons.

BETTER: the page names neither server nor path, and 405 comes with ``Allow``, which Java sets too late to be sent.

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/http/BaseHttpServlet.java
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

SERVICE_PORT: Final = {"/authz": ("POST",), "/status": ("GET", "HEAD")}
"""The methods by path of the service ports of PDP and PEP."""

_WITHOUT_PAGE: Final = ("PUT", "DELETE", "OPTIONS", "TRACE")  # known to Java's HttpServlet; other words are not


class UnservedRequests:
    """ASGI around an application that has these methods by path: everything else is answered here.

    What is below ``mounted`` answers for itself.
    """

    def __init__(self, app: ASGIApp, methods: Mapping[str, Collection[str]], mounted: str | None = None) -> None:
        self._app = app
        self._methods = methods
        self._mounted = mounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._mounted is not None and scope["path"].startswith(f"{self._mounted}/"):
            await self._app(scope, receive, send)
            return
        allowed = self._methods.get(scope["path"], ())
        app = self._app if scope["method"] in allowed else refusal(scope["method"], allowed)
        await app(scope, receive, send)


def refusal(method: str, allowed: Collection[str]) -> Response:
    """The answer to a method that is not among those of a path; there are none of a path that does not exist."""
    allow = {"Allow": ", ".join(allowed)} if allowed else {}
    if method in _WITHOUT_PAGE:
        return Response(status_code=405, headers=allow)
    if method not in ("GET", "HEAD", "POST"):
        return Response(status_code=501)
    if method != "POST" and not allowed:
        return _page(404, "Not Found", {})
    return _page(405, f"HTTP method {method} is not supported by this URL", allow)


def _page(status: int, sentence: str, headers: dict[str, str]) -> Response:
    title = f"Error {status} {HTTPStatus(status).phrase}"
    html = (
        f"<html><head><title>{title}</title></head><body><h2>HTTP ERROR {status}</h2><p>{sentence}</p></body></html>\n"
    )
    uncached = {"Cache-Control": "must-revalidate,no-cache,no-store"}
    return Response(html, status, headers | uncached, media_type="text/html;charset=iso-8859-1")
