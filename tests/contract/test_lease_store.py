"""What the PEP may rely on of every LeaseStore: the gridmapdir, and the one in memory that other tests use."""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argus_py.errors import Unmapped
from argus_py.pep.ports import Lease, LeaseStore
from argus_py.store.gridmapdir import GridMapDir

Make = Callable[[Mapping[str, int]], LeaseStore]


class MemoryLeases:
    """Pools by prefix with the number of their accounts."""

    def __init__(self, pools: Mapping[str, int]) -> None:
        self._free = {pool: [f"{pool}{number:03}" for number in range(size)] for pool, size in pools.items()}
        self._leases: dict[str, tuple[str, str]] = {}
        self._changing = threading.Lock()

    def lease(self, name: str, pool: str, other_names: Sequence[str] = ()) -> Lease:
        with self._changing:
            if name not in self._leases:
                for other in other_names:
                    if self._leases.get(other, ("", ""))[0] == pool:
                        return Lease(self._leases[other][1], other)
                if not self._free.get(pool):
                    raise Unmapped(f"no free account in the pool {pool!r}")
                self._leases[name] = (pool, self._free[pool].pop())
            leased_pool, account = self._leases[name]
        if leased_pool != pool:
            raise Unmapped(f"the lease {name} belongs to the account {account}, which is not of the pool {pool!r}")
        return Lease(account, name)


def in_memory(tmp_path: Path) -> Make:
    return MemoryLeases


def in_gridmapdir(tmp_path: Path) -> Make:
    def make(pools: Mapping[str, int]) -> LeaseStore:
        for pool, size in pools.items():
            for number in range(size):
                (tmp_path / f"{pool}{number:03}").touch()
        return GridMapDir(tmp_path, random.Random(1), sleep=lambda seconds: None)

    return make


@pytest.fixture(params=[in_memory, in_gridmapdir])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    chosen: Make = request.param(tmp_path)
    return chosen


def test_newcomer_gets_an_account_of_the_pool(make: Make) -> None:
    store = make({"dteam": 3, "atlas": 3})
    assert store.lease("%2fcn%3dalice", "atlas").account in ("atlas000", "atlas001", "atlas002")


def test_holder_keeps_his_account(make: Make) -> None:
    store = make({"dteam": 5})
    account = store.lease("%2fcn%3dalice", "dteam").account
    others = [store.lease(f"%2fcn%3duser{number}", "dteam").account for number in range(4)]
    assert store.lease("%2fcn%3dalice", "dteam").account == account
    assert account not in others


def test_no_account_is_given_twice(make: Make) -> None:
    store = make({"dteam": 20})
    assert len({store.lease(f"%2fcn%3duser{number}", "dteam").account for number in range(20)}) == 20


def test_names_that_differ_in_the_group_are_different_leases(make: Make) -> None:
    store = make({"dteam": 2})
    assert store.lease("%2fcn%3dalice:dteam", "dteam").account != store.lease("%2fcn%3dalice:pilot", "dteam").account


def test_exhausted_pool_refuses_newcomers_and_keeps_holders(make: Make) -> None:
    store = make({"dteam": 1})
    account = store.lease("%2fcn%3dalice", "dteam").account
    with pytest.raises(Unmapped):
        store.lease("%2fcn%3dbob", "dteam")
    assert store.lease("%2fcn%3dalice", "dteam").account == account


def test_unknown_pool_is_refused(make: Make) -> None:
    store = make({"dteam": 1})
    for pool in ("atlas", "dtea", ""):
        with pytest.raises(Unmapped):
            store.lease("%2fcn%3dalice", pool)


def test_lease_of_another_pool_is_refused_and_kept(make: Make) -> None:
    store = make({"dteam": 1, "atlas": 1})
    account = store.lease("%2fcn%3dalice", "dteam").account
    with pytest.raises(Unmapped):
        store.lease("%2fcn%3dalice", "atlas")
    assert store.lease("%2fcn%3dalice", "dteam").account == account


def test_lease_under_another_name_is_used_before_a_new_one_is_made(make: Make) -> None:
    store = make({"dteam": 2, "atlas": 1})
    store.lease("%2fcn%3dalice:a", "atlas")
    lease = store.lease("%2fcn%3dalice:b:a", "dteam")
    assert lease.name == "%2fcn%3dalice:b:a"
    others = ("%2fcn%3dalice:none", "%2fcn%3dalice:a", "%2fcn%3dalice:b:a")  # of nobody, of another pool, of this one
    assert store.lease("%2fcn%3dalice:a:b", "dteam", others) == lease
    own = store.lease("%2fcn%3dalice:a:b", "dteam")
    assert own.account != lease.account
    assert own.name == "%2fcn%3dalice:a:b"
    assert store.lease("%2fcn%3dalice:a:b", "dteam", others) == own


def test_threads_share_no_account(make: Make) -> None:
    store = make({"dteam": 30})
    names = [f"%2fcn%3duser{number % 15}" for number in range(60)]
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda name: store.lease(name, "dteam").account, names))
    assert len(set(zip(names, given, strict=True))) == len(set(given)) == 15
