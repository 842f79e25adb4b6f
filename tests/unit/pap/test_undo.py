"""The merge that takes a change back, where the commands do not lead."""

from dataclasses import replace

import pytest

from argus_py.model.response import Effect, Obligation
from argus_py.pap.paps import Pap
from argus_py.pap.state import Held, State
from argus_py.pap.undo import Touched, undone
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, Rule

PAP = Pap("default-1", "default")
RULES = tuple(Rule(id, Effect.DENY) for id in "abcd")


def action(id: str, *rules: Rule) -> Policy:
    return Policy(id, Combining.RULES_FIRST_APPLICABLE, rules)


def resource(id: str, *children: PolicySet | Policy | PolicyIdReference) -> PolicySet:
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, children)


def state(*resources: PolicySet) -> State:
    return State((Held(PAP, resources),))


def children(merged: State) -> list[str]:
    return [child.id for child in merged.held[0].resources[0].children]


def test_what_stood_between_two_that_have_changed_sides_has_no_place() -> None:
    a, b, c, d = (action(id, *RULES) for id in "abcd")
    before, after = state(resource("r", a, b, c)), state(resource("r", a, c))
    assert children(undone(before, after, state(resource("r", a, d, c)))) == ["a", "b", "d", "c"]
    with pytest.raises(Touched, match=r"^the resource r$"):
        undone(before, after, state(resource("r", c, d, a)))


def test_nested_sets_are_taken_back_element_by_element() -> None:
    a, b = action("a", *RULES), action("b", *RULES)
    before = state(resource("r", resource("s", a)))
    after = state(resource("r", resource("s")))
    merged = undone(before, after, state(resource("r", resource("s", b), resource("t"))))
    nested = merged.held[0].resources[0].children
    assert [child.id for child in nested] == ["s", "t"]
    assert isinstance(nested[0], PolicySet)
    assert [child.id for child in nested[0].children] == ["a", "b"]
    added = undone(state(resource("r")), before, state(resource("r", resource("s", a, b))))
    (left,) = added.held[0].resources[0].children
    assert left == resource("s", b)


def test_references_are_taken_back_whole() -> None:
    old, new = PolicyIdReference("p"), PolicyIdReference("p", version="2")
    before, after = state(resource("r", old)), state(resource("r", new))
    assert undone(before, after, state(resource("r", new), resource("s"))).held[0].resources[0].children == (old,)
    assert children(undone(state(resource("r")), before, state(resource("r", old, action("a"))))) == ["a"]
    with pytest.raises(Touched, match=r"^the action p$"):
        undone(state(resource("r")), before, state(resource("r", new)))


def test_an_element_that_came_and_was_altered_stays() -> None:
    described = replace(action("a", *RULES), description="since")
    before, after = state(resource("r")), state(resource("r", action("a", *RULES)))
    with pytest.raises(Touched, match=r"^the action a$"):
        undone(before, after, state(resource("r", described)))
    with pytest.raises(Touched, match=r"^the resource r$"):
        undone(state(), after, state(replace(resource("r", action("a", *RULES)), description="since")))


def test_a_rule_that_was_altered_stays() -> None:
    turned = replace(RULES[0], effect=Effect.PERMIT)
    before, after = state(resource("r", action("a"))), state(resource("r", action("a", RULES[0])))
    with pytest.raises(Touched, match=r"^the rule a$"):
        undone(before, after, state(resource("r", action("a", turned))))
    altered = state(resource("r", action("a", turned)))
    assert children(undone(after, altered, state(resource("r", action("a", turned, RULES[1]))))) == ["a"]
    with pytest.raises(Touched, match=r"^the rule a$"):
        undone(after, altered, state(resource("r", action("a", replace(turned, description="since")))))


def test_a_rule_that_went_and_came_back_as_another_stays() -> None:
    before, after = state(resource("r", action("a", *RULES))), state(resource("r", action("a", *RULES[1:])))
    another = replace(RULES[0], effect=Effect.PERMIT)
    with pytest.raises(Touched, match=r"^the rule a$"):
        undone(before, after, state(resource("r", action("a", another, *RULES[1:]))))


def test_one_of_several_obligations_of_one_id_is_the_one_at_its_place() -> None:
    first, second = Obligation("o", Effect.PERMIT), Obligation("o", Effect.DENY)
    both = replace(resource("r"), obligations=(first, second))
    one = replace(resource("r"), obligations=(first,))
    assert undone(state(one), state(both), state(both, resource("s"))).held[0].resources[0].obligations == (first,)
    changed = replace(resource("r"), obligations=(first, replace(second, fulfill_on=Effect.PERMIT)))
    with pytest.raises(Touched, match=r"^the obligation o$"):
        undone(state(one), state(both), state(changed, resource("s")))


def test_a_pap_that_was_altered_and_then_removed_stays_away() -> None:
    enabled = State((Held(replace(PAP, enabled=True)),))
    with pytest.raises(Touched, match=r"^the pap default$"):
        undone(State((Held(PAP),)), enabled, State())


def test_a_pap_that_was_removed_and_came_back_as_another_stays() -> None:
    with pytest.raises(Touched, match=r"^the pap default$"):
        undone(State((Held(PAP),)), State(), State((Held(replace(PAP, enabled=True)),)))
    assert undone(State((Held(PAP),)), State(), State((Held(PAP),))).held == (Held(PAP),)


def test_an_order_without_its_pap_is_the_order_of_the_others() -> None:
    other = Pap("other-1", "other")
    before = State((Held(PAP), Held(other)), ("other", "default"))
    after = replace(before, ordering=())
    assert undone(before, after, State((Held(PAP),), ())).ordering == ("default",)
