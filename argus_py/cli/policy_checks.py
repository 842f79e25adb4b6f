"""Lint and policy tests as commands run them: ``argus spl`` on files, ``pap-admin`` also on the policies of a PAP.

docs/policy-tests.md tells what is checked, the format of tests, and what the exit codes are.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, TextIO

from argus_py.cli import policy_trials
from argus_py.cli.policy_files import read_bounded
from argus_py.cli.policy_lint import MAX_OCTETS, MapFiles, source_of_file
from argus_py.errors import ArgusError, ConfigurationError, MalformedInput, Unavailable
from argus_py.model.dn import escape_controls
from argus_py.pap.lint import report
from argus_py.pap.lint.findings import Severity, worst
from argus_py.pap.lint.linter import lint
from argus_py.pap.lint.readings import PolicySource
from argus_py.pap.plain_yaml import MAX_LENGTH
from argus_py.pap.policy_tests import PolicyTests
from argus_py.pap.policy_tests_yaml import PolicyTestsError, Problem, parse_policy_tests
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.making_room import no_collections
from argus_py.xacml.policy import Policy, PolicySet

STDIN: Final = "-"
_LONGEST_CHARACTER: Final = 4  # octets, in UTF-8


class Exit(IntEnum):
    """What a CI of a site goes by."""

    FINE = 0
    WARNINGS = 1  # of lint; tests: a case is not as expected
    ERRORS = 2  # of lint; tests: what is to be tested, or the tests, cannot be used
    UNREADABLE = 3  # a file cannot be read


class PolicyUnusable(MalformedInput):
    """A policy that is to be tested has errors, or there is none; the text begins with the file that has them."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how it is told; ``everything``: also what is no problem."""

    out: TextIO
    err: TextIO
    as_json: bool = False
    everything: bool = False

    def say(self, text: str) -> None:
        self.out.write(text)

    def say_json(self, value: Any) -> None:
        self.out.write(f"{json.dumps(value, indent=2)}\n")

    def complain(self, text: str) -> None:
        for line in text.splitlines():
            self.err.write(f"{escape_controls(line)}\n")


@dataclass(frozen=True, slots=True)
class MapPaths:
    """As given on the command line."""

    accounts: Path | None = None
    groups: Path | None = None

    def load(self) -> MapFiles | None:
        """None without an account map. Raises MapFileError, OSError."""
        return None if self.accounts is None else MapFiles.load(self.accounts, self.groups)


def read_sources(files: Sequence[str], mappings: AttributeMappings) -> tuple[PolicySource, ...]:
    """``-`` is standard input. Raises OSError."""
    with no_collections():
        return tuple(_source(file, mappings) for file in files)


def _source(file: str, mappings: AttributeMappings) -> PolicySource:
    if file == STDIN:
        return source_of_file("<stdin>", sys.stdin.buffer.read(MAX_OCTETS + 1), mappings)
    return source_of_file(file, read_bounded(Path(file), MAX_OCTETS), mappings)


def run_lint(sources: Sequence[PolicySource], mappings: AttributeMappings, maps: MapPaths, output: Output) -> Exit:
    """Information is told with ``everything`` alone, in JSON always."""
    try:
        loaded = maps.load()
    except (ConfigurationError, Unavailable, OSError) as error:
        output.complain(str(error))
        return Exit.UNREADABLE
    with no_collections():
        findings = lint(sources, mappings, loaded)
    if output.as_json:
        output.say_json({"findings": report.as_values(findings)})
    else:
        least = Severity.INFORMATION if output.everything else Severity.WARNING
        output.say(report.as_text(report.at_least(findings, least)))
    return Exit(worst(findings))


def run_policy_tests(
    files: Sequence[str],
    policies: Sequence[PolicySource] | None,
    mappings: AttributeMappings,
    maps: MapPaths,
    *,
    output: Output,
    moment: datetime,
) -> Exit:
    """``policies`` None, ``maps`` without any: those that each file names, which are looked for beside it."""
    results: list[Exit] = []
    told: list[dict[str, Any]] = []
    for file in files:
        try:
            tests = _read_tests(Path(file), mappings)
            loaded = _maps_of(tests, Path(file).parent, maps)
            sources = _policies_of(tests, Path(file), mappings) if policies is None else policies
            verdicts = policy_trials.Trials(_usable(sources), mappings, loaded, moment).run(tests.cases)
        except PolicyTestsError as error:
            output.complain("\n".join(f"{file}:{each.line}:{each.column}: {each}" for each in error.problems))
            results.append(Exit.ERRORS)
        except PolicyUnusable as error:
            output.complain(str(error))
            results.append(Exit.ERRORS)
        except MalformedInput as error:
            output.complain(f"{file}: {error}")
            results.append(Exit.ERRORS)
        except (ArgusError, OSError) as error:
            output.complain(f"{file}: {error}")
            results.append(Exit.UNREADABLE)
        else:
            results.append(Exit.WARNINGS if any(verdict.failures for verdict in verdicts) else Exit.FINE)
            told += policy_trials.as_values(file, verdicts)
            if not output.as_json:
                output.say(policy_trials.as_text(file, verdicts, output.everything))
    if output.as_json:
        output.say_json({"cases": told})
    return max(results, default=Exit.FINE)


def _read_tests(file: Path, mappings: AttributeMappings) -> PolicyTests:
    octets = read_bounded(file, MAX_LENGTH * _LONGEST_CHARACTER)
    try:
        return parse_policy_tests(octets.decode(), mappings)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise PolicyTestsError([Problem(line, 1, "", "this line is not UTF-8")]) from error


def _policies_of(tests: PolicyTests, file: Path, mappings: AttributeMappings) -> tuple[PolicySource, ...]:
    if not tests.policies:
        raise PolicyUnusable(f"{file}: it names no policies, and no others are given")
    return read_sources([str(file.parent / name) for name in tests.policies], mappings)


def _maps_of(tests: PolicyTests, folder: Path, given: MapPaths) -> MapFiles | None:
    if given.accounts is not None or tests.accounts is None:
        return given.load()
    return MapPaths(folder / tests.accounts, None if tests.groups is None else folder / tests.groups).load()


def _usable(sources: Sequence[PolicySource]) -> list[PolicySet | Policy]:
    """Their elements. Raises PolicyUnusable: what no PAP would load is not tested."""
    errors = [finding for source in sources for finding in source.findings]
    if errors:
        raise PolicyUnusable(report.as_text(errors))
    return [element for source in sources for element in source.elements]
