"""What the PEP needs from the outside: enrichment, decisions, obligations, leases, names, counters, a journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.model.trail import Trail
from argus_py.pep.exchange import Exchange


class PipError(MalformedInput):
    """A policy information point cannot work with this request; the text goes to the client."""


class NoDecision(Unavailable):
    """No decision point answered; ``trail`` holds what the audit line is to say about the last one asked."""

    def __init__(self, message: str, trail: Trail) -> None:
        super().__init__(message)
        self.trail = trail


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client, beside what it asks.

    ``id`` names it in the logs of all daemons, also as the id of the query to a remote PDP. ``deadline``, in seconds of
    the monotonic clock, is when the client will have given up: nothing is begun for it after that.
    """

    id: str
    deadline: float


class Pip(Protocol):
    """A policy information point: completes a request before it is decided."""

    def enrich(self, request: Request, now: datetime, /) -> Request:
        """The request with what this point knows; the same object when it does not apply.

        Raises PipError: the request cannot be used; CredentialRejected: its certificates or attribute certificates
        are not acceptable. Either ends the request.
        """
        ...


class DecisionPoint(Protocol):
    """Whoever decides: the engine in this process, a remote PDP, or a cache or a failover around others."""

    def decide(self, request: Request, call: Call, /) -> Response:
        """The decision with its obligations and a Trail; a Deny or an Indeterminate is an answer.

        Raises Unavailable (NoDecision if the caller shall know whom was asked): nobody answered.
        """
        ...


class ObligationHandler(Protocol):
    """Fulfils the obligations of one id; runs only when the first result holds one for its decision."""

    @property
    def obligation_id(self) -> str: ...

    def fulfil(self, request: Request, response: Response) -> Response:
        """The response with the obligation replaced by what it came to, and its Trail completed.

        Raises Unmapped: no account; MalformedInput: the request lacks what is needed; Unavailable: storage fails.
        Any of them turns a Permit into an Indeterminate.
        """
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A pool account and the name under which it is leased, one of those that were asked for."""

    account: str
    name: str


class LeaseStore(Protocol):
    """Which pool account belongs to whom; shared with other services that map to the same accounts."""

    def lease(self, name: str, pool: str, other_names: Sequence[str] = ()) -> Lease:
        """An account of ``pool`` (its prefix, without the dot) leased under ``name``: the old one, else a free one.

        ``other_names``: how other services may have named the same lease; the first that exists for the pool is used
        before a new one is made.

        Raises Unmapped: no account is free, or the lease is damaged or belongs to another pool; Unavailable: the
        store cannot be used.
        """
        ...


class NameService(Protocol):
    """The accounts and groups that this machine knows; answers from memory where it can."""

    def uid(self, login: str) -> int | None:
        """The number of an account, None if there is no such account."""
        ...

    def gid(self, group: str) -> int | None:
        """The number of a group, None if there is no such group; a number once known stays."""
        ...


class RequestCounters(Protocol):
    """The two figures of the status page; safe to call from any thread."""

    def started(self) -> None: ...

    def failed(self) -> None:
        """The request ended in an error of this service; a Deny or an Indeterminate of the PDP is none."""
        ...


class Journal(Protocol):
    """Keeps what was asked and answered."""

    def record(self, exchange: Exchange) -> None: ...
