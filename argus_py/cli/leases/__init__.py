"""``argus leases``: who holds which pool account; what is wrong with the gridmapdir; giving accounts back.

docs/leases.md describes the commands and their exit codes.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from argus_py.cli.leases.check import check
from argus_py.cli.leases.command import DEFAULT_CONFIG, Call, Exit, Host
from argus_py.cli.leases.listing import list_leases
from argus_py.cli.leases.names import command_argument, dn_argument, fqan_argument, moment_argument, span_argument
from argus_py.cli.leases.removing import expire, release
from argus_py.cli.leases.stats import pool_stats
from argus_py.cli.leases.whatif import what_if
from argus_py.cli.leases.who import who
from argus_py.errors import ConfigurationError, Unavailable

_WHO = "who ran as that account at that minute, from where, and by which rule"


def main(arguments: argparse.Namespace) -> int:
    logging.getLogger().addHandler(logging.NullHandler())  # what the daemon would log, the commands tell themselves
    try:
        exit_code = run(Call(arguments, Host(), sys.stdout, sys.stderr))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return Exit.UNAVAILABLE
    return exit_code


def run(call: Call) -> Exit:
    """Raises BrokenPipeError: nobody reads the output any more."""
    command: Callable[[Call], Exit] = call.arguments.command_of_leases
    try:
        return command(call)
    except ConfigurationError as error:
        call.warn(str(error))
        return Exit.USAGE
    except Unavailable as error:
        call.warn(str(error))
        return Exit.UNAVAILABLE
    except BrokenPipeError:
        raise
    except OSError as error:
        call.warn(f"{error.filename}: {error.strerror}")
        return Exit.UNAVAILABLE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of all commands; ``run`` of what is parsed is ``main``."""
    parser.set_defaults(run=main)
    commands = parser.add_subparsers(required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--gridmapdir", type=Path, metavar="DIR", help="the directory to work on, instead of those of pepd.ini"
    )
    common.add_argument("--config", type=Path, metavar="FILE", help=f"pepd.ini, default {DEFAULT_CONFIG}")
    common.add_argument("--output", choices=("text", "json"), default="text")

    def command(name: str, run: Callable[[Call], Exit], help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=help, description=help)
        added.set_defaults(command_of_leases=run, needs_config=run is what_if)
        return added

    _add_list(command("list", list_leases, "who holds which account"))
    _add_who(commands.add_parser("who", help=_WHO, description=_WHO))
    _add_check(command("check", check, "what is wrong with the gridmapdir; 0 if nothing is"))
    _add_release(command("release", release, "give the accounts of some leases back"))
    _add_expire(command("expire", expire, "give accounts back that were unused for some time, and are not in use"))
    command("stats", pool_stats, "how many accounts of each pool are in use; 0 if none is damaged")
    _add_what_if(command("whatif", what_if, "what a subject would be mapped to, and why; nothing is leased"))


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", help="leases of this account alone")
    parser.add_argument("--subject", type=dn_argument, metavar="DN", help="leases of this subject alone, in any case")
    parser.add_argument(
        "--records",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="audit.jsonl of the daemon, rotated ones too: for exact DNs, FQANs and the first use",
    )
    parser.add_argument(
        "--at",
        type=moment_argument,
        metavar="TIME",
        help="who held accounts in this minute, by the records; such as 2026-11-24T06:19, in UTC",
    )


def _add_who(parser: argparse.ArgumentParser) -> None:
    """It looks into no directory, and so has none of the common arguments that name one."""
    parser.set_defaults(command_of_leases=who)
    parser.add_argument("account")
    parser.add_argument(
        "--at", type=moment_argument, required=True, metavar="TIME", help="such as 2026-11-24T06:19, in UTC"
    )
    parser.add_argument(
        "--records",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="audit.jsonl of the PEP daemon and, for the rule, of the PDP; rotated ones too",
    )
    parser.add_argument("--output", choices=("text", "json"), default="text")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repair", action="store_true", help="mend what can be mended without harm")
    parser.add_argument("--no-nss", action="store_true", help="do not look for the accounts on this host")


def _add_release(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("lease", nargs="*", default=[], help="names of leases")
    which.add_argument("--subject", type=dn_argument, metavar="DN", help="all leases of this subject, in any case")
    which.add_argument("--account", help="the leases of this account")
    parser.add_argument("--force", action="store_true", help="even if the account has processes on this host")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done")


def _add_expire(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", type=span_argument, required=True, metavar="SPAN", help="such as 240h or 10d")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done")
    parser.add_argument(
        "--no-processes",
        dest="processes",
        action="store_false",
        help="do not look at the processes of this host: no account runs anything here",
    )
    parser.add_argument(
        "--files",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="keep accounts with files below these directories that are younger",
    )
    parser.add_argument(
        "--busy-command",
        type=command_argument,
        metavar="COMMAND",
        help="prints the accounts that are in use, one a line; if it fails, nothing expires",
    )


def _add_what_if(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--subject", type=dn_argument, required=True, metavar="DN", help="slash form or RFC 2253")
    parser.add_argument(
        "--fqan",
        type=fqan_argument,
        action="append",
        default=[],
        help="once for each, in the order of the attribute certificate: the first is the primary one",
    )
