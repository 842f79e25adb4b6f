"""Completion scripts: all that the help knows, in words that the shell can read."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from argus_py.cli.pap_admin import COMMANDS, GLOBAL_OPTIONS
from argus_py.cli.pap_admin.completion import SHELLS

ASK = """
source "$0"
COMP_WORDS=(pap-admin "$@")
COMP_CWORD=$#
_pap_admin
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, str(script), *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=script.parent,
    )
    assert done.stderr == ""
    return sorted(done.stdout.split("\n")[:-1]) if done.stdout != "\n" else []


@pytest.fixture
def script(make_pap_admin: Any, tmp_path: Path) -> Path:
    path = tmp_path / "pap-admin"
    path.write_text(make_pap_admin()("completion", "bash").stdout)
    return path


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_known(shell: str, make_pap_admin: Any) -> None:
    text = make_pap_admin()("completion", shell).stdout
    for command in COMMANDS:
        assert all(name in text for name in command.names)
    for option in (*GLOBAL_OPTIONS, *(option for command in COMMANDS for option in command.options)):
        assert option.key in text


def test_bash_completes_commands_options_and_values(script: Path) -> None:
    assert completed(script, "un") == ["un-ban", "undo"]
    assert completed(script, "ban", "--pri") == ["--private"]
    assert completed(script, "--host", "x", "mv", "--bef") == ["--before"]
    assert completed(script, "lp", "--output", "") == ["json", "text"]
    assert completed(script, "export-bans", "--format", "l") == ["lcmaps"]
    assert completed(script, "ping", "--before") == []


def test_bash_completes_files_where_files_are_meant(script: Path) -> None:
    (script.parent / "policy of 2026.spl").write_text("")
    (script.parent / "folder").mkdir()
    assert completed(script, "apf", "pol") == ["policy of 2026.spl"]
    assert completed(script, "--cert", "pol") == ["policy of 2026.spl"]
    assert completed(script, "--cadir", "") == ["folder"]


@pytest.mark.parametrize("words", [[], ["tcsh"], ["bash", "zsh"]])
def test_another_shell_is_refused(words: list[str], make_pap_admin: Any) -> None:
    outcome = make_pap_admin()("completion", *words)
    assert (outcome.exit_code, outcome.stderr) == (4, "\nParse error: Specify one shell: bash, zsh, fish\n\n")
