"""pap-admin as a whole, where the recorded sequences do not show it."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.cli.pap_admin import COMMANDS, GLOBAL_OPTIONS, Site, Told, main, run
from argus_py.cli.pap_admin.arguments import Arguments, ParseError, parse
from argus_py.cli.pap_admin.command import Console
from argus_py.cli.pap_admin.connection import service
from argus_py.cli.pap_admin.service import PapLost, PapService
from argus_py.pap.authorization import Acl

SERVICES, REST = "https://pap/pap/services/", "https://pap/v1/"


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> Site:
    def pap_at(_given: Arguments, url: str, dry_run: Told | None) -> PapService:
        return service(url, REST, httpx.MockTransport(handle), dry_run)

    return Site(lambda _given: SERVICES, pap_at)


def unused(_given: Arguments, _url: str, _told: Told | None) -> PapService:
    raise AssertionError("nothing is to be connected")


NOBODY = Site(lambda _given: SERVICES, unused)


def said(argv: list[str], site: Site = NOBODY) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return run(argv, Console(out, err), site), out.getvalue(), err.getvalue()


def test_every_command_has_names_of_its_own() -> None:
    names = [name for command in COMMANDS for name in command.names]
    assert len(names) == len(set(names))


def test_no_option_of_a_command_hides_a_global_one() -> None:
    known = {name for option in GLOBAL_OPTIONS for name in option.names}
    for command in COMMANDS:
        names = [name for option in command.options for name in option.names]
        assert len(names) == len(set(names))
        assert not known & set(names)


def test_an_option_takes_a_value_everywhere_or_nowhere() -> None:
    """Else it could not be told where the command stands behind it."""
    options = [*GLOBAL_OPTIONS, *(option for command in COMMANDS for option in command.options)]
    taking = {name for option in options if option.value for name in option.names}
    assert not taking & {name for option in options if not option.value for name in option.names}


WORDS = st.sampled_from([name for command in COMMANDS for name in command.names]) | st.sampled_from(
    [name for option in GLOBAL_OPTIONS for name in option.names]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS | st.text(max_size=8), max_size=5))
def test_whatever_is_typed_has_an_exit_code(argv: list[str]) -> None:
    def lost(_given: Arguments, _url: str, _told: Told | None) -> PapService:
        raise PapLost("nobody is there")

    assert said(argv, Site(lambda _given: SERVICES, lost))[0] in range(6)


def test_a_text_from_elsewhere_does_not_command_the_terminal() -> None:
    def lost(_given: Arguments, _url: str, _told: Told | None) -> PapService:
        raise PapLost("a\x1b[2Jb\nc")

    assert said(["lp"], Site(lambda _given: SERVICES, lost))[1] == "a\\1B[2Jb\nc\n"


def test_help_needs_no_pap() -> None:
    exit_code, general, _ = said(["-h"])
    assert exit_code == 0
    for command in COMMANDS:
        assert f"    {command.names[0]} " in general
        exit_code, text, _ = said([command.names[-1], "--help"])
        assert exit_code == 0
        assert f"usage: pap-admin [global-options] {command.usage}" in text
        assert all(name in text for option in command.options for name in option.names)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.names[0])
def test_examples_are_command_lines_of_their_command(command: Any) -> None:
    import shlex

    assert command.examples
    for typed, _meaning in command.examples:
        words = shlex.split(typed.partition(" > ")[0])
        given = parse(words, (*GLOBAL_OPTIONS, *command.options))
        assert given.words[0] in command.names
        command.check(Arguments(given.words[1:], given.options))


def test_words_that_are_no_text_are_refused() -> None:
    exit_code, _, text = said(["ban", "subject", "/CN=\udcff"])
    assert exit_code == 4
    assert text == "\nParse error: '/CN=\\udcff' is no text in the character set of this terminal\n\n"


def test_the_program_answers_with_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["lp", "--cert", f"{tmp_path}/cert.pem"]) == 4
    assert main(["lp", "--cert", f"{tmp_path}/c", "--key", f"{tmp_path}/k", "--cadir", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert shown.out.endswith(f"Error: {tmp_path}/k (No such file or directory)\n")
    assert shown.err == "\nParse error: Option --cert requires also option --key.\n\n"


def test_whoever_reads_may_stop() -> None:
    program = "import sys; from argus_py.cli.pap_admin import main; sys.exit(main(['completion', 'fish']))"
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{program}" | head -n 1'], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("# fish completion of pap-admin\n", "")


def test_help_loads_nothing_that_only_a_connection_needs() -> None:
    program = (
        "import sys; from argus_py.cli.pap_admin import main; main(['--help']); "
        "print([each for each in ('ssl', 'httpx', 'lxml', 'pydantic', 'cryptography') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["ban", "vo"], "Wrong number of arguments"),
        (["ping", "--cert"], "Missing argument for option:cert"),
        (["--pap", "x", "lp"], "lp must stand before an option that takes several values"),
        (["who-may", "-r", "x"], "Usage: who-may --resource <value> --action <value>"),
        (["mv", "x", "y", "--before", "z"], "Wrong number of arguments"),
        (["lp", "--output", "xml"], "--output is text or json"),
        (["apap", "x", "-l", "--remote"], "Specify one of --local and --remote."),
        (["apap", "x", "--remote"], "A remote pap needs an endpoint and a DN."),
        (["apap", "x", "https://:8150/", "/CN=x"], "Invalid endpoint: https://:8150/"),
        (["apap", "x", "h:0", "/CN=x"], "Invalid port number: 0"),
        (["apap", "x", "h:99999", "/CN=x"], "Invalid port number: 99999"),
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
    assert said(argv) == (4, "", f"\nParse error: {error}\n\n")


def test_a_refusal_is_exit_5(make_pap_admin: Any) -> None:
    commands = (("lp",), ("ban", "vo", "x"), ("un-ban", "vo", "x"), ("rap",), ("ao", "x", "y"), ("lacl",), ("gpo",))
    for command in commands:
        outcome = make_pap_admin(Acl())(*command)
        assert outcome.exit_code == 5
        assert outcome.stdout == "Insufficient privileges: CN=Admin,DC=example,DC=org has no permission on this PAP\n"
        outcome = make_pap_admin(Acl(), "soap")(*command)
        assert outcome.exit_code == 5
        assert outcome.stdout.startswith("Insufficient privileges to perform operation ")


def test_an_unreachable_pap_is_exit_5() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    text = f"Error contacting the PAP service at {REST}: [Errno 111] Connection refused\n"
    assert said(["lp"], answering(refuse)) == (5, text, "")
    assert said(["ping"], answering(refuse))[1] == f'Contacting PAP at "{SERVICES}"... {text}'


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>no such page</html>"),
        httpx.Response(302, headers={"Location": "https://elsewhere/"}),
        httpx.Response(500, json={"detail": "x"}),
        httpx.Response(200, text="hello"),
    ],
)
def test_an_answer_of_something_else_is_exit_5(answer: httpx.Response) -> None:
    def reply(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))

    exit_code, text, _ = said(["ping"], answering(reply))
    assert exit_code == 5
    assert f"PAPManagementService answers with HTTP status {answer.status_code}, but not as a PAP does" in text


def test_a_file_that_is_no_utf8_is_refused(pap_admin: Any, tmp_path: Path) -> None:
    path = tmp_path / "latin1.spl"
    path.write_bytes('resource "å" {}'.encode("latin-1"))
    outcome = pap_admin("apf", str(path))
    assert outcome.exit_code == 2
    assert outcome.stdout.startswith(
        f"Syntax error no policies has been added from file:{path}\nReason:\n{path} (not UTF-8"
    )
    assert pap_admin("upf", "x", str(path)).exit_code == 2
    assert pap_admin("upf", "x", f"{path}.missing").stdout.startswith("Error: file ")


def test_a_pap_alias_cannot_lead_to_another_command(pap_admin: Any) -> None:
    pap_admin("ban", "vo", "x")
    assert pap_admin("rap", "--pap", "x/../../paps/default").exit_code == 5
    assert 'vo="x"' in pap_admin("lp").stdout


def test_a_choice_is_one_of_those_there_are() -> None:
    with pytest.raises(ParseError, match="--output is text or json"):
        parse(["lp", "--output=yaml"], COMMANDS[2].options + next(c for c in COMMANDS if c.tells).options)
