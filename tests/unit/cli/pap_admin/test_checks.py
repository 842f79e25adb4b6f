"""``pap-admin lint`` and ``pap-admin test``: on the policies that the PAP has, or on files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

TWICE = 'resource "wn" { action "run" { rule permit { vo="a" } rule permit { vo="a" } } }'
TESTS = "tests: [{who: {subject: CN=a, fqans: /a}, what: run, where: wn, decision: permit}]"


class Outcome(Protocol):
    exit_code: int
    stdout: str
    stderr: str


Command = Callable[..., Outcome]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], str]:
    def written(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return written


def test_the_policies_of_the_pap_are_linted(pap_admin: Command, file: Callable[[str, str], str]) -> None:
    assert pap_admin("lint").exit_code == 0
    pap_admin("apf", file("x.spl", TWICE))
    pap_admin("apf", file("y.spl", TWICE.replace("wn", "ce").replace('vo="a"', 'vo="b"')))
    outcome = pap_admin("lint")
    assert outcome.exit_code == 1
    assert [line.split(": ")[:3] for line in outcome.stdout.splitlines()] == [
        ["pap default", "warning", "duplicate-rule"]
    ] * 2


def test_files_are_linted_before_they_are_loaded(pap_admin: Command, file: Callable[[str, str], str]) -> None:
    policy = file("x.spl", TWICE)
    outcome = pap_admin("lint", "--output", "json", "--file", policy)
    assert outcome.exit_code == 1
    assert "duplicate-rule" in {each["check"] for each in json.loads(outcome.stdout)["findings"]}
    assert pap_admin("list-policies").stdout.count("rule") == 0


def test_the_policies_of_the_pap_are_tested(pap_admin: Command, file: Callable[[str, str], str]) -> None:
    tests = file("tests.yaml", TESTS)
    assert pap_admin("test", tests).exit_code == 1
    assert pap_admin("test", tests, "--file", file("x.spl", TWICE)).exit_code == 0
    pap_admin("apf", file("x.spl", TWICE))
    outcome = pap_admin("test", tests, "--pap", "default")
    assert (outcome.exit_code, outcome.stdout) == (0, f"{tests}: 1 case, all as expected\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint", "file.spl"),
        ("test",),
        ("lint", "--output", "xml"),
        ("test", "tests.yaml", "--pap", "a", "--file", "x.spl"),
    ],
)
def test_a_wrong_command_line_is_refused(pap_admin: Command, arguments: tuple[str, ...]) -> None:
    assert pap_admin(*arguments).exit_code == 4


@pytest.mark.parametrize("arguments", [("lint", "--file", "/missing"), ("test", "tests.yaml", "--file", "/missing")])
def test_a_missing_file_is_an_error(pap_admin: Command, arguments: tuple[str, ...]) -> None:
    outcome = pap_admin(*arguments)
    assert (outcome.exit_code, "/missing" in outcome.stderr) == (3, True)


def test_a_pap_that_is_not_there_is_an_error(pap_admin: Command) -> None:
    assert pap_admin("lint", "--pap", "elsewhere").exit_code == 5
