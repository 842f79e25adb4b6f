"""papctl: the texts and exit codes of the Java script. What starts a PAP is tested end to end."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argus_py.cli.papctl import run

Ctl = Callable[..., tuple[int, str, str]]
CONFIGURATION = "[paps:properties]\npoll_interval = 1\n[standalone-service]\nshutdown_port = -1\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "pap_configuration.ini").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture
def ctl(home: Path, capsys: pytest.CaptureFixture[str]) -> Ctl:
    def command(*words: str, user_id: int = 0) -> tuple[int, str, str]:
        return run(words, {"PAP_HOME": str(home)}, user_id, [home]), *capsys.readouterr()

    return command


@pytest.fixture
def pap(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like the PAP of this home, and ends when it is told to."""
    wait = "import signal; print(flush=True); signal.pause()"
    configuration = str(home / "conf" / "pap_configuration.ini")
    process = subprocess.Popen([sys.executable, "-c", wait, "argus", "pap", configuration], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        yield process
        process.kill()
        process.wait()


@pytest.mark.parametrize("words", [(), ("reload",)])
def test_anything_else_shows_the_usage(ctl: Ctl, words: tuple[str, ...]) -> None:
    assert ctl(*words) == (1, "Usage: papctl {start|stop|status}\n", "")


@pytest.mark.parametrize("word", ["start", "stop", "restart"])
def test_only_root_may_start_and_stop(ctl: Ctl, word: str) -> None:
    assert ctl(word, user_id=1000) == (1, "ERROR: You need root privileges to run this command\n", "")


def test_nothing_runs(ctl: Ctl) -> None:
    assert ctl("status", user_id=1000) == (1, "PAP not running!\n", "")
    assert ctl("stop") == (1, "PAP  server is not running!\nError killing PAP process!\n", "")


def test_a_stale_pid_file_is_removed(ctl: Ctl, home: Path) -> None:
    (home / ".argus-pap.pid").write_text(f"{os.getpid()}\n")  # of another program by now
    assert ctl("status") == (1, "PAP not running...removing stale pid file\n", "")
    assert not (home / ".argus-pap.pid").exists()


def test_a_running_pap_gets_back_its_pid_file(ctl: Ctl, home: Path, pap: "subprocess.Popen[bytes]") -> None:
    told = "A PAP is running, but no pid file found! Will recreate the pid file\nPAP running!\n"
    assert ctl("status") == (0, told, "")
    assert (home / ".argus-pap.pid").read_text() == f"{pap.pid}\n"
    assert ctl("status") == (0, "PAP running!\n", "")
    assert ctl("start") == (1, "PAP already running...\n", "")


def test_one_that_does_not_listen_to_its_port_is_stopped_by_a_signal(
    ctl: Ctl, home: Path, pap: "subprocess.Popen[bytes]"
) -> None:
    ctl("status")
    assert ctl("stop") == (0, "Ok.\n", "")
    assert pap.wait(10) != 0
    assert not (home / ".argus-pap.pid").exists()


def test_the_command_goes_out_in_utf8(ctl: Ctl, home: Path, pap: "subprocess.Popen[bytes]") -> None:
    heard: list[bytes] = []

    def hear() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(4096))
            pap.terminate()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("localhost", 0)) as listener:
        listener.settimeout(10)
        listening = threading.Thread(target=hear, daemon=True)
        listening.start()
        settings = f"shutdown_port = {listener.getsockname()[1]}\nshutdown_command = geheim€\n"
        text = CONFIGURATION.replace("shutdown_port = -1\n", settings)
        (home / "conf" / "pap_configuration.ini").write_text(text, encoding="utf-8")
        assert ctl("stop") == (0, "Ok.\n", "")
        listening.join()
    assert "\r\nPAP_SHUTDOWN_COMMAND: geheim€\r\n".encode() in heard[0]


def test_a_missing_configuration_is_told(ctl: Ctl, home: Path) -> None:
    (home / "conf" / "pap_configuration.ini").unlink()
    code, out, err = ctl("start")
    assert (code, out) == (1, "")
    assert err == f"papctl: config file {home}/conf/pap_configuration.ini not readable\n"
