"""The copies of remote PAPs: when they are fetched, what is told of them, and that none is in the way of another."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from argus_py.clients.changes import NoChangeFeed
from argus_py.clients.pap import PapFailed
from argus_py.errors import Unavailable
from argus_py.model.policy_news import News
from argus_py.pap.federation import Element
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote, RemoteState
from argus_py.pap.ports import PolicyWriter
from argus_py.pap.provisioning import public_elements
from argus_py.pap.take_up import POLL_INTERVAL
from argus_py.run.federation import Federation, Mirror, Peer
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import Combining, Policy, PolicySet, PolicySetIdReference

DEFAULT = Pap("default-1", "default", enabled=True, public=True)
CENTRAL = Pap("central-1", "central", enabled=True, remote=Remote("central.example.org"))
NGI = Pap("ngi-1", "ngi", remote=Remote("ngi.example.org"))
NOTE = Note("test", "test")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def answer(*resources: str) -> tuple[Element, ...]:
    first = Combining.POLICIES_FIRST_APPLICABLE
    root = PolicySet("root-x", first, tuple(map(PolicySetIdReference, resources)))
    return root, *(PolicySet(id, first) for id in resources)


UNUSABLE = (Policy("public_x", Combining.RULES_FIRST_APPLICABLE),)


@dataclass
class RemotePap:
    """Says what it is told to, by either way."""

    service: str = "https://central.example.org:8150/pap/services/ProvisioningService"
    has: tuple[Element, ...] | Exception = field(default_factory=lambda: answer("r"))
    news: News | Exception | None = None
    fetched: int = 0

    def fetch(self) -> tuple[Element, ...]:
        self.fetched += 1
        if isinstance(self.has, Exception):
            raise self.has
        return self.has

    def after(self, _known: str | None) -> News | None:
        if isinstance(self.news, Exception):
            raise self.news
        return self.news


UNREACHABLE = PapFailed("https://central.example.org", "refused: by somebody")


class OurPap:
    """With one remote pap, and a clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = NOON
        self.policies = MemoryPolicies()
        self.remote = RemotePap()
        with self.policies.change(NOTE) as writer:
            writer.add_pap(DEFAULT)
            writer.add_pap(CENTRAL)
        self.mirror = self.new_mirror()

    def new_mirror(self) -> Mirror:
        peer = Peer(self.remote, self.remote)
        return Mirror(
            CENTRAL, peer, self.policies, lambda: timedelta(hours=4), lambda: self.now, monotonic=self.monotonic
        )

    def monotonic(self) -> float:
        return self.now.timestamp()

    def wait(self, time: timedelta) -> None:
        self.now += time

    @property
    def resources(self) -> list[str]:
        with self.policies.read() as reader:
            return [resource.id for resource in reader.resources(CENTRAL)]

    @property
    def line(self) -> dict[str, str]:
        return dict(fact.split("=", 1) for fact in self.mirror.line().split("; ", 7))


@pytest.fixture
def pap() -> OurPap:
    return OurPap()


def test_a_copy_is_made_and_told_of(pap: OurPap) -> None:
    pap.mirror.refresh()
    pap.wait(timedelta(seconds=90))
    assert pap.resources == ["r"]
    assert pap.policies.remote_states() == {"central-1": RemoteState(NOON)}
    assert pap.line == {
        "alias": "central",
        "endpoint": "https://central.example.org:8150/pap/services/",
        "confirmedAt": "2026-11-24T12:00:00.000Z",
        "ageSeconds": "90",
        "quarantined": "false",
        "changes": "not heard from yet",
        "lastErrorAt": "-",
        "lastError": "-",
    }


def test_a_copy_that_was_never_made_has_no_age(pap: OurPap) -> None:
    assert (pap.line["confirmedAt"], pap.line["ageSeconds"]) == ("never", "-")


def test_of_two_processes_on_one_store_the_second_finds_nothing_to_change(pap: OurPap) -> None:
    other = pap.new_mirror()
    pap.mirror.refresh()
    before = pap.policies.revision()
    other.refresh()
    assert (pap.policies.revision(), other.state) == (before, RemoteState(NOON))


def test_the_last_good_copy_stays_while_the_remote_cannot_be_reached(pap: OurPap) -> None:
    pap.mirror.refresh()
    pap.wait(timedelta(minutes=5))
    pap.remote.has = UNREACHABLE
    with pytest.raises(PapFailed):
        pap.mirror.refresh()
    assert pap.resources == ["r"]
    state = RemoteState(NOON, NOON + timedelta(minutes=5), str(UNREACHABLE))
    assert pap.policies.remote_states() == {"central-1": state}
    assert (pap.line["ageSeconds"], pap.line["lastErrorAt"]) == ("300", "2026-11-24T12:05:00.000Z")


def test_an_unusable_answer_is_quarantined_until_it_is_good_again(pap: OurPap) -> None:
    pap.mirror.refresh()
    pap.remote.has = UNUSABLE
    assert pap.mirror.poll() == timedelta(seconds=1)
    assert pap.resources == ["r"]
    assert pap.mirror.state.quarantined
    assert pap.line["lastError"].startswith("Policy 'public_x': there is no PolicySet")
    pap.remote.has = answer("r", "s")
    pap.mirror.poll()
    assert pap.mirror.state == RemoteState(NOON)
    assert pap.resources == ["r", "s"]


def test_an_answer_without_elements_changes_nothing(pap: OurPap) -> None:
    pap.mirror.refresh()
    pap.remote.has = ()
    pap.mirror.refresh()
    assert (pap.resources, pap.mirror.state.reason) == (["r"], None)


def test_an_empty_root_empties_the_copy(pap: OurPap) -> None:
    pap.mirror.refresh()
    pap.remote.has = answer()
    pap.mirror.refresh()
    assert pap.resources == []


def test_attempts_after_a_failure_come_at_growing_intervals(pap: OurPap) -> None:
    pap.remote.has = UNREACHABLE
    pauses = [pap.mirror.poll().total_seconds() for _ in range(12)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    pap.remote.has = answer("r")
    assert pap.mirror.poll() == timedelta(hours=4)
    pap.remote.has = UNREACHABLE
    assert pap.mirror.poll() == timedelta(seconds=1)


def test_an_interval_of_nothing_keeps_nobody_busy(pap: OurPap) -> None:
    mirror = Mirror(CENTRAL, Peer(pap.remote, pap.remote), pap.policies, timedelta)
    assert mirror.poll() == timedelta(seconds=1)


def test_a_lasting_failure_is_logged_once(pap: OurPap, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "argus_py.run.federation")
    pap.remote.has = UNREACHABLE
    for _ in range(3):
        pap.mirror.poll()
    name = "central (https://central.example.org:8150/pap/services/)"
    assert caplog.messages == [f"Error connecting to {name}: {UNREACHABLE}"]
    caplog.clear()
    pap.remote.has = UNUSABLE
    for _ in range(3):
        pap.mirror.poll()
    (told,) = caplog.messages
    assert told.startswith(f"the policies of {name} are unusable, and the copy stays as it is: Policy 'public_x': ")
    caplog.clear()
    pap.remote.has = answer("r")
    pap.mirror.poll()
    assert caplog.messages == [f"the policies of {name} are taken up: 1 resources", f"{name}: all is well again"]


def test_what_was_known_before_a_start_is_known_after_it(pap: OurPap) -> None:
    pap.mirror.refresh()
    pap.mirror = pap.new_mirror()
    pap.wait(timedelta(hours=1))
    assert pap.line["ageSeconds"] == "3600"


def test_a_change_that_is_told_is_taken_up(pap: OurPap) -> None:
    pap.remote.news = News("1")
    pap.mirror.follower.step()
    assert pap.resources == ["r"]
    pap.remote.has, pap.remote.news = answer("r", "s"), News("2")
    pap.mirror.follower.step()
    assert pap.resources == ["r", "s"]
    assert pap.line["changes"] == "followed"


def test_a_remote_that_says_it_has_not_changed_makes_the_copy_young(pap: OurPap) -> None:
    pap.remote.news = News("1")
    pap.mirror.follower.step()
    pap.remote.news = None
    for seconds in (20, 70):
        pap.wait(timedelta(seconds=seconds))
        pap.mirror.follower.step()
        assert pap.line["ageSeconds"] == "0"
    assert pap.policies.remote_states()["central-1"] == RemoteState(NOON + timedelta(seconds=90))
    assert pap.remote.fetched == 1


def test_a_quarantined_copy_is_not_made_young_and_not_fetched_again_before_there_is_news(pap: OurPap) -> None:
    pap.remote.has, pap.remote.news = UNUSABLE, News("1")
    pap.mirror.follower.step()
    pap.remote.news = None
    pap.mirror.follower.step()
    assert pap.remote.fetched == 1
    assert (pap.mirror.state.confirmed_at, pap.mirror.state.quarantined) == (None, True)


def test_a_remote_that_could_not_be_fetched_is_to_tell_its_news_again(pap: OurPap) -> None:
    pap.remote.has, pap.remote.news = UNREACHABLE, News("1")
    pap.mirror.follower.step()
    assert pap.line["changes"] == "lost"


def test_a_java_pap_is_polled_alone(pap: OurPap) -> None:
    pap.remote.news = NoChangeFeed("https://central.example.org")
    assert pap.mirror.follower.step() == timedelta(minutes=5)
    assert pap.line["changes"] == "none, asked at intervals"


def test_resources_of_ours_that_come_back_are_left_out_and_told_once(
    pap: OurPap, caplog: pytest.LogCaptureFixture
) -> None:
    with pap.policies.change(NOTE) as writer:
        writer.store(DEFAULT, (PolicySet("mine", Combining.POLICIES_FIRST_APPLICABLE),))
    pap.remote.has = answer("mine", "r")
    for _ in range(2):
        pap.mirror.refresh()
    assert pap.resources == ["r"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "sends back 1 of our own resources" in caplog.text


def test_paps_that_copy_each_other_come_to_rest() -> None:
    """Each makes the copy of the other public."""
    a, b = OurPap(), OurPap()
    for ours, theirs, own in ((a, b, "a"), (b, a, "b")):
        with ours.policies.change(NOTE) as writer:
            writer.store(replace(CENTRAL, public=True), ())
            writer.store(DEFAULT, (PolicySet(own, Combining.POLICIES_FIRST_APPLICABLE),))
        theirs.remote.has = ()
    for _ in range(2):
        exchange(a, b)
    before = a.policies.revision(), b.policies.revision()
    exchange(a, b)
    assert (a.resources, b.resources) == (["b"], ["a"])
    assert (a.policies.revision(), b.policies.revision()) == before


def exchange(a: OurPap, b: OurPap) -> None:
    for ours, theirs in ((a, b), (b, a)):
        with theirs.policies.read() as reader:
            ours.remote.has = public_elements(reader)
        ours.mirror.refresh()


class Daemon:
    """A federation whose mirrors are kept up to date by hand."""

    def __init__(self, longest: timedelta | None = None) -> None:
        self.pap = OurPap()
        self.running: list[Mirror] = []
        self.federation = Federation(
            self.pap.policies, self._peer_of, longest, lambda: self.pap.now, self.running.append
        )

    def _peer_of(self, pap: Pap) -> Peer:
        if pap.remote == Remote("unusable"):
            raise Unavailable("its DN cannot be read")
        return Peer(self.pap.remote, self.pap.remote)

    def change(self, change: Callable[[PolicyWriter], None]) -> None:
        with self.pap.policies.change(NOTE) as writer:
            change(writer)
        self.federation.step()

    @property
    def aliases(self) -> list[str]:
        return [value.split(";")[0].removeprefix("alias=") for _, value in self.federation.lines()]


def test_remote_paps_are_kept_up_to_date_as_they_come_and_go() -> None:
    daemon = Daemon()
    daemon.federation.step()
    assert daemon.aliases == ["central"]
    daemon.change(lambda writer: writer.add_pap(NGI))
    assert daemon.aliases == ["central", "ngi"]
    daemon.change(lambda writer: writer.remove_pap(CENTRAL))
    assert daemon.aliases == ["ngi"]
    assert [mirror.pap.alias for mirror in daemon.running] == ["central", "ngi"]


def test_other_settings_of_a_pap_leave_its_mirror_and_another_address_begins_it_anew() -> None:
    daemon = Daemon()
    daemon.federation.step()
    daemon.change(lambda writer: writer.store(replace(CENTRAL, enabled=False), ()))
    assert len(daemon.running) == 1
    daemon.change(lambda writer: writer.store(replace(CENTRAL, remote=Remote("other.example.org")), ()))
    assert len(daemon.running) == 2
    assert "other.example.org" in daemon.federation.lines()[0][1]


def test_a_pap_that_was_just_added_can_be_refreshed() -> None:
    daemon = Daemon()
    daemon.federation.refresh(CENTRAL)
    assert daemon.pap.resources == ["r"]
    daemon.pap.remote.has = UNREACHABLE
    with pytest.raises(PapFailed, match="refused"):
        daemon.federation.refresh(CENTRAL)


def test_a_pap_that_cannot_even_be_asked_says_why() -> None:
    daemon = Daemon()
    unusable = replace(CENTRAL, remote=Remote("unusable"))
    with pytest.raises(PapFailed, match="its DN cannot be read"):
        daemon.federation.refresh(unusable)
    (mirror,) = daemon.running
    assert mirror.follower.step() > timedelta()
    assert "its DN cannot be read" in mirror.line()


def test_a_copy_that_is_too_old_is_warned_of_once_and_stays(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon(longest=timedelta(hours=1))
    daemon.federation.refresh(CENTRAL)
    daemon.federation.step()
    assert caplog.messages == []
    daemon.pap.wait(timedelta(hours=2))
    for _ in range(2):
        daemon.federation.step()
    told = "the copy of central was last confirmed 2.0 hours ago, and stays in force"
    assert caplog.messages == [told]
    assert ("Problem", told) in daemon.federation.lines()
    assert daemon.pap.resources == ["r"]
    daemon.federation.refresh(CENTRAL)
    daemon.federation.step()
    assert len(daemon.federation.lines()) == 1


@dataclass
class Waiting:
    """A remote that answers when it is let go, and counts."""

    service: str = "https://ngi.example.org"
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    let_go: threading.Event = field(default_factory=threading.Event)

    def fetch(self) -> tuple[Element, ...]:
        self.asked.release()
        self.let_go.wait(10)
        return answer("r")

    def after(self, _known: str | None) -> News | None:
        raise NoChangeFeed(self.service)


def test_one_that_hangs_holds_up_no_other_and_all_end() -> None:
    pap = OurPap()
    with pap.policies.change(NOTE) as writer:
        writer.add_pap(NGI)
    hanging, well = Waiting(), Waiting()
    well.let_go.set()
    peers = {"ngi": Peer(hanging, hanging), "central": Peer(well, well)}
    federation = Federation(pap.policies, lambda pap: peers[pap.alias])
    federation.step()
    assert hanging.asked.acquire(timeout=10)
    assert well.asked.acquire(timeout=10)
    assert well.asked.acquire(timeout=10)  # by the follower, which has found no feed
    with pap.policies.change(NOTE) as writer:
        writer.set_setting(POLL_INTERVAL, "7200")
    federation.step()
    assert well.asked.acquire(timeout=10)  # for the interval is another one
    federation.close()
    hanging.let_go.set()
    assert federation.lines() == []
