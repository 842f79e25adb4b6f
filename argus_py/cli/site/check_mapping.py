"""What can be missing for everybody of a VO to get an account of the right kind: map files, gridmapdir, white list."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from argus_py.cli.leases.maps import HandlerMaps
from argus_py.cli.site.findings import Finding, Topic, error, unknown, warning
from argus_py.config.yaim_maps import PILOT
from argus_py.errors import ArgusError, ConfigurationError, Unavailable, Unmapped
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.pep.mapping.accounts import account_indicator, pool_prefix
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.map_file import MapFile
from argus_py.pep.mapping.plan import plan_mapping
from argus_py.store.account_index import PoolUse
from argus_py.store.gridmapdir import check_access, check_links
from argus_py.store.lease_files import Contents, FileKind, pool_uses, read_contents
from argus_py.store.mapfiles import load_map_file
from argus_py.worker.glexec_conf import parse_glexec_conf

OPS: Final = "ops"  # the VO of the tests that monitoring runs
SUBJECT: Final = DistinguishedName.parse_slash("/DC=invalid/CN=argus site check")  # whom no line names
_INVENTED: Final = "argus-site-check"  # a group and a role that no VO has
_SCARCE: Final = 10  # free accounts in a hundred, below which a pool will not last
_SHOWN: Final = 3  # examples of many


def vos_of(maps: Iterable[HandlerMaps]) -> tuple[str, ...]:
    """The VOs that the account maps know, in their order."""
    patterns = (entry.pattern for each in maps for entry in each.accounts.current.value.entries)
    return tuple(dict.fromkeys(pattern.group.split("/")[1] for pattern in patterns if pattern is not None))


def probes(vo: str, maps: Iterable[HandlerMaps]) -> tuple[tuple[Fqan, ...], ...]:
    """FQANs of members, the primary one first: those the maps name, and groups and roles that nobody has listed."""
    root = Fqan(f"/{vo}")
    group = Fqan(f"/{vo}/{_INVENTED}")
    asked = [(root,), (Fqan(f"/{vo}", _INVENTED), root), (group, root), (Fqan(group.group, _INVENTED), group, root)]
    for each in maps:
        for entry in each.accounts.current.value.entries:
            pattern = entry.pattern
            if pattern is not None and pattern.role != "*" and pattern.group.split("/")[1] == vo:
                asked.append((Fqan(pattern.group, pattern.role), root))
    return tuple(dict.fromkeys(tuple(dict.fromkeys(fqans)) for fqans in asked))


def pilot_roles(maps: Iterable[HandlerMaps]) -> Iterator[Finding]:
    """W1: a pilot role for each VO, and accounts that nobody else gets."""
    for each in maps:
        accounts = each.accounts.current.value
        vos = vos_of([each])
        for vo in (*vos, *(() if OPS in vos else (OPS,))):
            yield from _pilots_of(vo, accounts)


def _pilots_of(vo: str, accounts: MapFile) -> Iterator[Finding]:
    pilot = Fqan(f"/{vo}", PILOT)
    try:
        target = account_indicator(accounts, GridIdentity(SUBJECT, pilot, (pilot,)), prefer_dn=True)
    except Unmapped:
        target = None
    if target is None or not _is_pilot(target.entry.pattern):
        told = error if vo == OPS else warning
        where = "no line fits it" if target is None else f"line {target.entry.line} fits it as it fits everybody"
        yield told(
            Topic.PILOT_ROLES,
            f"{accounts.file}: {pilot} has no account of its own: {where}",
            f'put "{pilot}" .pool in front of the other lines of {vo}, with a pool that nobody else gets',
        )
        return
    others = [entry.line for entry in accounts.entries if target.name in entry.targets and not _is_pilot(entry.pattern)]
    if others:
        yield error(
            Topic.PILOT_ROLES,
            f"{accounts.file}: {pilot} gets {target.name}, and so do those of line {_listed(others)}",
            "give the pilots accounts of their own: whoever has one may run payloads as others",
        )


def _is_pilot(pattern: FqanPattern | None) -> bool:
    return pattern is not None and pattern.role == PILOT


def white_list(file: Path, maps: Iterable[HandlerMaps]) -> Iterator[Finding]:
    """W1: the pilots, and nobody else, may call gLExec."""
    try:
        listed = parse_glexec_conf(file.read_text(errors="replace"), str(file)).user_white_list
    except OSError as problem:
        yield unknown(
            Topic.WHITE_LIST,
            f"{file}: {problem.strerror}",
            "run this where the worker nodes have it, or copy it here and name it with --glexec-conf",
        )
        return
    except ConfigurationError as problem:
        yield error(Topic.WHITE_LIST, str(problem), "correct the line, or make the file by argus site worker-node")
        return
    entries = {*listed.accounts, *(f".{pool}" for pool in listed.pools)}
    mapped: dict[str, bool] = {}  # whether pilots alone get it
    for each in maps:
        for entry in each.accounts.current.value.entries:
            target = entry.targets[0]
            mapped[target] = mapped.get(target, True) and _is_pilot(entry.pattern)
    for target, pilots_alone in mapped.items():
        if pilots_alone and target not in entries:
            yield error(
                Topic.WHITE_LIST,
                f"{file}: the pilots with {target} may not call gLExec",
                f"add {target} to user_white_list",
            )
        elif not pilots_alone and target in entries:
            yield error(
                Topic.WHITE_LIST,
                f"{file}: {target} is on the white list, and not of pilots alone",
                f"take {target} from user_white_list: its holders may run payloads as others",
            )
    for name in sorted(entries - mapped.keys()):
        yield warning(
            Topic.WHITE_LIST,
            f"{file}: {name} is on the white list, and no map file leads to it",
            "take it away, unless others than Argus give this account",
        )


def gridmapdir(maps: Iterable[HandlerMaps]) -> Iterator[Finding]:
    """W3: the daemon can write there, and there are accounts to be had."""
    for directory in dict.fromkeys(each.part.grid_map_dir for each in maps):
        try:
            check_access(directory)
            check_links(directory)
            contents = read_contents(directory)
        except (ConfigurationError, Unavailable) as problem:
            yield error(
                Topic.GRIDMAPDIR,
                str(problem),
                "the user of the PEP daemon needs to read and write it, also over NFS; run this check as that user",
            )
            continue
        pools = {use.pool: use for use in pool_uses(contents, _pools(maps, directory))}
        for pool in _pools(maps, directory):
            yield from _pool(directory, pool, pools.get(pool))


def _pools(maps: Iterable[HandlerMaps], directory: Path) -> list[str]:
    targets = (
        entry.targets[0]
        for each in maps
        if each.part.grid_map_dir == directory
        for entry in each.accounts.current.value.entries
    )
    return [pool for target in dict.fromkeys(targets) if (pool := pool_prefix(target)) is not None]


def _pool(directory: Path, pool: str, use: PoolUse | None) -> Iterator[Finding]:
    if use is None:
        yield error(
            Topic.GRIDMAPDIR,
            f"{directory} has no account of the pool {pool}",
            f"make an empty file for each of its accounts: {pool}001, ...",
        )
    elif use.free == 0:
        yield error(
            Topic.GRIDMAPDIR,
            f"{directory}: all {use.size} accounts of {pool} are taken",
            "add accounts, or give some back: argus leases expire",
        )
    elif use.free * 100 < use.size * _SCARCE:
        yield warning(
            Topic.GRIDMAPDIR,
            f"{directory}: {use.free} of {use.size} accounts of {pool} are free",
            "add accounts, or give some back: argus leases expire",
        )


def shared_with_ce(
    maps: Sequence[HandlerMaps],
    gridmapdir: Path | None,
    grid_mapfile: Path | None,
    group_mapfile: Path | None,
    now: Callable[[], datetime],
) -> Iterator[Finding]:
    """W3 to W5: one directory and the same map files for both, or accounts that only one of them gives."""
    if gridmapdir is None:
        yield unknown(
            Topic.CE,
            "it is not known where the CEs keep their leases",
            "nothing to do if the CEs ask Argus too; else name their directory, as mounted here, with --ce-gridmapdir",
        )
        return
    for each in maps:
        ours = each.part.grid_map_dir
        try:
            contents = read_contents(gridmapdir)
            if os.path.samefile(ours, gridmapdir):
                yield from _same_lines(each.accounts.current.value, grid_mapfile, "--ce-grid-mapfile", now)
                yield from _same_lines(each.groups.current.value, group_mapfile, "--ce-group-mapfile", now)
            else:
                yield from _disjoint(read_contents(ours), contents)
        except (Unavailable, OSError) as problem:
            yield error(Topic.CE, str(problem), "mount the directory of the CEs here, readable")


def _same_lines(ours: MapFile, file: Path | None, option: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    if file is None:
        yield unknown(
            Topic.CE,
            f"the CEs share the gridmapdir; it is not known whether their map file is {ours.file}",
            f"name theirs with {option}: with other lines a user gets two accounts",
        )
        return
    try:
        theirs = load_map_file(file, now).current.value
    except ArgusError as problem:
        yield error(Topic.CE, str(problem), "correct the file")
        return
    lines, others = ({entry.key: entry.targets for entry in each.entries} for each in (ours, theirs))
    different = sorted(key for key in lines.keys() | others.keys() if lines.get(key) != others.get(key))
    if different:
        yield error(
            Topic.CE,
            f"{ours.file} and {file} do not say the same of {_listed(different)}",
            "use one file on both sides: else a payload changes its account although it should not",
        )
    elif [*lines] != [*others]:
        yield warning(
            Topic.CE,
            f"{ours.file} and {file} have the same lines in another order",
            "use one file on both sides: of several lines that fit the first counts",
        )


def _disjoint(ours: Contents, theirs: Contents) -> Iterator[Finding]:
    names, others = ({file.name for file in each.of_kind(FileKind.ACCOUNT)} for each in (ours, theirs))
    common = sorted(names & others)
    if common:
        yield error(
            Topic.CE,
            f"{_listed(common)} are in {ours.directory} and in {theirs.directory}: two people may get one account",
            "share one directory between CEs and Argus, or give each of them accounts of its own",
        )
    else:
        yield warning(
            Topic.CE,
            "CEs and Argus have accounts of their own, so that users have two accounts",
            "nothing to do, but the ops test of the worker nodes, which expects one account, will fail",
        )


def accounts_for_all(maps: Iterable[HandlerMaps]) -> Iterator[Finding]:
    """W6, the half of the map files: whoever is permitted gets an account and a group."""
    for each in maps:
        for vo in vos_of([each]):
            for fqans in probes(vo, [each]):
                yield from _account_for(each, vo, fqans)


def _account_for(maps: HandlerMaps, vo: str, fqans: tuple[Fqan, ...]) -> Iterator[Finding]:
    accounts, groups = maps.accounts.current.value, maps.groups.current.value
    identity = GridIdentity(SUBJECT, fqans[0], fqans)
    try:
        plan = plan_mapping(accounts, groups, identity, maps.part.settings.rules, lambda _: 0)
    except Unmapped as problem:
        yield error(
            Topic.ALL_ROLES,
            f"{accounts.file}: who comes with {fqans[0]} gets no account or no group: {problem}",
            f'add "/{vo}/*/Role=*" with the pool and the group of the members to both map files, as the last of {vo}',
        )
        return
    if not plan.groups:
        yield error(
            Topic.ALL_ROLES,
            f"{groups.file}: who comes with {fqans[0]} gets no group, and gLExec refuses a payload without one",
            f'add "/{vo}/*/Role=*" with the group of the members, as the last line of {vo}',
        )


def _listed(things: Sequence[object]) -> str:
    shown = ", ".join(map(str, things[:_SHOWN]))
    return shown if len(things) <= _SHOWN else f"{shown} and {len(things) - _SHOWN} more"
