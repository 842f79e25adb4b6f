"""The account mappings of pepd.ini with their map files: which pools they know, which leases they would not give."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from argus_py.cli.leases.names import parse_dn
from argus_py.config.obligations import AccountMappingPart
from argus_py.pep.mapping.accounts import pool_prefix
from argus_py.pep.mapping.map_file import MapFile
from argus_py.snapshot import Snapshot
from argus_py.store.account_index import in_pool
from argus_py.store.lease_files import Contents, FileKind, PersonKey, person_key, read_lease_name
from argus_py.store.lease_problems import Problem, ProblemKind
from argus_py.store.mapfiles import load_map_file


@dataclass(frozen=True, slots=True)
class HandlerMaps:
    """An account mapping and the files it names."""

    part: AccountMappingPart
    accounts: Snapshot[MapFile]
    groups: Snapshot[MapFile]


def load_maps(part: AccountMappingPart, clock: Callable[[], datetime]) -> HandlerMaps:
    """Raises ConfigurationError: one of the files cannot be used."""
    accounts, groups = (load_map_file(file, clock) for file in (part.account_map_file, part.group_map_file))
    return HandlerMaps(part, accounts, groups)


def mapped_pools(maps: Iterable[HandlerMaps]) -> frozenset[str]:
    """The prefixes of all pools that an account map leads to."""
    indicators = (entry.targets[0] for each in maps for entry in each.accounts.current.value.entries)
    return frozenset(pool for indicator in indicators if (pool := pool_prefix(indicator)) is not None)


def misplaced_leases(contents: Contents, maps: Sequence[HandlerMaps]) -> Iterator[Problem]:
    """Leases that none of the maps would give; none without maps.

    By the pool, and by the lines for DNs where these come first. A lease does not tell the FQANs it was made for.
    """
    if not maps:
        return
    pools = mapped_pools(maps)
    by_person = [_targets_by_person(each) for each in maps]
    for lease in contents.of_kind(FileKind.LEASE):
        account = contents.account_of(lease)
        if account is None:
            continue
        if not any(in_pool(account, pool) for pool in pools):
            reason = f"its account {account} is of no pool that the account map leads to"
            yield Problem(ProblemKind.WRONG_POOL, (lease.name,), reason)
            continue
        person = person_key(read_lease_name(lease.name).dn)
        named = [each[person] for each in by_person if person in each]
        if len(named) == len(maps) and not any(_leads_to(account, indicators) for indicators in named):
            told = ", ".join(sorted(frozenset().union(*named)))
            reason = f"its account is {account}, but the account map leads this DN to {told}"
            yield Problem(ProblemKind.WRONG_POOL, (lease.name,), reason)


def _targets_by_person(maps: HandlerMaps) -> Mapping[PersonKey, frozenset[str]]:
    """What the lines for DNs lead to; empty if lines for FQANs come first."""
    found: defaultdict[PersonKey, set[str]] = defaultdict(set)
    if maps.part.settings.rules.prefer_dn_for_login_name:
        for entry in maps.accounts.current.value.entries:
            if entry.pattern is None:
                found[person_key(parse_dn(entry.key))].add(entry.targets[0])
    return {person: frozenset(targets) for person, targets in found.items()}


def _leads_to(account: str, indicators: Iterable[str]) -> bool:
    pools = (pool_prefix(indicator) for indicator in indicators)
    return any(in_pool(account, pool) for pool in pools if pool is not None)
