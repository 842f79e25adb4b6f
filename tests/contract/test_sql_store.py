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

from argus_py.errors import ConfigurationError, MalformedInput, Unavailable
from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect
from argus_py.pap.authorization import ANYONE, Acl, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, by_alias
from argus_py.store.sql.engine import UnusableDatabaseUrl, connect, open_policies, upgrade
from argus_py.store.sql.holding import UnreadablePolicy
from argus_py.store.sql.migrations import WrongSchemaVersion
from argus_py.store.sql.rows import UnreadableRow
from argus_py.store.sql.schema import metadata
from argus_py.xacml.policy import (
    AttributeValue,
    Combining,
    Policy,
    PolicySet,
    Rule,
    VariableDefinition,
    VariableReference,
)

NOTE = Note("CN=Admin", "test")
PAP = Pap("default-1", DEFAULT_ALIAS)

NOWHERE = Rule("u", Effect.DENY, condition=VariableReference("nowhere"))


def of_action(action: Policy) -> PolicySet:
    return PolicySet("r", Combining.POLICIES_FIRST_APPLICABLE, (action,))


# Adds resources one by one for ever, and says which are committed.
WRITER = """
import itertools, sys, time
from argus_py.pap.history import Note
from argus_py.pap.paps import by_alias
from argus_py.store.sql.engine import open_policies
from argus_py.xacml.policy import Combining, PolicySet
url, name = sys.argv[1:]
repository = open_policies(url)
for number in itertools.count():
    with repository.change(Note(name, f"add {number}")) as writer:
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
    with repository.change(NOTE) as writer:
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


def test_a_sqlite_file_that_takes_the_place_of_another_is_used_at_once(tmp_path: Path) -> None:
    file, backup = tmp_path / "policies.db", tmp_path / "backup.db"
    open_policies(f"sqlite:///{backup}").close()
    policies = open_policies(f"sqlite:///{file}")
    with policies.change(NOTE) as writer:
        writer.add_pap(PAP)
    read_in(backup, file)
    with policies.read() as reader:
        assert (reader.revision, reader.paps()) == (0, ())
    with policies.change(NOTE) as writer:
        writer.set_setting("key", "text")
    policies.close()
    again = open_policies(f"sqlite:///{file}")
    with again.read() as reader:
        assert reader.setting("key") == "text"
    again.close()


def test_no_change_goes_into_a_sqlite_file_that_was_taken_away(tmp_path: Path) -> None:
    file, backup = tmp_path / "policies.db", tmp_path / "backup.db"
    open_policies(f"sqlite:///{backup}").close()
    policies = open_policies(f"sqlite:///{file}")
    read_in(file, tmp_path / "aside.db")
    with pytest.raises(Unavailable, match="no such table"), policies.change(NOTE) as writer:
        writer.add_pap(PAP)
    read_in(backup, file)
    assert policies.revision() == 0
    policies.close()


def read_in(source: Path, target: Path) -> None:
    """Put a database in the place of another one, whose journal goes with it."""
    for database in (source, target):
        for journal in ("-wal", "-shm"):
            database.with_name(database.name + journal).unlink(missing_ok=True)
    source.replace(target)


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
    for use in (repository.revision, repository.read().__enter__, repository.change(NOTE).__enter__):
        with pytest.raises(Unavailable):
            use()
    repository.close()


def test_a_change_does_not_wait_for_ever(database_url: str) -> None:
    first, second = open_policies(database_url), open_policies(database_url, lock_timeout=timedelta(milliseconds=50))
    with first.change(NOTE) as writer:
        writer.add_pap(PAP)
        with pytest.raises(Unavailable), second.change(NOTE):
            pass
        with second.read() as reader:
            assert reader.paps() == ()
    with second.change(NOTE) as writer:
        assert writer.paps() == (PAP,)
    first.close()
    second.close()


def test_the_folder_of_a_sqlite_file_is_made_if_it_can_be(tmp_path: Path) -> None:
    open_policies(f"sqlite:///{tmp_path}/new/folder/policies.db").close()
    with pytest.raises(UnusableDatabaseUrl, match=r"/policies\.db"):
        open_policies(f"sqlite:///{tmp_path}/new/folder/policies.db/policies.db")


def test_a_stored_policy_that_cannot_be_read_is_named(database_url: str) -> None:
    repository = open_policies(database_url)
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
        writer.store(PAP, (PolicySet("r1", Combining.POLICIES_FIRST_APPLICABLE),))
    repository.close()
    execute(database_url, "UPDATE policy_sets SET body = '<Policy/>'")
    repository = open_policies(database_url)
    with pytest.raises(UnreadablePolicy, match="'r1' of the pap 'default-1'"), repository.read():
        pass
    repository.close()


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("""UPDATE acl SET entries = '[["dn", "no dn", ["ALL"]]]'""", "acl"),
        ("""UPDATE acl SET entries = '[["anyone", "ANYONE", ["EVERYTHING"]]]'""", "acl"),
        ("""UPDATE acl SET entries = '[["everybody", "", ["ALL"]]]'""", "acl"),
        ("UPDATE acl SET entries = '5'", "acl"),
        ("UPDATE acl SET entries = ''", "acl"),
        ("UPDATE ordering SET aliases = '5'", "ordering"),
        ("UPDATE ordering SET aliases = '['", "ordering"),
    ],
)
def test_rows_that_were_damaged_are_named_and_permit_nothing(database_url: str, statement: str, table: str) -> None:
    repository = open_policies(database_url)
    with repository.change(NOTE) as writer:
        writer.set_acl(Acl(((ANYONE, Permission.ALL),)))
        writer.set_ordering(("default",))
    repository.close()
    execute(database_url, statement)
    repository = open_policies(database_url)
    with pytest.raises(UnreadableRow, match=f"'{table}'"), repository.read():
        pass
    with pytest.raises(UnreadableRow), repository.change(NOTE):
        pass
    repository.close()


def test_a_policy_whose_rows_are_missing_is_named(database_url: str) -> None:
    repository = open_policies(database_url)
    action = Policy("a", Combining.RULES_FIRST_APPLICABLE)
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
        writer.store(PAP, (PolicySet("r1", Combining.POLICIES_FIRST_APPLICABLE, (action,)),))
    repository.close()
    execute(database_url, "DELETE FROM policies")
    repository = open_policies(database_url)
    with pytest.raises(UnreadablePolicy, match="'r1' of the pap 'default-1' cannot be read: its policy 'a' is missing"):
        repository.read().__enter__()
    repository.close()


def test_a_condition_that_does_not_fit_its_policy_is_named(database_url: str) -> None:
    repository = open_policies(database_url)
    yes = VariableDefinition("yes", AttributeValue(DataType.BOOLEAN, "true"))
    rule = Rule("u", Effect.DENY, condition=VariableReference("yes"))
    action = Policy("a", Combining.RULES_FIRST_APPLICABLE, (rule,), variables=(yes,))
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
        writer.store(PAP, (PolicySet("r1", Combining.POLICIES_FIRST_APPLICABLE, (action,)),))
    repository.close()
    execute(database_url, "UPDATE policies SET body = replace(body, 'VariableId=\"yes\"', 'VariableId=\"no\"')")
    repository = open_policies(database_url)
    with pytest.raises(UnreadablePolicy, match="'a' of the pap 'default-1'"), repository.read():
        pass
    repository.close()


@pytest.mark.parametrize(
    "unreadable",
    [
        PolicySet("r\ud800", Combining.POLICIES_FIRST_APPLICABLE),
        PolicySet("r", "urn:no:such:algorithm"),
        of_action(Policy("a", "urn:no:such:algorithm")),
        of_action(Policy("a", Combining.RULES_FIRST_APPLICABLE, (Rule("u", Effect.DENY, description="\x00"),))),
        of_action(Policy("a", Combining.RULES_FIRST_APPLICABLE, (NOWHERE,))),
    ],
    ids=lambda policy_set: policy_set.id.encode("ascii", "backslashreplace").decode(),
)
def test_what_could_not_be_read_again_is_not_stored(database_url: str, unreadable: PolicySet) -> None:
    repository = open_policies(database_url)
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
    with pytest.raises(MalformedInput), repository.change(NOTE) as writer:
        writer.store(PAP, (unreadable,))
    assert repository.revision() == 1
    with repository.read() as reader:
        assert reader.resources(PAP) == ()
    repository.close()


def test_what_is_held_after_a_change_is_what_others_read(database_url: str) -> None:
    """Blanks at the ends of a text are lost in XACML."""
    written = of_action(Policy("a", Combining.RULES_FIRST_APPLICABLE, description="  two words "))
    repository = open_policies(database_url)
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
        writer.store(PAP, (written,))
    other = open_policies(database_url)
    with repository.read() as reader, other.read() as others:
        (held,) = reader.resources(PAP)
        assert next(held.policies()).description == "two words"
        assert others.resources(PAP) == (held,)
    repository.close()
    other.close()
