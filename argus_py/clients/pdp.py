"""A remote PDP as a decision point: XACMLAuthzDecisionQuery over SOAP.

The answer has to belong to the query and to hold exactly one decision statement. The echoed request in it is not read:
what was decided upon is what was sent.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java, XACMLConverter.java
"""

from collections.abc import Callable
from datetime import datetime

from argus_py.clients.transport import PeerFault, PeerUnreachable, Transport
from argus_py.errors import MalformedInput
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.model.trail import Trail
from argus_py.pep.ports import Call, NoDecision
from argus_py.soap import saml
from argus_py.soap.saml import AuthzDecisionQuery, AuthzDecisionResponse, SamlError
from argus_py.xacml import context_xml

MAX_ANSWER = 2 << 20  # the echoed request, at most 1 MiB, and the decision


class PdpFailed(NoDecision):
    """One PDP gave no usable answer; another one may. The trail's reason is what the Java audit log says."""


class HttpPdp:
    """One PDP, by the URL of its ``/authz``."""

    def __init__(
        self,
        url: str,
        entity_id: str,
        transport: Transport,
        clock: Callable[[], datetime],
    ) -> None:
        """``entity_id``: how this PEP server calls itself in queries."""
        self._url = url
        self._entity_id = entity_id
        self._transport = transport
        self._clock = clock

    def decide(self, request: Request, call: Call) -> Response:
        """COMPAT: the query has the same id, that of the call, for whatever PDP.

        Raises PdpFailed: no usable answer; NotXmlText: the request holds a character that no PDP can be told."""
        context = context_xml.write_request(request)
        query = AuthzDecisionQuery(call.id, self._entity_id, self._clock(), context)
        answer = self._ask(query, call.deadline)
        trail = Trail(
            decision=answer.results[0].decision.value,
            request_id=query.id,
            responder=self._url,
            response_id=answer.id,
        )
        return Response(answer.results, request, trail)

    def _ask(self, query: AuthzDecisionQuery, deadline: float) -> AuthzDecisionResponse:
        message = saml.authz_decision_query_to_element(query)
        try:
            body = self._transport.call(self._url, message, MAX_ANSWER, deadline)
            response = saml.authz_decision_response_from_element(body)
            if response.in_response_to != query.id:
                raise SamlError(f"it answers the query {response.in_response_to}, not {query.id}")
        except PeerUnreachable as error:
            raise self._failed(query, f"Error sending request to PDP: {self._url}", error.reason) from error
        except PeerFault as error:
            # COMPAT: misspelled in the audit logs of all sites.
            text = f"Recieved SOAP Fault {error.fault.code} from PDP: {self._url}"
            raise self._failed(query, text, error.fault.text) from error
        except MalformedInput as error:
            raise self._failed(query, f"Invalid response from PDP: {self._url}", str(error)) from error
        return response

    def _failed(self, query: AuthzDecisionQuery, text: str, cause: str) -> PdpFailed:
        return PdpFailed(f"{text}: {cause}", Trail(reason=text, request_id=query.id))
