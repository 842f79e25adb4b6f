import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.worker.glexec_conf import SwitchBy, parse_glexec_conf
from argus_py.worker.lcmaps_db import parse_lcmaps_db

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import Done, SiteHost

ENDPOINTS = (
    *("--endpoint", "https://argus1.example.org:8154/authz"),
    *("--endpoint", "https://argus2.example.org:8154/authz"),
)
# What sudoers(5) calls a User_Spec, an alias and Defaults of a command, as far as the rule has need of them.
_RULE_LINE = re.compile(
    r"""\#.* | Cmnd_Alias\ [A-Z_]+\ =\ /\S+
      | Defaults![A-Z_]+\ (!?[a-z_]+(,\ !?[a-z_]+)* | [a-z_]+\ =\ "[^"]*")
      | (%[\w.-]+)(,\ %[\w.-]+)*\ ALL\ =\ \(root\)\ NOPASSWD:\ [A-Z_]+""",
    re.VERBOSE,
)


@pytest.fixture
def mapped(host: "SiteHost") -> "SiteHost":
    """With map files that know the pilots."""
    host.made()
    return host


def worker_node(host: "SiteHost", *arguments: str | Path) -> "Done":
    root = host.root
    return host.run(
        *("worker-node", "--glexec-conf", root / "glexec.conf", "--lcmaps-db", root / "lcmaps.db"),
        *("--sudo-rule", root / "argus-glexec-rule", "--program", root / "argus-glexec", "--command", root / "glexec"),
        *("--trust-dir", "/etc/grid-security/certificates", *host.maps[:4]),
        *arguments,
    )


def test_the_white_list_is_that_of_the_pilots_in_the_map(mapped: "SiteHost") -> None:
    assert worker_node(mapped, *ENDPOINTS).exit_code == 0
    conf = parse_glexec_conf((mapped.root / "glexec.conf").read_text(), "glexec.conf")
    assert conf.user_white_list.pools == {"dtplt"}
    assert conf.user_identity_switch_by is SwitchBy.LCMAPS
    assert conf.lcmaps_db_file == str(mapped.root / "lcmaps.db")
    assert conf.warnings == ()


def test_the_policy_of_lcmaps_asks_the_endpoints_in_order_and_then_changes_the_identity(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS)
    text = (mapped.root / "lcmaps.db").read_text()
    assert text.index("argus1.example.org") < text.index("argus2.example.org")
    assert text.endswith("glexec_get_account:\nverify_proxy -> pepc\npepc -> posix_enf\n")
    assert parse_lcmaps_db(text, "lcmaps.db")


def test_to_log_only_nothing_is_changed_and_no_rule_is_needed(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS, "--log-only")
    assert (mapped.root / "lcmaps.db").read_text().endswith("glexec_get_account:\nverify_proxy -> pepc\n")
    assert not (mapped.root / "argus-glexec-rule").exists()
    assert (mapped.root / "glexec").read_text().endswith(f'exec {mapped.root / "argus-glexec"} "$@"\n')
    assert (mapped.root / "glexec.conf").stat().st_mode & 0o777 == 0o644


def test_a_rule_that_is_not_needed_any_more_is_told(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS)
    done = worker_node(mapped, *ENDPOINTS, "--log-only", "--force")
    assert f"{mapped.root / 'argus-glexec-rule'} is there and not needed" in done.err


def test_without_argus_the_ban_file_decides(mapped: "SiteHost") -> None:
    assert worker_node(mapped, "--ban-file", "/var/lib/argus/ban_users.db").exit_code == 0
    text = (mapped.root / "lcmaps.db").read_text()
    assert '" -banmapfile /var/lib/argus/ban_users.db"' in text
    assert text.endswith("glexec_get_account:\nverify_proxy -> ban_dn\nban_dn -> ban_fqan\nban_fqan -> good\n")
    assert "--dummy-group nogroup" in text
    assert parse_lcmaps_db(text, "lcmaps.db")


def test_the_sudo_rule_is_for_the_groups_of_pilots_and_one_program(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS, "--preserve-env", "TMPDIR")
    rule = mapped.root / "argus-glexec-rule"
    text = rule.read_text()
    assert text.endswith("%dtplt ALL = (root) NOPASSWD: ARGUS_GLEXEC\n")
    assert "Defaults!ARGUS_GLEXEC env_reset, !setenv" in text
    assert 'env_keep = "GLEXEC_* X509_USER_PROXY TMPDIR"' in text
    assert rule.stat().st_mode & 0o777 == 0o440


def test_the_sudo_rule_can_be_read_by_sudo(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS, "--pilot-group", "dtplt", "--pilot-group", "atlas-pil", "--preserve-env", "TMPDIR")
    rule = mapped.root / "argus-glexec-rule"
    assert [line for line in rule.read_text().splitlines() if not _RULE_LINE.fullmatch(line)] == []
    visudo = shutil.which("visudo", path="/usr/sbin:/usr/bin")
    if visudo:  # the grammar above is what it says where there is no sudo
        subprocess.run([visudo, "-c", "-f", str(rule)], check=True, capture_output=True, timeout=10)


def test_no_file_has_the_setuid_bit(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS)
    modes = {path.name: path.stat().st_mode & 0o7777 for path in mapped.root.iterdir() if path.is_file()}
    assert modes["argus-glexec"] == modes["glexec"] == 0o755
    assert not any(mode & 0o6000 for mode in modes.values())


def test_the_program_is_argus_glexec_whatever_the_caller_tells_python(mapped: "SiteHost", tmp_path: Path) -> None:
    worker_node(mapped, *ENDPOINTS)
    program = mapped.root / "argus-glexec"
    assert program.read_text().startswith(f"#!{sys.executable} -I\n")
    assert f'main(configuration="{mapped.root / "glexec.conf"}")' in program.read_text()
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for module in ("argus_py", "os", "re"):
        (hostile / f"{module}.py").write_text("raise SystemExit(99)")
    variables = {"PYTHONPATH": str(hostile), "PYTHONHOME": str(hostile), "PYTHONSTARTUP": str(hostile / "os.py")}
    done = subprocess.run(
        [program, "-v"], check=False, cwd=hostile, env=variables, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout.partition(" ")[0]) == (0, "argus-glexec")


def test_log_files_stand_in_for_syslog(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS, "--log-dir", "/var/log/glexec")
    conf = parse_glexec_conf((mapped.root / "glexec.conf").read_text(), "glexec.conf")
    assert (conf.log_file, conf.lcmaps_log_file) == ("/var/log/glexec/glexec.log", "/var/log/glexec/lcas_lcmaps.log")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--endpoint", "http://argus.example.org:8154/authz"),
        ("--endpoint", "https://argus.example.org/authz"),
        ("--endpoint", 'https://a:8154/"x'),
        ("--endpoint", f"https://a:8154/{'x' * 256}"),
        ("--endpoint", "https://a:99999/authz"),
        ("--white-list", "a b"),
        ("--white-list", "root\nALL"),
        ("--pilot-group", "x ALL=(ALL) ALL"),
        ("--pilot-group", ".dtplt"),
        ("--preserve-env", "LD_PRELOAD"),
        ("--preserve-env", "PYTHONPATH"),
        ("--preserve-env", "A=b"),
        ("--trust-dir", '/x"y'),
        ("--program", "/usr/bin/a b"),
        ("--sudo-rule", "/etc/sudoers.d/argus.glexec"),
    ],
)
def test_what_would_say_something_else_in_a_file_is_refused(mapped: "SiteHost", option: str, value: str) -> None:
    done = worker_node(mapped, *ENDPOINTS, option, value)
    assert done.exit_code == 2
    assert "cannot be used as" in done.err
    assert not (mapped.root / "glexec.conf").exists()


def test_without_pilots_in_the_map_they_have_to_be_named(mapped: "SiteHost") -> None:
    (mapped.root / "grid-mapfile").write_text('"/dteam" .dteam\n')
    done = worker_node(mapped, *ENDPOINTS)
    assert (done.exit_code, "--white-list" in done.err) == (2, True)
    assert worker_node(mapped, *ENDPOINTS, "--white-list", ".dtplt").exit_code == 0


def test_files_that_are_there_stay_without_force(mapped: "SiteHost") -> None:
    worker_node(mapped, *ENDPOINTS)
    before = (mapped.root / "glexec.conf").read_text()
    assert worker_node(mapped, *ENDPOINTS, "--white-list", "other").exit_code == 2
    assert (mapped.root / "glexec.conf").read_text() == before


@pytest.mark.parametrize("options", [(*ENDPOINTS, "--log-only"), ("--ban-file", "/etc/lcmaps/ban_users.db")])
def test_pilots_are_given_no_log_file_that_they_could_not_write(mapped: "SiteHost", options: tuple[str, ...]) -> None:
    done = worker_node(mapped, *options, "--log-dir", "/var/log/glexec")
    assert (done.exit_code, "syslog alone" in done.err) == (2, True)
    assert not (mapped.root / "glexec.conf").exists()
