"""The service port of the PEP daemon: POST /authz with a request in base64 of Hessian, GET /status, and /v1 in JSON.

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
from typing import Final, Protocol

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Mount, Route

from argus_py.errors import MalformedInput
from argus_py.hessian import base64_lines, messages
from argus_py.model.dn import DistinguishedName
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.model.trail import REQUEST_ID
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.ports import Call, Journal, NameService
from argus_py.soap.saml import message_id
from argus_py.web import answers
from argus_py.web.access import AccessLog
from argus_py.web.authorize import JsonWire
from argus_py.web.jetty import SERVICE_PORT, UnservedRequests
from argus_py.web.status import StatusPage
from argus_py.web.tls import peer_chain
from argus_py.web.v1 import MOUNTED, Endpoint, v1_app
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
    names: NameService | None = None,
    new_id: Callable[[], str] = message_id,
) -> FastAPI:
    """The application of one service port.

    ``names`` has the numbers that JSON answers tell; None: this machine does not know the accounts. ``new_id`` gives
    ids in the form of SAML's, for the queries to PDPs.
    """
    authorization = _Authorization(enforcer, journal, clock)
    workers = Workers(load, base64_lines.MAX_BODY)

    def speaking(wire: Wire) -> Endpoint:
        async def authorize(request: HttpRequest) -> HttpResponse:
            call = Call(new_id(), monotonic() + PATIENCE.total_seconds())
            arrival = _Arrival.of(request, call, clock())
            return await workers.serve(
                request, lambda body: authorization.answer(body, wire, arrival), wire.too_large, wire.busy
            )

        return authorize

    async def show_status(_request: HttpRequest) -> HttpResponse:
        return status.response()

    app = FastAPI(
        routes=[
            Route("/authz", speaking(HessianWire()), methods=["POST"]),
            Route("/status", show_status, methods=["GET"]),
            Mount(MOUNTED, v1_app(speaking(JsonWire(names)), clock)),
        ],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(UnservedRequests, methods=SERVICE_PORT, mounted=MOUNTED)
    app.add_middleware(AccessLog)
    return app


class Wire(Protocol):
    """What requests are read from, and what answers are written as."""

    def read(self, body: bytes) -> Request:
        """Raises errors of MalformedInput's kind."""
        ...

    def write(self, response: Response, call: Call) -> HttpResponse: ...

    def refuse(self, error: MalformedInput, call: Call) -> HttpResponse:
        """The answer to a body that is no request."""
        ...

    def busy(self) -> HttpResponse: ...

    def too_large(self, limit: int) -> HttpResponse: ...


class HessianWire:
    """The wire of all clients of Argus."""

    def read(self, body: bytes) -> Request:
        return messages.read_request(base64_lines.decode(body))

    def write(self, response: Response, _call: Call) -> HttpResponse:
        return PlainTextResponse(base64_lines.encode(messages.write_response(response)), media_type=_MEDIA_TYPE)

    def refuse(self, error: MalformedInput, _call: Call) -> HttpResponse:
        return answers.answer(error)

    def busy(self) -> HttpResponse:
        return answers.busy()

    def too_large(self, limit: int) -> HttpResponse:
        return answers.too_large(limit)


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

    def answer(self, body: bytes, wire: Wire, arrival: _Arrival) -> HttpResponse:
        REQUEST_ID.set(arrival.call.id)  # in the context of this request, which ends with it
        try:
            request = wire.read(body)
        except MalformedInput as error:
            _log.warning("unreadable request from %s: %s", arrival.address, error)
            return wire.refuse(error, arrival.call)
        response = self._enforcer.authorize(request, arrival.call)
        written = wire.write(response, arrival.call)
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
        return written
