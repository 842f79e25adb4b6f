"""The whole state of the store at one revision, read from its tables: from nothing, or from another revision of it.

From one revision to another, forward or back, only the rows are read that were written or closed between them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, or_, select

from argus_py.store.policy_state import Content, StoredState
from argus_py.store.sql import schema
from argus_py.store.sql.changing import RowChanges, changed_holding, close_all
from argus_py.store.sql.holding import EMPTY, Holding, PapRows, Turnover, with_rows
from argus_py.store.sql.positions import positions
from argus_py.store.sql.rows import (
    acl_of,
    acl_text,
    modified_at_of,
    moment,
    ordering_of,
    ordering_text,
    pap_columns,
    pap_of,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Revision and time (in milliseconds) of a committed change: together they name one state for ever.

    After a backup was restored, a revision may be given again.
    """

    revision: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Edition:
    """``state`` with what the tables know beyond it: positions. ``holdings`` and ``positions`` are by pap id."""

    mark: Mark
    state: StoredState
    positions: Mapping[str, int]
    holdings: Mapping[str, Holding]

    @property
    def revision(self) -> int:
        return self.mark.revision

    @property
    def changed_at(self) -> datetime:
        return moment(self.mark.changed_at)


def load(connection: Connection, mark: Mark, base: Edition | None) -> Edition:
    """The state of a committed revision. Raises UnreadablePolicy, UnreadableRow."""
    paps = connection.execute(
        select(schema.paps).where(_true_at(schema.paps, mark.revision)).order_by(schema.paps.c.position)
    ).all()
    between = _rows_between(connection, base.revision, mark.revision) if base else {}
    holdings: dict[str, Holding] = {}
    for pap in paps:
        known = base.holdings.get(pap.id) if base else None
        if known is None:
            holdings[pap.id] = with_rows(EMPTY, pap.id, _rows_of_pap(connection, pap.id, mark.revision))
        else:
            holdings[pap.id] = with_rows(known, pap.id, between[pap.id]) if pap.id in between else known
    state = StoredState(
        paps=tuple(map(pap_of, paps)),
        contents={pap.id: _content(holdings[pap.id], modified_at_of(pap)) for pap in paps},
        ordering=ordering_of(_only_text(connection, schema.ordering, "aliases", mark.revision)),
        acl=acl_of(_only_text(connection, schema.acl, "entries", mark.revision)),
        settings=_settings(connection, mark.revision),
    )
    return Edition(mark, state, {pap.id: pap.position for pap in paps}, holdings)


def write(connection: Connection, before: Edition, mark: Mark, after: StoredState) -> Edition:
    """What is to be committed as the revision after that of ``before``.

    Raises MalformedInput: something cannot be written as XACML, or not be read again.
    """
    changes = RowChanges(mark.revision)
    holdings: dict[str, Holding] = {}
    for pap in after.paps:
        held, content = before.holdings.get(pap.id, EMPTY), after.content(pap)
        if content.resources is not held.resources or content.loose is not held.loose:
            held = changed_holding(held, pap.id, content.resources, content.loose, changes)
        holdings[pap.id] = held
    for id in before.holdings.keys() - holdings.keys():
        close_all(id, changes)
    places = _write_paps(before, after, changes)
    _write_texts(before.state, after, changes)
    changes.execute(connection)
    contents = {pap.id: _content(holdings[pap.id], after.content(pap).modified_at) for pap in after.paps}
    state = StoredState(after.paps, contents, after.ordering, after.acl, after.settings)
    return Edition(mark, state, places, holdings)


def _write_paps(before: Edition, after: StoredState, changes: RowChanges) -> Mapping[str, int]:
    old = {
        pap.id: {"position": before.positions[pap.id], **pap_columns(pap, before.state.content(pap).modified_at)}
        for pap in before.state.paps
    }
    places = positions([before.positions.get(pap.id) for pap in after.paps])
    new = {
        pap.id: {"position": position, **pap_columns(pap, after.content(pap).modified_at)}
        for pap, position in zip(after.paps, places, strict=True)
    }
    for id, columns in old.items():
        if new.get(id) != columns:
            changes.close(schema.paps, id=id)
    for id, columns in new.items():
        if old.get(id) != columns:
            changes.write(schema.paps, id=id, **columns)
    return {pap.id: position for pap, position in zip(after.paps, places, strict=True)}


def _write_texts(before: StoredState, after: StoredState, changes: RowChanges) -> None:
    old, new = _texts(before), _texts(after)
    for key in (*old, *(key for key in new if key not in old)):
        if old.get(key) == new.get(key):
            continue
        table, column, name = key
        named = {} if name is None else {"key": name}
        if key in old:
            changes.close(table, **named)
        if key in new:
            changes.write(table, **named, **{column: new[key]})


def _texts(state: StoredState) -> dict[tuple[Table, str, str | None], str]:
    """All that is one text each: by table, column, and the key if the table has one."""
    found: dict[tuple[Table, str, str | None], str] = {
        (schema.settings, "value", key): text for key, text in state.settings.items()
    }
    if state.ordering:
        found[schema.ordering, "aliases", None] = ordering_text(state.ordering)
    if state.acl is not None:
        found[schema.acl, "entries", None] = acl_text(state.acl)
    return found


def _content(holding: Holding, modified_at: datetime | None) -> Content:
    return Content(holding.resources, holding.loose, modified_at)


def _true_at(table: Table, revision: int) -> ColumnElement[bool]:
    return and_(table.c.since <= revision, or_(table.c.until.is_(None), table.c.until > revision))


def _is_true(row: Row[Any], revision: int) -> bool:
    return row.since <= revision and (row.until is None or row.until > revision)


def _rows_of_pap(connection: Connection, pap_id: str, revision: int) -> PapRows:
    def true(table: Table) -> Turnover:
        rows = connection.execute(select(table).where(table.c.pap_id == pap_id, _true_at(table, revision)))
        return Turnover(new=list(rows))

    return PapRows(true(schema.policy_sets), true(schema.policies), true(schema.rules))


def _rows_between(connection: Connection, base: int, wanted: int) -> dict[str, PapRows]:
    """What is true at one revision and not at the other, by pap."""
    found: dict[str, PapRows] = {}
    for row in _touched(connection, schema.policy_sets, base, wanted):
        _sort(row, found.setdefault(row.pap_id, PapRows()).policy_sets, base, wanted)
    for row in _touched(connection, schema.policies, base, wanted):
        _sort(row, found.setdefault(row.pap_id, PapRows()).policies, base, wanted)
    for row in _touched(connection, schema.rules, base, wanted):
        _sort(row, found.setdefault(row.pap_id, PapRows()).rules, base, wanted)
    return found


def _touched(connection: Connection, table: Table, base: int, wanted: int) -> Iterator[Row[Any]]:
    first, last = min(base, wanted) + 1, max(base, wanted)
    touched = or_(table.c.since.between(first, last), table.c.until.between(first, last))
    return iter(connection.execute(select(table).where(touched)))


def _sort(row: Row[Any], turnover: Turnover, base: int, wanted: int) -> None:
    was, will = _is_true(row, base), _is_true(row, wanted)
    if was and not will:
        turnover.gone.append(row)
    elif will and not was:
        turnover.new.append(row)


def _only_text(connection: Connection, table: Table, column: str, revision: int) -> str | None:
    text: str | None = connection.execute(select(table.c[column]).where(_true_at(table, revision))).scalar_one_or_none()
    return text


def _settings(connection: Connection, revision: int) -> dict[str, str]:
    rows = connection.execute(select(schema.settings).where(_true_at(schema.settings, revision)))
    return {row.key: row.value for row in rows}
