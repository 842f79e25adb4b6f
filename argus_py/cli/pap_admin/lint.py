"""lint and test: what is suspicious about policies, and whether they decide as a site expects.

They look at the policies of the PAP, of whatever make, or at policy files before they are loaded.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command
from argus_py.pap.paps import DEFAULT_ALIAS

if TYPE_CHECKING:
    from argus_py.cli.policy_checks import MapPaths, Output
    from argus_py.pap.lint.readings import PolicySource

_OPTIONS = (
    Option(("--pap",), "the paps whose policies are meant, in this order; default 'default'", "alias...", several=True),
    Option(("--file",), "policy files instead of the policies of the PAP, in this order", "file...", several=True),
    Option(("--account-map",), "grid-mapfile of the PEP daemon", "file"),
    Option(("--group-map",), "groupmapfile of the PEP daemon", "file"),
)


def _check_options(given: Arguments) -> None:
    if given.has("pap") and given.has("file"):
        raise ParseError("Specify one of --pap and --file.")


def _check_lint(given: Arguments) -> None:
    _check_options(given)
    if given.words:
        raise ParseError("Wrong number of arguments: files are named by --file")


def _check_test(given: Arguments) -> None:
    _check_options(given)
    if not given.words:
        raise ParseError("Wrong number of arguments: specify one or more files of tests.")


def _lint(call: Call) -> int:
    from argus_py.cli.policy_checks import Exit, run_lint  # noqa: PLC0415 - start-up
    from argus_py.spl.attributes import DEFAULT_MAPPINGS  # noqa: PLC0415 - start-up

    output = _output(call)
    try:
        sources = _sources(call)
    except OSError as error:
        output.complain(str(error))
        return Exit.UNREADABLE
    return run_lint(sources, DEFAULT_MAPPINGS, _maps(call.arguments), output)


def _test(call: Call) -> int:
    from argus_py.cli.policy_checks import Exit, run_policy_tests  # noqa: PLC0415 - start-up
    from argus_py.spl.attributes import DEFAULT_MAPPINGS  # noqa: PLC0415 - start-up

    output = _output(call)
    try:
        sources = _sources(call)
    except OSError as error:
        output.complain(str(error))
        return Exit.UNREADABLE
    maps = _maps(call.arguments)
    return run_policy_tests(call.words, sources, DEFAULT_MAPPINGS, maps, output=output, moment=datetime.now(UTC))


def _maps(given: Arguments) -> "MapPaths":
    from argus_py.cli.policy_checks import MapPaths  # noqa: PLC0415 - start-up

    accounts, groups = given.get("account-map"), given.get("group-map")
    return MapPaths(None if accounts is None else Path(accounts), None if groups is None else Path(groups))


def _output(call: Call) -> "Output":
    from argus_py.cli.policy_checks import Output  # noqa: PLC0415 - start-up

    return Output(call.console.out, call.console.err, call.as_json, call.arguments.has("info"))


def _sources(call: Call) -> "Sequence[PolicySource]":
    """Raises OSError."""
    from argus_py.cli.policy_checks import read_sources  # noqa: PLC0415 - start-up
    from argus_py.pap.lint.sources import source_of_pap  # noqa: PLC0415 - start-up
    from argus_py.spl.attributes import DEFAULT_MAPPINGS  # noqa: PLC0415 - start-up

    files = call.arguments.all("file")
    if files:
        return read_sources(files, DEFAULT_MAPPINGS)
    aliases = call.arguments.all("pap") or (DEFAULT_ALIAS,)
    return tuple(source_of_pap(alias, call.pap.policies(alias)) for alias in aliases)


COMMANDS = (
    Command(
        ("lint",),
        "lint [options]",
        "Tell what is suspicious about policies; exit code 0: nothing, 1: warnings, 2: errors.",
        (*_OPTIONS, Option(("--info",), "information, too, which is nothing to be mended")),
        _lint,
        _check_lint,
        (
            ("lint --pap central default", "the policies as PDPs have them"),
            ("lint --file site.spl", "before it is loaded"),
        ),
        tells=True,
    ),
    Command(
        ("test",),
        "test [options] <tests.yaml>...",
        "Run policy tests; exit code 0: all as expected, 1: some are not, 2: they cannot be used.",
        (*_OPTIONS, Option(("--info",), "the cases that are as expected, too, and what decided")),
        _test,
        _check_test,
        (("test site-tests.yaml", "does the PAP decide as the site expects?"),),
        tells=True,
    ),
)
