"""Nothing is allowed by accident: every operation of every use case, with every set of permissions."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Protocol

import pytest

from argus_py.errors import ArgusError
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.response import Effect
from argus_py.pap.access import AccessControl
from argus_py.pap.administration import Administration, NewRule, PurgeStep, Scope, pair
from argus_py.pap.authorization import ANYONE, Acl, ActNotPermitted, Admin, Permission, Principal
from argus_py.pap.chronicle import Chronicle
from argus_py.pap.difference import hunks
from argus_py.pap.distribution import Distribution
from argus_py.pap.editing import Beside, Resources
from argus_py.pap.history import Note
from argus_py.pap.listing import ListingRequest
from argus_py.pap.objects import Objects
from argus_py.pap.overview import Overview
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote
from argus_py.pap.request import Asked, Outcome
from argus_py.pap.state import Difference, State
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import Combining, Policy, PolicySet


class MemoryPap(Protocol):
    acl: Acl
    repository: MemoryPolicies
    asked: Asked
    service: Administration
    overview: Overview
    objects: Objects
    distribution: Distribution
    access: AccessControl
    chronicle: Chronicle
    refreshed: list[Pap]

    def state(self) -> State: ...

    def resources(self, alias: str = DEFAULT_ALIAS) -> Resources: ...


READ, READ_REMOTE, WRITE, LOOK, CONFIGURE = Permission
NOTHING = Permission(0)
PAIR, RULE = pair("vo", "atlas"), NewRule(Effect.PERMIT, (pair("vo", "atlas"),))
SPL = 'resource "r" { action "a" { rule permit { vo="atlas" } } }'
POLICY = Policy("policy", Combining.RULES_FIRST_APPLICABLE)
POLICY_SET = PolicySet("set", Combining.POLICIES_FIRST_APPLICABLE)
REMOTE = Pap("", "central", remote=Remote("pap.example.org"))
LIMITED: Principal = DistinguishedName.parse_slash("/CN=x")
_HERE, _THERE = DEFAULT_ALIAS, "remote"

Operation = Callable[[MemoryPap, Asked], object]
# What may be read of a pap, by another flag if it is a remote one.
READS: tuple[tuple[str, Callable[[MemoryPap, Asked, str], object]], ...] = (
    ("overview.page", lambda pap, asked, alias: pap.overview.page(asked, alias, 0, 10)),
    ("overview.page", lambda pap, asked, alias: pap.overview.page(asked, alias, 0, 10, revision=2)),
    ("overview.lint", lambda pap, asked, alias: pap.overview.lint(asked, (alias,))),
    ("objects.list_policies", lambda pap, asked, alias: pap.objects.list_policies(asked, alias)),
    ("objects.list_policy_sets", lambda pap, asked, alias: pap.objects.list_policy_sets(asked, alias)),
    ("objects.get_policy", lambda pap, asked, alias: pap.objects.get_policy(asked, alias, "id")),
    ("objects.get_policy_set", lambda pap, asked, alias: pap.objects.get_policy_set(asked, alias, "id")),
    ("objects.get_root_policy_set", lambda pap, asked, alias: pap.objects.get_root_policy_set(asked, alias)),
    ("objects.has_policy", lambda pap, asked, alias: pap.objects.has_policy(asked, alias, "id")),
    ("objects.has_policy_set", lambda pap, asked, alias: pap.objects.has_policy_set(asked, alias, "id")),
)


def reading(read: Callable[[MemoryPap, Asked, str], object], alias: str) -> Operation:
    return lambda pap, asked: read(pap, asked, alias)


# Which flags are needed: one row per operation, as the Java PAP has them where it has the operation.
OPERATIONS: tuple[tuple[str, Permission, Operation], ...] = (
    ("service.listing", READ, lambda pap, asked: pap.service.listing(asked, ListingRequest((_HERE,)))),
    ("service.listing", READ_REMOTE, lambda pap, asked: pap.service.listing(asked, ListingRequest((_THERE,)))),
    ("service.listing", READ | READ_REMOTE, lambda pap, asked: pap.service.listing(asked, ListingRequest(None))),
    ("service.who_may", READ | READ_REMOTE, lambda pap, asked: pap.service.who_may(asked, "r", "a")),
    ("overview.bans", READ | READ_REMOTE, lambda pap, asked: pap.overview.bans(asked)),
    ("service.add_policies", WRITE, lambda pap, asked: pap.service.add_policies(asked, _HERE, SPL)),
    ("service.update_policy", READ | WRITE, lambda pap, asked: pap.service.update_policy(asked, _HERE, "id", SPL)),
    ("service.add_rule", WRITE, lambda pap, asked: pap.service.add_rule(asked, _HERE, RULE, Scope())),
    ("service.add_rule_to_action", WRITE, lambda pap, asked: pap.service.add_rule_to_action(asked, _HERE, RULE, "id")),
    ("service.ban", WRITE, lambda pap, asked: pap.service.ban(asked, _HERE, PAIR)),
    ("service.unban", READ | WRITE, lambda pap, asked: pap.service.unban(asked, _HERE, PAIR)),
    ("service.remove", WRITE, lambda pap, asked: pap.service.remove(asked, _HERE, ["id"])),
    ("service.remove_all", WRITE, lambda pap, asked: pap.service.remove_all(asked, _HERE)),
    ("service.purge", READ | WRITE, lambda pap, asked: pap.service.purge(asked, _HERE, tuple(PurgeStep))),
    ("service.move", WRITE, lambda pap, asked: pap.service.move(asked, _HERE, "id", Beside("other"))),
    ("service.add_obligation", READ | WRITE, lambda pap, asked: pap.service.add_obligation(asked, _HERE, "id", "o")),
    (
        "service.remove_obligation",
        READ | WRITE,
        lambda pap, asked: pap.service.remove_obligation(asked, _HERE, "i", "o"),
    ),
    ("objects.add_policy_set", WRITE, lambda pap, asked: pap.objects.add_policy_set(asked, _HERE, -1, POLICY_SET)),
    ("objects.add_policies", WRITE, lambda pap, asked: pap.objects.add_policies(asked, _HERE, "id", (), prefixes=())),
    ("objects.store_policy", WRITE, lambda pap, asked: pap.objects.store_policy(asked, _HERE, None, POLICY)),
    (
        "objects.store_policy_set",
        WRITE,
        lambda pap, asked: pap.objects.store_policy_set(asked, _HERE, None, POLICY_SET),
    ),
    ("objects.update_policy", READ | WRITE, lambda pap, asked: pap.objects.update_policy(asked, _HERE, "1", POLICY)),
    (
        "objects.update_policy_set",
        READ | WRITE,
        lambda pap, asked: pap.objects.update_policy_set(asked, _HERE, "1", POLICY_SET),
    ),
    ("objects.remove_policy", WRITE, lambda pap, asked: pap.objects.remove_policy(asked, _HERE, "id")),
    ("objects.remove_policy_set", WRITE, lambda pap, asked: pap.objects.remove_policy_set(asked, _HERE, "id")),
    (
        "objects.remove_object_and_references",
        WRITE,
        lambda pap, asked: pap.objects.remove_object_and_references(asked, _HERE, "id"),
    ),
    ("distribution.ping", NOTHING, lambda pap, _asked: pap.distribution.ping()),
    ("distribution.exists", LOOK, lambda pap, asked: pap.distribution.exists(asked, _HERE)),
    ("distribution.get_pap", LOOK, lambda pap, asked: pap.distribution.get_pap(asked, _HERE)),
    ("distribution.all_paps", LOOK, lambda pap, asked: pap.distribution.all_paps(asked)),
    ("distribution.add_pap", CONFIGURE, lambda pap, asked: pap.distribution.add_pap(asked, REMOTE)),
    ("distribution.update_pap", LOOK | CONFIGURE, lambda pap, asked: pap.distribution.update_pap(asked, REMOTE)),
    ("distribution.remove_pap", LOOK | CONFIGURE, lambda pap, asked: pap.distribution.remove_pap(asked, _THERE)),
    ("distribution.set_enabled", CONFIGURE, lambda pap, asked: pap.distribution.set_enabled(asked, _HERE, False)),
    ("distribution.ordering", LOOK, lambda pap, asked: pap.distribution.ordering(asked)),
    ("distribution.set_ordering", CONFIGURE, lambda pap, asked: pap.distribution.set_ordering(asked, (_HERE,))),
    ("distribution.polling_interval", LOOK, lambda pap, asked: pap.distribution.polling_interval(asked)),
    (
        "distribution.set_polling_interval",
        CONFIGURE,
        lambda pap, asked: pap.distribution.set_polling_interval(asked, timedelta(seconds=10)),
    ),
    ("distribution.refresh", READ_REMOTE | WRITE, lambda pap, asked: pap.distribution.refresh(asked, _THERE)),
    ("access.acl", LOOK, lambda pap, asked: pap.access.acl(asked)),
    ("access.set_acl", LOOK | CONFIGURE, lambda pap, asked: pap.access.set_acl(asked, Acl(((ANYONE, CONFIGURE),)))),
    ("access.add_entry", LOOK | CONFIGURE, lambda pap, asked: pap.access.add_entry(asked, LIMITED, Permission.ALL)),
    ("access.remove_entry", LOOK | CONFIGURE, lambda pap, asked: pap.access.remove_entry(asked, ANYONE)),
    ("chronicle.changes", READ | LOOK, lambda pap, asked: pap.chronicle.changes(asked)),
    ("chronicle.difference", READ | LOOK, lambda pap, asked: pap.chronicle.difference(asked, 1, 2)),
    ("chronicle.undo", READ | WRITE, lambda pap, asked: pap.chronicle.undo(asked, 3)),  # of a change of policies
    ("chronicle.undo", LOOK | CONFIGURE, lambda pap, asked: pap.chronicle.undo(asked, 2)),  # of the paps
    *((name, READ, reading(read, _HERE)) for name, read in READS),
    *((name, READ_REMOTE, reading(read, _THERE)) for name, read in READS),
)
ROOMS = {
    "service": Administration,
    "overview": Overview,
    "objects": Objects,
    "distribution": Distribution,
    "access": AccessControl,
    "chronicle": Chronicle,
}


def permission_sets() -> Iterable[Permission]:
    """All 32."""
    for size in range(6):
        for flags in combinations(Permission, size):
            granted = NOTHING
            for flag in flags:
                granted |= flag
            yield granted


def missing_for(operation: Operation, pap: MemoryPap) -> Permission:
    """The flags for want of which it is refused."""
    try:
        operation(pap, pap.asked)
    except ActNotPermitted as refusal:
        return refusal.missing
    except ArgusError:
        return NOTHING  # permitted, and then something is not as the operation would need it
    return NOTHING


@pytest.fixture
def filled(pap: MemoryPap) -> MemoryPap:
    """With a remote pap, added by revision 2, and a policy, added by revision 3."""
    with pap.repository.change(Note("test", "add a pap")) as writer:
        writer.add_pap(Pap("remote-1", _THERE, remote=Remote("pap.example.org")))
    pap.service.add_policies(pap.asked, _HERE, SPL)
    return pap


def test_every_operation_has_its_row() -> None:
    public = {f"{room}.{name}" for room, kind in ROOMS.items() for name in vars(kind) if not name.startswith("_")}
    assert public == {name for name, _, _ in OPERATIONS}


@pytest.mark.parametrize(
    ("needed", "operation"),
    [(needed, operation) for _, needed, operation in OPERATIONS],
    ids=[f"{name}-{needed}" for name, needed, _ in OPERATIONS],
)
def test_it_is_done_exactly_for_those_who_have_all_its_flags(
    filled: MemoryPap, needed: Permission, operation: Operation
) -> None:
    for granted in permission_sets():
        filled.acl = Acl(((ANYONE, granted),))
        before = filled.repository.revision(), len(filled.refreshed)
        permitted = not missing_for(operation, filled)
        assert permitted == (needed in granted), str(granted)
        assert permitted or (filled.repository.revision(), len(filled.refreshed)) == before


@pytest.mark.parametrize(
    "operation", [operation for _, _, operation in OPERATIONS], ids=[name for name, _, _ in OPERATIONS]
)
def test_a_difference_is_told_only_to_those_who_may_read_it(filled: MemoryPap, operation: Operation) -> None:
    remote = filled.state().of(_THERE).pap
    with filled.repository.change(Note("refresh", "refresh-cache remote", _THERE)) as writer:
        writer.store(remote, filled.resources())
    for granted in permission_sets():
        filled.acl = Acl(((ANYONE, granted),))
        try:
            told = operation(filled, replace(filled.asked, dry_run=True))
        except ArgusError:
            continue
        difference = told.difference if isinstance(told, Outcome) else told
        if isinstance(difference, Difference):
            assert flags_to_read(difference) in granted


def flags_to_read(difference: Difference) -> Permission:
    """Of all that ``hunks`` tells."""
    needed = NOTHING
    for hunk in hunks(difference, DEFAULT_MAPPINGS):
        if not hunk.place.startswith("pap "):
            needed |= LOOK
        elif hunk.place.startswith(f"pap {_THERE}"):
            needed |= READ_REMOTE
        else:
            needed |= READ
    return needed


@pytest.mark.parametrize(
    ("needed", "operation"),
    [
        (READ | WRITE, lambda pap, asked: pap.service.ban(asked, _HERE, PAIR)),
        (READ | WRITE, lambda pap, asked: pap.service.remove_all(asked, _HERE)),
        (READ_REMOTE | WRITE, lambda pap, asked: pap.service.remove_all(asked, _THERE)),
        (LOOK | CONFIGURE | READ_REMOTE, lambda pap, asked: pap.distribution.remove_pap(asked, _THERE)),
        (LOOK | CONFIGURE, lambda pap, asked: pap.distribution.set_enabled(asked, _THERE, True)),
        (READ | LOOK | READ_REMOTE, lambda pap, asked: pap.chronicle.difference(asked, 3, 4)),
        (READ | LOOK, lambda pap, asked: pap.chronicle.difference(asked, 2, 3)),
    ],
)
def test_a_difference_needs_the_flags_of_what_it_tells(
    filled: MemoryPap, needed: Permission, operation: Operation
) -> None:
    remote = filled.state().of(_THERE).pap
    with filled.repository.change(Note("refresh", "refresh-cache remote", _THERE)) as writer:
        writer.store(remote, filled.resources())
    for granted in permission_sets():
        filled.acl = Acl(((ANYONE, granted),))
        assert (missing_for(lambda pap, asked: operation(pap, replace(asked, dry_run=True)), filled) == NOTHING) == (
            needed in granted
        )


def test_an_undo_tells_what_it_does_only_to_those_who_may_read_it(filled: MemoryPap) -> None:
    remote = filled.state().of(_THERE).pap
    with filled.repository.change(Note("refresh", "refresh-cache remote", _THERE)) as writer:
        writer.store(remote, filled.resources())
    filled.acl = Acl(((ANYONE, LOOK | CONFIGURE),))
    assert missing_for(lambda pap, asked: pap.chronicle.undo(asked, 2), filled) == READ_REMOTE  # the copy goes too
    filled.acl = Acl(((ANYONE, LOOK | CONFIGURE | READ_REMOTE),))
    assert filled.chronicle.undo(filled.asked, 2).after == 5


def test_nobody_may_anything_while_no_list_is_set(filled: MemoryPap) -> None:
    filled.acl = Acl()
    for _, needed, operation in OPERATIONS:
        if needed:
            with pytest.raises(ActNotPermitted):
                operation(filled, filled.asked)


NAME = "/DC=org/CN=host/pap.example.org/emailAddress=ops@example.org"


@pytest.mark.parametrize(
    "entry",
    [
        ANYONE,
        DistinguishedName.parse_slash("/DC=org/CN=host/pap.example.org/Email=ops@example.org"),
        DistinguishedName.parse_rfc2253("EMAILADDRESS=ops@example.org,CN=host/pap.example.org,DC=org"),
        Fqan.parse("/ops/Role=admin/Capability=NULL"),
    ],
)
def test_an_entry_counts_for_all_spellings_of_who_is_meant(filled: MemoryPap, entry: Principal) -> None:
    filled.acl = Acl(((entry, WRITE),))
    who = Admin(DistinguishedName.parse_slash(NAME), (Fqan.parse("/ops"), Fqan.parse("/ops/Role=admin")))
    assert filled.service.ban(Asked(who), DEFAULT_ALIAS, PAIR).after is not None


@pytest.mark.parametrize(
    "entry",
    [
        DistinguishedName.parse_slash("/DC=org/CN=Host/pap.example.org/Email=ops@example.org"),
        DistinguishedName.parse_slash("/DC=org/CN=host"),
        Fqan.parse("/ops/Role=other"),
        Fqan.parse("/ops/sub/Role=admin"),
    ],
)
def test_an_entry_counts_for_nobody_else(filled: MemoryPap, entry: Principal) -> None:
    filled.acl = Acl(((entry, Permission.ALL),))
    who = Admin(DistinguishedName.parse_slash(NAME), (Fqan.parse("/ops"), Fqan.parse("/ops/Role=admin")))
    with pytest.raises(ActNotPermitted):
        filled.service.ban(Asked(who), DEFAULT_ALIAS, PAIR)
