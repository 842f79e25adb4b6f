"""One query and its answer as the journal of a PDP sees them, and the counters of its status page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from argus_py.model.dn import DistinguishedName
from argus_py.model.request import Request
from argus_py.model.response import Response


@dataclass(frozen=True, slots=True)
class Exchange:
    """``client`` is the subject proven in the TLS handshake, None without one; ``issuer`` what the PEP calls itself.

    ``request`` is None if it was not read.
    """

    received_at: datetime
    duration: timedelta
    client: DistinguishedName | None
    address: str
    issuer: str | None
    request: Request | None
    response: Response


class Journal(Protocol):
    """Keeps what was asked and answered; faults are not among it."""

    def record(self, exchange: Exchange) -> None: ...


class RequestCounters(Protocol):
    """The two figures of the status page; safe to call from any thread."""

    def started(self) -> None: ...

    def failed(self) -> None:
        """The request ended in a fault or could not be evaluated."""
        ...
