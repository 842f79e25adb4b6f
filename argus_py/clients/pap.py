"""PAPs as the source of a PDP's policy: XACMLPolicyQuery over SOAP, the first PAP that gives a usable policy.

BETTER: a refusal, an answer without a PolicySet and a policy that cannot be used are failures too, and lead to the next
PAP. The Java PDP takes the first two for "nothing new" and goes no further.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/policy/PolicyAdministrationPointClient.java
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from argus_py.clients.transport import PeerFault, PeerUnreachable, Transport
from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.trail import REQUEST_ID
from argus_py.soap import saml
from argus_py.soap.saml import PolicyQuery, SamlError
from argus_py.xacml import policy_xml
from argus_py.xacml.policy import PolicySet

_log = logging.getLogger(__name__)

MAX_ANSWER = policy_xml.MAX_BYTES


class PapFailed(Unavailable):
    """One PAP gave no usable policy; carries ``url``."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__(text)
        self.url = url


class NoPolicy(Unavailable):
    """None of the PAPs gave a usable policy; carries the failure of each."""

    def __init__(self, failures: Sequence[PapFailed]) -> None:
        super().__init__("; ".join(map(str, failures)))
        self.failures = tuple(failures)


class HttpPolicySource:
    """The PAPs of a site in the order to ask, each by the URL of its ProvisioningService."""

    def __init__(
        self,
        urls: Sequence[str],
        entity_id: str,
        transport: Transport,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = saml.message_id,
    ) -> None:
        """``entity_id``: how this PDP calls itself in queries."""
        self._urls = tuple(urls)
        self._entity_id = entity_id
        self._transport = transport
        self._clock = clock
        self._new_id = new_id

    def fetch(self) -> PolicySet:
        """Raises NoPolicy: every PAP failed."""
        failures: list[PapFailed] = []
        for url in self._urls:
            query = PolicyQuery(self._new_id(), self._entity_id, self._clock())
            logged = REQUEST_ID.set(query.id)
            try:
                policies = self._fetch_from(url, query)
                _log.info("policies received from %s", url)
                return policies
            except PapFailed as failure:
                _log.error("%s", failure)
                failures.append(failure)
            finally:
                REQUEST_ID.reset(logged)
        raise NoPolicy(failures)

    def _fetch_from(self, url: str, query: PolicyQuery) -> PolicySet:
        try:
            body = self._transport.call(url, saml.policy_query_to_element(query), MAX_ANSWER)
            response = saml.policy_response_from_element(body)
            if response.in_response_to != query.id:
                raise SamlError(f"it answers the query {response.in_response_to}, not {query.id}")
            if response.policies is None:
                raise SamlError(f"the SAML status is {response.status}")
        except PeerUnreachable as error:
            raise PapFailed(url, f"Unable to complete request to PAP endpoint: {url}: {error.reason}") from error
        except PeerFault as error:
            # COMPAT: operators look for this spelling.
            text = f"Recieved SOAP Fault {error.fault.code} from PAP endpoint: {url}: {error.fault.text}"
            raise PapFailed(url, text) from error
        except MalformedInput as error:
            raise PapFailed(url, f"Unusable policy from PAP endpoint: {url}: {error}") from error
        return response.policies
