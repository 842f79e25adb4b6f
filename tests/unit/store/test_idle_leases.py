"""Whose account is taken back when a pool is exhausted, and how often the pool is looked at for that."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.store.account_index import PoolLease, list_accounts
from argus_py.store.idle_leases import IdleLeases

NOW, DAY = 1_790_000_000.0, 86400.0


class Pool:
    """Leases vo1 to vo5, last used so many days ago; ``listings`` counts how often they were listed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.listings = 0
        for days in range(1, 6):
            (directory / f"vo{days}").touch()
            (directory / f"%2fcn%3duser{days}").hardlink_to(directory / f"vo{days}")
            os.utime(directory / f"vo{days}", (NOW - days * DAY,) * 2)

    def leases(self) -> list[PoolLease]:
        self.listings += 1
        return list_accounts(self.directory).leases("vo", lambda name: os.lstat(self.directory / name))

    def leased(self) -> list[str]:
        return sorted(path.name[-1] for path in self.directory.glob("%*"))


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


def idle(pool: Pool, days: int, moments: list[float]) -> IdleLeases:
    return IdleLeases(pool.directory, timedelta(days=days), lambda: moments[0], lambda seconds: None)


def test_one_listing_serves_until_the_long_unused_ones_are_gone(pool: Pool) -> None:
    taker = idle(pool, 3, [NOW])
    assert [taker.take("vo", pool.leases, "x") for _ in range(4)] == ["vo5", "vo4", "vo3", None]
    assert pool.listings == 1
    assert pool.leased() == ["1", "2"]


def test_pool_is_not_looked_at_again_before_the_next_lease_is_idle(pool: Pool) -> None:
    moments = [NOW]
    taker = idle(pool, 6, moments)
    assert taker.take("vo", pool.leases, "x") is None
    moments[0] += DAY - 1
    assert taker.take("vo", pool.leases, "x") is None
    assert pool.listings == 1
    moments[0] += 1
    assert taker.take("vo", pool.leases, "x") == "vo5"
    assert pool.listings == 1


def test_lease_used_since_the_listing_is_passed_over(pool: Pool) -> None:
    taker = idle(pool, 3, [NOW])
    assert taker.take("vo", pool.leases, "x") == "vo5"
    os.utime(pool.directory / "vo4")
    assert taker.take("vo", pool.leases, "x") == "vo3"
    assert pool.leased() == ["1", "2", "4"]


def test_lease_whose_account_has_another_one_since_the_listing_is_passed_over(pool: Pool) -> None:
    taker = idle(pool, 3, [NOW])
    assert taker.take("vo", pool.leases, "x") == "vo5"
    (pool.directory / "%2fcn%3dsecond4").hardlink_to(pool.directory / "vo4")
    assert taker.take("vo", pool.leases, "x") == "vo3"


def test_pool_without_a_lease_in_order_is_looked_at_once_a_second(pool: Pool) -> None:
    moments = [NOW]
    taker = idle(pool, 3, moments)
    for path in pool.directory.glob("%*"):
        path.unlink()
    assert [taker.take("vo", pool.leases, "x") for _ in range(5)] == [None] * 5
    assert pool.listings == 1
    moments[0] += 1
    assert taker.take("vo", pool.leases, "x") is None
    assert pool.listings == 2
