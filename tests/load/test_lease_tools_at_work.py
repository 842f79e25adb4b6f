"""Leases expire and are repaired while daemons use them: nobody gets an account that somebody else was just given."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest

from argus_py.cli.leases import add_arguments, run
from argus_py.cli.leases.command import Call, Exit, Host

HERE = Path(__file__).parent
LIMIT = timedelta(milliseconds=150)  # of the last use, after which a lease expires here
TICK = timedelta(milliseconds=10)  # what the times of files may be behind the clock
SECONDS = 3
TIMEOUT = 60  # seconds; the machine may be busy
ACCOUNTS, USERS = 30, 60

Worker = subprocess.Popen[str]


@dataclass(frozen=True, order=True)
class Answer:
    end: float
    start: float
    name: str
    account: str


class Workers:
    """None outlives the test."""

    def __init__(self) -> None:
        self._started: list[Worker] = []

    def start(self, script: str, *arguments: object) -> Worker:
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._started.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self._started:
            worker.kill()
            worker.communicate()


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.stop()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "gridmapdir"
    path.mkdir()
    for number in range(ACCOUNTS):
        (path / f"dteam{number:03}").touch()
    return path


def answers(daemon: Worker) -> list[Answer]:
    output, _ = daemon.communicate(timeout=TIMEOUT)
    assert daemon.returncode == 0
    parts = map(str.split, output.splitlines())
    return [Answer(float(end), float(start), name, account) for name, account, start, end in parts]


def shared(given: list[Answer]) -> list[tuple[Answer, Answer]]:
    """Neighbours on one account, both of whose uses must lie closer together than the limit."""
    of_account: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in sorted(given):
        of_account[answer.account].append(answer)
    return [
        (one, other)
        for each in of_account.values()
        for one, other in pairwise(each)
        if one.name != other.name and other.end - min(one.start, other.start) < (LIMIT - TICK).total_seconds()
    ]


def check_again(directory: Path, host: Host) -> tuple[Exit, str]:
    parser, out = argparse.ArgumentParser(), StringIO()
    add_arguments(parser)
    arguments = parser.parse_args(["check", "--repair", "--no-nss", "--gridmapdir", str(directory)])
    return run(Call(arguments, host, out, out)), out.getvalue()


def test_no_account_is_given_to_a_second_user_while_the_first_one_uses_it(directory: Path, workers: Workers) -> None:
    daemons = [workers.start("busy_worker.py", directory, "dteam", SECONDS, USERS, seed) for seed in range(4)]
    tidy = [workers.start("tidy_worker.py", directory, LIMIT // timedelta(milliseconds=1), SECONDS) for _ in range(2)]

    given = [answer for daemon in daemons for answer in answers(daemon)]
    told = "".join(each.communicate(timeout=TIMEOUT)[0] for each in tidy)

    served = [answer for answer in given if not answer.account.startswith("!")]
    assert {answer.account for answer in given} - {answer.account for answer in served} <= {"!PoolExhausted"}
    assert told.count("expired ") > 2 * ACCOUNTS  # they went from one user to the next more than once
    assert shared(served) == []
    assert check_again(directory, Host()) == (Exit.FINE, "")


def test_tools_that_are_killed_take_no_account_from_anybody(directory: Path, workers: Workers) -> None:
    daemons = [workers.start("busy_worker.py", directory, "dteam", SECONDS, USERS, seed) for seed in range(3)]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        tidy = workers.start("tidy_worker.py", directory, LIMIT // timedelta(milliseconds=1), SECONDS)
        assert tidy.stdout is not None
        tidy.stdout.readline()  # it is at work
        time.sleep(0.02)
        os.kill(tidy.pid, signal.SIGKILL)

    given = [answer for daemon in daemons for answer in answers(daemon)]

    served = [answer for answer in given if not answer.account.startswith("!")]
    assert len(served) > USERS
    assert shared(served) == []
    # What was left half done is mended once nobody can be at it, or waits until its account has expired.
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    _, told = check_again(directory, replace(Host(), now=lambda: tomorrow))
    assert all(line.startswith(("temporary: ", "    ")) for line in told.splitlines())
    assert all(path.stat().st_nlink <= 2 for path in directory.iterdir())
