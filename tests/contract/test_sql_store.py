"""What a policy store in SQL promises beyond the port: its schema, its settings, and no acknowledged change lost."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from argus_py.errors import ConfigurationError, Unavailable
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, by_alias
from argus_py.store.sql.engine import UnusableDatabaseUrl, connect, open_policies, upgrade
from argus_py.store.sql.migrations import WrongSchemaVersion
from argus_py.store.sql.repository import UnreadablePolicy
from argus_py.store.sql.schema import metadata
from argus_py.xacml.policy import Combining, PolicySet

PAP = Pap("default-1", DEFAULT_ALIAS)

# Adds resources one by one for ever, and says which are committed.
WRITER = """
import itertools, sys, time
from argus_py.pap.paps import by_alias
from argus_py.store.sql.engine import open_policies
from argus_py.xacml.policy import Combining, PolicySet
url, name = sys.argv[1:]
repository = open_policies(url)
for number in itertools.count():
    with repository.change() as writer:
        pap = by_alias(writer.paps(), "default")
        new = PolicySet(f"{name}-{number}", Combining.POLICIES_FIRST_APPLICABLE)
        writer.store(pap, (*writer.resources(pap), new))
    print(new.id, flush=True)
    time.sleep(0.002)  # SQLite's lock is not fair: let the other one have it
"""


def start_writer(url: str, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, url, name], stdout=subprocess.PIPE, text=True)


def acknowledged(writer: "subprocess.Popen[str]", count: int) -> list[str]:
    assert writer.stdout is not None
    return [writer.stdout.readline().strip() for _ in range(count)]


def kill(writer: "subprocess.Popen[str]") -> list[str]:
    """SIGKILL; gives what it had said by then and nobody had read."""
    writer.kill()
    rest, _ = writer.communicate()
    return [line for line in rest.splitlines(keepends=False) if line]


def with_default_pap(url: str) -> None:
    repository = open_policies(url)
    with repository.change() as writer:
        writer.add_pap(PAP)
    repository.close()


def stored_ids(url: str) -> list[str]:
    repository = open_policies(url)
    with repository.read() as reader:
        ids = [policy_set.id for policy_set in reader.resources(by_alias(reader.paps(), DEFAULT_ALIAS))]
    repository.close()
    return ids


def execute(url: str, statement: str) -> list[Any]:
    engine = connect(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def test_a_killed_writer_loses_nothing_it_acknowledged(database_url: str) -> None:
    with_default_pap(database_url)
    said: list[str] = []
    for name in ("first", "second"):
        writer = start_writer(database_url, name)
        said += acknowledged(writer, 5)
        said += kill(writer)
    stored = stored_ids(database_url)
    assert stored[: len(said) + 2][: len(stored)] == stored  # at most one per writer was committed and not yet said
    assert [id for id in stored if id in said] == said


def test_processes_that_write_together_lose_nothing(database_url: str) -> None:
    with_default_pap(database_url)
    writers = [start_writer(database_url, name) for name in ("one", "two")]
    said = [acknowledged(writer, 10) for writer in writers]
    for turn, writer in enumerate(writers):
        said[turn] += kill(writer)
    stored = stored_ids(database_url)
    for ids in said:
        assert [id for id in stored if id in ids] == ids


def test_the_migrations_build_the_tables_of_the_schema(database_url: str) -> None:
    open_policies(database_url).close()
    engine = connect(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_an_upgrade_keeps_what_is_stored(database_url: str) -> None:
    with_default_pap(database_url)
    upgrade(database_url)
    repository = open_policies(database_url)
    with repository.read() as reader:
        assert reader.paps() == (PAP,)
    repository.close()


def test_tables_of_a_newer_version_are_refused(database_url: str) -> None:
    open_policies(database_url).close()
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(WrongSchemaVersion, match="9999"):
        open_policies(database_url)
    with pytest.raises(WrongSchemaVersion, match="9999"):
        upgrade(database_url)


def test_postgresql_is_upgraded_by_the_operator_and_not_at_start(request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("postgresql").new_database()
    with pytest.raises(WrongSchemaVersion, match="run 'argus database upgrade"):
        open_policies(url)
    upgrade(url)
    open_policies(url).close()


def test_sqlite_writes_to_disk_before_it_answers(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/policies.db")
    with engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")
        ]
    engine.dispose()
    assert pragmas == ["wal", 2]  # 2 is FULL


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("policies.db", "not of the form"),
        ("postgresql+psycopg//argus:secret@db/argus", "not of the form"),
        ("postgresql+psycopg://argus:secret@db:port/argus", "not of the form"),
        ("postgresql+nosuch://argus:secret@db/argus", "no driver 'nosuch'"),
        ("mysql://argus:secret@db/argus", "only sqlite and postgresql"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql+pg8000://argus:secret@db/argus", "pip install"),
    ],
)
def test_a_url_of_no_use_is_refused_without_showing_its_password(url: str, reason: str) -> None:
    with pytest.raises(UnusableDatabaseUrl, match=reason) as caught:
        open_policies(url)
    assert isinstance(caught.value, ConfigurationError)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, and long enough to be seen as none\n" * 20)
    for url in (
        f"sqlite:///{tmp_path}/text",
        f"postgresql+psycopg://argus:secret@/argus?host={tmp_path}",
    ):
        with pytest.raises(Unavailable) as caught:
            open_policies(url)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("statement", ["DELETE FROM store", "DROP TABLE store"])
def test_a_database_in_the_middle_of_a_restore_is_unavailable(database_url: str, statement: str) -> None:
    repository = open_policies(database_url)
    execute(database_url, statement)
    for use in (repository.revision, repository.read().__enter__, repository.change().__enter__):
        with pytest.raises(Unavailable):
            use()
    repository.close()


def test_a_change_does_not_wait_for_ever(database_url: str) -> None:
    first, second = open_policies(database_url), open_policies(database_url, lock_timeout=timedelta(milliseconds=50))
    with first.change() as writer:
        writer.add_pap(PAP)
        with pytest.raises(Unavailable), second.change():
            pass
        with second.read() as reader:
            assert reader.paps() == ()
    with second.change() as writer:
        assert writer.paps() == (PAP,)
    first.close()
    second.close()


def test_the_folder_of_a_sqlite_file_is_made_if_it_can_be(tmp_path: Path) -> None:
    open_policies(f"sqlite:///{tmp_path}/new/folder/policies.db").close()
    with pytest.raises(UnusableDatabaseUrl, match=r"/policies\.db"):
        open_policies(f"sqlite:///{tmp_path}/new/folder/policies.db/policies.db")


def test_a_stored_policy_that_cannot_be_read_is_named(database_url: str) -> None:
    repository = open_policies(database_url)
    with repository.change() as writer:
        writer.add_pap(PAP)
        writer.store(PAP, (PolicySet("r1", Combining.POLICIES_FIRST_APPLICABLE),))
    execute(database_url, "UPDATE policy_sets SET body = '<Policy/>', revision = 3")
    with pytest.raises(UnreadablePolicy, match="'r1' of the pap 'default'"), repository.read() as reader:
        reader.resources(PAP)
    repository.close()
