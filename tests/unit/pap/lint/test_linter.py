"""The other checks: each has a policy that it complains of, and one that it does not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.editing import Resources
from argus_py.pap.lint.findings import Check, Finding, Severity, worst
from argus_py.pap.lint.linter import lint
from argus_py.pap.lint.sources import source_of_pap, source_of_text
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.xacml.policy import AttributeDesignator, AttributeValue, Combining, PolicyIdReference, PolicySet

FindingsOf = Callable[..., list[Finding]]
ResourcesOf = Callable[[str], Resources]


def policy(rule: str = 'permit { vo="a" }', resource: str = "wn", action: str = "run") -> str:
    return f'resource "{resource}" {{ action "{action}" {{ rule {rule} }} }}'


def checks(findings: list[Finding]) -> list[Check]:
    return [finding.check for finding in findings]


@pytest.mark.parametrize(
    ("wrong", "right", "check"),
    [
        (
            policy(resource="https://ce.example.org/.*"),
            policy(resource="https://ce[.]example[.]org/.*"),
            Check.LOOSE_DOT,
        ),
        (policy(action="v1.0"), policy(action="v1.*"), Check.LOOSE_DOT),
        (
            policy('permit { x509-authn-profile="a.b" }'),
            policy('permit { x509-authn-profile="a[.]b" }'),
            Check.LOOSE_DOT,
        ),
        (policy(resource="https://ce/*"), policy(resource="https://ce/.*"), Check.LOOSE_STAR),
        (policy(resource="https://ce/*"), policy(resource="https://ce[0-9]*"), Check.LOOSE_STAR),
        (policy(resource="https://ce/"), policy(resource="https://ce/.*"), Check.UNFINISHED_PATTERN),
        (policy(resource="https:"), policy(resource="(https:)?"), Check.UNFINISHED_PATTERN),
        (policy('permit { fqan="/a/*" }'), policy('permit { fqan="/a/b" }'), Check.LITERAL_STAR),
        (policy('permit { vo="*" }'), policy('permit { oidc-scope="read:*" }'), Check.LITERAL_STAR),
        (policy('deny { subject="CN=*,O=x" }'), policy('deny { subject="CN=*.example.org" }'), Check.LITERAL_STAR),
        (policy('deny { vo="a" vo="b" }'), policy('deny { fqan="/a" fqan="/b" }'), Check.CONTRADICTION),
        (policy('deny { vo="a" fqan="/b" }'), policy('deny { vo="a" fqan="/a/b" }'), Check.CONTRADICTION),
        (policy('deny { subject="CN=x" subject="CN=y" }'), policy('deny { subject="CN=x" }'), Check.CONTRADICTION),
        (policy('deny { "resource"="ce" }'), policy('deny { "resource"="w." }'), Check.CONTRADICTION),
        (policy('deny { "resource"="w." }', "ce"), policy('deny { "resource"="c." }', "ce"), Check.CONTRADICTION),
        (policy('deny { subject="nobody" }'), policy('deny { subject="CN=nobody" }'), Check.UNREADABLE),
        (policy(resource="((("), policy(resource="()"), Check.UNREADABLE),
        ("resource {", policy(), Check.SYNTAX),
        (policy('deny { dn="CN=x" }'), policy('deny { subject="CN=x" }'), Check.UNREADABLE),
    ],
)
def test_a_text_is_complained_of(findings_of: FindingsOf, wrong: str, right: str, check: Check) -> None:
    assert check in checks(findings_of(wrong))
    assert findings_of(right) == []


def test_names_that_everybody_writes_with_dots_are_let_be(findings_of: FindingsOf) -> None:
    wn, execute = "http://authz-interop.org/xacml/resource/resource-type/wn", "http://glite.org/xacml/action/execute"
    assert findings_of(policy(resource=wn, action=execute)) == []


def test_a_problem_has_its_place(findings_of: FindingsOf) -> None:
    [finding] = findings_of('resource "wn" {\n    action "run" { rule deny { subject="nobody" } }\n}')
    assert (finding.place.position.line, finding.place.position.column) == (2, 40)
    assert finding.severity is Severity.ERROR


def test_findings_come_in_the_order_of_the_text(findings_of: FindingsOf) -> None:
    text = 'resource "a.b" {\n action "c.d" {\n  rule deny { vo="*" }\n  rule deny { vo="*" }\n } }'
    assert [finding.place.position.line for finding in findings_of(text)] == [1, 2, 3, 4, 4]


def test_an_action_that_stands_alone_is_looked_at(findings_of: FindingsOf) -> None:
    assert checks(findings_of('action "run" { rule deny { vo="a" } rule deny { vo="a" } }')) == [Check.DUPLICATE]


def test_a_resource_that_leaves_requests_open_is_worth_to_know(findings_of: FindingsOf) -> None:
    only = {Check.NO_CATCH_ALL}
    rest = 'resource ".*" { action ".*" { rule deny { "action"=".*" } } }'
    here = 'resource "wn" { action "run" { rule permit { vo="a" } } action ".*" { rule deny { "resource"=".*" } } }'
    ban = 'resource ".*" { action ".*" { rule deny { subject="CN=x" } } }'
    [finding] = findings_of(policy(), checks=only)
    assert finding.severity is Severity.INFORMATION
    assert findings_of(policy(), rest, checks=only) == []
    assert findings_of(rest, policy(), checks=only) != []
    assert findings_of(here, checks=only) == []
    assert findings_of(ban, checks=only) == []


def stored(resources: Resources) -> list[Finding]:
    return [each for each in lint([source_of_pap("default", resources)], DEFAULT_MAPPINGS) if each.severity > 0]


def test_of_stored_policies_ids_are_told(resources_of: ResourcesOf) -> None:
    resources = resources_of('resource "wn" { action "run" { rule deny { vo="a" } rule deny { vo="a" } } }')
    [finding] = stored(resources)
    [action] = resources[0].policies()
    assert (finding.place.source, finding.place.id) == ("pap default", action.rules[1].id)
    assert finding.text == f"it says the same as rule 1 [{action.rules[0].id}]"


def test_an_action_that_a_java_pap_made_public_is_told(resources_of: ResourcesOf) -> None:
    [resource] = resources_of(policy('deny { vo="a" }'))
    [action] = resource.policies()
    lost = replace(resource, children=(replace(action, id="private-1"),))
    assert checks(stored((lost,))) == [Check.NOT_PRIVATE]
    kept = replace(resource, children=(replace(action, id="private_1"),))
    assert stored((kept,)) == []


def test_an_unreadable_value_that_is_stored_is_told(resources_of: ResourcesOf) -> None:
    [resource] = resources_of(policy('deny { subject="CN=x" }'))
    [action] = resource.policies()
    [rule] = action.rules
    [[match]] = rule.target.subjects
    bad = replace(match, value=AttributeValue(match.value.datatype, "nobody"))
    rule = replace(rule, target=replace(rule.target, subjects=((bad,),)))
    [finding] = stored((replace(resource, children=(replace(action, rules=(rule,)),)),))
    assert finding.check is Check.UNREADABLE
    assert finding.text.startswith('subject="nobody" cannot be read')


def test_what_is_not_first_applicable_is_not_looked_at(resources_of: ResourcesOf) -> None:
    [resource] = resources_of(policy('deny { vo="*" }'))
    others = [
        replace(resource, combining=Combining.POLICIES_FIRST_APPLICABLE.replace("first-applicable", "deny-overrides")),
        replace(resource, children=(*resource.children, PolicyIdReference("elsewhere"))),
    ]
    [action] = resource.policies()
    other = Combining.RULES_FIRST_APPLICABLE.replace("first-applicable", "deny-overrides")
    others.append(replace(resource, children=(replace(action, combining=other),)))
    for each in others:
        findings = lint([source_of_pap("default", (each,))], DEFAULT_MAPPINGS)
        assert checks(list(findings)) == [Check.NOT_CHECKED]


class Pools:
    """Knows the FQANs in ``known`` and, as persons, ``named``."""

    def __init__(self, *known: str, named: str = "CN=named", groups: bool = True) -> None:
        self._known = frozenset(map(Fqan.parse, known))
        self._named = DistinguishedName.parse_rfc2253(named)
        self._groups = groups

    def has_account(self, subject: DistinguishedName | None, fqan: Fqan) -> bool:
        return fqan in self._known or subject == self._named

    def has_group(self, subject: DistinguishedName | None, fqan: Fqan) -> bool:
        return self._groups


def accounts(
    rule: str, pools: Pools, obligation: str = "http://glite.org/xacml/obligation/local-environment-map"
) -> list[Check]:
    text = f'resource "wn" {{ obligation "{obligation}" {{ }} action "run" {{ rule {rule} }} }}'
    findings = lint([source_of_text("x", text, DEFAULT_MAPPINGS)], DEFAULT_MAPPINGS, pools)
    return [finding.check for finding in findings if finding.check in (Check.NO_ACCOUNT, Check.NO_GROUP)]


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ('permit { pfqan="/a/Role=pilot" vo="a" }', "/a/Role=pilot"),
        ('permit { fqan="/a/x" vo="a" }', "/a/x"),
        ('permit { vo="a" }', "/a"),
        ('permit { emi-vo="a" }', "/a"),
    ],
)
def test_a_permitted_fqan_needs_a_line_in_the_maps(rule: str, known: str) -> None:
    assert accounts(rule, Pools()) == [Check.NO_ACCOUNT]
    assert accounts(rule, Pools(known)) == []
    assert accounts(rule, Pools(known, groups=False)) == [Check.NO_GROUP]


@pytest.mark.parametrize(
    "rule", ['deny { vo="a" }', 'permit { subject="CN=x" }', 'permit { vo="a" subject="CN=named" }']
)
def test_who_gets_no_account_or_is_named_in_them_needs_none(rule: str) -> None:
    assert accounts(rule, Pools()) == []


def test_who_is_named_by_a_text_that_is_no_name_is_nobody_whom_the_maps_name(resources_of: ResourcesOf) -> None:
    """XACML of others may compare a name as a string."""
    obligation = 'obligation "http://glite.org/xacml/obligation/local-environment-map" { }'
    text = policy('permit { vo="a" subject="CN=named" }').replace("{", f"{{ {obligation}", 1)
    [resource] = resources_of(text)
    [action] = resource.policies()
    [rule] = action.rules
    [[vo, subject]] = rule.target.subjects
    assert isinstance(subject.designator, AttributeDesignator)
    as_text = replace(
        vo,
        value=replace(vo.value, text="no name"),
        designator=replace(subject.designator, datatype=vo.value.datatype),
    )
    rule = replace(rule, target=replace(rule.target, subjects=((vo, as_text),)))
    source = source_of_pap("default", (replace(resource, children=(replace(action, rules=(rule,)),)),))
    assert Check.NO_ACCOUNT in checks(list(lint([source], DEFAULT_MAPPINGS, Pools())))


def test_without_the_obligation_nobody_needs_an_account() -> None:
    assert accounts('permit { vo="a" }', Pools(), obligation="another") == []


def test_the_worst_finding_is_the_exit_code(findings_of: FindingsOf) -> None:
    assert worst(()) == 0
    assert worst(tuple(findings_of(policy(action="a.b")))) == 1
    assert worst(tuple(findings_of("resource"))) == 2


def test_policy_sets_without_a_resource_are_read() -> None:
    bare = PolicySet("id", Combining.POLICIES_FIRST_APPLICABLE)
    assert lint([source_of_pap("default", (bare,))], DEFAULT_MAPPINGS) == ()
