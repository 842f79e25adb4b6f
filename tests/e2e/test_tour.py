"""``make run ONCE=1``: exit code 0 if every step came out as announced."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds; the tour takes five on an idle machine


def tour(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "--once", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_the_tour_comes_out_as_announced(tmp_path: Path) -> None:
    done = tour(str(tmp_path / "site"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    decisions = [line.strip() for line in done.stdout.splitlines() if "Decision: " in line]
    assert decisions == ["Decision: Permit", "Decision: Deny", "Decision: Permit"]
    assert done.stdout.count("Username: dtplt00") == 2


def test_a_step_that_differs_ends_the_tour_with_a_failure(tmp_path: Path) -> None:
    policy = tmp_path / "nobody.spl"
    policy.write_text('resource ".*" {\n    action ".*" {\n        rule deny { vo="dteam" }\n    }\n}\n')
    done = tour(str(tmp_path / "site"), "--policy", str(policy))
    assert done.returncode == 1
    assert done.stderr == "\nNot as announced: expected 'Decision: Permit' in the answer\n"


def test_an_interrupted_tour_leaves_no_service_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo", str(tmp_path / "site")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = next(line.split()[1] for line in process.stdout if line.strip().startswith("PEP "))
        process.terminate()
        process.stdout.read()
        assert process.wait(PATIENCE) == 130
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", int(url.rpartition(":")[2])))


def test_the_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("")
    done = tour(str(tmp_path))
    assert done.returncode == 2
    assert precious.exists()
