"""Chooses the obligation handlers that a decision calls for and runs them.

An obligation nobody handles goes to the client as it is; what a handler adds triggers no other handler.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/obligation/ObligationService.java
"""

from collections.abc import Iterable

from argus_py.errors import ConfigurationError
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.pep.ports import ObligationHandler


class ObligationService:
    """The handlers by obligation id, and in the order of their ids, which is the order they run in."""

    def __init__(self, handlers: Iterable[ObligationHandler]) -> None:
        """Raises ConfigurationError: two handlers for one obligation; Java drops the second without a word."""
        self._handlers: dict[str, ObligationHandler] = {}
        # COMPAT: Java sorts by a precedence that no configuration can set, then by id.
        for handler in sorted(handlers, key=lambda handler: handler.obligation_id):
            if handler.obligation_id in self._handlers:
                raise ConfigurationError(f"more than one handler for the obligation {handler.obligation_id}")
            self._handlers[handler.obligation_id] = handler

    def fulfil(self, request: Request, response: Response) -> Response:
        """Looks at the first result and its obligations for the decision taken. Raises what the handlers raise."""
        result = response.results[0]
        called_for = {o.id for o in result.obligations if o.fulfill_on.decision is result.decision}
        for obligation_id, handler in self._handlers.items():
            if obligation_id in called_for:
                response = handler.fulfil(request, response)
        return response
