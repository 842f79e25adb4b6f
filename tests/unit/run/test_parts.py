"""What the daemons have in common: how refreshing and its failures are told."""

from datetime import UTC, datetime, timedelta

import pytest

from argus_py.errors import ArgusError, Unavailable
from argus_py.run.parts import refreshing, state_of
from argus_py.snapshot import Snapshot

MINUTE = timedelta(minutes=1)


class Source:
    def __init__(self) -> None:
        self.error: ArgusError | None = None

    def __call__(self) -> str:
        if self.error:
            raise self.error
        return "content"


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def snapshot(source: Source) -> Snapshot[str]:
    snapshot = Snapshot("map file", source, clock=lambda: datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
    snapshot.refresh()
    return snapshot


def test_failure_to_refresh_is_logged_every_time(
    source: Source, snapshot: Snapshot[str], caplog: pytest.LogCaptureFixture
) -> None:
    task = refreshing(snapshot, MINUTE)
    task.run()
    assert caplog.messages == []
    source.error = Unavailable("line 2 is bad")
    task.run()
    task.run()
    assert caplog.messages == ["map file: the version in force stays: line 2 is bad"] * 2


def test_tasks_of_one_snapshot_are_one_task(source: Source, snapshot: Snapshot[str]) -> None:
    other = Snapshot("map file", source, clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    tasks = {refreshing(snapshot, MINUTE), refreshing(snapshot, MINUTE), refreshing(other, MINUTE)}
    assert len(tasks) == 2


def test_state_tells_age_failure_and_problems(source: Source, snapshot: Snapshot[str]) -> None:
    source.error = Unavailable("line 2 is bad")
    snapshot.refresh()
    assert state_of(snapshot, ["line 1 matches nobody"]) == [
        ("Loaded", "map file at 2026-11-24T12:00:00+00:00"),
        ("LastError", "map file, line 2 is bad"),
        ("Problem", "line 1 matches nobody"),
    ]
