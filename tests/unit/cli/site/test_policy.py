import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.spl.parser import parse

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import SiteHost

VECTORS = Path(__file__).parents[3] / "vectors" / "groupmap"


@pytest.mark.parametrize("sample", sorted(VECTORS.glob("*.groupmap")), ids=lambda path: path.name)
def test_the_classic_form_is_printed_as_by_the_script(host: "SiteHost", sample: Path) -> None:
    done = host.run("policy-from-groupmapfile", "--classic", sample)
    assert (done.exit_code, done.out) == (0, sample.with_suffix(".classic.spl").read_text())


def test_octets_that_are_not_utf8_come_out_of_the_classic_form_as_they_went_in() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "argus_py.cli.argus", "site", "policy-from-groupmapfile", "--classic", "-"],
        input=b'"/dteam/\xe9" x\n# \xff\n',
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.endswith(b'{\n\n     rule permit {pfqan = "/dteam/\xe9" }\n# \xff\n    }\n}\n\n')


def test_the_classic_form_warns_of_dns_beside_the_output(host: "SiteHost") -> None:
    done = host.run("policy-from-groupmapfile", "--classic", VECTORS / "sample2.groupmap")
    assert f"warning: {VECTORS / 'sample2.groupmap'}: line 7: a DN becomes a primary FQAN" in done.err


def test_the_own_form_can_be_loaded(host: "SiteHost") -> None:
    done = host.run("policy-from-groupmapfile", VECTORS / "sample1.groupmap")
    assert (done.exit_code, done.err) == (0, "")
    assert parse(done.out)


def test_lines_that_no_rule_can_say_are_told_and_nothing_is_printed(host: "SiteHost") -> None:
    done = host.run("policy-from-groupmapfile", VECTORS / "sample2.groupmap")
    assert (done.exit_code, done.out) == (1, "")
    assert [line.split(": ")[2] for line in done.err.splitlines()] == ["line 3", "line 10", "line 13", "line 14"]


def test_they_can_be_skipped(host: "SiteHost") -> None:
    done = host.run("policy-from-groupmapfile", "--skip-unsupported", VECTORS / "sample2.groupmap")
    assert done.exit_code == 0
    assert parse(done.out)
    assert "warning: " in done.err


def test_who_is_in_the_ban_file_is_denied_first(host: "SiteHost", tmp_path: Path) -> None:
    (tmp_path / "bans").write_text('# central\n"/DC=org/CN=Jo Doe"\n"/atlas/Role=x"\n')
    done = host.run("policy-from-groupmapfile", VECTORS / "sample1.groupmap", "--ban-file", tmp_path / "bans")
    assert [line.strip() for line in done.out.splitlines()[3:5]] == [
        'rule deny { subject = "/DC=org/CN=Jo Doe" }',
        'rule deny { fqan = "/atlas/Role=x" }',
    ]


@pytest.mark.parametrize("bans", [None, "/CN=Jo Doe\n", '"/CN=*"\n'])
def test_a_ban_file_that_cannot_be_followed_makes_no_policy(host: "SiteHost", tmp_path: Path, bans: str | None) -> None:
    if bans is not None:
        (tmp_path / "bans").write_text(bans)
    arguments = (VECTORS / "sample1.groupmap", "--ban-file", tmp_path / "bans", "--skip-unsupported")
    done = host.run("policy-from-groupmapfile", *arguments)
    assert done.exit_code != 0
    assert done.out == ""


def test_resource_action_and_obligation_can_be_others(host: "SiteHost") -> None:
    done = host.run(
        *("policy-from-groupmapfile", VECTORS / "sample1.groupmap"),
        *("--resource", "https://ce.example.org/cream", "--action", ".*", "--obligation", "http://example.org/map"),
    )
    assert done.out.startswith(
        'resource "https://ce.example.org/cream" {\n    obligation "http://example.org/map" {}\n    action ".*" {\n'
    )


def test_a_file_that_is_missing_is_told(host: "SiteHost", tmp_path: Path) -> None:
    done = host.run("policy-from-groupmapfile", tmp_path / "none")
    assert (done.exit_code, done.err) == (2, f"argus site: {tmp_path / 'none'}: No such file or directory\n")
