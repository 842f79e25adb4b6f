"""Who was allowed what: the line other tools parse, and beside it a record with everything that decided.

The line has no room for subject, resource or account, and tells the decision of the PDP, not always the one sent. The
record has both. Neither holds certificates or tokens.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java (line)
"""

import json
import logging
from datetime import UTC, timedelta

from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.pep.attributes import first_value
from argus_py.pep.exchange import Exchange

_TEXT_LIMIT = 1024  # characters of one value; a request may be far larger than a log should grow
_line = logging.getLogger(AUDIT)
_record = logging.getLogger(RECORDS)


class AuditJournal:
    """Writes every exchange to the audit log and to the records."""

    def record(self, exchange: Exchange) -> None:
        _line.info("%s", audit_line(exchange))
        _record.info("%s", audit_record(exchange))


def audit_line(exchange: Exchange) -> str:
    """``request id|responder|response id|decision|``; without a decision ``Error|`` and the reason.

    BETTER: bars in what the client or the PDP says are replaced: nobody writes a decision of his own into the line.
    """
    trail = exchange.response.trail
    ids = "".join(f"{_field(part or 'null')}|" for part in (trail.request_id, trail.responder, trail.response_id))
    if trail.decision is not None:
        return f"{ids}{trail.decision}|"
    return f"{ids}Error|{_field(trail.reason or '')}"


def audit_record(exchange: Exchange) -> str:
    """One JSON object in ASCII; what is not known is null.

    ``time`` is when the request arrived, ``decision`` what was sent and ``decided`` what the decision point said.
    """
    request, response = exchange.response.request or exchange.request, exchange.response
    trail = response.trail
    subject = tuple(attribute for subject in request.subjects for attribute in subject.attributes)
    resource = tuple(attribute for resource in request.resources for attribute in resource.attributes)
    action = request.action.attributes if request.action else ()
    fields = {
        "time": exchange.received_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "client": exchange.client and exchange.client.rfc2253(),
        "address": exchange.address,
        "subject": first_value(subject, AttributeId.SUBJECT_ID, DataType.X500_NAME)
        or first_value(subject, AttributeId.SUBJECT_ID),
        "vo": first_value(subject, Glite.VIRTUAL_ORGANIZATION) or first_value(subject, DciSec.VIRTUAL_ORGANIZATION),
        "fqan": first_value(subject, Glite.PRIMARY_FQAN),
        "resource": first_value(resource, AttributeId.RESOURCE_ID),
        "action": first_value(action, AttributeId.ACTION_ID),
        "decision": response.results[0].decision.value,
        "decided": trail.decision,
        "decided_by": trail.decided_by,
        "reason": trail.reason,
        "account": trail.account,
        "lease": trail.lease,
        "responder": trail.responder,
        "request_id": trail.request_id,
        "response_id": trail.response_id,
        "milliseconds": round(exchange.duration / timedelta(milliseconds=1), 3),
    }
    return json.dumps({name: _cut(value) if isinstance(value, str) else value for name, value in fields.items()})


def _field(text: str) -> str:
    return text.replace("|", "/")


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}..."
