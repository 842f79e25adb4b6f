"""What the service port of the PEP daemon has below /v1: JSON interfaces, and the OpenAPI document that describes them.

A body must be declared as JSON. A browser sends nothing of that kind to another site without asking there first, so
that no page can use the certificate of its reader. Whatever cannot be served is answered with problem details. Answers
have a Date, which ``/authz`` has not: hosts whose clocks differ are a common cause of proxies that are not valid yet.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from argus_py import __version__
from argus_py.web.authorize import AnswerBody, QuestionBody
from argus_py.web.problems import MEDIA_TYPE, problem

MOUNTED: Final = "/v1"
_JSON: Final = "application/json"
Endpoint = Callable[[Request], Awaitable[Response]]


def v1_app(authorize: Endpoint, clock: Callable[[], datetime]) -> Starlette:
    """``authorize`` answers questions whose head is in order."""
    document = openapi()

    async def authorize_json(request: Request) -> Response:
        if _media_type(request) == _JSON:
            return await authorize(request)
        return problem(
            415, "the body must be of the type application/json", headers={"Accept-Post": "application/json"}
        )

    async def show_openapi(_request: Request) -> Response:
        return JSONResponse(document)

    app = Starlette(
        routes=[
            Route("/authorize", authorize_json, methods=["POST"]),
            Route("/openapi.json", show_openapi, methods=["GET"]),
        ],
        middleware=[Middleware(_Dated, clock=clock)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _refused(_request: Request, error: Exception) -> Response:
    """A path that does not exist, or a method that it has not."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "there is nothing here for such a request", headers=error.headers)


def _failed(_request: Request, _error: Exception) -> Response:
    """Starlette raises the error again, for the log."""
    return problem(500, "internal error")


class _Dated:
    """ASGI around an application: its answers say when they were made, and are not kept by anybody."""

    def __init__(self, app: ASGIApp, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Date"] = format_datetime(self._clock(), usegmt=True)
                headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_dated)


class ProblemBody(BaseModel):
    """RFC 9457; ``request_id`` where a request was looked at."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    _, schemas = models_json_schema(
        [(QuestionBody, "validation"), (AnswerBody, "serialization"), (ProblemBody, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    refusals = {
        "400": "Not a question: the body is unreadable, or holds a private key.",
        "403": "The certificate of the connection is not acceptable, where TLS itself could not say so; plain text.",
        "413": "The body is larger than the limit.",
        "415": "The body is not declared as JSON.",
        "500": "A failure of the service.",
        "503": "Too many requests are waiting; see Retry-After, or ask another daemon.",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Argus PEP daemon", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": {
            "/v1/authorize": {
                "post": {
                    "operationId": "authorize",
                    "summary": "May a subject do something, and under which local account?",
                    "requestBody": {"required": True, "content": _content(_JSON, "QuestionBody")},
                    "responses": {
                        "200": {
                            "description": "The decision, whatever it is.",
                            "content": _content(_JSON, "AnswerBody"),
                        },
                        **{
                            status: {"description": text, "content": _content(MEDIA_TYPE, "ProblemBody")}
                            for status, text in refusals.items()
                        },
                    },
                }
            }
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"certificate": {"type": "mutualTLS"}},
        },
        "security": [{"certificate": []}],
    }


def _content(media_type: str, schema: str) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
