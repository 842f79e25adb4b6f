"""The admin port of a daemon: commands by plain HTTP and GET, questions by POST, for operators on the same host.

COMPAT: the password is looked at before anything else; 401 has no body. It may be the query parameter ``password``.
BETTER: it may also come as a header, which nobody writes into logs; it takes the same time to compare whatever it is;
a HEAD does nothing but show that /status is there, where Java would carry the command out.

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/http/JettyAdminService.java,
PasswordProtectFilter.java, ShutdownCommand.java
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

import anyio.to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from argus_py.web.answers import too_large
from argus_py.web.jetty import UnservedRequests
from argus_py.web.status import StatusPage

_log = logging.getLogger(__name__)

PASSWORD_HEADER: Final = "X-Admin-Password"  # noqa: S105 - the name of a header
JSON: Final = "application/json"
MAX_QUESTION: Final = 1 << 18  # octets; five hundred FQANs of the length that VOMS allows
PLAIN_TEXT: Final = "text/plain;charset=utf-8"
_MAX_FIELDS: Final = 10  # of a query string; there is one parameter
_BLANK = bytes(range(0x21))  # what String.trim() strips

Command = Callable[[], str | None]
"""Does its work, and returns what the operator is told, if anything."""
Answering = Callable[[bytes], Response]
"""Answers a question, the JSON body of a POST."""
NO_QUESTIONS: Final[Mapping[str, Answering]] = MappingProxyType({})


def admin_app(
    status: StatusPage,
    commands: Mapping[str, Command],
    stop: Callable[[], None],
    password: str | None,
    questions: Mapping[str, Answering] = NO_QUESTIONS,
) -> ASGIApp:
    """``commands`` and ``questions`` by path, run one at a time in a thread.

    ``stop`` is called when /shutdown has been answered.
    """
    one_at_a_time = anyio.CapacityLimiter(1)

    def run(command: Command) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            _log.info("%s asked for by %s", request.url.path, _sender(request.scope))
            told = await anyio.to_thread.run_sync(command, limiter=one_at_a_time)
            return PlainTextResponse(told, media_type=PLAIN_TEXT) if told is not None else Response()

        return endpoint

    def ask(answering: Answering) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            _log.info("%s asked by %s", request.url.path, _sender(request.scope))
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
                # A web page that the operator looks at could send other types to a port of his host.
                return PlainTextResponse(f"a question is {JSON}\n", 415)
            body = await _body(request)
            if body is None:
                return too_large(MAX_QUESTION)
            return await anyio.to_thread.run_sync(answering, body, limiter=one_at_a_time)

        return endpoint

    async def show_status(_request: Request) -> Response:
        return status.response()

    async def shut_down(request: Request) -> Response:
        _log.info("Service shutting down, asked for by %s", _sender(request.scope))
        return Response(background=BackgroundTask(stop))

    routes = [
        Route("/status", show_status),
        Route("/shutdown", shut_down),
        *(Route(path, run(command)) for path, command in commands.items()),
        *(Route(path, ask(answering), methods=["POST"]) for path, answering in questions.items()),
    ]
    methods = {route.path: ("POST",) if route.path in questions else ("GET",) for route in routes}
    app = UnservedRequests(Starlette(routes=routes), {**methods, "/status": ("GET", "HEAD")})
    return app if password is None else _PasswordProtected(app, password)


class _PasswordProtected:
    """ASGI around an application."""

    def __init__(self, app: ASGIApp, password: str) -> None:
        self._app = app
        self._password = password.encode().strip(_BLANK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if any(self._is_right(given) for given in _given(scope)):
            return await self._app(scope, receive, send)
        _log.warning("%s refused for %s: no valid password", scope["path"], _sender(scope))
        return await Response(status_code=401)(scope, receive, send)

    def _is_right(self, given: bytes) -> bool:
        return hmac.compare_digest(given.strip(_BLANK), self._password)


async def _body(request: Request) -> bytes | None:
    """None when it is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_QUESTION:
            return None
    return bytes(body)


def _given(scope: Scope) -> list[bytes]:
    """The passwords of a request; of several in the query string Java looks at the first."""
    header = PASSWORD_HEADER.lower().encode()
    given = [value for name, value in scope["headers"] if name == header][:1]
    try:
        fields = parse_qsl(scope["query_string"].decode(errors="replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        return given
    return given + [value.encode() for name, value in fields if name == "password"][:1]


def _sender(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "-"
