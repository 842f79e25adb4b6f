"""PAPs as the source of policies: XACMLPolicyQuery over SOAP.

A PDP takes the first PAP that gives a usable policy, a PAP copies what another one makes public. Of a large answer only
the rules are read that were not in the answer before.

BETTER: a refusal, an answer without a PolicySet and a policy that cannot be used are failures too, and lead to the next
PAP. The Java PDP takes the first two for "nothing new" and goes no further. A PAP that failed a moment ago is asked
last, so that one which is switched off does not hold up the changes of the others.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/policy/PolicyAdministrationPointClient.java,
argus-pap:src/main/java/org/glite/authz/pap/distribution/PAPClient.java
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from lxml import etree

from argus_py.clients.transport import PeerFault, PeerUnreachable, Transport
from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.trail import REQUEST_ID
from argus_py.pap.federation import UnusableAnswer
from argus_py.soap import saml
from argus_py.soap.saml import PolicyQuery, PolicyResponse, PublicPolicies, SamlError, StatusCode
from argus_py.xacml import policy_xml
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.rule_octets import RuleReader, Shortened

_log = logging.getLogger(__name__)

MAX_ANSWER = policy_xml.MAX_BYTES
_MEMORY = 30.0  # seconds


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
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``entity_id``: how this PDP calls itself in queries."""
        self.used: str | None = None  # the one that gave what was fetched last
        self.digest: str | None = None  # SHA-256 of the octets of that, as they came
        self._urls = tuple(urls)
        self._entity_id = entity_id
        self._transport = transport
        self._clock = clock
        self._new_id = new_id
        self._monotonic = monotonic
        self._failed_at: dict[str, float] = {}  # each access is one atomic operation
        self._rules = RuleReader()

    def fetch(self) -> PolicySet:
        """Raises NoPolicy: every PAP failed."""
        _log.info("Refreshing XACML policy from remote PAPs")  # COMPAT: operators look for it
        failures: list[PapFailed] = []
        for url in sorted(self._urls, key=self._failed_lately):
            query = PolicyQuery(self._new_id(), self._entity_id, self._clock())
            logged = REQUEST_ID.set(query.id)
            try:
                policies = self._fetch_from(url, query)
                _log.info("policies received from %s", url)
                self.used = url
                self.trust_again(url)
                return policies
            except PapFailed as failure:
                _log.error("%s", failure)
                failures.append(failure)
                self._failed_at[url] = self._monotonic()
            finally:
                REQUEST_ID.reset(logged)
        raise NoPolicy(failures)

    def trust_again(self, url: str) -> None:
        """There is a sign of life of it: it has its place in the order back."""
        self._failed_at.pop(url, None)

    def _failed_lately(self, url: str) -> bool:
        failed_at = self._failed_at.get(url)
        return failed_at is not None and self._monotonic() - failed_at < _MEMORY

    def _fetch_from(self, url: str, query: PolicyQuery) -> PolicySet:
        answer = _Answer(self._rules)
        try:
            # INVARIANT: nothing here refers to the answer, so it is gone before its policies are read.
            response = saml.policy_response_from_element(
                self._transport.call(url, saml.policy_query_to_element(query), MAX_ANSWER, shorten=answer.shorten)
            )
            _check(response, query)
            if response.policies is None:
                raise SamlError(f"the SAML status is {response.status}")
            policies = answer.shortened.completed(policy_xml.read_policy_set(response.policies))
        except PeerUnreachable as error:
            raise PapFailed(url, f"Unable to complete request to PAP endpoint: {url}: {error.reason}") from error
        except PeerFault as error:
            # COMPAT: operators look for this spelling.
            text = f"Recieved SOAP Fault {error.fault.code} from PAP endpoint: {url}: {error.fault.text}"
            raise PapFailed(url, text) from error
        except MalformedInput as error:
            raise PapFailed(url, f"Unusable policy from PAP endpoint: {url}: {error}") from error
        self.digest = hashlib.sha256(answer.shortened.whole(response.policies)).hexdigest()
        return policies


class HttpRemotePap:
    """Another PAP, of which a copy is kept here; for one thread at a time."""

    def __init__(
        self,
        url: str,
        entity_id: str,
        transport: Transport,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = saml.message_id,
    ) -> None:
        """``url``: of its ProvisioningService; ``entity_id``: how our PAP calls itself in queries."""
        self._url = url
        self._entity_id = entity_id
        self._transport = transport
        self._clock = clock
        self._new_id = new_id
        self._rules = RuleReader()

    def fetch(self) -> tuple[PolicySet | Policy, ...]:
        """What it makes public, in the order of its answer.

        Raises PapFailed: there is no answer, or it is a refusal; UnusableAnswer: an element of it cannot be read.
        """
        query = PolicyQuery(self._new_id(), self._entity_id, self._clock(), from_pap=True)
        answer = _Answer(self._rules)
        try:
            response = saml.public_policies_from_element(
                self._transport.call(self._url, saml.policy_query_to_element(query), MAX_ANSWER, shorten=answer.shorten)
            )
            _check(response, query)
        except PeerUnreachable as error:
            raise PapFailed(self._url, error.reason) from error
        except PeerFault as error:
            raise PapFailed(self._url, error.fault.text or error.fault.code) from error
        except MalformedInput as error:
            raise PapFailed(self._url, f"no answer of a PAP: {error}") from error
        if response.status.code != StatusCode.SUCCESS:
            raise PapFailed(self._url, f"the SAML status is {response.status}")
        return tuple(answer.shortened.completed(_read(element)) for element in response.elements)


class _Answer:
    """The octets that come; ``shortened`` when they are there."""

    def __init__(self, rules: RuleReader) -> None:
        self.shortened = Shortened(b"")
        self._rules = rules

    def shorten(self, octets: bytes) -> bytes:
        self.shortened = self._rules.shorten(octets)
        return self.shortened.document


def _check(response: PolicyResponse | PublicPolicies, query: PolicyQuery) -> None:
    """Raises SamlError: it is not the answer to the query."""
    if response.in_response_to != query.id:
        raise SamlError(f"it answers the query {response.in_response_to}, not {query.id}")


def _read(element: etree._Element) -> PolicySet | Policy:
    """Raises UnusableAnswer."""
    name = etree.QName(element).localname
    try:
        if name == "Policy":
            return policy_xml.policy_from_element(element)
        return policy_xml.policy_set_from_element(element)
    except MalformedInput as error:
        raise UnusableAnswer(name, element.get(f"{name}Id", "without id"), str(error)) from error
