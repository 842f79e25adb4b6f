import os
import shlex
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argus_py.store import account_use
from argus_py.store.account_use import (
    UseUnknown,
    named_by_command,
    uids_with_files_since,
    uids_with_processes,
)

SOON = timedelta(hours=1)  # the time of change of a file is always now


# Processes


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    process(tmp_path, "1", "0\t0\t0\t0")
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").touch()
    return tmp_path


def process(proc: Path, pid: str, uids: str) -> None:
    (proc / pid).mkdir()
    (proc / pid / "status").write_text(f"Name:\tUid: 7\nUmask:\t0022\nUid:\t{uids}\nGid:\t9\t9\t9\t9\n")


def test_all_uids_of_all_processes_count(proc: Path) -> None:
    process(proc, "20", "5001\t5002\t5003\t5004")
    process(proc, "21", "5001\t5001\t5001\t5001")
    assert uids_with_processes(proc) == {0, 5001, 5002, 5003, 5004}


def test_a_process_that_ends_meanwhile_is_none(proc: Path) -> None:
    (proc / "20").mkdir()
    assert uids_with_processes(proc) == {0}


def test_hidden_processes_are_no_answer(proc: Path) -> None:
    (proc / "1").rename(proc / "20")
    with pytest.raises(UseUnknown, match="does not show the processes of others"):
        uids_with_processes(proc)


def test_a_status_that_cannot_be_read_is_no_answer(proc: Path) -> None:
    process(proc, "20", "none")
    with pytest.raises(UseUnknown, match="20/status has no line of uids"):
        uids_with_processes(proc)
    (proc / "20" / "status").unlink()
    (proc / "20" / "status").mkdir()
    with pytest.raises(UseUnknown, match="20/status: Is a directory"):
        uids_with_processes(proc)


def test_a_missing_proc_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(UseUnknown, match="No such file"):
        uids_with_processes(tmp_path / "proc")


def test_this_process_is_found_in_the_real_proc() -> None:
    assert os.geteuid() in uids_with_processes()


# Files


def test_the_owner_of_a_younger_file_is_found_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c" / "file").touch()
    assert uids_with_files_since([tmp_path], datetime.now(UTC) - SOON) == {os.getuid()}


def test_files_that_are_older_count_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    assert uids_with_files_since([tmp_path], datetime.now(UTC) + SOON) == frozenset()


def test_a_file_with_an_old_time_of_modification_is_as_young_as_its_last_change(tmp_path: Path) -> None:
    (tmp_path / "unpacked").touch()
    os.utime(tmp_path / "unpacked", (0, 0))
    os.utime(tmp_path, (0, 0))
    assert uids_with_files_since([tmp_path], datetime.now(UTC) - SOON) == {os.getuid()}


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "elsewhere").mkdir()
    future = time.time() + 3 * SOON.total_seconds()
    (tmp_path / "elsewhere" / "young").touch()
    os.utime(tmp_path / "elsewhere" / "young", (future, future))
    (tmp_path / "home" / "link").symlink_to(tmp_path / "elsewhere")
    since = datetime.now(UTC) + SOON
    assert uids_with_files_since([tmp_path / "home"], since) == frozenset()
    assert uids_with_files_since([tmp_path / "elsewhere"], since) == {os.getuid()}


def test_who_hides_files_too_deep_to_look_counts_as_busy(tmp_path: Path) -> None:
    since = datetime.now(UTC) + SOON
    deepest_seen = tmp_path.joinpath(*["d"] * account_use.MAX_DEPTH)
    deepest_seen.mkdir(parents=True)
    assert uids_with_files_since([tmp_path], since) == frozenset()
    (deepest_seen / "d").mkdir()
    assert uids_with_files_since([tmp_path], since) == {os.getuid()}


def test_the_owner_of_a_mount_point_counts_as_busy() -> None:
    """What lies below is not looked at: file servers, and the homes that an automounter mounts one by one."""
    assert os.stat("/dev/shm").st_dev != os.stat("/dev").st_dev
    found = uids_with_files_since([Path("/dev")], datetime.now(UTC) + 100_000 * SOON)
    assert os.stat("/dev/shm").st_uid in found


def test_a_directory_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(UseUnknown, match=f"{tmp_path}/gone: No such file or directory"):
        uids_with_files_since([tmp_path, tmp_path / "gone"], datetime.now(UTC))


# The command


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_it_reads_the_accounts_and_prints_the_busy_ones() -> None:
    some = python("import sys; names = sys.stdin.read().split(); print('root'); print(); print(' ', names[0])")
    assert named_by_command(some, ["dteam001", "dteam002"]) == {"root", "dteam001"}


def test_it_need_not_read() -> None:
    assert named_by_command(["true"], ["x" * 100] * 10_000) == frozenset()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["false"], "false failed with exit code 1"),
        (["sh", "-c", "echo dteam001; kill -9 $$"], "sh failed with exit code -9"),
        (["/nonexistent/squeue"], "/nonexistent/squeue cannot be started: No such file or directory"),
        (["echo", "dteam001 dteam002"], "echo printed 'dteam001 dteam002' where a name of one word was expected"),
        (["printf", r"\377"], "printf printed what is no UTF-8 text"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_any_failure_is_no_answer(command: list[str], reason: str) -> None:
    with pytest.raises(UseUnknown) as unknown:
        named_by_command(command, ["dteam001"])
    assert unknown.value.reason == reason


def test_a_command_that_does_not_end_is_stopped_with_all_it_has_started(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {shlex.quote(str(started))}; wait"
    with pytest.raises(UseUnknown, match="did not end within 1 s"):
        named_by_command(["sh", "-c", script], [], timeout=timedelta(seconds=1))
    for _ in range(100):  # a process that was killed goes away when its parent, whoever that is now, takes notice
        if not is_running(int(started.read_text())):
            break
        time.sleep(0.05)
    assert not is_running(int(started.read_text()))


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
