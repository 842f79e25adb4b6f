"""What the daemon's records add to the leases: first use, exact names, FQANs; and who had an account at some time.

Both are gathered while the records pass by, in any order: memory is for the leases and accounts, not for the records.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from argus_py.cli.leases.command import Call
from argus_py.observe.records import DamagedLine, MappingRecord, read_mappings

_MOST: Final = 16  # names shown of one lease: DNs that differ in letter case, FQANs that give the same groups


class Records:
    """The records of the files given; tells of damaged lines, and counts them."""

    def __init__(self, call: Call) -> None:
        self.damaged = 0
        self._call = call

    def __iter__(self) -> Iterator[MappingRecord]:
        for record in read_mappings(self._call.arguments.records):
            if isinstance(record, DamagedLine):
                self.damaged += 1
                self._call.warn(str(record))
            else:
                yield record


@dataclass(frozen=True, slots=True)
class LeaseHistory:
    """``subjects`` (RFC 2253) and ``fqans`` in the order of the records."""

    first_use: datetime
    last_use: datetime
    subjects: tuple[str, ...] = ()
    fqans: tuple[str, ...] = ()

    def with_record(self, record: MappingRecord) -> "LeaseHistory":
        return LeaseHistory(
            min(self.first_use, record.time),
            max(self.last_use, record.time),
            _united(self.subjects, () if record.subject is None else (record.subject,)),
            _united(self.fqans, record.fqans),
        )


class Histories:
    """Of leases, as long as they belonged to the account that they belong to now."""

    def __init__(self, leases: Collection[tuple[str, str]]) -> None:
        """``leases``: those of interest with their accounts."""
        self._leases = leases
        self._found: dict[tuple[str, str], LeaseHistory] = {}

    def add(self, record: MappingRecord) -> None:
        if record.lease is None:
            return
        key = (record.lease, record.account)
        if key in self._leases:
            self._found[key] = self._found.get(key, LeaseHistory(record.time, record.time)).with_record(record)

    def of(self, lease: str, account: str | None) -> LeaseHistory | None:
        return None if account is None else self._found.get((lease, account))


class Holders:
    """Who had each account in a minute: the one who got it last before, and everybody who got it meanwhile."""

    def __init__(self, moment: datetime) -> None:
        """``moment``: any in that minute."""
        self._start = moment.replace(second=0, microsecond=0)
        self._end = self._start + timedelta(minutes=1)
        self._before: dict[str, MappingRecord] = {}
        self._meanwhile: dict[tuple[str, str | None, str | None], MappingRecord] = {}

    def add(self, record: MappingRecord) -> None:
        if record.time < self._start:
            last = self._before.setdefault(record.account, record)
            if last.time < record.time:
                self._before[record.account] = record
        elif record.time < self._end:
            key = (record.account, record.lease, record.subject)
            first = self._meanwhile.setdefault(key, record)
            if record.time < first.time:
                self._meanwhile[key] = record

    def found(self) -> tuple[MappingRecord, ...]:
        """By account, then by time; of each person one record from before and one from meanwhile."""
        records = (*self._before.values(), *self._meanwhile.values())
        return tuple(sorted(records, key=lambda record: (record.account, record.time)))


def _united(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))[:_MOST]
