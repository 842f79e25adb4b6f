"""The scene that all of this is for: on one worker node two pilots of two VOs run the payloads of five users.

PAP, PDP and PEP are daemons of their own; site and node are made by ``argus site``, bans by ``pap-admin``. Pilots are
processes in accounts of their own, which start ``glexec`` through the real sudo. Accounts, rules and the log are those
of a mount namespace. What everybody did is told by the payloads themselves, who all are there at once.
"""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from argus_py.cli.probe_wn import State
from argus_py.credentials.names import distinguished_name
from demo.issuing import Credential, VomsServer, proxy_of
from demo.site import ACTION, RESOURCE
from tests.e2e.conftest import Argus, Done, Grid, eventually, grid_in
from tests.e2e.mounts import enter_script

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="payloads change identities: run as root"),
    pytest.mark.skipif(shutil.which("sudo") is None, reason="pilots need sudo: scripts/install-debian-packages.sh"),
]

ARGUS = Path(sys.executable).parent / "argus"
POOLS = {"dteam": 62000, "dtplt": 62100, "ops": 62200, "opsplt": 62300}
VO_OF = {"alice": "dteam", "bob": "dteam", "carol": "dteam", "dora": "ops", "emil": "ops"}
BANNED = {"mallory": "dteam", "oscar": "ops"}
PILOTS = {"dteam": "paul", "ops": "olga"}
DN = "/DC=org/DC=argus-demo/CN="
REFUSED = 203

PAYLOAD = """\
#!/bin/sh
# payload.sh NAME FOLDER COUNT: when COUNT payloads are there, what can this one do to each of them, and to itself?
name=$1 work=$2 count=$3
wait_for() {
    tries=0
    until [ "$(ls "$work" | grep -c "[.]$1\\$")" -ge "$count" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || exit 9
        sleep 0.1
    done
}
umask 077
echo secret > "$work/$name.secret"
umask 022
id > "$work/$name.id"
env > "$work/$name.env"
echo "$X509_USER_PROXY" > "$work/$name.proxy"
echo $$ > "$work/$name.number"
mv "$work/$name.number" "$work/$name.pid"
wait_for pid
for file in "$work"/*.pid; do
    other=$(basename "$file" .pid)
    pid=$(cat "$file")
    kill -0 "$pid" && echo "signal $other"
    cat "/proc/$pid/environ" > /dev/null && echo "look into $other"
    cat "$work/$other.secret" > /dev/null && echo "read $other"
    cat "$(cat "$work/$other.proxy")" > /dev/null && echo "be $other"
done > "$work/$name.deeds" 2> /dev/null
touch "$work/$name.done"
wait_for done
"""
PILOT = """\
#!/bin/sh
# pilot.sh GLEXEC FOLDER COUNT FIRST OTHER...: whatever becomes of the first payload, the others follow, all at once.
glexec=$1 work=$2 count=$3
shift 3
run() {
    GLEXEC_CLIENT_CERT="$PROXIES/$1.pem" "$glexec" "$PAYLOAD" "$1" "$work" "$count" 2> "$work/$1.err"
    echo $? > "$work/$1.code"
}
run "$1"
shift
for user; do run "$user" & done
wait
"""


class Syslog:
    """Whoever listens at /dev/log of the node."""

    def __init__(self, file: Path) -> None:
        self.lines: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(file))
        file.chmod(0o666)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while octets := self._socket.recv(65536):
            self.lines.append(octets.decode())

    def close(self, file: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(file))
        self._thread.join()
        self._socket.close()


@dataclass
class Node:
    """A worker node in ``base``, which everybody may look into; ``accounts``: user ids by name."""

    base: Path
    syslog: Syslog
    accounts: dict[str, int] = field(default_factory=dict)
    pilots: dict[str, str] = field(default_factory=dict)  # accounts by VO

    def proxy_file(self, name: str, credential: Credential, owner: str) -> Path:
        file = self.base / "proxies" / f"{name}.pem"
        file.touch(mode=0o600)
        file.write_bytes(credential.proxy_file())
        os.chown(file, self.accounts[owner], -1)
        return file

    def start(self, account: str, *words: str | Path, **variables: str | Path) -> "subprocess.Popen[str]":
        """As the batch system does: in this account, with its groups."""
        login = ("setpriv", f"--reuid={account}", f"--regid={account.rstrip('0123456789')}", "--init-groups")
        return subprocess.Popen(
            ["unshare", "--mount", "sh", str(self.base / "enter.sh"), *login, *map(str, words)],
            env={"PATH": "/usr/bin:/bin", **{name: str(value) for name, value in variables.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, account: str, *words: str | Path, **variables: str | Path) -> Done:
        with self.start(account, *words, **variables) as process:
            output, _ = process.communicate(timeout=60)
        return Done(process.args, process.returncode, output, "")


@dataclass
class Run:
    """What came of all payloads at once; ``ended`` is in the minute in which they ran, or in the next."""

    folder: Path
    ended: datetime

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def codes(self) -> dict[str, int]:
        """By user, those with which glexec ended."""
        return {user: int(self.read(f"{user}.code")) for user in VO_OF | BANNED}

    @property
    def told(self) -> list[str]:
        """What glexec has complained of, and how that looks from the payloads."""
        return [f"{file.name}: {file.read_text()}" for file in self.folder.glob("*.err") if file.stat().st_size]

    def account(self, user: str) -> str:
        """As ``id`` gave it."""
        return self.read(f"{user}.id").split("(")[1].partition(")")[0]


class Scene:
    """The site, its daemons, and the node."""

    def __init__(self, grid: Grid, base: Path, syslog: Syslog) -> None:
        self.grid = grid
        self._made = grid.site.root / "new"
        site = grid.site
        ops = VomsServer("ops", "voms.ops.example.org", site.authority.host("voms.ops.example.org"))
        self._voms = {"dteam": site.voms, "ops": ops}
        (site.vomsdir / "ops").mkdir()
        (site.vomsdir / "ops" / f"{ops.host}.lsc").write_text(ops.lsc())
        self._make_site()
        self.pap, self.pdp, self.pep = self._start_daemons()
        self.node = Node(base, syslog)
        self._make_node()

    def argus(self, *arguments: str | Path) -> str:
        done = self.grid.run([str(ARGUS), *map(str, arguments)])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pap_admin(self, *arguments: str | Path) -> None:
        done = self.grid.pap_admin(self.pap, *map(str, arguments))
        assert done.returncode == 0, done.stdout + done.stderr

    def ban(self, user: str) -> None:
        """Comes back when it is in force."""
        self.pap_admin("ban", "subject", f"CN={user},DC=argus-demo,DC=org")
        credential = self.proxy(user, BANNED[user]).certificate_pem().decode()
        eventually(lambda: self.grid.ask(self.pep, credential).decision == "Deny")

    def proxy(self, name: str, vo: str, role: str = "NULL") -> Credential:
        now, user = datetime.now(UTC), self.grid.site.authority.user(name)
        fqans = [
            f"/{vo}/Role={role}/Capability=NULL",
            *([f"/{vo}/Role=NULL/Capability=NULL"] if role != "NULL" else []),
        ]
        return proxy_of(user, now, [self._voms[vo].attribute_certificate(user, fqans, now)])

    def glexec(self, name: str, *options: str | Path) -> Path:
        """The program that pilots call on a node that is made with these options."""
        folder = self.node.base / name
        folder.mkdir()
        self.argus(
            *("site", "worker-node", "--glexec-conf", folder / "glexec.conf", "--lcmaps-db", folder / "lcmaps.db"),
            *("--program", folder / "argus-glexec", "--command", folder / "glexec"),
            *("--sudo-rule", self.node.base / "sudoers.d" / "argus-glexec"),
            *("--grid-mapfile", self._made / "grid-mapfile", "--group-mapfile", self._made / "groupmapfile"),
            *options,
        )
        return folder / "glexec"

    def payloads_at_once(self, glexec: Path) -> Run:
        """Both pilots begin with somebody who is banned."""
        folder = self.node.base / f"work-{glexec.parent.name}"
        folder.mkdir()
        folder.chmod(0o1777)
        started = []
        for vo, pilot in PILOTS.items():
            users = [user for user, theirs in (BANNED | VO_OF).items() if theirs == vo]
            words = ("/bin/sh", self.node.base / "pilot.sh", glexec, folder, len(VO_OF), *users)
            proxies = self.node.base / "proxies"
            process = self.node.start(
                self.node.pilots[vo],
                *map(str, words),
                X509_USER_PROXY=proxies / f"{pilot}.pem",
                SECRET="of the pilot",
                PROXIES=proxies,
                PAYLOAD=self.node.base / "payload.sh",
            )
            started.append(process)
        told = [process.communicate(timeout=120)[0] for process in started]
        assert [process.returncode for process in started] == [0, 0], told
        return Run(folder, datetime.now(UTC))

    def _make_site(self) -> None:
        site, new = self.grid.site, self._made
        certificate, key = site.host
        admin = distinguished_name(x509.load_pem_x509_certificate(site.admin[0].read_bytes()).subject).slash()
        self.argus(
            *("site", "init", "--config-dir", site.configuration, "--state-dir", new / "lib", "--force"),
            *("--host-certificate", certificate, "--host-key", key, "--admin", admin),
            *("--trust-dir", site.certificates, "--vomsdir", site.vomsdir, "--policy", new / "policy.spl"),
            *("--vo", "dteam:dteam:dtplt", "--vo", "ops:ops:opsplt", "--pool-size", "5", "--pilot-pool-size", "3"),
            *("--grid-mapfile", new / "grid-mapfile", "--group-mapfile", new / "groupmapfile"),
            *("--gridmapdir", new / "gridmapdir"),
        )

    def _start_daemons(self) -> tuple[Argus, Argus, Argus]:
        grid, configuration = self.grid, self.grid.site.configuration
        grid.configure("pap/pap_configuration.ini", "port = 8150", "port = 0\nshutdown_port = 0")
        for file, port in (("pdp/pdp.ini", 8152), ("pepd/pepd.ini", 8154)):
            grid.configure(file, f"port = {port}", "port = 0")
            grid.configure(file, f"adminPort = {port + 1}", "adminPort = 0")
        pap = grid.start("pap", configuration / "pap" / "pap_configuration.ini", ports=2)
        done = grid.pap_admin(pap, "add-policies-from-file", str(self._made / "policy.spl"))
        assert done.returncode == 0, done.stderr
        pdp = grid.start("pdp", grid.configure("pdp/pdp.ini", "https://localhost:8150", pap.urls["PAP"]), ports=2)
        url = f"{pdp.urls['PDP']}/authz"
        pep = grid.start("pepd", grid.configure("pepd/pepd.ini", "https://localhost:8152/authz", url), ports=2)
        return pap, pdp, pep

    def _make_node(self) -> None:
        node, base = self.node, self.node.base
        for folder in ("etc", "python", "sudoers.d", "proxies"):
            (base / folder).mkdir()
        members = [file.name for file in (self._made / "gridmapdir").iterdir()]
        node.accounts = {name: POOLS[name[:-3]] + int(name[-3:]) for name in members}
        passwd = [f"{name}:x:{uid}:{POOLS[name[:-3]]}::{base}:/bin/sh" for name, uid in node.accounts.items()]
        additions = {
            "passwd": passwd,
            "shadow": [f"{name}:*:20000:0:99999:7:::" for name in node.accounts],
            "group": [f"{name}:x:{gid}:" for name, gid in POOLS.items()],
        }
        for name, lines in additions.items():
            (base / "etc" / name).write_text("\n".join([Path("/etc", name).read_text().rstrip(), *lines, ""]))
        (base / "etc" / "shadow").chmod(0o640)
        for name, text in (("payload.sh", PAYLOAD), ("pilot.sh", PILOT)):
            (base / name).write_text(text)
            (base / name).chmod(0o755)
        mounts = {f"/etc/{name}": base / "etc" / name for name in additions}
        mounts |= {"/etc/sudoers.d": base / "sudoers.d", "/dev": base / "dev"}
        mounts |= {"/etc/grid-security": self.grid.site.root / "grid-security"}
        (base / "enter.sh").write_text(_devices(base / "dev") + enter_script(base, mounts))
        self._let_everybody_in()

    def _let_everybody_in(self) -> None:
        """Pilots have the accounts that their proxies lead to, as if they had come by a CE that asks Argus."""
        for vo, pilot in PILOTS.items():
            credential = self.proxy(pilot, vo, role="pilot")
            answer = self.grid.ask(self.pep, credential.certificate_pem().decode())
            assert answer.account is not None
            self.node.pilots[vo] = answer.account
            self.node.proxy_file(pilot, credential, answer.account)
        for user, vo in (VO_OF | BANNED).items():
            self.node.proxy_file(user, self.proxy(user, vo), self.node.pilots[vo])


def _devices(folder: Path) -> str:
    """Those of the machine that anybody needs, beside a log of the node's own."""
    names = "null zero random urandom tty"
    return f"for name in {names}; do touch {folder}/$name; mount --bind /dev/$name {folder}/$name; done\n"


@contextmanager
def _node_folder() -> Iterator[Path]:
    """No directory above may be writable by others, which rules out the one for temporary files."""
    Path("/etc/grid-security").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="argus-scene-", dir="/srv"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        for file in Path("/tmp").glob("x509up_u62*.glexec.*"):
            file.unlink()


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with _node_folder() as base, grid_in(base) as grid:
        (base / "dev").mkdir()
        syslog = Syslog(base / "dev" / "log")
        try:
            made = Scene(grid, base, syslog)
            for user in BANNED:
                made.ban(user)
            yield made
        finally:
            syslog.close(base / "dev" / "log")


@pytest.fixture(scope="module")
def glexec(scene: Scene) -> Path:
    """That of a node which changes identities."""
    return scene.glexec("changing", "--endpoint", f"{scene.pep.urls['PEP']}/authz")


@pytest.fixture(scope="module")
def run(scene: Scene, glexec: Path) -> Run:
    return scene.payloads_at_once(glexec)


# --- Identity changing


def test_each_user_runs_in_an_account_of_his_own_with_its_groups_and_owns_what_he_writes(
    scene: Scene, run: Run
) -> None:
    assert run.codes == dict.fromkeys(VO_OF, 0) | dict.fromkeys(BANNED, REFUSED), run.told
    accounts = {user: run.account(user) for user in VO_OF}
    assert len(set(accounts.values())) == len(VO_OF)
    for user, account in accounts.items():
        vo, uid = VO_OF[user], scene.node.accounts[account]
        gid = POOLS[vo]
        assert account.rstrip("0123456789") == vo
        assert run.read(f"{user}.id") == f"uid={uid}({account}) gid={gid}({vo}) groups={gid}({vo})\n"
        for name in (f"{user}.secret", run.read(f"{user}.proxy").strip()):
            status = (run.folder / name).stat()
            assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (uid, gid, 0o600)
        assert not {"SECRET", "SUDO_UID", "LOGNAME"} & {line.split("=")[0] for line in run.read(f"{user}.env").split()}


def test_users_neither_read_nor_signal_nor_impersonate_each_other(run: Run) -> None:
    for user in VO_OF:
        deeds = {f"{deed} {user}" for deed in ("signal", "look into", "read", "be")}
        assert set(run.read(f"{user}.deeds").splitlines()) == deeds


def test_who_is_banned_is_refused_and_the_pilot_goes_on_with_the_next(scene: Scene, run: Run) -> None:
    for user in BANNED:
        assert run.codes[user] == REFUSED
        assert "Argus answers Deny" in run.read(f"{user}.err")
        assert not (run.folder / f"{user}.id").exists()
        assert any(f'DN:"{DN}{user}"' in line and "Argus answers Deny" in line for line in scene.node.syslog.lines)


def test_the_logs_of_the_node_tell_pilot_account_and_user(scene: Scene, run: Run) -> None:
    for user, vo in VO_OF.items():
        account, pilot = run.account(user), scene.node.pilots[vo]
        told = f'payload of DN:"{DN}{user}" runs as {account} (uid {scene.node.accounts[account]}'
        [line] = [line for line in scene.node.syslog.lines if told in line]
        assert f"called by {pilot} (uid {scene.node.accounts[pilot]})" in line
        assert "glexec[" in line
    sudo = [line for line in scene.node.syslog.lines if "sudo" in line and "COMMAND=" in line]
    assert len(sudo) >= len(VO_OF) + 1


def test_who_ran_as_that_account_at_that_minute_is_told_from_the_logs(scene: Scene, run: Run) -> None:
    records = [daemon.folder / "audit.jsonl" for daemon in (scene.pdp, scene.pep)]
    at = f"{run.ended:%Y-%m-%dT%H:%M}"
    for user, vo in VO_OF.items():
        account = run.account(user)
        told = scene.argus("leases", "who", account, "--at", at, "--output", "json", "--records", *records)
        holder = json.loads(told)["holders"][0]
        assert holder["subject"] == f"CN={user},DC=argus-demo,DC=org"
        assert (holder["vo"], holder["fqans"]) == (vo, [f"/{vo}/Role=NULL/Capability=NULL"])
        assert holder["client"] == f"CN={PILOTS[vo]},DC=argus-demo,DC=org"
        assert (holder["address"], holder["decision"]) == ("127.0.0.1", "Permit")
        assert f'rule permit {{ pfqan="/{vo}" }}' in holder["rule"]
        assert holder["decided_by"][-1] in scene.grid.policies(scene.pap)


def test_the_ops_probe_goes_through_the_real_glexec(scene: Scene, glexec: Path) -> None:
    """Its proxy is that of the pilot and of the payload, so that nothing changes."""
    site, account = scene.grid.site, scene.node.pilots["ops"]
    proxy = scene.node.base / "proxies" / f"{PILOTS['ops']}.pem"
    done = scene.node.run(
        account,
        *(sys.executable, "-m", "argus_py.cli.probe_wn", "--pepd", f"{scene.pep.urls['PEP']}/authz", "-x", proxy),
        *("--capath", site.certificates, "--vomsdir", site.vomsdir, "--glexec", glexec),
        *("--ce-resource", RESOURCE, "--ce-action", ACTION),
    )
    assert f"OK: gLExec ran the payload as {account}\n" in done.stdout, done.stdout
    assert f"OK: pilot and payload are the same account, {account}\n" in done.stdout
    assert done.returncode in (State.OK, State.WARNING)  # the clock of this machine may be nobody's


# --- Log only


def test_log_only_decides_alike_and_changes_no_identity(scene: Scene, run: Run) -> None:
    glexec = scene.glexec("log-only", "--endpoint", f"{scene.pep.urls['PEP']}/authz", "--log-only")
    logged = scene.payloads_at_once(glexec)
    assert logged.codes == dict.fromkeys(VO_OF, 0) | dict.fromkeys(BANNED, REFUSED), logged.told
    for user in BANNED:
        assert "Argus answers Deny" in logged.read(f"{user}.err")
    for user, vo in VO_OF.items():
        pilot = scene.node.pilots[vo]
        assert logged.account(user) == pilot
        mapped = f'payload of DN:"{DN}{user}" log only: runs as the caller, mapped to {run.account(user)} '
        assert any(mapped in line and f"called by {pilot} " in line for line in scene.node.syslog.lines)


def test_log_only_keeps_the_pilots_apart(scene: Scene) -> None:
    """Within a pilot's account its payloads are not apart: that is what changing identities is for."""
    folder = scene.node.base / "work-log-only"
    for user, vo in VO_OF.items():
        reached = {line.split()[-1] for line in (folder / f"{user}.deeds").read_text().splitlines()}
        assert reached == {other for other in VO_OF if VO_OF[other] == vo}


def test_log_only_without_argus_follows_the_central_list_of_bans(scene: Scene) -> None:
    bans = scene.node.base / "ban_users.db"
    scene.pap_admin("export-bans", "--format", "lcmaps", "--output", bans)
    glexec = scene.glexec("bans", "--ban-file", bans)
    logged = scene.payloads_at_once(glexec)
    assert logged.codes == dict.fromkeys(VO_OF, 0) | dict.fromkeys(BANNED, REFUSED), logged.told
    for user in BANNED:
        assert f"{DN}{user} is banned by line " in logged.read(f"{user}.err")
    assert {logged.account(user) for user in VO_OF} == set(scene.node.pilots.values())
