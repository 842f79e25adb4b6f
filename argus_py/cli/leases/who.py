"""``argus leases who``: who ran as that account at that minute, sent by which pilot from which host, and by which rule.

The records of the PEP daemon tell all but the rule where the PDP is a daemon of its own: then the PDP's records have
it, under the id that the PEP daemon gave its question. Which file is whose need not be said.
"""

from collections.abc import Sequence
from typing import Any, Final

from argus_py.cli.leases.command import Call, Exit
from argus_py.cli.leases.history import Holders, Records
from argus_py.cli.leases.names import shown_time, slash_form
from argus_py.model.response import Decision
from argus_py.observe.records import MappingRecord, Ruling, read_rulings

_PERMIT: Final = Decision.PERMIT.value


def who(call: Call) -> Exit:
    """Raises Unavailable: the records cannot be read."""
    records = Records(call)
    holders = Holders(call.arguments.at)
    for record in records:
        if record.account == call.arguments.account and record.decision in (None, _PERMIT):
            holders.add(record)
    found = holders.found()
    rulings = _rulings(call, found)
    if call.wants_json:
        call.say_json({"holders": [_as_json(record, ruling) for record, ruling in zip(found, rulings, strict=True)]})
    else:
        for record, ruling in zip(found, rulings, strict=True):
            _tell(call, record, ruling)
    if not found:
        call.warn(f"these records have nobody who was given {call.arguments.account} by then")
    elif not all(ruling.decided_by for ruling in rulings):
        call.warn("the rule is told by the records of the PDP alone: add its audit.jsonl to --records")
    return Exit.FINE if found and not records.damaged else Exit.PROBLEMS


def _rulings(call: Call, found: Sequence[MappingRecord]) -> list[Ruling]:
    sought = {record.query_id for record in found if record.query_id is not None and not record.ruling.decided_by}
    told = read_rulings(call.arguments.records, sought) if sought else {}
    return [told.get(record.query_id or "", record.ruling) for record in found]


def _tell(call: Call, record: MappingRecord, ruling: Ruling) -> None:
    call.say(f"{record.account}, given at {shown_time(record.time)}")
    for name, value in (
        ("user", slash_form(record.subject or "")),
        ("VO", record.vo),
        ("FQANs", ",".join(record.fqans)),
        ("pilot", slash_form(record.client or "")),
        ("host", record.address),
        ("decision", record.decision),
        ("rule", ruling.reason),
        ("policies", " > ".join(ruling.decided_by)),
        ("request", record.request_id),
    ):
        call.say(f"  {name:<9} {value or '-'}")


def _as_json(record: MappingRecord, ruling: Ruling) -> dict[str, Any]:
    return {
        "account": record.account,
        "given": shown_time(record.time),
        "lease": record.lease,
        "subject": record.subject,
        "vo": record.vo,
        "fqans": record.fqans,
        "client": record.client,
        "address": record.address,
        "decision": record.decision,
        "rule": ruling.reason,
        "decided_by": ruling.decided_by,
        "request_id": record.request_id,
    }
