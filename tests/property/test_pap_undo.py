"""Whatever is done to a PAP can be taken back: the newest change exactly, an older one without harm to the others."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import ArgusError
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.response import Effect
from argus_py.pap.access import AccessControl
from argus_py.pap.administration import Administration, NewRule, PurgeStep, Scope, ensure_default_pap, pair
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.chronicle import Chronicle, UndoConflict
from argus_py.pap.distribution import Distribution
from argus_py.pap.editing import Beside, End
from argus_py.pap.objects import Objects
from argus_py.pap.paps import DEFAULT_ALIAS, Pap
from argus_py.pap.request import Asked
from argus_py.pap.state import Held, State
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import Combining, Policy, PolicySet, Rule

ASKED = Asked(Admin(DistinguishedName.parse_slash("/CN=admin")))
SET_UP = 2  # changes that make a PAP: its first pap and its access control list
ALIASES = (DEFAULT_ALIAS, "one", "two")
TEXTS = (
    'resource "r" { action "a" { rule permit { vo="1" } rule deny { vo="2" } } action "b" { rule permit { vo="3" } } }',
    'resource "s" { description "d" obligation "o" {} action "a" { rule deny { vo="4" } } }',
    'resource "r" { action "a" { rule permit { vo="5" } } } resource "s" { action "b" { rule permit { vo="6" } } }',
)


class World:
    """A PAP in memory, to which things are done that are chosen by numbers."""

    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.repository = MemoryPolicies()
        gate = Gate(lambda: Acl(((ANYONE, Permission.ALL),)))

        def new_id() -> str:
            return str(next(numbers))

        ensure_default_pap(self.repository, new_id)
        self.policies = Administration(self.repository, gate, DEFAULT_MAPPINGS, new_id)
        self.objects = Objects(self.repository, gate, new_id)
        self.paps = Distribution(self.repository, gate, new_id, lambda _pap: None)
        self.access = AccessControl(self.repository, gate)
        self.chronicle = Chronicle(self.repository, gate)
        self.access.set_acl(ASKED, Acl(((ANYONE, Permission.ALL),)))

    def state(self, revision: int | None = None) -> State:
        with self.repository.read(revision) as reader:
            return State.read(reader)

    def ids(self, alias: str) -> list[str]:
        """Of everything that a pap holds."""
        return ["nothing", *(id for held in self.state().held if held.pap.alias == alias for id in ids_of(held))]

    def do(self, choice: int, a: int, b: int) -> None:
        """What cannot be done is not done."""
        with suppress(ArgusError):
            DEEDS[choice % len(DEEDS)](self, a, b)


def ids_of(held: Held) -> Iterator[str]:
    for element in (*held.resources, *held.loose):
        yield element.id
        for action in element.policies() if isinstance(element, PolicySet) else (element,):
            yield action.id
            yield from (rule.id for rule in action.rules)


def alias_of(number: int) -> str:
    return ALIASES[number % len(ALIASES)] if number % 2 else DEFAULT_ALIAS


def one_of(choices: list[str], number: int) -> str:
    return choices[number % len(choices)]


def beside(world: World, a: int, b: int) -> Beside:
    return Beside(one_of(world.ids(alias_of(a)), b), after=bool(a % 2))


def cleared(world: World, a: int, b: int) -> None:
    """The references of a resource, as the Java client does before it puts in new ones."""
    sets = world.objects.list_policy_sets(ASKED, alias_of(a))
    chosen = sets[b % len(sets)]
    world.objects.update_policy_set(ASKED, alias_of(a), chosen.version, replace(chosen, children=chosen.children[1:]))


ORDERS = [order for size in range(4) for order in itertools.permutations(ALIASES, size)]
RULE = NewRule(Effect.PERMIT, (pair("vo", "7"),), obligation="o")
POLICY = Policy("", Combining.RULES_FIRST_APPLICABLE, (Rule("rule", Effect.DENY),))
DEEDS: tuple[Callable[[World, int, int], object], ...] = (
    lambda world, a, b: world.policies.add_policies(ASKED, alias_of(a), TEXTS[b % 3]),
    lambda world, a, b: world.policies.add_policies(ASKED, alias_of(a), TEXTS[b % 3], End.TOP),
    lambda world, a, b: world.policies.add_policies(ASKED, alias_of(a), TEXTS[b % 3], beside(world, a, b)),
    lambda world, a, b: world.policies.update_policy(
        ASKED, alias_of(a), one_of(world.ids(alias_of(a)), b), TEXTS[a % 2]
    ),
    lambda world, a, b: world.policies.ban(ASKED, alias_of(a), pair("vo", str(b % 4)), Scope("r", "a")),
    lambda world, a, b: world.policies.ban(ASKED, alias_of(a), pair("vo", str(b % 4)), private=bool(b % 3)),
    lambda world, a, b: world.policies.unban(ASKED, alias_of(a), pair("vo", str(b % 4))),
    lambda world, a, b: world.policies.add_rule(ASKED, alias_of(a), RULE, Scope("r", "a"), [*End][b % 2]),
    lambda world, a, b: world.policies.add_rule_to_action(
        ASKED, alias_of(a), RULE, one_of(world.ids(alias_of(a)), b), End.TOP
    ),
    lambda world, a, b: world.policies.remove(ASKED, alias_of(a), [one_of(world.ids(alias_of(a)), b)]),
    lambda world, a, b: world.policies.remove(ASKED, alias_of(a), [one_of(world.ids(alias_of(a)), b + 1)]),
    lambda world, a, b: world.policies.move(
        ASKED, alias_of(a), one_of(world.ids(alias_of(a)), b // 7), beside(world, a, b)
    ),
    lambda world, a, b: world.policies.add_obligation(
        ASKED, alias_of(a), one_of(world.ids(alias_of(a)), b), f"o{b % 2}"
    ),
    lambda world, a, b: world.policies.remove_obligation(ASKED, alias_of(a), one_of(world.ids(alias_of(a)), b), "o"),
    lambda world, a, _: world.policies.remove_all(ASKED, alias_of(a)),
    lambda world, a, _: world.policies.purge(ASKED, alias_of(a), tuple(PurgeStep)),
    lambda world, a, _: world.objects.store_policy(ASKED, alias_of(a), "public", POLICY),
    cleared,
    lambda world, a, b: world.paps.add_pap(ASKED, Pap("", ALIASES[1 + a % 2], enabled=bool(b % 2))),
    lambda world, a, b: world.paps.add_pap(ASKED, Pap("", ALIASES[1 + a % 2], enabled=bool(b % 2))),
    lambda world, a, b: world.paps.update_pap(ASKED, Pap("", ALIASES[1 + a % 2], public=bool(b % 2))),
    lambda world, a, _: world.paps.remove_pap(ASKED, ALIASES[1 + a % 2]),
    lambda world, a, b: world.paps.set_enabled(ASKED, ALIASES[a % 3], bool(b % 2)),
    lambda world, a, b: world.paps.set_ordering(ASKED, ORDERS[(a + b) % len(ORDERS)]),
    lambda world, a, _: world.paps.set_polling_interval(ASKED, timedelta(seconds=1 + a % 3)),
    lambda world, a, b: world.access.add_entry(ASKED, Fqan(f"/vo{a % 3}"), [*Permission][b % 5]),
    lambda world, a, _: world.access.remove_entry(ASKED, Fqan(f"/vo{a % 3}")),
)
programs = st.lists(st.tuples(st.integers(0, len(DEEDS) - 1), st.integers(0, 99), st.integers(0, 99)), max_size=12)


def bare(state: State) -> State:
    """Without the Versions, which grow for ever."""
    return replace(
        state,
        held=tuple(
            Held(
                replace(held.pap, version=0),
                tuple(map(without_version, held.resources)),
                tuple(map(loose_without_version, held.loose)),
            )
            for held in state.held
        ),
    )


def without_version(element: PolicySet) -> PolicySet:
    return replace(
        element,
        version="",
        children=tuple(
            replace(child, version="") if isinstance(child, Policy) else child for child in element.children
        ),
    )


def loose_without_version(element: PolicySet | Policy) -> PolicySet | Policy:
    return replace(element, version="") if isinstance(element, Policy) else without_version(element)


def done(program: list[tuple[int, int, int]]) -> World:
    world = World()
    for deed in program:
        world.do(*deed)
    return world


def undo(world: World, revision: int) -> int | None:
    """The revision that is in the way, if one is."""
    try:
        world.chronicle.undo(ASKED, revision)
    except UndoConflict as conflict:
        return conflict.touched_by
    return None


@settings(max_examples=200, deadline=None)
@given(program=programs)
def test_changes_are_undone_one_after_the_other_down_to_the_first(program: list[tuple[int, int, int]]) -> None:
    world = done(program)
    for revision in range(world.repository.revision(), SET_UP, -1):
        world.chronicle.undo(ASKED, revision)
        assert bare(world.state()) == bare(world.state(revision - 1)), world.repository.changes()[0]


@settings(max_examples=300, deadline=None)
@given(program=programs, revision=st.integers(SET_UP + 1, SET_UP + 12))
def test_an_older_change_is_undone_without_harm_to_the_others(
    program: list[tuple[int, int, int]], revision: int
) -> None:
    world = done(program)
    if revision > world.repository.revision():
        return
    before, after, now = world.state(revision - 1), world.state(revision), world.state()
    culprit = undo(world, revision)
    if culprit:
        assert revision < culprit <= world.repository.revision()
        assert world.state() == now
        return
    was, became, there, left = (
        {id for held in state.held for id in ids_of(held)} for state in (before, after, now, world.state())
    )
    assert left >= there - (became - was)  # what others have done stays
    assert left <= there | (was - became)  # and nothing comes but what the change had removed
    assert not (was - became) - left  # which comes back
