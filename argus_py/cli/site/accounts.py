"""``argus site accounts``: map files, pool accounts and policy from YAIM's ``groups.conf`` and ``users.conf``."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from argus_py.cli.site.command import Call, Exit, add_gridmapdir, add_map_files, add_user, add_writing
from argus_py.cli.site.files import NewFile, NewFolder, Plan, PoolAccounts, carry_out
from argus_py.config.files import read_text
from argus_py.config.yaim import parse_groups, parse_users
from argus_py.config.yaim_maps import SiteAccounts, site_accounts
from argus_py.spl.group_map import PolicyFrame, derive
from argus_py.store.account_index import in_pool
from argus_py.store.gridmapdir import GridMapDirUnavailable
from argus_py.store.lease_files import FileKind, read_contents

_SHARED = 0o775  # of the gridmapdir: the CEs write there too, in the group of the daemon


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_yaim_files(parser, required=True)
    add_map_files(parser)
    add_gridmapdir(parser)
    add_policy(parser)
    add_user(parser)
    add_writing(parser)


def add_yaim_files(parser: argparse.ArgumentParser, required: bool) -> None:
    parser.add_argument("--groups", type=Path, required=required, metavar="FILE", help="groups.conf of YAIM")
    parser.add_argument("--users", type=Path, required=required, metavar="FILE", help="users.conf of YAIM")


def add_policy(parser: argparse.ArgumentParser) -> None:
    default = Path("/etc/argus/site-policy.spl")
    parser.add_argument(
        "--policy", type=Path, default=default, metavar="FILE", help="for pap-admin, default %(default)s"
    )


def accounts(call: Call) -> Exit:
    """Raises ConfigurationError: the files cannot be used; FilesExist; OSError."""
    arguments = call.arguments
    mapping = yaim_accounts(call)
    carry_out(call, mapping_plan(call, mapping))
    for warning in (*mapping.warnings, *_left_over(arguments.gridmapdir, mapping)):
        call.warn(f"warning: {warning}")
    tell_white_list(call, mapping)
    return Exit.FINE


def yaim_accounts(call: Call) -> SiteAccounts:
    """What ``--groups`` and ``--users`` say. Raises ConfigurationError."""
    groups, users = call.arguments.groups, call.arguments.users
    return site_accounts(parse_groups(read_text(groups), str(groups)), parse_users(read_text(users), str(users)))


def tell_white_list(call: Call, mapping: SiteAccounts) -> None:
    call.say(f"user_white_list of glexec.conf: {', '.join(mapping.white_list) or '(nobody)'}")
    call.say(f"groups of the pilots, for the sudo rule: {', '.join(mapping.pilot_groups) or '(none)'}")


def mapping_plan(call: Call, mapping: SiteAccounts) -> Plan:
    """The files of the account mapping, and the policy that permits whoever has an account."""
    arguments = call.arguments
    groups = _map_file("the first line that fits a primary FQAN gives the group", mapping.groups)
    policy = derive(groups, str(arguments.group_mapfile), PolicyFrame())
    return Plan(
        files=(
            NewFile(arguments.grid_mapfile, _map_file("the first line that fits gives the account", mapping.accounts)),
            NewFile(arguments.group_mapfile, groups),
            NewFile(arguments.policy, policy.text),
        ),
        pool_accounts=PoolAccounts(NewFolder(arguments.gridmapdir, _SHARED, call.owner), mapping.pool_accounts),
    )


def _map_file(comment: str, lines: Iterable[tuple[str, str]]) -> str:
    return f"# {comment}\n" + "".join(f'"{key}" {target}\n' for key, target in lines)


def _left_over(gridmapdir: Path, mapping: SiteAccounts) -> list[str]:
    """Accounts that are there and will be leased, although users.conf does not have them."""
    try:
        present = read_contents(gridmapdir).of_kind(FileKind.ACCOUNT)
    except GridMapDirUnavailable:
        return []  # it was not made, in a dry run
    wanted = frozenset(mapping.pool_accounts)
    pools = {indicator[1:] for _, indicator in mapping.accounts if indicator.startswith(".")}
    return [
        f"{gridmapdir / account.name} is of a pool in use, and no account of users.conf: remove it"
        for account in present
        if account.name not in wanted and any(in_pool(account.name, pool) for pool in pools)
    ]
