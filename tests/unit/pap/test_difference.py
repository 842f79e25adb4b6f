"""Differences, told to people."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect
from argus_py.pap.administration import Administration, NewRule, pair
from argus_py.pap.authorization import ANYONE, Acl, Permission
from argus_py.pap.difference import Hunk, describe, hunks
from argus_py.pap.editing import Beside, End, Resources
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote
from argus_py.pap.request import Asked
from argus_py.pap.state import Difference, Held, State
from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings
from argus_py.xacml.policy import AttributeValue, Combining, Policy, PolicySet


class MemoryPap(Protocol):
    service: Administration
    asked: Asked

    def resources(self, alias: str = ...) -> Resources: ...


ALIAS = DEFAULT_ALIAS
DEFAULT = Pap("default-1", ALIAS, enabled=True)
ResourcesOf = Callable[[str], Resources]
TEXT = """\
resource "r" {
    obligation "o" { }
    action "a" {
        rule deny { subject="CN=x,O=y" }
        rule permit { vo="1" pfqan="/a" }
        rule permit { vo="2" }
        rule permit { vo="3" }
        rule permit { vo="4" }
    }
}
"""


def told(before: Resources, after: Resources, mappings: AttributeMappings = DEFAULT_MAPPINGS) -> str:
    states = (State((Held(DEFAULT, resources),)) for resources in (before, after))
    return describe(Difference.between(*states), mappings)


def test_a_ban_is_told_with_what_stands_behind_it(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TEXT.replace('"r"', '".*"').replace('"a"', '".*"'))
    outcome = pap.service.ban(pap.asked, ALIAS, pair("subject", "/O=y/CN=it's, you"))
    assert (
        describe(outcome.difference, DEFAULT_MAPPINGS)
        == """\
@@ pap default > resource ".*" > action ".*" @@
+rule deny { subject="/O=y/CN=it's, you" }
 rule deny { subject="CN=x,O=y" }
 rule permit { vo="1" pfqan="/a" }
 ...
"""
    )


def test_a_resource_is_told_whole(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TEXT)
    outcome = pap.service.ban(pap.asked, ALIAS, pair("vo", "x"), private=True)
    assert (
        describe(outcome.difference, DEFAULT_MAPPINGS)
        == """\
@@ pap default @@
+resource ".*" {
+    private action ".*" {
+        rule deny { vo="x" }
+    }
+}
 resource "r" { ... }
"""
    )
    emptied = pap.service.remove_all(pap.asked, ALIAS)
    assert describe(emptied.difference, DEFAULT_MAPPINGS).splitlines()[-len(TEXT.splitlines()) :] == [
        f"-{line}" for line in TEXT.splitlines()
    ]


def test_a_change_between_others_is_told_with_its_neighbours(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TEXT)
    (action,) = pap.resources()[0].policies()
    moved = pap.service.move(pap.asked, ALIAS, action.rules[0].id, Beside(action.rules[4].id))
    assert (
        describe(moved.difference, DEFAULT_MAPPINGS)
        == """\
@@ pap default > resource "r" > action "a" @@
-rule deny { subject="CN=x,O=y" }
 rule permit { vo="1" pfqan="/a" }
 rule permit { vo="2" }
 rule permit { vo="3" }
+rule deny { subject="CN=x,O=y" }
 rule permit { vo="4" }
"""
    )
    more = NewRule(Effect.PERMIT, (pair("vo", "5"),))
    added = pap.service.add_rule_to_action(pap.asked, ALIAS, more, action.id, End.BOTTOM)
    assert (
        describe(added.difference, DEFAULT_MAPPINGS)
        == """\
@@ pap default > resource "r" > action "a" @@
 ...
 rule deny { subject="CN=x,O=y" }
 rule permit { vo="4" }
+rule permit { vo="5" }
"""
    )


def test_the_head_of_an_element_is_told_apart_from_what_is_in_it(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TEXT)
    ((policy_set),) = pap.resources()
    added = pap.service.add_obligation(pap.asked, ALIAS, policy_set.id, "p")
    assert (
        describe(added.difference, DEFAULT_MAPPINGS)
        == """\
@@ pap default > resource "r" @@
+    obligation "p" { }
"""
    )
    (action,) = policy_set.policies()
    other = 'action "b" { description "why" rule permit { vo="9" } }'
    updated = pap.service.update_policy(pap.asked, ALIAS, action.id, other)
    lines = describe(updated.difference, DEFAULT_MAPPINGS).splitlines()
    assert lines[:5] == [
        '@@ pap default > resource "r" > action "b" @@',
        '-action "a" { }',
        '+action "b" {',
        '+    description "why"',
        "+}",
    ]


def test_versions_alone_are_not_told(resources_of: ResourcesOf) -> None:
    ((policy_set),) = resources_of(TEXT)
    assert told((policy_set,), (replace(policy_set, version="7"),)) == ""


def test_a_rule_that_is_another_one_under_its_id_is_told(resources_of: ResourcesOf) -> None:
    ((policy_set),) = resources_of(TEXT)
    (action,) = policy_set.policies()
    deny, *others = action.rules
    permit = replace(deny, effect=Effect.PERMIT)
    turned = replace(policy_set, children=(replace(action, rules=(permit, *others)),))
    assert told((policy_set,), (turned,)).splitlines()[1:4] == [
        '-rule deny { subject="CN=x,O=y" }',
        '+rule permit { subject="CN=x,O=y" }',
        ' rule permit { vo="1" pfqan="/a" }',
    ]


def test_what_the_language_has_no_words_for_is_told_in_xacml(resources_of: ResourcesOf) -> None:
    ((policy_set),) = resources_of('resource "r" { action "a" { rule permit { vo="1" } } }')
    (action,) = policy_set.policies()
    conditional = replace(action.rules[0], condition=AttributeValue(DataType.BOOLEAN, "true"))
    odd = replace(policy_set, children=(replace(action, rules=(*action.rules, replace(conditional, id="odd"))),))
    lines = told((policy_set,), (odd,)).splitlines()
    assert lines[:2] == ['@@ pap default > resource "r" > action "a" @@', ' rule permit { vo="1" }']
    assert lines[2].startswith("+<xacml:Rule ")
    assert any("Condition" in line for line in lines)
    assert told((odd,), (odd, policy_set)).splitlines()[:2] == ["@@ pap default @@", ' resource "r" { ... }']
    assert told((), (odd,)).splitlines()[1].startswith("+<xacml:PolicySet ")
    nameless = PolicySet("p", Combining.POLICIES_FIRST_APPLICABLE)
    assert told((), (nameless,)) == "@@ pap default @@\n+policy set p { }\n"


def test_loose_objects_are_told_by_their_ids() -> None:
    loose = (Policy("p", Combining.RULES_FIRST_APPLICABLE), PolicySet("s", Combining.POLICIES_FIRST_APPLICABLE))
    before, after = State((Held(DEFAULT, (), loose),)), State((Held(DEFAULT, (), loose[:1]),))
    assert describe(Difference.between(before, after), DEFAULT_MAPPINGS) == (
        "@@ pap default > referenced by nothing @@\n-policy set s\n"
    )


def test_paps_order_permissions_and_interval_have_a_line_each() -> None:
    central = Pap("central-1", "central", public=True, remote=Remote("pap.example.org", dn="/CN=pap.example.org"))
    admin = DistinguishedName.parse_slash("/O=x/CN=a")
    before = State((Held(DEFAULT),), (), Acl(((ANYONE, Permission.ALL),)))
    after = State(
        (Held(replace(DEFAULT, enabled=False)), Held(central)),
        ("central", "default"),
        Acl(((ANYONE, Permission.POLICY_WRITE), (admin, Permission.ALL))),
        timedelta(minutes=1),
    )
    assert (
        describe(Difference.between(before, after), DEFAULT_MAPPINGS)
        == """\
@@ paps @@
-default (local, enabled, private)
+default (local, disabled, private)
+central (remote, disabled, public, https://pap.example.org:8150/pap/services/, /CN=pap.example.org)
@@ order of the paps @@
+central, default
@@ access control list @@
-ANYONE : ALL
+ANYONE : POLICY_WRITE
+CN=a,O=x : ALL
@@ polling interval @@
+60 seconds
"""
    )


def test_nothing_is_told_of_no_difference() -> None:
    state = State((Held(DEFAULT),))
    assert hunks(Difference.between(state, state), DEFAULT_MAPPINGS) == ()


def test_a_difference_is_also_a_list_of_hunks(pap: MemoryPap) -> None:
    outcome = pap.service.add_policies(pap.asked, ALIAS, TEXT)
    assert hunks(outcome.difference, DEFAULT_MAPPINGS) == (
        Hunk("pap default", tuple(f"+{line}" for line in TEXT.splitlines())),
    )


@pytest.mark.parametrize("value", ["a\n-b", "a\u2028-b", "\u009b31m", "\u202edenied"])
def test_values_cannot_forge_lines_or_colours(pap: MemoryPap, value: str) -> None:
    pap.service.ban(pap.asked, ALIAS, pair("vo", "x"))
    outcome = pap.service.ban(pap.asked, ALIAS, pair("vo", value))
    place, *added, context = describe(outcome.difference, DEFAULT_MAPPINGS).removesuffix("\n").split("\n")
    assert place == '@@ pap default > resource ".*" > action ".*" @@'
    assert context == ' rule deny { vo="x" }'
    assert all(line.startswith("+") and line.isprintable() for line in added)
