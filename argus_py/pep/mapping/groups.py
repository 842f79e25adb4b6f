"""The POSIX groups of a subject; the first is the primary group.

INVARIANT: order and doubles are part of lease names. Whoever changes either takes the accounts of users away.

Source: argus-pep-server:.../obligation/dfpmap/DNFQANGroupNameMappingStrategy.java
"""

from collections.abc import Callable, Iterable

from argus_py.errors import Unmapped
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.map_file import MapEntry, MapFile, MapTarget

GidOf = Callable[[str], int | None]
"""The number of a group, None if it has none here."""


class GroupWithoutNumber(Unmapped):
    """Groups are to be ordered by number, and one has none; carries ``group``."""

    def __init__(self, group: str) -> None:
        super().__init__(f"the name service of this machine does not know the group {group!r}")
        self.group = group


def group_targets(groups: MapFile, identity: GridIdentity, prefer_dn: bool) -> tuple[MapTarget, ...]:
    """All targets of all fitting lines: of the DN, the primary FQAN, the other FQANs, each list in file order.

    No name stands twice in one of the three lists, but it may stand in several of them.
    """
    primary = () if identity.primary_fqan is None else (identity.primary_fqan,)
    others = tuple(fqan for fqan in identity.fqans or () if fqan not in primary)
    of_dn = _targets(groups.of_dn(identity.dn))
    of_primary = _targets(groups.of_fqan(*primary))
    of_others = _targets(groups.of_fqan(*others))
    return of_dn + of_primary + of_others if prefer_dn else of_primary + of_others + of_dn


def _targets(entries: Iterable[MapEntry]) -> tuple[MapTarget, ...]:
    found: dict[str, MapTarget] = {}
    for entry in entries:
        for name in entry.targets:
            found.setdefault(name, MapTarget(name, entry))
    return tuple(found.values())


def by_number(groups: tuple[MapTarget, ...], gid_of: GidOf) -> tuple[MapTarget, ...]:
    """The primary group, then the others by ascending number without doubles: the order of LCMAPS.

    The primary group may stand among the others again, there too. Raises GroupWithoutNumber.
    """
    others: dict[int, MapTarget] = {}
    for group in groups[1:]:
        gid = gid_of(group.name)
        if gid is None:
            raise GroupWithoutNumber(group.name)
        others.setdefault(gid, group)
    return groups[:1] + tuple(others[gid] for gid in sorted(others))
