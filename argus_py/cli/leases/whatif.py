"""``argus leases whatif``: what would this subject map to, by which lines, under which lease names? Nothing is leased.

The answer is that of the daemon's own account mapping on a gridmapdir that is only read. The lease names are those of
both settings of useSecondaryGroupNamesForMapping and of the other programs, for sites that change from one to the
other: when a lease has a name that is not looked for any more, its holder gets a new account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from argus_py.cli.leases.command import Call, Exit, Host
from argus_py.cli.leases.maps import HandlerMaps
from argus_py.cli.leases.names import shown_time
from argus_py.errors import Unavailable, Unmapped
from argus_py.pep.mapping.accounts import blind_to_role
from argus_py.pep.mapping.groups import GroupWithoutNumber, by_number
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.lease_name import lease_name
from argus_py.pep.mapping.map_file import MapFile, MapTarget
from argus_py.pep.mapping.plan import MappingPlan
from argus_py.pep.obligations.account_mapping import AccountMapping
from argus_py.pep.obligations.posix_account import PosixAccount
from argus_py.store.account_index import in_pool
from argus_py.store.lease_files import Contents, LeaseFile, read_contents
from argus_py.store.lease_forecast import LeaseForecast
from argus_py.store.nss import NssNames

_ARGUS, _LCMAPS, _GLOBUS = "Argus", "LCMAPS", "Globus"
_GROUPS_IN_LEASE: Final = {True: "all", False: "primary"}  # by useSecondaryGroupNamesForMapping
_NO_GROUPS: Final = "none"  # grid-mapfiles without VOMS: also LCMAPS with poolaccount alone


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name of the lease: which groups are in it, which program makes it so, and what there is under it."""

    groups: str
    program: str
    name: str
    lease: LeaseFile | None
    account: str | None  # None also for a damaged lease


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an account mapping would do. ``plan`` None: no line of the account map fits, or where it leads is refused.

    Either ``account`` or ``refusal``, which is for the operator, is None. ``held_by`` names the lease by which the
    subject has the account already; without it, an account of a pool stands for all the ``free`` ones.
    """

    plan: MappingPlan | None
    account: PosixAccount | None
    refusal: str | None
    held_by: str | None = None
    free: int = 0
    spellings: tuple[Spelling, ...] = ()
    notes: tuple[str, ...] = ()


def what_if(call: Call) -> Exit:
    """Raises ConfigurationError: pepd.ini or a map file cannot be used; Unavailable: a directory cannot be read."""
    fqans = tuple(call.arguments.fqan) or None
    identity = GridIdentity(call.arguments.subject, fqans[0] if fqans else None, fqans)
    told = []
    for maps in call.maps:
        contents = read_contents(call.arguments.gridmapdir or maps.part.grid_map_dir)
        told.append((maps, contents, forecast(maps, contents, identity, call.host)))
    if call.wants_json:
        call.say_json({"handlers": [_as_json(*each) for each in told]})
    else:
        for each in told:
            _say(call, *each)
    return Exit.PROBLEMS if any(each.account is None for _, _, each in told) else Exit.FINE


def forecast(maps: HandlerMaps, contents: Contents, identity: GridIdentity, host: Host) -> Forecast:
    """By the daemon's own mapping, with its own settings."""
    part = maps.part
    idle = part.recycle_idle_leases_after
    leases = LeaseForecast(contents, None if idle is None else host.now() - idle)
    names = NssNames(host.uid_of, host.gid_of) if part.use_name_service else None
    mapping = AccountMapping(part.name, part.settings, maps.accounts, maps.groups, leases, names=names)
    try:
        plan = mapping.plan(identity)
    except Unmapped as error:
        return Forecast(None, None, str(error), notes=tuple(_near_misses(maps, identity)))
    account = refusal = None
    try:
        account = mapping.map(identity)
    except (Unmapped, Unavailable) as error:
        refusal = str(error.__cause__ or error)
    pool = plan.pool
    if pool is None:
        return Forecast(plan, account, refusal)
    held_by = account.lease if account and account.lease and leases.existing(account.lease) else None
    spellings = tuple(_spellings(plan, leases, host))
    notes = [*_doubts(plan, host), *([] if held_by else _overlooked(spellings, pool))]
    return Forecast(plan, account, refusal, held_by, len(leases.free_accounts(pool)), spellings, tuple(notes))


def _near_misses(maps: HandlerMaps, identity: GridIdentity) -> Iterator[str]:
    for entry in blind_to_role(maps.accounts.current.value, identity):
        yield f'{maps.part.account_map_file} line {entry.line}, "{entry.key}", would fit without the role'


def _doubts(plan: MappingPlan, host: Host) -> Iterator[str]:
    if len(plan.groups) > 2:  # or there is nothing to be ordered
        try:
            by_number(plan.groups, host.gid_of)
        except GroupWithoutNumber as error:
            yield f"LCMAPS has secondary groups in the order of their numbers: {error}"


def _overlooked(spellings: Iterable[Spelling], pool: str) -> Iterator[str]:
    for each in spellings:
        if each.account is not None and in_pool(each.account, pool):
            yield f"the subject has {each.account} by the lease {each.name}, which is not looked for"


def _spellings(plan: MappingPlan, leases: LeaseForecast, host: Host) -> Iterator[Spelling]:
    """Of each setting, ours first; no name of LCMAPS if it makes the same."""

    def spelling(groups: str, program: str, name: str) -> Spelling:
        return Spelling(groups, program, name, leases.existing(name), leases.account_of(name))

    for setting, groups in _GROUPS_IN_LEASE.items():
        variant = replace(plan, secondary_groups_in_lease=setting)
        yield spelling(groups, _ARGUS, variant.lease_name(setting))
        for name in variant.other_lease_names(host.gid_of):
            yield spelling(groups, _LCMAPS, name)
    yield spelling(_NO_GROUPS, _GLOBUS, lease_name(plan.identity.dn, ()))


# --- Telling it


def _say(call: Call, maps: HandlerMaps, contents: Contents, told: Forecast) -> None:
    call.say(f"{maps.part.name}, gridmapdir {contents.directory}")
    if told.plan is not None:
        call.say(f"  account  {_by_line(told.plan.account, maps.accounts.current.value)}")
        for position, group in enumerate(told.plan.groups):
            call.say(f"  {'group' if position else 'primary':<8} {_by_line(group, maps.groups.current.value)}")
    for note in told.notes:
        call.say(f"  note     {note}")
    call.say(f"  answer   {_answer(told)}")
    if told.plan is not None and told.spellings:
        setting = told.plan.secondary_groups_in_lease
        call.say_table(
            ("GROUPS-IN-LEASE", "PROGRAM", "ACCOUNT", "LAST-USE", "LEASE"),
            (_as_text(each, setting) for each in told.spellings),
        )
        call.say(f"* useSecondaryGroupNamesForMapping = {str(setting).lower()}, as configured")


def _by_line(target: MapTarget, map_file: MapFile) -> str:
    return f'{target.name}, by {map_file.file} line {target.entry.line}: "{target.entry.key}"'


def _answer(told: Forecast) -> str:
    account = told.account
    if account is None:
        return f"refused: {told.refusal}"
    groups = f"groups {', '.join(account.groups)}" if account.groups else "no group"
    if account.lease is None:
        return f"the account {account.login}, {groups}"
    if told.held_by is not None:
        return f"the account {account.login}, {groups}; held by the lease {told.held_by}"
    if told.free:
        return f"one of {told.free} free accounts, {groups}; by a new lease {account.lease}"
    return f"the account {account.login}, {groups}; taken back from who used it last, by a new lease {account.lease}"


def _as_text(each: Spelling, setting: bool) -> tuple[str | None, ...]:
    is_ours = each.program == _ARGUS and each.groups == _GROUPS_IN_LEASE[setting]
    damaged = None if each.lease is None else "damaged"
    return (
        f"{each.groups}*" if is_ours else each.groups,
        each.program,
        each.account or damaged,
        None if each.lease is None else shown_time(each.lease.last_use),
        each.name,
    )


def _as_json(maps: HandlerMaps, contents: Contents, told: Forecast) -> dict[str, Any]:
    plan, account = told.plan, told.account
    is_decided = account is not None and (account.lease is None or told.held_by is not None)
    group_lines = () if plan is None else plan.groups
    return {
        "handler": maps.part.name,
        "directory": str(contents.directory),
        "account_line": None if plan is None else _line_as_json(plan.account, maps.accounts.current.value),
        "group_lines": [_line_as_json(group, maps.groups.current.value) for group in group_lines],
        "pool": None if plan is None else plan.pool,
        "free": told.free,
        "account": account.login if account is not None and is_decided else None,
        "groups": None if account is None else account.groups,
        "lease": None if account is None else account.lease,
        "held_by": told.held_by,
        "refusal": told.refusal,
        "notes": told.notes,
        "spellings": list(map(_spelling_as_json, told.spellings)),
    }


def _line_as_json(target: MapTarget, map_file: MapFile) -> dict[str, Any]:
    return {"name": target.name, "file": map_file.file, "line": target.entry.line, "key": target.entry.key}


def _spelling_as_json(each: Spelling) -> dict[str, Any]:
    return {
        "groups": each.groups,
        "program": each.program,
        "lease": each.name,
        "exists": each.lease is not None,
        "account": each.account,
        "last_use": None if each.lease is None else shown_time(each.lease.last_use),
    }
