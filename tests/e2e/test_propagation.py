"""A change of the policy on its way through three daemons: into force in the PDP, and out of the cache of the PEP.

Only order and outcome are looked at, with much patience. The daemons poll every four hours, so whatever comes through
has come over the change feeds; how fast is measured in ``benchmarks/propagation.py``.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

HOST_DN = "/DC=org/DC=argus-demo/CN=localhost"


class Apart:
    """Three daemons on ports that stay the same when they are started again, with a line from the PDP to the PAP."""

    def __init__(self, grid: "Grid") -> None:
        self.grid = grid
        pap, pdp = grid.free_port(), grid.free_port()
        self.line = grid.line_to(pap)
        grant = f'"{HOST_DN}" : POLICY_READ_LOCAL|POLICY_READ_REMOTE\n\n[fqan]'
        grid.configure("pap/pap_authorization.ini", "[fqan]", grant)
        grid.configure("pdp/pdp.ini", "localhost:8150", f"localhost:{self.line.port}")
        grid.configure("pdp/pdp.ini", "[POLICY]\n", f"[POLICY]\nlastGoodPolicyFile = {grid.site.root}/last-good\n")
        self._files = {
            "pap": grid.configure("pap/pap_configuration.ini", "\nport = 0", f"\nport = {pap}"),
            "pdp": grid.configure("pdp/pdp.ini", "\nport = 0", f"\nport = {pdp}"),
            "pepd": grid.configure("pepd/pepd.ini", "localhost:8152", f"localhost:{pdp}"),
        }
        self.daemons: dict[str, Argus] = {}
        self.start("pap")
        grid.load_policy(self.daemons["pap"])
        self.start("pdp")
        self.start("pepd")

    def start(self, name: str) -> None:
        self.daemons[name] = self.grid.start(name, self._files[name])
        assert self.daemons[name].urls

    def restart(self, name: str) -> None:
        """After a death that nothing in it could prepare for."""
        self.daemons[name].kill()
        self.start(name)

    def decision(self, pilot: str) -> str:
        return self.grid.ask(self.daemons["pepd"], pilot).decision

    def ban(self, name: str) -> None:
        dn = f"CN={name},DC=argus-demo,DC=org"
        done = self.grid.pap_admin(self.daemons["pap"], "ban", "subject", dn)
        assert done.returncode == 0, done.stderr

    def is_cached(self, pilot: str) -> bool:
        before = self.status("pepd")["DecisionCacheHits"]
        self.decision(pilot)
        return self.status("pepd")["DecisionCacheHits"] != before

    def status(self, name: str) -> dict[str, str]:
        return self.grid.status(self.daemons[name], {"pdp": "PDP", "pepd": "PEP"}[name])


@pytest.fixture
def apart(grid: "Grid") -> Apart:
    return Apart(grid)


def test_a_ban_reaches_pilots_whose_permit_is_cached_whichever_daemon_was_killed_before(
    apart: Apart, grid: "Grid"
) -> None:
    (grid.site.gridmapdir / "dtplt004").touch()
    for name, killed in (("Alice", None), ("Bob", "pap"), ("Carol", "pdp"), ("Dave", "pepd")):
        if killed is not None:
            apart.restart(killed)
        ban_comes_through(apart, grid, name)

    pdp, pep = apart.status("pdp"), apart.status("pepd")
    assert pdp["PapChanges"].endswith(" followed")
    assert pep["PdpChanges"].endswith(" followed")
    assert 0 <= int(pdp["PropagationMilliseconds"]) < 60_000
    assert 0 <= int(pep["PropagationMilliseconds"]) < 60_000
    assert len(pdp["PolicyDigest"]) == 64
    assert pdp["PolicySource"] == f"https://localhost:{apart.line.port}/pap/services/ProvisioningService"


def ban_comes_through(apart: Apart, grid: "Grid", name: str) -> None:
    """To a PEP that has given its answers from the cache, and does so again."""
    pilot = grid.pilot(name)
    grid.eventually(lambda: apart.is_cached(pilot))
    assert apart.decision(pilot) == "Permit"
    apart.ban(name)
    grid.eventually(lambda: apart.decision(pilot) == "Deny")
    grid.eventually(lambda: apart.is_cached(pilot))
    assert apart.decision(pilot) == "Deny"


def test_what_was_missed_while_the_pap_could_not_be_heard_is_caught_up_with(apart: Apart, grid: "Grid") -> None:
    pilot = grid.pilot("Alice")
    grid.eventually(lambda: apart.is_cached(pilot))
    grid.eventually(lambda: apart.status("pdp")["PapChanges"].endswith(" followed"))
    apart.line.cut()
    grid.eventually(lambda: " lost for " in apart.status("pdp")["PapChanges"])
    apart.ban("Alice")
    assert apart.decision(pilot) == "Permit"
    apart.line.mend()
    grid.eventually(lambda: apart.decision(pilot) == "Deny")
    grid.eventually(lambda: apart.status("pdp")["PapChanges"].endswith(" followed"))


def test_a_ban_by_another_pap_on_the_same_database_comes_through(apart: Apart, grid: "Grid") -> None:
    file = grid.configure("pap/pap_configuration.ini", "\nport = ", "\nport = 0\nmax_request_queue_size = ")
    apart.daemons["pap"] = grid.start("pap", file)  # beside the first one, which the PDP goes on to listen to
    ban_comes_through(apart, grid, "Alice")


def test_a_pdp_that_starts_while_no_pap_answers_decides_by_the_last_good_policy(apart: Apart, grid: "Grid") -> None:
    apart.ban("Mallory")
    grid.eventually(lambda: apart.decision(grid.pilot("Mallory")) == "Deny")
    digest = apart.status("pdp")["PolicyDigest"]
    apart.daemons["pap"].kill()
    apart.restart("pdp")
    status = apart.status("pdp")
    assert status["PolicyDigest"] == digest
    assert status["LastRefreshError"].startswith("Unable to complete request to PAP endpoint:https:")
    grid.eventually(lambda: apart.decision(grid.pilot("Alice")) == "Permit")
    assert apart.decision(grid.pilot("Mallory")) == "Deny"
    kept = grid.site.root / "last-good"
    assert kept.stat().st_mode & 0o777 == 0o600

    apart.daemons["pdp"].kill()
    kept.write_bytes(kept.read_bytes().replace(b"Mallory", b"Mallors"))
    apart.start("pdp")
    assert apart.status("pdp")["CurrentPolicy"] == "null"
    assert "it should have" in apart.daemons["pdp"].read("process.log")
    apart.start("pap")
    grid.eventually(lambda: apart.status("pdp").get("PolicyDigest") == digest)


def test_those_who_wait_for_changes_do_not_hold_the_end_of_a_daemon(apart: Apart, grid: "Grid") -> None:
    grid.eventually(lambda: apart.status("pdp")["PapChanges"].endswith(" followed"))
    grid.eventually(lambda: apart.status("pepd")["PdpChanges"].endswith(" followed"))
    for name in ("pap", "pdp"):
        assert apart.daemons[name].stop() == 0
        assert "cut off" not in apart.daemons[name].read("process.log")
