import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_py.store.ban_map import (
    BanEntry,
    BanMapUnavailable,
    EmptyBanMap,
    UnwritableBan,
    literal_pattern,
    parse_ban_map,
    read_ban_map,
    write_ban_map,
)
from argus_py.worker.map_file import MapFileError

ALICE = "/DC=org/DC=argus-test/CN=Alice Adams"


def test_entries_are_written_in_quotes_below_the_comment(tmp_path: Path) -> None:
    file = tmp_path / "ban_users.db"
    write_ban_map(file, [ALICE, "/dteam/Role=x"], ["PAP host: pap.example.org, alias: default"])
    assert file.read_text() == f'# PAP host: pap.example.org, alias: default\n"{ALICE}"\n"/dteam/Role=x"\n'


def test_the_file_can_be_read_by_everybody_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "ban_users.db"
    write_ban_map(file, [ALICE])
    assert file.stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["ban_users.db"]


def test_entries_are_read_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "ban_users.db"
    file.write_text(f'# central list\n\n  "{ALICE}" nobody\n/dteam/Role=x # since May\r\n')
    assert read_ban_map(file) == (BanEntry(3, ALICE), BanEntry(4, "/dteam/Role=x"))


@pytest.mark.parametrize("line", ["/CN=Alice Adams", '"/CN=Alice', '""', "'/CN=A B'", '/CN=A"'])
def test_a_line_that_cannot_be_read_refuses_the_file_by_its_number(line: str) -> None:
    with pytest.raises(MapFileError) as refusal:
        parse_ban_map(f'"{ALICE}"\n{line}\n', "bans")
    assert (refusal.value.file, refusal.value.line) == ("bans", 2)


def test_a_missing_file_is_not_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(BanMapUnavailable):
        read_ban_map(tmp_path / "none")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BanMapUnavailable, match="regular"):
        read_ban_map(tmp_path / "pipe")


def test_an_empty_list_does_not_replace_entries(tmp_path: Path) -> None:
    file = tmp_path / "ban_users.db"
    write_ban_map(file, [ALICE])
    with pytest.raises(EmptyBanMap):
        write_ban_map(file, [])
    assert [entry.pattern for entry in read_ban_map(file)] == [ALICE]


def test_an_empty_list_does_not_replace_what_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "ban_users.db"
    file.write_text("/CN=Alice Adams\n")
    with pytest.raises(EmptyBanMap):
        write_ban_map(file, [])


def test_an_empty_list_that_is_known_to_be_the_truth_is_written(tmp_path: Path) -> None:
    file = tmp_path / "ban_users.db"
    write_ban_map(file, [ALICE])
    write_ban_map(file, [], ["nobody is banned"], may_be_empty=True)
    assert file.read_text() == "# nobody is banned\n"


def test_the_first_list_may_be_empty(tmp_path: Path) -> None:
    write_ban_map(tmp_path / "ban_users.db", [])
    assert read_ban_map(tmp_path / "ban_users.db") == ()


@pytest.mark.parametrize(
    "entry", ["", "  ", "/CN=two\nlines", "/CN=\x00", "/CN=x\\", '/CN=x\\"', f"/CN={'x' * 20_000}"]
)
def test_a_ban_that_no_line_can_hold_keeps_the_old_file(tmp_path: Path, entry: str) -> None:
    file = tmp_path / "ban_users.db"
    write_ban_map(file, [ALICE])
    with pytest.raises(UnwritableBan):
        write_ban_map(file, ["/CN=B", entry])
    assert [each.pattern for each in read_ban_map(file)] == [ALICE]


def test_a_comment_cannot_smuggle_in_a_line(tmp_path: Path) -> None:
    write_ban_map(tmp_path / "bans", [ALICE], ['x\n"/CN=B"'])
    assert [each.pattern for each in read_ban_map(tmp_path / "bans")] == [ALICE]


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(BanMapUnavailable, match="No such file"):
        write_ban_map(tmp_path / "none" / "bans", [ALICE])


def test_what_a_file_reads_in_its_own_way_becomes_one_letter_of_any_kind() -> None:
    assert literal_pattern('/CN=a*?[b]\\"\n\x00') == "/CN=a???b]????"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map("/CN={}".format), min_size=1))
def test_what_is_written_of_literal_texts_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    file = tmp_path_factory.mktemp("bans") / "bans"
    patterns = [literal_pattern(text) for text in texts]
    write_ban_map(file, patterns)
    assert [entry.pattern for entry in read_ban_map(file)] == patterns


@given(st.text())
def test_any_text_is_a_list_or_a_typed_error(text: str) -> None:
    try:
        parse_ban_map(text, "bans")
    except MapFileError:
        return
