"""Many pilots at the same instant: each gets an account of its own, and always the same one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Answer, Argus, Grid

ROUNDS = 6
PILOTS = 8  # as many as the pool has accounts


@pytest.mark.parametrize("processes", [1, 2])
def test_pilots_at_the_same_instant_get_accounts_of_their_own(grid: "Grid", processes: int) -> None:
    for number in range(4, PILOTS + 1):
        (grid.site.gridmapdir / f"dtplt{number:03d}").touch()
    services = [grid.serve() for _ in range(processes)]
    grid.load_policy(services[0])
    pilots = [grid.pilot(f"Pilot {number}") for number in range(PILOTS)]
    grid.eventually(lambda: all(grid.ask(argus, pilots[0]).decision == "Permit" for argus in services))
    # Every pilot asks over two connections, to both processes if there are two.
    askers = [(services[number % processes], pilot) for pilot in pilots for number in range(2)]
    for answers in rounds_at_once(grid, askers):
        assert {answer.decision for answer in answers} == {"Permit"}, answers
        accounts = [answer.account for answer in answers]
        assert accounts[0::2] == accounts[1::2]
        assert len(set(accounts)) == PILOTS


def rounds_at_once(grid: "Grid", askers: "list[tuple[Argus, str]]") -> "list[list[Answer]]":
    """What the askers were told in each round; all start it together, after the leases of the one before expired."""

    def expire_leases() -> None:
        for lease in grid.site.gridmapdir.glob("%*"):
            lease.unlink()

    start = threading.Barrier(len(askers), action=expire_leases)

    def ask(argus: "Argus", pilot: str) -> "list[Answer]":
        answers = []
        with grid.worker_node(argus) as node:
            for _ in range(ROUNDS):
                start.wait(30)
                answers.append(node.ask(pilot))
        return answers

    with ThreadPoolExecutor(len(askers)) as threads:
        told = [threads.submit(ask, *asker) for asker in askers]
    return [list(answers) for answers in zip(*(asker.result() for asker in told), strict=True)]
