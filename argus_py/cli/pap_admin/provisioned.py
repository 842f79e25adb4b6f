"""test-client: what the PAP hands out to PDPs and to other PAPs; a way to look for what is wrong there.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/samlclient/
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
from lxml import etree

from argus_py.cli.pap_admin.service import PapLost, Refused
from argus_py.clients.transport import PeerFault, PeerUnreachable, Timeouts, Transport
from argus_py.errors import MalformedInput
from argus_py.soap import saml
from argus_py.soap.saml import PolicyQuery
from argus_py.xacml.policy_xml import MAX_BYTES

_SERVICE: Final = "ProvisioningService"
_ENTITY_ID: Final = "pap-admin"
_PATIENCE: Final = timedelta(seconds=60)


class Provisioning:
    """The provisioning service below ``services_url``, over the connections of ``http``."""

    def __init__(self, services_url: str, http: httpx.BaseTransport) -> None:
        self._url = services_url + _SERVICE
        self._transport = Transport(Timeouts(answer=_PATIENCE), http=http)

    def __call__(self, as_pdp: bool) -> str:
        """The answer as XML. Raises Refused, PapLost."""
        query = PolicyQuery(saml.message_id(), _ENTITY_ID, datetime.now(UTC), from_pap=not as_pdp)
        try:
            answer = self._transport.call(self._url, saml.policy_query_to_element(query), MAX_BYTES)
        except PeerFault as error:
            raise Refused(error.fault.code, error.fault.text or error.fault.code) from error
        except (PeerUnreachable, MalformedInput) as error:
            raise PapLost(str(error)) from error
        etree.indent(answer, "    ")
        return f"{etree.tostring(answer, encoding='unicode', with_tail=False)}\n"
