"""``argus site``: everything that a site needs to put Argus and its worker nodes into service.

docs/site.md describes the commands and their exit codes.
"""

import argparse
import os
import sys
from collections.abc import Callable

from argus_py.cli.site import accounts, check, init, policy, worker_node
from argus_py.cli.site.command import Call, Exit
from argus_py.errors import ArgusError


def main(arguments: argparse.Namespace) -> int:
    try:
        exit_code = run(Call(arguments, sys.stdin, sys.stdout, sys.stderr))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return Exit.PROBLEMS
    return exit_code


def run(call: Call) -> Exit:
    """Raises BrokenPipeError: nobody reads the output any more."""
    command: Callable[[Call], Exit] = call.arguments.command_of_site
    try:
        return command(call)
    except ArgusError as error:
        call.warn(str(error))
        return Exit.USAGE
    except BrokenPipeError:
        raise
    except OSError as error:
        call.warn(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return Exit.PROBLEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of all commands; ``run`` of what is parsed is ``main``."""
    parser.set_defaults(run=main)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Callable[[Call], Exit], help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(command_of_site=run)
        return added

    init.add_arguments(command("init", init.init, "make a working configuration of all daemons"))
    accounts.add_arguments(
        command("accounts", accounts.accounts, "make map files, pool accounts and policy of YAIM's lists")
    )
    policy.add_arguments(
        command(
            "policy-from-groupmapfile",
            policy.policy_from_groupmapfile,
            "print the policy that permits whom a map file knows",
        )
    )
    worker_node.add_arguments(
        command("worker-node", worker_node.worker_node, "make the files that argus-glexec needs on a worker node")
    )
    check.add_arguments(
        command("check", check.check, "what is missing for worker nodes to be served, and how to mend it; 0 if nothing")
    )
