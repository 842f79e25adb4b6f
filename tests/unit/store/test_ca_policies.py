from pathlib import Path

import pytest

from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.store.ca_policies import InfoFiles

A, B = (DistinguishedName.parse_slash(f"/CN={letter}") for letter in "ab")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "a.info").write_text('subjectdn = "/CN=a"')
    (tmp_path / "b.info").write_text('subjectdn = "/CN=b", file:a.info')
    (tmp_path / "b.pem").write_text("not looked at")
    return tmp_path


def test_every_file_has_its_cas_and_those_of_the_files_it_refers_to(directory: Path) -> None:
    loaded = InfoFiles(directory).load()
    assert loaded.by_name == {"a": {A}, "b": {A, B}}
    assert loaded.problems == ()


def test_files_elsewhere_count_through_references_alone(
    directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "external"
    elsewhere.write_text('subjectdn = "/CN=b"')
    (directory / "a.info").write_text(f"subjectdn = file:{elsewhere}")
    assert InfoFiles(directory).load().by_name == {"a": {B}, "b": {B}}


def test_files_may_refer_to_each_other(directory: Path) -> None:
    (directory / "a.info").write_text('subjectdn = "/CN=a", file:b.info')
    assert InfoFiles(directory).load().by_name == {"a": {A, B}, "b": {A, B}}


def test_a_file_that_was_never_good_is_left_out_and_told(directory: Path) -> None:
    (directory / "a.info").write_text("alias = x")
    (directory / "c.info").write_text("subjectdn = file:missing.info")
    loaded = InfoFiles(directory).load()
    assert loaded.by_name == {"b": {B}, "c": frozenset()}
    assert [str(problem) for problem in loaded.problems] == [
        "a.info: No or empty subjectdn key found",
        "missing.info: missing, or a link that leads nowhere",
    ]


def test_a_change_is_seen_and_a_file_that_turns_bad_keeps_its_content(directory: Path) -> None:
    files = InfoFiles(directory)
    before = files.load()
    (directory / "a.info").write_text("nonsense")
    files.distrust_versions()
    after = files.load()
    assert after.by_name == before.by_name
    assert [problem.file for problem in after.problems] == ["a.info"]
    (directory / "a.info").write_text('subjectdn = "/CN=b"')
    assert files.load().by_name == {"a": {B}, "b": {B}}


def test_a_directory_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"trust directory .*/nowhere cannot be read: No such file"):
        InfoFiles(tmp_path / "nowhere").load()
