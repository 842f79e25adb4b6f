"""The memory of accepted chains, with small judges of its own and with the real one."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials import path, voms
from argus_py.credentials.accepted import MAX_AGE, MAX_OCTETS, AcceptedChains
from argus_py.credentials.moment import Moment
from argus_py.credentials.rejections import BadSignature, Rejection
from argus_py.credentials.voms import LscFile, ServerCertificate, VomsTrust

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import AcFactory, Pki

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
LATER = NOON + MINUTE


class Judge:
    """Counts; refuses when told to."""

    def __init__(self, end: datetime = NOON + timedelta(days=1)) -> None:
        self.end = end
        self.judged = 0
        self.refuses = False

    def __call__(self, moment: Moment) -> int:
        self.judged += 1
        if self.refuses or moment.is_after(self.end):
            raise BadSignature("signatureNotVerified", "no")
        return self.judged


def test_a_chain_sent_again_is_not_judged_again() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    assert [chains.verdict(b"alice", (1,), time, judge) for time in (NOON, LATER)] == [1, 1]


def test_another_chain_is_judged() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    assert [chains.verdict(sent, (1,), NOON, judge) for sent in (b"alice", b"bob", b"alice")] == [1, 2, 1]


def test_other_trust_material_empties_the_memory() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    for sent in (b"alice", b"bob"):
        chains.verdict(sent, (1, 1), NOON, judge)
    judge.refuses = True
    with pytest.raises(BadSignature):
        chains.verdict(b"alice", (2, 1), LATER, judge)
    assert len(chains) == 0


def test_a_refused_chain_is_judged_each_time() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    judge.refuses = True
    for _ in range(2):
        with pytest.raises(BadSignature):
            chains.verdict(b"alice", (1,), NOON, judge)
    assert judge.judged == 2
    judge.refuses = False
    assert chains.verdict(b"alice", (1,), NOON, judge) == 3


def test_what_expires_is_refused_at_that_moment() -> None:
    chains, judge = AcceptedChains[int](), Judge(end=LATER)
    assert [chains.verdict(b"alice", (1,), time, judge) for time in (NOON, LATER - TICK, LATER)] == [1, 1, 2]
    with pytest.raises(BadSignature):
        chains.verdict(b"alice", (1,), LATER + TICK, judge)


def test_ten_minutes_are_the_limit() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    times = (NOON, NOON + MAX_AGE - TICK, NOON + MAX_AGE)
    assert [chains.verdict(b"alice", (1,), time, judge) for time in times] == [1, 1, 2]


def test_a_clock_that_is_set_back_makes_the_memory_worthless() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    times = (NOON, NOON - TICK, NOON)
    assert [chains.verdict(b"alice", (1,), time, judge) for time in times] == [1, 2, 2]


def test_the_least_recently_used_goes_first() -> None:
    chains, judge = AcceptedChains[int](maximum=2), Judge()
    for sent in (b"alice", b"bob", b"alice", b"carol"):
        chains.verdict(sent, (1,), NOON, judge)
    assert len(chains) == 2
    assert [chains.verdict(sent, (1,), NOON, judge) for sent in (b"alice", b"carol", b"bob")] == [1, 3, 4]


def test_a_chain_that_is_too_long_is_not_kept() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    for length in (MAX_OCTETS, MAX_OCTETS + 1):
        chains.verdict(b"x" * length, (1,), NOON, judge)
    assert len(chains) == 1


def test_a_verdict_under_old_trust_material_is_not_kept() -> None:
    chains, judge = AcceptedChains[int](), Judge()

    def while_the_crl_changes(moment: Moment) -> int:
        chains.verdict(b"bob", (2,), NOON, judge)
        return judge(moment)

    assert chains.verdict(b"alice", (1,), NOON, while_the_crl_changes) == 2
    assert chains.verdict(b"alice", (2,), NOON, judge) == 3


def test_others_are_served_while_one_chain_is_judged() -> None:
    chains, judge = AcceptedChains[int](), Judge()
    chains.verdict(b"bob", (1,), NOON, judge)
    served: list[int] = []

    def slow(moment: Moment) -> int:
        other = threading.Thread(target=lambda: served.append(chains.verdict(b"bob", (1,), NOON, judge)), daemon=True)
        other.start()
        other.join(timeout=30)
        return judge(moment)

    chains.verdict(b"alice", (1,), NOON, slow)
    assert served == [1]


def test_threads_never_get_the_verdict_on_another_chain_or_under_other_trust() -> None:
    chains = AcceptedChains[tuple[int, int]](maximum=5)
    wrong: list[object] = []

    def client(seed: int) -> None:
        for turn in range(500):
            asked = (turn * seed) % 8, turn // 100
            got = chains.verdict(b"%d" % asked[0], asked[1:], NOON, lambda moment, asked=asked: asked)  # type: ignore[misc]
            if got != asked:
                wrong.append((asked, got))

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(1, 9)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert wrong == []
    assert len(chains) <= 5


# --- The real judge: with the memory as without


class Grid:
    """Chains, trust directories and vomsdirs whose dates lie five minutes apart around ``now``."""

    def __init__(self, pki: "Pki", acs: type["AcFactory"], now: datetime) -> None:
        self.dates = [now + 5 * step * MINUTE for step in range(-4, 5)]
        d = dict(zip(range(-4, 5), self.dates, strict=True))
        root = pki.ca()
        sub = pki.ca("/DC=org/CN=Sub", root, not_before=d[-2], not_after=d[3])
        renewed = pki.ca("/DC=org/CN=Sub", root, key=sub.key, not_before=d[1], not_after=d[4])
        server = pki.issue("/DC=org/CN=voms.example.org", root, not_before=d[-3], not_after=d[3])
        later = pki.issue("/DC=org/CN=voms.example.org", root, key=server.key, not_before=d[1])
        user = pki.issue("/DC=org/CN=Alice", root, not_before=d[-3], not_after=d[4])
        factory = acs(server, user)
        first = factory.make(not_before=d[-1], not_after=d[1])
        second = factory.make(not_before=d[0], not_after=d[2])
        short = pki.proxy(user, not_before=d[-1], not_after=d[1])
        self.chains = [
            pki.chain(factory.proxy(pki, first), user),
            pki.chain(factory.proxy(pki, second, first), user),
            pki.chain(factory.proxy(pki, factory.make(certificates=[])), user),
            pki.chain(pki.proxy(short), short, user),
            pki.chain(pki.issue("/DC=org/CN=Bob", sub), renewed, sub),
        ]
        empty = pki.crl(root, this_update=d[-1], next_update=d[2])
        lists_user = pki.crl(root, user, this_update=d[-4], next_update=d[0])
        lists_server = pki.crl(root, sub, server, next_update=d[4])
        self.trusts = [pki.trust(root, crls=crls) for crls in ((), (empty,), (lists_user, empty), (lists_server,))]
        lsc = ((server.view.subject, server.view.issuer),)
        self.vomsdirs = [
            VomsTrust(lsc_files=(LscFile("dteam", "voms.example.org", (lsc,)),)),
            VomsTrust(certificates=tuple(ServerCertificate("dteam", each.view) for each in (later, server))),
        ]

    def judge(self, chain: int, trust: int, vomsdir: int, time: datetime | Moment) -> tuple[object, object]:
        anchors = self.trusts[trust]
        verified = path.verify(self.chains[chain], anchors, time)
        return verified, voms.verify(verified, self.vomsdirs[vomsdir], anchors, time, frozenset())


class Memory:
    """Asks the grid's judge only where it has to; the numbers of trust and vomsdir are those of their snapshots."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.chains = AcceptedChains[tuple[object, object]](maximum=4)
        self.judged = 0

    def judge(self, chain: int, trust: int, vomsdir: int, time: datetime) -> tuple[object, object]:
        def judge(moment: Moment) -> tuple[object, object]:
            self.judged += 1
            return self.grid.judge(chain, trust, vomsdir, moment)

        return self.chains.verdict(self.grid.chains[chain].encoded(), (trust, vomsdir), time, judge)


def outcome(judge: Callable[..., object], *asked: object) -> object:
    try:
        return judge(*asked)
    except Rejection as refusal:
        return refusal


def kind(verdict: object) -> object:
    """Refusals by class and code: their texts may tell the time."""
    return (type(verdict), verdict.code) if isinstance(verdict, Rejection) else verdict


@pytest.fixture
def grid(pki: "Pki", ac_factory: type["AcFactory"], now: datetime) -> Grid:
    return Grid(pki, ac_factory, now)


def test_a_verdict_stays_for_as_long_as_its_moment_says(grid: Grid) -> None:
    times = [date + tick for date in grid.dates for tick in (-TICK, 0 * TICK, TICK)]
    changes = 0
    for case in itertools.product(range(len(grid.chains)), range(len(grid.trusts)), range(len(grid.vomsdirs))):
        moments = [Moment(time) for time in times]
        verdicts = [outcome(grid.judge, *case, moment) for moment in moments]
        for moment, verdict in zip(moments, verdicts, strict=True):
            for time, later in zip(times, verdicts, strict=True):
                if moment.now <= time < moment.now + min(moment.stays, timedelta(days=1)):
                    assert kind(later) == kind(verdict), (case, moment.now, time)
        changes += sum(one != other for one, other in itertools.pairwise(map(kind, verdicts)))
    assert changes > len(grid.chains) * len(grid.trusts) * len(grid.vomsdirs)


def test_the_memory_says_what_a_new_judgement_says(grid: Grid) -> None:
    times = st.builds(lambda date, tick: date + tick * TICK, st.sampled_from(grid.dates), st.integers(-1, 1))
    requests = st.lists(st.tuples(st.integers(0, len(grid.chains) - 1), times), max_size=8)
    numbers = st.integers(0, len(grid.trusts) - 1), st.integers(0, len(grid.vomsdirs) - 1)
    asked, judged = 0, 0

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(*numbers, requests.map(lambda each: sorted(each, key=lambda r: r[1]))), max_size=3))
    def check(history: list[tuple[int, int, list[tuple[int, datetime]]]]) -> None:
        nonlocal asked, judged
        memory = Memory(grid)
        for trust, vomsdir, sent in history:
            for chain, time in sent:
                expected = outcome(grid.judge, chain, trust, vomsdir, time)
                assert kind(outcome(memory.judge, chain, trust, vomsdir, time)) == kind(expected)
                asked += 1
        judged += memory.judged

    check()
    assert judged < asked, "nothing was ever remembered"
