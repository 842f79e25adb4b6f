from datetime import UTC, datetime, timedelta

import pytest

from argus_py.errors import ArgusError, Unavailable
from argus_py.snapshot import Snapshot

START = datetime(2026, 11, 24, tzinfo=UTC)


class Clock:
    """A minute passes between questions."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


class Source:
    """A loader that remembers the last text until it is made to forget it."""

    def __init__(self) -> None:
        self.text = "one"
        self.remembered: str | None = None
        self.error: ArgusError | OSError | None = None

    def load(self) -> str:
        if self.error:
            raise self.error
        self.remembered = self.remembered or self.text
        return self.remembered

    def forget(self) -> None:
        self.remembered = None


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def snapshot(source: Source) -> Snapshot[str]:
    return Snapshot("text", source.load, Clock(), source.forget)


def test_there_is_nothing_before_the_first_load(source: Source, snapshot: Snapshot[str]) -> None:
    source.error = OSError("no such file")
    assert not snapshot.refresh()
    assert not snapshot.ready
    assert snapshot.looked_at is None
    with pytest.raises(Unavailable, match="no text has been loaded yet: no such file"):
        _ = snapshot.current


def test_only_a_different_value_is_a_new_version(source: Source, snapshot: Snapshot[str]) -> None:
    assert snapshot.refresh()
    first = snapshot.current
    assert not snapshot.refresh(anew=True)
    assert snapshot.current is first
    source.text = "two"
    assert snapshot.refresh(anew=True)
    assert (snapshot.current.value, snapshot.current.number) == ("two", 2)


def test_a_loader_is_made_to_forget_only_when_asked(source: Source, snapshot: Snapshot[str]) -> None:
    snapshot.refresh()
    source.text = "two"
    assert not snapshot.refresh()
    assert snapshot.refresh(anew=True)


def test_a_loader_with_nothing_to_forget_is_asked_as_ever() -> None:
    snapshot = Snapshot("text", lambda: "one", Clock())
    assert snapshot.refresh(anew=True)


def test_a_failure_keeps_the_version_and_the_time_of_the_last_look(source: Source, snapshot: Snapshot[str]) -> None:
    snapshot.refresh()
    snapshot.refresh()
    assert snapshot.current.loaded_at == START + timedelta(minutes=1)
    assert snapshot.looked_at == START + timedelta(minutes=2)
    source.error = Unavailable("gone")
    assert not snapshot.refresh()
    assert snapshot.last_error is source.error
    assert snapshot.current.value == "one"
    assert snapshot.looked_at == START + timedelta(minutes=2)


def test_a_value_from_elsewhere_comes_into_force_and_leaves_the_failure_to_be_told() -> None:
    source = Source()
    source.error = Unavailable("down")
    snapshot = Snapshot("thing", source.load, Clock())
    snapshot.refresh()
    snapshot.adopt("kept", START)
    assert (snapshot.current.value, snapshot.current.number, snapshot.current.loaded_at) == ("kept", 1, START)
    assert str(snapshot.last_error) == "down"
    assert snapshot.looked_at is None
    source.error = None
    assert snapshot.refresh()
    assert (snapshot.current.value, snapshot.current.number) == ("one", 2)
