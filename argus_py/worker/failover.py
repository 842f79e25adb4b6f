"""Several endpoints of Argus, asked in order until one answers, with a time limit for each of them and for all.

Both wires go by this. A Deny or an Indeterminate is an answer and ends the search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.response import Response


class EndpointFailed(Unavailable):
    """This endpoint has not answered; the next one may."""


class NoEndpointAnswers(Unavailable):
    """Carries ``reasons``, one for each endpoint that was tried."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"no answer from Argus: {'; '.join(reasons)}")
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """``connect``: TCP and TLS each; ``exchange``: all of one endpoint; ``total``: all of all endpoints."""

    connect: timedelta = timedelta(seconds=10)
    exchange: timedelta = timedelta(seconds=30)  # the C client's
    total: timedelta = timedelta(seconds=60)  # pilots give up, and their slot is lost, after some minutes


DEADLINES: Final = Deadlines()


def first_answer(
    endpoints: Sequence[str],
    ask: Callable[[str, float], Response],
    deadlines: Deadlines,
    monotonic: Callable[[], float],
) -> Response:
    """``ask`` gets the endpoint and the time when it must have an answer; it raises EndpointFailed or MalformedInput.

    Raises NoEndpointAnswers.
    """
    end = monotonic() + deadlines.total.total_seconds()
    reasons: list[str] = []
    for endpoint in endpoints:
        try:
            return ask(endpoint, min(end, monotonic() + deadlines.exchange.total_seconds()))
        except (EndpointFailed, MalformedInput) as error:
            reasons.append(f"{endpoint}: {error}")
    raise NoEndpointAnswers(reasons)
