"""A path of ids in the words of the policy language."""

from collections.abc import Callable

import pytest

from argus_py.pdp.explain import explain
from argus_py.xacml.policy import Combining, PolicySet

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
