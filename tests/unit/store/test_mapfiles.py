"""Map files on disk: what counts as a change, and what a bad version does."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.errors import ConfigurationError
from argus_py.pep.mapping.map_file import MAX_SIZE, MapFileError
from argus_py.store.mapfiles import MapFileInMotion, load_map_file


def clock() -> datetime:
    return datetime(3000, 1, 1, tzinfo=UTC)  # every file is old by then, so nobody waits for its writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "grid-mapfile"
    path.write_text('"/vo" .vo\n', encoding="utf-8")
    return path


class Writer:
    """Goes on writing while the reader waits; time stands still at the moment of its writing."""

    def __init__(self, path: Path, *pieces: str) -> None:
        self._path = path
        self._pieces = list(pieces)
        self.waits = 0

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)

    def sleep(self, seconds: float) -> None:
        self.waits += 1
        if self._pieces:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(self._pieces.pop(0))


def test_first_version_is_loaded_at_once(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    assert snapshot.current.number == 1
    assert snapshot.current.value.entries[0].targets == (".vo",)


def test_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "missing"
    with pytest.raises(ConfigurationError, match=f"^Unable to read map file {path}: No such file or directory$"):
        load_map_file(path, clock)


def test_bad_first_version_is_a_configuration_error_with_file_and_line(path: Path) -> None:
    path.write_text('"/vo" .vo\nunquoted x\n', encoding="utf-8")
    with pytest.raises(MapFileError, match=f"^{path}: Error on map file line 2: "):
        load_map_file(path, clock)


def test_line_that_is_not_utf8_is_told_and_the_others_are_used(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b'"/vo" .vo\n"/CN=Jos\xe9" x\n')
    assert [entry.line for entry in load_map_file(path, clock).current.value.entries] == [1]
    assert caplog.messages == [f"{path}: line 2 matches nobody: it is not UTF-8"]


def test_byte_order_mark_is_no_part_of_the_first_line(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf# comment\n")
    assert load_map_file(path, clock).current.value.problems == ()


def test_huge_file_is_refused(path: Path) -> None:
    os.truncate(path, MAX_SIZE + 1)  # sparse
    with pytest.raises(ConfigurationError, match="larger than"):
        load_map_file(path, clock)


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match=f"^{tmp_path}/pipe is not a regular file$"):
        load_map_file(tmp_path / "pipe", clock)


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"^{tmp_path} is not a regular file$"):
        load_map_file(tmp_path, clock)


def test_file_whose_size_is_not_that_of_its_content_is_being_written() -> None:
    with pytest.raises(ConfigurationError, match="changes while it is read"):
        load_map_file(Path("/proc/self/status"), clock)  # never has the size it tells


def test_new_version_is_noticed(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    path.write_text('"/vo" .other\n', encoding="utf-8")
    assert snapshot.refresh()
    assert snapshot.current.value.entries[0].targets == (".other",)


def test_older_file_put_back_is_noticed(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    older = path.with_name("older")
    older.write_text('"/vo" .old\n', encoding="utf-8")
    os.utime(older, (1, 1))
    older.replace(path)
    assert snapshot.refresh()
    assert snapshot.current.value.entries[0].targets == (".old",)


def test_unchanged_file_is_not_read_again(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    status = path.stat()
    with path.open("r+", encoding="utf-8") as file:  # same length, inode and time: taken for the same version
        file.write('"/vo" .xx\n')
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not snapshot.refresh()
    assert snapshot.current.value.entries[0].targets == (".vo",)


def test_bad_new_version_keeps_the_old_one_and_is_told_until_it_is_repaired(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    for bad in ('"/vo" .a\n"/vo" .b\n', '"/vo"\n', "unquoted\n"):
        path.write_text(bad, encoding="utf-8")
        for _ in range(2):
            assert not snapshot.refresh()
            assert isinstance(snapshot.last_error, MapFileError)
            assert snapshot.current.value.entries[0].targets == (".vo",)
    path.write_text('"/vo" .good\n', encoding="utf-8")
    assert snapshot.refresh()
    assert snapshot.last_error is None


def test_vanished_file_keeps_the_old_version(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    path.unlink()
    assert not snapshot.refresh()
    assert isinstance(snapshot.last_error, FileNotFoundError)
    assert snapshot.current.number == 1


def test_emptied_file_is_taken_for_one_that_is_being_written(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    path.write_bytes(b"")
    assert not snapshot.refresh()
    assert isinstance(snapshot.last_error, MapFileInMotion)
    assert snapshot.current.value.entries[0].targets == (".vo",)


def test_file_that_was_always_empty_maps_nobody(path: Path) -> None:
    path.write_bytes(b"")
    snapshot = load_map_file(path, clock)
    assert not snapshot.refresh()
    assert snapshot.last_error is None
    assert snapshot.current.value.entries == ()


def test_empty_file_that_is_touched_is_no_error(path: Path) -> None:
    path.write_bytes(b"")
    snapshot = load_map_file(path, clock)
    os.utime(path, (1, 1))
    assert not snapshot.refresh()
    assert snapshot.last_error is None


def test_file_of_the_same_size_and_time_put_in_its_place_is_noticed(path: Path) -> None:
    snapshot = load_map_file(path, clock)
    status = path.stat()
    other = path.with_name("other")
    other.write_text('"/vo" .xx\n', encoding="utf-8")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert snapshot.refresh()
    assert snapshot.current.value.entries[0].targets == (".xx",)


def test_line_that_matches_nobody_is_logged_once_per_version(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text('"/vo*" .vo\n', encoding="utf-8")
    snapshot = load_map_file(path, clock)
    snapshot.refresh()
    [message] = caplog.messages
    assert message.startswith(f"{path}: line 1 matches nobody: ")


def test_first_version_is_not_waited_for(path: Path) -> None:
    writer = Writer(path)
    load_map_file(path, writer.clock, writer.sleep)
    assert writer.waits == 0


def test_file_that_grows_while_it_is_read_is_taken_when_it_is_whole(path: Path) -> None:
    writer = Writer(path, '"/b" .b\n', '"/c" .c\n')
    snapshot = load_map_file(path, writer.clock, writer.sleep)
    path.write_text('"/a" .a\n', encoding="utf-8")
    assert snapshot.refresh()
    assert [entry.targets for entry in snapshot.current.value.entries] == [(".a",), (".b",), (".c",)]
    assert writer.waits == 3


def test_file_that_does_not_stop_growing_is_left_for_the_next_time(path: Path) -> None:
    writer = Writer(path, *(f'"/vo{number}" .vo\n' for number in range(9)))
    snapshot = load_map_file(path, writer.clock, writer.sleep)
    path.write_text('"/a" .a\n', encoding="utf-8")
    assert not snapshot.refresh()
    assert isinstance(snapshot.last_error, MapFileInMotion)
    assert snapshot.current.value.entries[0].targets == (".vo",)
