import os
from pathlib import Path

import pytest

from argus_py.errors import MalformedInput
from argus_py.store.last_good import LastGood, Reading


class Parser:
    """Text in capitals; refuses "bad". Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, octets: bytes) -> str:
        self.calls += 1
        if octets == b"bad":
            raise MalformedInput("it is bad")
        return octets.decode().upper()


@pytest.fixture
def parser() -> Parser:
    return Parser()


@pytest.fixture
def files(parser: Parser) -> LastGood[str]:
    return LastGood(parser, max_octets=10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("good")
    return path


def test_an_unchanged_file_is_parsed_once_good_or_bad(path: Path, files: LastGood[str], parser: Parser) -> None:
    assert files.read(path) == files.read(path) == Reading("GOOD")
    path.write_text("bad")
    assert files.read(path) == files.read(path) == Reading("GOOD", "it is bad")
    assert parser.calls == 2


def test_a_bad_version_keeps_the_good_one_until_the_next_good_one(path: Path, files: LastGood[str]) -> None:
    files.read(path)
    for bad, reason in (("bad", "it is bad"), ("eleven char", "more than 10 octets")):
        path.write_text(bad)
        assert files.read(path) == Reading("GOOD", reason)
    path.write_text("better")
    assert files.read(path) == Reading("BETTER")


def test_a_file_that_was_never_good_has_no_value(path: Path, files: LastGood[str]) -> None:
    path.write_text("bad")
    assert files.read(path) == Reading(None, "it is bad")


def test_what_is_no_file_any_more_keeps_its_content(path: Path, files: LastGood[str]) -> None:
    files.read(path)
    path.unlink()
    path.mkdir()
    assert files.read(path) == Reading("GOOD", "not a regular file")


def test_a_file_that_is_gone_or_forgotten_is_read_anew(path: Path, files: LastGood[str], parser: Parser) -> None:
    files.read(path)
    path.unlink()
    assert files.read(path) == Reading(None, "missing, or a link that leads nowhere")
    path.write_text("bad")
    assert files.read(path) == Reading(None, "it is bad")
    files.forget_all_but([path])
    files.read(path)
    assert parser.calls == 2
    files.forget_all_but([])
    files.read(path)
    assert parser.calls == 3


def test_the_same_octets_under_another_name_share_the_value(
    path: Path, files: LastGood[str], parser: Parser, tmp_path: Path
) -> None:
    link, copy = tmp_path / "link", tmp_path / "copy"
    link.symlink_to(path)
    copy.write_text("good")
    assert files.read(path).value is files.read(link).value is files.read(copy).value
    assert parser.calls == 1
    copy.write_text("bad")
    assert files.read(copy) == Reading("GOOD", "it is bad")
    assert files.read(path) == files.read(link) == Reading("GOOD")
    copy.write_text("good")
    assert files.read(copy) == Reading("GOOD")
    assert parser.calls == 2


class Clock:
    """So long after the last change of the file; is asked whenever the file is about to be opened."""

    def __init__(self, path: Path, age: int) -> None:
        self._path = path
        self._age = age
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self._path.stat().st_ctime_ns + self._age


@pytest.mark.parametrize(("age", "openings"), [(0, 2), (2_000_000_000, 2), (2_000_000_001, 1)])
def test_only_a_file_that_has_settled_is_taken_for_unchanged(
    path: Path, parser: Parser, age: int, openings: int
) -> None:
    clock = Clock(path, age)
    files = LastGood(parser, 10, clock)
    assert files.read(path) == files.read(path) == Reading("GOOD")
    assert clock.calls == openings
    assert parser.calls == 1


def test_a_change_that_keeps_size_and_time_of_modification_is_seen(path: Path, files: LastGood[str]) -> None:
    before = path.stat()
    files.read(path)
    path.write_text("evil")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files.read(path) == Reading("EVIL")


def test_distrusted_versions_are_read_and_only_what_differs_is_parsed(
    path: Path, files: LastGood[str], parser: Parser
) -> None:
    before = files.read(path)
    files.distrust_versions()
    after = files.read(path)
    assert after == before
    assert after.value is before.value
    assert parser.calls == 1
