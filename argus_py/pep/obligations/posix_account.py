"""A local account, and the obligations that hand it to clients: one per family of profiles, with the same values.

Source: argus-pep-server:.../obligation/dfpmap/DFPMObligationHandler.java
"""

from dataclasses import dataclass
from typing import Final

from argus_py.model.identifiers import DataType, DciSec, Glite
from argus_py.model.response import AttributeAssignment, Effect, Obligation


@dataclass(frozen=True, slots=True)
class _Family:
    """The identifiers that clients of one family of profiles look for."""

    obligation: str
    user_id: str
    primary_group_id: str
    group_id: str


_GLITE: Final = _Family(Glite.LOCAL_ENVIRONMENT_MAP_POSIX, Glite.USER_ID, Glite.PRIMARY_GROUP_ID, Glite.GROUP_ID)
_DCI_SEC: Final = _Family(DciSec.MAP_LOCAL_USER_POSIX, DciSec.USER_ID, DciSec.PRIMARY_GROUP_ID, DciSec.GROUP_ID)


@dataclass(frozen=True, slots=True)
class PosixAccount:
    """``groups``: the primary group first. ``lease``: the name of the lease, None for an account outside the pools.

    ``uid`` and ``gid`` are the numbers of the login and the primary group, None where this machine does not know them.
    """

    login: str
    groups: tuple[str, ...]
    lease: str | None = None
    uid: int | None = None
    gid: int | None = None

    def __str__(self) -> str:
        primary = f" group={self.groups[0]}" if self.groups else ""
        secondary = f" groups={','.join(self.groups[1:])}" if self.groups[1:] else ""
        return f"PosixAccount{{user={self.login}{primary}{secondary}}}"

    def obligations(self, handled_id: str) -> tuple[Obligation, ...]:
        """What takes the place of the obligation ``handled_id``.

        COMPAT: that of the gLite family, whatever was handled, and last: some clients (ARC) read the last one.
        BETTER: ``map-local-user`` is also answered in its own family; Java leaves clients of it (EMI-ES) unmapped.
        """
        families = (_DCI_SEC, _GLITE) if handled_id == DciSec.MAP_LOCAL_USER else (_GLITE,)
        return tuple(map(self._obligation, families))

    def _obligation(self, family: _Family) -> Obligation:
        # COMPAT: the primary group comes twice, as primary and as first group (Savannah bug 64340).
        named = [(family.user_id, self.login)]
        named += [(family.primary_group_id, group) for group in self.groups[:1]]
        named += [(family.group_id, group) for group in self.groups]
        assignments = (AttributeAssignment(attribute_id, value, DataType.STRING) for attribute_id, value in named)
        return Obligation(family.obligation, Effect.PERMIT, tuple(assignments))
