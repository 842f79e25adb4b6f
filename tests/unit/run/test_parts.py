"""What the daemons have in common: how files are watched, how refreshing and its failures are told."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argus_py.errors import ArgusError, Unavailable
from argus_py.run.parts import (
    material_state,
    now,
    refreshing,
    state_of,
    trust_anchors,
    trust_state,
    voms_trust,
    watching,
)
from argus_py.snapshot import Snapshot

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
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


@dataclass(frozen=True)
class Material:
    """Trust material that says what its file says, and complains about some lines of it."""

    text: str
    problems: tuple[str, ...] = ()

    def contents(self) -> str:
        return f"{len(self.text)} octets"


class Files:
    """A loader that takes what seems unchanged for unchanged."""

    def __init__(self) -> None:
        self.material = Material("one")
        self.error: ArgusError | None = None
        self.unseen: Material | None = None  # a change that only reading reveals

    def load(self) -> Material:
        if self.error:
            raise self.error
        return self.material

    def distrust_versions(self) -> None:
        self.material = self.unseen or self.material


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def watched(files: Files) -> Snapshot[Material]:
    snapshot = Snapshot("trust directory", files.load, now, files.distrust_versions)
    snapshot.refresh()
    return snapshot


def test_changes_are_looked_for_every_few_seconds_and_all_is_read_as_configured(watched: Snapshot[Material]) -> None:
    look, reading = watching(watched, timedelta(hours=1))
    assert (look.every, reading.every) == (timedelta(seconds=10), timedelta(hours=1))
    assert look.name != reading.name


def test_a_change_is_taken_up_by_the_look_and_told(
    files: Files, watched: Snapshot[Material], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    look, reading = watching(watched, MINUTE)
    look.run()
    assert caplog.messages == []
    files.material = Material("three")
    look.run()
    reading.run()
    assert watched.current.value.text == "three"
    assert caplog.messages == ["trust directory: 5 octets"]


def test_what_a_look_does_not_see_is_read_on_schedule(files: Files, watched: Snapshot[Material]) -> None:
    look, reading = watching(watched, MINUTE)
    files.unseen = Material("two")
    look.run()
    assert watched.current.value.text == "one"
    reading.run()
    assert watched.current.value.text == "two"


def test_what_is_wrong_is_logged_once_for_as_long_as_it_lasts(
    files: Files, watched: Snapshot[Material], caplog: pytest.LogCaptureFixture
) -> None:
    files.material = Material("one", ("a is bad",))
    watched.refresh()
    look, reading = watching(watched, MINUTE)
    files.material = Material("two", ("a is bad", "b is bad"))
    look.run()
    reading.run()
    files.error = Unavailable("no such directory")
    look.run()
    reading.run()
    look.run()
    files.error = None
    look.run()
    files.error = Unavailable("no such directory")
    look.run()
    gone = "trust directory: the version in force stays: no such directory"
    assert caplog.messages == ["trust directory: a is bad", "trust directory: b is bad", gone, gone]


def test_daemons_that_share_a_snapshot_look_at_it_once(files: Files, watched: Snapshot[Material]) -> None:
    other = Snapshot("trust directory", files.load, now)
    other.refresh()
    tasks = {*watching(watched, MINUTE), *watching(watched, MINUTE), *watching(other, MINUTE)}
    assert len(tasks) == 4
    assert len({*watching(watched, MINUTE), *watching(watched, 2 * MINUTE)}) == 3


def test_the_state_of_trust_material_tells_what_is_in_it(files: Files) -> None:
    files.material = Material("two", ("a is bad",))
    loaded_at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    snapshot = Snapshot("trust directory", files.load, lambda: loaded_at)
    snapshot.refresh()
    assert material_state(snapshot, loaded_at + MINUTE) == [
        ("Contents", "trust directory, 3 octets"),
        ("LastLook", "trust directory, 60 s ago"),
        ("Loaded", "trust directory at 2026-11-24T12:00:00+00:00"),
        ("Problem", "a is bad"),
    ]


def test_the_state_of_trust_anchors_tells_which_crls_are_outdated_and_when_the_next_will_be() -> None:
    snapshot = trust_anchors(GRID / "certificates")
    expiry = snapshot.current.value.next_crl_expiry(now())
    assert expiry is not None
    contents, *_, hours, outdated = trust_state(snapshot, expiry - timedelta(minutes=90))
    assert contents[1].endswith("/certificates, 6 CA certificates, 5 CRLs, 14 namespace files")
    assert hours == ("NextCrlExpiryHours", "1.5")
    expired = "the CRL of CN=Old CRL CA,O=Argus Old CRL Test,C=XX expired on 2020-08-01 00:00 UTC"
    assert outdated == ("Problem", expired)


def test_without_crls_nothing_expires() -> None:
    lines = trust_state(trust_anchors(GRID / "certificates", check_crls=False), now())
    assert [name for name, _ in lines] == ["Contents", "LastLook", "Loaded"]


def test_a_vomsdir_is_watched_like_a_trust_directory(tmp_path: Path) -> None:
    directory = Path(shutil.copytree(GRID / "vomsdir", tmp_path / "vomsdir"))
    snapshot = voms_trust(directory)
    shutil.rmtree(directory / "dteam")
    look, _ = watching(snapshot, MINUTE)
    look.run()
    assert snapshot.current.value.lsc_file("dteam", "voms.argus-test.org") is None
    assert snapshot.current.number == 2
