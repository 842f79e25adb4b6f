"""The way of a request through the PEP: information points, decision, obligations.

Whatever goes wrong inside ends as an answer, never as an exception: one Indeterminate result with the status
processing-error and the request as far as it was completed. A Permit that cannot be fulfilled is such a failure too,
and never reaches the client as a Permit. So is one that comes when the client has given up: nobody would use the
account, and its lease would be fresh.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from argus_py.errors import ArgusError, Unavailable
from argus_py.model.request import Request
from argus_py.model.response import Response, indeterminate
from argus_py.model.trail import Trail
from argus_py.pep.attributes import without_empty_values
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.outline import outline_of_request, outline_of_response
from argus_py.pep.ports import Call, DecisionPoint, NoDecision, Pip, RequestCounters

_log = logging.getLogger(__name__)


class TimeIsUp(Unavailable):
    """The client has given up by now; what is not begun yet is left."""


class Enforcer:
    """Authorizes requests; safe to call from many threads, as its parts are."""

    def __init__(
        self,
        pips: Iterable[Pip],
        decisions: DecisionPoint,
        obligations: ObligationService,
        clock: Callable[[], datetime],
        counters: RequestCounters,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._pips = tuple(pips)
        self._decisions = decisions
        self._obligations = obligations
        self._clock = clock
        self._counters = counters
        self._monotonic = monotonic

    def authorize(self, request: Request, call: Call) -> Response:
        """The answer to the client; its ``request`` is the one decided upon, its Trail tells how it came about."""
        self._counters.started()
        try:
            return self._authorize(request, call)
        except Exception:  # noqa: BLE001
            # The one broad catch of the pipeline: an error of ours must not permit, nor show its inside to a client.
            _log.exception("Error processing authorization request: unexpected error")
            return self._failure("internal error", request, Trail(reason="internal error"))

    def _authorize(self, request: Request, call: Call) -> Response:
        now = self._clock()
        for pip in self._pips:
            try:
                request = pip.enrich(request, now)
            except ArgusError as error:
                _log.error("Error processing PIP: %s", error)
                return self._failure(str(error), request, Trail(reason=_reason(error)))
        request = without_empty_values(request)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("request after the information points: %s", outline_of_request(request))
        try:
            self._check_time(call)
            decided = self._decisions.decide(request, call)
        except NoDecision as error:
            _log.error("%s", error)
            return self._failure(str(error), request, error.trail)
        except ArgusError as error:
            _log.error("Error processing authorization request: %s", error)
            return self._failure(str(error), request, Trail(reason=_reason(error)))
        if not decided.results:
            reason = "the decision point gave no result"
            _log.error("Error processing authorization request: %s", reason)
            return self._failure(reason, request, replace(decided.trail, reason=reason))
        trail = replace(decided.trail, decision=decided.results[0].decision.value)
        try:
            self._check_time(call)
            response = self._obligations.fulfil(request, replace(decided, request=request, trail=trail))
        except ArgusError as error:
            _log.error("Error processing obligation handlers: %s", error)
            return self._failure(str(error), request, replace(trail, reason=_reason(error)))
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("response: %s", outline_of_response(response))
        return response

    def _check_time(self, call: Call) -> None:
        if self._monotonic() >= call.deadline:
            raise TimeIsUp("The time for an answer is up")

    def _failure(self, message: str, request: Request, trail: Trail) -> Response:
        self._counters.failed()
        return replace(indeterminate(message, request), trail=trail)


def _reason(error: ArgusError) -> str:
    """Names the class of the error, or of the one it translates: texts are shared by causes, classes are not."""
    return f"{type(error.__cause__ or error).__name__}: {error}"
