"""The service port of the PDP daemon: POST /authz with an XACMLAuthzDecisionQuery in SOAP, GET /status.

A message that cannot be read is answered by a SOAP fault with HTTP status 500, which sends a PEP server on to its next
PDP. A query that can be read but not evaluated is answered by Indeterminate with the status processing-error.

BETTER: the Java PDP ends in an HTML page for ten kinds of wrong messages; here each is a fault.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java, PDPDaemon.java
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import BaseRoute, Route

from argus_py.errors import MalformedInput
from argus_py.model import policy_news
from argus_py.model.dn import DistinguishedName
from argus_py.model.request import Request
from argus_py.model.response import Response, Result, indeterminate
from argus_py.model.trail import REQUEST_ID
from argus_py.pdp.engine import Engine
from argus_py.pdp.exchange import Exchange, Journal, RequestCounters
from argus_py.snapshot import Snapshot
from argus_py.soap import envelope, fault, saml
from argus_py.soap.fault import Fault
from argus_py.soap.saml import AuthzDecisionQuery, AuthzDecisionResponse
from argus_py.web.access import AccessLog
from argus_py.web.changes import ChangeFeed, changes_route
from argus_py.web.jetty import SERVICE_PORT, UnservedRequests
from argus_py.web.status import StatusPage, java_millis, java_time
from argus_py.web.tls import peer_chain
from argus_py.web.workers import Load, Workers
from argus_py.xacml import context_xml
from argus_py.xacml.document import XmlSyntaxError
from argus_py.xacml.index import CompiledPolicy

_log = logging.getLogger(__name__)

BODY_LIMIT: Final = context_xml.MAX_BYTES  # a query of a PEP server is some 5 KiB; Java reads whatever comes


@dataclass(frozen=True, slots=True)
class PdpSettings:
    """``endpoints``: URLs by which PEP servers know this PDP, where they differ from those of their HTTP requests.

    ``explain``: send the reason of an Indeterminate as status message; the users of the PEP's clients see it.
    ``fault_without_policy``: a fault while there is nothing to decide by, so that a PEP server asks its next PDP, which
    it does not after an Indeterminate.
    """

    entity_id: str
    endpoints: frozenset[str] = frozenset()
    explain: bool = False
    fault_without_policy: bool = False


def pdp_app(
    engine: Engine,
    settings: PdpSettings,
    *,
    status: StatusPage,
    counters: RequestCounters,
    journal: Journal,
    clock: Callable[[], datetime],
    load: Load,
    new_id: Callable[[], str] = saml.message_id,
    changes: ChangeFeed | None = None,
) -> FastAPI:
    """The application of one service port. ``changes``: what PEP servers hear of those of the policy, if anything."""
    service = _DecisionService(engine, settings, counters=counters, journal=journal, clock=clock, new_id=new_id)
    workers = Workers(load, BODY_LIMIT)

    async def authorize(request: HttpRequest) -> HttpResponse:
        chain = peer_chain(request.scope)
        peer = _Peer(chain.subject if chain else None, request.client.host if request.client else "-")
        url = str(request.url)
        return await workers.serve(request, lambda body: service.answer(body, url, peer), service.too_large)

    async def show_status(_request: HttpRequest) -> HttpResponse:
        return status.response()

    async def own_error(_request: HttpRequest, _error: Exception) -> HttpResponse:
        # The process boundary: the server logs the traceback, and the PEP server asks its next PDP.
        return service.refuse("Server", "internal error")

    routes: list[BaseRoute] = [
        Route("/authz", authorize, methods=["POST"]),
        Route("/status", show_status, methods=["GET"]),
    ]
    methods = dict(SERVICE_PORT)
    if changes is not None:
        routes.append(changes_route(changes))
        methods[policy_news.PATH] = ("GET",)
    app = FastAPI(
        routes=routes,
        exception_handlers={Exception: own_error},
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_middleware(UnservedRequests, methods=methods)
    app.add_middleware(AccessLog)
    return app


def policy_lines(policy: Snapshot[CompiledPolicy]) -> list[tuple[str, str]]:
    """What the status page says about the policy in force, and about the last refresh if it failed."""
    version = policy.current if policy.ready else None
    lines = [
        ("PolicyLoadTime", java_time(version.loaded_at) if version else "null"),
        ("PolicyLoadTimeMillis", str(java_millis(version.loaded_at)) if version else "0"),
        ("CurrentPolicy", version.value.root.id if version else "null"),
        ("CurrentPolicyVersion", version.value.root.version if version else "null"),
    ]
    if version and version.value.defects:
        lines.append(("PolicyDefects", str(len(version.value.defects))))
    if policy.last_error is not None:
        lines.append(("LastRefreshError", str(policy.last_error)))
    return lines


@dataclass(frozen=True, slots=True)
class _Peer:
    subject: DistinguishedName | None
    address: str


class _DecisionService:
    """Messages in, messages out."""

    def __init__(
        self,
        engine: Engine,
        settings: PdpSettings,
        *,
        counters: RequestCounters,
        journal: Journal,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._endpoints = frozenset(map(_comparable, settings.endpoints))
        self._counters = counters
        self._journal = journal
        self._clock = clock
        self._new_id = new_id

    def answer(self, body: bytes, url: str, peer: _Peer) -> HttpResponse:
        """``url`` is the one the message came in on."""
        received_at = self._clock()
        self._counters.started()
        try:
            query = saml.authz_decision_query_from_element(envelope.read(body, BODY_LIMIT))
        except MalformedInput as error:
            _log.error("Error decoding the SOAP request from %s: %.500s", peer.address, error)
            return self.refuse("Client", _faultstring(error))
        REQUEST_ID.set(query.id)  # in the context of this request, which ends with it
        if self._settings.fault_without_policy and (reason := self._engine.without_policy()):
            _log.error("A query of %s is refused: %.500s", peer.address, reason)
            return self.refuse("Server", reason)
        request, response = self._decide(query, url)
        answered_at, response_id = self._clock(), self._new_id()
        trail = replace(response.trail, request_id=query.id, response_id=response_id)
        self._journal.record(
            Exchange(
                received_at,
                answered_at - received_at,
                peer.subject,
                peer.address,
                query.issuer,
                request,
                replace(response, trail=trail),
            )
        )
        message = AuthzDecisionResponse(
            response_id,
            query.id,
            answered_at,
            self._new_id(),
            self._settings.entity_id,
            response.results if self._settings.explain else tuple(map(_unexplained, response.results)),
            query.context if query.return_context else None,
        )
        written = envelope.write(saml.authz_decision_response_to_element(message), "soap11")
        if response.trail.decision is None:
            _log.error("Unable to evaluate the query of %s: %.500s", peer.address, response.trail.reason)
            self._counters.failed()
        return _answer(200, written, saml.SOAP_ACTION)

    def too_large(self, limit: int) -> HttpResponse:
        self._counters.started()
        return self.refuse("Client", f"the message is longer than {limit} octets")

    def refuse(self, code: str, text: str) -> HttpResponse:
        """A fault; counts as a failure of a request already counted."""
        self._counters.failed()
        return _answer(500, fault.write(Fault(code, text), "soap11"), "")

    def _decide(self, query: AuthzDecisionQuery, url: str) -> tuple[Request | None, Response]:
        """What was asked, None if it was not read, and what is decided."""
        if query.destination is not None and not self._is_here(query.destination, url):
            return None, indeterminate(f"the query is meant for {query.destination}, but it came to {url}")
        try:
            request = context_xml.read_request(query.context)
        except MalformedInput as error:
            return None, indeterminate(f"the request cannot be read: {error}")
        return request, self._engine.decide(request)

    def _is_here(self, destination: str, url: str) -> bool:
        wanted = _comparable(destination)
        return wanted == _comparable(url) or wanted in self._endpoints


def _answer(status: int, body: bytes, soap_action: str) -> HttpResponse:
    headers = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "SOAPAction": soap_action}
    return HttpResponse(body, status, headers, envelope.CONTENT_TYPE)


def _faultstring(error: MalformedInput) -> str:
    """COMPAT: the words of the Java PDP."""
    if isinstance(error, XmlSyntaxError):
        return f"Encountered error parsing message into its DOM representation: {error}"
    return str(error)


def _unexplained(result: Result) -> Result:
    return replace(result, status=replace(result.status, message=None))


def _comparable(url: str) -> tuple[str, str, str, str]:
    """Scheme and host count without case; an unreadable URL equals itself alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", "", url, ""
    return parts.scheme, parts.netloc.lower(), parts.path, parts.query
