"""Whatever is done in whatever order: repositories in SQL hold what one in memory holds, now and at every revision."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import Conflict, NotFound
from argus_py.model.dn import DistinguishedName
from argus_py.model.response import Effect
from argus_py.pap.authorization import ANYONE, Acl, Permission, Principal
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.ports import PolicyReader, PolicyRepository, PolicyWriter
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.engine import connect, open_policies
from argus_py.store.sql.repository import SqlPolicies
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference, Rule
from argus_py.xacml.policy_xml import PolicySetChild

PAPS = (Pap("default-1", "default"), Pap("central-2", "central", remote=Remote("pap.example.org")))
Change = Callable[[PolicyWriter], None]
T = TypeVar("T")

descriptions = st.sampled_from([None, "one", "<two>", "d r e i"])
rules = st.builds(Rule, id=st.sampled_from("uvwxyz"), effect=st.sampled_from(Effect), description=descriptions)
policies = st.builds(
    Policy,
    id=st.sampled_from("abcde"),
    combining=st.just(Combining.RULES_FIRST_APPLICABLE),
    rules=st.lists(rules, max_size=4, unique_by=lambda rule: rule.id).map(tuple),
    description=descriptions,
    version=st.sampled_from(["1", "2"]),
)
references: st.SearchStrategy[PolicySetChild] = st.sampled_from(
    [PolicyIdReference("a"), PolicyIdReference("elsewhere"), PolicySetIdReference("far-away")]
)


@st.composite
def contents(draw: st.DrawFn) -> tuple[tuple[PolicySet, ...], tuple[PolicySet | Policy, ...]]:
    """Resources and loose objects; ids are unique, or one policy set has the ids of others."""
    left = draw(st.lists(policies, unique_by=lambda policy: policy.id))
    found: list[PolicySet | Policy] = []
    for id in draw(
        st.lists(st.sampled_from("123"), unique=draw(st.sampled_from([True, True, True, False])), max_size=3)
    ):
        taken = draw(st.integers(0, len(left)))
        own: list[PolicySetChild] = list(left[:taken])
        own += draw(st.lists(references, max_size=1))
        left = left[taken:]
        children = tuple(draw(st.permutations(own)))
        found.append(PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, children, description=draw(descriptions)))
    loose = draw(st.permutations([*found[2:], *left]))
    return tuple(each for each in found[:2] if isinstance(each, PolicySet)), tuple(loose)


paps = st.builds(
    Pap,
    id=st.sampled_from([pap.id for pap in PAPS]),
    alias=st.sampled_from(["default", "central", "other"]),
    enabled=st.booleans(),
    public=st.booleans(),
    remote=st.sampled_from([None, Remote("pap.example.org"), Remote("a", 1, "/", "http", "/CN=x")]),
    version=st.integers(0, 3),
)
principals: st.SearchStrategy[Principal] = st.sampled_from([ANYONE, DistinguishedName.parse_slash("/DC=org/CN=a, b")])
acls = st.lists(
    st.tuples(
        principals,
        st.sampled_from([Permission.ALL, Permission.POLICY_WRITE, Permission(0)]),
    ),
    max_size=2,
).map(lambda entries: Acl(tuple(entries)))


def stored(pap: Pap, content: tuple[tuple[PolicySet, ...], tuple[PolicySet | Policy, ...]], also_loose: bool) -> Change:
    return lambda writer: writer.store(pap, content[0], content[1] if also_loose else None)


def edited(edit: Callable[[tuple[PolicySet, ...]], tuple[PolicySet, ...]]) -> Change:
    """Of every pap, as commands do it: most stays as it is."""

    def change(writer: PolicyWriter) -> None:
        for pap in writer.paps():
            writer.store(pap, edit(writer.resources(pap)))

    return change


def with_rules(edit: Callable[[tuple[Rule, ...]], tuple[Rule, ...]]) -> Change:
    """Of every policy of a resource, and its Version stays as it is."""

    def of_child(child: PolicySetChild) -> PolicySetChild:
        return replace(child, rules=edit(child.rules)) if isinstance(child, Policy) else child

    return edited(
        lambda resources: tuple(replace(each, children=tuple(map(of_child, each.children))) for each in resources)
    )


def banned(rules: tuple[Rule, ...], id: str) -> tuple[Rule, ...]:
    return (Rule(id, Effect.DENY), *(rule for rule in rules if rule.id != id))


def exchanged(resources: tuple[PolicySet, ...]) -> tuple[PolicySet, ...]:
    """Each resource gets what the one before it had."""
    children = [resource.children for resource in resources]
    return tuple(
        map(lambda resource, given: replace(resource, children=given), resources, children[-1:] + children[:-1])
    )


def rotated(elements: tuple[T, ...], by: int) -> tuple[T, ...]:
    return elements[by:] + elements[:by]


edits = st.one_of(
    st.builds(lambda by: with_rules(lambda rules: rotated(rules, by)), st.integers(1, 3)),
    st.builds(lambda id: with_rules(lambda rules: banned(rules, id)), st.sampled_from("uvwxyz")),
    st.builds(lambda index: with_rules(lambda rules: rules[:index] + rules[index + 1 :]), st.integers(0, 2)),
    st.builds(lambda by: edited(lambda resources: rotated(resources, by)), st.integers(1, 2)),
    st.just(edited(exchanged)),
)


def loosened(writer: PolicyWriter) -> None:
    """The policies of the first resource belong to nothing any more."""
    for pap in writer.paps():
        if resources := writer.resources(pap):
            first, *others = resources
            emptied = replace(first, children=tuple(each for each in first.children if not isinstance(each, Policy)))
            writer.store(pap, (emptied, *others), (*writer.loose(pap), *first.policies()))


def gathered(writer: PolicyWriter) -> None:
    """The first resource gets all policies that belong to nothing."""
    for pap in writer.paps():
        if resources := writer.resources(pap):
            alone = tuple(each for each in writer.loose(pap) if isinstance(each, Policy))
            others = tuple(each for each in writer.loose(pap) if not isinstance(each, Policy))
            first = replace(resources[0], children=(*resources[0].children, *alone))
            writer.store(pap, (first, *resources[1:]), others)


def replaced(pap: Pap) -> Change:
    def change(writer: PolicyWriter) -> None:
        writer.remove_pap(pap)
        writer.add_pap(pap)

    return change


def gone_or_back(pap: Pap) -> Change:
    def change(writer: PolicyWriter) -> None:
        if any(other.id == pap.id for other in writer.paps()):
            writer.remove_pap(pap)
        else:
            writer.add_pap(pap)
            writer.store(pap, (PolicySet("1", Combining.POLICIES_FIRST_APPLICABLE),))

    return change


changes = st.one_of(
    st.builds(stored, paps, contents(), st.booleans()),
    st.builds(stored, st.sampled_from(PAPS), contents(), st.booleans()),
    edits,
    edits,
    st.sampled_from([loosened, gathered]),
    st.builds(replaced, st.sampled_from(PAPS)),
    st.builds(gone_or_back, st.sampled_from(PAPS)),
    st.builds(lambda pap, index: lambda writer: writer.add_pap(pap, index), paps, st.sampled_from([None, 0, 1])),
    st.builds(lambda pap: lambda writer: writer.remove_pap(pap), paps),
    st.builds(lambda aliases: lambda writer: writer.set_ordering(tuple(aliases)), st.permutations(["default", "x"])),
    st.builds(lambda acl: lambda writer: writer.set_acl(acl), acls),
    st.builds(
        lambda key, text: lambda writer: writer.set_setting(key, text),
        st.sampled_from("kl"),
        st.sampled_from([None, "", "v"]),
    ),
)
transactions = st.lists(
    st.tuples(st.lists(changes, min_size=1, max_size=3), st.sampled_from([True, True, True, False])),
    min_size=1,
    max_size=7,
)


class Undone(Exception):
    """What goes wrong at the end of a change."""


class Clock:
    """Goes on by a second whenever a change has been made."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def empty_database() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        open_policies(f"sqlite:///{file}").close()
        yield file


@settings(max_examples=120, deadline=None)
@given(program=transactions)
def test_sql_holds_what_memory_holds(empty_database: Path, program: list[tuple[list[Change], bool]]) -> None:
    clock = Clock()
    memory = MemoryPolicies(clock)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as at_end:
        file = Path(folder) / "policies.db"
        file.write_bytes(empty_database.read_bytes())
        sql = [SqlPolicies(connect(f"sqlite:///{file}"), clock) for _ in range(2)]  # as two processes
        for repository in sql:
            at_end.callback(repository.close)
        start: tuple[list[Change], bool] = ([filled], True)
        for number, (steps, kept) in enumerate([start, *program]):
            clock.now += timedelta(seconds=1)
            told = [run(repository, steps, kept) for repository in (memory, sql[number % 2])]
            assert told[0] == told[1]
            assert held(sql[1]) == held(memory)  # the other one does not look after every change
        assert held(sql[0]) == held(memory)
        assert sql[0].changes() == memory.changes()
        for revision in range(memory.revision() + 1):
            assert held(sql[revision % 2], revision) == held(memory, revision)


def filled(writer: PolicyWriter) -> None:
    def action(id: str, ids: str) -> Policy:
        return Policy(id, Combining.RULES_FIRST_APPLICABLE, tuple(Rule(each, Effect.PERMIT) for each in ids))

    def resource(id: str, *children: PolicySetChild) -> PolicySet:
        return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, children)

    default, central = PAPS
    for pap in PAPS:
        writer.add_pap(pap)
    in_two = (
        resource("1", action("a", "uvw"), PolicyIdReference("c"), action("b", "xy")),
        resource("2", action("c", "u")),
    )
    writer.store(default, in_two, (action("d", "z"), resource("3", action("e", ""))))
    writer.store(central, in_two[:1])


def run(repository: PolicyRepository, steps: list[Change], kept: bool) -> list[str]:
    """What was refused."""
    refused = []
    with suppress(Undone), repository.change(Note("CN=Admin", "property", "default")) as writer:
        for step in steps:
            try:
                step(writer)
            except (Conflict, NotFound) as error:
                refused.append(str(error))
        if not kept:
            raise Undone
    return refused


def held(repository: PolicyRepository, revision: int | None = None) -> tuple[object, ...]:
    with repository.read(revision) as reader:
        return everything(reader)


def everything(reader: PolicyReader) -> tuple[object, ...]:
    of_paps = [(pap, reader.modified_at(pap), reader.resources(pap), reader.loose(pap)) for pap in reader.paps()]
    settings_held = [reader.setting(key) for key in "kl"]
    return reader.revision, reader.changed_at, reader.created(), of_paps, reader.ordering(), reader.acl(), settings_held
