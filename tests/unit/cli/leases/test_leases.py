"""What all commands have in common: where they work, and how they end."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.cli import argus
from argus_py.cli.leases import main
from argus_py.cli.leases.command import DEFAULT_CONFIG, Exit
from argus_py.store.lease_problems import ProblemKind

if TYPE_CHECKING:
    from tests.unit.cli.leases.conftest import Directory, Leases


def test_the_argus_command_has_them() -> None:
    parsed = argus.command_line().parse_args(["leases", "stats"])
    assert parsed.run is main


def test_the_directory_is_that_of_pepd_ini(directory: "Directory", leases: "Leases", site: Callable[..., str]) -> None:
    directory.account("dteam001")
    assert leases("stats", "--config", site('"/dteam" .dteam\n')).lines[1].endswith(f"  {directory.path}")


def test_a_directory_that_is_named_needs_no_pepd_ini(directory: "Directory", leases: "Leases") -> None:
    assert not DEFAULT_CONFIG.exists()
    directory.account("dteam001")
    assert leases("stats").exit is Exit.FINE


def test_a_pepd_ini_that_cannot_be_read_is_a_matter_of_configuration(leases: "Leases") -> None:
    outcome = leases("stats", "--config", "/nonexistent/pepd.ini")
    assert outcome.exit is Exit.USAGE
    assert "/nonexistent/pepd.ini" in outcome.err


def test_every_problem_of_pepd_ini_is_told(leases: "Leases", site: Callable[..., str]) -> None:
    outcome = leases("stats", "--config", site("", secondaryGroupOrder="alphabet", accountMapFile=""))
    assert outcome.exit is Exit.USAGE
    assert all(line.startswith("argus leases: ") for line in outcome.err.splitlines())
    assert "secondaryGroupOrder" in outcome.err
    assert "accountMapFile" in outcome.err


@pytest.mark.parametrize("words", [(), ("list", "--at", "noon"), ("expire",), ("expire", "--older-than", "0d")])
def test_wrong_usage_ends_with_two(words: tuple[str, ...], parser: argparse.ArgumentParser) -> None:
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args(words)
    assert exit_.value.code == Exit.USAGE


def test_the_program_prints_names_that_are_no_text(
    directory: "Directory", parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    directory.lease("%2fcn%3dalice:\udcff", "dteam001")  # octets that are not UTF-8
    assert main(parser.parse_args(["list", "--gridmapdir", str(directory.path), "--output", "json"])) == Exit.FINE
    assert r"\udcff" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_is_no_error(directory: "Directory") -> None:
    directory.lease("%2fcn%3dalice", "dteam001")
    program = "import sys; from argus_py.cli.argus import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "leases", "list", "--gridmapdir", str(directory.path)]
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (finished.returncode, finished.stderr) == (Exit.UNAVAILABLE, "")


DOCUMENT = (Path(__file__).parents[4] / "docs" / "leases.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^(?:    |\$ )argus leases ([^\[\n]+)$", DOCUMENT, re.MULTILINE))
def test_commands_of_the_document_are_understood(line: str, parser: argparse.ArgumentParser) -> None:
    parser.parse_args(shlex.split(line))


def test_the_document_describes_every_problem_and_exit_code() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", DOCUMENT, re.MULTILINE)) == {kind.value for kind in ProblemKind}
    assert set(re.findall(r"^\| ([0-9]) \|", DOCUMENT, re.MULTILINE)) == {str(int(code)) for code in Exit}
