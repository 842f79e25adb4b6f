"""history, show, diff, undo and --dry-run, of a PAP of argus_py."""

import json
from typing import Any

import pytest

BAN = """\
@@ pap default @@
+resource ".*" {
+    action ".*" {
+        rule deny { vo="x" }
+    }
+}
"""


@pytest.fixture
def pap(make_pap_admin: Any) -> Any:
    return make_pap_admin()


def last(pap: Any) -> int:
    """The number of the last change."""
    return int(pap("history", "--limit", "1").stdout.split()[0])


def test_history_lists_changes_the_newest_first(pap: Any) -> None:
    pap("ban", "vo", "x")
    pap("un-ban", "vo", "x")
    lines = pap("history").stdout.splitlines()
    number, moment, author, command = lines[0].split("  ")
    assert int(number) == int(lines[1].split("  ")[0]) + 1
    assert (len(moment), author, command) == (20, "CN=Admin,DC=example,DC=org", "un-ban vo x")
    assert lines[1].split("  ")[3] == "ban vo x"
    assert pap("history", number, "--limit", "1").stdout == f"{lines[0]}\n"
    (told,) = json.loads(pap("history", "--limit", "1", "--output", "json").stdout)["changes"]
    assert (told["revision"], told["command"], told["pap"]) == (int(number), "un-ban vo x", "default")


def test_a_long_history_is_asked_for_in_pages(pap: Any) -> None:
    for number in range(120):
        pap("ban", "vo", f"v{number}")
    assert len(pap("history", "--limit", "115").stdout.splitlines()) == 115
    assert len(pap("history", "--limit", "1000").stdout.splitlines()) > 120


def test_show_tells_one_change(pap: Any) -> None:
    pap("ban", "vo", "x")
    head, _, difference = pap("show", str(last(pap))).stdout.partition("\n")
    assert head.endswith("ban vo x")
    assert difference == BAN
    told = json.loads(pap("show", str(last(pap)), "--output", "json").stdout)
    assert told["difference"][0]["lines"][-1] == "+}"


def test_diff_tells_what_changes_did_together(pap: Any) -> None:
    before = last(pap)
    pap("ban", "vo", "y")
    pap("un-ban", "vo", "y")
    pap("ban", "vo", "x")
    assert pap("diff", str(before), str(last(pap))).stdout == BAN
    assert pap("diff", str(last(pap)), str(last(pap))).stdout == ""
    assert json.loads(pap("diff", "1", "1", "--output", "json").stdout) == {"difference": []}


def test_undo_takes_a_change_back(pap: Any) -> None:
    pap("ban", "vo", "x")
    number = str(last(pap))
    assert pap("undo", number, "--dry-run").stdout == BAN.replace("+", "-")
    assert 'vo="x"' in pap("lp").stdout
    outcome = pap("undo", number, "-v")
    assert (outcome.exit_code, outcome.stdout) == (0, BAN.replace("+", "-"))
    assert 'vo="x"' not in pap("lp").stdout
    again = pap("undo", number)
    assert (again.exit_code, again.stdout) == (
        0,
        f"Nothing was changed: what change {number} did is not there any more.\n",
    )


def test_undo_is_refused_if_something_was_changed_since(pap: Any) -> None:
    pap("set-polling-interval", "60")
    number = str(last(pap))
    pap("set-polling-interval", "120")
    outcome = pap("undo", number)
    assert (outcome.exit_code, pap("gpi").stdout) == (5, "Polling interval in seconds: 120\n")
    assert outcome.stdout.startswith(f"revision {number} cannot be undone: ")


def test_a_change_that_is_not_there_is_told(pap: Any) -> None:
    assert pap("show", "999").stdout == "Error: there is no change 999\n"
    assert pap("undo", "999").exit_code == 5
    assert pap("diff", "1", "999").exit_code == 5


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["history", "1", "2"], "Wrong number of arguments"),
        (["history", "x"], '"x" is not the number of a change, as "history" shows it'),
        (["history", "--limit", "x"], '"x" is no number (option --limit)'),
        (["history", "--limit", "0"], "--limit is at least 1"),
        (["show"], "Wrong number of arguments: specify the number of a change"),
        (["show", "0"], "the first change has the number 1"),
        (["diff", "1"], "Wrong number of arguments: specify the numbers of two changes"),
        (["undo", "-1"], "Unrecognized option: -1"),
    ],
)
def test_a_wrong_command_line_is_told(words: list[str], error: str, pap: Any) -> None:
    outcome = pap(*words)
    assert (outcome.exit_code, outcome.stderr) == (4, f"\nParse error: {error}\n\n")


@pytest.mark.parametrize(
    "command",
    [
        ["ban", "vo", "y", "-v"],
        ["un-ban", "vo", "x", "-v"],
        ["add-policy", "--resource", "r", "--action", "a", "permit", "vo=z"],
        ["remove-all-policies", "-v"],
        ["add-pap", "-l", "test", "-v"],
        ["add-pap", "central", "pap.example.org", "/O=Site/CN=pap.example.org"],
        ["disable-pap", "default"],
        ["set-paps-order", "default"],
        ["set-polling-interval", "60"],
        ["add-ace", "CN=Eve,O=Site", "POLICY_READ_LOCAL"],
    ],
    ids=lambda command: command[0],
)
def test_a_dry_run_tells_the_difference_and_changes_nothing(command: list[str], pap: Any) -> None:
    pap("ban", "vo", "x")
    before = last(pap)
    outcome = pap(*command, "--dry-run")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("@@ ")
    assert {line[0] for line in outcome.stdout.splitlines()} <= set("@+- ")
    assert last(pap) == before
    assert pap.refreshed == []


def test_a_dry_run_of_what_is_so_already_tells_that(pap: Any) -> None:
    pap("ban", "vo", "x")
    outcome = pap("ban", "vo", "x", "--dry-run")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("Nothing would be changed.\n")


def test_commands_that_change_nothing_have_no_dry_run(pap: Any) -> None:
    assert pap("lp", "--dry-run").exit_code == 4
    assert pap("refresh-cache", "--dry-run").exit_code == 4
