"""A ban on its way from a central PAP over that of an NGI and that of a site into the PDP of the site, as processes.

Only order and outcome are looked at, with much patience. All of them poll every four hours, so what comes through has
come over the change feeds, or by an attempt after a failure.
"""

import re
import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest

from argus_py.pap.history import Note
from argus_py.pap.paps import by_alias
from argus_py.store.sql.engine import open_policies
from argus_py.xacml.policy_xml import read_policy_set, write_policy_set

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

HOST_DN = "/DC=org/DC=argus-demo/CN=localhost"
PAPS = ("central", "ngi", "site")  # each copies the one before it
BANS = 'resource ".*" { action ".*" { rule deny { subject="CN=Mallory,DC=argus-demo,DC=org" } } }'


class Chain:
    """Three PAPs, a PDP and a PEP; ``lines`` are what a daemon hears of the one before it by."""

    def __init__(self, grid: "Grid") -> None:
        self.grid = grid
        self._port = {name: grid.free_port() for name in PAPS}
        self.lines = {name: grid.line_to(self._port[name]) for name in PAPS}
        self.daemons: dict[str, Argus] = {}
        for name in PAPS:
            self._configure(name)
        grid.configure("pdp/pdp.ini", "localhost:8150", f"localhost:{self.lines['site'].port}")
        for name in PAPS:
            self.start(name)
        grid.load_policy(self.daemons["site"])
        self.load("central", BANS)
        pdp = self.daemons["pdp"] = grid.start("pdp", grid.site.configuration / "pdp" / "pdp.ini")
        pdp_url = pdp.urls["PDP"]
        pepd = grid.configure("pepd/pepd.ini", "https://localhost:8152", pdp_url)
        self.daemons["pepd"] = grid.start("pepd", pepd)

    def _configure(self, name: str) -> None:
        configuration = self.grid.site.configuration
        shutil.copytree(configuration / "pap", configuration / name)
        grant = f'"{HOST_DN}" : POLICY_READ_LOCAL|POLICY_READ_REMOTE\n\n[fqan]'
        self.grid.configure(f"{name}/pap_authorization.ini", "[fqan]", grant)
        file = f"{name}/pap_configuration.ini"
        self.grid.configure(file, "/repository\n", f"/repository-{name}\n")
        self.grid.configure(file, "\nport = 0", f"\nport = {self._port[name]}")
        self.grid.configure(file, "poll_interval = 300", "poll_interval = 14400")
        place = PAPS.index(name)
        if place:
            self._copy(file, PAPS[place - 1])

    def _copy(self, file: str, origin: str) -> None:
        settings = {
            "type": "remote",
            "public": "true",
            "enabled": "true",
            "dn": HOST_DN,
            "hostname": "localhost",
            "port": self.lines[origin].port,
        }
        lines = "".join(f"{origin}.{key} = {value}\n" for key, value in settings.items())
        properties = f"[paps]\n{lines}\n[paps:properties]\nordering = {origin},default"
        self.grid.configure(file, "[paps:properties]", properties)

    def start(self, name: str) -> None:
        file = self.grid.site.configuration / name / "pap_configuration.ini"
        self.daemons[name] = self.grid.start("pap", file)
        assert self.daemons[name].urls

    def load(self, name: str, text: str) -> None:
        with self.grid.pap(self.daemons[name]) as pap:
            pap.add_policies("default", text, {})

    def ban(self, name: str) -> None:
        subject = f"CN={name},DC=argus-demo,DC=org"
        done = self.grid.pap_admin(self.daemons["central"], "ban", "subject", subject)
        assert done.returncode == 0, done.stderr

    def is_banned(self, name: str) -> bool:
        return self.grid.ask(self.daemons["pepd"], self.grid.pilot(name)).decision == "Deny"

    def ban_comes_through(self, name: str) -> None:
        self.grid.eventually(lambda: not self.is_banned(name))
        self.ban(name)
        self.grid.eventually(lambda: self.is_banned(name))

    def copy(self, name: str) -> dict[str, str]:
        """What a PAP says of its copy of the one before it."""
        with self.grid.https(self.grid.site.host) as client:
            page = client.get(f"{self.daemons[name].urls['PAP']}/pap/status").raise_for_status().text
        (line,) = re.findall(r"^RemotePap: (.*)$", page, re.MULTILINE)
        return dict(fact.split("=", 1) for fact in line.split("; ", 7))

    def restart(self, name: str) -> None:
        """After a death that nothing in it could prepare for."""
        self.daemons[name].kill()
        self.start(name)


@pytest.fixture
def chain(grid: "Grid") -> Chain:
    for number in range(4, 10):  # beside those that there are
        (grid.site.gridmapdir / f"dtplt{number:03}").touch()
    chain = Chain(grid)
    grid.eventually(lambda: chain.is_banned("Mallory"))
    return chain


def test_a_central_ban_comes_through_whichever_link_was_cut_and_whichever_pap_was_killed_before(chain: Chain) -> None:
    chain.ban_comes_through("Alice")
    for name, pilot in (("central", "Bob"), ("ngi", "Carol"), ("site", "Dave")):
        chain.lines[name].cut()
        chain.ban(pilot)
        assert not chain.is_banned(pilot)
        assert chain.is_banned("Mallory")
        chain.lines[name].mend()
        chain.grid.eventually(partial(chain.is_banned, pilot))
    for name in PAPS:
        chain.restart(name)
        assert chain.is_banned("Mallory")
        chain.ban_comes_through(f"Pilot of {name}")


def test_the_last_good_copy_stays_in_force_while_the_remote_is_dead_or_somebody_else(chain: Chain) -> None:
    grid = chain.grid
    grid.eventually(lambda: chain.copy("site")["changes"] == "followed")
    before = chain.copy("site")
    assert before["alias"] == "ngi"
    assert before["quarantined"] == "false"
    chain.daemons["ngi"].kill()
    chain.restart("site")
    grid.eventually(lambda: chain.copy("site")["lastError"] != "-")
    after = chain.copy("site")
    assert (after["quarantined"], after["endpoint"]) == ("false", before["endpoint"])
    assert after["ageSeconds"].isdecimal()
    assert "Error connecting to ngi" in chain.daemons["site"].read("process.log")
    assert chain.is_banned("Mallory")

    other = HOST_DN.replace("localhost", "somebody")
    grid.configure("site/pap_configuration.ini", f"ngi.dn = {HOST_DN}", f"ngi.dn = {other}")
    chain.start("ngi")
    chain.restart("site")
    told = "it shows the certificate of CN=localhost,DC=argus-demo,DC=org, not of CN=somebody,DC=argus-demo,DC=org"
    grid.eventually(lambda: told in chain.daemons["site"].read("process.log"))
    assert chain.is_banned("Mallory")


def test_unusable_policies_are_quarantined_until_they_are_good_again(chain: Chain) -> None:
    grid = chain.grid
    grid.eventually(lambda: chain.copy("ngi")["changes"] == "followed")
    chain.load("central", 'resource "x" { action "good" { rule deny { vo="x" } } }')
    spoil(chain, "good", "(")
    grid.eventually(lambda: chain.copy("ngi")["quarantined"] == "true")
    assert "missing )" in chain.copy("ngi")["lastError"]
    chain.ban("Alice")
    assert not chain.is_banned("Alice")
    assert chain.is_banned("Mallory")
    assert chain.copy("site")["quarantined"] == "false"
    spoil(chain, "(", "good")
    grid.eventually(lambda: chain.is_banned("Alice"))
    assert (chain.copy("ngi")["quarantined"], chain.copy("ngi")["lastError"]) == ("false", "-")


def spoil(chain: Chain, old: str, new: str) -> None:
    """Put one pattern in the place of another one, behind the back of the central PAP, which would refuse it."""
    policies = open_policies(f"sqlite:///{chain.grid.site.root}/repository-central/policies.db")
    with policies.change(Note("test", "spoil")) as writer:
        default = by_alias(writer.paps(), "default")
        xml = [
            write_policy_set(each).replace(f">{old}<".encode(), f">{new}<".encode())
            for each in writer.resources(default)
        ]
        writer.store(default, tuple(map(read_policy_set, xml)))
    policies.close()
