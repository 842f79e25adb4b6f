"""What the audit logs of PEP and PDP have in common: the fields of their JSON records, and lines between bars."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Request
from argus_py.model.trail import Trail
from argus_py.pep.attributes import find, first_value

_TEXT_LIMIT = 1024  # characters of one value; a request may be far larger than a log should grow
_FQAN_LIMIT = 100  # of one subject; the most that a VOMS server was seen to give are some thirty


class Exchanged(Protocol):
    """The connection side of an exchange."""

    @property
    def received_at(self) -> datetime: ...

    @property
    def duration(self) -> timedelta: ...

    @property
    def client(self) -> DistinguishedName | None: ...

    @property
    def address(self) -> str: ...


def record(exchange: Exchanged, request: Request, trail: Trail, **fields: str | int | None) -> str:
    """One JSON object in ASCII; what is not known is null. ``time`` is when the request arrived.

    Neither certificates nor tokens are among the attributes of the request that are told.
    """
    told: dict[str, Any] = {
        "time": exchange.received_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "client": exchange.client and exchange.client.rfc2253(),
        "address": exchange.address,
        **_asked(request),
        **fields,
        "reason": trail.reason,
        "response_id": trail.response_id,
    }
    cut = {name: _cut(value) if isinstance(value, str) else value for name, value in told.items()}
    milliseconds = round(exchange.duration / timedelta(milliseconds=1), 3)
    return json.dumps({**cut, "decided_by": trail.decided_by, "milliseconds": milliseconds})


def between_bars(*parts: str | None) -> str:
    """Each part followed by a bar, ``null`` for what is missing."""
    return "".join(f"{bar_free(part or 'null')}|" for part in parts)


def bar_free(text: str) -> str:
    """BETTER: no peer writes a field, or a decision, of its own into a line between bars."""
    return _cut(text).replace("|", "/")


def _asked(request: Request) -> dict[str, Any]:
    """``fqan`` is the primary one, ``fqans`` are all of them; of the subject that policies decide upon."""
    subject = tuple(a for subject in request.subjects if subject.is_access_subject for a in subject.attributes)
    resource = tuple(attribute for resource in request.resources for attribute in resource.attributes)
    action = request.action.attributes if request.action else ()
    fqans = [fqan for attribute in find(subject, Glite.FQAN) for fqan in attribute.values]
    return {
        "subject": first_value(subject, AttributeId.SUBJECT_ID, DataType.X500_NAME)
        or first_value(subject, AttributeId.SUBJECT_ID),
        "vo": first_value(subject, Glite.VIRTUAL_ORGANIZATION) or first_value(subject, DciSec.VIRTUAL_ORGANIZATION),
        "fqan": first_value(subject, Glite.PRIMARY_FQAN),
        "fqans": list(map(_cut, fqans[:_FQAN_LIMIT])),
        "resource": first_value(resource, AttributeId.RESOURCE_ID),
        "action": first_value(action, AttributeId.ACTION_ID),
    }


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}..."
