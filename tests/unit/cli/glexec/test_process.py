"""The program as a process of its own: command line, isolation from the caller's environment, exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

START = "import sys; from argus_py.cli.glexec import main; sys.exit(main(configuration=sys.argv.pop(1)))"
LINGER = """
import sys
from argus_py.cli.glexec.log import Log
from argus_py.cli.glexec.payload import Payload, {how}
log = Log(sys.argv[1], 5, also_errors_here=False)
print({how}(Payload(sys.argv[2], sys.argv[3:], {{"X": "1"}}, None, None, 0o027), log))
"""
Done = subprocess.CompletedProcess[str]


def glexec(*words: str | Path, **environment: str) -> Done:
    command = [sys.executable, "-I", "-c", START, *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def start(how: str, log: Path, *command: str) -> "subprocess.Popen[str]":
    code = LINGER.format(how=how)
    return subprocess.Popen([sys.executable, "-I", "-c", code, str(log), *command], stdout=subprocess.PIPE, text=True)


def test_help_and_version_need_no_configuration() -> None:
    assert glexec("/nonexistent", "--help").stdout.startswith("Usage: argus-glexec COMMAND")
    assert glexec("/nonexistent", "-v").stdout.startswith("argus-glexec (argus-py) ")


@pytest.mark.parametrize("words", [(), ("--unknown",), ("-x", "/bin/true")])
def test_wrong_command_line_is_the_mistake_of_the_caller(words: tuple[str, ...]) -> None:
    done = glexec("/nonexistent", *words)
    assert (done.returncode, done.stderr.partition(":")[0]) == (201, "Usage")


def test_missing_configuration_is_the_mistake_of_the_site() -> None:
    done = glexec("/nonexistent/glexec.conf", "--", "/bin/echo", "payload")
    assert (done.returncode, done.stdout) == (202, "")
    assert done.stderr == "[gLExec]: /nonexistent/glexec.conf cannot be used: No such file or directory\n"


def test_interrupt_or_bug_does_not_look_like_the_end_of_a_payload() -> None:
    code = f"""
class Interrupted:
    def __fspath__(self):
        raise KeyboardInterrupt
import sys
sys.argv.insert(1, Interrupted())
{START}"""
    command = [sys.executable, "-I", "-c", code, "/bin/true"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (202, "[gLExec]: internal error: KeyboardInterrupt: \n")


def test_variables_that_programs_stumble_over_do_no_harm() -> None:
    hostile = {
        "MALLOC_CHECK_": "3",
        "MALLOC_PERTURB_": "1",
        "OPENSSL_CONF": "/nonexistent",
        "PYTHONPATH": "/nonexistent",
        "PYTHONHOME": "/nonexistent",
        "SSL_CERT_DIR": "/nonexistent",
        "LD_LIBRARY_PATH": "/nonexistent",
    }
    assert glexec("/nonexistent/glexec.conf", "/bin/true", **hostile).returncode == 202


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("exit 126", 126), *((f"exit {n}", 204) for n in (201, 202, 203, 204))],
)
def test_lingering_passes_the_exit_code_on(tmp_path: Path, script: str, code: int) -> None:
    with start("linger", tmp_path / "log", "/bin/sh", "-c", script) as process:
        assert process.communicate(timeout=60)[0] == f"{code}\n"
    assert "payload process" in (tmp_path / "log").read_text()


def test_lingering_hands_signals_on(tmp_path: Path) -> None:
    script = "trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.02; done"
    with start("linger", tmp_path / "log", "/bin/sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.communicate(timeout=60)[0] == "got\n3\n"


def test_signal_that_comes_when_the_payload_has_ended_changes_nothing(tmp_path: Path) -> None:
    """Its process number may be somebody else's by then."""
    script = "trap '' USR1; echo ready; sleep 0.1; exit 5"
    with start("linger", tmp_path / "log", "/bin/sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while process.poll() is None:
            process.send_signal(signal.SIGUSR1)
        assert process.stdout.read() == "5\n"
    assert process.returncode == 0


def test_payload_that_may_not_be_signalled_is_waited_for(tmp_path: Path) -> None:
    """As a setuid program."""
    code = """
import os, signal
from argus_py.cli.glexec import payload
if os.geteuid() == 0:
    os.setuid(65534)
with payload.signals_handed_on(1):
    os.kill(os.getpid(), signal.SIGUSR1)
print("goes on")
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "goes on\n", done.stderr


def test_exit_code_is_passed_on_to_a_caller_that_ignores_its_children(tmp_path: Path) -> None:
    code = f"import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n{LINGER.format(how='linger')}"
    command = [sys.executable, "-I", "-c", code, str(tmp_path / "log"), "/bin/sh", "-c", "umask; exit 7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "0027\n7\n", done.stderr


def test_closed_standard_descriptors_are_not_taken_by_anything_else(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-c", START, "/nonexistent/glexec.conf", "/bin/true"]
    shell = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    assert subprocess.run(shell, check=False, timeout=60, env={}).returncode == 202


def test_descriptors_of_the_caller_do_not_reach_the_payload() -> None:
    code = """
import os
from argus_py.cli.glexec.run import prepare_process
prepare_process()
print(sorted(os.listdir("/proc/self/fd")))
"""
    reading, writing = os.pipe()
    high = os.dup2(reading, 700)
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, pass_fds=(writing, high), capture_output=True, text=True, timeout=60, check=True)
    for descriptor in (reading, writing, high):
        os.close(descriptor)
    assert done.stdout == "['0', '1', '2', '3']\n"  # the last one is the listing itself


def test_signal_that_ends_the_payload_is_told_as_by_a_shell(tmp_path: Path) -> None:
    with start("linger", tmp_path / "log", "/bin/sh", "-c", "kill -9 $$") as process:
        assert process.communicate(timeout=60)[0] == f"{128 + signal.SIGKILL}\n"
    assert "by signal 9" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("how", ["linger", "become"])
def test_command_that_cannot_be_executed_is_126(tmp_path: Path, how: str) -> None:
    with start(how, tmp_path / "log", "/nonexistent") as process:
        assert process.communicate(timeout=60)[0] == "126\n"
    assert "ERROR: /nonexistent cannot be executed" in (tmp_path / "log").read_text()


def test_payload_has_the_environment_it_is_given_and_usual_signals(tmp_path: Path) -> None:
    with start("become", tmp_path / "log", "/bin/cat", "/proc/self/environ", "/proc/self/status") as process:
        output = process.communicate(timeout=60)[0]
    assert output.startswith("X=1\0Name:")
    [ignored] = [int(line.split()[1], 16) for line in output.splitlines() if line.startswith("SigIgn")]
    assert not ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
