"""References within a delivered policy: followed, or broken with a reason."""

from dataclasses import replace

import pytest

from argus_py.model.request import Request
from argus_py.model.response import Decision, Effect
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.index import Defect, compile_policy
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference, Rule
from argus_py.xacml.references import MAX_DEPTH, PolicyTooLarge, resolve

PERMIT = Policy("p", Combining.RULES_FIRST_APPLICABLE, (Rule("permit", Effect.PERMIT),))
DENY = replace(PERMIT, rules=(Rule("deny", Effect.DENY),))


def set_of(id: str, *children: PolicySet | Policy | PolicyIdReference | PolicySetIdReference) -> PolicySet:
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, children)


def test_what_has_no_references_stays_as_it_is() -> None:
    root = set_of("root", set_of("a", PERMIT))
    assert resolve(root).root is root


def test_references_stand_for_policies_and_sets_anywhere_in_the_delivery() -> None:
    inner = set_of("s", PERMIT)
    root = set_of("root", set_of("a", PolicySetIdReference("s"), PolicyIdReference("p")), set_of("b", inner))
    resolved = resolve(root)
    assert resolved.root == set_of("root", set_of("a", inner, PERMIT), set_of("b", inner))
    assert resolved.broken == ()


def test_policies_and_sets_of_one_id_are_not_mixed_up() -> None:
    root = set_of("root", PolicySetIdReference("p"), PERMIT)
    assert resolve(root).root is root
    assert "no such PolicySet" in resolve(root).broken[0].reason


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        (PolicyIdReference("p"), "2.1"),
        (PolicyIdReference("p", version="1.*"), "1.10"),
        (PolicyIdReference("p", version="1.+"), "1.10"),
        (PolicyIdReference("p", version="1"), "1"),
        (PolicyIdReference("p", version="+"), "2.1"),
        (PolicyIdReference("p", version="*"), "1"),
        (PolicyIdReference("p", latest="1.10"), "1.10"),
        (PolicyIdReference("p", latest="1.9"), "1.9"),
        (PolicyIdReference("p", earliest="1.9", latest="2.0"), "1.10"),
        (PolicyIdReference("p", earliest="2.1"), "2.1"),
    ],
)
def test_the_newest_version_among_those_asked_for_is_taken(reference: PolicyIdReference, version: str) -> None:
    versions = [replace(PERMIT, version=each) for each in ("1", "1.9", "1.10", "2.1", "none")]
    resolved = resolve(set_of("root", reference, *versions)).root.children[0]
    assert isinstance(resolved, Policy)
    assert resolved.version == version


@pytest.mark.parametrize(
    "reference",
    [
        PolicyIdReference("p", version="3"),
        PolicyIdReference("p", version="1.0"),
        PolicyIdReference("p", earliest="1.1"),
        PolicyIdReference("p", latest="0.+"),
        PolicyIdReference("p", version="x"),
        PolicyIdReference("p", version="+.1"),
        PolicyIdReference("q"),
    ],
)
def test_what_was_not_delivered_is_a_broken_reference(reference: PolicyIdReference) -> None:
    (broken,) = resolve(set_of("root", set_of("a", reference), replace(PERMIT, version="1"))).broken
    assert broken.path == ("root", "a")
    assert f"the reference to {reference.id} cannot be followed" in broken.reason


def test_two_different_policies_of_one_version_cannot_be_told_apart() -> None:
    reference = PolicyIdReference("p")
    assert resolve(set_of("root", reference, PERMIT, set_of("a", PERMIT))).broken == ()
    assert "several" in resolve(set_of("root", reference, PERMIT, DENY)).broken[0].reason


def test_a_circle_is_broken_where_it_closes() -> None:
    root = set_of("root", set_of("a", PolicySetIdReference("b")), set_of("b", PolicySetIdReference("a"), PERMIT))
    resolved = resolve(root)
    assert [broken.path for broken in resolved.broken] == [("root", "a", "b"), ("root", "b", "a")]
    assert all("leads back" in broken.reason for broken in resolved.broken)
    assert [broken.path for broken in resolve(set_of("root", PolicySetIdReference("root"))).broken] == [("root",)]


def test_a_reference_that_is_reached_and_broken_is_an_error_and_a_defect() -> None:
    behind = set_of("root", PERMIT, PolicyIdReference("q"))
    before = set_of("root", PolicyIdReference("q"), PERMIT)
    for root, decision in ((behind, Decision.PERMIT), (before, Decision.INDETERMINATE)):
        compiled = compile_policy(root)
        assert evaluate(root, Request()).decision is decision
        assert compiled.evaluate(Request()) == evaluate(root, Request())
        reason = "the reference to q cannot be followed: no such Policy was delivered"
        assert compiled.defects == (Defect(("root",), reason),)
        assert compiled.root is root


def test_a_long_chain_of_references_ends() -> None:
    links = [set_of(str(number), PolicySetIdReference(str(number + 1))) for number in range(300)]
    (broken,) = resolve(set_of("root", PolicySetIdReference("0"), set_of("unused"))).broken
    assert "no such" in broken.reason
    resolved = resolve(set_of("root", *links[:1], set_of("all", *links[1:])))
    assert all("deeper" in broken.reason or "no such" in broken.reason for broken in resolved.broken)
    assert max(len(broken.path) for broken in resolved.broken) == MAX_DEPTH


def test_references_to_references_do_not_explode() -> None:
    levels = [
        set_of(str(number), PolicySetIdReference(str(number + 1)), PolicySetIdReference(str(number + 1)))
        for number in range(40)
    ]
    with pytest.raises(PolicyTooLarge) as refusal:
        compile_policy(set_of("root", *levels, set_of("40")))
    assert refusal.value.id == "root"


def test_many_references_to_many_versions_of_one_policy_are_refused() -> None:
    """Each would have to look at all of them."""
    versions = [replace(PERMIT, version=f"1.{number}") for number in range(400)]
    references = [PolicyIdReference("p", version=f"1.{number}") for number in range(400)]
    assert resolve(set_of("root", *references[:200], *versions)).broken == ()
    with pytest.raises(PolicyTooLarge, match="choose among more than 100000 others"):
        resolve(set_of("root", *references, *versions))


def test_what_is_delivered_beside_the_root_can_be_referred_to_and_refer_itself() -> None:
    root = set_of("root", PolicySetIdReference("s"))
    others = (set_of("s", PolicyIdReference("p")), PERMIT)
    resolved = resolve(root, others)
    assert resolved.root == set_of("root", set_of("s", PERMIT))
    assert resolved.broken == ()


def test_what_is_delivered_beside_the_root_decides_nothing_by_itself() -> None:
    root = set_of("root")
    assert resolve(root, (PERMIT,)).root is root


def test_several_of_one_version_are_told_wherever_they_were_delivered() -> None:
    root = set_of("root", PolicyIdReference("p"), PERMIT)
    (broken,) = resolve(root, (DENY,)).broken
    assert "there are several of this version" in broken.reason
