import fcntl
import os
import stat
from pathlib import Path

import pytest

from argus_py.store.proxy_files import UnusableFile, read_proxy_file, write_proxy_file
from argus_py.worker.glexec_conf import Lock

ME = os.geteuid()
LOCKS = list(Lock)


def no_sleep(_seconds: float) -> None:
    pass


@pytest.fixture
def proxy(tmp_path: Path) -> Path:
    file = tmp_path / "proxy"
    file.touch(mode=0o600)
    file.write_bytes(b"content")
    return file


def refusal(path: Path | str, owner: int = ME, lock: Lock = Lock.FLOCK, max_octets: int = 100) -> str:
    with pytest.raises(UnusableFile) as refused:
        read_proxy_file(str(path), owner, lock, max_octets, no_sleep)
    assert refused.value.path == str(path)
    return refused.value.reason


@pytest.mark.parametrize("lock", LOCKS)
def test_file_of_the_caller_is_read(proxy: Path, lock: Lock) -> None:
    assert read_proxy_file(str(proxy), ME, lock, 100) == b"content"


def test_file_of_others_or_open_to_others_is_refused(proxy: Path, tmp_path: Path) -> None:
    assert refusal(proxy, owner=ME + 1) == f"it belongs to the user {ME}, not to {ME + 1}"
    assert refusal(proxy, max_octets=3) == "it is longer than 3 octets"
    for mode in (0o640, 0o604, 0o610, 0o601):
        proxy.chmod(mode)
        assert refusal(proxy) == f"others have access to it (mode {mode:04o})"
    assert refusal(tmp_path) == "Is a directory"
    assert refusal("proxy") == "it is no absolute path of a file"
    assert refusal("/nonexistent/proxy") == "No such file or directory"
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refusal(tmp_path / "pipe") == "it is not a regular file"


def test_file_that_is_being_written_is_waited_for_but_not_for_ever(proxy: Path) -> None:
    with proxy.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "holds a lock" in refusal(proxy)
        assert read_proxy_file(str(proxy), ME, Lock.DISABLED, 100) == b"content"

        def release(_seconds: float) -> None:
            fcntl.flock(other, fcntl.LOCK_UN)

        assert read_proxy_file(str(proxy), ME, Lock.FLOCK, 100, release) == b"content"


def test_copy_takes_the_place_of_what_was_there(proxy: Path) -> None:
    before = proxy.stat().st_ino
    write_proxy_file(str(proxy), b"new")
    assert proxy.read_bytes() == b"new"
    assert proxy.stat().st_ino != before
    assert stat.S_IMODE(proxy.stat().st_mode) == 0o600
    assert [path.name for path in proxy.parent.iterdir()] == ["proxy"]


def test_copy_replaces_a_link_and_does_not_follow_it(proxy: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(proxy)
    write_proxy_file(str(link), b"new")
    assert (proxy.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"content", b"new", False)


def test_place_that_takes_no_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)
    for path in (tmp_path / "folder", tmp_path / "missing" / "proxy", "relative", "/"):
        with pytest.raises(UnusableFile):
            write_proxy_file(str(path), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
