"""A path of ids in the words of the policy language."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from argus_py.model.identifiers import DataType, Glite
from argus_py.pdp.explain import asked_of, explain, pap_alias
from argus_py.xacml.policy import AttributeDesignator, AttributeValue, Category, Combining, Match, PolicySet

POLICY = 'resource "wn" { action "run" { rule deny { vo="a" fqan="/a" } rule permit { vo="dteam" } } }'


@pytest.fixture
def root(root_of: Callable[[str], PolicySet]) -> PolicySet:
    return root_of(POLICY)


def path_to(root: PolicySet, *below_pap: str) -> tuple[str, ...]:
    return (root.id, root.children[0].id, *below_pap)


@pytest.mark.parametrize(
    ("below_pap", "words"),
    [
        (("0", "public_1", "3"), 'rule permit { vo="dteam" } of action "run" of resource "wn" of pap "default"'),
        (("0", "public_1", "2"), 'rule deny { vo="a" fqan="/a" } of action "run" of resource "wn" of pap "default"'),
        (("0", "public_1", "99"), '99, which is no longer there of action "run" of resource "wn" of pap "default"'),
        (("0",), 'resource "wn" of pap "default"'),
        ((), 'pap "default"'),
    ],
)
def test_every_step_is_told_innermost_first(root: PolicySet, below_pap: tuple[str, ...], words: str) -> None:
    assert explain(root, path_to(root, *below_pap)) == words


def test_the_outermost_set_is_named_only_alone(root: PolicySet) -> None:
    assert explain(root, (root.id,)) == root.id
    assert explain(root, ()) == ""


def test_what_the_language_has_no_words_for_is_named_by_its_id(root: PolicySet) -> None:
    foreign = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (root,))
    pap_id = root.children[0].id
    assert explain(foreign, ("root", root.id, pap_id)) == f'{pap_id} of pap "root-default"'


def test_only_what_a_pap_has_named_is_called_one(root: PolicySet) -> None:
    assert pap_alias(path_to(root)) == "default"
    assert [pap_alias(path) for path in ((), (root.id,), ("root", "policies"))] == [None, None, None]
    strange = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (replace(root, id="policies"),))
    assert explain(strange, ("root", "policies")) == "policies"


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "vo"),
        ({"must_be_present": True}, "vo"),
        ({"issuer": "me"}, f"subject {Glite.VIRTUAL_ORGANIZATION} (string) issued by me"),
        ({"datatype": DataType.FQAN}, f"subject {Glite.VIRTUAL_ORGANIZATION} (fqan)"),
        ({"category": Category.ACTION}, f"action {Glite.VIRTUAL_ORGANIZATION} (string)"),
    ],
)
def test_an_attribute_has_its_name_only_if_it_is_the_very_one(changed: dict[str, Any], name: str) -> None:
    designator = AttributeDesignator(Category.SUBJECT, Glite.VIRTUAL_ORGANIZATION, DataType.STRING)
    asked = Match("any", AttributeValue(DataType.STRING, "x"), replace(designator, **changed))
    assert asked_of(asked) == name
