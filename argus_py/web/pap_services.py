"""The PAP's management services below /pap/services, as pap-admin and scripts of sites call them.

Which operation is meant says the name of the first element in the body, whatever its namespace, the header SOAPAction
and the content type. Who asks is known from the connection alone. Large messages are read from those who may change
policies; all others have nothing long to say.

Source: argus-pap:src/main/webapp/WEB-INF/server-config.wsdd
"""

import html
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from argus_py.errors import ArgusError, MalformedInput
from argus_py.pap.authorization import Act, Admin, Gate
from argus_py.pap.request import Asked
from argus_py.pap.use_cases import UseCases
from argus_py.soap import rpc
from argus_py.soap.fault import Fault
from argus_py.soap.pap_operations import SERVICES, Service
from argus_py.soap.rpc import SoapVersion
from argus_py.soap.wsdl import provisioning_wsdl, wsdl
from argus_py.web.pap_faults import exception_of
from argus_py.web.pap_management import Management
from argus_py.web.workers import Load, Workers

_log = logging.getLogger(__name__)

SMALL_REQUEST: Final = 1 << 20  # octets; what does not carry policies is far below
_PROVISIONING: Final = "ProvisioningService"
_XML: Final = "text/xml;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Callers:
    """``admin_of`` says who is on the other side of a connection, ``gate`` what he may."""

    admin_of: Callable[[Scope], Admin]
    gate: Gate


def management_routes(use_cases: UseCases, callers: Callers, host: str, load: Load) -> list[Route]:
    """``host`` is named in faults."""
    management = Management(use_cases)
    workers = Workers(load, rpc.MAX_REQUEST)
    return [
        Route("/", _list, methods=["GET"]),
        *(_route(_ManagementService(service, management, callers, host), workers) for service in SERVICES),
        Route("/{name}", _unknown(host), methods=["GET", "POST"]),
    ]


def greeting(name: str, description: Callable[[str], bytes]) -> Callable[[Request], Response]:
    """What a service answers to GET: ``description`` makes its WSDL for an URL."""

    def greet(request: Request) -> Response:
        if "wsdl" in request.query_params:
            return Response(description(str(request.url.replace(query=""))), media_type=_XML)
        return HTMLResponse(f"<h1>{name}</h1>\n<p>Hi there, this is an AXIS service!</p>")  # COMPAT: as Axis does

    return greet


provisioning_greeting: Final = greeting(_PROVISIONING, provisioning_wsdl)


class _ManagementService:
    """Messages in, messages out."""

    def __init__(self, service: Service, management: Management, callers: Callers, host: str) -> None:
        self.service = service
        self._management = management
        self._callers = callers
        self._host = host

    def admit(self, scope: Scope) -> tuple[Admin, int]:
        """Who asks, and the octets that his message may have. Raises ArgusError: nobody is known there."""
        admin = self._callers.admin_of(scope)
        return admin, rpc.MAX_REQUEST if self._callers.gate.permits(admin, Act.ADD_POLICIES) else SMALL_REQUEST

    def answer(self, body: bytes, admin: Admin) -> Response:
        version = SoapVersion.SOAP11
        try:
            message = rpc.read_message(body, rpc.MAX_REQUEST)
            version = message.version
            call = rpc.read_call(self.service, message)
        except MalformedInput as error:
            _log.warning("%s: %s", self.service.name, error)
            return self.refuse(rpc.fault_for(error), version)
        name = call.operation.name
        try:
            value = self._management.operations[name](Asked(admin), *call.arguments)
            answer = rpc.write_answer(call, value)
        except ArgusError as error:
            _log.warning("%s refused: %s", name, error)
            return self.refuse(exception_of(error, name).fault(), version)
        return Response(answer, media_type=version.content_type)

    def refuse(self, reason: Fault, version: SoapVersion = SoapVersion.SOAP11) -> Response:
        return _fault(replace(reason, host=self._host), version)


def _route(service: _ManagementService, workers: Workers) -> Route:
    name = service.service.name
    greet = greeting(name, lambda url: wsdl(service.service, url))

    async def serve(request: Request) -> Response:
        if request.method != "POST":
            return greet(request)
        if not _says_action(request):
            return service.refuse(rpc.NO_SOAP_ACTION)
        try:
            admin, limit = await anyio.to_thread.run_sync(service.admit, request.scope)
        except ArgusError as error:
            return service.refuse(exception_of(error, name).fault())

        def too_large(limit: int) -> Response:
            return service.refuse(Fault("Client", f"the message is longer than {limit} octets"))

        def busy() -> Response:
            return service.refuse(Fault("Server", "the service is busy, try again later"))

        return await workers.serve(request, lambda body: service.answer(body, admin), too_large, busy, max_body=limit)

    return Route(f"/{name}", serve, methods=["GET", "POST"])


def _says_action(request: Request) -> bool:
    """SOAP 1.2 has it in the content type, or not at all."""
    return "soapaction" in request.headers or request.headers.get("content-type", "").startswith("application/soap+xml")


def _list(_request: Request) -> Response:
    """COMPAT: what people see who look whether the services are there."""
    items = [
        f"<li>{service.name}<ul>{''.join(f'<li>{each.name}</li>' for each in service.operations)}</ul></li>"
        for service in SERVICES
    ]
    items.append(f"<li>{_PROVISIONING}<ul><li>XACMLPolicyQuery</li></ul></li>")
    return HTMLResponse(f"<h2>And now... Some Services</h2>\n<ul>{''.join(items)}</ul>\n")


def _unknown(host: str) -> Callable[[Request], Response]:
    def refuse(request: Request) -> Response:
        name = request.path_params["name"]
        if request.method != "POST":
            return HTMLResponse(f"<h2>There is no service {html.escape(name)}</h2>\n", 404)
        return _fault(replace(rpc.no_such_service(name), host=host), SoapVersion.SOAP11)

    return refuse


def _fault(reason: Fault, version: SoapVersion) -> Response:
    return Response(rpc.write_fault(reason, version), 500, media_type=version.content_type)
