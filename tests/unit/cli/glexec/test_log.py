import re
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


def test_errors_are_written_at_every_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Log(str(tmp_path / "log"), 0, also_errors_here=True).write(Level.ERROR, "why \udcff")
    assert "ERROR: why" in (tmp_path / "log").read_text()
    assert capsys.readouterr().err.startswith("[gLExec]: why")


def test_log_that_takes_no_line_stops_the_run(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "missing" / "log"):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            Log(str(file), 5, also_errors_here=False)
    (tmp_path / "link").symlink_to(tmp_path / "log")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Log(str(tmp_path / "link"), 5, also_errors_here=False)
    with pytest.raises(ConfigurationError, match="No space left"):
        Log("/dev/full", 5, also_errors_here=False).write(Level.ERROR, "x")


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
