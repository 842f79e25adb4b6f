"""The policy repository in SQL, the same statements on SQLite and PostgreSQL.

Writers first lock the single row of ``store``, so they take turns; readers see the state of their first statement and
never wait. A process keeps the policies it has parsed, and fetches and parses a row again only when it changed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from argus_py.errors import MalformedInput, Unavailable
from argus_py.pap.paps import Pap, PapExists, PapNotFound, Remote
from argus_py.store.sql import schema
from argus_py.store.sql.errors import StoreUnavailable, database_errors
from argus_py.xacml.policy import Policy, PolicyIdReference, PolicySet
from argus_py.xacml.policy_xml import read_policy, read_policy_set, write_policy, write_policy_set

Element = TypeVar("Element", PolicySet, Policy)
RowKey = tuple[str, int]  # id and revision of a row: together they name one body for ever


class UnreadablePolicy(Unavailable):
    """The stored policy ``id`` of a pap cannot be read by this program; ``reason`` says what it stumbles over."""

    def __init__(self, alias: str, id: str, reason: str) -> None:
        super().__init__(f"policy {id!r} of the pap {alias!r} cannot be read: {reason}")
        self.alias = alias
        self.id = id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What this process has parsed of one pap."""

    policy_sets: dict[RowKey, PolicySet] = field(default_factory=dict)
    policies: dict[RowKey, Policy] = field(default_factory=dict)


class SqlPolicies:
    """A PolicyRepository."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        self._told: list[Callable[[], None]] = []
        self._parsed: dict[str, _Parsed] = {}  # by pap id; entries are replaced, never edited: threads need no lock

    def revision(self) -> int:
        with database_errors(self._engine.url), self._engine.connect() as connection:
            return _revision(connection, select(schema.store.c.revision))

    @contextmanager
    def read(self) -> Iterator["SqlReader"]:
        one_state = {"isolation_level": "REPEATABLE READ"} if self._engine.dialect.name == "postgresql" else {}
        with database_errors(self._engine.url), self._engine.connect().execution_options(**one_state) as connection:
            yield SqlReader(connection, _revision(connection, select(schema.store.c.revision)), self._parsed)

    @contextmanager
    def change(self) -> Iterator["SqlWriter"]:
        with (
            database_errors(self._engine.url),
            self._engine.connect().execution_options(writing=True) as connection,
            connection.begin(),
        ):
            revision = _revision(connection, select(schema.store.c.revision).with_for_update())
            writer = SqlWriter(connection, revision, self._parsed)
            yield writer
            if not writer.changed:
                return
            now = int(self._clock().timestamp() * 1000)
            connection.execute(update(schema.store).values(revision=revision + 1, changed_at=now))
        for tell in self._told:
            tell()

    def on_commit(self, tell: Callable[[], None]) -> None:
        self._told.append(tell)

    def close(self) -> None:
        self._engine.dispose()


class SqlReader:
    """A PolicyReader on an open transaction."""

    def __init__(self, connection: Connection, revision: int, parsed: dict[str, _Parsed]) -> None:
        self.revision = revision
        self._connection = connection
        self._parsed = parsed

    @property
    def changed_at(self) -> datetime:
        milliseconds = self._connection.execute(select(schema.store.c.changed_at)).scalar_one()
        return datetime.fromtimestamp(milliseconds / 1000, UTC)

    def paps(self) -> tuple[Pap, ...]:
        rows = self._connection.execute(select(schema.paps).order_by(schema.paps.c.position))
        return tuple(_pap(row) for row in rows)

    def resources(self, pap: Pap) -> tuple[PolicySet, ...]:
        known = self._parsed.get(pap.id, _Parsed())
        found = _Parsed(
            self._elements(pap, schema.policy_sets, schema.policy_sets.c.position, known.policy_sets, read_policy_set),
            self._elements(pap, schema.policies, schema.policies.c.id, known.policies, read_policy),
        )
        self._parsed[pap.id] = _Parsed(self._committed(found.policy_sets), self._committed(found.policies))
        policies = {id: policy for (id, _), policy in found.policies.items()}
        return tuple(_with_policies(policy_set, policies) for policy_set in found.policy_sets.values())

    def _elements(
        self,
        pap: Pap,
        table: Table,
        order: ColumnElement[Any],
        known: dict[RowKey, Element],
        read: Callable[[bytes], Element],
    ) -> dict[RowKey, Element]:
        """All elements of a pap in a table; only bodies that are not ``known`` are fetched."""
        rows = select(table.c.id, table.c.revision).where(table.c.pap_id == pap.id).order_by(order)
        keys: list[RowKey] = [(id, revision) for id, revision in self._connection.execute(rows)]
        elements = {key: known[key] for key in keys if key in known}
        oldest_unknown = min((revision for id, revision in keys if (id, revision) not in known), default=None)
        if oldest_unknown is not None:
            bodies = select(table.c.id, table.c.revision, table.c.body).where(
                table.c.pap_id == pap.id, table.c.revision >= oldest_unknown
            )
            for id, revision, body in self._connection.execute(bodies):
                if (id, revision) not in elements:
                    elements[id, revision] = _read(pap, id, body, read)
        return {key: elements[key] for key in keys}

    def _committed(self, elements: dict[RowKey, Element]) -> dict[RowKey, Element]:
        """INVARIANT: a revision under way may be undone and its number used again, so it is never remembered."""
        return {key: element for key, element in elements.items() if key[1] <= self.revision}


class SqlWriter(SqlReader):
    """A PolicyWriter on an open transaction that holds the writers' lock."""

    def __init__(self, connection: Connection, revision: int, parsed: dict[str, _Parsed]) -> None:
        super().__init__(connection, revision, parsed)
        self.changed = False

    def add_pap(self, pap: Pap) -> None:
        if any(other.alias == pap.alias for other in self.paps()):
            raise PapExists(pap.alias)
        last = self._connection.scalar(select(func.max(schema.paps.c.position)))
        position = 0 if last is None else last + 1
        self._connection.execute(insert(schema.paps).values(id=pap.id, position=position, **_columns(pap)))
        self.changed = True

    def store(self, pap: Pap, resources: tuple[PolicySet, ...]) -> None:
        updated = self._connection.execute(update(schema.paps).where(schema.paps.c.id == pap.id).values(_columns(pap)))
        if updated.rowcount == 0:
            raise PapNotFound(pap.alias)
        before = self.resources(pap)
        sets = _Difference(_policy_set_rows(before), _policy_set_rows(resources))
        policies = _Difference(_policy_rows(before), _policy_rows(resources))
        self._put(pap, schema.policy_sets, sets)
        self._put(pap, schema.policies, policies)
        self._delete(pap, schema.policies, policies.gone)
        self._delete(pap, schema.policy_sets, sets.gone)
        self.changed = True

    def _put(self, pap: Pap, table: Table, difference: "_Difference") -> None:
        written = {"pap_id": pap.id, "revision": self.revision + 1}
        if difference.new:
            self._connection.execute(insert(table), [written | row.columns() for row in difference.new])
        one_row = (table.c.pap_id == pap.id) & (table.c.id == bindparam("row"))
        if difference.changed:
            changed = [written | row.columns() | {"row": row.id} for row in difference.changed]
            self._connection.execute(update(table).where(one_row), changed)
        if difference.moved:
            self._connection.execute(
                update(table).where(one_row), [row.place | {"row": row.id} for row in difference.moved]
            )

    def _delete(self, pap: Pap, table: Table, ids: list[str]) -> None:
        for id in ids:
            self._connection.execute(delete(table).where(table.c.pap_id == pap.id, table.c.id == id))


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row of ``policy_sets`` or ``policies`` holds; ``place`` are the columns that say where it belongs."""

    place: dict[str, int | str]
    element: PolicySet | Policy

    @property
    def id(self) -> str:
        return self.element.id

    def columns(self) -> dict[str, int | str]:
        return {"id": self.id, "body": _xml(self.element)} | self.place


class _Difference:
    """What has to be written to get from the rows ``before`` to the rows ``after``."""

    def __init__(self, before: Iterable[_Row], after: Iterable[_Row]) -> None:
        stored = {row.id: row for row in before}
        wanted = {row.id: row for row in after}
        kept = [row for id, row in wanted.items() if id in stored]
        self.new = [row for id, row in wanted.items() if id not in stored]
        self.changed = [row for row in kept if stored[row.id].element != row.element]
        self.moved = [row for row in kept if stored[row.id].element == row.element and stored[row.id] != row]
        self.gone = [id for id in stored if id not in wanted]


def _policy_set_rows(resources: tuple[PolicySet, ...]) -> Iterator[_Row]:
    for position, policy_set in enumerate(resources):
        yield _Row({"position": position}, _without_policies(policy_set))


def _policy_rows(resources: tuple[PolicySet, ...]) -> Iterator[_Row]:
    for policy_set in resources:
        for policy in policy_set.policies():
            yield _Row({"policy_set_id": policy_set.id}, policy)


def _xml(element: PolicySet | Policy) -> str:
    xml: bytes = write_policy(element) if isinstance(element, Policy) else write_policy_set(element)
    return xml.decode()


def _without_policies(policy_set: PolicySet) -> PolicySet:
    children = tuple(
        PolicyIdReference(child.id) if isinstance(child, Policy) else child for child in policy_set.children
    )
    return replace(policy_set, children=children)


def _with_policies(policy_set: PolicySet, policies: dict[str, Policy]) -> PolicySet:
    children = tuple(
        policies.get(child.id, child) if isinstance(child, PolicyIdReference) else child
        for child in policy_set.children
    )
    return replace(policy_set, children=children)


def _revision(connection: Connection, statement: Select[Any]) -> int:
    """Raises StoreUnavailable: there is none, as while a backup is read in."""
    revision = connection.execute(statement).scalar_one_or_none()
    if revision is None:
        raise StoreUnavailable(connection.engine.url, "its table 'store' is empty")
    return int(revision)


def _read(pap: Pap, id: str, body: str, read: Callable[[bytes], Element]) -> Element:
    try:
        return read(body.encode())
    except MalformedInput as error:
        raise UnreadablePolicy(pap.alias, id, str(error)) from error


def _columns(pap: Pap) -> dict[str, Any]:
    """The columns of a pap except its place: id and position."""
    remote = pap.remote
    return {
        "alias": pap.alias,
        "enabled": pap.enabled,
        "public": pap.public,
        "version": pap.version,
        "remote_hostname": remote.hostname if remote else None,
        "remote_port": remote.port if remote else None,
        "remote_path": remote.path if remote else None,
        "remote_protocol": remote.protocol if remote else None,
        "remote_dn": remote.dn if remote else None,
    }


def _pap(row: Row[Any]) -> Pap:
    remote = None
    if row.remote_hostname is not None:
        remote = Remote(row.remote_hostname, row.remote_port, row.remote_path, row.remote_protocol, row.remote_dn)
    return Pap(row.id, row.alias, row.enabled, row.public, remote, row.version)
