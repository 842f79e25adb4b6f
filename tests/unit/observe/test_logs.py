import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from argus_py.model.trail import REQUEST_ID
from argus_py.observe import logs

CREATED = 1795328363.4567
NAMES = ("", "argus_py", logs.ACCESS, logs.AUDIT, logs.RECORDS)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Loggers are the process's own: whatever a test configures is taken back."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(logger, logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, propagate, handlers in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.level, logger.propagate, logger.handlers = level, propagate, handlers


def record(message: str, level: int = logging.INFO, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("argus_py.pep.enforcer", level, __file__, 1, "%s", (message,), info)
    made.created = CREATED
    return made


@pytest.mark.parametrize(
    ("level", "word"), [(logging.INFO, "INFO"), (logging.WARNING, "WARN"), (logging.ERROR, "ERROR"), (50, "ERROR")]
)
def test_process_lines_look_like_those_of_the_java_daemon(level: int, word: str) -> None:
    line = logs.ProcessFormatter().format(record("text", level))
    assert line == f"2026-11-22 06:19:23.456Z - {word} [enforcer] - text"


@pytest.fixture
def in_request(request: pytest.FixtureRequest) -> Iterator[None]:
    """While a request is worked on, whose id is the parameter."""
    token = REQUEST_ID.set(request.param)
    yield
    REQUEST_ID.reset(token)


@pytest.mark.usefixtures("in_request")
@pytest.mark.parametrize(
    ("in_request", "told"),
    [
        ("_3fb2", " [_3fb2]"),
        ("", ""),
        ("] - x\n2026", " [-x2026]"),
        ("é\u2028", ""),
        ("_" * 1000, f" [{'_' * 64}]"),
    ],
    indirect=["in_request"],
)
def test_a_process_line_names_the_request_it_is_about_and_no_peer_forges_one(told: str) -> None:
    line = logs.ProcessFormatter().format(record("text"))
    assert line == f"2026-11-22 06:19:23.456Z - INFO [enforcer]{told} - text"


@pytest.mark.usefixtures("in_request")
@pytest.mark.parametrize("in_request", ["_3fb2"], indirect=True)
def test_process_lines_can_be_json() -> None:
    assert json.loads(logs.JsonFormatter().format(record("a\n\x1b\ud800b", logging.WARNING))) == {
        "time": "2026-11-22T06:19:23.456Z",
        "level": "WARN",
        "logger": "argus_py.pep.enforcer",
        "message": "a\n\x1b\ud800b",
        "request_id": "_3fb2",
    }


def test_a_json_line_is_one_short_line_of_ascii_with_its_traceback() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        line = logs.JsonFormatter().format(record("é\n\u2028" * 100_000, error=error))
    told = json.loads(line)
    assert line.isascii()
    assert line.isprintable()
    assert len(told["message"]) < 10_000
    assert told["traceback"].endswith("ValueError: a\nb")
    assert "request_id" not in told


def test_access_and_audit_lines_begin_with_the_time_twice() -> None:
    assert logs.BarFormatter().format(record("a|b|")) == "2026-11-22T06:19:23.456Z|1795328363456|a|b|"


@pytest.mark.parametrize("formatter", [logs.ProcessFormatter(), logs.BarFormatter()])
@pytest.mark.parametrize("breaker", ["\n", "\r", "\x1b[2J", "\x00", "\x85", "\u2028"])
def test_a_message_stays_one_line(formatter: logging.Formatter, breaker: str) -> None:
    line = formatter.format(record(f"a{breaker}b"))
    assert len(line.splitlines()) == 1
    assert breaker not in line


def test_a_message_has_a_limit() -> None:
    assert len(logs.ProcessFormatter().format(record("x" * 1_000_000))) < 10_000


def test_lines_of_a_traceback_cannot_be_taken_for_others() -> None:
    try:
        raise ValueError("a\n2026-11-22 06:19:23.456Z - INFO [x] - forged\x1b")
    except ValueError as error:
        first, *others = logs.ProcessFormatter().format(record("text", error=error)).split("\n")
    assert first.endswith("- text")
    assert any("forged" in line for line in others)
    assert all(line.startswith("    ") and "\x1b" not in line for line in others)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_each_log_has_its_file(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    logging.getLogger("argus_py.x").info("process")
    logging.getLogger(logs.ACCESS).info("access|")
    logging.getLogger(logs.AUDIT).info("audit|")
    logging.getLogger(logs.RECORDS).info("{}")
    assert [line.partition(" - ")[2] for line in lines(tmp_path / "process.log")] == ["INFO [x] - process"]
    assert [line.split("|")[2:] for line in lines(tmp_path / "access.log")] == [["access", ""]]
    assert [line.split("|")[2:] for line in lines(tmp_path / "audit.log")] == [["audit", ""]]
    assert lines(tmp_path / "audit.jsonl") == ["{}"]


def test_the_process_log_alone_is_json(tmp_path: Path) -> None:
    logs.configure(tmp_path, as_json=True)
    logging.getLogger("argus_py.x").info("process")
    logging.getLogger(logs.AUDIT).info("audit|")
    assert json.loads((tmp_path / "process.log").read_text())["message"] == "process"
    assert [line.split("|")[2:] for line in lines(tmp_path / "audit.log")] == [["audit", ""]]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_level_shows_what_is_below_it(as_json: bool, tmp_path: Path) -> None:
    logs.configure(tmp_path, logging.DEBUG, as_json)
    logging.getLogger("argus_py.x").debug("detail")
    logging.getLogger("elsewhere").debug("noise")
    assert len(lines(tmp_path / "process.log")) == 1


def test_half_a_character_does_not_cost_the_line(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    logging.getLogger(logs.ACCESS).info("\ud800|")
    assert lines(tmp_path / "access.log")[0].endswith("|\\ud800|")


def test_a_renamed_file_is_left_and_a_new_one_begun(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    logging.getLogger(logs.AUDIT).info("one")
    (tmp_path / "audit.log").rename(tmp_path / "audit-2026-11-22.0.log")
    logging.getLogger(logs.AUDIT).info("two")
    assert lines(tmp_path / "audit.log")[0].endswith("two")


def test_without_a_directory_process_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(None)
    logging.getLogger("argus_py.x").warning("process")
    logging.getLogger(logs.AUDIT).info("audit")
    error_lines = capsys.readouterr().err.splitlines()
    assert [line.partition("Z - ")[2] for line in error_lines] == ["WARN [x] - process"]


def test_configuring_again_replaces_the_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    logs.configure(tmp_path / "a")
    logs.configure(tmp_path / "b")
    logging.getLogger(logs.AUDIT).info("once")
    assert lines(tmp_path / "a" / "audit.log") == []
    assert len(lines(tmp_path / "b" / "audit.log")) == 1


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audit.log").symlink_to("/dev/full")
    logs.configure(tmp_path)
    assert logs.trouble() == []
    for _ in range(3):
        logging.getLogger(logs.AUDIT).info("line")
    file = tmp_path / "audit.log"
    assert logs.trouble() == [("LogTrouble", f"{file}, 3 lines lost, [Errno 28] No space left on device")]
    assert capsys.readouterr().err == f"{file}: [Errno 28] No space left on device; log lines are lost\n"


def test_a_file_that_cannot_be_opened_again_costs_lines_until_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "logs", tmp_path / "logs" / "audit.log"
    folder.mkdir()
    logs.configure(folder)
    audit = logging.getLogger(logs.AUDIT)
    folder.rename(tmp_path / "moved")
    audit.info("lost")
    audit.info("lost")
    folder.mkdir()
    audit.info("written")
    assert [line.split("|")[2:] for line in lines(file)] == [["written"]]
    assert logs.trouble() == [("LogTrouble", f"{file}, 2 lines lost, written again")]
    assert capsys.readouterr().err.count("log lines are lost") == 1


def test_a_second_trouble_is_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    logs.configure(folder)
    audit = logging.getLogger(logs.AUDIT)
    for n in range(2):
        folder.rename(tmp_path / f"moved{n}")
        audit.info("lost")
        folder.mkdir()
        audit.info("written")
    assert capsys.readouterr().err.count("log lines are lost") == 2


def test_a_mistake_of_ours_in_a_log_call_is_no_trouble_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(tmp_path)
    logging.getLogger(logs.AUDIT).info("%d", "x")
    assert logs.trouble() == []
    assert "TypeError" in capsys.readouterr().err


def test_without_files_there_is_no_trouble() -> None:
    logs.configure(None)
    assert logs.trouble() == []
