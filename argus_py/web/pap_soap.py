"""The PAP's SOAP service for other daemons: provisioning of PDPs, and of other PAPs, which are known by their queries.

Who asks is judged by the certificate of the connection; the Issuer of a query is checked for its form alone. What is
wrong with the SAML of a query is answered by a SAML status, everything else by a fault in the words of Axis.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/ProvisioningService.java, ServicesUtils.java
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Scope

from argus_py.errors import ArgusError
from argus_py.model.trail import REQUEST_ID
from argus_py.pap.authorization import Act, ActNotPermitted
from argus_py.soap import envelope, fault, saml
from argus_py.soap.fault import AXIS_NAMESPACE, Fault
from argus_py.soap.saml import PolicyQuery, PolicyResponse, Status, StatusCode
from argus_py.web.pap_faults import java_operation, not_permitted
from argus_py.web.pap_services import provisioning_greeting
from argus_py.web.workers import Load, Workers

_log = logging.getLogger(__name__)

BODY_LIMIT: Final = 1 << 16  # a query is below 2 KiB


class Deliverable(Protocol):
    """What there is for others; see ``pap.provisioning.Provisioning``."""

    def document(self) -> bytes:
        """The PolicySet that a PDP gets, in XML."""
        ...

    def public_document(self, asker: str | None) -> bytes:
        """What another PAP gets, in XML: one element after the other. ``asker``: how it calls itself."""
        ...


@dataclass(frozen=True, slots=True)
class PapSoapSettings:
    """``entity_id`` is the issuer of answers; ``host`` is named in faults."""

    entity_id: str
    host: str


def pap_services(
    policies: Deliverable,
    permit: Callable[[Scope, Act], None],
    settings: PapSoapSettings,
    *,
    clock: Callable[[], datetime],
    load: Load,
    others: Sequence[Route] = (),
    new_id: Callable[[], str] = saml.message_id,
) -> Starlette:
    """The application to mount at /pap/services.

    ``permit`` raises ActNotPermitted for a caller who may not do this. ``others`` are the services for administrators.
    """
    service = _ProvisioningService(policies, permit, settings, clock, new_id)
    workers = Workers(load, BODY_LIMIT)

    async def provision(request: HttpRequest) -> HttpResponse:
        if "soapaction" not in request.headers:
            return service.refuse(Fault("Client.NoSOAPAction", "no SOAPAction header!", AXIS_NAMESPACE))
        return await workers.serve(request, lambda body: service.answer(body, request.scope), service.too_large)

    async def own_error(_request: HttpRequest, _error: Exception) -> HttpResponse:
        # The process boundary: the server logs the traceback, the PDP keeps its policy and asks the next PAP.
        return service.refuse(Fault("Server.generalException", "internal error"))

    path = "/ProvisioningService"
    return Starlette(
        routes=[Route(path, provision, methods=["POST"]), Route(path, provisioning_greeting, methods=["GET"]), *others],
        exception_handlers={Exception: own_error},
    )


class _ProvisioningService:
    """Messages in, messages out."""

    def __init__(
        self,
        policies: Deliverable,
        permit: Callable[[Scope, Act], None],
        settings: PapSoapSettings,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._policies = policies
        self._permit = permit
        self._settings = settings
        self._clock = clock
        self._new_id = new_id

    def answer(self, body: bytes, scope: Scope) -> HttpResponse:
        """``scope`` is that of the connection, for the permission."""
        try:
            children = envelope.read_all(body, BODY_LIMIT)
            if not children:
                return self.refuse(Fault("Server.userException", "no element in the SOAP body"))
            if not saml.is_policy_query(children[0]):
                operation = etree.QName(children[0]).localname
                return self.refuse(Fault("Client", f"No such operation '{operation}'", AXIS_NAMESPACE))
            query = saml.policy_query_from_element(children[0])
            response = self._respond(query, scope)
        except ActNotPermitted as error:
            _log.warning("policies refused: %s", error)
            return self.refuse(not_permitted(java_operation(error.act)).fault())  # COMPAT: daemons of sites log it
        except ArgusError as error:
            _log.error("unable to provide policies: %s", error)
            return self.refuse(Fault("Server.userException", str(error)))
        return _answer(200, saml.write_policy_response(response))

    def too_large(self, limit: int) -> HttpResponse:
        return self.refuse(Fault("Client", f"the message is longer than {limit} octets"))

    def refuse(self, reason: Fault) -> HttpResponse:
        return _answer(500, fault.write(replace(reason, host=self._settings.host), "soapenv"))

    def _respond(self, query: PolicyQuery, scope: Scope) -> PolicyResponse:
        """Raises ActNotPermitted, and whatever the policies' source raises."""
        REQUEST_ID.set(query.id)  # in the context of this request, which ends with it
        status = _status(query)
        policies = None
        if status.code == StatusCode.SUCCESS:
            self._permit(scope, Act.FETCH_AS_PAP if query.from_pap else Act.FETCH_AS_PDP)
            policies = self._policies.public_document(query.issuer) if query.from_pap else self._policies.document()
            _log.info("policies provided to %.500s", query.issuer)
        return PolicyResponse(
            self._new_id(), query.id, self._clock(), self._new_id(), self._settings.entity_id, policies, status
        )


def _status(query: PolicyQuery) -> Status:
    """COMPAT: in this order, with these texts."""
    if query.version != saml.VERSION:
        return Status(StatusCode.VERSION_MISMATCH)
    if query.issuer is None:
        return Status(StatusCode.REQUESTER, "The Issuer element must be present")
    if query.issuer_format != saml.ENTITY_FORMAT:
        text = f"When present, the Format attribute of the Issuer element must be {saml.ENTITY_FORMAT}"
        return Status(StatusCode.REQUESTER, text)
    return Status()


def _answer(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(body, status, media_type=envelope.CONTENT_TYPE)
