"""The service port of the PEP daemon: POST /authz with a request in base64 of Hessian, GET /status.

Whoever is refused gets 200 and a response that says so; other statuses mean that no request was understood, and make
clients go on to their next server. The body is never looked at before it is complete and within its limit.

Each request gets an id when it arrives, which the logs of all daemons know it by, and the time after which nothing more
is begun for it.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonServlet.java
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from argus_py.errors import MalformedInput
from argus_py.hessian import base64_lines, messages
from argus_py.model.dn import DistinguishedName
from argus_py.model.trail import REQUEST_ID
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.ports import Call, Journal
from argus_py.soap.saml import message_id
from argus_py.web.access import AccessLog
from argus_py.web.answers import answer, too_large
from argus_py.web.jetty import SERVICE_PORT, UnservedRequests
from argus_py.web.status import StatusPage
from argus_py.web.tls import peer_chain
from argus_py.web.workers import Load, Workers

_log = logging.getLogger(__name__)
_MEDIA_TYPE = "text/plain; charset=us-ascii"

PATIENCE: Final = timedelta(seconds=25)
"""From the arrival of a request; the C library gives up after 30 seconds, in which it also connects."""


def pep_app(
    enforcer: Enforcer,
    journal: Journal,
    status: StatusPage,
    clock: Callable[[], datetime],
    load: Load,
    *,
    monotonic: Callable[[], float],
    new_id: Callable[[], str] = message_id,
) -> FastAPI:
    """The application of one service port. ``new_id`` gives ids in the form of SAML's, for the queries to PDPs."""
    authorization = _Authorization(enforcer, journal, clock)
    workers = Workers(load, base64_lines.MAX_BODY)

    async def authorize(request: HttpRequest) -> HttpResponse:
        call = Call(new_id(), monotonic() + PATIENCE.total_seconds())
        arrival = _Arrival.of(request, call, clock())
        return await workers.serve(request, lambda body: authorization.answer(body, arrival), too_large)

    async def show_status(_request: HttpRequest) -> HttpResponse:
        return status.response()

    app = FastAPI(
        routes=[Route("/authz", authorize, methods=["POST"]), Route("/status", show_status, methods=["GET"])],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(UnservedRequests, methods=SERVICE_PORT)
    app.add_middleware(AccessLog)
    return app


@dataclass(frozen=True, slots=True)
class _Arrival:
    call: Call
    at: datetime
    client: DistinguishedName | None
    address: str

    @classmethod
    def of(cls, request: HttpRequest, call: Call, at: datetime) -> "_Arrival":
        chain = peer_chain(request.scope)
        return cls(call, at, chain.subject if chain else None, request.client.host if request.client else "-")


class _Authorization:
    """Bytes in, bytes out."""

    def __init__(self, enforcer: Enforcer, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._enforcer = enforcer
        self._journal = journal
        self._clock = clock

    def answer(self, body: bytes, arrival: _Arrival) -> HttpResponse:
        REQUEST_ID.set(arrival.call.id)  # in the context of this request, which ends with it
        try:
            request = messages.read_request(base64_lines.decode(body))
        except MalformedInput as error:
            _log.warning("unreadable request from %s: %s", arrival.address, error)
            return answer(error)
        response = self._enforcer.authorize(request, arrival.call)
        encoded = base64_lines.encode(messages.write_response(response))
        self._journal.record(
            Exchange(
                arrival.call.id,
                arrival.at,
                self._clock() - arrival.at,
                arrival.client,
                arrival.address,
                request,
                response,
            )
        )
        return PlainTextResponse(encoded, media_type=_MEDIA_TYPE)
