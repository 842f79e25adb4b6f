"""The XACML objects of a pap one by one, as the Java client works with them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import pytest

from argus_py.model.response import Effect, Obligation
from argus_py.pap.administration import Administration, PurgeStep
from argus_py.pap.editing import IdNotFound, Resources, is_private
from argus_py.pap.forest import MAX_DEPTH, NestedTooDeeply, ReferencedTwice
from argus_py.pap.history import Note
from argus_py.pap.objects import (
    BadId,
    IdTaken,
    IndexOutOfRange,
    Objects,
    RootHoldsReferencesOnly,
    RootIsFixed,
    UnequalNumbers,
    WrongVersion,
)
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, PapNotFound, Remote, RemotePapIsReadOnly
from argus_py.pap.request import Asked
from argus_py.pap.state import Loose, State
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import (
    Combining,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
)


class MemoryPap(Protocol):
    repository: MemoryPolicies
    asked: Asked
    service: Administration
    objects: Objects

    def state(self) -> State: ...

    def resources(self, alias: str = ...) -> Resources: ...


ALIAS = DEFAULT_ALIAS
DENY = Rule("rule", Effect.DENY)
POLICY = Policy("sent", Combining.RULES_FIRST_APPLICABLE, (DENY,))
POLICY_SET = PolicySet("sent", Combining.POLICIES_FIRST_APPLICABLE)
TWO = 'resource "r" { action "a" { rule permit { vo="1" } } action "b" { rule permit { vo="2" } } }'


def loose(pap: MemoryPap) -> Loose:
    return pap.state().of(ALIAS).loose


def add_set(pap: MemoryPap, index: int = -1) -> str:
    return pap.objects.add_policy_set(pap.asked, ALIAS, index, POLICY_SET).value


def add_policies(pap: MemoryPap, set_id: str, *prefixes: str | None, index: int = -1) -> tuple[str, ...] | None:
    policies = (POLICY,) * len(prefixes)
    return pap.objects.add_policies(pap.asked, ALIAS, set_id, policies, prefixes=prefixes, index=index).value


def references(*ids: str) -> tuple[PolicyIdReference, ...]:
    return tuple(map(PolicyIdReference, ids))


def test_what_the_java_client_sends_for_a_file_becomes_a_resource(pap: MemoryPap) -> None:
    id = add_set(pap)
    added = add_policies(pap, id, "public", "private", index=0)
    assert added is not None
    ((policy_set),) = pap.resources()
    assert [action.id for action in policy_set.policies()] == list(added)
    assert [is_private(action) for action in policy_set.policies()] == [False, True]
    assert added[0].startswith("public-")
    root, stored = pap.objects.list_policy_sets(pap.asked, ALIAS)
    assert (root.children, root.version) == ((PolicySetIdReference(id),), "1")
    assert (stored.children, stored.version) == (references(*added), "3")
    assert [policy.version for policy in pap.objects.list_policies(pap.asked, ALIAS)] == ["1", "1"]
    assert pap.objects.get_root_policy_set(pap.asked, ALIAS) == root
    assert pap.objects.get_policy_set(pap.asked, ALIAS, id) == stored
    assert pap.objects.get_policy(pap.asked, ALIAS, added[0]) == replace(POLICY, id=added[0])


def test_objects_go_where_their_index_says(pap: MemoryPap) -> None:
    last = add_set(pap)
    first, second = add_set(pap, 0), add_set(pap, 1)
    assert [each.id for each in pap.resources()] == [first, second, last]
    tail = add_policies(pap, first, "a") or ()
    head = add_policies(pap, first, "b", "c", index=0) or ()
    assert [each.id for each in pap.resources()[0].policies()] == [*head, *tail]


def test_an_index_out_of_range_leaves_nothing_behind(pap: MemoryPap) -> None:
    id = add_set(pap)
    before = pap.state()
    with pytest.raises(IndexOutOfRange, match=r"^Index: 2, Size: 1$"):
        add_set(pap, 2)
    with pytest.raises(IndexOutOfRange, match=r"^Index: 1, Size: 0$"):
        add_policies(pap, id, "public", index=1)
    assert pap.state() == before


def test_policies_for_a_set_that_is_not_there_are_not_stored(pap: MemoryPap) -> None:
    outcome = pap.objects.add_policies(pap.asked, ALIAS, "nope", (POLICY,), prefixes=("public",))
    assert (outcome.value, outcome.after) == (None, None)
    assert add_policies(pap, add_set(pap)) == ()
    with pytest.raises(UnequalNumbers, match="1 policies cannot be given ids with 0 prefixes"):
        pap.objects.add_policies(pap.asked, ALIAS, "nope", (POLICY,), prefixes=())


def test_an_object_that_nothing_refers_to_is_loose(pap: MemoryPap) -> None:
    bare = pap.objects.store_policy(pap.asked, ALIAS, None, POLICY).value
    named = pap.objects.store_policy(pap.asked, ALIAS, "mine", POLICY).value
    holder = pap.objects.store_policy_set(pap.asked, ALIAS, "", replace(POLICY_SET, children=references(bare))).value
    assert named == f"mine-{int(bare) + 1}"
    assert pap.resources() == ()
    assert [element.id for element in loose(pap)] == [named, holder]
    assert [policy.id for policy in pap.objects.list_policies(pap.asked, ALIAS)] == [named, bare]
    assert pap.objects.has_policy(pap.asked, ALIAS, bare)
    assert pap.objects.has_policy_set(pap.asked, ALIAS, holder)
    assert not pap.objects.has_policy_set(pap.asked, ALIAS, bare)
    assert not pap.objects.has_policy(pap.asked, ALIAS, holder)


def test_a_loose_policy_becomes_an_action_by_a_reference_to_it(pap: MemoryPap) -> None:
    policy = pap.objects.store_policy(pap.asked, ALIAS, "public", POLICY).value
    outcome = pap.objects.add_policy_set(pap.asked, ALIAS, -1, replace(POLICY_SET, children=references(policy)))
    ((policy_set),) = pap.resources()
    assert (policy_set.id, [each.id for each in policy_set.policies()]) == (outcome.value, [policy])
    assert loose(pap) == ()


@pytest.mark.parametrize("child", [PolicyIdReference("nope"), PolicySetIdReference("nope")])
def test_a_reference_to_nothing_is_refused(pap: MemoryPap, child: PolicyIdReference | PolicySetIdReference) -> None:
    with pytest.raises(IdNotFound, match="nope"):
        pap.objects.add_policy_set(pap.asked, ALIAS, -1, replace(POLICY_SET, children=(child,)))


def test_the_java_client_replaces_a_resource_in_three_steps(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TWO)
    ((before),) = pap.resources()
    new = replace(before, children=(), version="9", description="new")
    assert pap.objects.update_policy_set(pap.asked, ALIAS, before.version, new).value
    assert loose(pap) == before.children
    added = add_policies(pap, before.id, "public", index=0)
    pap.service.purge(pap.asked, ALIAS, (PurgeStep.UNREFERENCED_POLICIES,))
    ((after),) = pap.resources()
    assert (after.id, after.description, after.version) == (before.id, "new", "10")
    assert tuple(action.id for action in after.policies()) == added
    assert loose(pap) == ()


def test_an_update_needs_the_version_that_is_stored(pap: MemoryPap) -> None:
    id = add_set(pap)
    (policy,) = add_policies(pap, id, "public") or ("",)
    with pytest.raises(WrongVersion) as caught:
        pap.objects.update_policy(pap.asked, ALIAS, "77", replace(POLICY, id=policy))
    assert str(caught.value) == (
        f'Attempting to update the wrong version of PolicyId="{policy}" (requestedVersion="77", repositoryVersion="1")'
    )
    with pytest.raises(WrongVersion, match=rf'PolicySetId="{id}" \(requestedVersion="1", repositoryVersion="2"\)'):
        pap.objects.update_policy_set(pap.asked, ALIAS, "1", replace(POLICY_SET, id=id))


@pytest.mark.parametrize(("sent", "stored"), [("2", "2"), ("7", "7"), ("1", "2"), ("x", "2"), ("9" * 9999, "2")])
def test_a_version_is_stored_as_sent_unless_it_would_not_grow(pap: MemoryPap, sent: str, stored: str) -> None:
    policy = pap.objects.store_policy(pap.asked, ALIAS, "public", POLICY).value
    obliged = replace(POLICY, id=policy, version=sent, obligations=(Obligation("o", Effect.PERMIT),))
    assert pap.objects.update_policy(pap.asked, ALIAS, "1", obliged).value
    assert pap.objects.get_policy(pap.asked, ALIAS, policy) == replace(obliged, version=stored)


def test_what_is_not_there_is_not_updated(pap: MemoryPap) -> None:
    assert not pap.objects.update_policy(pap.asked, ALIAS, "1", POLICY).value
    assert not pap.objects.update_policy_set(pap.asked, ALIAS, "1", POLICY_SET).value


def test_an_update_changes_nothing_else(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TWO)
    pap.service.add_policies(pap.asked, ALIAS, TWO.replace('"r"', '"s"'))
    first, second = pap.resources()
    shown = pap.objects.get_policy_set(pap.asked, ALIAS, first.id)
    pap.objects.update_policy_set(pap.asked, ALIAS, first.version, replace(shown, version="8"))
    after = pap.resources()
    assert after == (replace(first, version="8"), second)
    assert after[1] is second


def test_the_root_gives_the_order_of_the_resources(pap: MemoryPap) -> None:
    one, two = add_set(pap), add_set(pap)
    root = pap.objects.get_root_policy_set(pap.asked, ALIAS)
    turned = replace(root, children=root.children[::-1], version="3")
    assert pap.objects.update_policy_set(pap.asked, ALIAS, "2", turned).value
    assert [each.id for each in pap.resources()] == [two, one]
    fewer = replace(root, children=root.children[:1], version="oops")
    pap.objects.update_policy_set(pap.asked, ALIAS, "3", fewer)
    assert [each.id for each in pap.resources()] == [one]
    assert [each.id for each in loose(pap)] == [two]
    assert pap.state().of(ALIAS).pap.version == 4


def test_the_root_holds_nothing_but_policy_sets(pap: MemoryPap) -> None:
    policy = pap.objects.store_policy(pap.asked, ALIAS, "public", POLICY).value
    root = pap.objects.get_root_policy_set(pap.asked, ALIAS)
    for wrong in (
        replace(root, description="x"),
        replace(root, combining="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides"),
        replace(root, children=references(policy)),
    ):
        with pytest.raises(RootHoldsReferencesOnly):
            pap.objects.update_policy_set(pap.asked, ALIAS, "0", wrong)


def test_a_removed_policy_leaves_no_reference(pap: MemoryPap) -> None:
    id = add_set(pap)
    (one, two) = add_policies(pap, id, "public", "public") or ("", "")
    assert pap.objects.remove_policy(pap.asked, ALIAS, one).value
    assert pap.objects.get_policy_set(pap.asked, ALIAS, id) == replace(
        POLICY_SET, id=id, children=references(two), version="4"
    )
    assert not pap.objects.remove_policy(pap.asked, ALIAS, one).value
    assert not pap.objects.remove_policy(pap.asked, ALIAS, id).value


def test_the_policies_of_a_removed_set_are_loose(pap: MemoryPap) -> None:
    id = add_set(pap)
    added = add_policies(pap, id, "public")
    assert pap.objects.remove_policy_set(pap.asked, ALIAS, id).value
    assert pap.resources() == ()
    assert tuple(each.id for each in loose(pap)) == added
    assert pap.state().of(ALIAS).pap.version == 2
    assert not pap.objects.remove_policy_set(pap.asked, ALIAS, id).value


def test_an_element_is_removed_with_what_it_leaves_empty(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, ALIAS, TWO)
    ((policy_set),) = pap.resources()
    (first, second) = policy_set.policies()
    pap.objects.remove_object_and_references(pap.asked, ALIAS, first.rules[0].id)
    assert [each.id for each in pap.resources()[0].policies()] == [second.id]
    pap.objects.remove_object_and_references(pap.asked, ALIAS, second.id)
    assert pap.resources() == ()


def test_loose_elements_are_removed_as_well(pap: MemoryPap) -> None:
    policy = pap.objects.store_policy(pap.asked, ALIAS, None, POLICY).value
    other = pap.objects.store_policy(pap.asked, ALIAS, None, POLICY).value
    empty = pap.objects.store_policy_set(pap.asked, ALIAS, None, POLICY_SET).value
    pap.objects.remove_object_and_references(pap.asked, ALIAS, DENY.id)  # the only rule of the first that has it
    assert [each.id for each in loose(pap)] == [empty, other]
    pap.objects.remove_object_and_references(pap.asked, ALIAS, empty)
    pap.objects.remove_object_and_references(pap.asked, ALIAS, other)
    assert loose(pap) == ()
    for id in ("", policy, "nope"):
        with pytest.raises(IdNotFound, match=rf"^Id not found: {id}$"):
            pap.objects.remove_object_and_references(pap.asked, ALIAS, id)


def test_the_root_is_not_removed(pap: MemoryPap) -> None:
    root = pap.objects.get_root_policy_set(pap.asked, ALIAS).id
    for remove in (pap.objects.remove_policy_set, pap.objects.remove_object_and_references):
        with pytest.raises(RootIsFixed, match="cannot remove the local PAP root policy set"):
            remove(pap.asked, ALIAS, root)


def test_what_is_not_found_is_named(pap: MemoryPap) -> None:
    with pytest.raises(IdNotFound, match=r"^Policy 'x' not found\.$"):
        pap.objects.get_policy(pap.asked, ALIAS, "x")
    with pytest.raises(IdNotFound, match=r"^PolicySet 'x' not found\.$"):
        pap.objects.get_policy_set(pap.asked, ALIAS, "x")
    with pytest.raises(PapNotFound):
        pap.objects.list_policies(pap.asked, "nope")


@pytest.mark.parametrize("id", ["", "x" * 201, "a\nb", "a\u202eb"])
def test_ids_that_would_spoil_logs_and_listings_are_refused(pap: MemoryPap, id: str) -> None:
    wrong = replace(POLICY, rules=(replace(DENY, id=id),))
    with pytest.raises(BadId):
        pap.objects.store_policy(pap.asked, ALIAS, "public", wrong)
    with pytest.raises(BadId):
        pap.objects.add_policies(pap.asked, ALIAS, "x", (wrong,), prefixes=("public",))
    with pytest.raises(BadId):
        pap.objects.update_policy(pap.asked, ALIAS, "1", wrong)
    with pytest.raises(BadId):
        pap.objects.add_policy_set(pap.asked, ALIAS, -1, replace(POLICY_SET, children=(replace(POLICY, id=id),)))
    with pytest.raises(BadId):
        pap.objects.add_policy_set(pap.asked, ALIAS, -1, replace(POLICY_SET, children=references(id)))
    if id:
        with pytest.raises(BadId):
            pap.objects.store_policy(pap.asked, ALIAS, id, POLICY)


def test_an_id_stands_once(pap: MemoryPap) -> None:
    with pytest.raises(IdTaken, match="rule"):
        pap.objects.store_policy(pap.asked, ALIAS, None, replace(POLICY, rules=(DENY, DENY)))
    holding = replace(POLICY_SET, children=(POLICY,))
    pap.objects.add_policy_set(pap.asked, ALIAS, -1, holding)
    with pytest.raises(IdTaken, match="sent"):
        pap.objects.add_policy_set(pap.asked, ALIAS, -1, holding)
    nested = replace(POLICY_SET, children=(replace(POLICY_SET, id="inner"),))
    pap.objects.add_policy_set(pap.asked, ALIAS, -1, nested)
    with pytest.raises(IdTaken, match="inner"):
        pap.objects.store_policy_set(pap.asked, ALIAS, None, nested)


def test_an_object_stands_at_one_place(pap: MemoryPap) -> None:
    id = add_set(pap)
    (policy,) = add_policies(pap, id, "public") or ("",)
    with pytest.raises(ReferencedTwice, match=policy):
        pap.objects.add_policy_set(pap.asked, ALIAS, -1, replace(POLICY_SET, children=references(policy)))
    inside_itself = replace(POLICY_SET, id=id, children=(PolicySetIdReference(id),))
    with pytest.raises(ReferencedTwice, match=id):
        pap.objects.update_policy_set(pap.asked, ALIAS, "2", inside_itself)


def test_sets_in_a_circle_are_refused(pap: MemoryPap) -> None:
    one = pap.objects.store_policy_set(pap.asked, ALIAS, None, POLICY_SET).value
    holding = replace(POLICY_SET, children=(PolicySetIdReference(one),))
    two = pap.objects.store_policy_set(pap.asked, ALIAS, None, holding).value
    circle = replace(POLICY_SET, id=one, children=(PolicySetIdReference(two),))
    with pytest.raises(ReferencedTwice):
        pap.objects.update_policy_set(pap.asked, ALIAS, "1", circle)


def test_sets_are_nested_within_limits(pap: MemoryPap) -> None:
    id = pap.objects.store_policy_set(pap.asked, ALIAS, None, POLICY_SET).value
    for _ in range(MAX_DEPTH):
        holding = replace(POLICY_SET, children=(PolicySetIdReference(id),))
        id = pap.objects.store_policy_set(pap.asked, ALIAS, None, holding).value
    with pytest.raises(NestedTooDeeply):
        pap.objects.store_policy_set(pap.asked, ALIAS, None, replace(POLICY_SET, children=(PolicySetIdReference(id),)))


def test_nested_sets_are_shown_apart(pap: MemoryPap) -> None:
    inner = PolicySet("inner", Combining.POLICIES_FIRST_APPLICABLE, (replace(POLICY, id="innermost"),))
    id = pap.objects.add_policy_set(pap.asked, ALIAS, -1, replace(POLICY_SET, children=(inner,))).value
    sets = {each.id: each.children for each in pap.objects.list_policy_sets(pap.asked, ALIAS)[1:]}
    assert sets == {id: (PolicySetIdReference("inner"),), "inner": references("innermost")}
    assert pap.resources()[0].children == (inner,)


@pytest.fixture
def mirror(pap: MemoryPap, resources_of: Callable[[str], Resources]) -> MemoryPap:
    central = Pap("central-1", "central", remote=Remote("pap.example.org"))
    with pap.repository.change(Note("test", "copy")) as writer:
        writer.add_pap(central)
        writer.store(central, resources_of(TWO))
    return pap


CHANGES: dict[str, Callable[[Objects, Asked], object]] = {
    "add_policy_set": lambda objects, asked: objects.add_policy_set(asked, "central", -1, POLICY_SET),
    "add_policies": lambda objects, asked: objects.add_policies(asked, "central", "1", (POLICY,), prefixes=("x",)),
    "store_policy": lambda objects, asked: objects.store_policy(asked, "central", None, POLICY),
    "store_policy_set": lambda objects, asked: objects.store_policy_set(asked, "central", None, POLICY_SET),
    "update_policy": lambda objects, asked: objects.update_policy(asked, "central", "1", POLICY),
    "update_policy_set": lambda objects, asked: objects.update_policy_set(asked, "central", "1", POLICY_SET),
    "remove_policy": lambda objects, asked: objects.remove_policy(asked, "central", "public_2"),
    "remove_policy_set": lambda objects, asked: objects.remove_policy_set(asked, "central", "1"),
    "remove_object_and_references": lambda objects, asked: objects.remove_object_and_references(asked, "central", "1"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_is_read_only(mirror: MemoryPap, change: Callable[[Objects, Asked], object]) -> None:
    with pytest.raises(RemotePapIsReadOnly):
        change(mirror.objects, mirror.asked)


def test_a_copy_can_be_read(mirror: MemoryPap) -> None:
    assert len(mirror.objects.list_policies(mirror.asked, "central")) == 2
    assert mirror.objects.get_root_policy_set(mirror.asked, "central").id == "central-1"


def test_operations_stand_in_the_history(pap: MemoryPap) -> None:
    id = add_set(pap)
    add_policies(pap, id, "public", "public")
    pap.objects.remove_policy_set(pap.asked, ALIAS, id)
    assert [change.note.command for change in pap.repository.changes(limit=3)] == [
        f"removePolicySet {id}",
        f"addPolicies {id} (2 policies)",
        f"addPolicySet {id}",
    ]
