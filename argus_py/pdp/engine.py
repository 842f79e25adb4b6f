"""The decision of the PDP: one request, one Result.

BETTER: an Indeterminate has the status code that the standard asks for, and names the attribute that is missing; the
Java PDP sends ok with it. Clients show the code and decide by the decision.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial

from argus_py.errors import Unavailable
from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result, Status, StatusCode, indeterminate
from argus_py.model.trail import Trail
from argus_py.pdp.explain import explain
from argus_py.pdp.explanation import Explanation, explained
from argus_py.pdp.ports import PolicyInForce, PolicyTooOld
from argus_py.snapshot import Version
from argus_py.xacml.index import CompiledPolicy
from argus_py.xacml.outcome import Evaluation, Fault
from argus_py.xacml.request_attributes import TooManyValues, UnknownDataType
from argus_py.xacml.values import trim

NO_POLICY = "No policy has been loaded yet"
# COMPAT: misspelled in the logs of all sites.
_LOGGED_WITHOUT_POLICY = "No policy available by which the incomming request may be evaluated"
_EXPLANATIONS = 1024  # deciding rules whose words are kept per policy; far fewer decide often


class Engine:
    """Decides with the policy in force; safe to be used by many threads."""

    def __init__(self, policy: PolicyInForce, clock: Callable[[], datetime]) -> None:
        """``clock`` is read once per request: for policies that ask for the time."""
        self._policy = policy
        self._clock = clock
        self._explained = _Explained(0, lambda _path: "")

    def decide(self, request: Request) -> Response:
        """Never raises for a request; one that cannot be evaluated is Indeterminate."""
        try:
            policy = self._policy.current
        except Unavailable as error:
            return indeterminate(_without_policy(error), request, f"{_LOGGED_WITHOUT_POLICY}: {error}")
        try:
            evaluation = policy.value.evaluate(request, self._clock())
        except (UnknownDataType, TooManyValues) as error:
            return indeterminate(str(error), request)
        result = result_of(evaluation, request)
        trail = Trail(evaluation.path, self._reason(policy, evaluation), decision=evaluation.decision.value)
        return Response((result,), request, trail)

    def without_policy(self) -> str | None:
        """Why there is nothing to decide by, in words for clients; None: there is."""
        try:
            self._policy.current  # noqa: B018 - whether it raises is the question
        except Unavailable as error:
            return _without_policy(error)
        return None

    def explain(self, request: Request) -> Explanation:
        """The decision that ``decide`` makes, by the slow way that tells why.

        Raises Unavailable: there is no policy; UnknownDataType, TooManyValues: of the request.
        """
        return explained(self._policy.current.value.resolved, request, self._clock())

    def _reason(self, policy: Version[CompiledPolicy], evaluation: Evaluation) -> str | None:
        """The deciding rule in the words of the policy language; what else there is to say where none decided."""
        if evaluation.decision not in (Decision.PERMIT, Decision.DENY):
            return evaluation.reason
        explained = self._explained
        if explained.version != policy.number:
            words = lru_cache(_EXPLANATIONS)(partial(explain, policy.value.resolved))
            explained = self._explained = _Explained(policy.number, words)
        return explained.words(evaluation.path)


@dataclass(frozen=True, slots=True)
class _Explained:
    """``words`` of the rules of one version of the policy."""

    version: int
    words: Callable[[tuple[str, ...]], str]


def _without_policy(error: Unavailable) -> str:
    """Where policies come from is nothing for clients."""
    return str(error) if isinstance(error, PolicyTooOld) else NO_POLICY


def result_of(evaluation: Evaluation, request: Request) -> Result:
    """What clients get to see of an evaluation."""
    return Result(evaluation.decision, _status(evaluation.fault), evaluation.obligations, _resource_id(request))


def _status(fault: Fault | None) -> Status:
    if fault is None:
        return Status()
    return Status(StatusCode(fault.status), missing=(fault.missing,) if fault.missing else ())


def _resource_id(request: Request) -> str | None:
    """COMPAT: of several resources, the first value of the first resource-id."""
    for resource in request.resources:
        for attribute in resource.attributes:
            if attribute.id == AttributeId.RESOURCE_ID and attribute.values:
                return trim(attribute.values[0])
    return None
