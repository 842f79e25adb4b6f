import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from argus_py.errors import ConfigurationError
from argus_py.store.igtf import IgtfFiles

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GRID / "certificates", tmp_path / "certificates"))


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    return Path(shutil.copy(GRID / "vo-ca-ap-file", tmp_path))


@pytest.fixture
def files(directory: Path, accepted: Path) -> IgtfFiles:
    return IgtfFiles(directory, accepted)


def test_profiles_and_choice_are_one_value(files: IgtfFiles) -> None:
    loaded = files.load()
    assert [profile.alias for profile in loaded.profiles] == ["policy-igtf-classic", "policy-igtf-iota"]
    assert loaded.accepted.for_vo("atlas") == ("policy-igtf-classic", "policy-igtf-iota")
    assert loaded.problems == ()
    assert files.load() == loaded


def test_a_change_is_seen(files: IgtfFiles, directory: Path, accepted: Path) -> None:
    before = files.load()
    accepted.write_text("/cms file:policy-igtf-iota.info")
    (directory / "policy-igtf-iota.info").write_text("alias = policy-igtf-iota")
    after = files.load()
    assert after.accepted.for_vo("atlas") == ()
    assert [len(profile.cas) for profile in after.profiles] == [len(before.profiles[0].cas), 0]


def test_files_that_turn_bad_keep_their_last_good_content_and_are_told(
    files: IgtfFiles, directory: Path, accepted: Path
) -> None:
    before = files.load()
    accepted.write_text("/cms everything")
    (directory / "policy-igtf-iota.info").write_text("subjectdn =")
    files.distrust_versions()
    after = files.load()
    assert (after.profiles, after.accepted) == (before.profiles, before.accepted)
    assert [str(problem) for problem in after.problems] == [
        "policy-igtf-iota.info: Missing value for 'alias' property",
        "vo-ca-ap-file: line 1: Unrecognized VO-CA-AP policy: 'everything'",
    ]


def damage_profile(directory: Path, accepted: Path) -> None:
    (directory / "policy-igtf-mics.info").write_text("damaged")


def remove_profiles(directory: Path, accepted: Path) -> None:
    for file in directory.glob("policy-*.info"):
        file.unlink()


def remove_directory(directory: Path, accepted: Path) -> None:
    shutil.rmtree(directory)


def damage_choice(directory: Path, accepted: Path) -> None:
    accepted.write_text("damaged")


def remove_choice(directory: Path, accepted: Path) -> None:
    accepted.unlink()


def choose_another(directory: Path, accepted: Path) -> None:
    accepted.write_text("/cms file:policy-igtf-mics.info")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damage_profile, r"policy-igtf-mics.info: Missing value for 'alias' property"),
        (remove_profiles, r"no file policy-\*.info in "),
        (remove_directory, r"trust directory .* cannot be read: No such file"),
        (damage_choice, r"vo-ca-ap-file: line 1: Unsupported key in VO-CA-AP file: 'damaged'"),
        (remove_choice, r"vo-ca-ap-file: missing"),
        (choose_another, r"vo-ca-ap-file: Authentication profile file not found: policy-igtf-mics.info"),
    ],
)
def test_what_was_never_whole_is_an_error(
    files: IgtfFiles, directory: Path, accepted: Path, spoil: Callable[[Path, Path], None], reason: str
) -> None:
    spoil(directory, accepted)
    with pytest.raises(ConfigurationError, match=reason):
        files.load()


def test_a_profile_is_found_by_its_alias_and_else_by_its_file(
    files: IgtfFiles, directory: Path, accepted: Path
) -> None:
    (directory / "policy-igtf-iota.info").write_text("alias = iota")
    accepted.write_text("/cms file:policy-igtf-iota.info,file:iota.info")
    assert files.load().accepted.for_vo("cms") == ("iota",)
    (directory / "policy-other.info").write_text("alias = policy-igtf-iota")
    assert files.load().accepted.for_vo("cms") == ("policy-igtf-iota", "iota")


def test_only_an_info_file_is_found_by_its_name(directory: Path, accepted: Path) -> None:
    (directory / "policy-odd.text").write_text("alias = other")
    accepted.write_text("/cms file:policy-odd.info")
    with pytest.raises(ConfigurationError, match=r"file not found: policy-odd\.info"):
        IgtfFiles(directory, accepted, "policy-*").load()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("policy-igtf-classic.info", 1), ("policy-*c.info", 1), ("policy-igtf-(iota|classic).info", 2)],
)
def test_the_pattern_is_that_of_java(directory: Path, accepted: Path, pattern: str, found: int) -> None:
    (directory / "policy-igtf-classicXinfo").write_text("alias = other")
    accepted.write_text("/cms file:policy-igtf-classic.info")
    assert len(IgtfFiles(directory, accepted, pattern).load().profiles) == found


def test_a_pattern_that_is_none_is_an_error(directory: Path, accepted: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"the pattern policy-\( for files of profiles cannot be used"):
        IgtfFiles(directory, accepted, "policy-(")
