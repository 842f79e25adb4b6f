"""pap-admin as a whole, where the recorded sequences do not show it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from argus_py.cli.pap_admin import COMMANDS, UNSUPPORTED, main, run
from argus_py.cli.pap_admin.arguments import Arguments
from argus_py.clients.pap_rest import PapRest

PapAdmin = Callable[..., Any]
PILOT = """
resource "http://.*" {
    action "submit" {
        rule deny { fqan="/dteam/test" }
        rule permit { pfqan="/dteam/Role=pilot" }
        rule deny { pfqan="/dteam/Role=pilot" vo="dteam" }
    }
}
"""


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> Callable[[Arguments], PapRest]:
    client = httpx.Client(base_url="https://pap/pap/rest/v1/", transport=httpx.MockTransport(handle))
    return lambda _given: PapRest(client)


def unused(_given: Arguments) -> PapRest:
    raise AssertionError("nothing is to be connected")


def said(argv: list[str], connected: Callable[[Arguments], PapRest]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return run(argv, out, err, connected), out.getvalue(), err.getvalue()


def test_every_command_has_names_of_its_own() -> None:
    names = [name for command in COMMANDS for name in command.names] + [name for names in UNSUPPORTED for name in names]
    assert len(names) == len(set(names))


def test_help_needs_no_pap() -> None:
    exit_code, general, _ = said(["-h"], unused)
    assert exit_code == 0
    for command in COMMANDS:
        assert " | ".join(command.names) in general
        exit_code, text, _ = said([command.names[-1], "--help"], unused)
        assert exit_code == 0
        assert f"usage: pap-admin [global-options] {command.usage}" in text
        assert all(name in text for option in command.options for name in option.names)


def test_words_that_are_no_text_are_refused() -> None:
    exit_code, _, text = said(["ban", "subject", "/CN=\udcff"], unused)
    assert exit_code == 4
    assert text == "\nParse error: '/CN=\\udcff' is no text in the character set of this terminal\n\n"


def test_the_program_answers_with_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["lp", "--cert", f"{tmp_path}/cert.pem"]) == 4
    assert main(["lp", "--cert", f"{tmp_path}/c", "--key", f"{tmp_path}/k", "--cadir", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert shown.out.endswith(f"Error: {tmp_path}/k (No such file or directory)\n")
    assert shown.err == "\nParse error: Option --cert requires also option --key.\n\n"


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["ban", "vo"], "Wrong number of arguments"),
        (["ping", "--cert"], "Missing argument for option:cert"),
        (["--pap", "x", "lp"], "lp must stand before an option that takes several values"),
        (["who-may", "-r", "x"], "Usage: who-may --resource <value> --action <value>"),
        (["mv", "x", "y", "--before", "z"], "Wrong number of arguments"),
        (
            ["ap", "--action-id", "a", "--before-rule-id", "x", "--bottom", "permit", "vo=x"],
            'Specify one of --bottom option or "rule-id", not both at the same time.',
        ),
        (
            ["ap", "--resource", "r", "--action", "a", "--after-rule-id", "x", "permit", "vo=x"],
            "Options --before-rule-id and --after-rule-id need option --action-id and cannot be used with options "
            "--resource and --action.",
        ),
    ],
)
def test_a_wrong_command_line_is_told_before_anything_is_connected(argv: list[str], error: str) -> None:
    assert said(argv, unused) == (4, "", f"\nParse error: {error}\n\n")


def test_who_may_lists_rules_in_order_and_names_those_never_reached(pap_admin: PapAdmin, tmp_path: Path) -> None:
    (tmp_path / "pilot.spl").write_text(PILOT)
    pap_admin("apf", f"{tmp_path}/pilot.spl")
    lines = pap_admin("who-may", "-r", "http://ce", "-a", "submit").stdout.splitlines()
    assert [line.partition("  (pap default, rule ")[0] for line in lines] == [
        'rule deny { fqan="/dteam/test" }',
        'rule permit { pfqan="/dteam/Role=pilot" }',
        'rule deny { pfqan="/dteam/Role=pilot" vo="dteam" }',
    ]
    assert [", never reached because of rule " in line for line in lines] == [False, False, True]
    assert pap_admin("who-may", "-r", "ftp://ce", "-a", "submit").stdout == "Nobody: there is no rule for this.\n"


def test_a_refusal_is_exit_5(unprivileged_pap_admin: PapAdmin) -> None:
    for command in (("lp",), ("ban", "vo", "x"), ("un-ban", "vo", "x"), ("rap",), ("ao", "x", "y")):
        outcome = unprivileged_pap_admin(*command)
        assert outcome.exit_code == 5
        assert outcome.stdout.startswith("Insufficient privileges: CN=Admin,DC=example,DC=org may not ")


def test_an_unreachable_pap_is_exit_5() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    text = "Error contacting the PAP service at https://pap/pap/rest/v1/: [Errno 111] Connection refused\n"
    assert said(["lp"], answering(refuse)) == (5, text, "")
    assert said(["ping"], answering(refuse))[1] == f'Contacting PAP at "https://pap/pap/rest/v1/"... {text}'


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>no such page</html>"),
        httpx.Response(302, headers={"Location": "https://elsewhere/"}),
        httpx.Response(500, json={"detail": "x"}),
        httpx.Response(500, json=[]),
        httpx.Response(400, json={"error": "x", "message": "y", "problems": [{"column": 1}]}),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json={"no": "version"}),
    ],
)
def test_an_answer_of_something_else_is_exit_5(answer: httpx.Response) -> None:
    exit_code, text, _ = said(["ping"], answering(lambda _request: answer))
    assert exit_code == 5
    assert text.endswith(f"answers with HTTP status {answer.status_code}, but not as a PAP does\n")


def test_a_file_that_is_no_utf8_is_refused(pap_admin: PapAdmin, tmp_path: Path) -> None:
    path = tmp_path / "latin1.spl"
    path.write_bytes('resource "å" {}'.encode("latin-1"))
    outcome = pap_admin("apf", str(path))
    assert outcome.exit_code == 2
    assert outcome.stdout.startswith(
        f"Syntax error no policies has been added from file:{path}\nReason:\n{path} (not UTF-8"
    )
    assert pap_admin("upf", "x", str(path)).exit_code == 2
    assert pap_admin("upf", "x", f"{path}.missing").stdout.startswith("Error: file ")


def test_a_pap_alias_cannot_lead_to_another_command(pap_admin: PapAdmin) -> None:
    pap_admin("ban", "vo", "x")
    assert pap_admin("rap", "--pap", "x/../../paps/default").exit_code == 5
    assert 'vo="x"' in pap_admin("lp").stdout
