"""``argus spl lint`` and ``argus spl test`` by their exit codes and what they print; the examples of the project."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from argus_py.cli.argus import main
from argus_py.cli.policy_lint import MAX_OCTETS, source_of_file
from argus_py.pap.lint.findings import Check
from argus_py.spl.attributes import DEFAULT_MAPPINGS

EXAMPLES = Path(__file__).parents[3] / "policies"
MAPS = (
    "--account-map",
    str(EXAMPLES / "maps" / "grid-mapfile"),
    "--group-map",
    str(EXAMPLES / "maps" / "groupmapfile"),
)
CLEAN = 'resource "wn" {\n    action "run" {\n        rule permit { vo="dteam" }\n    }\n}\n'
TESTS = """\
policies: clean.spl
what: run
where: wn
tests:
  - {name: members, who: {subject: CN=a, fqans: /dteam}, decision: permit}
"""

Run = Callable[..., tuple[int, str, str]]
Write = Callable[[str, str], str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["spl", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_policy_without_anything_suspicious_is_silence(run: Run, write: Write) -> None:
    assert run("lint", write("x.spl", CLEAN)) == (0, "", "")


def test_warnings_are_told_in_a_line_each(run: Run, write: Write) -> None:
    file = write("x.spl", CLEAN.replace("dteam", "*"))
    text = (
        'warning: literal-star: resource "wn" > action "run" > rule 1: vo="*" never matches: the star stands for itself'
    )
    assert run("lint", file) == (1, f"{file}:3:9: {text}\n", "")


def test_errors_are_worse(run: Run, write: Write) -> None:
    file = write("x.spl", "resource {")
    code, out, _ = run("lint", file)
    assert code == 2
    assert out.startswith(f"{file}:1:10: error: syntax: Encountered")


def test_several_files_are_one_policy(run: Run, write: Write) -> None:
    one, other = write("1.spl", CLEAN), write("2.spl", CLEAN)
    code, out, _ = run("lint", one, other)
    assert code == 1
    assert out.startswith(f"{other}:3:9: warning: duplicate-rule: ")


def test_information_is_told_if_it_is_asked_for(run: Run, write: Write) -> None:
    file = write("x.spl", CLEAN)
    code, out, _ = run("lint", "--all", file)
    assert (code, out.split(": ")[1:3]) == (0, ["information", "no-catch-all"])


def test_standard_input_is_linted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert run("lint", "-") == (2, "<stdin>:1:1: error: syntax: this line is not UTF-8\n", "")


def test_programs_get_json(run: Run, write: Write) -> None:
    file = write("x.spl", CLEAN.replace("dteam", "*"))
    code, out, _ = run("lint", "--output", "json", file)
    found = [each for each in json.loads(out)["findings"] if each["severity"] != "information"]
    assert code == 1
    assert found == [
        {
            "source": file,
            "line": 3,
            "column": 9,
            "id": None,
            "place": 'resource "wn" > action "run" > rule 1',
            "severity": "warning",
            "check": "literal-star",
            "text": 'vo="*" never matches: the star stands for itself',
        }
    ]


def test_map_files_are_compared_with_the_policy(run: Run, write: Write) -> None:
    file = write("x.spl", 'resource "wn" { action "run" { obligation "O" { } rule permit { vo="lhcb" } } }')
    file = write(
        "x.spl", Path(file).read_text().replace('"O"', '"http://glite.org/xacml/obligation/local-environment-map"')
    )
    accounts, groups = write("accounts", '"/lhcb" .lhcb\n"/dteam" .dteam\n'), write("groups", '"/dteam" dteam\n')
    assert run("lint", file)[0] == 0
    assert "no-account" in run("lint", file, *MAPS)[1]
    assert run("lint", file, "--account-map", accounts)[0] == 0
    assert "no-group" in run("lint", file, "--account-map", accounts, "--group-map", groups)[1]


@pytest.mark.parametrize("arguments", [("lint",), ("test",), ("test", "tests.yaml", "--file")])
def test_a_file_that_cannot_be_read_is_another_exit_code(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments, str(tmp_path / "missing"))
    assert (code, out) == (3, "")
    assert "missing" in err


def test_a_map_file_that_cannot_be_used_too(run: Run, write: Write, tmp_path: Path) -> None:
    policy = write("x.spl", CLEAN)
    for file in (write("bad", "x"), str(tmp_path / "missing")):
        code, _, err = run("lint", policy, "--account-map", file)
        assert (code, file in err) == (3, True)


def test_a_policy_that_is_too_long_is_told_so() -> None:
    source = source_of_file("x", b"#" * (MAX_OCTETS + 1), DEFAULT_MAPPINGS)
    assert [finding.check for finding in source.findings] == [Check.SYNTAX]


def test_names_of_a_site_are_known(run: Run, write: Write) -> None:
    mappings = write("attribute-mappings.ini", "id = x\n")
    code, _, err = run("lint", "--attribute-mappings", mappings, write("x.spl", CLEAN))
    assert (code, "x" in err) == (3, True)


def test_a_policy_that_does_what_is_expected(run: Run, write: Write) -> None:
    write("clean.spl", CLEAN)
    file = write("x.yaml", TESTS)
    assert run("test", file) == (0, f"{file}: 1 case, all as expected\n", "")


def test_what_is_not_as_expected_is_told_with_what_decided(run: Run, write: Write) -> None:
    write("clean.spl", CLEAN.replace("permit", "deny"))
    file = write("x.yaml", TESTS)
    assert run("test", file) == (
        1,
        f"{file}:5: FAILED: members: expected Permit, got Deny\n"
        "    CN=a does run on wn\n"
        '    rule deny { vo="dteam" } of action "run" of resource "wn"\n'
        f"{file}: 1 case, 1 failed\n",
        "",
    )


def test_the_others_are_told_if_they_are_asked_for(run: Run, write: Write) -> None:
    write("clean.spl", CLEAN)
    file = write("x.yaml", TESTS)
    assert run("test", "--all", file)[1].startswith(f"{file}:5: ok: members: Permit\n")


def test_another_policy_may_be_tested(run: Run, write: Write) -> None:
    file, policy = write("x.yaml", TESTS), write("y.spl", CLEAN.replace("permit", "deny"))
    assert run("test", file, "--file", policy)[0] == 1


def test_what_cannot_be_used_is_told_and_the_other_files_are_run(run: Run, write: Write) -> None:
    write("clean.spl", CLEAN)
    bad, good, without = write("a.yaml", "tests: x"), write("b.yaml", TESTS), write("c.yaml", TESTS.partition("\n")[2])
    code, out, err = run("test", bad, good, without)
    assert (code, out) == (2, f"{good}: 1 case, all as expected\n")
    assert err.splitlines() == [
        f"{bad}:1:8: tests: a list with something in it is expected",
        f"{without}: it names no policies, and no others are given",
    ]


def test_tests_are_in_utf_8(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"what: x\nwhere: \xff")
    assert run("test", str(file)) == (2, "", f"{file}:2:1: this line is not UTF-8\n")


def test_a_policy_with_errors_is_not_tested(run: Run, write: Write) -> None:
    policy = write("clean.spl", CLEAN.replace("vo", "unknown"))
    code, out, err = run("test", write("x.yaml", TESTS))
    assert (code, out) == (2, "")
    assert err == f'{policy}:3:23: error: unreadable-value: unknown attribute "unknown"\n'


def test_an_account_is_expected_only_with_map_files(run: Run, write: Write) -> None:
    write("clean.spl", CLEAN)
    file = write("x.yaml", TESTS.replace("permit}", "permit, account: .dteam}"))
    code, _, err = run("test", file)
    assert (code, "no map files" in err) == (2, True)
    code, out, _ = run("test", file, *MAPS)
    assert (code, "expected the account .dteam, got none" in out) == (
        1,
        True,
    )  # without the obligation nobody is mapped


def test_why_there_is_no_account_is_told(run: Run, write: Write) -> None:
    obligation = 'obligation "http://glite.org/xacml/obligation/local-environment-map" { } action'
    write("clean.spl", CLEAN.replace("action", obligation))
    file = write("x.yaml", TESTS.replace("permit}", "permit, account: .dteam}"))
    maps = write("accounts", '"/atlas" .atlas\n')
    code, out, _ = run("test", file, "--account-map", maps)
    assert (code, "Failed to map subject DN CN=a" in out) == (1, True)


def test_verdicts_for_programs(run: Run, write: Write) -> None:
    write("clean.spl", CLEAN)
    file = write("x.yaml", TESTS)
    assert json.loads(run("test", "--output", "json", file)[1]) == {
        "cases": [
            {
                "file": file,
                "line": 5,
                "name": "members",
                "who": "CN=a",
                "what": "run",
                "where": "wn",
                "decision": "Permit",
                "account": None,
                "groups": [],
                "reason": 'rule permit { vo="dteam" } of action "run" of resource "wn"',
                "failures": [],
            }
        ]
    }


POLICIES = sorted(EXAMPLES.glob("*.spl"))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.name)
def test_every_example_does_what_its_tests_expect(run: Run, policy: Path) -> None:
    code, out, err = run("test", str(policy.with_suffix(".test.yaml")))
    assert (code, err) == (0, ""), out


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.name)
def test_lint_finds_nothing_in_the_examples(run: Run, policy: Path) -> None:
    assert run("lint", str(policy), *MAPS) == (0, "", "")


DOCUMENT = (EXAMPLES.parent / "docs" / "policy-tests.md").read_text()


def test_the_example_in_the_document_is_one(run: Run, write: Write) -> None:
    example = DOCUMENT.partition("```yaml\n")[2].partition("```")[0]
    beside = example.replace("worker-node.spl", str(EXAMPLES / "worker-node.spl")).replace("maps/", f"{EXAMPLES}/maps/")
    assert run("test", write("x.yaml", beside))[0] == 0


@pytest.mark.parametrize("check", Check, ids=lambda check: check.code)
def test_every_check_is_in_the_document_with_its_severity(check: Check) -> None:
    assert f"| `{check.code}` | {check.severity.name.lower()} |" in DOCUMENT
