"""Databases of every earlier schema, with data in them, hold the same policies after an upgrade."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Connection

from alembic import command
from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect, Obligation
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.ports import RevisionNotFound
from argus_py.store.sql.engine import connect, open_policies, upgrade
from argus_py.store.sql.repository import SqlPolicies
from argus_py.xacml.policy import (
    Apply,
    AttributeValue,
    Combining,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    VariableDefinition,
    VariableReference,
)

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "store"
PAPS = (
    Pap("default-1", "default", enabled=True, public=True, version=7),
    Pap("central-2", "central", remote=Remote("pap.example.org", 8151, "/p/", "http", "/DC=org/CN=pap"), version=2),
    Pap("empty-3", "empty"),
)
NOT = "urn:oasis:names:tc:xacml:1.0:function:not"
OBLIGATION = Obligation("urn:obligation", Effect.PERMIT, ())


def rule(id: str) -> Rule:
    return Rule(id, Effect.DENY, description="<why>, 'so' \"it\" is")


CONDITIONED = Policy(
    "with-conditions",
    Combining.RULES_FIRST_APPLICABLE,
    (Rule("first", Effect.PERMIT, condition=VariableReference("yes")), rule("second")),
    variables=(VariableDefinition("yes", Apply(NOT, (AttributeValue(DataType.BOOLEAN, "true"),))),),
    obligations=(OBLIGATION,),
    version="12",
)
MANY = Policy("many", Combining.RULES_FIRST_APPLICABLE, tuple(rule(f"rule-{number}") for number in range(12)))
NONE = Policy("none", Combining.RULES_FIRST_APPLICABLE, description="no rules")
FIRST = PolicySet(
    "first",
    Combining.POLICIES_FIRST_APPLICABLE,
    (NONE, PolicyIdReference("nowhere", version="1"), MANY),
    obligations=(OBLIGATION,),
    description="worker nodes",
    version="3",
)
SECOND = PolicySet("second", Combining.POLICIES_FIRST_APPLICABLE, (CONDITIONED,))
HELD = {"default-1": (FIRST, SECOND), "central-2": (SECOND,), "empty-3": ()}
REVISION, CHANGED_AT = 7, datetime(2026, 11, 24, 18, 9, 28, 347000, tzinfo=UTC)


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    engine = connect(url)
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection
    engine.dispose()


def create_0001(url: str) -> None:
    with transaction(url) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCRIPTS))
        command.upgrade(config, "0001")


def fill_0001(url: str) -> None:
    """As the version of argus-py with this schema left it."""
    with transaction(url) as connection:
        for statement in (VECTORS / "0001" / "database.sql").read_text().splitlines():
            connection.exec_driver_sql(statement)


@pytest.fixture(params=["sqlite", "postgresql"])
def url_0001(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/policies.db"
    else:
        url = request.getfixturevalue("postgresql").new_database()
    create_0001(url)
    return url


def opened(url: str) -> SqlPolicies:
    upgrade(url)
    return open_policies(url)


def test_policies_are_the_same_after_the_upgrade(url_0001: str) -> None:
    fill_0001(url_0001)
    repository = opened(url_0001)
    with repository.read() as reader:
        assert reader.revision == REVISION
        assert reader.changed_at == CHANGED_AT
        assert reader.paps() == PAPS
        assert {pap.id: reader.resources(pap) for pap in reader.paps()} == HELD
        assert reader.modified_at(PAPS[0]) == reader.changed_at
        assert reader.modified_at(PAPS[2]) is None
        assert (reader.ordering(), reader.acl(), reader.loose(PAPS[0])) == ((), None, ())
    repository.close()


def test_the_history_begins_with_the_state_that_was_found(url_0001: str) -> None:
    fill_0001(url_0001)
    repository = opened(url_0001)
    assert [change.revision for change in repository.changes()] == [REVISION]
    with repository.change(Note("CN=Admin", "remove-all-policies")) as writer:
        writer.store(PAPS[0], ())
    with repository.read(REVISION) as reader:
        assert reader.resources(PAPS[0]) == HELD["default-1"]
    with pytest.raises(RevisionNotFound), repository.read(REVISION - 1):
        pass
    repository.close()


def test_one_rule_can_be_written_after_the_upgrade(url_0001: str) -> None:
    fill_0001(url_0001)
    repository = opened(url_0001)
    bans = Policy("bans", Combining.RULES_FIRST_APPLICABLE, (rule("new"), rule("u")))
    banned = PolicySet("second", Combining.POLICIES_FIRST_APPLICABLE, (bans, CONDITIONED))
    with repository.change(Note("CN=Admin", "ban")) as writer:
        writer.store(PAPS[0], (FIRST, banned))
    repository.close()
    repository = open_policies(url_0001)
    with repository.read() as reader:
        assert reader.resources(PAPS[0]) == (FIRST, banned)
    repository.close()


def test_a_store_that_was_never_changed_has_no_history(url_0001: str) -> None:
    repository = opened(url_0001)
    assert repository.changes() == ()
    with repository.read(0) as reader:
        assert reader.paps() == ()
    repository.close()
