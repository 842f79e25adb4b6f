"""What every PolicyRepository promises: in memory, on SQLite, on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.pap.paps import Pap, PapExists, PapNotFound, Remote
from argus_py.pap.ports import PolicyRepository, PolicyWriter
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    Rule,
    Target,
)

OpenRepository = Callable[[], PolicyRepository]

DEFAULT = Pap("default-1", "default", enabled=True, public=True)
CENTRAL = Pap("central-2", "central", remote=Remote("pap.example.org", 8151, "/p/", "http", "/DC=org/CN=pap"))
REGEXP = "urn:oasis:names:tc:xacml:1.0:function:string-regexp-match"
EQUAL = "urn:oasis:names:tc:xacml:1.0:function:string-equal"


def match(function: str, category: Category, attribute_id: str, text: str) -> Match:
    designator = AttributeDesignator(category, attribute_id, DataType.STRING)
    return Match(function, AttributeValue(DataType.STRING, text), designator)


def rule(id: str, vo: str = "atlas", effect: Effect = Effect.PERMIT) -> Rule:
    return Rule(id, effect, Target(subjects=((match(EQUAL, Category.SUBJECT, Glite.VIRTUAL_ORGANIZATION, vo),),)))


def action(id: str, *rules: Rule) -> Policy:
    target = Target(actions=((match(REGEXP, Category.ACTION, AttributeId.ACTION_ID, ".*"),),))
    return Policy(id, Combining.RULES_FIRST_APPLICABLE, rules, target)


def resource(id: str, *actions: Policy) -> PolicySet:
    target = Target(resources=((match(REGEXP, Category.RESOURCE, AttributeId.RESOURCE_ID, f"http://{id}/[.]*"),),))
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, actions, target)


@pytest.fixture
def repository(open_repository: OpenRepository) -> Iterator[PolicyRepository]:
    opened = open_repository()
    with opened.change() as writer:
        writer.add_pap(DEFAULT)
    yield opened
    close(opened)


def close(repository: PolicyRepository) -> None:
    repository.close() if hasattr(repository, "close") else None


class Undone(Exception):
    """What goes wrong at the end of a change."""


@contextmanager
def undone(repository: PolicyRepository) -> Iterator[PolicyWriter]:
    with suppress(Undone), repository.change() as writer:
        yield writer
        raise Undone


def put(repository: PolicyRepository, *resources: PolicySet, pap: Pap = DEFAULT) -> None:
    with repository.change() as writer:
        writer.store(pap, resources)


def stored(repository: PolicyRepository, pap: Pap = DEFAULT) -> tuple[PolicySet, ...]:
    with repository.read() as reader:
        return reader.resources(pap)


def test_a_new_repository_holds_nothing(open_repository: OpenRepository) -> None:
    repository = open_repository()
    with repository.read() as reader:
        assert reader.paps() == ()
        assert reader.revision == repository.revision()
    close(repository)


def test_paps_keep_their_settings_and_come_in_the_order_they_were_added(repository: PolicyRepository) -> None:
    with repository.change() as writer:
        writer.add_pap(CENTRAL)
        writer.add_pap(Pap("a-3", "a"))
    with repository.read() as reader:
        assert reader.paps() == (DEFAULT, CENTRAL, Pap("a-3", "a"))


def test_an_alias_is_given_once(repository: PolicyRepository) -> None:
    with pytest.raises(PapExists), repository.change() as writer:
        writer.add_pap(Pap("other-9", "default"))
    with repository.read() as reader:
        assert reader.paps() == (DEFAULT,)


def test_policies_come_back_as_they_were_stored(repository: PolicyRepository) -> None:
    obligation = Obligation(
        Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT, (AttributeAssignment(Glite.USER_ID, "<häft&ling>"),)
    )
    full = replace(
        resource(
            "r1",
            replace(action("private_a1", rule("u1"), rule("u2", effect=Effect.DENY)), obligations=(obligation,)),
            replace(action("public_a2"), description="no rules yet", version="7"),
        ),
        obligations=(obligation, replace(obligation, assignments=())),
        description="worker nodes",
        version="12",
    )
    put(repository, full, resource("r0"))
    assert stored(repository) == (full, resource("r0"))


def test_storing_a_pap_changes_its_settings_and_version(repository: PolicyRepository) -> None:
    changed = replace(DEFAULT, enabled=False, public=False, version=5)
    put(repository, pap=changed)
    with repository.read() as reader:
        assert reader.paps() == (changed,)


def test_a_pap_that_was_never_added_cannot_be_stored(repository: PolicyRepository) -> None:
    with pytest.raises(PapNotFound):
        put(repository, resource("r"), pap=CENTRAL)
    assert stored(repository, CENTRAL) == ()


def test_the_last_stored_policies_replace_all_others(repository: PolicyRepository) -> None:
    a, b, c = (action(id, rule(f"u{id}")) for id in "abc")
    for resources in (
        (resource("r1", a, b), resource("r2", c)),
        (resource("r2", c), resource("r1", b, a)),  # another order
        (resource("r3"), resource("r2"), resource("r1", a)),  # actions gone, a resource before the others
        (resource("r1", replace(a, rules=(rule("u9"),))),),  # resources gone, a rule changed
        (resource("r4", a, b, c),),  # an action under another resource
        (),
    ):
        put(repository, *resources)
        assert stored(repository) == resources


def test_paps_do_not_touch_each_other(repository: PolicyRepository) -> None:
    with repository.change() as writer:
        writer.add_pap(CENTRAL)
    same_ids = resource("r", action("a", rule("u")))
    put(repository, same_ids)
    put(repository, replace(same_ids, description="a copy of the same resource"), pap=CENTRAL)
    put(repository)
    assert stored(repository) == ()
    assert stored(repository, CENTRAL) == (replace(same_ids, description="a copy of the same resource"),)


def test_a_block_that_raises_changes_nothing(repository: PolicyRepository) -> None:
    put(repository, resource("r1"))
    before = repository.revision()
    with undone(repository) as writer:
        writer.store(replace(DEFAULT, version=9), (resource("r2"),))
    assert stored(repository) == (resource("r1"),)
    assert repository.revision() == before


def test_what_was_undone_is_forgotten_by_later_readers(repository: PolicyRepository) -> None:
    with undone(repository) as writer:
        writer.store(DEFAULT, (resource("r", action("a", rule("u", "undone"))),))
        writer.resources(DEFAULT)
    kept = resource("r", action("a", rule("u", "kept")))
    put(repository, kept)
    assert stored(repository) == (kept,)


def test_a_writer_reads_what_it_wrote(repository: PolicyRepository) -> None:
    with repository.change() as writer:
        writer.add_pap(CENTRAL)
        writer.store(CENTRAL, (resource("r", action("a")),))
        assert writer.paps() == (DEFAULT, CENTRAL)
        assert writer.resources(CENTRAL) == (resource("r", action("a")),)


def test_the_time_of_the_last_change_is_kept(repository: PolicyRepository) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # it is kept in whole milliseconds
    with repository.change() as writer:
        writer.add_pap(Pap("id-of-changed", "changed"))
    with repository.read() as reader:
        first = reader.changed_at
    with repository.change():
        pass
    with repository.read() as reader:
        assert before <= first == reader.changed_at <= datetime.now(UTC)


def test_the_revision_grows_with_changes_only(repository: PolicyRepository) -> None:
    first = repository.revision()
    put(repository, resource("r"))
    second = repository.revision()
    with repository.change() as writer:
        writer.paps()
    with repository.read() as reader:
        assert reader.revision == second
    assert first < second == repository.revision()


def test_a_commit_is_told_after_it_can_be_read(open_repository: OpenRepository) -> None:
    seen: list[tuple[Pap, ...]] = []

    def look() -> None:
        with opened.read() as reader:
            seen.append(reader.paps())

    opened = open_repository()
    opened.on_commit(look)
    with opened.change() as writer:
        writer.add_pap(DEFAULT)
    with opened.change():
        pass
    with pytest.raises(PapExists), opened.change() as writer:
        writer.add_pap(DEFAULT)
    assert seen == [(DEFAULT,)]
    close(opened)


def test_a_reader_stays_with_the_state_it_began_with(repository: PolicyRepository) -> None:
    put(repository, resource("r1"))
    with repository.read() as reader:
        put(repository, resource("r2"), pap=replace(DEFAULT, version=1))
        assert reader.resources(DEFAULT) == (resource("r1"),)
        assert reader.paps() == (DEFAULT,)
        assert reader.revision < repository.revision()
    assert stored(repository) == (resource("r2"),)


def test_writers_that_come_together_lose_nothing(repository: PolicyRepository) -> None:
    threads, each = 4, 5
    start = threading.Barrier(threads)

    def add(number: int) -> None:
        start.wait()
        for turn in range(each):
            with repository.change() as writer:
                there = writer.resources(DEFAULT)
                (pap,) = writer.paps()
                writer.store(replace(pap, version=pap.version + 1), (*there, resource(f"r{number}-{turn}")))

    workers = [threading.Thread(target=add, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with repository.read() as reader:
        (pap,) = reader.paps()
        ids = [policy_set.id for policy_set in reader.resources(pap)]
    assert pap.version == threads * each
    assert sorted(ids) == sorted(f"r{number}-{turn}" for number in range(threads) for turn in range(each))
    for number in range(threads):
        own = [id for id in ids if id.startswith(f"r{number}-")]
        assert own == [f"r{number}-{turn}" for turn in range(each)]
