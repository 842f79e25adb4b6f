"""The decision of the PDP: one request, one Result.

COMPAT: an evaluation that comes out as Indeterminate has the status ok; processing-error says that there was none.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from argus_py.errors import Unavailable
from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result, indeterminate
from argus_py.model.trail import Trail
from argus_py.pdp.explain import explain
from argus_py.snapshot import Snapshot, Version
from argus_py.xacml.index import CompiledPolicy
from argus_py.xacml.matching import UnknownDataType
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.values import trim

NO_POLICY = "No policy has been loaded yet"
_EXPLANATIONS = 1024  # deciding rules whose words are kept per policy; far fewer decide often


class Engine:
    """Decides with the policy in force; safe to be used by many threads."""

    def __init__(self, policy: Snapshot[CompiledPolicy]) -> None:
        self._policy = policy
        self._explained = _Explained(0, lambda _path: "")

    def decide(self, request: Request) -> Response:
        """Never raises for a request; one that cannot be evaluated is Indeterminate."""
        try:
            policy = self._policy.current
        except Unavailable as error:
            return indeterminate(NO_POLICY, request, str(error))
        try:
            evaluation = policy.value.evaluate(request)
        except UnknownDataType as error:
            return indeterminate(str(error), request)
        result = Result(evaluation.decision, obligations=evaluation.obligations, resource_id=_resource_id(request))
        trail = Trail(evaluation.path, self._reason(policy, evaluation), decision=evaluation.decision.value)
        return Response((result,), request, trail)

    def _reason(self, policy: Version[CompiledPolicy], evaluation: Evaluation) -> str | None:
        """The deciding rule in the words of the policy language; what else there is to say where none decided."""
        if evaluation.decision not in (Decision.PERMIT, Decision.DENY):
            return evaluation.reason
        explained = self._explained
        if explained.version != policy.number:
            words = lru_cache(_EXPLANATIONS)(partial(explain, policy.value.root))
            explained = self._explained = _Explained(policy.number, words)
        return explained.words(evaluation.path)


@dataclass(frozen=True, slots=True)
class _Explained:
    """``words`` of the rules of one version of the policy."""

    version: int
    words: Callable[[tuple[str, ...]], str]


def _resource_id(request: Request) -> str | None:
    """COMPAT: of several resources, the first value of the first resource-id."""
    for resource in request.resources:
        for attribute in resource.attributes:
            if attribute.id == AttributeId.RESOURCE_ID and attribute.values:
                return trim(attribute.values[0])
    return None
