"""``argus spl lint`` and ``argus spl test``: policies checked before they are loaded, without any server."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from argus_py.cli.policy_checks import Exit, MapPaths, Output, read_sources, run_lint, run_policy_tests
from argus_py.config.files import read_text
from argus_py.errors import ConfigurationError
from argus_py.run.parts import now
from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings, parse_mappings

AddCommand = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(command: AddCommand) -> None:
    """``command`` makes a parser of a name, what is run, and a line of help."""
    linting = command("lint", _lint, "tell what is suspicious about policy files; 0 nothing, 1 warnings, 2 errors")
    linting.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="policy file, - is standard input; several are one policy, in this order",
    )
    linting.add_argument("--all", action="store_true", help="information, too, which is nothing to be mended")

    testing = command("test", _test, "run policy tests; 0 as expected, 1 not so, 2 they cannot be used")
    testing.add_argument("files", metavar="TESTS", nargs="+", help="tests in YAML")
    testing.add_argument(
        "--file",
        action="append",
        metavar="POLICY",
        help="policy file to be tested, instead of those that the tests name; several are one policy in this order",
    )
    testing.add_argument("--all", action="store_true", help="the cases that are as expected, too, and what decided")
    for each in (linting, testing):
        each.add_argument("--account-map", type=Path, metavar="FILE", help="grid-mapfile of the PEP daemon")
        each.add_argument("--group-map", type=Path, metavar="FILE", help="groupmapfile of the PEP daemon")
        each.add_argument("--output", choices=("text", "json"), default="text")
        each.add_argument(
            "--attribute-mappings",
            type=Path,
            metavar="FILE",
            help="attribute-mappings.ini of the PAP, default: the attributes that are shipped with it",
        )


def _lint(arguments: argparse.Namespace) -> int:
    output = _output(arguments)
    try:
        mappings = _mappings(arguments.attribute_mappings)
        sources = read_sources(arguments.files, mappings)
    except (ConfigurationError, OSError) as error:
        return _not_read(output, error)
    return run_lint(sources, mappings, _maps(arguments), output)


def _test(arguments: argparse.Namespace) -> int:
    output = _output(arguments)
    try:
        mappings = _mappings(arguments.attribute_mappings)
        policies = None if arguments.file is None else read_sources(arguments.file, mappings)
    except (ConfigurationError, OSError) as error:
        return _not_read(output, error)
    return run_policy_tests(arguments.files, policies, mappings, _maps(arguments), output=output, moment=now())


def _not_read(output: Output, error: Exception) -> Exit:
    output.complain(f"argus: {error}")
    return Exit.UNREADABLE


def _maps(arguments: argparse.Namespace) -> MapPaths:
    return MapPaths(arguments.account_map, arguments.group_map)


def _output(arguments: argparse.Namespace) -> Output:
    return Output(sys.stdout, sys.stderr, arguments.output == "json", arguments.all)


def _mappings(file: Path | None) -> AttributeMappings:
    return DEFAULT_MAPPINGS if file is None else parse_mappings(read_text(file), str(file))
