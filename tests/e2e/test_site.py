"""A site made by ``argus site``: its daemons start, a pilot gets a pilot's account, and the check list is satisfied."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from argus_py.credentials.names import distinguished_name
from argus_py.worker.glexec_conf import parse_glexec_conf

if TYPE_CHECKING:
    from tests.e2e.conftest import Answer, Argus, Done, Grid

ARGUS = Path(sys.executable).parent / "argus"
MEMBER = ("/dteam/Role=NULL/Capability=NULL",)
INVENTED = ("/dteam/invented/Role=invented/Capability=NULL", "/dteam/invented/Role=NULL/Capability=NULL", *MEMBER)


def run(grid: "Grid", *arguments: str | Path) -> "Done":
    return grid.run([str(ARGUS), *map(str, arguments)])


def argus(grid: "Grid", *arguments: str | Path) -> None:
    """A command that does what it was asked for."""
    done = run(grid, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def make(grid: "Grid") -> Path:
    """The files of a new site beside the credentials of the old one; the folder they are in."""
    site, new = grid.site, grid.site.root / "new"
    certificate, key = site.host
    (site.vomsdir / "ops").mkdir()
    shutil.copy(next((site.vomsdir / "dteam").iterdir()), site.vomsdir / "ops")
    admin = distinguished_name(x509.load_pem_x509_certificate(site.admin[0].read_bytes()).subject).slash()
    argus(
        grid,
        *("site", "init", "--config-dir", site.configuration, "--state-dir", new / "lib", "--force"),
        *("--host-certificate", certificate, "--host-key", key, "--admin", admin),
        *("--trust-dir", site.certificates, "--vomsdir", site.vomsdir, "--policy", new / "policy.spl"),
        *("--vo", "dteam:dteam:dtplt", "--vo", "ops:ops:opsplt", "--pool-size", "5", "--pilot-pool-size", "3"),
        *maps(new),
        *("--gridmapdir", new / "gridmapdir"),
    )
    return new


def maps(new: Path) -> tuple[str | Path, ...]:
    return "--grid-mapfile", new / "grid-mapfile", "--group-mapfile", new / "groupmapfile"


def serve(grid: "Grid") -> "Argus":
    """With the policy of the site; the system chooses the ports."""
    for file, ports in (
        ("pap/pap_configuration.ini", ("\nport = 8150", "\nshutdown_port = 8151")),
        ("pdp/pdp.ini", ("port = 8152", "adminPort = 8153")),
        ("pepd/pepd.ini", ("port = 8154", "adminPort = 8155")),
    ):
        for port in ports:
            grid.configure(file, port, f"{port.rpartition(' ')[0]} 0")
    return grid.start("serve", "--config-dir", grid.site.configuration, ports=6)


def ask(grid: "Grid", argus: "Argus", name: str, fqans: tuple[str, ...]) -> "Answer":
    return grid.ask(argus, grid.site.pilot(name, fqans).certificate_pem().decode())


def test_a_site_that_was_made_serves_pilots_and_members(grid: "Grid") -> None:
    new = make(grid)
    for daemon in ("pdp", "pepd"):
        argus(grid, daemon, "--check", grid.site.configuration / daemon / f"{daemon}.ini")
    running = serve(grid)
    assert grid.pap_admin(running, "add-policies-from-file", str(new / "policy.spl")).returncode == 0
    pilot = grid.ask(running, grid.pilot("Pia Pilot"))
    assert (pilot.decision, pilot.account) == ("Permit", "dtplt001")
    for name, fqans in (("Mia Member", MEMBER), ("Ines Invented", INVENTED)):
        answer = ask(grid, running, name, fqans)
        assert answer.decision == "Permit"
        assert answer.account is not None
        assert answer.account.startswith("dteam00")


def tell_ports(grid: "Grid", running: "Argus") -> None:
    """Into the files, for those who read where the daemons are."""
    numbers = {name: url.rpartition(":")[2] for name, url in running.urls.items()}
    grid.configure("pdp/pdp.ini", "\nport = 0", f"\nport = {numbers['PDP']}")
    grid.configure("pdp/pdp.ini", "adminPort = 0", f"adminPort = {numbers['PDP-admin']}")
    grid.configure("pdp/pdp.ini", ":8150/", f":{numbers['PAP']}/")
    grid.configure("pepd/pepd.ini", "\nport = 0", f"\nport = {numbers['PEP']}")
    grid.configure("pepd/pepd.ini", "bindAddress = 0.0.0.0", "bindAddress = localhost")
    grid.configure("pepd/pepd.ini", ":8152/", f":{numbers['PDP']}/")


def test_the_check_list_is_satisfied_by_what_was_made_and_runs(grid: "Grid") -> None:
    new = make(grid)
    argus(
        grid,
        *("site", "worker-node", "--endpoint", "https://localhost:8154/authz", *maps(new)),
        *("--glexec-conf", new / "glexec.conf", "--lcmaps-db", new / "lcmaps.db", "--command", new / "glexec"),
        *("--sudo-rule", new / "argus-glexec-rule", "--program", new / "argus-glexec"),
        *("--trust-dir", grid.site.certificates),
    )
    assert parse_glexec_conf((new / "glexec.conf").read_text(), "x").user_white_list.pools == {"dtplt", "opsplt"}
    running = serve(grid)
    assert grid.pap_admin(running, "add-policies-from-file", str(new / "policy.spl")).returncode == 0
    tell_ports(grid, running)
    done = run(
        grid,
        *("site", "check", "--config-dir", grid.site.configuration, "--output", "json"),
        *("--glexec-conf", new / "glexec.conf", "--ce-gridmapdir", new / "gridmapdir"),
        *("--ce-grid-mapfile", new / "grid-mapfile", "--ce-group-mapfile", new / "groupmapfile"),
    )
    found = {(each["topic"], each["severity"]) for each in json.loads(done.stdout)["findings"]}
    assert {(topic, severity) for topic, severity in found if severity != "ok"} <= {("clock", "warning")}, done.stdout
    assert done.returncode == 0


def test_the_check_list_tells_what_a_stopped_site_lacks(grid: "Grid") -> None:
    make(grid)
    done = run(grid, "site", "check", "--config-dir", grid.site.configuration)
    assert done.returncode == 1
    assert done.stdout.count("error    ports: ") == 3
