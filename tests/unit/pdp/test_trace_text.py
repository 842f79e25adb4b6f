"""Explanations as people read them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect, Obligation
from argus_py.pdp.explanation import Explanation, explained
from argus_py.pdp.question import Question
from argus_py.pdp.trace_text import FEW, format_explanation
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.spl.places import lines_by_id
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Combining,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    Target,
)

FUNCTION = "urn:oasis:names:tc:xacml:1.0:function:"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = """\
resource "wn" {
    obligation "http://glite.org/xacml/obligation/local-environment-map" { }
    action "stop" { rule permit { vo="dteam" } }
    action "run" {
        rule deny { subject="/C=CH/CN=Eve" }
        rule permit { vo="dteam" pfqan="/dteam/Role=pilot" }
        rule permit { fqan="/dteam/sub" }
        rule deny { x509-subject-issuer="/CN=CA" }
    }
}
"""


def explanation(root: PolicySet | Policy, *fqans: str, action: str = "run") -> Explanation:
    return explained(root, Question.parse("/C=CH/CN=Alice", "wn", action, fqans=fqans).request(), NOW)


def told(root: PolicySet | Policy, *fqans: str, whole: bool = False) -> list[str]:
    return format_explanation(explanation(root, *fqans), whole).splitlines()


def test_the_decision_and_the_way_to_it(root_of: Callable[[str], PolicySet]) -> None:
    assert told(root_of(POLICY), "/dteam", "/dteam/sub") == [
        "Decision: Permit",
        'By: rule permit { fqan="/dteam/sub" } of action "run" of resource "wn" of pap "default"',
        "Obligation: http://glite.org/xacml/obligation/local-environment-map",
        "",
        "Permit  policy set root-default-11111111-2222-4333-8444-555555555555",
        'Permit    pap "default"  [default-11111111-2222-4333-8444-555555555555]',
        'Permit      resource "wn"  [0]',
        '                resource="wn" matches "wn"',
        '-             action "stop"  [public_1]',
        '                  action="stop" does not match "run"',
        'Permit        action "run"  [public_3]',
        '                  action="run" matches "run"',
        '-               rule deny { subject="CN=Eve,C=CH" }  [4]',
        '                    subject="CN=Eve,C=CH" does not match "CN=Alice,C=CH"',
        '-               rule permit { vo="dteam" pfqan="/dteam/Role=pilot" }  [5]',
        '                    vo="dteam" matches "dteam"',
        '                    pfqan="/dteam/Role=pilot" does not match "/dteam"',
        'Permit          rule permit { fqan="/dteam/sub" }  [6]',
        '                    fqan="/dteam/sub" matches "/dteam/sub"',
    ]


def test_where_nothing_applies_that_is_said_and_what_is_missing(root_of: Callable[[str], PolicySet]) -> None:
    lines = told(root_of(POLICY), "/dteam")
    assert lines[:3] == ["Decision: NotApplicable", "Because: no rule applies", ""]
    assert lines[3].startswith("-  ")
    assert lines[-1] == '                    x509-subject-issuer="CN=CA": the request has none'


def test_lines_of_a_policy_file_stand_beside_the_ids() -> None:
    elements = parse(POLICY)
    lowered = lower(elements, DEFAULT_MAPPINGS, map(str, count()).__next__)
    root = PolicySet("wn.spl", Combining.POLICIES_FIRST_APPLICABLE, lowered)
    lines = format_explanation(explanation(root, "/dteam/sub"), lines=lines_by_id(elements, lowered)).splitlines()
    assert lines[1] == 'By: rule permit { fqan="/dteam/sub" } of action "run" of resource "wn"'
    assert 'Permit        rule permit { fqan="/dteam/sub" }  [6, line 7]' in lines


def many_bans(number: int) -> str:
    bans = "".join(f'rule deny {{ subject="/C=CH/CN=user {each}" }}\n' for each in range(number))
    near = "".join(f'rule deny {{ vo="dteam" fqan="/dteam/{each}" }}\n' for each in range(number))
    return f'resource "wn" {{ action "run" {{ {bans} {near} rule permit {{ vo="dteam" }} }} }}'


@pytest.fixture
def long_list(root_of: Callable[[str], PolicySet]) -> PolicySet:
    return root_of(many_bans(FEW + 2))


def test_the_first_of_a_kind_stand_for_all_and_the_deciding_rule_is_always_there(long_list: PolicySet) -> None:
    lines = told(long_list, "/dteam")
    rules = [line for line in lines if " rule " in line and not line.startswith("By")]
    assert len([line for line in rules if "subject=" in line]) == FEW
    assert len([line for line in rules if "fqan=" in line]) == FEW
    assert rules[-1].startswith('Permit          rule permit { vo="dteam" }')
    assert lines[-1] == "...             4 more, looked at and not shown"


def test_all_are_shown_if_that_is_asked_for(long_list: PolicySet) -> None:
    lines = told(long_list, "/dteam", whole=True)
    assert len([line for line in lines if " rule " in line]) == 2 * (FEW + 2) + 2
    assert not any("not shown" in line for line in lines)


def deciding_last(number: int) -> PolicySet:
    """As many sets as that come to Permit, and the last one counts."""
    policies = tuple(
        Policy(f"p{each}", Combining.RULES_FIRST_APPLICABLE, (Rule("r", Effect.PERMIT),)) for each in range(number)
    )
    deny = Policy("deny", Combining.RULES_FIRST_APPLICABLE, (Rule("no", Effect.DENY),))
    return PolicySet(
        "root", "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides", (*policies, deny)
    )


def test_what_is_overridden_is_shown_as_what_it_came_to() -> None:
    lines = told(deciding_last(FEW + 1))
    assert lines[:2] == ["Decision: Deny", "By: rule deny { } of deny"]
    assert [line for line in lines if line.startswith("Permit    p")] == [
        f"Permit    policy p{each}" for each in range(FEW)
    ]
    assert lines[-3:] == [
        "Deny      policy deny",
        "Deny        rule deny { }  [no]",
        "...       1 more, looked at and not shown",
    ]


def test_conditions_errors_and_broken_references_are_told() -> None:
    rules = (
        Rule("1", Effect.DENY, condition=AttributeValue(DataType.BOOLEAN, "false")),
        Rule("2", Effect.DENY, condition=Apply(f"{FUNCTION}boolean-one-and-only", (Apply(f"{FUNCTION}boolean-bag"),))),
    )
    policy = Policy("p", Combining.RULES_FIRST_APPLICABLE, rules)
    root = PolicySet(
        "root",
        "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:permit-overrides",
        (policy, PolicyIdReference("q")),
    )
    assert told(root) == [
        "Decision: Indeterminate",
        "Because: 2: one value is wanted, there are 0",
        "",
        "error   policy set root",
        "error     policy p",
        "-           rule 1",
        "                its condition is false",
        "error       rule 2",
        "                its condition cannot be evaluated: one value is wanted, there are 0",
        "error     reference to the policy q",
        "              a reference that cannot be followed",
    ]


def test_where_only_one_may_apply_each_is_first_asked_for_its_target() -> None:
    permit = Policy("p", Combining.RULES_FIRST_APPLICABLE, (Rule("r", Effect.PERMIT),))
    only_one = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:only-one-applicable"
    assert told(PolicySet("root", only_one, (permit,)))[3:] == [
        "Permit  policy set root",
        "asked     policy p",
        "Permit    policy p",
        "Permit      rule permit { }  [r]",
    ]


def test_attributes_without_a_name_are_told_in_full(root_of: Callable[[str], PolicySet]) -> None:
    """Also those that only look like one with a name."""
    pap = root_of(POLICY).children[0]
    assert isinstance(pap, PolicySet)
    resource = pap.children[0]
    assert isinstance(resource, PolicySet)
    match = resource.target.resources[0][0]
    assert isinstance(match.designator, AttributeDesignator)
    issued = replace(match, designator=replace(match.designator, issuer="me"))
    by_path = replace(match, designator=AttributeSelector("//@Issuer", match.designator.datatype))
    strange = replace(pap, id="x", target=Target(resources=((issued,), (by_path,))))
    assert told(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (strange,)), whole=True)[-3:] == [
        "-         policy set x",
        '              resource urn:oasis:names:tc:xacml:1.0:resource:resource-id (string) issued by me="wn": '
        "the request has none",
        '              //@Issuer="wn": the request has none',
    ]


def test_many_values_and_matches_are_cut_and_counted(root_of: Callable[[str], PolicySet]) -> None:
    fqans = [f"/dteam/{number}" for number in range(20)]
    lines = told(root_of('resource "wn" { action "run" { rule deny { fqan="/ops" } } }'), *fqans)
    assert lines[-1].endswith('"/dteam/9" and 10 more')
    (policy_set,) = root_of(POLICY).children
    assert isinstance(policy_set, PolicySet)
    (resource,) = policy_set.children
    assert isinstance(resource, PolicySet)
    match = resource.target.resources[0][0]
    others = tuple((replace(match, value=replace(match.value, text=f"ce{each}")),) for each in range(FEW + 2))
    root = replace(resource, target=Target(resources=others))
    assert told(root)[4:6] == ["            2 more matches, and", '            resource="ce2" does not match "wn"']
    assert len(told(root, whole=True)) == 4 + FEW + 2


def test_no_text_of_a_policy_makes_lines_of_its_own() -> None:
    obligation = Obligation("o\nDecision: Permit", Effect.DENY)
    policy = Policy(
        "p\x1b[2J", Combining.RULES_FIRST_APPLICABLE, (Rule("r\nr", Effect.DENY),), obligations=(obligation,)
    )
    assert told(policy) == [
        "Decision: Deny",
        r"By: rule deny { }",
        r"Obligation: o\0ADecision: Permit",
        "",
        r"Deny    policy p\1B[2J",
        r"Deny      rule deny { }  [r\0Ar]",
    ]
