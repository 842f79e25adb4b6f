"""The history: what was changed, how it differs, and taking a change back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from argus_py.model.fqan import Fqan
from argus_py.model.response import Effect
from argus_py.pap.access import AccessControl, NobodyCouldChangeIt
from argus_py.pap.administration import Administration, NewRule, PurgeStep, Scope, pair
from argus_py.pap.authorization import ANYONE, Acl, ActNotPermitted, Permission
from argus_py.pap.chronicle import Chronicle, UndoConflict
from argus_py.pap.distribution import Distribution
from argus_py.pap.editing import Beside, End, Resources
from argus_py.pap.history import Note
from argus_py.pap.objects import Objects
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote, RemotePapIsReadOnly
from argus_py.pap.ports import RevisionNotFound
from argus_py.pap.request import Asked, RevisionChanged
from argus_py.pap.state import State
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet


class MemoryPap(Protocol):
    acl: Acl
    repository: MemoryPolicies
    asked: Asked
    service: Administration
    objects: Objects
    distribution: Distribution
    access: AccessControl
    chronicle: Chronicle

    def state(self) -> State: ...

    def text(self) -> str: ...

    def resources(self, alias: str = ...) -> Resources: ...


ALIAS = DEFAULT_ALIAS
PERMIT = NewRule(Effect.PERMIT, (pair("vo", "new"),))
TWO = 'resource "r" { action "a" { rule deny { vo="1" } rule permit { vo="2" } } }\n'


def ban(pap: MemoryPap, vo: str) -> int:
    """The revision."""
    return pap.service.ban(pap.asked, ALIAS, pair("vo", vo)).after or 0


def add(pap: MemoryPap, text: str = TWO) -> int:
    return pap.service.add_policies(pap.asked, ALIAS, text).after or 0


def undo(pap: MemoryPap, revision: int) -> None:
    pap.chronicle.undo(pap.asked, revision)


def rules(pap: MemoryPap) -> list[str]:
    """As listed."""
    return [line.strip() for line in pap.text().splitlines() if line.strip().startswith("rule")]


def test_changes_are_told_the_newest_first(pap: MemoryPap) -> None:
    first, second = ban(pap, "x"), add(pap)
    changes = pap.chronicle.changes(pap.asked, limit=2)
    assert [(change.revision, change.note) for change in changes] == [
        (second, Note("CN=Admin,DC=example,DC=org", "add-policies-from-file (1 resource, 1 action, 2 rules)", ALIAS)),
        (first, Note("CN=Admin,DC=example,DC=org", "ban vo x", ALIAS)),
    ]
    assert [change.revision for change in pap.chronicle.changes(pap.asked, before=second)] == [2, 1]


def test_a_difference_is_that_of_any_two_states(pap: MemoryPap) -> None:
    start = pap.repository.revision()
    ban(pap, "x")
    end = add(pap)
    (changed,) = pap.chronicle.difference(pap.asked, start, end).paps
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before.resources, changed.after.resources) == ((), pap.resources())
    assert pap.chronicle.difference(pap.asked, end, end).is_empty
    (back,) = pap.chronicle.difference(pap.asked, end, start).paps
    assert (back.before, back.after) == (changed.after, changed.before)


@pytest.mark.parametrize("revision", [-1, 0, 99])
def test_a_revision_that_never_was_cannot_be_undone(pap: MemoryPap, revision: int) -> None:
    with pytest.raises(RevisionNotFound):
        undo(pap, revision)
    with pytest.raises(RevisionNotFound):
        pap.chronicle.difference(pap.asked, 0, 99)


def test_an_undo_is_a_change_that_can_be_undone(pap: MemoryPap) -> None:
    banned = ban(pap, "x")
    outcome = pap.chronicle.undo(pap.asked, banned)
    assert pap.resources() == ()
    assert pap.repository.changes()[0].note == Note("CN=Admin,DC=example,DC=org", f"undo {banned}", ALIAS)
    undo(pap, outcome.after or 0)
    assert rules(pap) == ['rule deny { vo="x" }']


def test_what_is_undone_already_is_left_alone(pap: MemoryPap) -> None:
    banned = ban(pap, "x")
    undo(pap, banned)
    assert pap.chronicle.undo(pap.asked, banned).after is None


def test_versions_grow_when_a_change_is_undone(pap: MemoryPap) -> None:
    add(pap)
    changed = pap.service.add_rule(pap.asked, ALIAS, PERMIT, Scope("r", "a")).after or 0
    undo(pap, changed)
    ((policy_set),) = pap.resources()
    assert [action.version for action in policy_set.policies()] == ["3"]


def test_of_two_bans_the_first_is_undone_and_the_second_stays(pap: MemoryPap) -> None:
    first = ban(pap, "x")
    ban(pap, "y")
    undo(pap, first)
    assert rules(pap) == ['rule deny { vo="y" }']


def test_a_resource_that_was_added_to_keeps_what_was_added(pap: MemoryPap) -> None:
    added = add(pap)
    pap.service.add_rule(pap.asked, ALIAS, PERMIT, Scope("r", "a"))
    undo(pap, added)
    assert rules(pap) == ['rule permit { vo="new" }']


def test_a_removed_ban_comes_back_before_what_was_put_in_its_place(pap: MemoryPap) -> None:
    add(pap)
    (action,) = pap.resources()[0].policies()
    removed = pap.service.remove(pap.asked, ALIAS, [action.rules[0].id]).after or 0
    pap.service.add_rule_to_action(pap.asked, ALIAS, PERMIT, action.id, End.TOP)
    undo(pap, removed)
    assert rules(pap) == ['rule deny { vo="1" }', 'rule permit { vo="new" }', 'rule permit { vo="2" }']


def test_a_removed_permit_comes_back_behind_what_was_put_in_its_place(pap: MemoryPap) -> None:
    add(pap)
    (action,) = pap.resources()[0].policies()
    removed = pap.service.remove(pap.asked, ALIAS, [action.rules[1].id]).after or 0
    deny = NewRule(Effect.DENY, (pair("vo", "new"),))
    pap.service.add_rule_to_action(pap.asked, ALIAS, deny, action.id, End.BOTTOM)
    undo(pap, removed)
    assert rules(pap) == ['rule deny { vo="1" }', 'rule deny { vo="new" }', 'rule permit { vo="2" }']


def test_a_resource_with_permits_comes_back_behind_later_bans(pap: MemoryPap) -> None:
    add(pap)
    removed = pap.service.remove_all(pap.asked, ALIAS).after or 0
    ban(pap, "x")
    undo(pap, removed)
    assert rules(pap)[0] == 'rule deny { vo="x" }'
    assert len(rules(pap)) == 3


def test_a_move_is_undone_beside_other_changes(pap: MemoryPap) -> None:
    add(pap, TWO + TWO.replace('"r"', '"s"') + TWO.replace('"r"', '"t"'))
    r, s, t = (each.id for each in pap.resources())
    moved = pap.service.move(pap.asked, ALIAS, r, Beside(t, after=True)).after or 0
    ban(pap, "x")
    undo(pap, moved)
    assert [each.id for each in pap.resources()][1:] == [r, s, t]


def test_an_order_that_was_changed_again_is_a_conflict(pap: MemoryPap) -> None:
    add(pap, TWO + TWO.replace('"r"', '"s"') + TWO.replace('"r"', '"t"'))
    r, s, t = (each.id for each in pap.resources())
    moved = pap.service.move(pap.asked, ALIAS, r, Beside(t, after=True)).after or 0
    again = pap.service.move(pap.asked, ALIAS, s, Beside(t, after=True)).after or 0
    with pytest.raises(UndoConflict) as caught:
        undo(pap, moved)
    assert (caught.value.element, caught.value.touched_by) == ("the pap default", again)


def test_a_conflict_names_the_element_and_who_touched_it_first(pap: MemoryPap) -> None:
    add(pap, TWO.replace("} } }", '} } action "b" { rule permit { vo="3" } } }'))
    (action, _) = pap.resources()[0].policies()
    obliged = pap.service.add_obligation(pap.asked, ALIAS, action.id, "o").after or 0
    ban(pap, "x")
    culprit = pap.service.remove(pap.asked, ALIAS, [action.id]).after or 0
    ban(pap, "y")
    before = pap.state()
    with pytest.raises(UndoConflict) as caught:
        undo(pap, obliged)
    assert str(caught.value) == (
        f"revision {obliged} cannot be undone: the action {action.id} was changed by revision {culprit} since"
    )
    assert (caught.value.revision, caught.value.touched_by) == (obliged, culprit)
    assert pap.state() == before


def test_a_text_that_was_changed_again_is_a_conflict(pap: MemoryPap) -> None:
    add(pap)
    id = pap.resources()[0].id
    first = pap.service.update_policy(pap.asked, ALIAS, id, TWO.replace("{ action", '{ description "one" action'))
    undo_of_another = ban(pap, "x")
    second = pap.service.update_policy(pap.asked, ALIAS, id, TWO.replace("{ action", '{ description "two" action'))
    with pytest.raises(UndoConflict, match=f"the resource {id} was changed by revision {second.after}"):
        undo(pap, first.after or 0)
    undo(pap, undo_of_another)
    assert len(rules(pap)) == 2


def test_obligations_are_taken_back_one_by_one(pap: MemoryPap) -> None:
    add(pap)
    id = pap.resources()[0].id
    first = pap.service.add_obligation(pap.asked, ALIAS, id, "one").after or 0
    pap.service.add_obligation(pap.asked, ALIAS, id, "two")
    undo(pap, first)
    assert [each.id for each in pap.resources()[0].obligations] == ["two"]


def test_a_removed_pap_comes_back_to_its_place_with_its_policies(pap: MemoryPap) -> None:
    for alias in ("a", "b", "c"):
        pap.distribution.add_pap(pap.asked, Pap("", alias))
    pap.service.add_policies(pap.asked, "b", TWO)
    pap.distribution.set_ordering(pap.asked, ("default", "c"))
    before = pap.state()
    with pap.repository.read() as reader:
        order = reader.paps()
    removed = pap.distribution.remove_pap(pap.asked, "b").after or 0
    ban(pap, "x")
    undo(pap, removed)
    with pap.repository.read() as reader:
        assert [each.alias for each in reader.paps()] == [each.alias for each in order]
    assert pap.state().of("b") == before.of("b")


def test_a_removed_pap_does_not_come_back_beside_another_of_its_name(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, Pap("", "a"))
    removed = pap.distribution.remove_pap(pap.asked, "a").after or 0
    culprit = pap.distribution.add_pap(pap.asked, Pap("", "a")).after or 0
    with pytest.raises(UndoConflict, match=f"the pap a was changed by revision {culprit}"):
        undo(pap, removed)


def test_a_pap_that_was_filled_does_not_go(pap: MemoryPap) -> None:
    added = pap.distribution.add_pap(pap.asked, Pap("", "a")).after or 0
    pap.distribution.set_enabled(pap.asked, "a", enabled=True)
    with pytest.raises(UndoConflict, match="the pap a"):
        undo(pap, added)
    pap.distribution.set_enabled(pap.asked, "a", enabled=False)
    pap.service.add_policies(pap.asked, "a", TWO)
    with pytest.raises(UndoConflict, match="the pap a"):
        undo(pap, added)


def test_a_remote_pap_goes_with_its_copy(pap: MemoryPap, resources_of: Callable[[str], Resources]) -> None:
    added = pap.distribution.add_pap(pap.asked, Pap("", "central", remote=Remote("pap.example.org"))).after or 0
    with pap.repository.change(Note("refresh", "refresh-cache central", "central")) as writer:
        writer.store(writer.paps()[-1], resources_of(TWO))
    undo(pap, added)
    assert [held.pap.alias for held in pap.state().held] == [ALIAS]


def test_a_copy_is_not_taken_back_to_what_it_was(pap: MemoryPap, resources_of: Callable[[str], Resources]) -> None:
    pap.distribution.add_pap(pap.asked, Pap("", "central", remote=Remote("pap.example.org")))
    with pap.repository.change(Note("refresh", "refresh-cache central", "central")) as writer:
        writer.store(writer.paps()[-1], resources_of(TWO))
    with pytest.raises(RemotePapIsReadOnly):
        undo(pap, pap.repository.revision())
    assert pap.state().of("central").resources


def test_settings_of_a_pap_are_taken_back_one_by_one(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, Pap("", "a"))
    published = pap.distribution.update_pap(pap.asked, Pap("", "a", public=True)).after or 0
    enabled = pap.distribution.set_enabled(pap.asked, "a", enabled=True).after or 0
    undo(pap, published)
    assert (pap.state().of("a").pap.enabled, pap.state().of("a").pap.public) == (True, False)
    undo(pap, enabled)
    assert not pap.state().of("a").pap.enabled


def test_order_and_interval_are_taken_back(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, Pap("", "a"))
    ordered = pap.distribution.set_ordering(pap.asked, ("a", "default")).after or 0
    polled = pap.distribution.set_polling_interval(pap.asked, timedelta(seconds=7)).after or 0
    undo(pap, ordered)
    undo(pap, polled)
    assert (pap.state().ordering, pap.state().poll_interval) == ((), None)
    pap.distribution.set_polling_interval(pap.asked, timedelta(seconds=8))
    with pytest.raises(UndoConflict, match="the polling interval"):
        undo(pap, polled)


def test_entries_of_the_access_control_list_are_taken_back_one_by_one(pap: MemoryPap) -> None:
    pap.access.set_acl(pap.asked, Acl(((ANYONE, Permission.ALL),)))
    first = pap.access.add_entry(pap.asked, Fqan("/a"), Permission.POLICY_WRITE).after or 0
    pap.access.add_entry(pap.asked, Fqan("/b"), Permission.POLICY_WRITE)
    undo(pap, first)
    assert pap.access.acl(pap.asked).entries == ((ANYONE, Permission.ALL), (Fqan("/b"), Permission.POLICY_WRITE))


def test_an_entry_that_was_changed_since_is_a_conflict(pap: MemoryPap) -> None:
    pap.access.set_acl(pap.asked, Acl(((ANYONE, Permission.ALL),)))
    first = pap.access.add_entry(pap.asked, Fqan("/a"), Permission.POLICY_WRITE).after or 0
    pap.access.add_entry(pap.asked, Fqan("/a"), Permission.ALL)
    with pytest.raises(UndoConflict, match="the entry of /a in the access control list"):
        undo(pap, first)


def test_no_undo_leaves_a_list_that_nobody_could_change(pap: MemoryPap) -> None:
    pap.access.set_acl(pap.asked, Acl(((ANYONE, Permission.ALL),)))
    with pytest.raises(NobodyCouldChangeIt):
        undo(pap, pap.repository.revision())


def test_what_a_change_left_loose_and_somebody_removed_is_a_conflict(pap: MemoryPap) -> None:
    add(pap)
    shown = pap.objects.list_policy_sets(pap.asked, ALIAS)[1]
    cleared = pap.objects.update_policy_set(pap.asked, ALIAS, shown.version, replace(shown, children=())).after or 0
    purged = pap.service.purge(pap.asked, ALIAS, (PurgeStep.UNREFERENCED_POLICIES,)).after or 0
    with pytest.raises(UndoConflict, match=f"the action public_.* was changed by revision {purged}"):
        undo(pap, cleared)
    undo(pap, purged)
    undo(pap, cleared)
    assert len(rules(pap)) == 2


def test_a_loose_policy_that_is_used_now_is_a_conflict(pap: MemoryPap) -> None:
    policy = Policy("", Combining.RULES_FIRST_APPLICABLE)
    stored = pap.objects.store_policy(pap.asked, ALIAS, "public", policy)
    using = PolicySet("", Combining.POLICIES_FIRST_APPLICABLE, (PolicyIdReference(stored.value),))
    used = pap.objects.add_policy_set(pap.asked, ALIAS, -1, using).after
    with pytest.raises(UndoConflict, match=f"{stored.value} was changed by revision {used}"):
        undo(pap, stored.after or 0)


def test_an_undo_can_be_tried_and_bound_to_a_revision(pap: MemoryPap) -> None:
    banned = ban(pap, "x")
    before = pap.state()
    outcome = pap.chronicle.undo(replace(pap.asked, dry_run=True), banned)
    assert (outcome.after, len(outcome.difference.paps)) == (None, 1)
    with pytest.raises(RevisionChanged):
        pap.chronicle.undo(replace(pap.asked, expected_revision=banned - 1), banned)
    assert pap.state() == before


POLICIES = Permission.POLICY_READ_LOCAL | Permission.POLICY_WRITE
CONFIGURATION = Permission.CONFIGURATION_READ | Permission.CONFIGURATION_WRITE


def test_an_undo_needs_what_the_change_needed(pap: MemoryPap) -> None:
    banned = ban(pap, "x")
    ordered = pap.distribution.set_ordering(pap.asked, (ALIAS,)).after or 0
    pap.acl = Acl(((ANYONE, CONFIGURATION),))
    with pytest.raises(ActNotPermitted):
        undo(pap, banned)
    undo(pap, ordered)
    pap.acl = Acl(((ANYONE, POLICIES),))
    with pytest.raises(ActNotPermitted):
        undo(pap, ordered)
    undo(pap, banned)
    pap.acl = Acl(((ANYONE, Permission.ALL & ~POLICIES & ~CONFIGURATION),))
    with pytest.raises(ActNotPermitted):
        undo(pap, 99)
