"""The last good policy of a PDP in a file: whole or not at all."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.store.policy_file import KeptPolicy, PolicyFile, PolicyNotKept, UnusablePolicyFile
from argus_py.xacml.policy_xml import read_policy_set

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DOCUMENT = (Path(__file__).parents[2] / "vectors" / "soap" / "pdp" / "policies" / "ce-site.xml").read_bytes()
DIGEST = "as the PAP wrote it"
PAP = "https://pap.example.org:8150/pap/services/ProvisioningService"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last-good-policy"


def test_what_is_kept_is_read_with_its_source_and_time(path: Path) -> None:
    PolicyFile(path).write(DOCUMENT, DIGEST, PAP, NOW)
    assert PolicyFile(path).read() == KeptPolicy(read_policy_set(DOCUMENT), DIGEST, PAP, NOW)


def test_nothing_is_read_from_no_file(path: Path) -> None:
    assert PolicyFile(path).read() is None


def test_it_is_for_the_user_of_the_daemon_alone(path: Path) -> None:
    PolicyFile(path).write(DOCUMENT, DIGEST, PAP, NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_confirmation_is_kept(path: Path) -> None:
    file = PolicyFile(path)
    file.write(DOCUMENT, DIGEST, PAP, NOW)
    file.confirm(NOW + timedelta(hours=1))
    kept = file.read()
    assert kept is not None
    assert kept.confirmed_at == NOW + timedelta(hours=1)


def test_where_nothing_can_be_written_the_old_one_stays(tmp_path: Path) -> None:
    file = PolicyFile(tmp_path / "missing" / "policy")
    with pytest.raises(PolicyNotKept, match=r"missing/policy cannot be written: No such file or directory"):
        file.write(DOCUMENT, DIGEST, PAP, NOW)
    with pytest.raises(PolicyNotKept):
        file.confirm(NOW)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "its first line cannot be read"),
        (b"[" * 5000, "its first line cannot be read"),
        (DOCUMENT, "its first line cannot be read"),
        (b"{}\n" + DOCUMENT, "its first line is not that of a kept policy"),
        (b'{"format": 2}\n' + DOCUMENT, "its first line is not that of a kept policy"),
        (b'{"format": 1, "source": "s"}\n' + DOCUMENT, "its first line lacks source or digest"),
        (
            b'{"format": 1, "source": "s", "digest": "d", "sha256": "00"}\n' + DOCUMENT,
            "its content does not have the digest",
        ),
    ],
)
def test_a_file_of_another_kind_is_told_by_its_name(content: bytes, reason: str, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(UnusablePolicyFile, match=f"^last good policy {path}: {reason}"):
        PolicyFile(path).read()


def test_a_document_that_is_no_policy_is_refused(path: Path) -> None:
    PolicyFile(path).write(b"<html/>", DIGEST, PAP, NOW)
    with pytest.raises(UnusablePolicyFile):
        PolicyFile(path).read()


def test_a_directory_is_no_file(path: Path) -> None:
    path.mkdir()
    with pytest.raises(UnusablePolicyFile, match="Is a directory"):
        PolicyFile(path).read()


def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(UnusablePolicyFile, match="it is not a regular file"):
        PolicyFile(path).read()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_may_have_written_is_not_used(mode: int, path: Path) -> None:
    PolicyFile(path).write(DOCUMENT, DIGEST, PAP, NOW)
    path.chmod(mode)
    with pytest.raises(UnusablePolicyFile, match="others than the user of the daemon may write it"):
        PolicyFile(path).read()


def test_the_file_of_another_pdp_is_not_made_younger(path: Path) -> None:
    ours, other = PolicyFile(path), PolicyFile(path)
    ours.write(DOCUMENT, DIGEST, PAP, NOW)
    other.write(DOCUMENT, DIGEST, "https://elsewhere.example.org", NOW)
    with pytest.raises(PolicyNotKept, match="it is not the file that was written here"):
        ours.confirm(NOW + timedelta(hours=1))
    kept = ours.read()
    assert kept is not None
    assert kept.confirmed_at == NOW


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_file_is_never_half_used(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("kept") / "policy"
    PolicyFile(path).write(DOCUMENT, DIGEST, PAP, NOW)
    octets = path.read_bytes()
    start = octets.index(b"\n") + 1
    at = data.draw(st.integers(start, len(octets) - 1))
    damaged = data.draw(
        st.sampled_from([octets[:at], octets[:at] + b"X" + octets[at:], octets[:at] + octets[at + 1 :]])
    )
    path.write_bytes(damaged)
    with pytest.raises(UnusablePolicyFile):
        PolicyFile(path).read()
