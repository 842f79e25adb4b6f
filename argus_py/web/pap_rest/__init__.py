"""The REST interface of the PAP: one request per command of the administrator, one transaction per request.

Bodies are JSON, policies and listings are text. A change answers with the revision that it made, can depend on one by
If-Match, and with ``?dry_run=true`` it tells what it would do. A refusal is problem details (RFC 9457).
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from operator import attrgetter
from typing import Any, Final

import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from argus_py import __version__
from argus_py.errors import ArgusError, Unavailable
from argus_py.pap.authorization import ActNotPermitted, Admin
from argus_py.pap.history import Change
from argus_py.pap.request import Asked, RevisionChanged
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import AttributeMappings
from argus_py.web.pap_rest.access import access_router
from argus_py.web.pap_rest.admission import Admission
from argus_py.web.pap_rest.asking import Answers
from argus_py.web.pap_rest.history import history_router
from argus_py.web.pap_rest.openapi import document
from argus_py.web.pap_rest.paps import paps_router
from argus_py.web.pap_rest.policies import policies_router
from argus_py.web.pap_rest.problem import Cause, details, refusal
from argus_py.web.pap_rest.reading import reading_router
from argus_py.web.pap_rest.shapes import Told
from argus_py.web.pap_services import Callers

_log = logging.getLogger(__name__)

MOUNTED: Final = "/v1"
_LONGEST_PLACE: Final = 100  # characters: the name of a field that we do not have is the client's
_MOST_FAULTS: Final = 10  # of one body
_MOST_TOLD: Final = 20  # changes, to one whose expectation was not met
_CAUSES: Final = {404: Cause.NO_SUCH_PATH, 405: Cause.NO_SUCH_METHOD, 413: Cause.TOO_LARGE, 415: Cause.WRONG_TYPE}


class Pong(Told):
    """``revision``: of the store, which can be reached therefore."""

    service: str
    version: str
    revision: int


def pap_rest(
    use_cases: UseCases,
    callers: Callers,
    mappings: AttributeMappings,
    new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> FastAPI:
    """The application to mount at /v1; ``new_id`` names requests."""

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, ArgusError)
        _log.warning("%s %s refused: %s", request.method, request.url.path, error)
        changes: Sequence[Change] = ()
        if isinstance(error, RevisionChanged):
            changes = await anyio.to_thread.run_sync(_changes_since, use_cases, request.state.admin, error)
        return refusal(error, request.state.request_id, changes)

    app = FastAPI(
        title="Argus PAP",
        version=__version__,
        description="Policies, paps, permissions and history of a policy administration point.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=attrgetter("name"),
        middleware=[Middleware(Admission, callers=callers, revision=use_cases.distribution.ping, new_id=new_id)],
        exception_handlers={
            ArgusError: refuse,
            RequestValidationError: _malformed,
            HTTPException: _unserved,
            Exception: _failed,
        },
    )
    answers = Answers(mappings)

    @app.get("/ping", tags=["service"], openapi_extra={"security": []})
    def ping() -> Pong:
        """Whether the PAP can serve; open to everybody."""
        return Pong(service="Argus PAP", version=__version__, revision=use_cases.distribution.ping())

    app.include_router(reading_router(use_cases, mappings))
    app.include_router(policies_router(use_cases, answers))
    app.include_router(paps_router(use_cases, answers))
    app.include_router(access_router(use_cases, answers))
    app.include_router(history_router(use_cases, answers))
    described = cache(lambda: document(app, MOUNTED))  # few ever ask for it

    @app.get("/openapi.json", include_in_schema=False)
    def show_openapi() -> JSONResponse:
        return JSONResponse(described())

    return app


def _changes_since(use_cases: UseCases, admin: Admin, error: RevisionChanged) -> Sequence[Change]:
    """What the caller has not seen, as far as he may."""
    with suppress(ActNotPermitted, Unavailable):
        newest = use_cases.chronicle.changes(Asked(admin), limit=_MOST_TOLD)
        return [change for change in newest if change.revision > error.expected]
    return ()


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    texts = "; ".join(map(_validation_text, error.errors()[:_MOST_FAULTS]))
    return details(400, Cause.MALFORMED, texts, request.state.request_id)


def _validation_text(error: dict[str, Any]) -> str:
    place = ".".join(map(str, error["loc"]))[:_LONGEST_PLACE]
    return f"{place}: {error['msg']}"


async def _unserved(request: Request, error: Exception) -> Response:
    """No such path, or method; or the body cannot be read."""
    assert isinstance(error, HTTPException)
    cause = _CAUSES.get(error.status_code, Cause.MALFORMED)
    return details(error.status_code, cause, str(error.detail), request.state.request_id, error.headers)


async def _failed(request: Request, _error: Exception) -> Response:
    """Starlette raises the error again, for the log."""
    return details(500, Cause.INTERNAL, "internal error", request.state.request_id)
