from pathlib import Path

import pytest

from argus_py.store.whole_file import replace_file, replacing


def test_the_file_has_the_content_and_the_mode(tmp_path: Path) -> None:
    replace_file(tmp_path / "x", b"new", 0o640)
    assert (tmp_path / "x").read_bytes() == b"new"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    replace_file(tmp_path / "link", b"new", 0o644)
    assert (tmp_path / "target").read_bytes() == b"old"
    assert not (tmp_path / "link").is_symlink()


def test_what_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_bytes(b"old")
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "folder", b"new", 0o644)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_block_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    def interrupted() -> None:
        with replacing(tmp_path / "x", 0o644) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
