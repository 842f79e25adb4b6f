"""When a change is taken up, when a peer is asked again, and how far what it said can be relied on."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from argus_py.clients.changes import ChangesRefused, NoChangeFeed
from argus_py.clients.transport import PeerUnreachable
from argus_py.model.policy_news import News
from argus_py.run.following import GRACE, Follower, propagation_lines

PAP = "https://pap.example.org:8150/pap/services/ProvisioningService"
DOWN = PeerUnreachable(PAP, "refused")
AT_ONCE = timedelta()
BREATH = timedelta(milliseconds=50)


class Peer:
    """Answers with the next of ``answers``; each takes a second, or as long as is said."""

    service = PAP

    def __init__(self, *answers: News | Exception | None) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []
        self.now = 1000.0
        self.takes = 1.0

    def after(self, known: str | None) -> News | None:
        self.asked.append(known)
        self.now += self.takes
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Taken:
    """What was to be taken up; it can be refused, and takes two seconds."""

    def __init__(self, peer: Peer, good: bool = True) -> None:
        self.made: list[float | None] = []
        self.good = good
        self._peer = peer

    def __call__(self, made: float | None) -> bool:
        self.made.append(made)
        self._peer.now += 2
        return self.good


def follow(
    *answers: News | Exception | None, good: bool = True, unchanged: Callable[[], None] = lambda: None
) -> tuple[Follower, Peer, Taken]:
    peer = Peer(*answers)
    taken = Taken(peer, good)
    return Follower(peer, taken, lambda: peer.now, unchanged), peer, taken


def steps(follower: Follower, peer: Peer) -> list[timedelta]:
    return [follower.step() for _ in range(len(peer.answers))]


def test_a_change_is_taken_up_and_the_next_one_waited_for_after_a_breath() -> None:
    follower, peer, taken = follow(News("a"), News("b"), None, News("c"))
    assert steps(follower, peer) == [BREATH, BREATH, AT_ONCE, BREATH]
    assert peer.asked == [None, "a", "b", "b"]
    assert len(taken.made) == 3
    assert follower.line() == f"{PAP} followed"


def test_the_time_from_the_change_to_its_end_is_measured() -> None:
    follower, _, taken = follow(News("a", timedelta(days=3)), News("b", timedelta(seconds=0.5)))
    follower.step()
    assert propagation_lines((follower,), "PapChanges") == [("PapChanges", f"{PAP} followed")]
    follower.step()
    assert taken.made == [None, 1003.5]  # what was there already says nothing about how fast we are
    assert follower.propagation == timedelta(seconds=2.5)
    assert propagation_lines((follower,), "PapChanges")[1:] == [("PropagationMilliseconds", "2500")]


def test_of_several_peers_the_slowest_is_told() -> None:
    fast, slow = (follow(News("a"), News("b", timedelta(seconds=age)))[0] for age in (1, 3))
    for follower in (fast, slow):
        follower.step()
        follower.step()
    assert propagation_lines((slow, fast), "PdpChanges")[2:] == [("PropagationMilliseconds", "5000")]


def test_whatever_the_peer_has_after_an_interruption_counts_as_a_change() -> None:
    follower, peer, taken = follow(News("a"), DOWN, News("a", timedelta(seconds=9)), None)
    steps(follower, peer)
    assert peer.asked == [None, "a", None, "a"]
    assert taken.made == [None, None]


def test_a_peer_that_is_down_is_tried_every_second(caplog: pytest.LogCaptureFixture) -> None:
    follower, peer, _ = follow(News("a"), DOWN, DOWN, DOWN, DOWN, News("a"), DOWN)
    assert [pause.total_seconds() for pause in steps(follower, peer)] == [0.05, 0.25, 0.5, 1, 1, 0.05, 0.25]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [f"changes of {PAP} are not heard of: refused"] * 2  # once for as long as it lasts
    peer.now += 60
    assert follower.line() == f"{PAP} lost for 63 s, refused"


def test_a_peer_that_has_no_room_to_wait_is_not_asked_all_the_time() -> None:
    follower, peer, _ = follow(News("a"), None, None)
    follower.step()
    peer.takes = 0.9
    assert follower.step() == timedelta(seconds=1)
    peer.takes = 1
    assert follower.step() == AT_ONCE


def test_a_peer_that_refuses_is_left_alone_for_longer() -> None:
    follower, peer, _ = follow(*[ChangesRefused(PAP, "HTTP status 403")] * 9)
    assert [pause.total_seconds() for pause in steps(follower, peer)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_what_cannot_be_taken_up_is_asked_for_again() -> None:
    follower, peer, taken = follow(News("a"), News("a"), News("a"), good=False)
    assert [pause.total_seconds() for pause in steps(follower, peer)] == [0.25, 0.5, 1]
    assert peer.asked == [None] * 3
    peer.answers = [News("a"), None]
    taken.good = True
    steps(follower, peer)
    assert peer.asked[3:] == [None, "a"]
    assert follower.line() == f"{PAP} followed"


def test_a_peer_without_a_feed_is_asked_every_few_minutes_also_while_it_is_down() -> None:
    none = NoChangeFeed(PAP)
    follower, peer, taken = follow(none, none, DOWN, none, News("a"), none)
    assert [pause.total_seconds() for pause in steps(follower, peer)] == [300, 300, 300, 300, 0.05, 300]
    assert peer.asked == [None, None, None, None, None, "a"]
    assert len(taken.made) == 3  # at the first answer, at the first news, and when there was no feed any more
    assert follower.line() == f"{PAP} none, asked at intervals"


def test_a_peer_that_says_nothing_new_confirms_what_it_had() -> None:
    confirmed: list[str] = []
    follower, peer, _ = follow(News("a"), None, DOWN, News("a"), None, unchanged=lambda: confirmed.append("yes"))
    steps(follower, peer)
    assert confirmed == ["yes", "yes"]


def test_a_peer_that_has_nothing_after_an_interruption_does_not_confirm_what_it_had() -> None:
    confirmed: list[str] = []
    follower, peer, taken = follow(News("a"), DOWN, None, News("a"), unchanged=lambda: confirmed.append("yes"))
    steps(follower, peer)
    assert confirmed == []
    assert taken.made == [None] * 3
    assert peer.asked == [None, "a", None, None]


def test_a_peer_is_relied_on_again_only_when_what_was_missed_is_taken_up() -> None:
    peer = Peer(News("a"))
    relied_on: list[bool] = []

    def take_up(_made: float | None) -> bool:
        relied_on.append(follower.is_reliable)
        return True

    follower = Follower(peer, take_up, lambda: peer.now)
    peer.now += GRACE.total_seconds()
    follower.step()
    assert relied_on == [False]
    assert follower.is_reliable


def test_a_peer_that_was_heard_lately_is_relied_on() -> None:
    follower, peer, _ = follow(None, DOWN)
    peer.now += GRACE.total_seconds() - 0.1
    assert follower.is_reliable  # it was only just begun
    peer.now += 0.1
    assert not follower.is_reliable
    follower.step()
    assert follower.is_reliable
    follower.step()
    peer.now += GRACE.total_seconds() - 3.1
    assert follower.is_reliable
    peer.now += 0.1
    assert not follower.is_reliable


def test_a_peer_without_a_feed_is_relied_on_for_what_it_is() -> None:
    follower, peer, _ = follow(NoChangeFeed(PAP))
    follower.step()
    peer.now += 10_000
    assert follower.is_reliable
