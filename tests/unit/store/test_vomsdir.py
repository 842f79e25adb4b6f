import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from argus_py.credentials.trust import Problem
from argus_py.errors import ConfigurationError
from argus_py.store.vomsdir import VomsDirectory, load_voms_trust

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
HOST = "voms.argus-test.org"
NOBODY = 65534


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GRID / "vomsdir", tmp_path / "vomsdir"))


def test_lsc_files_are_found_by_vo_and_host() -> None:
    voms = load_voms_trust(GRID / "vomsdir")
    assert voms.problems == ()
    file = voms.lsc_file("dteam", HOST)
    assert file is not None
    ((subject, issuer),) = file.chains[0]
    assert subject.slash() == f"/DC=org/DC=argus-test/OU=Hosts/CN={HOST}"
    assert issuer.slash() == "/DC=org/DC=argus-test/CN=Argus Test CA"
    assert voms.lsc_file("dteam", "voms2.argus-test.org") is None
    assert voms.lsc_file("DTEAM", HOST) is None


def test_certificates_belong_to_their_vo_or_to_all(directory: Path) -> None:
    shutil.copy(directory / "pemvo" / "voms3.argus-test.org.pem", directory / "any.pem")
    assert [certificate.vo for certificate in load_voms_trust(directory).certificates] == [None, "pemvo"]


def test_other_files_are_not_looked_at(directory: Path) -> None:
    before = load_voms_trust(directory)
    (directory / "dteam" / "notes.txt").write_text("damaged")
    (directory / f"{HOST}.lsc").write_text("an LSC file outside of a VO")
    assert load_voms_trust(directory) == before


def test_a_damaged_lsc_file_closes_its_server_and_is_told(directory: Path) -> None:
    (directory / "dteam" / f"{HOST}.lsc").write_text("/CN=only the server")
    voms = load_voms_trust(directory)
    assert [problem.file for problem in voms.problems] == [f"dteam/{HOST}.lsc"]
    file = voms.lsc_file("dteam", HOST)
    assert file is not None
    assert file.chains == ()
    assert file.problem == voms.problems[0]
    other = voms.lsc_file("ops", HOST)
    assert other is not None
    assert other.problem is None


def test_a_damaged_certificate_is_told(directory: Path) -> None:
    (directory / "pemvo" / "voms3.argus-test.org.pem").write_text("damaged")
    voms = load_voms_trust(directory)
    assert voms.certificates == ()
    assert [problem.file for problem in voms.problems] == ["pemvo/voms3.argus-test.org.pem"]


def test_a_file_that_turns_bad_keeps_its_last_good_content(directory: Path) -> None:
    voms_directory = VomsDirectory(directory)
    before = voms_directory.load()
    (directory / "dteam" / f"{HOST}.lsc").write_text("damaged")
    (directory / "pemvo" / "voms3.argus-test.org.pem").write_text("damaged")
    after = voms_directory.load()
    assert len(after.problems) == 2
    assert (after.lsc_files, after.certificates) == (before.lsc_files, before.certificates)


def test_an_unchanged_directory_gives_an_equal_value(directory: Path) -> None:
    voms_directory = VomsDirectory(directory)
    assert voms_directory.load() == voms_directory.load() == load_voms_trust(directory)


def test_a_file_that_is_gone_is_forgotten(directory: Path) -> None:
    voms_directory = VomsDirectory(directory)
    voms_directory.load()
    (directory / "dteam" / f"{HOST}.lsc").unlink()
    assert voms_directory.load().lsc_file("dteam", HOST) is None


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"VOMS directory .*/missing cannot be read: No such file"):
        load_voms_trust(tmp_path / "missing")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory of our own, and no right to look where permissions forbid it; root has that right."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    directory = Path(shutil.copytree(GRID / "vomsdir", folder / "vomsdir"))
    if user == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield directory
    finally:
        os.seteuid(user)
        for vo in directory.iterdir():
            vo.chmod(0o700)
        shutil.rmtree(folder)


def test_the_directory_of_a_vo_that_cannot_be_listed_is_a_problem_of_this_vo(unprivileged: Path) -> None:
    before = load_voms_trust(unprivileged)
    (unprivileged / "dteam").chmod(0)
    voms = load_voms_trust(unprivileged)
    assert [str(problem) for problem in voms.problems] == ["dteam: cannot be listed: Permission denied"]
    assert voms.lsc_file("dteam", HOST) is None
    assert voms.lsc_file("ops", HOST) == before.lsc_file("ops", HOST)


def test_the_directory_of_a_vo_that_cannot_be_listed_any_more_keeps_its_content(unprivileged: Path) -> None:
    voms_directory = VomsDirectory(unprivileged)
    before = voms_directory.load()
    (unprivileged / "dteam").chmod(0)
    for _ in range(2):
        after = voms_directory.load()
        assert after.problems[0] == Problem("dteam", "cannot be listed: Permission denied")
        assert after.lsc_files == before.lsc_files
    (unprivileged / "dteam").chmod(0o700)
    assert voms_directory.load() == before


def test_its_contents_are_counted() -> None:
    voms = load_voms_trust(GRID / "vomsdir")
    assert voms.contents() == f"{len(voms.lsc_files)} LSC files, 1 server certificates"


def test_distrusted_versions_are_read_to_the_same_value(directory: Path) -> None:
    voms_directory = VomsDirectory(directory)
    before = voms_directory.load()
    voms_directory.distrust_versions()
    assert voms_directory.load() == before
