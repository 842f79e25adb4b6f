"""One request and its answer as the journal sees them: the client of the connection included."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from argus_py.model.dn import DistinguishedName
from argus_py.model.request import Request
from argus_py.model.response import Response


@dataclass(frozen=True, slots=True)
class Exchange:
    """``received_at`` is when the head of the request was complete; ``duration`` includes its wait for a worker.

    ``id`` is that of the call, ``client`` the subject proven in the TLS handshake, None without one, and ``address``
    that of the peer.
    """

    id: str
    received_at: datetime
    duration: timedelta
    client: DistinguishedName | None
    address: str
    request: Request
    response: Response
