"""The bans of policies, and what is exported of them."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from argus_py.pap.bans import Ban, as_spl, as_values, current_bans, for_lcmaps
from argus_py.pap.editing import Resources
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.parser import parse
from argus_py.xacml.policy import AttributeDesignator, PolicyIdReference

ResourcesOf = Callable[[str], Resources]
EVERYWHERE = 'resource ".*" {{ action ".*" {{ {} }} }}'
PERMIT = 'resource "wn" { action "run" { rule permit { vo="dteam" } } }'


def bans(*paps: tuple[str, Resources], resource: str | None = None, action: str | None = None) -> dict[str, str | None]:
    """Their conditions by what they deny."""
    return {str(ban): ban.condition for ban in found(*paps, resource=resource, action=action)}


def found(*paps: tuple[str, Resources], resource: str | None = None, action: str | None = None) -> tuple[Ban, ...]:
    return current_bans(paps, DEFAULT_MAPPINGS, resource, action)


def test_a_deny_rule_about_one_attribute_of_the_subject_is_a_ban(resources_of: ResourcesOf) -> None:
    text = EVERYWHERE.format(
        'rule deny { subject="CN=a" } rule deny { vo="a" fqan="/a" } rule deny { "action"="x" } rule permit { vo="b" }'
    )
    assert bans(("default", resources_of(text))) == {'subject="CN=a"': None}


def test_bans_come_in_the_order_of_the_paps_and_each_once(resources_of: ResourcesOf) -> None:
    central = resources_of(EVERYWHERE.format('rule deny { fqan="/a/x" } rule deny { subject="CN=a,O=x" }'))
    local = resources_of(EVERYWHERE.format('rule deny { subject="CN=A,O=X" } rule deny { subject="CN=b" }'))
    told = [(ban.pap, str(ban)) for ban in found(("central", central), ("default", local))]
    assert told == [("central", 'fqan="/a/x"'), ("central", 'subject="CN=a,O=x"'), ("default", 'subject="CN=b"')]


@pytest.mark.parametrize("ban", ['subject="CN=a"', 'fqan="/dteam/x"', 'vo="dteam"'])
def test_a_ban_below_a_permit_is_not_certain(resources_of: ResourcesOf, ban: str) -> None:
    below = resources_of(PERMIT + EVERYWHERE.format(f"rule deny {{ {ban} }}"))
    above = resources_of(EVERYWHERE.format(f"rule deny {{ {ban} }}") + PERMIT)
    [condition] = bans(("default", below)).values()
    assert condition is not None
    assert condition.startswith('unless resource "wn" > action "run" > rule 1 [')
    assert bans(("default", above)) == {ban: None}


def test_a_permit_for_another_vo_or_for_what_was_not_asked_about_undoes_no_ban(
    resources_of: ResourcesOf,
) -> None:
    resources = resources_of(PERMIT + EVERYWHERE.format('rule deny { vo="atlas" } rule deny { subject="CN=a" }'))
    assert bans(("default", resources))['vo="atlas"'] is None
    assert bans(("default", resources), resource="ce")['subject="CN=a"'] is None
    assert bans(("default", resources), resource="wn", action="stop")['subject="CN=a"'] is None
    assert bans(("default", resources), resource="wn", action="run")['subject="CN=a"'] is not None


def test_a_ban_for_some_requests_is_certain_for_these_alone(resources_of: ResourcesOf) -> None:
    resources = resources_of('resource "w.*" { action "run" { rule deny { subject="CN=a" } } }')
    assert bans(("default", resources)) == {'subject="CN=a"': 'only for action "run" and resource "w.*"'}
    assert bans(("default", resources), resource="wn") == {'subject="CN=a"': 'only for action "run"'}
    assert bans(("default", resources), resource="wn", action="run") == {'subject="CN=a"': None}
    assert bans(("default", resources), resource="ce") == {}


def test_behind_a_policy_that_cannot_be_told_nothing_is_certain(resources_of: ResourcesOf) -> None:
    ban = resources_of(EVERYWHERE.format('rule deny { subject="CN=a" }'))
    [resource] = resources_of(PERMIT)
    generic = replace(resource, children=(*resource.children, PolicyIdReference("elsewhere")))
    assert list(bans(("default", (generic, *ban))).values()) != [None]
    assert list(bans(("default", (*ban, generic))).values()) == [None]


def test_a_ban_that_never_comes_to_its_turn_is_none(resources_of: ResourcesOf) -> None:
    resources = resources_of(EVERYWHERE.format('rule permit { "action"=".*" } rule deny { subject="CN=a" }'))
    assert bans(("default", resources)) == {}


def test_lcmaps_gets_names_and_fqans_in_each_spelling(resources_of: ResourcesOf) -> None:
    resources = resources_of(
        EVERYWHERE.format(
            'rule deny { subject="CN=host/node1,DC=org" } rule deny { fqan="/a/x" } rule deny { fqan="/a/Role=b" }'
        )
    )
    assert for_lcmaps(found(("default", resources))).entries == (
        "/DC=org/CN=host/node1",
        "/DC=org/CN=host\\/node1",
        "/a/x",
        "/a/x/Role=NULL",
        "/a/x/Role=NULL/Capability=NULL",
        "/a/Role=b",
        "/a/Role=b/Capability=NULL",
    )


def test_what_lcmaps_cannot_ban_or_what_is_not_certain_is_a_comment(resources_of: ResourcesOf) -> None:
    text = EVERYWHERE.format('rule deny { pfqan="/a" } rule deny { subject-issuer="CN=ca" } rule deny { vo="b" }')
    last = 'resource "wn" { action ".*" { rule deny { subject="CN=a" } } }'
    listed = for_lcmaps(found(("default", resources_of(text + last))))
    assert listed.entries == ()
    assert listed.comments == (
        'pfqan="/a": there are no such entries in this file',
        'subject-issuer="CN=ca": there are no such entries in this file',
        'vo="b": there are no such entries in this file',
        'subject="CN=a": only for resource "wn"',
    )


def test_as_a_policy_file_bans_keep_what_they_are_for(resources_of: ResourcesOf) -> None:
    text = (
        'resource "wn" { private action "run" { rule deny { subject="CN=a" } } }'
        + PERMIT
        + EVERYWHERE.format('rule deny { subject="CN=b" } rule deny { vo="atlas" }')
    )
    spl = as_spl(found(("default", resources_of(text))))
    assert spl.startswith('# subject="CN=b": unless resource "wn"')
    wn, everywhere = parse(spl)
    assert parse(spl) == parse(
        'resource "wn" { private action "run" { rule deny { subject="CN=a" } } }'
        + EVERYWHERE.format('rule deny { vo="atlas" }')
    )
    assert wn != everywhere


@pytest.mark.parametrize("above", ['rule permit { subject="CN=b" }', ""], ids=["uncertain", "without words"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "#"])
def test_no_value_of_a_ban_becomes_a_rule_of_the_policy_file(resources_of: ResourcesOf, end: str, above: str) -> None:
    """It may come from another PAP; a ban that the file cannot have stands in a comment."""
    [resource] = resources_of(EVERYWHERE.format(above + 'rule deny { vo="x" }'))
    [action] = resource.policies()
    *before, ban = action.rules
    [[match]] = ban.target.subjects
    assert isinstance(match.designator, AttributeDesignator)
    hostile = replace(
        match,
        value=replace(match.value, text=f"x{end}{EVERYWHERE.format('rule permit { vo=evil }')}"),
        designator=replace(match.designator, attribute_id="urn:of-nobody"),
    )
    ban = replace(ban, target=replace(ban.target, subjects=((hostile,),)))
    spl = as_spl(found(("default", (replace(resource, children=(replace(action, rules=(*before, ban)),)),))))
    assert re.fullmatch("# [^\r\n#]*vo=evil[^\r\n#]*\n", spl)


def test_for_programs_all_is_told(resources_of: ResourcesOf) -> None:
    resources = resources_of('resource ".*" { private action "run" { rule deny { subject="CN=a" } } }')
    assert as_values(found(("default", resources))) == [
        {
            "pap": "default",
            "attribute": "subject",
            "value": "CN=a",
            "resource": ".*",
            "action": "run",
            "private": True,
            "certain": False,
            "condition": 'only for action "run"',
        }
    ]


def test_no_bans_are_an_empty_list() -> None:
    assert for_lcmaps(()).entries == ()
    assert as_spl(()) == ""
