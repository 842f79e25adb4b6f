"""Who was allowed what: the line other tools parse, and beside it a record with everything that decided.

The line has no room for subject, resource or account, and tells the decision of the PDP, not always the one sent. The
record has both. Neither holds certificates or tokens.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java (line)
"""

import logging

from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.observe.record import bar_free, between_bars, record
from argus_py.pep.exchange import Exchange

_line = logging.getLogger(AUDIT)
_record = logging.getLogger(RECORDS)


class AuditJournal:
    """Writes every exchange to the audit log and to the records."""

    def record(self, exchange: Exchange) -> None:
        _line.info("%s", audit_line(exchange))
        _record.info("%s", audit_record(exchange))


def audit_line(exchange: Exchange) -> str:
    """``request id|responder|response id|decision|``; without a decision ``Error|`` and the reason."""
    trail = exchange.response.trail
    ids = between_bars(trail.request_id, trail.responder, trail.response_id)
    if trail.decision is not None:
        return ids + between_bars(trail.decision)
    return f"{ids}Error|{bar_free(trail.reason or '')}"


def audit_record(exchange: Exchange) -> str:
    """``decision`` is what was sent, ``decided`` what the decision point said."""
    response = exchange.response
    return record(
        exchange,
        response.request or exchange.request,
        response.trail,
        decision=response.results[0].decision.value,
        decided=response.trail.decision,
        account=response.trail.account,
        lease=response.trail.lease,
        responder=response.trail.responder,
    )
