"""``argus leases list``: who holds which account, and with ``--at`` who held it at that minute.

The directory tells account, groups, last use, and the DN in lower case. Exact DN, FQANs and first use are in the
records of the daemon alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from argus_py.cli.leases.command import Call, Exit
from argus_py.cli.leases.history import Histories, Holders, LeaseHistory, Records
from argus_py.cli.leases.names import shown_time, slash_form
from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.observe.records import MappingRecord
from argus_py.store.lease_files import (
    Contents,
    FileKind,
    LeaseFile,
    LeaseName,
    person_key,
    read_contents,
    read_lease_name,
)


@dataclass(frozen=True, slots=True)
class _Row:
    directory: Path
    file: LeaseFile
    account: str | None
    name: LeaseName
    history: LeaseHistory | None = None


def list_leases(call: Call) -> Exit:
    """Raises Unavailable: a directory or the records cannot be read; ConfigurationError: ``--at`` without records."""
    records = Records(call)
    contents = [read_contents(directory) for directory in call.directories]
    if call.arguments.at is not None:
        _list_holders(call, records, contents)
    else:
        _list_rows(call, records, contents)
    return Exit.PROBLEMS if records.damaged else Exit.FINE


# --- Leases there are


def _list_rows(call: Call, records: Records, contents: Sequence[Contents]) -> None:
    rows = [row for each in contents for row in _rows(each) if _is_wanted(call, row.account, row.name.dn)]
    histories = Histories({(row.file.name, row.account) for row in rows if row.account is not None})
    for record in records:
        histories.add(record)
    told = [replace(row, history=histories.of(row.file.name, row.account)) for row in rows]
    told.sort(key=lambda row: (str(row.directory), row.account or "", row.file.name))
    if call.wants_json:
        call.say_json({"leases": list(map(_row_as_json, told))})
    elif call.arguments.records:
        call.say_table(("ACCOUNT", "LAST-USE", "FIRST-USE", "GROUPS", "FQANS", "DN"), map(_row_with_history, told))
    else:
        call.say_table(("ACCOUNT", "LAST-USE", "GROUPS", "DN-IN-LOWER-CASE"), map(_row_as_text, told))


def _rows(contents: Contents) -> Iterator[_Row]:
    for lease in contents.of_kind(FileKind.LEASE):
        yield _Row(contents.directory, lease, contents.account_of(lease), read_lease_name(lease.name))


def _row_as_text(row: _Row) -> tuple[str | None, ...]:
    groups = ":".join(row.name.groups)
    counter = "" if row.name.map_counter is None else f":mapcount={row.name.map_counter}"
    return row.account, shown_time(row.file.last_use), groups + counter, row.name.dn


def _row_with_history(row: _Row) -> tuple[str | None, ...]:
    account, last_use, groups, dn = _row_as_text(row)
    if row.history is None:
        return account, last_use, None, groups, None, f"(in lower case) {dn}"
    dns = " | ".join(map(slash_form, row.history.subjects))
    return account, last_use, shown_time(row.history.first_use), groups, ",".join(row.history.fqans), dns


def _row_as_json(row: _Row) -> dict[str, Any]:
    return {
        "directory": str(row.directory),
        "account": row.account,
        "lease": row.file.name,
        "links": row.file.links,
        "last_use": shown_time(row.file.last_use),
        "first_use": shown_time(row.history.first_use) if row.history else None,
        "groups": row.name.groups,
        "map_counter": row.name.map_counter,
        "fqans": row.history.fqans if row.history else [],
        "subjects": row.history.subjects if row.history else [],
        "dn_in_lower_case": row.name.dn,
    }


def _is_wanted(call: Call, account: str | None, dn: str) -> bool:
    wanted_account: str | None = call.arguments.account
    wanted_subject: DistinguishedName | None = call.arguments.subject
    return wanted_account in (None, account) and (
        wanted_subject is None or person_key(wanted_subject) == person_key(dn)
    )


# --- Leases there were


def _list_holders(call: Call, records: Records, contents: Sequence[Contents]) -> None:
    if not call.arguments.records:
        raise ConfigurationError("--at needs the records of the daemon: --records FILE ...")
    holders = Holders(call.arguments.at)
    for record in records:
        if _is_wanted(call, record.account, slash_form(record.subject or "")):
            holders.add(record)
    leased = {(lease.name, each.account_of(lease)) for each in contents for lease in each.of_kind(FileKind.LEASE)}
    told = [(record, (record.lease, record.account) in leased) for record in holders.found()]
    if call.wants_json:
        call.say_json({"holders": [_holder_as_json(record, is_leased) for record, is_leased in told]})
    else:
        call.say_table(
            ("ACCOUNT", "MAPPED", "LEASED-NOW", "CLIENT", "FQANS", "DN"),
            (_holder_as_text(record, is_leased) for record, is_leased in told),
        )


def _holder_as_text(record: MappingRecord, is_leased: bool) -> tuple[str | None, ...]:
    return (
        record.account,
        shown_time(record.time),
        "" if record.lease is None else "yes" if is_leased else "no",
        record.address or "",
        ",".join(record.fqans),
        slash_form(record.subject or ""),
    )


def _holder_as_json(record: MappingRecord, is_leased: bool) -> dict[str, Any]:
    return {
        "account": record.account,
        "mapped": shown_time(record.time),
        "lease": record.lease,
        "leased_now": is_leased,
        "subject": record.subject,
        "fqans": record.fqans,
        "client": record.client,
        "address": record.address,
    }
