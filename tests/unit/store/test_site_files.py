import os
import stat
from pathlib import Path

import pytest

from argus_py.store.site_files import UntrustedFile, check_trust_directory, read_site_file

ME = os.geteuid()


def owners_above(path: Path) -> frozenset[int]:
    return frozenset({0, ME, *(each.stat().st_uid for each in path.parents if each.exists())})


def foreign_write_above(path: Path) -> bool:
    return any(each.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) for each in path.parents)


def refusal(path: Path | str, max_octets: int = 100) -> UntrustedFile:
    with pytest.raises(UntrustedFile) as refused:
        read_site_file(str(path), owners_above(Path(path)), max_octets)
    return refused.value


def test_folder_that_others_can_write_is_refused_wherever_it_is_on_the_way(tmp_path: Path) -> None:
    file = tmp_path / "below" / "glexec.conf"
    file.parent.mkdir()
    file.write_text("x")
    file.parent.chmod(0o777)
    refused = refusal(file)
    assert "can be written by others" in refused.reason
    assert refused.culprit in map(str, file.parents)


def test_folder_for_temporary_files_is_no_place_for_configuration(tmp_path: Path) -> None:
    """Sticky or not: who can make a file there can make a folder of the name that is missing."""
    file = tmp_path / "glexec.conf"
    file.write_text("x")
    if foreign_write_above(file):
        assert "can be written by others" in refusal(file).reason
    else:
        assert read_site_file(str(file), owners_above(file), 100) == b"x"


def test_folder_of_cas_that_everybody_can_write_is_refused(tmp_path: Path) -> None:
    check_trust_directory(str(tmp_path))
    check_trust_directory("/nonexistent")
    tmp_path.chmod(0o1777)
    with pytest.raises(UntrustedFile, match=r"can be written by everybody \(mode 1777\)"):
        check_trust_directory(str(tmp_path))


def test_what_is_missing_relative_or_no_file_is_refused() -> None:
    assert refusal("glexec.conf").reason == "it is no absolute path"
    assert refusal("/nonexistent/glexec.conf").reason == "No such file or directory"
    assert refusal("/dev/null").reason == "it is not a regular file"


def test_file_of_the_system_is_read_and_only_by_its_owners() -> None:
    assert read_site_file("/etc/passwd", {0}, 1 << 20)
    with pytest.raises(UntrustedFile, match=r"belongs to the user 0"):
        read_site_file("/etc/passwd", {4242}, 1 << 20)
    with pytest.raises(UntrustedFile, match="longer than 3 octets"):
        read_site_file("/etc/passwd", {0}, 3)
