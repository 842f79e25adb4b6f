"""What processes with one database, or with one that was restored, know of each other; what is read and written."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from argus_py.model.response import Effect
from argus_py.pap.authorization import ANYONE, Acl, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, RemoteState
from argus_py.pap.ports import RevisionNotFound
from argus_py.store.sql.engine import connect, open_policies
from argus_py.store.sql.repository import SqlPolicies
from argus_py.xacml.policy import Combining, Policy, PolicySet, Rule

NOTE = Note("CN=Admin", "test")
PAP = Pap("default-1", DEFAULT_ALIAS)
OTHER = Pap("other-2", "other")
TABLES = ("paps", "policy_sets", "policies", "rules", "ordering", "acl", "settings")
Resources = tuple[PolicySet, ...]
Open = Callable[[], SqlPolicies]


@pytest.fixture
def process(database_url: str) -> Iterator[Open]:
    """Opens the store as one more process would."""
    opened: list[SqlPolicies] = []

    def open_one() -> SqlPolicies:
        opened.append(open_policies(database_url))
        return opened[-1]

    yield open_one
    for repository in opened:
        repository.close()


def execute(url: str, statement: str) -> list[Any]:
    engine = connect(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def rule(id: str) -> Rule:
    return Rule(id, Effect.DENY)


def action(id: str, *rules: Rule) -> Policy:
    return Policy(id, Combining.RULES_FIRST_APPLICABLE, rules)


def resource(id: str, *actions: Policy) -> PolicySet:
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, actions)


A1 = action("a1", rule("x"))
BANS = action("bans", *(rule(f"u{number}") for number in range(20)))
RESOURCES = (resource("r1", BANS, A1), resource("r2", action("a2", rule("y"))))
BANNED = (resource("r1", replace(BANS, rules=(rule("new"), *BANS.rules)), A1), RESOURCES[1])


@pytest.fixture
def first(process: Open) -> SqlPolicies:
    """A process that has stored RESOURCES."""
    repository = process()
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
        writer.store(PAP, RESOURCES)
    return repository


def stored(repository: SqlPolicies) -> Resources:
    with repository.read() as reader:
        return reader.resources(PAP)


def put(repository: SqlPolicies, resources: Resources) -> None:
    with repository.change(NOTE) as writer:
        writer.store(PAP, resources)


def damage_bodies(url: str) -> None:
    """Whoever reads one of them now fails."""
    for table in ("policy_sets", "policies", "rules"):
        execute(url, f"UPDATE {table} SET body = '<no/>'")


def go_back(url: str, revision: int) -> None:
    """As a backup that was made after ``revision``, and is read in now."""
    for table in TABLES:
        execute(url, f"DELETE FROM {table} WHERE since > {revision}")
        execute(url, f"UPDATE {table} SET until = NULL WHERE until > {revision}")
    execute(url, f"DELETE FROM changes WHERE revision > {revision}")
    changed_at = f"(SELECT made_at FROM changes WHERE revision = {revision})"
    execute(url, f"UPDATE store SET revision = {revision}, changed_at = {changed_at}")


def test_who_has_made_a_change_reads_nothing_after_it(first: SqlPolicies, database_url: str) -> None:
    damage_bodies(database_url)
    assert stored(first) == RESOURCES
    put(first, BANNED)
    assert stored(first) == BANNED


def test_of_a_foreign_change_only_what_it_wrote_is_read(first: SqlPolicies, process: Open, database_url: str) -> None:
    second = process()
    assert stored(first) == stored(second)
    damage_bodies(database_url)
    put(second, BANNED)
    assert stored(first) == BANNED


def test_what_a_change_has_not_touched_stays_the_same_object(first: SqlPolicies, process: Open) -> None:
    second = process()
    before = {repository: stored(repository) for repository in (first, second)}
    put(second, BANNED)
    for repository, (r1, r2) in before.items():
        new_r1, new_r2 = stored(repository)
        assert new_r2 is r2
        assert new_r1.children[1] is r1.children[1]
        (bans, _), (new_bans, _) = r1.policies(), new_r1.policies()
        assert len(new_bans.rules) == len(bans.rules) + 1
        assert all(new is old for new, old in zip(new_bans.rules[1:], bans.rules, strict=True))
        assert stored(repository) is stored(repository)


def test_what_is_stored_as_it_was_stays_the_same_object(first: SqlPolicies) -> None:
    before = stored(first)
    r1, r2 = RESOURCES
    put(first, (replace(r1, children=(replace(BANS), replace(A1))), replace(r2)))
    assert all(new is old for new, old in zip(stored(first), before, strict=True))


def test_old_and_new_states_share_what_is_the_same(first: SqlPolicies) -> None:
    revision = first.revision()
    put(first, BANNED)
    with first.read(revision) as reader:
        (r1, r2), (now1, now2) = reader.resources(PAP), stored(first)
    assert (r1, r2) == RESOURCES
    assert r2 is now2
    (bans, a1), (bans_now, a1_now) = r1.policies(), now1.policies()
    assert a1 is a1_now
    assert all(old is new for old, new in zip(bans.rules, bans_now.rules[1:], strict=True))


def test_a_ban_among_many_writes_one_rule(first: SqlPolicies, database_url: str) -> None:
    before = execute(database_url, "SELECT pap_id, policy_id, id, since, until FROM rules ORDER BY id")
    put(first, BANNED)
    after = execute(database_url, "SELECT pap_id, policy_id, id, since, until FROM rules ORDER BY id")
    assert set(after) - set(before) == {(PAP.id, "bans", "new", first.revision(), None)}
    assert len(after) == len(before) + 1


def test_a_move_writes_the_moved_rule_alone(first: SqlPolicies, database_url: str) -> None:
    rules = BANS.rules
    moved = replace(BANS, rules=(*rules[1:10], rules[0], *rules[10:]))
    put(first, (resource("r1", moved, A1), RESOURCES[1]))
    revision = first.revision()
    touched = f"SELECT id, until FROM rules WHERE since = {revision} OR until = {revision} ORDER BY until"
    assert {id for id, _ in execute(database_url, touched)} == {"u0"}
    assert [rule.id for rule in next(stored(first)[0].policies()).rules][9] == "u0"


def test_rules_put_before_the_same_one_find_room_again_and_again(first: SqlPolicies, process: Open) -> None:
    last = rule("u19")
    rules = [rule("u0"), last]
    for number in range(60):
        rules.insert(-1, rule(f"n{number}"))
        put(first, (resource("r1", action("bans", *rules)),))
    assert stored(first) == stored(process()) == (resource("r1", action("bans", *rules)),)


def test_a_backup_that_was_read_in_is_noticed(first: SqlPolicies, process: Open, database_url: str) -> None:
    revision = first.revision()
    put(first, BANNED)
    put(first, ())
    second = process()
    assert stored(second) == ()
    go_back(database_url, revision)
    for repository in (first, second):
        assert repository.revision() == revision
        assert stored(repository) == RESOURCES
        assert [change.revision for change in repository.changes()] == [1]


def test_a_revision_that_is_given_again_after_a_restore_is_not_taken_for_the_old_one(
    first: SqlPolicies, process: Open, database_url: str
) -> None:
    revision = first.revision()
    put(first, BANNED)
    known = process()
    assert stored(known) == BANNED
    go_back(database_url, revision)
    put(process(), RESOURCES[1:])
    assert first.revision() == revision + 1
    assert stored(first) == stored(known) == RESOURCES[1:]


def test_a_restore_is_noticed_when_the_database_is_already_further(
    first: SqlPolicies, process: Open, database_url: str
) -> None:
    revision = first.revision()
    put(first, BANNED)
    go_back(database_url, revision)
    other = process()
    for resources in (RESOURCES[1:], RESOURCES[:1], (RESOURCES[1], RESOURCES[0])):
        put(other, resources)
    assert first.revision() > revision + 1
    assert stored(first) == (RESOURCES[1], RESOURCES[0])


def test_a_writer_notices_a_restore_too(first: SqlPolicies, database_url: str) -> None:
    revision = first.revision()
    put(first, BANNED)
    go_back(database_url, revision)
    with first.change(NOTE) as writer:
        assert writer.resources(PAP) == RESOURCES
        writer.store(PAP, (*writer.resources(PAP), resource("r3")))
    assert stored(first) == (*RESOURCES, resource("r3"))


def test_a_change_that_fails_to_be_committed_is_not_remembered(first: SqlPolicies, database_url: str) -> None:
    execute(database_url, "INSERT INTO changes VALUES (2, 0, 'somebody', 'stands in the way', NULL)")
    with pytest.raises(IntegrityError):
        put(first, BANNED)
    assert first.revision() == 1
    assert stored(first) == RESOURCES
    execute(database_url, "DELETE FROM changes WHERE revision = 2")
    put(first, RESOURCES[1:])
    assert stored(first) == RESOURCES[1:]


def test_a_foreign_pap_comes_goes_and_comes_back(first: SqlPolicies, process: Open) -> None:
    second = process()
    assert stored(second) == RESOURCES
    for _ in range(2):
        with first.change(NOTE) as writer:
            writer.add_pap(OTHER)
            writer.store(OTHER, RESOURCES, (action("loose", rule("z")),))
        with second.read() as reader:
            assert reader.resources(OTHER) == RESOURCES
            assert reader.loose(OTHER) == (action("loose", rule("z")),)
        with first.change(NOTE) as writer:
            writer.remove_pap(OTHER)
        with second.read() as reader:
            assert reader.paps() == (PAP,)
    with second.read(2) as reader:
        assert reader.resources(OTHER) == RESOURCES
    assert stored(second) == RESOURCES


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def years(database_url: str) -> Iterator[tuple[SqlPolicies, Clock]]:
    """A change on the first of January of 2026 to 2029: the pap, RESOURCES, BANNED, a setting."""
    open_policies(database_url).close()
    clock = Clock()
    engine = connect(database_url)
    repository = SqlPolicies(engine, clock)
    with repository.change(NOTE) as writer:
        writer.add_pap(PAP)
        writer.set_acl(Acl(((ANYONE, Permission.ALL),)))
    for year, resources in ((2027, RESOURCES), (2028, BANNED)):
        clock.now = datetime(year, 1, 1, tzinfo=UTC)
        put(repository, resources)
    clock.now = datetime(2029, 1, 1, tzinfo=UTC)
    with repository.change(NOTE) as writer:
        writer.set_setting("k", "v")
    yield repository, clock
    repository.close()


def test_forgetting_keeps_the_changes_since_then_and_the_state_before_them(
    years: tuple[SqlPolicies, Clock], process: Open, database_url: str
) -> None:
    repository, _ = years
    old = process()
    assert repository.forget_before(datetime(2028, 1, 1, tzinfo=UTC)) == 1
    for each in (repository, old, process()):
        assert each.revision() == 4
        assert stored(each) == BANNED
        assert [change.revision for change in each.changes()] == [4, 3, 2]
        with each.read(2) as reader:
            assert reader.resources(PAP) == RESOURCES
            assert reader.changed_at == datetime(2027, 1, 1, tzinfo=UTC)
            assert reader.acl() == Acl(((ANYONE, Permission.ALL),))
        for forgotten in (0, 1):
            with pytest.raises(RevisionNotFound), each.read(forgotten):
                pass
    assert execute(database_url, "SELECT count(*) FROM rules WHERE until <= 2") == [(0,)]


def test_forgetting_everything_leaves_what_is_stored_now(years: tuple[SqlPolicies, Clock], process: Open) -> None:
    repository, clock = years
    assert repository.forget_before(clock.now + timedelta(days=1)) == 3
    assert repository.forget_before(clock.now + timedelta(days=1)) == 0
    for each in (repository, process()):
        assert stored(each) == BANNED
        with each.read(4) as reader:
            assert reader.setting("k") == "v"
        with pytest.raises(RevisionNotFound), each.read(3):
            pass
    put(repository, ())
    with repository.read(4) as reader:
        assert reader.resources(PAP) == BANNED


def test_forgetting_nothing_forgets_nothing(years: tuple[SqlPolicies, Clock]) -> None:
    repository, _ = years
    assert repository.forget_before(datetime(2025, 1, 1, tzinfo=UTC)) == 0
    assert len(repository.changes()) == 4
    with repository.read(0) as reader:
        assert reader.paps() == ()


def test_who_knows_only_what_was_forgotten_reads_everything_anew(
    years: tuple[SqlPolicies, Clock], process: Open
) -> None:
    repository, _ = years
    behind = process()
    with behind.read() as reader:
        assert reader.revision == 4
    put(repository, RESOURCES[1:])
    put(repository, ())
    put(repository, RESOURCES)
    repository.forget_before(datetime.now(UTC) + timedelta(days=3650))
    assert stored(behind) == RESOURCES


def test_forgetting_drops_what_became_of_copies_that_are_gone(years: tuple[SqlPolicies, Clock]) -> None:
    repository, clock = years
    with repository.change(NOTE) as writer:
        writer.add_pap(OTHER)
    for pap in (PAP, OTHER):
        repository.note_remote(pap, RemoteState(clock.now))
    with repository.change(NOTE) as writer:
        writer.remove_pap(OTHER)
    assert repository.remote_states().keys() == {PAP.id, OTHER.id}
    repository.forget_before(clock.now + timedelta(days=1))
    assert repository.remote_states().keys() == {PAP.id}
