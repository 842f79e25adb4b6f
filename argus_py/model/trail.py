"""How an answer came about: what the audit line and the explanation are written from."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("argus_py.request_id", default=None)
"""The id of the request that is worked on: for the lines that logs get meanwhile, and for nothing else."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Travels with a response inside the daemons; never goes to a client.

    ``decided_by`` are the ids of PolicySets, Policy and Rule on the path to the decision, outermost first; empty when
    no rule decided. ``reason`` explains the decision: the deciding rule in the words of the policy language, or why
    there is none. ``decision`` is the word of the decision point, which is not always the one sent: a Permit that
    cannot be mapped goes out as Indeterminate. ``request_id``, ``responder`` and ``response_id`` tell who was asked,
    with which query, and by which message it answered; ``cached``: for an earlier request. ``account`` and ``lease``
    are set by the account mapping: the local account, and the name of its lease file if it came from a pool; ``uid``
    and ``gid`` are the numbers of the account and its primary group where this machine knows them.
    """

    decided_by: tuple[str, ...] = ()
    reason: str | None = None
    decision: str | None = None
    request_id: str | None = None
    responder: str | None = None
    response_id: str | None = None
    cached: bool = False
    account: str | None = None
    lease: str | None = None
    uid: int | None = None
    gid: int | None = None
