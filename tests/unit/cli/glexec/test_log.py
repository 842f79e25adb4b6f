import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from argus_py.cli.glexec.log import Level, Log, open_logs
from argus_py.errors import ConfigurationError
from argus_py.worker.glexec_conf import GlexecConf, LogDestination


def test_lines_up_to_the_level_are_written_on_one_line_each(tmp_path: Path) -> None:
    file = tmp_path / "log"
    log = Log(str(file), 3, also_errors_here=False)
    log.write(Level.NOTICE, 'DN:"/CN=a\nLCMAPS CRED FINAL: faked"')
    log.write(Level.INFO, "too much")
    [line] = file.read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ glexec\[\d+\]: NOTICE: DN:.*faked\"", line)


def test_errors_are_written_at_every_level(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Log(str(tmp_path / "log"), 0, also_errors_here=True).write(Level.ERROR, "why \udcff")
    assert "ERROR: why" in (tmp_path / "log").read_text()
    assert capfd.readouterr().err.startswith("[gLExec]: why")


WRITE = """
import resource, sys
from argus_py.cli.glexec.log import Level, Log
{before}
log = Log(sys.argv[1], 5, also_errors_here=True)
log.write(Level.ERROR, "why")
"""


def written_by_a_process(file: Path, before: str, stderr: int) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-I", "-c", WRITE.format(before=before), str(file)]
    return subprocess.run(command, check=False, timeout=60, env={}, stderr=stderr)


@pytest.mark.parametrize("stderr", ["full", "nobody reads"])
def test_error_is_logged_whatever_becomes_of_standard_error(tmp_path: Path, stderr: str) -> None:
    """Who calls cannot keep a refusal out of the log, nor change the exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    with open("/dev/full", "wb") as full:
        descriptor = full.fileno() if stderr == "full" else writing
        done = written_by_a_process(tmp_path / "log", "", descriptor)
    os.close(writing)
    assert done.returncode == 0
    assert (tmp_path / "log").read_text().endswith("ERROR: why\n")


def test_log_that_takes_no_line_stops_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path, tmp_path / "missing" / "log", tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            Log(str(file), 5, also_errors_here=False)
    (tmp_path / "link").symlink_to(tmp_path / "log")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Log(str(tmp_path / "link"), 5, also_errors_here=False)
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    done = written_by_a_process(tmp_path / "log", limit, subprocess.PIPE)
    assert b"log cannot be written: File too large" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")
def test_log_that_somebody_else_has_made_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    os.chown(tmp_path / "log", 4242, -1)
    with pytest.raises(ConfigurationError, match="belongs to the user 4242"):
        Log(str(tmp_path / "log"), 5, also_errors_here=False)


def test_lines_of_lcmaps_go_to_their_own_file_if_there_is_one(tmp_path: Path) -> None:
    both, own = str(tmp_path / "glexec.log"), str(tmp_path / "lcmaps.log")
    conf = GlexecConf(log_destination=LogDestination.FILE, log_file=both, lcmaps_log_file=own, lcmaps_log_level=5)
    log, policy_log = open_logs(conf)
    log.write(Level.NOTICE, "glexec")
    policy_log.write(Level.DEBUG, "lcmaps")
    assert Path(both).read_text().endswith("NOTICE: glexec\n")
    assert Path(own).read_text().endswith("DEBUG: lcmaps\n")


def test_files_need_a_name() -> None:
    with pytest.raises(ConfigurationError, match="needs log_file"):
        open_logs(GlexecConf(log_destination=LogDestination.FILE))
