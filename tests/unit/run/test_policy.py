"""The policy of a PDP: what came of a refresh, how old it is, what is kept, who is told."""

import asyncio
import hashlib
import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argus_py.errors import Unavailable
from argus_py.model.policy_news import News
from argus_py.pdp.ports import PolicyTooOld
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.policy import LimitedAge, PolicyRefresh
from argus_py.store.policy_file import PolicyFile
from argus_py.xacml.policy import Combining, PolicySet
from argus_py.xacml.policy_xml import write_policy_set

FIRST, SECOND = "https://pap1.example.org/pap", "https://pap2.example.org/pap"


def policy(id: str) -> PolicySet:
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE)


def digest(root: PolicySet) -> str:
    return hashlib.sha256(write_policy_set(root)).hexdigest()


class Pdp:
    """A PDP whose PAP has a policy, or none."""

    def __init__(self, file: Path | None = None) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self.pap: PolicySet | None = None
        self.url = FIRST
        snapshot = policy_snapshot(self, lambda: self.now)
        kept = PolicyFile(file) if file else None
        self.octets: str | None = None
        self.refresh = PolicyRefresh(snapshot, lambda: self.url, kept, lambda: self.now, lambda: self.octets)

    def fetch(self) -> PolicySet:
        if self.pap is None:
            raise Unavailable("no PAP answers")
        return self.pap

    def wait(self, time: timedelta) -> None:
        self.now += time

    @property
    def status(self) -> dict[str, str]:
        return dict(self.refresh.lines())

    @property
    def announced(self) -> News | None:
        return asyncio.run(self.refresh.feed.after(""))


@pytest.fixture
def pdp() -> Pdp:
    return Pdp()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "last-good"


def test_the_status_tells_what_is_in_force_whose_it_is_and_since_when(pdp: Pdp) -> None:
    assert "PolicyDigest" not in pdp.status
    pdp.pap = policy("a")
    assert pdp.refresh()
    pdp.wait(timedelta(minutes=1))
    assert pdp.status == {
        "PolicyLoadTime": "2026-11-24T12:00:00.000Z",
        "PolicyLoadTimeMillis": "1795521600000",
        "CurrentPolicy": "a",
        "CurrentPolicyVersion": "1",
        "PolicyDigest": digest(policy("a")),
        "PolicySource": FIRST,
        "PolicyAgeSeconds": "60",
    }
    pdp.pap = None
    assert not pdp.refresh()
    assert pdp.status["PolicyAgeSeconds"] == "60"
    assert pdp.status["LastRefreshError"] == "no PAP answers"


def test_a_policy_that_is_found_unchanged_is_young_again(pdp: Pdp) -> None:
    pdp.pap = policy("a")
    pdp.refresh()
    pdp.wait(timedelta(hours=1))
    pdp.url = SECOND
    assert pdp.refresh()
    assert (pdp.status["PolicyAgeSeconds"], pdp.status["PolicySource"]) == ("0", SECOND)
    assert pdp.status["PolicyLoadTime"] == "2026-11-24T12:00:00.000Z"


def test_only_the_pap_that_gave_it_confirms_a_policy(pdp: Pdp) -> None:
    pdp.refresh.confirm(FIRST)
    pdp.pap = policy("a")
    pdp.refresh()
    pdp.wait(timedelta(minutes=1))
    pdp.refresh.confirm(SECOND)
    assert pdp.refresh.age == timedelta(minutes=1)
    pdp.refresh.confirm(FIRST)
    assert pdp.refresh.age == timedelta()


def test_a_pap_of_which_the_policy_could_not_be_fetched_confirms_nothing(pdp: Pdp) -> None:
    pdp.pap = policy("a")
    pdp.refresh()
    pdp.pap = None
    pdp.refresh()
    pdp.wait(timedelta(minutes=1))
    pdp.refresh.confirm(FIRST)
    assert pdp.refresh.age == timedelta(minutes=1)


def test_a_new_policy_is_announced_by_its_digest(pdp: Pdp) -> None:
    for name in ("a", "b"):
        pdp.pap = policy(name)
        pdp.refresh()
        assert pdp.announced == News(digest(policy(name)))


def test_a_policy_that_came_in_octets_is_known_by_their_digest(pdp: Pdp) -> None:
    pdp.pap = policy("a")
    for pdp.octets in ("a1", "a2"):  # another PAP may write the same policy in another way
        pdp.refresh()
        assert (pdp.announced, pdp.status["PolicyDigest"]) == (News(pdp.octets), pdp.octets)
    assert pdp.refresh.policy.current.number == 1


def test_an_old_policy_stops_being_usable(pdp: Pdp) -> None:
    limited, unlimited = LimitedAge(pdp.refresh, timedelta(minutes=30)), LimitedAge(pdp.refresh, None)
    with pytest.raises(Unavailable, match="no policy has been loaded yet"):
        _ = limited.current
    pdp.pap = policy("a")
    pdp.refresh()
    pdp.wait(timedelta(minutes=30))
    assert limited.current.value.root == policy("a")
    pdp.wait(timedelta(minutes=1))
    with pytest.raises(PolicyTooOld, match=r"^the policy is 31 minutes old, and may be used for 30$"):
        _ = limited.current
    assert unlimited.current.value.root == policy("a")
    pdp.refresh()
    assert limited.current.value.root == policy("a")


def test_attempts_after_a_failure_come_at_growing_intervals(pdp: Pdp) -> None:
    pdp.refresh()
    pauses = [pdp.refresh.retry().total_seconds() for _ in range(8)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    pdp.pap = policy("a")
    assert pdp.refresh.retry() == timedelta(seconds=1)
    assert pdp.status["CurrentPolicy"] == "a"
    pdp.pap = policy("b")
    pdp.refresh.retry()
    assert pdp.status["CurrentPolicy"] == "a"  # what has not failed is left to others
    pdp.pap = None
    pdp.refresh()
    assert pdp.refresh.retry() == timedelta(seconds=1)


def test_a_lasting_failure_is_logged_once(pdp: Pdp, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        pdp.refresh()
    text = "Error refreshing policy from remote PAP, continuing to use existing policy. no PAP answers"
    assert caplog.messages == [text]


def test_a_good_policy_is_used_at_the_next_start_while_no_pap_answers(file: Path) -> None:
    before = Pdp(file)
    before.pap = policy("a")
    before.refresh()
    before.wait(timedelta(minutes=10))
    before.refresh.confirm(FIRST)

    after = Pdp(file)
    after.wait(timedelta(minutes=15))
    after.url = SECOND
    after.refresh()
    after.refresh.restore()
    assert after.refresh.policy.current.value.root == policy("a")
    assert after.status["LastRefreshError"] == "no PAP answers"
    assert (after.status["PolicySource"], after.status["PolicyAgeSeconds"]) == (FIRST, "300")
    assert after.announced == News(digest(policy("a")))
    after.pap = policy("a")
    assert after.refresh.retry() == timedelta(seconds=1)
    assert (after.status["PolicySource"], after.status["PolicyAgeSeconds"]) == (SECOND, "0")


def test_a_kept_policy_is_known_by_the_digest_that_it_had_before(file: Path) -> None:
    before, after = Pdp(file), Pdp(file)
    before.pap, before.octets = policy("a"), "a1"
    before.refresh()
    after.refresh.restore()
    assert after.announced == News("a1")


def test_a_kept_policy_from_the_future_grows_old_from_the_start_on(file: Path) -> None:
    before = Pdp(file)
    before.wait(timedelta(days=1))
    before.pap = policy("a")
    before.refresh()
    after = Pdp(file)
    after.refresh.restore()
    after.wait(timedelta(minutes=5))
    assert after.refresh.age == timedelta(minutes=5)


def test_two_pdps_with_one_file_do_not_pass_off_the_policy_of_the_other_as_confirmed(file: Path) -> None:
    one, two = Pdp(file), Pdp(file)
    for pdp, name in ((one, "a"), (two, "b")):
        pdp.pap = policy(name)
        pdp.refresh()
    one.wait(timedelta(hours=1))
    one.refresh.confirm(FIRST)
    kept = PolicyFile(file).read()
    assert kept is not None
    assert (kept.root, kept.confirmed_at) == (policy("a"), one.now)


def test_a_kept_policy_is_not_used_when_a_pap_answers(file: Path) -> None:
    before = Pdp(file)
    before.pap = policy("a")
    before.refresh()
    after = Pdp(file)
    after.pap = policy("b")
    after.refresh()
    after.refresh.restore()
    assert after.refresh.policy.current.value.root == policy("b")


def test_a_damaged_kept_policy_is_told_and_not_used(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text("damaged")
    pdp = Pdp(file)
    pdp.refresh.restore()
    assert not pdp.refresh.policy.ready
    assert caplog.messages == [
        f"last good policy {file}: its first line cannot be read: Expecting value: line 1 column 1 (char 0)"
    ]


def test_nothing_is_restored_where_nothing_was_kept(pdp: Pdp, file: Path) -> None:
    for each in (pdp, Pdp(file)):
        each.refresh.restore()
        assert not each.refresh.policy.ready


def test_a_file_that_cannot_be_written_is_told_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pdp = Pdp(tmp_path / "missing" / "file")
    pdp.pap = policy("a")
    assert pdp.refresh()
    assert pdp.refresh()
    problem = f"last good policy {tmp_path}/missing/file cannot be written: No such file or directory"
    assert pdp.status["Problem"] == problem
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [problem]
    (tmp_path / "missing").mkdir()
    pdp.refresh()
    assert "Problem" not in pdp.status
    assert (tmp_path / "missing" / "file").exists()


@contextmanager
def no_space() -> Iterator[None]:
    """Nothing can be written to any file, as on a disk that is full."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_an_old_policy_in_the_file_is_not_taken_for_a_new_one_that_could_not_be_written(file: Path) -> None:
    pdp = Pdp(file)
    pdp.pap = policy("a")
    pdp.refresh()
    pdp.wait(timedelta(hours=1))
    pdp.pap = policy("b")
    with no_space():
        pdp.refresh()
        pdp.refresh.confirm(FIRST)
    kept = PolicyFile(file).read()
    assert kept is not None
    assert (kept.root, kept.confirmed_at) == (policy("a"), pdp.now - timedelta(hours=1))
    pdp.refresh.confirm(FIRST)
    kept = PolicyFile(file).read()
    assert kept is not None
    assert (kept.root, kept.confirmed_at) == (policy("b"), pdp.now)


def test_a_file_that_was_taken_away_is_written_again(file: Path) -> None:
    pdp = Pdp(file)
    pdp.pap = policy("a")
    pdp.refresh()
    file.unlink()
    pdp.refresh.confirm(FIRST)
    assert PolicyFile(file).read() is not None


def test_the_operator_is_told_what_came_of_a_reload(pdp: Pdp) -> None:
    assert pdp.refresh.told() == "Policy NOT reloaded: no PAP answers\n"
    pdp.pap = policy("a")
    assert pdp.refresh.told() == "Policy reloaded: a, in force since 2026-11-24T12:00:00.000Z\n"
