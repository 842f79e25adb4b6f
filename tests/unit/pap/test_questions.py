"""Who may do this?"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from argus_py.model.identifiers import DataType
from argus_py.pap.editing import Resources
from argus_py.pap.paps import Pap
from argus_py.pap.questions import Answer, who_may
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.xacml.policy import AttributeValue

ResourcesOf = Callable[[str], Resources]
DEFAULT, CENTRAL = Pap("default-1", "default", enabled=True), Pap("central-1", "central", enabled=True)


def ask(*paps: tuple[Pap, Resources], resource: str = "http://ce", action: str = "submit") -> Answer:
    return who_may(paps, resource, action, DEFAULT_MAPPINGS)


def texts(answer: Answer) -> list[str]:
    return [rule.text for rule in answer.rules]


def test_rules_come_in_the_order_of_evaluation(resources_of: ResourcesOf) -> None:
    central = resources_of('resource ".*" { action ".*" { rule deny { vo="bad" } } }')
    local = resources_of("""
        resource "http://wn" { action "submit" { rule permit { vo="other resource" } } }
        resource "http://ce" {
            action "cancel" { rule permit { vo="other action" } }
            action "submit" { rule deny { fqan="/a/test" } rule permit { vo="a" pfqan="/a/Role=x" } }
        }
        resource "http://.*" { action "sub.*" { rule permit { vo="b" } } }
    """)
    answer = ask((CENTRAL, central), (DEFAULT, local))
    assert texts(answer) == [
        'rule deny { vo="bad" }',
        'rule deny { fqan="/a/test" }',
        'rule permit { vo="a" pfqan="/a/Role=x" }',
        'rule permit { vo="b" }',
    ]
    assert [rule.pap.alias for rule in answer.rules] == ["central", "default", "default", "default"]
    assert answer.ends is None


def test_patterns_must_match_the_whole_value(resources_of: ResourcesOf) -> None:
    local = resources_of('resource "http://c" { action ".*" { rule permit { vo="a" } } }')
    assert texts(ask((DEFAULT, local))) == []


@pytest.mark.parametrize(
    ("earlier", "later", "shadowed"),
    [
        ('deny { vo="a" }', 'permit { vo="a" }', True),
        ('deny { vo="a" }', 'permit { vo="a" pfqan="/a/x" }', True),
        ('permit { vo="a" pfqan="/a/x" }', 'deny { vo="a" }', False),
        ('deny { vo="a" }', 'permit { vo="b" }', False),
        ('deny { subject="/O=x/CN=a" }', 'permit { subject="CN=A, O=X" }', True),
        ('deny { "action"=".*" }', 'permit { vo="a" }', True),
        ('deny { "resource"="http://ce" vo="a" }', 'permit { vo="a" }', True),
    ],
)
def test_a_rule_behind_one_that_asks_for_less_is_never_reached(
    resources_of: ResourcesOf, earlier: str, later: str, shadowed: bool
) -> None:
    local = resources_of(f'resource ".*" {{ action ".*" {{ rule {earlier} rule {later} }} }}')
    first, second = ask((DEFAULT, local)).rules
    assert first.shadowed_by is None
    assert second.shadowed_by == (first.rule.id if shadowed else None)


def test_a_rule_for_another_resource_is_not_told(resources_of: ResourcesOf) -> None:
    local = resources_of("""resource ".*" { action ".*" {
        rule permit { "resource"="http://wn" vo="a" } rule permit { "action"="cancel" vo="b" }
        rule permit { vo="c" } } }""")
    assert texts(ask((DEFAULT, local))) == ['rule permit { vo="c" }']


def test_a_target_that_cannot_be_evaluated_ends_every_request(resources_of: ResourcesOf) -> None:
    good, bad = resources_of("""
        resource "http://ce" { action ".*" { rule permit { vo="a" } } }
        resource "http://wn" { action ".*" { rule permit { vo="b" } } }
    """)
    ((match,),) = bad.target.resources
    broken = replace(match, value=replace(match.value, text="*"))
    bad = replace(bad, target=replace(bad.target, resources=((broken,),)))
    answer = ask((DEFAULT, (good, bad, good)))
    assert texts(answer) == ['rule permit { vo="a" }']
    assert answer.ends is not None
    assert answer.ends.startswith(f"{bad.id}: ")


def test_a_rule_with_a_condition_shadows_nothing_and_is_shadowed_by_nothing(resources_of: ResourcesOf) -> None:
    (local,) = resources_of('resource ".*" { action ".*" { rule deny { vo="a" } } }')
    (action,) = local.policies()
    (rule,) = action.rules
    sometimes = replace(rule, id="sometimes", condition=AttributeValue(DataType.BOOLEAN, "true"))
    local = replace(local, children=(replace(action, rules=(sometimes, rule, sometimes)),))
    answer = ask((DEFAULT, (local,)))
    assert [rule.shadowed_by for rule in answer.rules] == [None, None, None]
    assert texts(answer)[0] == "deny in a way SPL cannot express: it has a condition"


def test_a_rule_with_alternatives_shadows_nothing_and_is_shadowed_by_nothing(resources_of: ResourcesOf) -> None:
    (local,) = resources_of('resource ".*" { action ".*" { rule deny { vo="a" } } }')
    (action,) = local.policies()
    (rule,) = action.rules
    (alternative,) = rule.target.subjects
    odd = replace(rule, id="odd", target=replace(rule.target, subjects=(alternative, alternative)))
    local = replace(local, children=(replace(action, rules=(odd, rule, odd)),))
    answer = ask((DEFAULT, (local,)))
    assert [rule.shadowed_by for rule in answer.rules] == [None, None, None]
    assert texts(answer)[0] == "deny in a way SPL cannot express: its target has alternatives"
