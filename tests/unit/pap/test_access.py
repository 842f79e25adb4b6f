"""The access control list and its commands."""

from dataclasses import replace
from typing import Protocol

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.access import AccessControl, NobodyCouldChangeIt, StoredAcl
from argus_py.pap.authorization import ANYONE, Acl, Permission, Principal
from argus_py.pap.history import Note
from argus_py.pap.request import Asked
from argus_py.store.memory import MemoryPolicies


class MemoryPap(Protocol):
    repository: MemoryPolicies
    asked: Asked
    access: AccessControl


READ, WRITE = Permission.POLICY_READ_LOCAL, Permission.CONFIGURATION_READ | Permission.CONFIGURATION_WRITE
BOSS = DistinguishedName.parse_slash("/O=x/CN=boss/Email=boss@example.org")
SAME_BOSS = DistinguishedName.parse_rfc2253("EMAILADDRESS=boss@example.org,CN=boss,O=x")
GROUP = Fqan.parse("/vo/Role=admin")


def test_an_entry_takes_the_place_of_the_one_its_principal_has(pap: MemoryPap) -> None:
    pap.access.set_acl(pap.asked, Acl(((BOSS, WRITE), (GROUP, READ), (SAME_BOSS, Permission.ALL))))
    assert pap.access.acl(pap.asked).entries == ((SAME_BOSS, Permission.ALL), (GROUP, READ))
    pap.access.add_entry(pap.asked, BOSS, WRITE)
    assert pap.access.acl(pap.asked).entries == ((BOSS, WRITE), (GROUP, READ))


def test_an_entry_that_is_not_there_needs_no_removal(pap: MemoryPap) -> None:
    pap.access.add_entry(pap.asked, BOSS, WRITE)
    outcome = pap.access.remove_entry(pap.asked, GROUP)
    assert (outcome.value, outcome.after) == (False, None)
    pap.access.add_entry(pap.asked, GROUP, READ)
    assert pap.access.remove_entry(pap.asked, GROUP).value


def test_the_last_who_could_change_the_list_stays(pap: MemoryPap) -> None:
    pap.access.set_acl(pap.asked, Acl(((BOSS, WRITE), (GROUP, READ))))
    for change in (
        lambda: pap.access.remove_entry(pap.asked, SAME_BOSS),
        lambda: pap.access.add_entry(pap.asked, BOSS, READ),
        lambda: pap.access.set_acl(pap.asked, Acl()),
        lambda: pap.access.set_acl(pap.asked, Acl(((ANYONE, READ),))),
        # Who may change the list but not read it cannot do either.
        lambda: pap.access.add_entry(pap.asked, BOSS, Permission.CONFIGURATION_WRITE),
        lambda: pap.access.set_acl(
            pap.asked, Acl(((BOSS, Permission.CONFIGURATION_WRITE), (GROUP, Permission.CONFIGURATION_READ)))
        ),
    ):
        with pytest.raises(NobodyCouldChangeIt, match="CONFIGURATION_WRITE is not allowed to go"):
            change()
    pap.access.add_entry(pap.asked, GROUP, WRITE)
    assert pap.access.remove_entry(pap.asked, BOSS).value


def test_what_anyone_has_counts_for_the_last_who_could_change_the_list(pap: MemoryPap) -> None:
    shared = Acl(((ANYONE, Permission.CONFIGURATION_READ), (BOSS, Permission.CONFIGURATION_WRITE)))
    pap.access.set_acl(pap.asked, shared)
    with pytest.raises(NobodyCouldChangeIt):
        pap.access.remove_entry(pap.asked, ANYONE)
    assert pap.access.acl(pap.asked) == shared


def test_changes_stand_in_the_history_in_the_words_of_pap_admin(pap: MemoryPap) -> None:
    pap.access.set_acl(pap.asked, Acl(((BOSS, WRITE),)))
    pap.access.add_entry(pap.asked, ANYONE, READ | WRITE)
    pap.access.remove_entry(pap.asked, BOSS)
    assert [(change.note.command, change.note.pap) for change in pap.repository.changes(limit=3)] == [
        ('remove-ace "EMAILADDRESS=boss@example.org,CN=boss,O=x"', None),
        ('add-ace ANYONE "POLICY_READ_LOCAL|CONFIGURATION_READ|CONFIGURATION_WRITE"', None),
        ("set-acl (1 entry)", None),
    ]


def test_a_dry_run_leaves_the_list(pap: MemoryPap) -> None:
    outcome = pap.access.add_entry(replace(pap.asked, dry_run=True), BOSS, WRITE)
    assert outcome.difference.acl is not None
    assert outcome.difference.acl.after == Acl(((BOSS, WRITE),))
    assert pap.access.acl(pap.asked) == Acl()


def test_the_list_of_a_store_counts_from_the_moment_it_is_changed() -> None:
    policies = MemoryPolicies()
    acl = StoredAcl(policies)
    assert acl() == Acl()
    set_list(policies, ANYONE, READ)
    assert acl() == Acl(((ANYONE, READ),))


class Restored:
    """A store that becomes another one at the same revision, as when a backup is read in."""

    def __init__(self, current: MemoryPolicies) -> None:
        self.current = current

    def __getattr__(self, name: str) -> object:
        return getattr(self.current, name)


def test_the_list_of_a_backup_counts_at_once() -> None:
    now, backup = MemoryPolicies(), MemoryPolicies()
    set_list(now, ANYONE, WRITE)
    set_list(backup, BOSS, WRITE)
    store = Restored(now)
    acl = StoredAcl(store)  # type: ignore[arg-type]  # it is whatever it stands for
    assert acl() == Acl(((ANYONE, WRITE),))
    store.current = backup
    assert acl() == Acl(((BOSS, WRITE),))


def set_list(policies: MemoryPolicies, principal: Principal, permissions: Permission) -> None:
    with policies.change(Note("test", "set")) as writer:
        writer.set_acl(Acl(((principal, permissions),)))
