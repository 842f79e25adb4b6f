"""One gridmapdir for us and for the LCMAPS of a CE: the real library, with accounts that only these tests know.

The packages are those of scripts/install-debian-packages.sh.
"""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.pep.mapping.lease_name import lease_name
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.lease_removal import TEMPORARY_PREFIX

HERE = Path(__file__).parent
TIMEOUT = 60  # seconds; the machine may be busy
RECORDED: dict[str, Any] = json.loads((HERE.parent / "vectors" / "lcmaps" / "leases.json").read_text(encoding="utf-8"))
PILOT, MEMBER = "/dteam/Role=pilot", "/dteam"

Worker = subprocess.Popen[str]


@dataclass(frozen=True)
class Answer:
    """``account`` begins with "!" when the user was refused."""

    lease: str
    account: str


@dataclass(frozen=True)
class User:
    dn: str
    fqan: str = MEMBER

    @property
    def lease(self) -> str:
        group = "dteampilot" if self.fqan == PILOT else "dteam"
        return lease_name(DistinguishedName.parse_slash(self.dn), [group])

    @property
    def pool(self) -> str:
        return "dteampilot" if self.fqan == PILOT else "dteam"


class Site:
    """A gridmapdir, the configuration of LCMAPS, and whoever works on it; no process outlives the test."""

    def __init__(self, base: Path, accounts: Sequence[str]) -> None:
        self.gridmapdir = base / "gridmapdir"
        self._etc = base / "etc"
        self._log = base / "lcmaps.log"
        self._workers: list[Worker] = []
        self._etc.mkdir()
        self.gridmapdir.mkdir()
        for account in accounts:
            (self.gridmapdir / account).touch()
            os.utime(self.gridmapdir / account, (1000, 1000))
        for name, text in RECORDED["files"].items():
            (self._etc / name).write_text(text.replace("BASE", str(base)) + "\n")
        known = ["root:x:0:0::/root:/bin/sh"]
        known += [f"{name}:x:{41000 + n}:30000::/home/{name}:/bin/sh" for n, name in enumerate(["argus", *accounts])]
        (self._etc / "passwd").write_text("\n".join(known) + "\n")
        (self._etc / "group").write_text("\n".join(RECORDED["groups"]) + "\n")

    def lcmaps(self, configuration: str, policy: str, calls: Iterable[str]) -> Worker:
        environment = {
            **os.environ,
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_PASSWD": str(self._etc / "passwd"),
            "NSS_WRAPPER_GROUP": str(self._etc / "group"),
            "LCMAPS_DB_FILE": str(self._etc / configuration),
            "LCMAPS_LOG_FILE": str(self._log),
            "LCMAPS_DEBUG_LEVEL": "1",
        }
        return self._start(environment, "lcmaps_worker.py", policy, *calls)

    def lcmaps_for(self, users: Iterable[User]) -> Worker:
        return self.lcmaps("nosec.db", "voms", (f"{user.dn}|{user.fqan}" for user in users))

    def ours_for(self, users: Sequence[User]) -> Worker:
        """All of one pool."""
        [pool] = {user.pool for user in users}
        return self._start(os.environ, "lease_worker.py", self.gridmapdir, pool, *(user.lease for user in users))

    def _start(self, environment: Mapping[str, str], script: str, *arguments: object) -> Worker:
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, errors="surrogateescape"
        )
        self._workers.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.communicate()


MakeSite = Callable[[Sequence[str]], Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    sites: list[Site] = []

    def make(accounts: Sequence[str]) -> Site:
        sites.append(Site(tmp_path, accounts))
        return sites[-1]

    yield make
    for site in sites:
        site.stop()


def accounts(pool: str, count: int, digits: int = 4) -> list[str]:
    return [f"{pool}{number:0{digits}}" for number in range(1, count + 1)]


def users(kind: str, count: int, fqan: str = MEMBER) -> list[User]:
    return [User(f"/DC=org/DC=argus-test/OU=People/CN={kind} {number}", fqan) for number in range(count)]


def go(workers: Sequence[Worker]) -> None:
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()


def lines(worker: Worker) -> list[str]:
    output, _ = worker.communicate(timeout=TIMEOUT)
    assert worker.returncode == 0
    return output.splitlines()


def run(ours: Sequence[Worker], lcmaps: Sequence[Worker]) -> tuple[list[Answer], list[Answer]]:
    go([*ours, *lcmaps])
    of_ours = [Answer(*line.split()) for worker in ours for line in lines(worker)]
    of_lcmaps = [
        Answer(lease or "", account or "!")
        for worker in lcmaps
        for lease, account, *_ in map(json.loads, lines(worker))
    ]
    return of_ours, of_lcmaps


def served(answers: Iterable[Answer]) -> list[Answer]:
    return [answer for answer in answers if not answer.account.startswith("!")]


def check(site: Site, given: Sequence[Answer]) -> None:
    """One account for each user, one user for each account, all of it still true, and nothing half made."""
    of_user: defaultdict[str, set[str]] = defaultdict(set)
    of_account: defaultdict[str, set[str]] = defaultdict(set)
    for answer in given:
        of_user[answer.lease].add(answer.account)
        of_account[answer.account].add(answer.lease)
        assert (site.gridmapdir / answer.lease).samefile(site.gridmapdir / answer.account)
    assert all(len(each) == 1 for each in (*of_user.values(), *of_account.values()))
    files = {path.name: path.stat() for path in site.gridmapdir.iterdir()}
    assert all(found.st_nlink == (2 if name in of_user or name in of_account else 1) for name, found in files.items())
    assert not [name for name in files if name.startswith(TEMPORARY_PREFIX)]


def dealt(everybody: Sequence[User], hands: int) -> list[list[User]]:
    return [list(everybody[hand::hands]) for hand in range(hands)]


def test_two_thousand_users_of_both_programs_share_no_account(make_site: MakeSite) -> None:
    site = make_site([*accounts("dteam", 1900), *accounts("dteampilot", 300)])
    of_ce, of_worker_nodes, of_both = users("CE", 600), users("WN", 600), users("Both", 600)
    pilots = users("Both", 200, PILOT)
    lcmaps = [
        site.lcmaps_for([*both, *own, *pilots]) for both, own in zip(dealt(of_both, 4), dealt(of_ce, 4), strict=True)
    ]
    ours = [
        site.ours_for([*both, *own]) for both, own in zip(dealt(of_both, 3), dealt(of_worker_nodes, 3), strict=True)
    ]
    ours.append(site.ours_for(pilots))

    of_ours, of_lcmaps = run(ours, lcmaps)

    assert len(of_ours) == len(served(of_ours)) == 600 + 600 + 200
    # LCMAPS processes run for the same first free account and give up: without us, four of them refuse one user in six.
    assert len(served(of_lcmaps)) > len(of_lcmaps) / 2
    check(site, served([*of_ours, *of_lcmaps]))
    mapped = {answer.lease for answer in [*of_ours, *served(of_lcmaps)]}
    late = [user for user in [*of_ce, *of_both, *pilots] if user.lease not in mapped]
    _, of_late = run([], [site.lcmaps_for([*late, *of_worker_nodes[:100]])])
    assert len(served(of_late)) == len(late) + 100
    check(site, served([*of_ours, *of_lcmaps, *of_late]))


def test_last_accounts_go_to_one_user_each(make_site: MakeSite) -> None:
    site = make_site(accounts("dteam", 240))
    everybody = users("User", 240)
    lcmaps = [site.lcmaps_for(hand) for hand in dealt(everybody, 4)]
    ours = [site.ours_for(hand) for hand in dealt(everybody[::-1], 4)]

    of_ours, of_lcmaps = run(ours, lcmaps)

    assert len(of_ours) == len(served(of_ours)) == 240
    assert len(served(of_lcmaps)) > 240 / 2
    check(site, served([*of_ours, *of_lcmaps]))


def test_surplus_is_refused_by_both(make_site: MakeSite) -> None:
    site = make_site(accounts("dteam", 100))
    everybody = users("User", 160)

    of_ours, of_lcmaps = run(
        [site.ours_for(hand) for hand in dealt(everybody[:80], 4)],
        [site.lcmaps_for(hand) for hand in dealt(everybody[80:], 4)],
    )

    assert {answer.account for answer in of_ours if answer not in served(of_ours)} <= {"!PoolExhausted"}
    check(site, served([*of_ours, *of_lcmaps]))
    free = sum(path.stat().st_nlink == 1 for path in site.gridmapdir.iterdir())
    [late] = run([site.ours_for(everybody[:80])], [])[:1]  # those who come again get what LCMAPS gave up at the end
    assert len(served(late)) - len(served(of_ours)) == min(free, 80 - len(served(of_ours)))


def test_each_program_uses_and_marks_the_leases_of_the_other(make_site: MakeSite) -> None:
    site = make_site(accounts("dteam", 2))
    [ours_first, lcmaps_first] = users("User", 2)
    before = [run([site.ours_for([ours_first])], [])[0][0], run([], [site.lcmaps_for([lcmaps_first])])[1][0]]
    for answer in before:
        os.utime(site.gridmapdir / answer.account, (1000, 1000))

    of_ours, of_lcmaps = run([site.ours_for([lcmaps_first])], [site.lcmaps_for([ours_first])])

    assert [*of_lcmaps, *of_ours] == before
    assert all((site.gridmapdir / answer.account).stat().st_mtime > 2000 for answer in before)


def test_lease_with_the_groups_in_the_order_of_lcmaps_is_used(make_site: MakeSite) -> None:
    site = make_site(accounts("dteam", 3))
    dn, fqans = "/DC=org/DC=argus-test/OU=People/CN=Alice Adams", ["/dteam", "/dteam/NGI_IT", "/dteam/other"]
    worker = site.lcmaps("lcmaps.db", "voms", ["|".join([dn, *fqans])])
    go([worker])
    [[lease, account, *_]] = map(json.loads, lines(worker))
    own = lease_name(DistinguishedName.parse_slash(dn), ["dteam", "dteamextra", "dteam"])

    ours = GridMapDir(site.gridmapdir, random.Random(1))

    assert own != lease
    assert ours.lease(own, "dteam", [lease]).account == account
    assert ours.lease(own, "dteam").account != account


def test_lcmaps_takes_no_lease_for_one_that_is_aside_or_claimed(make_site: MakeSite) -> None:
    """Names with a dot in front are neither accounts nor leases to it, and keep their accounts occupied."""
    site = make_site(accounts("dteam", 2))
    for account, name in (("dteam0001", "claim.1.0123456789abcdef.host"), ("dteam0002", "aside.1.0123456789abcdef.x")):
        (site.gridmapdir / f"{TEMPORARY_PREFIX}{name}").hardlink_to(site.gridmapdir / account)
    before = sorted(path.name for path in site.gridmapdir.iterdir())

    _, [refusal] = run([], [site.lcmaps_for(users("User", 1))])

    assert refusal.account == "!"
    assert sorted(path.name for path in site.gridmapdir.iterdir()) == before


def test_lcmaps_here_makes_the_recorded_leases(make_site: MakeSite) -> None:
    pools = RECORDED["pools"].items()
    site = make_site([account for pool, (digits, count) in pools for account in accounts(pool, count, digits)])
    for case in RECORDED["cases"]:
        worker = site.lcmaps(case["db"], case["policy"], ["|".join([case["dn"], *case["fqans"]])])
        go([worker])
        [[lease, _, primary, secondary]] = map(json.loads, lines(worker))
        assert [lease, primary, secondary] == [case["lease"], case["pgids"], case["sgids"]]
