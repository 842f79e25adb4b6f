"""The check list in one pass: every topic is told, and what cannot be looked at holds up nothing else."""

import json
from typing import TYPE_CHECKING

from argus_py.cli.site.findings import Topic

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import Done, SiteHost


def check(host: "SiteHost", *arguments: str) -> "Done":
    conf = host.root / "glexec.conf"
    conf.write_text("[glexec]\nuser_white_list = .dtplt\n")
    return host.run("check", "--config-dir", host.root / "argus", "--glexec-conf", conf, *arguments)


def severities(done: "Done") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in json.loads(done.out)["findings"]:
        found.setdefault(each["topic"], set()).add(each["severity"])
    return found


def test_every_topic_is_told_in_one_pass(host: "SiteHost") -> None:
    host.made()
    done = check(host, "--policy", str(host.root / "policy.spl"), "--output", "json")
    assert severities(done) == {
        "configuration": {"ok"},
        "pilot-roles": {"error"},  # of ops
        "white-list": {"ok"},
        "gridmapdir": {"ok"},
        "ce": {"unknown"},
        "all-roles": {"ok"},
        "ops": {"error"},
        "vomsdir": {"ok"},
        "crls": {"ok"},
        "clock": {"ok"},
        "ports": {"error"},  # nothing is running
    }
    assert done.exit_code == 1


def test_the_text_names_topic_and_remedy_and_counts(host: "SiteHost") -> None:
    host.made()
    lines = check(host, "--policy", str(host.root / "policy.spl")).out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("error    ops: "))
    assert lines[at + 1].startswith("         add the lines of ops")
    assert lines[-1].endswith(" error, 1 unknown")


def test_without_a_running_pdp_the_policy_is_not_known(host: "SiteHost") -> None:
    host.made()
    ini = host.root / "argus" / "pdp" / "pdp.ini"
    ini.write_text(ini.read_text().replace("adminPort = 8153", "adminPort = 1"))
    done = check(host, "--output", "json")
    assert severities(done)["all-roles"] == {"unknown"}


def test_a_configuration_that_cannot_be_used_leaves_the_clock_to_be_looked_at(host: "SiteHost") -> None:
    done = check(host, "--output", "json")
    found = severities(done)
    assert found["configuration"] == {"error"}
    assert found["clock"] == {"ok"}
    assert set(found) == {topic.value for topic in Topic}
    assert done.exit_code == 1


def test_a_map_file_that_cannot_be_used_leaves_trust_and_ports_to_be_looked_at(host: "SiteHost") -> None:
    host.made()
    (host.root / "grid-mapfile").write_text("nonsense\n")
    found = severities(check(host, "--output", "json"))
    assert found["configuration"] == {"error"}
    assert (found["pilot-roles"], found["crls"]) == ({"unknown"}, {"ok"})


def test_a_policy_that_cannot_be_read_is_told(host: "SiteHost") -> None:
    host.made()
    found = severities(check(host, "--policy", str(host.root / "none.spl"), "--output", "json"))
    assert "unknown" in found["all-roles"]


def test_a_pap_that_would_not_start_is_told(host: "SiteHost") -> None:
    host.made()
    (host.root / "argus" / "pap" / "pap_authorization.ini").write_text("nonsense\n")
    found = severities(check(host, "--output", "json"))
    assert found["configuration"] == {"error"}
