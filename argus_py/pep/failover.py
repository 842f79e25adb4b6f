"""Several PDPs as one: asked in order until one gives a decision, whatever the decision is.

BETTER: one that failed a moment ago is asked last, and tried again by one request at a time, so a dead first PDP does
not cost every request its timeout; and no further PDP is asked once the client has given up.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from argus_py.errors import Unavailable
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.model.trail import Trail
from argus_py.pep.ports import Call, DecisionPoint, NoDecision

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a PDP is: ``failed`` so long ago for this reason, both None if it answered when it was asked last."""

    url: str
    failed: timedelta | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Failure:
    at: float
    reason: str


class Failover:
    """A decision point around others; safe to call from many threads if they are."""

    def __init__(
        self,
        points: Mapping[str, DecisionPoint],
        monotonic: Callable[[], float],
        memory: timedelta = timedelta(seconds=30),
    ) -> None:
        """``points`` by URL, in the order to ask; ``memory``: how long a failure is remembered."""
        self._points = dict(points)
        self._monotonic = monotonic
        self._memory = memory.total_seconds()
        self._failures: dict[str, _Failure] = {}  # each access is one atomic operation

    def decide(self, request: Request, call: Call) -> Response:
        """Raises NoDecision: none gave one; its trail is that of the last one asked."""
        trail = Trail()
        for url in self._order(self._monotonic()):
            now = self._monotonic()
            if now >= call.deadline:
                break
            before = self._failures.get(url)
            if before is not None:
                self._failures[url] = _Failure(now, before.reason)  # the others need not wait for what comes of this
            try:
                response = self._points[url].decide(request, call)
            except Unavailable as error:
                _log.error("%s", error)
                self._failures[url] = _Failure(self._monotonic(), str(error))
                trail = error.trail if isinstance(error, NoDecision) else Trail(reason=str(error))
                continue
            if self._failures.pop(url, None) is not None:
                _log.info("PDP %s answers again", url)
            return response
        raise NoDecision(f"No response received from PDP: [{', '.join(self._points)}]", trail)

    def endpoints(self) -> list[Endpoint]:
        """All of them in the order configured."""
        now = self._monotonic()
        return [self._endpoint(url, now) for url in self._points]

    def _endpoint(self, url: str, now: float) -> Endpoint:
        failure = self._failures.get(url)
        return Endpoint(url, timedelta(seconds=now - failure.at), failure.reason) if failure else Endpoint(url)

    def _order(self, now: float) -> list[str]:
        """The configured order, those that failed lately at the end."""
        return sorted(self._points, key=lambda url: self._failed_lately(url, now))

    def _failed_lately(self, url: str, now: float) -> bool:
        failure = self._failures.get(url)
        return failure is not None and now - failure.at < self._memory
