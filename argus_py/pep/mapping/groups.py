"""The POSIX groups of a subject; the first is the primary group.

INVARIANT: order and doubles are part of lease names. Whoever changes either takes the accounts of users away.

Source: argus-pep-server:.../obligation/dfpmap/DNFQANGroupNameMappingStrategy.java
"""

from collections.abc import Callable

from argus_py.model.fqan import FqanPattern
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.map_file import MapFile


def group_names(groups: MapFile, identity: GridIdentity, prefer_dn: bool) -> tuple[str, ...]:
    """All targets of all fitting lines: of the DN, the primary FQAN, the other FQANs, each list in file order.

    No name stands twice in one of the three lists, but it may stand in several of them.
    """
    primary = identity.primary_fqan
    others = tuple(fqan for fqan in identity.fqans or () if fqan != primary)
    of_dn = tuple(dict.fromkeys(groups.targets_of_dn.get(identity.dn, ())))
    of_primary = _targets(groups, lambda pattern: primary is not None and pattern.matches(primary))
    of_others = _targets(groups, lambda pattern: any(map(pattern.matches, others)))
    return of_dn + of_primary + of_others if prefer_dn else of_primary + of_others + of_dn


def _targets(groups: MapFile, fits: Callable[[FqanPattern], bool]) -> tuple[str, ...]:
    fitting = (entry.targets for entry in groups.fqan_entries if fits(entry.pattern))
    return tuple(dict.fromkeys(target for targets in fitting for target in targets))
