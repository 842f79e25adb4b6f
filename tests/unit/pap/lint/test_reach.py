"""Rules that never decide, and permits above bans."""

from collections.abc import Callable

import pytest

from argus_py.pap.lint.findings import Check, Finding

FindingsOf = Callable[..., list[Finding]]


def policy(*rules: str, resource: str = "wn", action: str = "run") -> str:
    """A rule a line, from line 2 on."""
    lines = "\n".join(f"rule {rule}" for rule in rules)
    return f'resource "{resource}" {{ action "{action}" {{\n{lines}\n}} }}\n'


def told(findings: list[Finding]) -> list[tuple[str, int, Check]]:
    return [(finding.place.source, finding.place.position.line, finding.check) for finding in findings]


@pytest.mark.parametrize(
    ("first", "second", "check"),
    [
        ('permit { vo="a" }', 'permit { vo="a" }', Check.DUPLICATE),
        ('permit { vo="a" }', 'permit { fqan="/a/x" vo="a" }', Check.SHADOWED),
        ('permit { vo="a" }', 'deny { vo="a" subject="CN=x" }', Check.UNREACHABLE),
        ('deny { vo="a" }', 'permit { vo="a" pfqan="/a" }', Check.UNREACHABLE),
        ('deny { subject="CN=Some One,O=x" }', 'deny { subject="/O=X/CN=some one" }', Check.DUPLICATE),
        ('deny { fqan="/a/Role=NULL" }', 'deny { fqan="/a" }', Check.DUPLICATE),
        ('permit { "action"=".*" }', 'deny { vo="a" }', Check.UNREACHABLE),
        ('permit { x509-authn-profile="igtf-.*" }', 'deny { x509-authn-profile="igtf-mics" }', Check.UNREACHABLE),
        ('deny { x509-authn-profile="a.*" }', 'deny { x509-authn-profile="ab+" }', Check.SHADOWED),
    ],
)
def test_a_rule_is_out_of_reach_behind_one_that_asks_for_less(
    findings_of: FindingsOf, first: str, second: str, check: Check
) -> None:
    assert told(findings_of(policy(first, second))) == [("1.spl", 3, check)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('permit { vo="a" pfqan="/a" }', 'permit { vo="a" }'),
        ('permit { vo="a" }', 'permit { vo="b" }'),
        ('permit { fqan="/a" }', 'permit { pfqan="/a" }'),
        ('deny { x509-authn-profile="igtf-mics" }', 'deny { x509-authn-profile="igtf-.*" }'),
        ('deny { x509-authn-profile="ab.*" }', 'deny { x509-authn-profile="ab?" }'),
        ('deny { x509-authn-profile="a.*" }', 'deny { x509-authn-profile="a[^b]" }'),
        ('deny { x509-authn-profile="a.*" }', 'deny { x509-authn-profile="ab|c" }'),
        ('deny { vo="a" }', 'permit { subject="CN=x" }'),
    ],
)
def test_a_rule_for_others_is_not(findings_of: FindingsOf, first: str, second: str) -> None:
    assert findings_of(policy(first, second)) == []


def test_resources_and_actions_count_like_what_a_rule_asks_for(findings_of: FindingsOf) -> None:
    whole = policy('deny { vo="a" }', resource="http://wn/.*", action=".*")
    part = policy('deny { vo="a" }', resource="http://wn/1[0-9]", action="run")
    assert told(findings_of(whole, part)) == [("2.spl", 2, Check.SHADOWED)]
    assert findings_of(part, whole) == []
    assert findings_of(policy('deny { vo="a" }', action="run"), policy('deny { vo="a" }', action="stop")) == []


def test_the_earlier_rule_is_named_by_its_line_or_else_by_its_file(findings_of: FindingsOf) -> None:
    [near] = findings_of(policy('permit { vo="a" }', 'permit { vo="a" }'))
    assert near.text == "it says the same as rule 1 (line 2)"
    [far] = findings_of(policy('permit { vo="a" }'), policy('permit { vo="a" }'))
    assert far.text == 'it says the same as resource "wn" > action "run" > rule 1 (line 2) of 1.spl'


def test_what_cannot_be_read_hides_nothing(findings_of: FindingsOf) -> None:
    findings = findings_of(policy('deny { subject="no name" }', 'deny { subject="no name" }'))
    assert {finding.check for finding in findings} == {Check.UNREADABLE}


@pytest.mark.parametrize(
    ("permit", "ban"),
    [
        ('permit { vo="a" }', 'deny { subject="CN=x" }'),
        ('permit { vo="a" }', 'deny { fqan="/a/suspended" }'),
        ('permit { pfqan="/a/Role=pilot" }', 'deny { fqan="/a/suspended" }'),
        ('permit { vo="a" }', 'deny { subject-issuer="CN=bad CA" }'),
        ('permit { vo="a" subject="CN=x" }', 'deny { subject="CN=x" }'),
        ('permit { subject="CN=x" }', 'deny { vo="a" subject="CN=x" pilot-classifier="p" }'),
    ],
)
def test_a_ban_below_a_permit_for_the_banned_does_not_hold(findings_of: FindingsOf, permit: str, ban: str) -> None:
    below = [finding.check for finding in findings_of(policy(permit, ban))]
    assert below in ([Check.PERMIT_ABOVE_BAN], [Check.UNREACHABLE])
    above = [finding.check for finding in findings_of(policy(ban, permit))]
    assert Check.PERMIT_ABOVE_BAN not in above


@pytest.mark.parametrize(
    ("permit", "ban"),
    [
        ('permit { vo="a" pfqan="/a" }', 'deny { vo="a" }'),  # some of it, the rest is denied
        ('permit { vo="b" }', 'deny { fqan="/a/suspended" }'),
        ('permit { subject="CN=y" }', 'deny { subject="CN=x" }'),
        ('permit { subject="CN=y" }', 'deny { vo="a" }'),  # an exception for somebody who is named
        ('permit { vo="a" }', 'deny { "action"=".*" }'),  # no ban: the rest
    ],
)
def test_a_permit_for_others_or_for_some_of_them_undoes_no_ban(findings_of: FindingsOf, permit: str, ban: str) -> None:
    assert findings_of(policy(permit, ban)) == []


def test_a_ban_holds_where_the_permit_is_for_something_else(findings_of: FindingsOf) -> None:
    ban = 'deny { subject="CN=x" }'
    assert findings_of(policy('permit { vo="a" }', resource="ce"), policy(ban, resource="wn")) == []
    assert findings_of(policy('permit { vo="a" }', action="stop"), policy(ban, action="run")) == []
    for resource in ("w.", ".*", "wn"):
        assert findings_of(policy('permit { vo="a" }', resource="wn"), policy(ban, resource=resource))
        assert findings_of(policy('permit { vo="a" }', resource=resource), policy(ban, resource="wn"))


def test_many_bans_take_no_more_than_their_number(findings_of: FindingsOf) -> None:
    bans = [f'deny {{ subject="CN={number}" }}' for number in range(3000)]
    assert findings_of(policy(*bans, 'permit { vo="a" }')) == []
    assert len(findings_of(policy('permit { vo="a" }', *bans))) == len(bans)
