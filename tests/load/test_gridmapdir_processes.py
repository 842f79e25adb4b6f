"""Many processes on one gridmapdir: nobody shares an account, nobody loses one."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from argus_py.errors import ArgusError
from argus_py.store.gridmapdir import GridMapDir

HERE = Path(__file__).parent
OURS, FOREIGN = HERE / "lease_worker.py", HERE / "foreign_worker.py"
TIMEOUT = 60  # seconds; the machine may be busy

Worker = subprocess.Popen[str]
Start = Callable[[Path, Sequence[str]], Worker]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "gridmapdir"
    path.mkdir()
    return path


@pytest.fixture
def start(directory: Path) -> Iterator[Start]:
    """Starts a worker that waits for the signal; none outlives the test."""
    workers: list[Worker] = []

    def start(script: Path, names: Sequence[str]) -> Worker:
        command = [sys.executable, str(script), str(directory), "dteam", *names]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.kill()
        worker.communicate()


def accounts(directory: Path, count: int) -> None:
    for number in range(count):
        (directory / f"dteam{number:03}").touch()


def go(workers: Sequence[Worker]) -> None:
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()


def answers(worker: Worker) -> list[tuple[str, str]]:
    output, _ = worker.communicate(timeout=TIMEOUT)
    return [(name, answer) for name, answer in map(str.split, output.splitlines())]


def run(workers: Sequence[Worker]) -> list[tuple[str, str]]:
    go(workers)
    return [answer for worker in workers for answer in answers(worker)]


def check_leases(directory: Path, given: Sequence[tuple[str, str]]) -> None:
    """Every answer is still true, and no account was given to two names."""
    of_account: dict[str, set[str]] = {}
    for name, account in given:
        of_account.setdefault(account, set()).add(name)
        lease = (directory / name).stat()
        assert lease.st_ino == (directory / account).stat().st_ino
        assert lease.st_nlink == 2
    assert all(len(names) == 1 for names in of_account.values())


def test_different_users_at_one_instant_get_different_accounts(directory: Path, start: Start) -> None:
    accounts(directory, 60)

    given = run([start(OURS, [f"%2fcn%3duser{worker}x{n}" for n in range(5)]) for worker in range(12)])

    assert len({account for _, account in given}) == 60
    check_leases(directory, given)


def test_one_user_at_many_servers_gets_one_account(directory: Path, start: Start) -> None:
    accounts(directory, 40)
    names = [f"%2fcn%3duser{n}" for n in range(20)]

    given = run([start(OURS, names) for _ in range(10)])

    assert len(given) == 200
    assert len(set(given)) == 20
    check_leases(directory, given)


def test_only_the_surplus_of_a_small_pool_is_refused(directory: Path, start: Start) -> None:
    accounts(directory, 25)

    given = run([start(OURS, [f"%2fcn%3duser{worker}x{n}" for n in range(4)]) for worker in range(10)])

    refused = [answer for _, answer in given if answer.startswith("!")]
    assert refused == ["!PoolExhausted"] * 15
    check_leases(directory, [(name, answer) for name, answer in given if not answer.startswith("!")])


def test_killed_server_loses_no_lease_and_shares_no_account(directory: Path, start: Start) -> None:
    accounts(directory, 120)
    victims = [start(OURS, [f"%2fcn%3dvictim{worker}x{n}" for n in range(15)]) for worker in range(4)]
    others = [start(OURS, [f"%2fcn%3dother{worker}x{n}" for n in range(15)]) for worker in range(4)]

    go([*victims, *others])
    for victim in victims:  # in the middle of its work: it has answered once
        assert victim.stdout is not None
        first = victim.stdout.readline()
        os.kill(victim.pid, signal.SIGKILL)
        name, account = first.split()
        check_leases(directory, [(name, account)])
    given = [answer for worker in others for answer in answers(worker)]
    answered = [answer for victim in victims for answer in answers(victim)]

    check_leases(directory, [*given, *answered])
    leases = GridMapDir(directory, random.Random(1))
    assert all(leases.lease(name, "dteam").account == account for name, account in [*given, *answered])
    # Whatever the killed ones left behind, the rest of the pool is of use to newcomers, each alone on his account.
    newcomers = [(f"%2fcn%3dnew{n}", leases.lease(f"%2fcn%3dnew{n}", "dteam").account) for n in range(free(directory))]
    check_leases(directory, [*given, *answered, *newcomers])


def free(directory: Path) -> int:
    return sum(path.stat().st_nlink == 1 for path in directory.iterdir() if path.name.startswith("dteam"))


def test_other_programs_on_the_directory_are_respected(directory: Path, start: Start) -> None:
    accounts(directory, 60)
    shared = [f"%2fcn%3dold{n}" for n in range(5)]
    before = run([start(FOREIGN, shared)])

    workers = [
        start(script, [*shared, *(f"%2fcn%3d{script.stem}{worker}x{n}" for n in range(5))])
        for worker in range(5)
        for script in (OURS, FOREIGN)
    ]
    given = run(workers)

    assert set(before) <= set(given)
    assert len({account for _, account in given}) == 55
    check_leases(directory, given)


def test_full_pool_of_another_program_is_exhausted_for_us(directory: Path, start: Start) -> None:
    accounts(directory, 3)
    run([start(FOREIGN, ["%2fcn%3da", "%2fcn%3db", "%2fcn%3dc"])])

    with pytest.raises(ArgusError, match="no free account in the pool 'dteam'"):
        GridMapDir(directory, random.Random(1)).lease("%2fcn%3dd", "dteam")
