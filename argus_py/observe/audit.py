"""Who was allowed what: the line other tools parse, and beside it a record with everything that decided.

The line has no room for subject, resource or account; the record has. Neither holds certificates or tokens.

BETTER: a decision stands in the line if it was sent. Java tells that of the PDP, so who was permitted but not mapped
seems to have been let in. Whatever ends in an error here has the form that Java knows for it: ``Error`` and the reason.

COMPAT: ids are those of messages to and from a PDP, so there are none where no PDP was asked. The record always has the
id of the request, by which the logs of all daemons tell it.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java (line)
"""

import logging
from typing import Final

from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.observe.record import bar_free, between_bars, record
from argus_py.pep.exchange import Exchange

_line = logging.getLogger(AUDIT)
_record = logging.getLogger(RECORDS)

CACHE: Final = "PEPD cache"
"""The responder of a decision that was given before."""


class AuditJournal:
    """Writes every exchange to the audit log and to the records."""

    def record(self, exchange: Exchange) -> None:
        _line.info("%s", audit_line(exchange))
        _record.info("%s", audit_record(exchange))


def audit_line(exchange: Exchange) -> str:
    """``request id|responder|response id|decision|``; without a decision ``Error|`` and the reason."""
    trail = exchange.response.trail
    asked = (None, CACHE, None) if trail.cached else (trail.request_id, trail.responder, trail.response_id)
    sent = _sent(exchange)
    if sent == trail.decision:
        return between_bars(*asked, sent)
    return f"{between_bars(*asked)}Error|{bar_free(trail.reason or '')}"


def audit_record(exchange: Exchange) -> str:
    """``decision`` is what was sent, ``decided`` what the decision point said.

    ``query_id``, ``responder`` and ``response_id`` are of the exchange with the PDP, an earlier one if ``cached``.
    """
    trail = exchange.response.trail
    return record(
        exchange,
        exchange.response.request or exchange.request,
        trail,
        decision=_sent(exchange),
        decided=trail.decision,
        account=trail.account,
        uid=trail.uid,
        gid=trail.gid,
        lease=trail.lease,
        request_id=exchange.id,
        cached=trail.cached,
        query_id=trail.request_id,
        responder=trail.responder,
    )


def _sent(exchange: Exchange) -> str:
    return exchange.response.results[0].decision.value
