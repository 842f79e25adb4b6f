"""What the PDP decided: the line other tools parse, and beside it a record with what decided.

COMPAT: the line names the outermost policy, whose version a PAP never changes. The record has the rule.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java (line)
"""

import logging

from argus_py.model.request import Request
from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.observe.record import between_bars, record
from argus_py.pdp.exchange import Exchange
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import CompiledPolicy
from argus_py.xacml.policy import PolicySet

_line = logging.getLogger(AUDIT)
_record = logging.getLogger(RECORDS)


class PdpAuditJournal:
    """Writes every exchange to the audit log and to the records."""

    def __init__(self, policy: Snapshot[CompiledPolicy]) -> None:
        self._policy = policy

    def record(self, exchange: Exchange) -> None:
        policy = self._policy.current.value.root if self._policy.ready else None
        _line.info("%s", audit_line(exchange, policy))
        _record.info("%s", audit_record(exchange))


def audit_line(exchange: Exchange, policy: PolicySet | None) -> str:
    """``issuer|query id|policy id|policy version|decision|response id|``, the word ``null`` for what is missing."""
    trail, decision = exchange.response.trail, exchange.response.results[0].decision.value
    policy_id, version = (policy.id, policy.version) if policy else (None, None)
    return between_bars(exchange.issuer, trail.request_id, policy_id, version, decision, trail.response_id)


def audit_record(exchange: Exchange) -> str:
    """``issuer`` is how the PEP server calls itself, unproven; its records have the same ``request_id``."""
    response = exchange.response
    decision = response.results[0].decision.value
    trail = response.trail
    return record(
        exchange,
        exchange.request or Request(),
        trail,
        issuer=exchange.issuer,
        decision=decision,
        request_id=trail.request_id,
    )
