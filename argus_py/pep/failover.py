"""Several PDPs as one: asked in order until one gives a decision, whatever the decision is.

BETTER: one that failed a moment ago is asked last, and tried again by one request at a time, so a dead first PDP does
not cost every request its timeout; and no further PDP is asked once the client has waited long enough.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from argus_py.errors import Unavailable
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.model.trail import Trail
from argus_py.pep.ports import DecisionPoint, NoDecision

_log = logging.getLogger(__name__)


class Failover:
    """A decision point around others; safe to call from many threads if they are."""

    def __init__(
        self,
        points: Mapping[str, DecisionPoint],
        monotonic: Callable[[], float],
        deadline: timedelta = timedelta(seconds=60),
        memory: timedelta = timedelta(seconds=30),
    ) -> None:
        """``points`` by URL, in the order to ask; ``memory``: how long a failure is remembered.

        After ``deadline`` no further point is asked; the one being asked has limits of its own.
        """
        self._points = dict(points)
        self._monotonic = monotonic
        self._deadline = deadline.total_seconds()
        self._memory = memory.total_seconds()
        self._failed_at: dict[str, float] = {}  # each access is one atomic operation

    def decide(self, request: Request) -> Response:
        """Raises NoDecision: none gave one; its trail is that of the last one asked."""
        started = self._monotonic()
        trail = Trail()
        for url in self._order(started):
            if self._monotonic() - started >= self._deadline:
                break
            if url in self._failed_at:
                self._failed_at[url] = self._monotonic()  # the others need not wait for what comes of this attempt
            try:
                response = self._points[url].decide(request)
            except Unavailable as error:
                _log.error("%s", error)
                self._failed_at[url] = self._monotonic()
                trail = error.trail if isinstance(error, NoDecision) else Trail(reason=str(error))
                continue
            if self._failed_at.pop(url, None) is not None:
                _log.info("PDP %s answers again", url)
            return response
        raise NoDecision(f"No response received from PDP: [{', '.join(self._points)}]", trail)

    def _order(self, now: float) -> list[str]:
        """The configured order, those that failed lately at the end."""
        return sorted(self._points, key=lambda url: self._failed_lately(url, now))

    def _failed_lately(self, url: str, now: float) -> bool:
        failed_at = self._failed_at.get(url)
        return failed_at is not None and now - failed_at < self._memory
