"""What a gridmapdir is said to answer, it answers."""

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import Unavailable, Unmapped
from argus_py.pep.ports import Lease, LeaseStore
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.lease_files import pool_of, read_contents
from argus_py.store.lease_forecast import LeaseForecast

NOW = datetime(2026, 11, 24, tzinfo=UTC)
IDLE = timedelta(days=10.5)
ACCOUNTS = ("a01", "a02", "b01", "b02")
LEASES = tuple(f"%2fcn%3d{name}" for name in ("x", "y", "z:g", "z:h:g"))


@dataclass(frozen=True)
class Layout:
    """Which account each lease is a link to, None for one that has none; and the days since each account was used."""

    leases: dict[str, str | None]
    days: dict[str, int]

    def make(self, directory: Path) -> None:
        for account, days in self.days.items():
            (directory / account).touch()
            at = (NOW - timedelta(days=days)).timestamp()
            os.utime(directory / account, (at, at))
        for lease, leased in self.leases.items():
            if leased is None:
                (directory / lease).touch()
            else:
                (directory / lease).hardlink_to(directory / leased)


def layouts() -> st.SearchStrategy[Layout]:
    days = st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(1, 30))
    return days.flatmap(
        lambda used: st.builds(
            Layout,
            st.dictionaries(st.sampled_from(LEASES), st.sampled_from((None, *used))),
            st.just(used),
        )
    )


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> float:
        return NOW.timestamp() + self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def answer(store: LeaseStore, name: str, pool: str, others: tuple[str, ...]) -> Lease | str:
    try:
        return store.lease(name, pool, others)
    except (Unmapped, Unavailable) as error:
        return f"refused: {type(error).__name__}"


@settings(max_examples=200, deadline=None)
@given(
    layout=layouts(),
    name=st.sampled_from(LEASES),
    pool=st.sampled_from(("a", "b", "a0")),
    others=st.lists(st.sampled_from(LEASES), max_size=2, unique=True).map(tuple),
    recycles=st.booleans(),
)
def test_the_forecast_is_what_the_daemon_then_does(
    layout: Layout, name: str, pool: str, others: tuple[str, ...], recycles: bool
) -> None:
    with TemporaryDirectory() as scratch:
        directory, clock = Path(scratch), Clock()
        layout.make(directory)
        forecast = LeaseForecast(read_contents(directory), NOW - IDLE if recycles else None)
        said = answer(forecast, name, pool, others)
        free = forecast.free_accounts(pool)

        daemon = GridMapDir(
            directory,
            random.Random(1),
            clock,
            clock.sleep,
            recycle_idle=IDLE if recycles else None,
            now=clock.now,
        )
        done = answer(daemon, name, pool, others)

    if isinstance(said, Lease) and said.account in free:
        assert isinstance(done, Lease)
        assert done.name == said.name
        assert done.account in free
        assert pool_of(done.account, [pool]) == pool
    else:
        assert done == said
