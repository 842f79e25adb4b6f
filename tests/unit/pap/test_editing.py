"""What the commands do to policies, where the recorded sequences of pap-admin do not show it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect, Obligation
from argus_py.pap import editing
from argus_py.pap.editing import Beside, End, PivotNotFound, Resources
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lift import lift_resource
from argus_py.spl.printer import format_resource
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.policy import (
    AttributeSelector,
    AttributeValue,
    Policy,
    PolicySet,
    PolicySetIdReference,
    Target,
)

ResourcesOf = Callable[[str], Resources]


def ban_of(resources_of: ResourcesOf, pair: str, head: str = 'action ".*"') -> PolicySet:
    (wanted,) = resources_of(f'resource ".*" {{ {head} {{ rule deny {{ {pair} }} }} }}')
    return renamed(wanted)


def renamed(policy_set: PolicySet) -> PolicySet:
    """With ids that no other policy has, as random ones would be."""
    (policy,) = policy_set.policies()
    rules = tuple(replace(rule, id=f"new-{rule.id}") for rule in policy.rules)
    prefix, _, number = policy.id.partition("_")
    return replace(
        policy_set, id=f"new-{policy_set.id}", children=(replace(policy, id=f"{prefix}_new-{number}", rules=rules),)
    )


def shown(resources: Resources) -> str:
    return "".join(format_resource(lift_resource(policy_set, DEFAULT_MAPPINGS)) for policy_set in resources)


@pytest.mark.parametrize(
    ("banned", "again"),
    [
        ('subject="CN=a b,DC=org"', 'subject="/DC=org/CN=a b"'),
        ('subject="CN=a b,DC=org"', 'subject="cn=A  B, DC=org"'),
        ('fqan="/vo/Role=NULL/Capability=NULL"', 'fqan="/vo"'),
        ('subject-issuer="CN=ca,O=x"', 'subject-issuer="/O=X/CN=CA"'),
    ],
)
def test_two_spellings_of_a_name_are_one_ban(resources_of: ResourcesOf, banned: str, again: str) -> None:
    there = editing.ban((), ban_of(resources_of, banned))
    assert editing.ban(there, ban_of(resources_of, again)) == there
    assert editing.unban(there, ban_of(resources_of, again)) == ()


@pytest.mark.parametrize(
    ("banned", "other"),
    [
        ('subject="CN=a,DC=org"', 'subject="CN=a,DC=ORG"'),
        ('subject="CN=a,DC=org"', 'subject-issuer="CN=a,DC=org"'),
        ('vo="a"', 'vo="A"'),
        ('fqan="/vo"', 'pfqan="/vo"'),
        ('fqan="/vo"', 'fqan="/vo/Role=x"'),
    ],
)
def test_another_name_is_another_ban(resources_of: ResourcesOf, banned: str, other: str) -> None:
    there = editing.ban((), ban_of(resources_of, banned))
    assert len(editing.single_rule(there[0]).id) > 0
    with pytest.raises(editing.BanNotFound):
        editing.unban(there, ban_of(resources_of, other))
    both = editing.ban(there, ban_of(resources_of, other))
    assert [len(policy.rules) for policy in both[0].policies()] == [2]


def test_a_stored_name_that_cannot_be_read_is_compared_as_text(resources_of: ResourcesOf) -> None:
    there = editing.ban((), ban_of(resources_of, 'fqan="/vo"'))
    rule = editing.single_rule(there[0])
    ((match,),) = rule.target.subjects
    unreadable = replace(match, value=replace(match.value, text="no fqan"))
    target = replace(rule.target, subjects=((unreadable,),))
    assert editing.normal_value(unreadable) == "no fqan"
    stored = replace(
        there[0], children=tuple(replace(p, rules=(replace(rule, target=target),)) for p in there[0].policies())
    )
    with pytest.raises(editing.BanNotFound):
        editing.unban((stored,), ban_of(resources_of, 'fqan="/vo"'))


@pytest.mark.parametrize(
    "rules",
    [
        'rule deny { subject="CN=Mallory,C=CH" vo="x" }',
        'rule permit { vo="x" } rule deny { subject="CN=Mallory,C=CH" }',
    ],
    ids=["asks for more", "stands behind a permit"],
)
def test_a_deny_rule_that_may_let_somebody_through_is_no_ban(resources_of: ResourcesOf, rules: str) -> None:
    there = resources_of(f'resource ".*" {{ action ".*" {{ {rules} }} }}')
    action = next(editing.ban(there, ban_of(resources_of, 'subject="CN=Mallory,C=CH"'))[0].policies())
    assert [rule.id.startswith("new-") for rule in action.rules] == [True, *(False for _ in action.rules[1:])]


def test_a_deny_rule_with_a_condition_is_no_ban(resources_of: ResourcesOf) -> None:
    (there,) = editing.ban((), ban_of(resources_of, 'vo="a"'))
    (action,) = there.policies()
    (rule,) = action.rules
    sometimes = replace(rule, id="sometimes", condition=AttributeValue(DataType.BOOLEAN, "false"))
    there = replace(there, children=(replace(action, rules=(sometimes,)),))
    ((banned,),) = (resource.policies() for resource in editing.ban((there,), ban_of(resources_of, 'vo="a"')))
    assert [rule.condition for rule in banned.rules] == [None, sometimes.condition]


def test_a_value_that_a_selector_finds_is_not_the_value_of_a_resource(resources_of: ResourcesOf) -> None:
    (resource,) = resources_of('resource "a" { action "b" { rule deny { vo="a" } } }')
    ((match,),) = resource.target.resources
    selecting = replace(match, designator=AttributeSelector("//a", DataType.STRING))
    assert editing.resource_value(resource) == "a"
    assert editing.resource_value(replace(resource, target=Target(resources=((selecting,),)))) is None


def test_a_ban_is_not_put_where_less_is_decided_than_its_value_says(resources_of: ResourcesOf) -> None:
    (there,) = resources_of('resource ".*" { action ".*" { rule permit { vo="x" } } }')
    ((match,),) = there.target.resources
    compared = replace(there, target=Target(resources=((replace(match, function=FunctionUri.STRING_EQUAL),),)))
    (action,) = there.policies()
    ((action_match,),) = action.target.actions
    narrow = Target(actions=((replace(action_match, function=FunctionUri.STRING_EQUAL),),))
    of_another_action = replace(there, children=(replace(action, target=narrow),))
    permits_first = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:permit-overrides"
    wanted = ban_of(resources_of, 'vo="x"')
    assert editing.ban((compared,), wanted) == (wanted, compared)
    assert editing.ban((replace(there, combining=permits_first),), wanted)[0] == wanted
    (banned,) = editing.ban((of_another_action,), wanted)
    assert banned.children[0] == wanted.children[0]


def test_a_ban_never_lands_behind_a_private_action_or_anything_else(resources_of: ResourcesOf) -> None:
    there = resources_of(
        'resource ".*" { private action ".*" { rule permit { vo="x" } } action ".*" { rule permit { vo="y" } } }'
    )
    after = editing.ban(there, ban_of(resources_of, 'vo="bad"'))
    assert [policy.rules[0].effect for policy in after[0].policies()] == [Effect.DENY, Effect.PERMIT, Effect.PERMIT]
    reference = replace(there[0], children=(PolicySetIdReference("elsewhere"), *there[0].children))
    first = editing.ban((reference,), ban_of(resources_of, 'vo="bad"'))[0].children[0]
    assert isinstance(first, Policy)


def test_an_unban_looks_into_private_actions_too(resources_of: ResourcesOf) -> None:
    there = editing.ban((), ban_of(resources_of, 'vo="x"', 'private action ".*"'))
    assert editing.is_private(next(there[0].policies()))
    assert editing.unban(there, ban_of(resources_of, 'vo="x"')) == ()


def test_a_new_rule_goes_to_the_bottom_on_every_level(resources_of: ResourcesOf) -> None:
    there = resources_of('resource "r" { action "a" { rule permit { vo="1" } } }')
    for text, expected in (
        ('resource "r" { action "a" { rule permit { vo="2" } } }', 'vo="1" } vo="2"'),
        ('resource "r" { action "b" { rule permit { vo="2" } } }', 'action "a" action "b"'),
        ('resource "s" { action "a" { rule permit { vo="2" } } }', 'resource "r" resource "s"'),
    ):
        (wanted,) = resources_of(text)
        listed = shown(editing.add_rule(there, renamed(wanted), End.BOTTOM))
        first, second = expected.split(" } " if "}" in expected else '" ', 1)
        assert listed.index(first) < listed.index(second)


def test_a_rule_with_an_obligation_on_its_resource_keeps_other_obligations(resources_of: ResourcesOf) -> None:
    there = resources_of('resource "r" { obligation "o1" {} action "a" { rule permit { vo="1" } } }')
    (wanted,) = resources_of(
        'resource "r" { obligation "o1" {} obligation "o2" {} action "a" { rule permit { vo="2" } } }'
    )
    (action,) = there[0].policies()
    for after in (
        editing.add_rule(there, renamed(wanted), End.TOP),
        editing.add_rule_to_action(there, action.id, renamed(wanted), End.TOP),
    ):
        assert [obligation.id for obligation in after[0].obligations] == ["o1", "o2"]


def test_elements_can_be_put_beside_others(resources_of: ResourcesOf) -> None:
    there = resources_of(
        'resource "1" { action "a" {} } resource "2" { action "a" {} }'.replace("{}", '{ rule deny { vo="v" } }')
    )
    (new,) = resources_of('resource "new" { action "n" { rule deny { vo="v" } } }')
    new = renamed(new)
    values = {
        place: [editing.resource_value(one) for one in editing.add_resources(there, (new,), place)]
        for place in (End.TOP, End.BOTTOM, Beside(there[1].id), Beside(there[0].id, after=True))
    }
    assert list(values.values()) == [["new", "1", "2"], ["1", "2", "new"], ["1", "new", "2"], ["1", "new", "2"]]
    with pytest.raises(PivotNotFound, match='"x" not found'):
        editing.add_resources(there, (new,), Beside("x"))
    with pytest.raises(PivotNotFound, match="inside resource"):
        editing.add_actions(there, there[0].id, tuple(new.policies()), Beside(there[1].id))


def test_obligations_are_added_once_and_removed_whole(resources_of: ResourcesOf) -> None:
    there = resources_of('resource "r" { obligation "o" {} obligation "o" {} action "a" { rule permit { vo="v" } } }')
    with pytest.raises(editing.ObligationExists):
        editing.add_obligation(there, there[0].id, Obligation("o", Effect.PERMIT))
    assert editing.remove_obligation(there, there[0].id, "o")[0].obligations == ()


def test_versions_grow_with_every_change_of_their_element(resources_of: ResourcesOf) -> None:
    before = resources_of(
        'resource "r" { action "a" { rule deny { vo="1" } rule deny { vo="2" } } action "b" { rule deny { vo="3" } } }'
    )
    (a, b) = before[0].policies()
    fewer_rules = editing.stamped(before, editing.remove(before, a.rules[0].id))
    assert [(fewer_rules[0].version, *(p.version for p in fewer_rules[0].policies()))] == [("1", "2", "1")]
    fewer_actions = editing.stamped(before, editing.remove(before, b.id))
    assert [(fewer_actions[0].version, *(p.version for p in fewer_actions[0].policies()))] == [("2", "1")]
    other_order = editing.stamped(before, editing.move(before, b.id, Beside(a.id)))
    assert [(other_order[0].version, *(p.version for p in other_order[0].policies()))] == [("2", "1", "1")]
    odd = (replace(before[0], version="1.0"),)
    assert editing.stamped(odd, editing.remove(odd, b.id))[0].version == "1"
    assert editing.stamped(before, before) == before


def test_what_spl_cannot_say_has_no_value(resources_of: ResourcesOf) -> None:
    (policy_set,) = resources_of('resource "r" { action "a" { rule deny { vo="1" } } }')
    ((match,),) = policy_set.target.resources
    two = replace(policy_set, target=replace(policy_set.target, resources=((match, match),)))
    assert editing.resource_value(policy_set) == "r"
    assert editing.resource_value(two) is None
    assert editing.add_rule((two,), policy_set, End.TOP) == (policy_set, two)


SEVERAL = """
resource "r" { action "a" { rule deny { vo="x" } rule deny { vo="y" } } action "b" { rule permit { vo="z" } } }
resource "s" { action "c" { rule permit { vo="z" } } }
"""


def test_several_removals_take_with_them_what_they_leave_empty(resources_of: ResourcesOf) -> None:
    there = resources_of(SEVERAL)
    a, b = there[0].policies()
    assert editing.remove(there, a.rules[1].id, b.rules[0].id, there[1].id) == (
        replace(there[0], children=(replace(a, rules=a.rules[:1]),)),
    )
    assert editing.remove(there, *(rule.id for rule in (*a.rules, *b.rules))) == there[1:]


def test_what_goes_with_its_holder_may_be_named_too(resources_of: ResourcesOf) -> None:
    there = resources_of(SEVERAL)
    a, _ = there[0].policies()
    for ids in ((there[0].id, a.id, a.rules[0].id), (a.rules[0].id, a.id, there[0].id)):
        assert editing.remove(there, *ids) == there[1:]
    with pytest.raises(editing.IdNotFound, match=r"^Id not found: nope$"):
        editing.remove(there, a.id, "nope", there[1].id)


def test_of_several_elements_with_an_id_the_first_is_removed(resources_of: ResourcesOf) -> None:
    there = resources_of(SEVERAL)
    a, b = there[0].policies()
    twin = replace(b, rules=(a.rules[0],))
    left = editing.remove((replace(there[0], children=(a, twin)),), a.rules[0].id)
    assert left[0].children == (replace(a, rules=a.rules[1:]), twin)


def test_thousands_of_rules_are_removed_in_one_pass(resources_of: ResourcesOf) -> None:
    (there,) = resources_of('resource "r" { action "a" { rule deny { vo="x" } } }')
    (action,) = there.policies()
    rules = tuple(replace(action.rules[0], id=f"rule-{number}") for number in range(30_000))
    many = (replace(there, children=(replace(action, rules=rules),)),)
    left = editing.remove(many, *(rule.id for rule in rules[:-1]))
    assert left == (replace(there, children=(replace(action, rules=rules[-1:]),)),)
