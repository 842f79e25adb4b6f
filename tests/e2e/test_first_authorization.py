"""From an empty site to a mapped pilot, a ban and back, with the commands an administrator types."""

import json
from typing import TYPE_CHECKING

from demo.site import RESOURCE, make_site
from demo.tour import Commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Answer, Grid


PILOT_DN = "/DC=org/DC=argus-demo/CN=Alice Pilot"


def test_a_pilot_is_mapped_to_an_account_of_the_pool_as_soon_as_a_policy_permits_it(grid: "Grid") -> None:
    argus = grid.serve()
    proxy = grid.site.add_pilot("Alice Pilot")
    commands = Commands(grid.site, argus.urls)
    asked = grid.run(commands.pepcli(proxy))
    assert (asked.returncode, asked.stdout) == (0, f"Resource: {RESOURCE}\nDecision: Not Applicable\n")
    assert not list(grid.site.gridmapdir.glob("%*"))

    assert grid.pap_admin(argus, "add-policies-from-file", str(grid.policy)).returncode == 0
    asked = grid.run(commands.pepcli(proxy))
    assert asked.returncode == 0
    answer = dict(line.split(": ", 1) for line in asked.stdout.splitlines())
    account = answer.pop("Username")
    assert answer == {
        "Resource": RESOURCE,
        "Decision": "Permit",
        "Obligation": "http://glite.org/xacml/obligation/local-environment-map/posix "
        "(caller should resolve POSIX account mapping)",
        "Group": "dtplt",
        "Secondary Groups": "dtplt dteam",
    }
    lease = "%2fdc%3dorg%2fdc%3dargus%2ddemo%2fcn%3dalice%20pilot:dtplt:dteam"
    assert (grid.site.gridmapdir / lease).samefile(grid.site.gridmapdir / account)
    record = json.loads(argus.read("audit.jsonl").splitlines()[-1])
    assert (record["subject"], record["fqan"]) == (
        "CN=Alice Pilot,DC=argus-demo,DC=org",
        "/dteam/Role=pilot/Capability=NULL",
    )
    assert (record["decision"], record["account"], record["lease"]) == ("Permit", account, lease)
    assert argus.read("audit.log").endswith("|Permit|\n")
    assert f"mapped to POSIX account: PosixAccount{{user={account} group=dtplt" in argus.read("process.log")
    status = grid.status(argus, "PEP")
    assert (status["TotalRequests"], status["TotalRequestErrors"]) == ("2", "0")


def test_the_status_command_tells_whether_a_daemon_answers(grid: "Grid") -> None:
    argus = grid.serve()
    command = Commands(grid.site, argus.urls).status()
    told = grid.run(command)
    assert (told.returncode, told.stdout.splitlines()[:2]) == (0, ["Status: OK", "Service: Argus PEP Server"])
    assert argus.stop() == 0
    told = grid.run(command)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == f"argus: {argus.urls['PEP']}/status: [Errno 111] Connection refused\n"


def test_a_ban_and_its_end_are_in_force_when_the_command_returns(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    pilot = grid.pilot("Alice Pilot")
    permitted = grid.ask(argus, pilot)
    assert permitted.decision == "Permit"
    for _ in range(2):
        assert grid.pap_admin(argus, "ban", "subject", PILOT_DN).returncode == 0
        assert grid.ask(argus, pilot).decision == "Deny"
        assert grid.pap_admin(argus, "un-ban", "subject", PILOT_DN).returncode == 0
        assert grid.ask(argus, pilot) == permitted


def test_a_ban_by_another_process_on_the_same_database_is_seen_soon(grid: "Grid") -> None:
    first, second = grid.serve(), grid.serve()
    grid.load_policy(first)
    pilot = grid.pilot("Alice Pilot")

    def decided(decision: str) -> "Answer | None":
        answer = grid.ask(second, pilot)
        return answer if answer.decision == decision else None

    grid.eventually(lambda: decided("Permit"))
    assert grid.pap_admin(first, "ban", "subject", PILOT_DN).returncode == 0
    grid.eventually(lambda: decided("Deny"))
    assert grid.pap_admin(first, "un-ban", "subject", PILOT_DN).returncode == 0
    grid.eventually(lambda: decided("Permit"))


def test_somebody_outside_the_acl_changes_nothing(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    before = grid.policies(argus)
    proxy = str(grid.site.add_pilot("Mallory"))
    told = "Insufficient privileges: CN=Mallory,DC=argus-demo,DC=org has no permission on this PAP"
    for command in (["ban", "subject", PILOT_DN], ["remove-all-policies"], ["list-policies"]):
        refused = grid.pap_admin(argus, "--cert", proxy, "--key", proxy, *command)
        assert refused.returncode == 5
        assert refused.stdout == f"{told}\n"
    assert grid.policies(argus) == before
    assert argus.read("process.log").count(told) == 3


def test_nothing_is_sent_to_a_pap_that_is_not_trusted(grid: "Grid", tmp_path: "Path") -> None:
    argus = grid.serve()
    elsewhere = make_site(tmp_path / "elsewhere").certificates
    refused = grid.pap_admin(argus, "--cadir", str(elsewhere), "ban", "subject", PILOT_DN)
    assert refused.returncode == 5
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stdout
    assert argus.read("access.log") == ""
