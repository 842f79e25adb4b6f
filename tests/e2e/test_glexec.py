"""argus-glexec as root on one worker node: real processes, accounts of its own, a real Argus to ask.

Accounts and groups are known in a mount namespace alone. sudo is stood in for by what it does: start the launcher as
root, with SUDO_UID and SUDO_GID of the caller.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from demo.issuing import Credential, proxy_of
from demo.site import Site, make_site
from tests.e2e.conftest import Argus, Grid, eventually, grid_in
from tests.e2e.mounts import enter_script

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="argus-glexec changes identities: run as root")

Done = subprocess.CompletedProcess[str]
PILOTS = {"dtplt001": 61001, "dtplt002": 61002}
POOL = {f"dteam{number:03d}": 61100 + number for number in range(1, 6)}
GROUPS = {"dtplt": 61000, "dteam": 61100, "nobody": 61900}
MEMBER = ("/dteam/Role=NULL/Capability=NULL",)
REFUSED, CLIENT, INTERNAL = 203, 201, 202

GUIDE_WITH_ARGUS = """\
path = /usr/lib64/lcmaps

verify_proxy = "lcmaps_verify_proxy.mod"
               " -certdir /etc/grid-security/certificates"
               " --allow-limited-proxy"
pepc         = "lcmaps_c_pep.mod"
               " --pep-daemon-endpoint-url https://argus1.example.org:8154/authz"
               " --pep-daemon-endpoint-url https://argus2.example.org:8154/authz"
               " -resourceid http://authz-interop.org/xacml/resource/resource-type/wn"
               " -actionid http://glite.org/xacml/action/execute"
               " -capath /etc/grid-security/certificates"
               " -pep-certificate-mode implicit"
posix_enf    = "lcmaps_posix_enf.mod" " -maxuid 1" " -maxpgid 1" " -maxsgid 32"

glexec_get_account:
verify_proxy -> pepc
pepc -> posix_enf
"""
GUIDE_WITHOUT_ARGUS = """\
path = /usr/lib64/lcmaps
verify_proxy = "lcmaps_verify_proxy.mod" " -certdir /etc/grid-security/certificates/" " --allow-limited-proxy"
ban_dn       = "lcmaps_ban_dn.mod"   " -banmapfile /somewhere/ban_users.db"
ban_fqan     = "lcmaps_ban_fqan.mod" " -banmapfile /somewhere/ban_users.db"
good         = "lcmaps_dummy_good.mod" " --dummy-username nobody --dummy-group nobody --dummy-sec-group nobody"

glexec_get_account:
verify_proxy -> ban_dn
ban_dn -> ban_fqan
ban_fqan -> good
"""


def over_rest(policy: str) -> str:
    return policy.replace(":8154/authz", ":8154").replace('implicit"', 'implicit" " -wire rest"')


@dataclass
class WorkerNode:
    """A folder that everybody may look into, and the namespace in which its accounts exist."""

    base: Path
    site: Site

    @property
    def log(self) -> str:
        return (self.base / "glexec.log").read_text() if (self.base / "glexec.log").exists() else ""

    def configure(self, policy: str, **keys: str) -> None:
        values = {
            "user_white_list": ".dtplt",
            "lcmaps_db_file": str(self.base / "lcmaps.db"),
            "log_destination": "file",
            "log_file": str(self.base / "glexec.log"),
            "log_level": "5",
            "lcmaps_debug_level": "5",
            **keys,
        }
        text = "[glexec]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        (self.base / "glexec.conf").write_text(text)
        (self.base / "lcmaps.db").write_text(policy)

    def proxy_file(self, name: str, credential: Credential, owner: str) -> Path:
        file = self.base / f"{name}.pem"
        file.touch(mode=0o600)
        file.write_bytes(credential.proxy_file())
        os.chown(file, PILOTS[owner], GROUPS["dtplt"])
        return file

    def user(self, name: str, owner: str = "dtplt001", fqans: tuple[str, ...] = MEMBER) -> Path:
        """The payload proxy of a new user, in the hands of the pilot."""
        return self.proxy_file(name.replace(" ", "-"), self.site.pilot(name, fqans), owner)

    def command(self, *words: str | Path, caller: str, as_root: bool = True) -> list[str]:
        launcher = [str(self.base / "argus-glexec"), *map(str, words)]
        if not as_root:
            launcher = [
                "setpriv",
                f"--reuid={PILOTS[caller]}",
                f"--regid={GROUPS['dtplt']}",
                "--clear-groups",
                *launcher,
            ]
        return ["unshare", "--mount", "sh", str(self.base / "enter.sh"), *launcher]

    def environment(self, caller: str, as_root: bool, variables: Mapping[str, str | Path]) -> dict[str, str]:
        sudo = {"SUDO_UID": str(PILOTS[caller]), "SUDO_GID": str(GROUPS["dtplt"])} if as_root else {}
        return {"PATH": "/usr/bin:/bin:/usr/sbin", **sudo, **{name: str(value) for name, value in variables.items()}}

    def run(
        self,
        *words: str | Path,
        proxies: Mapping[str, Path] = MappingProxyType({}),
        caller: str = "dtplt001",
        as_root: bool = True,
        **variables: str | Path,
    ) -> Done:
        """``proxies`` are variables, too."""
        return subprocess.run(
            self.command(*words, caller=caller, as_root=as_root),
            env=self.environment(caller, as_root, {**proxies, **variables}),
            cwd=self.base,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            umask=0o027,
        )

    def start(self, *words: str | Path, caller: str = "dtplt001", **variables: str | Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*words, caller=caller),
            env=self.environment(caller, True, variables),
            cwd=self.base,
            stdout=subprocess.PIPE,
            text=True,
        )


def _make_worker_node(base: Path, site: Site) -> WorkerNode:
    for folder in ("etc", "python", "somewhere"):
        (base / folder).mkdir()
    accounts = [(name, number, "dtplt") for name, number in PILOTS.items()]
    accounts += [(name, number, "dteam") for name, number in POOL.items()]
    accounts.append(("rogue", 61800, "dtplt"))
    lines = [f"{name}:x:{number}:{GROUPS[group]}::{base}:/bin/sh" for name, number, group in accounts]
    (base / "etc" / "passwd").write_text(Path("/etc/passwd").read_text() + "\n".join(lines) + "\n")
    known = [line for line in Path("/etc/group").read_text().splitlines() if line.split(":")[0] not in GROUPS]
    known += [f"{name}:x:{number}:" for name, number in GROUPS.items()]
    (base / "etc" / "group").write_text("\n".join(known) + "\n")
    names = "127.77.1.1 argus1.example.org\n127.77.1.2 argus2.example.org wrong.example.org\n"
    (base / "etc" / "hosts").write_text(Path("/etc/hosts").read_text() + names)
    mounts = {f"/etc/{name}": base / "etc" / name for name in ("passwd", "group", "hosts")}
    mounts |= {"/etc/grid-security": base / "site" / "grid-security", "/somewhere": base / "somewhere"}
    (base / "enter.sh").write_text(enter_script(base, mounts))
    launcher = base / "argus-glexec"
    launcher.write_text(
        f"#!{sys.executable} -I\nimport sys\nfrom argus_py.cli.glexec import main\n"
        f"sys.exit(main(configuration={str(base / 'glexec.conf')!r}))\n"
    )
    launcher.chmod(0o755)
    return WorkerNode(base, site)


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """No directory above may be writable by others, which rules out the one for temporary files."""
    Path("/etc/grid-security").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="argus-glexec-", dir="/srv"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
    for number in (*PILOTS.values(), *POOL.values()):
        for copy in Path("/tmp").glob(f"x509up_u{number}.glexec.*"):
            copy.unlink()


@pytest.fixture(scope="module")
def grid(base: Path) -> Iterator[Grid]:
    """Daemons, whose PEP is argus2.example.org on its usual port."""
    with grid_in(base) as grid:
        argus2 = grid.site.authority.host("argus2.example.org", "127.77.1.2")
        host = grid.site.root / "hosts" / "argus2"
        host.with_suffix(".pem").write_bytes(argus2.certificate_pem())
        host.with_suffix(".key").touch(mode=0o600)
        host.with_suffix(".key").write_bytes(argus2.key_pem())
        grid.configure("pepd/pepd.ini", "hostname = localhost\nport = 0", "hostname = 127.77.1.2\nport = 8154")
        for suffix in ("pem", "key"):
            grid.configure("pepd/pepd.ini", f"hosts/localhost.{suffix}", f"hosts/argus2.{suffix}")
        yield grid


@pytest.fixture(scope="module")
def argus(grid: Grid) -> Argus:
    argus = grid.serve()
    grid.load_policy(argus)
    return argus


@pytest.fixture(scope="module")
def machine(base: Path, grid: Grid) -> WorkerNode:
    return _make_worker_node(base, grid.site)


@pytest.fixture
def node(machine: WorkerNode) -> WorkerNode:
    """Configured as in the guide, with an empty log."""
    (machine.base / "glexec.log").unlink(missing_ok=True)
    machine.configure(GUIDE_WITH_ARGUS, user_identity_switch_by="lcmaps")
    return machine


@pytest.fixture(scope="module")
def pilot(machine: WorkerNode) -> Path:
    return machine.proxy_file("pilot", machine.site.pilot("Pilot One"), "dtplt001")


@pytest.fixture(scope="module")
def alice(machine: WorkerNode) -> Path:
    return machine.user("Alice Adams")


def refused(node: WorkerNode, done: Done, code: int, reason: str) -> None:
    assert done.returncode == code, (done.stderr, node.log)
    assert reason in done.stderr + node.log, (done.stderr, node.log)
    assert "payload ran" not in done.stdout


PAYLOAD = ("/bin/echo", "payload ran")


# --- Identity changing


def test_payload_runs_as_the_mapped_account_and_owns_what_it_writes(
    node: WorkerNode, argus: Argus, pilot: Path, alice: Path
) -> None:
    """The guide's file verbatim: argus1 is down, argus2 answers."""
    target = node.base / "target"
    target.mkdir(exist_ok=True)
    target.chmod(0o777)
    done = node.run(
        "/bin/sh",
        "-c",
        'id; pwd; env; umask; touch mine; stat -c "%U %G %a" mine "$X509_USER_PROXY"; exit 7',
        GLEXEC_CLIENT_CERT=alice,
        X509_USER_PROXY=pilot,
        GLEXEC_TARGET_DIR=target,
        GLEXEC_TARGET_PROXY=target / "proxy",
        MALLOC_CHECK_="3",
        LD_LIBRARY_PATH="/nonexistent",
        SECRET="the pilot's",
    )
    assert done.returncode == 7, (done.stderr, node.log)
    user = next(name for name in POOL if f"({name})" in done.stdout)
    assert f"uid={POOL[user]}({user}) gid=61100(dteam) groups=61100(dteam)" in done.stdout
    assert str(target) in done.stdout.splitlines()
    assert done.stdout.count(f"{user} dteam 6") == 2
    assert f"{user} dteam 600" in done.stdout
    assert f"HOME={node.base}" in done.stdout
    assert f"X509_USER_PROXY={target}/proxy" in done.stdout
    assert not re.findall(r"^(MALLOC|LD_LIBRARY|SECRET|SUDO_UID|PATH=).*", done.stdout, re.MULTILINE)
    assert (target / "proxy").read_bytes() == alice.read_bytes()
    assert "\n0022\n" in done.stdout
    final = f"LCMAPS CRED FINAL: DN:\"/DC=org/DC=argus-demo/CN=Alice Adams\"->mapped uid:'{POOL[user]}',pgid:'61100'"
    assert final in node.log
    assert f"runs as {user}" in node.log
    assert "called by dtplt001 (uid 61001)" in node.log


def test_several_users_get_accounts_of_their_own_and_the_same_again(
    node: WorkerNode, argus: Argus, pilot: Path, alice: Path
) -> None:
    def account(payload: Path) -> str:
        done = node.run("/usr/bin/id", "-un", GLEXEC_CLIENT_CERT=payload, X509_USER_PROXY=pilot)
        assert done.returncode == 0, (done.stderr, node.log)
        return done.stdout.strip()

    payloads = [alice, node.user("Bob Brown"), node.user("Carol Clark")]
    accounts = [account(payload) for payload in payloads]
    assert len(set(accounts)) == 3
    assert account(alice) == accounts[0]


def test_users_neither_read_nor_signal_each_other(node: WorkerNode, argus: Argus, pilot: Path, alice: Path) -> None:
    bob = node.user("Bob Brown")
    sleeper = node.start("/bin/sh", "-c", "echo $$; exec sleep 60", GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    assert sleeper.stdout is not None
    process = sleeper.stdout.readline().strip()
    with sleeper:
        try:
            done = node.run(
                "/bin/sh",
                "-c",
                f"kill -0 {process}; echo $?; cat /proc/{process}/environ; echo $?; cat /tmp/x509up_u*; echo $?",
                GLEXEC_CLIENT_CERT=bob,
                X509_USER_PROXY=pilot,
            )
            assert done.stdout.split()[:2] == ["1", "1"], done.stdout
            assert "Operation not permitted" in done.stderr
            assert done.stderr.count("Permission denied") >= 2
        finally:
            sleeper.send_signal(signal.SIGTERM)
        assert sleeper.wait(30) == 128 + signal.SIGTERM
    assert "by signal 15" in node.log


def test_without_linger_the_payload_takes_the_place_of_glexec(
    node: WorkerNode, argus: Argus, pilot: Path, alice: Path
) -> None:
    node.configure(GUIDE_WITH_ARGUS, linger="no")
    process = node.start("/bin/sh", "-c", "echo $$; exit 203", GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{process.pid}\n"
    assert process.returncode == 203


def test_own_codes_of_a_payload_become_204_and_exec_failures_126(
    node: WorkerNode, argus: Argus, pilot: Path, alice: Path
) -> None:
    proxies = {"GLEXEC_CLIENT_CERT": alice, "X509_USER_PROXY": pilot}
    assert node.run("/bin/sh", "-c", "exit 202", proxies=proxies).returncode == 204
    script = node.base / "script"
    script.write_text("#!/nonexistent/interpreter\n")
    script.chmod(0o755)
    assert node.run(script, proxies=proxies).returncode == 126
    assert "cannot be executed" in node.log


def test_banned_user_is_refused_and_the_pilot_goes_on(
    node: WorkerNode, grid: Grid, argus: Argus, pilot: Path, alice: Path
) -> None:
    mallory = node.user("Mallory")
    banned = grid.pap_admin(argus, "ban", "subject", "CN=Mallory,DC=argus-demo,DC=org")
    assert banned.returncode == 0, banned.stderr
    eventually(lambda: node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=mallory, X509_USER_PROXY=pilot).returncode == REFUSED)
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=mallory, X509_USER_PROXY=pilot), REFUSED, "Argus answers Deny")
    assert node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot).stdout == "payload ran\n"


def outcome(node: WorkerNode, policy: str, proxies: Mapping[str, Path]) -> tuple[int, str, str]:
    """Exit code, output and log, without what is different in each run and the path that is that of the wire."""
    node.configure(policy, user_identity_switch_by="lcmaps")
    (node.base / "glexec.log").unlink(missing_ok=True)
    keys = node.base / "keys"
    done = node.run(
        *("/bin/sh", "-c", "echo payload ran; id"),
        proxies=proxies,
        HTTPS_PROXY="http://127.0.0.1:1",
        SSL_CERT_DIR="/nonexistent",
        SSLKEYLOGFILE=keys,
    )
    assert not keys.exists()
    log = re.sub(r"^\S+ glexec\[\d+\]: ", "", node.log, flags=re.MULTILINE)
    return done.returncode, done.stdout, re.sub(r"process \d+|after \d+ seconds|:8154(/authz)?", "", log)


def test_both_wires_give_the_same_account_refusals_and_log_lines(
    node: WorkerNode, grid: Grid, argus: Argus, pilot: Path, alice: Path
) -> None:
    trudy = node.user("Trudy")
    assert grid.pap_admin(argus, "ban", "subject", "CN=Trudy,DC=argus-demo,DC=org").returncode == 0
    eventually(lambda: node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=trudy, X509_USER_PROXY=pilot).returncode == REFUSED)
    with grid.pap(argus) as pap:
        pap.add_policies("default", 'resource "no-account" { action ".*" { rule permit { vo="dteam" } } }', {})
    resource = "http://authz-interop.org/xacml/resource/resource-type/wn"
    nowhere = GUIDE_WITH_ARGUS.replace("argus2.example.org", "wrong.example.org")
    expected = [
        (alice, GUIDE_WITH_ARGUS, 0, "->mapped uid:"),
        (trudy, GUIDE_WITH_ARGUS, REFUSED, "Argus answers Deny"),
        (alice, GUIDE_WITH_ARGUS.replace(resource, "elsewhere"), REFUSED, "Argus answers NotApplicable"),
        (alice, GUIDE_WITH_ARGUS.replace(resource, "no-account"), REFUSED, "permits without mapping"),
        (alice, nowhere, REFUSED, "no answer from Argus: https://argus1.example.org: Connection refused; "),
        (alice, nowhere, REFUSED, "its certificate is not accepted: Hostname mismatch"),
    ]
    for payload, policy, code, reason in expected:
        proxies = {"GLEXEC_CLIENT_CERT": payload, "X509_USER_PROXY": pilot}
        told = outcome(node, policy, proxies)
        assert outcome(node, over_rest(policy), proxies) == told
        assert (told[0], reason in told[2], "payload ran" in told[1]) == (code, True, code == 0), told


def test_account_may_come_from_a_gridmapdir_without_argus(node: WorkerNode, alice: Path) -> None:
    """As sites did that shared the directory with their CEs."""
    security = "/etc/grid-security"
    gridmapdir = node.site.gridmapdir
    (gridmapdir / ".argus.claim.1.0123456789abcdef.dead.host").touch()
    node.configure(
        f"""
        verify = "lcmaps_verify_proxy.mod" "-certdir {security}/certificates"
        group  = "lcmaps_voms_localgroup.mod" "-groupmapfile {security}/groupmapfile" "-mapmin 0"
        pool   = "lcmaps_voms_poolaccount.mod"
                 "-gridmapfile {security}/grid-mapfile" "-gridmapdir {security}/gridmapdir"
        enf    = "lcmaps_posix_enf.mod"

        glexec_get_account:
        verify -> group
        group -> pool
        pool -> enf
        """
    )
    done = node.run("/bin/sh", "-c", "id -un; id -gn", GLEXEC_CLIENT_CERT=alice)
    assert done.returncode == 0, (done.stderr, node.log)
    account, group = done.stdout.split()
    assert (account[:5], group) == ("dteam", "dteam")
    lease = gridmapdir / "%2fdc%3dorg%2fdc%3dargus%2ddemo%2fcn%3dalice%20adams:dteam"
    assert lease.samefile(gridmapdir / account)
    assert 'FQAN:"/dteam"->mapped group:61100(dteam)' in node.log


DUMMY = 'good = "lcmaps_dummy_good.mod --dummy-uid {uid} --dummy-gid 61000"\n{policy}:\ngood\n'


def test_verify_mode_runs_the_payload_only_if_the_account_is_the_callers(node: WorkerNode, alice: Path) -> None:
    node.configure(DUMMY.format(uid=61001, policy="glexec_verify_account"))
    mode = "lcmaps_verify_account"
    done = node.run("/usr/bin/id", "-un", GLEXEC_CLIENT_CERT=alice, GLEXEC_MODE=mode)
    assert done.stdout == "dtplt001\n", (done.stderr, node.log)
    node.configure(DUMMY.format(uid=61002, policy="glexec_verify_account"))
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, GLEXEC_MODE=mode)
    refused(node, done, REFUSED, "the policy leads to dtplt002, and the caller is dtplt001")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice), INTERNAL, "has no policy glexec_get_account")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, GLEXEC_MODE="magic"), CLIENT, "GLEXEC_MODE is 'magic'")


def test_doas_tells_the_caller_by_name(node: WorkerNode, alice: Path) -> None:
    node.configure(DUMMY.format(uid=61101, policy="glexec_get_account"))
    command = node.command("/usr/bin/id", "-un", caller="dtplt001")
    variables = {"DOAS_USER": "dtplt001", "GLEXEC_CLIENT_CERT": str(alice), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "dteam001\n", (done.stderr, node.log)
    done = subprocess.run(
        command, env={**variables, "DOAS_USER": "rogue"}, capture_output=True, text=True, check=False, timeout=60
    )
    refused(node, done, REFUSED, "the account rogue is not on")


def test_preserved_variables_relative_commands_and_the_copy_of_another_proxy(
    node: WorkerNode, alice: Path, pilot: Path
) -> None:
    node.configure(DUMMY.format(uid=61101, policy="glexec_get_account"), preserve_env_variables="LANG, LD_PRELOAD")
    script = node.base / "job.sh"
    script.write_text('#!/bin/sh\necho "$LANG $LD_PRELOAD $GLEXEC_ENV"; cat "$X509_USER_PROXY"\n')
    script.chmod(0o755)
    done = node.run(
        "./job.sh",
        GLEXEC_CLIENT_CERT=alice,
        GLEXEC_SOURCE_PROXY=pilot,
        GLEXEC_TARGET_DIR="/",
        GLEXEC_ENV="packed",
        LANG="C",
        SECRET="x",
    )
    assert done.stdout == f"C  packed\n{pilot.read_text()}", (done.stderr, node.log)
    done = node.run("/usr/bin/env", GLEXEC_CLIENT_CERT=alice, GLEXEC_SOURCE_PROXY="/dev/null")
    assert "X509_USER_PROXY" not in done.stdout


def test_payload_has_no_terminal_to_type_into(node: WorkerNode, alice: Path) -> None:
    """It would be that of whoever has called; the group of processes is still the job's."""
    node.configure(DUMMY.format(uid=61101, policy="glexec_get_account"))
    script = 'ps -o pgid= -p $$; (: < /dev/tty) && echo "has a terminal"; true'
    command = ["setsid", "--ctty", "--wait", *node.command("/bin/sh", "-c", script, caller="dtplt001")]
    screen, terminal = os.openpty()
    with subprocess.Popen(
        command,
        env=node.environment("dtplt001", True, {"GLEXEC_CLIENT_CERT": alice}),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        output, errors = process.communicate(timeout=60)
    os.close(screen)
    os.close(terminal)
    assert process.returncode == 0, (errors, node.log)
    assert "has a terminal" not in output
    assert "/dev/tty" in errors
    assert re.search(r"payload process (\d+) ended", node.log)[1] != output.strip()  # type: ignore[index]


def test_command_is_sought_where_the_caller_may_look(node: WorkerNode, alice: Path) -> None:
    node.configure(DUMMY.format(uid=61101, policy="glexec_get_account"))
    hidden = node.base / "hidden"
    hidden.mkdir(mode=0o700)
    done = node.run("id", "-un", GLEXEC_CLIENT_CERT=alice, PATH=f"{hidden}:/usr/bin:/bin")
    assert done.stdout == "dteam001\n", (done.stderr, node.log)
    refused(node, node.run(hidden / "id", GLEXEC_CLIENT_CERT=alice), 126, "cannot be executed")


# --- Log only


def test_log_only_asks_argus_and_keeps_the_account(node: WorkerNode, argus: Argus, pilot: Path, alice: Path) -> None:
    node.configure(GUIDE_WITH_ARGUS.replace("pepc -> posix_enf", ""), log_destination="syslog")
    done = node.run("/bin/sh", "-c", "id; umask", as_root=False, GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    assert done.stdout == "uid=61001(dtplt001) gid=61000(dtplt) groups=61000(dtplt)\n0027\n", done
    assert done.returncode == 0


def test_log_only_refuses_a_policy_that_changes_the_identity(
    node: WorkerNode, argus: Argus, pilot: Path, alice: Path
) -> None:
    node.configure(GUIDE_WITH_ARGUS, log_destination="syslog")
    done = node.run(*PAYLOAD, as_root=False, GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    refused(node, done, REFUSED, "not started as root")


@pytest.fixture
def bans(node: WorkerNode) -> Iterator[Path]:
    """The ban file of the guide, where the guide has it."""
    folder = Path("/somewhere")
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    node.configure(GUIDE_WITHOUT_ARGUS, log_destination="syslog")
    yield node.base / "somewhere" / "ban_users.db"
    if made:
        folder.rmdir()


def test_log_only_without_argus_follows_the_ban_file(node: WorkerNode, bans: Path, alice: Path) -> None:
    """The guide's other file verbatim."""
    eve, pilot_role = node.user("Eve"), node.user("Zoe", fqans=("/dteam/Role=pilot/Capability=NULL",))
    bans.write_text('# PAP host: pap, alias: default\n"/DC=org/DC=argus-demo/CN=Eve"\n"/dteam/Role=pilot"\n')
    done = node.run("/usr/bin/id", "-un", as_root=False, GLEXEC_CLIENT_CERT=alice)
    assert (done.returncode, done.stdout) == (0, "dtplt001\n"), done.stderr
    banned = node.run(*PAYLOAD, as_root=False, GLEXEC_CLIENT_CERT=eve)
    refused(node, banned, REFUSED, "/DC=org/DC=argus-demo/CN=Eve is banned by line 2")
    banned = node.run(*PAYLOAD, as_root=False, GLEXEC_CLIENT_CERT=pilot_role)
    refused(node, banned, REFUSED, "/dteam/Role=pilot is banned by line 3")
    bans.unlink()
    refused(node, node.run(*PAYLOAD, as_root=False, GLEXEC_CLIENT_CERT=alice), INTERNAL, "ban_users.db")


# --- Bad input: the exit code, the reason, and never a payload


def test_configuration_that_others_can_write_is_refused(node: WorkerNode, alice: Path, pilot: Path) -> None:
    proxies = {"GLEXEC_CLIENT_CERT": alice, "X509_USER_PROXY": pilot}
    for name in ("glexec.conf", "lcmaps.db"):
        (node.base / name).chmod(0o666)
        refused(node, node.run(*PAYLOAD, proxies=proxies), INTERNAL, f"{name} cannot be used: can be written by others")
        (node.base / name).chmod(0o644)
    node.base.chmod(0o777)
    refused(node, node.run(*PAYLOAD, proxies=proxies), INTERNAL, f"{node.base} can be written by others")
    node.base.chmod(0o755)
    os.chown(node.base / "glexec.conf", PILOTS["dtplt001"], 0)
    refused(node, node.run(*PAYLOAD, proxies=proxies), INTERNAL, "belongs to the user 61001")
    os.chown(node.base / "glexec.conf", 0, 0)
    (node.base / "glexec.conf").unlink()
    refused(node, node.run(*PAYLOAD, proxies=proxies), INTERNAL, "No such file")


def test_folder_of_cas_that_everybody_can_write_is_refused(node: WorkerNode, alice: Path, pilot: Path) -> None:
    cas = node.base / "writable-cas"
    shutil.copytree(node.site.certificates, cas)
    cas.chmod(0o777)
    for old in ("-certdir /etc/grid-security/certificates", "-capath /etc/grid-security/certificates"):
        node.configure(GUIDE_WITH_ARGUS.replace(old, f"{old.split()[0]} {cas}"))
        done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
        refused(node, done, INTERNAL, f"{cas} cannot be used: can be written by everybody")


def test_caller_that_is_not_on_the_white_list_is_refused(node: WorkerNode, alice: Path, pilot: Path) -> None:
    done = node.run(*PAYLOAD, SUDO_UID="61800", GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    refused(node, done, REFUSED, "the account rogue is not on the user_white_list")


def test_uncertain_caller_is_refused(node: WorkerNode, alice: Path) -> None:
    both = node.run(*PAYLOAD, DOAS_USER="dtplt001", GLEXEC_CLIENT_CERT=alice)
    refused(node, both, INTERNAL, "both SUDO_UID and DOAS_USER")
    refused(node, node.run(*PAYLOAD, SUDO_UID="-1", GLEXEC_CLIENT_CERT=alice), INTERNAL, "no number")


def test_interpreter_that_is_not_isolated_is_refused(node: WorkerNode, alice: Path) -> None:
    launcher = node.base / "argus-glexec"
    text = launcher.read_text()
    launcher.write_text(text.replace(" -I\n", "\n"))
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice), INTERNAL, "isolated")
    launcher.write_text(text)


def test_missing_proxies_are_the_mistake_of_the_caller(node: WorkerNode, argus: Argus, alice: Path) -> None:
    refused(node, node.run(*PAYLOAD), CLIENT, "GLEXEC_CLIENT_CERT is not set")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT="/nonexistent"), CLIENT, "No such file")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice.name), CLIENT, "no absolute path")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice), CLIENT, "X509_USER_PROXY is not set")


def test_proxies_of_others_or_open_to_others_are_refused(node: WorkerNode, pilot: Path) -> None:
    foreign = node.user("Foreign", owner="dtplt002")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=foreign, X509_USER_PROXY=pilot), CLIENT, "Permission denied")
    open_to_all = node.user("Open")
    open_to_all.chmod(0o644)
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=open_to_all, X509_USER_PROXY=pilot)
    refused(node, done, CLIENT, "others have access to it (mode 0644)")
    os.chown(open_to_all, PILOTS["dtplt002"], 0)
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=open_to_all, X509_USER_PROXY=pilot)
    refused(node, done, CLIENT, "it belongs to the user 61002, not to 61001")


def test_expired_and_damaged_proxies_are_refused(node: WorkerNode, pilot: Path) -> None:
    now = datetime.now(UTC)
    user = node.site.authority.user("Late")
    expired = node.proxy_file("late", proxy_of(user, now - timedelta(hours=3), lifetime=timedelta(hours=1)), "dtplt001")
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=expired, X509_USER_PROXY=pilot)
    refused(node, done, CLIENT, "Certificate has expired")
    keyless = node.proxy_file("keyless", proxy_of(user, now), "dtplt001")
    keyless.write_bytes(proxy_of(user, now).certificate_pem())
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=keyless, X509_USER_PROXY=pilot)
    refused(node, done, CLIENT, "it holds no private key")
    keyless.write_bytes(b"nothing")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=keyless, X509_USER_PROXY=pilot), CLIENT, "cannot be used")


def test_user_of_an_unknown_ca_is_refused_before_argus_is_asked(node: WorkerNode, pilot: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stranger = make_site(Path(folder) / "elsewhere").pilot("Stranger", MEMBER)
    payload = node.proxy_file("stranger", stranger, "dtplt001")
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=payload, X509_USER_PROXY=pilot)
    refused(node, done, REFUSED, "verify_proxy: failure")


def test_argus_that_is_down_is_a_refusal(node: WorkerNode, alice: Path, pilot: Path) -> None:
    node.configure(GUIDE_WITH_ARGUS.replace("argus2.example.org:8154", "argus2.example.org:8199"))
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    refused(node, done, REFUSED, "no answer from Argus: https://argus1.example.org:8154/authz: Connection refused")


def test_server_that_is_not_argus_is_not_asked(node: WorkerNode, argus: Argus, alice: Path, pilot: Path) -> None:
    """Another name, an unknown CA, and a CA that may not sign the name: the handshake accepts the last one."""
    proxies = {"GLEXEC_CLIENT_CERT": alice, "X509_USER_PROXY": pilot}
    capath = "-capath /etc/grid-security/certificates"
    cas = node.base / "cas"
    shutil.copytree(node.site.certificates, cas)
    for file in cas.glob("*.signing_policy"):
        file.write_text(file.read_text().replace("/DC=org/DC=argus-demo/*", "/DC=org/DC=elsewhere/*"))
    for old, new, reason in (
        ("argus2.example.org", "wrong.example.org", "Hostname mismatch"),
        (capath, f"-capath {node.base}/python", "unable to get local issuer certificate"),
        (capath, f"-capath {cas}", "is not accepted by any rule of the relevant namespace policies"),
    ):
        node.configure(GUIDE_WITH_ARGUS.replace(old, new))
        refused(node, node.run(*PAYLOAD, proxies=proxies), REFUSED, reason)
    assert node.log.count("its certificate is not accepted") >= 3


def test_resource_without_a_rule_or_without_mapping_is_a_refusal(
    node: WorkerNode, grid: Grid, argus: Argus, alice: Path, pilot: Path
) -> None:
    node.configure(GUIDE_WITH_ARGUS.replace("resource-type/wn", "resource-type/elsewhere"))
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, X509_USER_PROXY=pilot)
    refused(node, done, REFUSED, "Argus answers NotApplicable")
    with grid.pap(argus) as pap:
        pap.add_policies("default", 'resource "unmapped" { action ".*" { rule permit { vo="dteam" } } }', {})
    node.configure(GUIDE_WITH_ARGUS.replace("http://authz-interop.org/xacml/resource/resource-type/wn", "unmapped"))
    proxies = {"GLEXEC_CLIENT_CERT": alice, "X509_USER_PROXY": pilot}
    eventually(lambda: "permits without mapping" in node.run(*PAYLOAD, proxies=proxies).stderr)
    refused(node, node.run(*PAYLOAD, proxies=proxies), REFUSED, "Argus permits without mapping")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--dummy-uid 0 --dummy-gid 61100", "leads to root"),
        ("--dummy-uid 61101 --dummy-gid 0", "leads to root"),
        ("--dummy-uid 61101 --dummy-gid 61100 --dummy-sec-gid 0", "leads to root"),
        ("--dummy-uid 4242424 --dummy-gid 61100", "does not know the account 4242424"),
        ("--dummy-uid 61101", "could not find any gid"),
        ("", "without an account"),
    ],
)
def test_mapping_to_root_or_nobody_known_is_a_refusal(
    node: WorkerNode, alice: Path, arguments: str, reason: str
) -> None:
    node.configure(f'good = "lcmaps_dummy_good.mod {arguments}"\nglexec_get_account:\ngood\n')
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice), REFUSED, reason)


def test_account_that_argus_names_and_nobody_knows_is_a_refusal(node: WorkerNode, argus: Argus, pilot: Path) -> None:
    """The pilot's own proxy leads to a pool that this machine knows only a part of."""
    passwd = node.base / "etc" / "passwd"
    text = passwd.read_text()
    passwd.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("dteam0")))
    payload = node.user("Dave")
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=payload, X509_USER_PROXY=pilot)
    passwd.write_text(text)
    refused(node, done, REFUSED, "this machine does not know the account 'dteam0")


def test_plugin_that_is_not_there_and_switch_that_nobody_makes_are_mistakes_of_the_site(
    node: WorkerNode, alice: Path
) -> None:
    node.configure('x = "lcmaps_scas_client.mod"\nglexec_get_account:\nx\n')
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice), INTERNAL, "lcmaps_scas_client of x is not known here")
    good = '"lcmaps_dummy_good.mod --dummy-uid 61101 --dummy-gid 61100"'
    node.configure(f"good = {good}\nglexec_get_account:\ngood\n", user_identity_switch_by="lcmaps")
    refused(node, node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice), INTERNAL, "has not run lcmaps_posix_enf")


def test_command_and_targets_that_cannot_be_are_mistakes_of_the_caller(node: WorkerNode, alice: Path) -> None:
    node.configure(
        'good = "lcmaps_dummy_good.mod --dummy-uid 61101 --dummy-gid 61100"\nglexec_get_account:\ngood\n',
        prohibit_exec_via_symlink="yes",
    )
    refused(node, node.run("/nonexistent", GLEXEC_CLIENT_CERT=alice), CLIENT, "No such file")
    refused(node, node.run("/etc/passwd", GLEXEC_CLIENT_CERT=alice), CLIENT, "not executable")
    refused(node, node.run("/bin", GLEXEC_CLIENT_CERT=alice), CLIENT, "cannot be executed")
    link = node.base / "link"
    link.unlink(missing_ok=True)
    link.symlink_to("/bin/sh")
    refused(node, node.run(link, GLEXEC_CLIENT_CERT=alice), CLIENT, "symbolic link")
    target = node.run("/bin/echo", GLEXEC_CLIENT_CERT=alice, GLEXEC_TARGET_PROXY="/etc/proxy")
    refused(node, target, CLIENT, "Permission denied")
    folder = node.run("/bin/echo", "payload ran", GLEXEC_CLIENT_CERT=alice, GLEXEC_TARGET_DIR="/root/nowhere")
    refused(node, folder, CLIENT, "no way into")


def test_target_proxy_does_not_follow_a_link(node: WorkerNode, alice: Path) -> None:
    node.configure('good = "lcmaps_dummy_good.mod --dummy-uid 61101 --dummy-gid 61100"\nglexec_get_account:\ngood\n')
    folder = node.base / "shared"
    folder.mkdir()
    os.chown(folder, 61101, 61100)
    victim = node.base / "victim"
    victim.write_text("kept")
    os.chown(victim, 61101, 61100)
    (folder / "proxy").symlink_to(victim)
    done = node.run(*PAYLOAD, GLEXEC_CLIENT_CERT=alice, GLEXEC_TARGET_PROXY=folder / "proxy")
    assert done.returncode == 0, done.stderr
    assert victim.read_text() == "kept"
    assert not (folder / "proxy").is_symlink()
    assert [path.name for path in folder.iterdir()] == ["proxy"]
