import os
import pwd
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from argus_py.cli.check_configuration import check_pdp, check_pepd
from argus_py.config.pap import load_pap
from argus_py.config.pdp import load_pdp
from argus_py.pap.authorization import parse_acl

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import SiteHost

ADMIN = "/DC=org/DC=example/CN=Jo Doe"
FILES = {
    *("argus/pap/pap_configuration.ini", "argus/pap/pap_authorization.ini", "argus/pdp/pdp.ini"),
    *("argus/pepd/pepd.ini", "grid-mapfile", "groupmapfile", "policy.spl"),
    *(f"gridmapdir/dteam00{number}" for number in range(1, 6)),
    *(f"gridmapdir/dtplt00{number}" for number in range(1, 4)),
}


def test_all_files_of_a_site_are_made(host: "SiteHost", files_of: Callable[[], set[str]]) -> None:
    done = host.made()
    assert (done.exit_code, done.err) == (0, "")
    assert files_of() == FILES


def test_the_daemons_would_start_with_them(host: "SiteHost") -> None:
    host.made()
    config = host.root / "argus"
    for report in (check_pdp(config / "pdp" / "pdp.ini"), check_pepd(config / "pepd" / "pepd.ini")):
        assert (report.errors, report.warnings) == ((), ())
    assert load_pap(config / "pap" / "pap_configuration.ini", config).warnings == ()


def test_the_administrator_may_do_all_and_the_host_fetch_policies(host: "SiteHost") -> None:
    host.made()
    text = (host.root / "argus" / "pap" / "pap_authorization.ini").read_text()
    assert f'"{ADMIN}" : ALL\n' in text
    assert '"/DC=org/DC=argus-demo/CN=localhost" : POLICY_READ_LOCAL|POLICY_READ_REMOTE\n' in text
    assert len(parse_acl(text, "file").entries) == 2


def test_secrets_are_for_the_daemons_alone_and_differ(host: "SiteHost") -> None:
    host.made()
    pdp, pepd = host.root / "argus" / "pdp" / "pdp.ini", host.root / "argus" / "pepd" / "pepd.ini"
    assert {path.stat().st_mode & 0o777 for path in (pdp, pepd)} == {0o600}
    passwords = {line for path in (pdp, pepd) for line in path.read_text().splitlines() if "adminPassword" in line}
    assert len(passwords) == 2


def test_pilots_come_first_and_everybody_else_of_the_vo_is_mapped(host: "SiteHost") -> None:
    host.made()
    assert (host.root / "grid-mapfile").read_text().splitlines()[1:] == [
        '"/dteam/Role=pilot" .dtplt',
        '"/dteam" .dteam',
        '"/dteam/*" .dteam',
        '"/dteam/*/Role=*" .dteam',
    ]


def test_a_dry_run_writes_nothing_and_shows_no_password(host: "SiteHost", files_of: Callable[[], set[str]]) -> None:
    done = host.made("--dry-run")
    assert done.exit_code == 0
    assert files_of() == set()
    assert "adminPassword = ********" in done.out


def test_a_second_time_nothing_changes(host: "SiteHost") -> None:
    host.made()
    before = {path: path.read_bytes() for path in host.root.rglob("*") if path.is_file()}
    done = host.made()
    assert (done.exit_code, "written" in done.out) == (0, False)
    assert {path: path.read_bytes() for path in host.root.rglob("*") if path.is_file()} == before


def test_nothing_is_overwritten_without_force_and_nothing_written_beside_it(host: "SiteHost") -> None:
    host.made()
    (host.root / "groupmapfile").write_text("mine\n")
    (host.root / "policy.spl").unlink()
    done = host.made()
    assert done.exit_code == 2
    assert str(host.root / "groupmapfile") in done.err
    assert (host.root / "groupmapfile").read_text() == "mine\n"
    assert not (host.root / "policy.spl").exists()
    assert host.made("--force").exit_code == 0
    assert "dtplt" in (host.root / "groupmapfile").read_text()


def test_a_dry_run_shows_what_force_would_change(host: "SiteHost") -> None:
    host.made()
    (host.root / "groupmapfile").write_text("mine\n")
    assert "    -mine\n" in host.made("--dry-run").out


def test_leases_and_their_accounts_are_not_touched(host: "SiteHost") -> None:
    host.made()
    account, lease = host.root / "gridmapdir" / "dteam001", host.root / "gridmapdir" / "%2fcn%3djo:dteam"
    lease.hardlink_to(account)
    host.made("--force")
    assert account.stat().st_nlink == 2


def test_what_has_no_option_is_asked_for_on_a_terminal(host: "SiteHost") -> None:
    done = host.init("--pool-size", "2", typed=f"{ADMIN}\ndteam ops:ops:opsplt\n")
    assert done.exit_code == 0
    assert f'"{ADMIN}" : ALL' in (host.root / "argus" / "pap" / "pap_authorization.ini").read_text()
    assert '"/ops/Role=pilot" .opsplt' in (host.root / "grid-mapfile").read_text()


def test_a_wrong_answer_is_asked_for_again(host: "SiteHost") -> None:
    done = host.init("--vo", "dteam", typed=f"Jo Doe\n\n{ADMIN}\n")
    assert done.exit_code == 0
    assert "'Jo Doe' cannot be used as a DN" in done.err


@pytest.mark.parametrize("typed", ["", "\n\n\n", "x\ny\nz\n"])
def test_without_an_answer_nothing_is_made(host: "SiteHost", typed: str, files_of: Callable[[], set[str]]) -> None:
    assert host.init("--vo", "dteam", typed=typed).exit_code == 2
    assert files_of() == set()


def test_nobody_is_asked_where_nobody_types(host: "SiteHost") -> None:
    done = host.init("--vo", "dteam")
    assert (done.exit_code, done.err) == (
        2,
        "argus site: --admin is needed: it can only be asked for on a terminal\n",
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--admin", "Jo Doe"),
        ("--admin", '/CN=a"b'),
        ("--vo", "dteam:dteam1"),
        ("--vo", "dteam:a:b:c"),
        ("--vo", "dteam:same:same"),
        ("--vo", "/dteam"),
        ("--hostname", "a b"),
        ("--state-dir", "/var/lib/a\nb"),
        ("--trust-dir", "/a;b"),
        ("--host-certificate", "/nowhere/hostcert.pem"),
        ("--host-certificate", __file__),
        ("--groups", "/nowhere/groups.conf"),
        ("--user", "nobody-is-called-so"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told(
    host: "SiteHost", option: str, value: str, files_of: Callable[[], set[str]]
) -> None:
    done = host.made(option, value)
    assert done.exit_code == 2
    assert done.err.startswith("argus site: ")
    assert files_of() == set()


def test_yaims_lists_stand_in_for_pools(host: "SiteHost", tmp_path: Path) -> None:
    groups, users = tmp_path / "groups.conf", tmp_path / "users.conf"
    groups.write_text('"/dteam/ROLE=pilot":::pilot:\n"/dteam"::::\n')
    users.write_text("1001:dteam001:100:dteam:dteam::\n1101:dtplt001:110:dtplt:dteam:pilot:\n")
    assert host.init("--admin", ADMIN, "--groups", groups, "--users", users).exit_code == 0
    assert '"/dteam/Role=pilot" .dtplt' in (host.root / "grid-mapfile").read_text()


def test_a_vo_without_voms_server_is_told(host: "SiteHost") -> None:
    assert "no FQAN of biomed will be believed" in host.made("--vo", "biomed").err


def test_a_site_whose_daemons_would_not_start_is_told_so(host: "SiteHost", tmp_path: Path) -> None:
    (tmp_path / "no-cas").mkdir()
    done = host.made("--trust-dir", tmp_path / "no-cas")
    assert done.exit_code == 1
    assert "the daemons would not start" in done.err


def test_a_policy_is_kept_for_the_next_start(host: "SiteHost") -> None:
    host.made()
    kept = load_pdp(host.root / "argus" / "pdp" / "pdp.ini").policy.last_good_file
    assert kept is not None
    assert kept.parent.stat().st_mode & 0o777 == 0o700


def test_what_is_secret_or_written_to_belongs_to_the_user_of_the_daemons(host: "SiteHost") -> None:
    user = pwd.getpwuid(os.getuid())
    assert host.made("--user", user.pw_name).exit_code == 0
    for path in ("argus/pdp/pdp.ini", "argus/pap", "lib/pdp", "gridmapdir", "gridmapdir/dteam001"):
        assert ((host.root / path).stat().st_uid, (host.root / path).stat().st_gid) == (user.pw_uid, user.pw_gid)


def certificate(*names: x509.NameAttribute[str], alternatives: tuple[str, ...] = ()) -> bytes:
    """Of a host; in PEM."""
    key, now, name = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC), x509.Name(names)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if alternatives:
        alternative = x509.SubjectAlternativeName(map(x509.DNSName, alternatives))
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


ORGANIZATION = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")
OLD_NAME = x509.NameAttribute(NameOID.COMMON_NAME, "host/argus.example.org")


@pytest.mark.parametrize(
    ("octets", "hostname"),
    [
        (certificate(ORGANIZATION, OLD_NAME), "argus.example.org"),
        (certificate(OLD_NAME, alternatives=("*.example.org", "argus2.example.org")), "argus2.example.org"),
    ],
)
def test_the_host_is_called_as_its_certificate_says(
    host: "SiteHost", tmp_path: Path, octets: bytes, hostname: str
) -> None:
    (tmp_path / "host.pem").write_bytes(octets)
    host.made("--host-certificate", tmp_path / "host.pem")
    assert f"\nhostname = {hostname}\n" in (host.root / "argus" / "pdp" / "pdp.ini").read_text()


def test_a_certificate_that_names_no_host_is_refused(host: "SiteHost", tmp_path: Path) -> None:
    (tmp_path / "host.pem").write_bytes(certificate(ORGANIZATION))
    done = host.made("--host-certificate", tmp_path / "host.pem")
    assert (done.exit_code, "it names no host" in done.err) == (2, True)


@pytest.mark.parametrize("size", ["0", "-1", "x", "1000000"])
def test_a_pool_has_a_sensible_number_of_accounts(host: "SiteHost", size: str) -> None:
    with pytest.raises(SystemExit) as usage:
        host.made("--pool-size", size)
    assert usage.value.code == 2
