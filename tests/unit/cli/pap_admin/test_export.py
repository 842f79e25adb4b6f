"""export-bans: a file is replaced by a whole list, or stays as it is."""

import json
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

EVE = '"/O=Site/CN=Eve"'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bans"
    path.write_text('"/O=Site/CN=Mallory"\n')
    return path


def test_each_format_tells_who_is_banned(pap_admin: Any) -> None:
    pap_admin("ban", "subject", "CN=Eve,O=Site")
    assert EVE in pap_admin("export-bans", "--format", "lcmaps").stdout.splitlines()
    assert 'rule deny { subject="CN=Eve,O=Site" }' in pap_admin("export-bans", "--format", "spl").stdout
    (ban,) = json.loads(pap_admin("export-bans", "--format", "json").stdout)["bans"]
    assert (ban["attribute"], ban["value"], ban["certain"]) == ("subject", "CN=Eve,O=Site", True)


@pytest.mark.parametrize("form", ["lcmaps", "spl", "json"])
def test_a_file_is_replaced(form: str, pap_admin: Any, file: Path) -> None:
    pap_admin("ban", "subject", "CN=Eve,O=Site")
    outcome = pap_admin("export-bans", "--format", form, "--output", str(file))
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert "Eve" in file.read_text()
    assert "Mallory" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.parametrize("form", ["lcmaps", "spl", "json"])
def test_nobody_banned_is_the_truth_if_the_list_was_read(form: str, pap_admin: Any, file: Path) -> None:
    assert pap_admin("export-bans", "--format", form, "--output", str(file)).exit_code == 0
    assert "Mallory" not in file.read_text()


@pytest.mark.parametrize("form", ["lcmaps", "spl", "json"])
def test_a_copy_that_was_never_made_is_no_reason_for_an_empty_list(form: str, pap_admin: Any, file: Path) -> None:
    pap_admin("add-pap", "central", "pap.example.org", "/O=Site/CN=pap.example.org", "--no-policies")
    pap_admin("enable-pap", "central")
    outcome = pap_admin("export-bans", "--format", form, "--output", str(file))
    assert outcome.exit_code == 2
    assert "it is not replaced by an empty list: the pap 'central' may not have been copied yet" in outcome.stderr
    assert "Mallory" in file.read_text()


def test_a_pap_that_is_lost_leaves_the_file(make_pap_admin: Any, file: Path) -> None:
    pap_admin = make_pap_admin()

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("connection reset", request=request)

    pap_admin.http = httpx.MockTransport(lost)
    assert pap_admin("export-bans", "--format", "lcmaps", "--output", str(file)).exit_code == 5
    assert "Mallory" in file.read_text()


def test_a_refusal_leaves_the_file(make_pap_admin: Any, file: Path) -> None:
    for speaks in ("rest", "soap"):
        pap_admin = make_pap_admin(speaks=speaks)
        pap_admin("race", "ANYONE")
        pap_admin("aace", "CN=Somebody Else,O=Site", "ALL")
        pap_admin("race", "ANYONE")
        assert pap_admin("export-bans", "--format", "lcmaps", "--output", str(file)).exit_code == 5
        assert "Mallory" in file.read_text()


def test_a_file_that_cannot_be_written_is_told(pap_admin: Any, tmp_path: Path) -> None:
    outcome = pap_admin("export-bans", "--format", "json", "--output", f"{tmp_path}/no/such/folder")
    assert outcome.exit_code == 2
    assert "No such file" in outcome.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "--format is needed: lcmaps, spl, json"),
        (["--format", "xml"], "--format is lcmaps or spl or json"),
        (["--format", "json", "file"], "Wrong number of arguments: the file is named by --output"),
    ],
)
def test_a_wrong_command_line_is_told(words: list[str], error: str, make_pap_admin: Any) -> None:
    outcome = make_pap_admin()("export-bans", *words)
    assert (outcome.exit_code, outcome.stderr) == (4, f"\nParse error: {error}\n\n")
