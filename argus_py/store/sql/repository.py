"""The policy repository in SQL, the same statements on SQLite and PostgreSQL.

Writers first lock the single row of ``store``, so they take turns; readers never wait for them. A process keeps the
state it has read last, or has committed itself, and reads only what others have changed since.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from argus_py.pap.history import Change, Note
from argus_py.pap.paps import Pap, RemoteState
from argus_py.pap.ports import RevisionNotFound
from argus_py.store.policy_state import StateWriter
from argus_py.store.sql import schema
from argus_py.store.sql.editions import Edition, Mark, load, write
from argus_py.store.sql.errors import StoreUnavailable, database_errors
from argus_py.store.sql.rows import (
    change_of,
    milliseconds,
    moment,
    note_columns,
    remote_state_columns,
    remote_state_of,
)
from argus_py.xacml.making_room import no_collections

_WITH_HISTORY = (
    schema.paps,
    schema.policy_sets,
    schema.policies,
    schema.rules,
    schema.ordering,
    schema.acl,
    schema.settings,
)


class SqlPolicies:
    """A PolicyRepository."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        self._told: list[Callable[[], None]] = []
        # INVARIANT: a revision under way may be undone and its number used again, so it is not known before it is
        # committed; and what is known never goes back, but when the database does.
        self._known: Edition | None = None
        self._learning = threading.Lock()

    def revision(self) -> int:
        with database_errors(self._engine.url), self._engine.connect() as connection:
            return _mark(connection).revision

    @contextmanager
    def read(self, revision: int | None = None) -> Iterator[StateWriter]:
        edition = self._now() if revision is None else self._at(revision)
        yield _writer(edition, edition.changed_at)

    @contextmanager
    def change(self, note: Note) -> Iterator[StateWriter]:
        with database_errors(self._engine.url), self._writing() as connection:
            mark = _mark(connection, lock=True)
            with self._learning:
                before = self._learn(connection, mark)
            now = milliseconds(self._clock())
            writer = _writer(before, moment(now))
            yield writer
            if writer.state is before.state:
                return
            with no_collections():
                after = write(connection, before, Mark(mark.revision + 1, now), writer.state)
            connection.execute(update(schema.store).values(revision=after.revision, changed_at=now))
            connection.execute(
                insert(schema.changes).values(revision=after.revision, made_at=now, **note_columns(note))
            )
        with self._learning:
            if self._known is before:
                self._known = after
        for tell in self._told:
            tell()

    def changes(self, before: int | None = None, limit: int = 50) -> tuple[Change, ...]:
        newest = select(schema.changes).order_by(schema.changes.c.revision.desc()).limit(limit)
        wanted = newest if before is None else newest.where(schema.changes.c.revision < before)
        with database_errors(self._engine.url), self._engine.connect() as connection:
            return tuple(map(change_of, connection.execute(wanted)))

    def remote_states(self) -> Mapping[str, RemoteState]:
        with database_errors(self._engine.url), self._engine.connect() as connection:
            return {row.pap_id: remote_state_of(row) for row in connection.execute(select(schema.remote_states))}

    def note_remote(self, pap: Pap, state: RemoteState) -> None:
        there = select(schema.paps.c.id).where(schema.paps.c.id == pap.id, schema.paps.c.until.is_(None))
        with database_errors(self._engine.url), self._writing() as connection:
            _mark(connection, lock=True)
            if connection.execute(there).first() is None:
                return
            connection.execute(delete(schema.remote_states).where(schema.remote_states.c.pap_id == pap.id))
            connection.execute(insert(schema.remote_states).values(pap_id=pap.id, **remote_state_columns(state)))

    def forget_before(self, when: datetime) -> int:
        """Forget the changes made before ``when``, and every state older than that in which they left the store.

        What is stored now is not touched, and the changes since ``when`` can still be shown and undone. Returns how
        many changes were forgotten.
        """
        kept = select(func.min(schema.changes.c.revision)).where(schema.changes.c.made_at >= milliseconds(when))
        with database_errors(self._engine.url), self._writing() as connection:
            mark = _mark(connection, lock=True)
            first_kept = connection.execute(kept).scalar_one_or_none()
            oldest = mark.revision if first_kept is None else first_kept - 1
            for table in _WITH_HISTORY:
                connection.execute(delete(table).where(table.c.until <= oldest))
            there = select(schema.paps.c.id)
            connection.execute(delete(schema.remote_states).where(schema.remote_states.c.pap_id.not_in(there)))
            # The change that led to the oldest state stays: it tells when that was, and to others that it is still it.
            forgotten = connection.execute(delete(schema.changes).where(schema.changes.c.revision < oldest)).rowcount
            connection.execute(update(schema.store).where(schema.store.c.oldest < oldest).values(oldest=oldest))
            return forgotten

    def on_commit(self, tell: Callable[[], None]) -> None:
        self._told.append(tell)

    def close(self) -> None:
        self._engine.dispose()

    def _now(self) -> Edition:
        with database_errors(self._engine.url), self._engine.connect() as connection:
            known, mark = self._known, _mark(connection)
        if known is not None and known.mark == mark:
            return known
        with self._reading() as (_, edition):
            return edition

    def _at(self, revision: int) -> Edition:
        """Raises RevisionNotFound."""
        with self._reading() as (connection, now):
            oldest = connection.execute(select(schema.store.c.oldest)).scalar_one()
            if not oldest <= revision <= now.revision:
                raise RevisionNotFound(revision)
            return load(connection, Mark(revision, _made_at(connection, revision) or 0), base=now)

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Edition]]:
        """One state of the database: nothing that is committed meanwhile is seen on the connection."""
        one_state = {"isolation_level": "REPEATABLE READ"} if self._engine.dialect.name == "postgresql" else {}
        with database_errors(self._engine.url), self._engine.connect().execution_options(**one_state) as connection:
            with self._learning:  # before the first look, or what is known could be of later than that
                edition = self._learn(connection, _mark(connection))
            yield connection, edition

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(writing=True) as connection, connection.begin():
            yield connection

    def _learn(self, connection: Connection, mark: Mark) -> Edition:
        """What is committed now, from what is known if that is a state this database has had."""
        known = self._known
        if known is None or known.mark != mark:
            lives_on = known is not None and known.revision < mark.revision and _has_had(connection, known.mark)
            with no_collections():
                known = self._known = load(connection, mark, base=known if lives_on else None)
        return known


def _writer(edition: Edition, now: datetime) -> StateWriter:
    return StateWriter(edition.revision, edition.changed_at, edition.state, now)


def _mark(connection: Connection, lock: bool = False) -> Mark:
    """Raises StoreUnavailable: there is none, as while a backup is read in."""
    row = select(schema.store.c.revision, schema.store.c.changed_at)
    found = connection.execute(row.with_for_update() if lock else row).one_or_none()
    if found is None:
        raise StoreUnavailable(connection.engine.url, "its table 'store' is empty")
    return Mark(found.revision, found.changed_at)


def _made_at(connection: Connection, revision: int) -> int | None:
    return connection.scalar(select(schema.changes.c.made_at).where(schema.changes.c.revision == revision))


def _has_had(connection: Connection, mark: Mark) -> bool:
    """Whether this database has gone through a state: not if it is a backup of before."""
    return _made_at(connection, mark.revision) == mark.changed_at
