"""What the PDP decided: the line other tools parse, and beside it a record with what decided.

COMPAT: the line names the outermost policy, whose version a PAP never changes. The record has the rule.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java (line)
"""

import json
import logging
from datetime import UTC, timedelta

from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Request
from argus_py.observe.logs import AUDIT, RECORDS
from argus_py.pdp.exchange import Exchange
from argus_py.pep.attributes import first_value
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import CompiledPolicy
from argus_py.xacml.policy import PolicySet

_TEXT_LIMIT = 1024  # characters of one value; a request may be far larger than a log should grow
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
    """``issuer|query id|policy id|policy version|decision|response id|``, the word ``null`` for what is missing.

    BETTER: bars in what the peer or the policy says are replaced, a field stays a field.
    """
    trail, result = exchange.response.trail, exchange.response.results[0]
    parts = (
        exchange.issuer,
        trail.request_id,
        policy.id if policy else None,
        policy.version if policy else None,
        result.decision.value,
        trail.response_id,
    )
    return "".join(f"{_cut(part or 'null').replace('|', '/')}|" for part in parts)


def audit_record(exchange: Exchange) -> str:
    """One JSON object in ASCII; what is not known is null."""
    request, trail = exchange.request or Request(), exchange.response.trail
    subject = tuple(attribute for subject in request.subjects for attribute in subject.attributes)
    resource = tuple(attribute for resource in request.resources for attribute in resource.attributes)
    action = request.action.attributes if request.action else ()
    fields = {
        "time": exchange.received_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "client": exchange.client and exchange.client.rfc2253(),
        "address": exchange.address,
        "issuer": exchange.issuer,
        "subject": first_value(subject, AttributeId.SUBJECT_ID),
        "resource": first_value(resource, AttributeId.RESOURCE_ID),
        "action": first_value(action, AttributeId.ACTION_ID),
        "decision": exchange.response.results[0].decision.value,
        "decided_by": trail.decided_by,
        "reason": trail.reason,
        "request_id": trail.request_id,
        "response_id": trail.response_id,
        "milliseconds": round(exchange.duration / timedelta(milliseconds=1), 3),
    }
    return json.dumps({name: _cut(value) if isinstance(value, str) else value for name, value in fields.items()})


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}..."
