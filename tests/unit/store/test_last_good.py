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
    assert files.read(path) == Reading(None, "the link leads nowhere")
    path.write_text("bad")
    assert files.read(path) == Reading(None, "it is bad")
    files.forget_all_but([path])
    files.read(path)
    assert parser.calls == 2
    files.forget_all_but([])
    files.read(path)
    assert parser.calls == 3
