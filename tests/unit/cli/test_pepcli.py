"""The command line of pepcli as far as it goes without a PEP daemon.

The file given as key-info mostly holds no certificate: the program stops there, after it has told its options.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from argus_py.cli.pepcli import main

CERTS = Path(__file__).resolve().parents[2] / "vectors" / "pep" / "certs"
NO_CERTIFICATE, CERTIFICATE = str(CERTS / "nocert.pem"), str(CERTS / "host.pem")
KEY, ENCRYPTED_KEY, CA = str(CERTS / "host.key"), str(CERTS / "host-enc.key"), str(CERTS / "ca.pem")
PEPD = ["-p", "https://pep.example.org/authz"]


def never(prompt: str) -> str:
    raise AssertionError(f"asked for {prompt}")


def told(
    arguments: list[str], capsys: pytest.CaptureFixture[str], ask_password: Callable[[str], str] = never
) -> list[str]:
    """What ``-v`` tells of the options."""
    assert main(["-v", *PEPD, "-k", NO_CERTIFICATE, *arguments], ask_password) == 3
    return capsys.readouterr().out.splitlines()[2:]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--res", "a"], "pepcli: resourceid: a"),
        (["--action=a"], "pepcli: actionid: a"),
        (["-ra"], "pepcli: resourceid: a"),
        (["-r", "a", "--resourceid", "b"], "pepcli: resourceid: b"),
        (["-r", "a", "-r", ""], "pepcli: resourceid: a"),
        (["--cac", CA], f"pepcli: cacert: {CA}"),
        (["-5", CA], f"pepcli: cacert: {CA}"),
        (["-1", str(CERTS)], f"pepcli: capath: {CERTS}"),
    ],
)
def test_options_are_read_as_by_getopt_long(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(arguments, capsys) == [line]


def test_fqans_keep_their_order_and_the_first_is_the_primary(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(["-f", "/b", "--fqan", "", "--fqan", "/a", "-f", "/b"], capsys)
    assert lines == ["pepcli: fqan: /b (primary)", "pepcli: fqan: /a", "pepcli: fqan: /b"]


def test_options_may_follow_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(["ignored", "-r", "a"], capsys) == ["pepcli: resourceid: a"]


def test_the_old_name_of_key_info_is_the_same_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PEPD, "--certchain", NO_CERTIFICATE]) == 3
    assert main([*PEPD, "-c", NO_CERTIFICATE]) == 3


@pytest.mark.parametrize(
    "arguments", [["--ca", "x"], ["--profileid", "x"], ["-z"], ["-p"], ["--pepd"], ["--verbose=yes"]]
)
def test_a_wrong_option_exits_2_and_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("pepcli: option ")
    assert arguments[0].lstrip("-").split("=")[0] in output.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["-p", "", "-s", "CN=x"], 2),
        (PEPD, 2),
        ([*PEPD, "-s", ""], 2),
        ([*PEPD, "-s", "CN=x", "-k", "none"], 2),
        ([*PEPD, "-k", "none", "--cert", "none"], 2),
        ([*PEPD, "-k", "none", "--key", "none"], 2),
        ([*PEPD, "-k", "none", "--cacert", "none"], 3),
        ([*PEPD, "-s", "CN=x", "--cacert", "none", "--capath", "none"], 9),
        ([*PEPD, "-s", "CN=x", "--capath", "none", "--cert", "none", "--key", "none"], 6),
        ([*PEPD, "-s", "CN=x", "--cert", "none", "--key", "none"], 7),
        ([*PEPD, "-k", NO_CERTIFICATE, "--cert", CERTIFICATE, "--key", "none"], 8),
        ([*PEPD, "-k", NO_CERTIFICATE], 3),
        ([*PEPD, "-k", str(CERTS)], 3),
        ([*PEPD, "-s", "CN=x", "--cert", CERTIFICATE, "--key", str(CERTS)], 8),
        ([*PEPD, "-s", "CN=x", "--cert", NO_CERTIFICATE, "--key", KEY], 5),
    ],
)
def test_the_exit_code_says_what_is_wrong_first(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, never) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert all(line.startswith(("pepcli:ERROR: ", "pepcli:WARN: ")) for line in output.err.splitlines())


def test_quiet_wins_over_verbose_and_errors_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", "-v", *PEPD, "-k", NO_CERTIFICATE]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert "does not contain certificate" in output.err


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["-V"], ["--vers"], ["-x", "-h", "-V"]])
def test_help_and_version_need_nothing_else(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("argus-pepcli/")


@pytest.mark.parametrize("text", ["5", "5s", "+5", " 5", ""])
def test_a_timeout_is_read_up_to_its_last_digit(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PEPD, "-k", NO_CERTIFICATE, "-t", text]) == 3
    assert "timeout" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-5", "abc", "99999999999"])
def test_a_bad_timeout_is_warned_of_and_the_default_kept(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PEPD, "-k", NO_CERTIFICATE, "-t", text]) == 3
    warning = f"pepcli:WARN: timeout {text} can not be converted. Using default."
    assert capsys.readouterr().err.splitlines()[0] == warning


def test_the_password_of_an_encrypted_key_is_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pkcs8 = tmp_path / "key.pem"
    pkcs8.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    for key in (ENCRYPTED_KEY, str(pkcs8)):
        lines = told(
            ["--cert", CERTIFICATE, "--key", key], capsys, lambda prompt: "p" if prompt == "Key password: " else ""
        )
        assert lines == [f"pepcli: cert: {CERTIFICATE}", f"pepcli: key: {key}", "pepcli: key passwd: 1 chars"]


def test_a_password_given_or_not_needed_is_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(["--cert", CERTIFICATE, "--key", ENCRYPTED_KEY, "--keypasswd", "test"], capsys)
    assert lines[-1] == "pepcli: key passwd: 4 chars"
    assert told(["--cert", CERTIFICATE, "--key", KEY], capsys)[-1] == f"pepcli: key: {KEY}"


def test_an_empty_password_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    def no_terminal(prompt: str) -> str:
        raise EOFError

    for ask_password in (lambda _: "", no_terminal):
        assert main([*PEPD, "-s", "CN=x", "--cert", CERTIFICATE, "--key", ENCRYPTED_KEY], ask_password) == 8
        assert capsys.readouterr().err == "pepcli:ERROR: key is encrypted, empty password not valid\n"
