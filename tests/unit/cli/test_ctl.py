"""pepdctl and pdpctl: exit codes and messages of the Java scripts. What starts a daemon is tested end to end."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from argus_py import __version__
from argus_py.cli.ctl import PDPCTL, PEPDCTL, Exit, Installation, Script, run

Ctl = Callable[..., tuple[Exit, str, str]]


class AdminPort:
    """Answers what it is told to, and remembers requests."""

    def __init__(self, status: int, body: bytes) -> None:
        self.requests: list[tuple[str, str | None]] = []
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append((self.path, self.headers["X-Admin-Password"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Not to standard error."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.number = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def admin_port(status: int = 200, body: bytes = b"") -> Iterator[AdminPort]:
    port = AdminPort(status, body)
    try:
        yield port
    finally:
        port.close()


@pytest.fixture
def ctl(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ctl:
    """Runs a command with this SERVICE section."""

    def command(service: str, *words: str, script: Script = PEPDCTL, **more: str) -> tuple[Exit, str, str]:
        (tmp_path / "my.ini").write_text(f"[OTHER]\nadminPort = 1\n[SERVICE]\n{service}\n")
        environment = {f"{script.variables}_CONF": str(tmp_path / "my.ini"), "PEPD_PID": str(tmp_path / "pid"), **more}
        code = run(script, [f"{script.daemon}ctl", *words], environment, [tmp_path])
        return code, *capsys.readouterr()

    return command


def test_status_shows_the_page(ctl: Ctl) -> None:
    with admin_port(body=b"Status: OK\nService: Argus PEP Server\n\n") as port:
        assert ctl(f"  adminPort = {port.number}", "status") == (
            Exit.DONE,
            "Status: OK\nService: Argus PEP Server\n",
            "",
        )
        assert port.requests == [("/status", None)]


@pytest.mark.parametrize(
    ("script", "command"),
    [(PEPDCTL, "clearResponseCache"), (PEPDCTL, "reload"), (PDPCTL, "reloadPolicy"), (PDPCTL, "reload")],
)
def test_commands_are_the_paths_of_the_admin_port(ctl: Ctl, script: Script, command: str) -> None:
    with admin_port() as port:
        assert ctl(f"adminPort = {port.number}", command, script=script) == (Exit.DONE, "", "")
        assert port.requests == [(f"/{command}", None)]


def test_the_password_may_have_blanks_and_equals_signs(ctl: Ctl) -> None:
    with admin_port() as port:
        assert ctl(f"adminPort = {port.number}\nadminPassword = a b=c", "status") == (Exit.DONE, "", "")
        assert port.requests == [("/status", "a b=c")]


def test_a_wrong_password_is_told(ctl: Ctl) -> None:
    with admin_port(401) as port:
        told = "you are not authorized to execute admin commands; invalid password\n"
        assert ctl(f"adminPort = {port.number}", "status") == (Exit.UNAUTHORIZED, "", told)


def test_another_status_is_told_after_the_body(ctl: Ctl) -> None:
    with admin_port(404, b" not here \n") as port:
        told = "Service returned unexpected HTTP status code; 404\n"
        assert ctl(f"adminPort = {port.number}", "status") == (Exit.UNKNOWN, "not here\n", told)


def test_nobody_there_is_told(ctl: Ctl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        number = unused.getsockname()[1]
    told = f"Unable to connect to localhost:{number}, perhaps the service is not running\n"
    assert ctl(f"adminPort = {number}", "status") == (Exit.NO_CONNECTION, "", told)


def test_a_port_that_speaks_something_else_is_told(ctl: Ctl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        code, out, err = ctl(f"adminPort = {other.getsockname()[1]}", "status")
        thread.join()
    assert (code, out) == (Exit.NO_CONNECTION, "")
    assert err.startswith("Error executing service command:\n")


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("adminHost = no.such.host.invalid", "The host argument is not a valid hostname or IP address\n"),
        ("adminPort = 0", "Port number is not valid\n"),
    ],
)
def test_addresses_that_are_none_are_told(ctl: Ctl, service: str, told: str) -> None:
    assert ctl(service, "status") == (Exit.BAD_ARGUMENTS, "", told)


@pytest.mark.parametrize("words", [(), ("restart",), ("reloadPolicy",), ("--help",)])
def test_anything_else_prints_the_usage(ctl: Ctl, words: tuple[str, ...]) -> None:
    code, out, err = ctl("", *words)
    assert (code, err) == (Exit.BAD_ARGUMENTS, "")
    assert out.startswith("PEP Server control script\nUsage:\n  pepdctl start   - to start the service\n")
    commands = {line.split()[1] for line in out.splitlines()[2:]}
    assert commands == {"start", "stop", "version"} | PEPDCTL.commands


def test_the_pdp_has_a_usage_of_its_own(ctl: Ctl) -> None:
    code, out, _ = ctl("", "clearResponseCache", script=PDPCTL)
    assert code == Exit.BAD_ARGUMENTS
    assert "  pdpctl reloadPolicy - reload the PDP policies from the PAP\n" in out
    assert {line.split()[1] for line in out.splitlines()[2:]} == {"start", "stop", "version"} | PDPCTL.commands


def test_version_needs_no_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(PEPDCTL, ["pepdctl", "version"], {}, []) == Exit.DONE
    assert run(PDPCTL, ["pdpctl", "version"], {}, []) == Exit.DONE
    assert capsys.readouterr().out == f"Argus PEP Server version {__version__}\nArgus PDP version {__version__}\n"


@pytest.mark.parametrize("word", ["start", "stop", "status", "clearResponseCache"])
def test_without_a_configuration_file_nothing_is_done(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"PEPD_CONF": str(tmp_path / "no.ini")}
    assert run(PEPDCTL, ["/usr/sbin/pepdctl", word], environment, []) == Exit.BAD_ARGUMENTS
    assert capsys.readouterr().err == f"/usr/sbin/pepdctl: ERROR: config file {tmp_path}/no.ini not readable\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[SERVER]\n", "my.ini does not contain the required 'SERVICE' section"),
        ("[SERVICE]\nword\n", "my.ini:2 [SERVICE]: neither a section header nor a key with a value"),
    ],
)
def test_a_file_without_the_admin_port_is_told(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.ini").write_text(text)
    assert run(PEPDCTL, ["pepdctl", "status"], {"PEPD_CONF": str(tmp_path / "my.ini")}, []) == Exit.BAD_ARGUMENTS
    assert told in capsys.readouterr().err


def test_other_sections_may_be_broken_when_the_daemon_is_to_be_stopped(ctl: Ctl) -> None:
    with admin_port() as port:
        assert ctl(f"adminPort = {port.number}\npips = NOWHERE", "stop") == (Exit.DONE, "", "")
        assert port.requests == [("/shutdown", None)]


def test_stop_takes_the_file_of_a_process_away_that_is_gone(ctl: Ctl, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("4194304\n")  # beyond the largest id that Linux gives by default
    with admin_port() as port:
        assert ctl(f"adminPort = {port.number}", "stop") == (Exit.DONE, "", "")
    assert not (tmp_path / "pid").exists()


def test_stop_leaves_the_file_when_nobody_listened(ctl: Ctl, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("4194304\n")
    with admin_port(401) as port:
        assert ctl(f"adminPort = {port.number}", "stop")[0] == Exit.UNAUTHORIZED
    assert (tmp_path / "pid").exists()


def installation(script: Script = PEPDCTL, **variables: str) -> Installation:
    return Installation.of(script, variables)


def test_files_are_where_the_java_packages_have_them() -> None:
    assert installation() == Installation(
        Path("/etc/argus/pepd/pepd.ini"), Path("/var/log/argus/pepd"), Path("/var/run/argus-pepd.pid"), ()
    )
    assert installation(PDPCTL) == Installation(
        Path("/etc/argus/pdp/pdp.ini"), Path("/var/log/argus/pdp"), Path("/var/run/argus-pdp.pid"), ()
    )


def test_each_variable_moves_its_file() -> None:
    moved = installation(PEPD_CONFDIR="/c", PEPD_LOGDIR="/l", PEPD_PID="/p", PEPD_OPTIONS="--log-format json")
    assert moved == Installation(Path("/c/pepd.ini"), Path("/l"), Path("/p"), ("--log-format", "json"))
    assert installation(PEPD_CONF="/c/my.ini", PEPD_CONFDIR="/d").configuration == Path("/c/my.ini")
    assert installation(PDP_CONF="/c/my.ini").configuration == installation().configuration


def test_an_empty_variable_is_none() -> None:
    assert installation(PEPD_CONF="", PEPD_CONFDIR="", PEPD_LOGDIR="", PEPD_PID="", PEPD_HOME="") == installation()


def test_the_home_folder_counts_where_it_has_the_folders(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    at_home = installation(PEPD_HOME=str(tmp_path))
    assert at_home.configuration == tmp_path / "conf" / "pepd.ini"
    assert at_home.log_dir == Path("/var/log/argus/pepd")


def sysconfig(folder: Path, text: str, environment: Mapping[str, str]) -> None:
    """Looks for a configuration file, which is not there."""
    (folder / "argus-pepd").write_text(text)
    run(PEPDCTL, ["pepdctl", "status"], environment, [folder / "not-there", folder])


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ('PEPD_CONF="/a b/my.ini" # ours', "/a b/my.ini"),
        ("export PEPD_CONF=/x/my.ini", "/x/my.ini"),
        ("PEPD_CONF=/x/1.ini\nPEPD_CONF=/x/2.ini", "/x/2.ini"),
        ('#PEPD_CONF="/x"\nPEPD_JOPTS="-Xmx256M -Djdk.tls.trustNameService=true"\nPEPD_CONFDIR=/y', "/y/pepd.ini"),
    ],
)
def test_sysconfig_is_read(line: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sysconfig(tmp_path, line, {})
    assert capsys.readouterr().err == f"pepdctl: ERROR: config file {file} not readable\n"


def test_the_environment_comes_before_sysconfig(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sysconfig(tmp_path, "PEPD_CONF=/x", {"PEPD_CONF": "/y"})
    assert capsys.readouterr().err == "pepdctl: ERROR: config file /y not readable\n"


def test_a_sysconfig_line_with_open_quotes_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sysconfig(tmp_path, '# ours\nPEPD_CONF="/x', {})
    assert capsys.readouterr().err == f"pepdctl: ERROR: {tmp_path}/argus-pepd:2: No closing quotation\n"


def test_options_with_open_quotes_are_told(ctl: Ctl) -> None:
    told = "pepdctl: ERROR: PEPD_OPTIONS: No closing quotation\n"
    assert ctl("", "start", PEPD_OPTIONS='--log-format "json') == (Exit.BAD_ARGUMENTS, "", told)
