"""What a subject maps to, and by which lines, before any account is leased.

The account mapping acts on a plan; tools that tell what would happen show one.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from argus_py.errors import Unmapped
from argus_py.pep.mapping.accounts import account_indicator, pool_prefix
from argus_py.pep.mapping.groups import GidOf, GroupWithoutNumber, by_number, group_targets
from argus_py.pep.mapping.identity import GridIdentity, NoPrimaryGroup
from argus_py.pep.mapping.lease_name import lease_name, other_spellings
from argus_py.pep.mapping.map_file import MapFile, MapTarget

ROOT: Final = "root"


class RootRefused(Unmapped):
    """A line leads to ``root``, and the configuration does not allow that; carries ``target``."""

    def __init__(self, file: str, target: MapTarget) -> None:
        super().__init__(f"{file}: line {target.entry.line} leads to {target.name}: only allowRoot would allow that")
        self.target = target


class GroupOrder(Enum):
    """Of the secondary groups, in answers and lease names. The value is the word for it in pepd.ini."""

    MAP_FILE = "map-file"
    GID = "gid"


@dataclass(frozen=True, slots=True)
class MappingRules:
    """The options of a mapping, with their defaults."""

    prefer_dn_for_login_name: bool = True
    prefer_dn_for_primary_group_name: bool = True
    no_primary_group_name_is_error: bool = False
    use_secondary_group_names_for_mapping: bool = True
    secondary_group_order: GroupOrder = GroupOrder.MAP_FILE
    allow_root: bool = False


@dataclass(frozen=True, slots=True)
class MappingPlan:
    """``account`` is a login, or a pool with a leading dot; ``groups``: the primary group first."""

    identity: GridIdentity
    account: MapTarget
    groups: tuple[MapTarget, ...]
    secondary_groups_in_lease: bool

    @property
    def pool(self) -> str | None:
        """The prefix of the pool; None: the account is a login."""
        return pool_prefix(self.account.name)

    @property
    def group_names(self) -> tuple[str, ...]:
        return tuple(group.name for group in self.groups)

    @property
    def lease(self) -> str | None:
        """The name of the lease; None without a pool."""
        return None if self.pool is None else self.lease_name(self.secondary_groups_in_lease)

    def lease_name(self, secondary_groups: bool) -> str:
        """By the one convention or the other, whichever is configured."""
        return lease_name(self.identity.dn, self._in_lease(self.group_names, secondary_groups))

    def other_lease_names(self, gid_of: GidOf) -> tuple[str, ...]:
        """Where LCMAPS may keep the lease, most likely ones first; without those that need a number nobody knows.

        INVARIANT: each has all groups of ours. One with the primary group alone is the lease of another proxy of the
        subject, which has an account of its own on purpose.
        """
        orders = [self.group_names]
        with suppress(GroupWithoutNumber):
            orders.append(tuple(group.name for group in by_number(self.groups, gid_of)))
        return other_spellings(
            self.identity.dn, [self._in_lease(order, self.secondary_groups_in_lease) for order in orders]
        )

    @staticmethod
    def _in_lease(groups: tuple[str, ...], secondary_groups: bool) -> tuple[str, ...]:
        return groups if secondary_groups else groups[:1]


def plan_mapping(
    accounts: MapFile,
    groups: MapFile,
    identity: GridIdentity,
    rules: MappingRules,
    gid_of: GidOf,
) -> MappingPlan:
    """``gid_of`` is asked if secondary groups are to be ordered by number.

    Raises NoAccountIndicator, NoPrimaryGroup: no line fits; RootRefused; GroupWithoutNumber.
    """
    account = account_indicator(accounts, identity, rules.prefer_dn_for_login_name)
    of_subject = group_targets(groups, identity, rules.prefer_dn_for_primary_group_name)
    if not of_subject and rules.no_primary_group_name_is_error:
        raise NoPrimaryGroup(identity)
    if not rules.allow_root:
        _refuse_root(accounts.file, [account])
        _refuse_root(groups.file, of_subject)
    if rules.secondary_group_order is GroupOrder.GID:
        of_subject = by_number(of_subject, gid_of)
    return MappingPlan(identity, account, of_subject, rules.use_secondary_group_names_for_mapping)


def _refuse_root(file: str, targets: Iterable[MapTarget]) -> None:
    """BETTER: Java maps to whatever stands in the file. Nobody runs jobs as root, and gLExec would refuse it anyway."""
    for target in targets:
        if target.name == ROOT:
            raise RootRefused(file, target)
