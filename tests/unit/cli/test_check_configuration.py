"""--check on a whole site on disk: what is as it should be, and what is told of each thing that is not."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argus_py.cli.argus import main
from argus_py.cli.check_configuration import Report, check_pdp, check_pepd
from demo.issuing import CertificateAuthority, Credential
from demo.site import Site, make_site, slash_dn

SITES = Path(__file__).parents[2] / "vectors" / "ini" / "sites"

DEPRECATED = "org.glite.authz.pep.pip.provider.AuthorizationProfilePIPIniConfigurationParser is deprecated"
NO_TLS = "INI configuration does not contain the 'SECURITY' INI section"
EXPECTED_WARNINGS = {
    "pepd-shipped.ini": [DEPRECATED],
    "pepd-2010.ini": [NO_TLS],
    "pepd-2011.ini": [DEPRECATED],
    "pepd-2013.ini": [DEPRECATED],
    "pepd-2017.ini": [DEPRECATED],
    "pepd-yaim.ini": [],
    "pepd-quattor.ini": [],
    "pepd-hep-puppet.ini": [],
    "pepd-csic-puppet.ini": [],
    "pepd-cnaf-puppet.ini": [DEPRECATED],
    "pdp-shipped.ini": [],
    "pdp-yaim.ini": [],
    "pdp-hep-puppet.ini": [],
}


class Place:
    """A site on disk that may be spoilt."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.security = site.root / "grid-security"

    def ini(self, name: str, old: str = "", new: str = "") -> Path:
        """A recorded file with the names of this site, and with a change."""
        text = (SITES / name).read_text()
        assert old in text
        certificate, key = self.site.host
        for there, here in (
            (old, new),
            ("/etc/grid-security/hostcert.pem", certificate),
            ("/etc/grid-security/hostkey.pem", key),
            ("/etc/grid-security", self.security),
            ("/etc/argus", self.site.configuration),
            ("argus.example.org", "localhost"),
            ("hostname = example.org", "hostname = localhost"),
        ):
            text = text.replace(there, str(here)) if there else text
        file = self.site.root / name
        file.write_text(text)
        return file

    def pepd(self, old: str = "", new: str = "") -> Report:
        return check_pepd(self.ini("pepd-yaim.ini", old, new))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = make_site(tmp_path_factory.mktemp("made") / "site")
    ca = slash_dn(Credential(site.authority.certificate, site.authority.key))
    for name in ("classic", "mics", "slcs"):
        (site.certificates / f"policy-igtf-{name}.info").write_text(f'alias = policy-igtf-{name}\nsubjectdn = "{ca}"\n')
    profiles = "file:policy-igtf-classic.info, file:policy-igtf-mics.info,\\\n    file:policy-igtf-slcs.info"
    (site.configuration / "pepd" / "vo-ca-ap-file").write_text(f'/*   {profiles}\n"-"  {profiles}\n')
    return site


@pytest.fixture
def place(pristine: Site, tmp_path: Path) -> Place:
    return Place(replace(pristine, root=shutil.copytree(pristine.root, tmp_path / "site")))


def reasons(report: Report) -> tuple[list[str], list[str]]:
    return [problem.reason for problem in report.errors], [problem.reason for problem in report.warnings]


@pytest.mark.parametrize("name", EXPECTED_WARNINGS)
def test_files_as_they_are_at_sites_start(place: Place, name: str) -> None:
    report = (check_pdp if name.startswith("pdp") else check_pepd)(place.ini(name))
    errors, warnings = reasons(report)
    assert errors == []
    assert len(warnings) == len(EXPECTED_WARNINGS[name])
    assert all(map(str.startswith, warnings, EXPECTED_WARNINGS[name]))


def test_every_recorded_file_is_looked_at() -> None:
    assert {file.name for file in SITES.glob("*.ini")} == set(EXPECTED_WARNINGS)


def test_all_problems_of_file_and_site_are_told_at_once(place: Place) -> None:
    file = place.ini("pepd-yaim.ini", "port = 8154", "prot = 8154\nport = 8154 # TLS\nmaximumRequests = many")
    text = file.read_text().replace(f"vomsInfoDir = {place.site.vomsdir}", "vomsInfoDir = /nowhere", 1)
    file.write_text(text.replace(f"groupMapFile = {place.security}/groupmapfile", "groupMapFile = /nowhere"))
    shutil.rmtree(place.site.gridmapdir)
    (place.security / "grid-mapfile").write_text("no quotes\n")
    report = check_pepd(file)
    told = [str(problem).replace(str(place.site.root), "") for problem in report.errors]
    assert told == [
        "/pepd-yaim.ini:35 [GLITEXACMLPROFILE_PIP]: vomsdir /nowhere: the VOMS directory /nowhere cannot be read: "
        "No such file or directory",
        "/pepd-yaim.ini:48 [ACCOUNTMAPPER_OH] accountMapFile: /grid-security/grid-mapfile: Error on map file line 1: "
        "the key is not in double quotes",
        "/pepd-yaim.ini:49 [ACCOUNTMAPPER_OH] groupMapFile: Unable to read map file /nowhere: "
        "No such file or directory",
        "/pepd-yaim.ini:50 [ACCOUNTMAPPER_OH] gridMapDir: Grid map directory /grid-security/gridmapdir does not exist",
    ]
    assert [str(problem.place).replace(str(place.site.root), "") for problem in report.warnings] == [
        "/pepd-yaim.ini:4 [SERVICE] prot",
        "/pepd-yaim.ini:5 [SERVICE] port",
        "/pepd-yaim.ini:5 [SERVICE] port",
        "/pepd-yaim.ini:6 [SERVICE] maximumRequests",
    ]


def test_nothing_is_made_or_changed(place: Place) -> None:
    def state() -> dict[str, tuple[int, int]]:
        found = {file: file.lstat() for file in place.site.root.rglob("*")}
        return {str(file): (status.st_mtime_ns, status.st_size) for file, status in found.items()}

    file = place.ini("pepd-shipped.ini")
    before = state()
    assert check_pepd(file).errors == ()
    assert state() == before


def test_certificate_and_key_must_belong_together(place: Place) -> None:
    certificate, _ = place.site.host
    shutil.copy(place.site.admin[1], place.site.host[1])
    report = place.pepd()
    assert [str(problem.place) for problem in report.errors] == [f"{report.file}:16 [SECURITY] serviceCertificate"]
    assert f"Unable to read service credential information: {certificate} with" in report.errors[0].reason


def test_a_missing_key_is_an_error(place: Place) -> None:
    place.site.host[1].unlink()
    assert "No such file" in place.pepd().errors[0].reason


def test_a_host_certificate_that_is_not_valid_now_is_a_warning(place: Place) -> None:
    past = CertificateAuthority("Argus Demo CA", datetime.now(UTC) - timedelta(days=60))
    old = past.host("localhost")
    place.site.host[0].write_bytes(old.certificate_pem())
    place.site.host[1].write_bytes(old.key_pem())
    errors, warnings = reasons(place.pepd())
    assert errors == []
    assert [warning.endswith(", which is not now") for warning in warnings] == [True]


def test_a_trust_directory_that_is_not_there_is_told_once(place: Place) -> None:
    shutil.rmtree(place.site.certificates)
    report = place.pepd()
    assert [str(problem.place) for problem in report.errors] == [f"{report.file}:17 [SECURITY] trustInfoDir"]


def test_damaged_files_of_the_trust_directory_are_warnings(place: Place) -> None:
    crl = next(place.site.certificates.glob("*.r0"))
    crl.write_text("damaged")
    errors, warnings = reasons(check_pdp(place.ini("pdp-yaim.ini")))
    assert errors == []
    assert [warning.startswith(f"{crl.name}: a CRL cannot be read") for warning in warnings] == [True]


@pytest.mark.parametrize(
    ("map_file", "line", "told"),
    [
        ("grid-mapfile", '"/vo*" .dteam', "line 4 matches nobody"),
        ("grid-mapfile", '"/dteam/sub" .dtplt', "line 4 has no effect: line 3 matches all that it matches"),
        ("grid-mapfile", '"/atlas" .atlas', "line 4 leads to '.atlas', which does not exist here"),
        ("grid-mapfile", '"/atlas" root', "line 4 leads to root"),
        ("groupmapfile", '"/atlas" a/b', "line 4 names the group 'a/b'"),
    ],
)
def test_lines_of_map_files_without_the_effect_they_seem_to_have_are_warnings(
    place: Place, map_file: str, line: str, told: str
) -> None:
    with (place.security / map_file).open("a") as file:
        file.write(f"{line}\n")
    errors, warnings = reasons(place.pepd())
    assert errors == []
    assert [told in warning for warning in warnings] == [True]


def test_accounts_and_groups_are_looked_for_where_this_machine_knows_them(place: Place) -> None:
    with (place.security / "grid-mapfile").open("a") as file:
        file.write('"/ops" no-such-login\n')
    assert place.pepd().warnings == ()
    _, warnings = reasons(place.pepd("useSecondaryGroupNamesForMapping = true", "useNameService = true"))
    assert [warning.partition("leads to ")[2] for warning in warnings] == [
        "'no-such-login', which does not exist here",
        "'dtplt', which does not exist here",
        "'dteam', which does not exist here",
    ]


def test_profiles_that_the_site_names_and_does_not_have_are_an_error(place: Place) -> None:
    (place.site.certificates / "policy-igtf-mics.info").unlink()
    report = check_pepd(place.ini("pepd-shipped.ini"))
    assert [problem.place.section for problem in report.errors] == ["AUTHN_PROFILE_PIP"]
    assert "policy-igtf-mics" in report.errors[0].reason


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("adminHost = 0.0.0.0\nadminPassword =", "adminHost 0.0.0.0 can be reached from other hosts"),
        ("adminHost = no.such.host.invalid", "the host name no.such.host.invalid cannot be resolved"),
        ("bindAddress = no.such.host.invalid", "the host name no.such.host.invalid cannot be resolved"),
        ("port = 8155", "8155 is the service port too"),
        ("port = 8155\nbindAddress = 0.0.0.0", "8155 is the service port too"),
    ],
)
def test_addresses_that_cannot_be_served_are_errors(place: Place, setting: str, reason: str) -> None:
    errors, _ = reasons(place.pepd("[PDP]", f"{setting}\n[PDP]"))
    assert [error.startswith(reason) for error in errors] == [True]


@pytest.mark.parametrize(
    "setting",
    ["adminHost = 0.0.0.0", "adminHost = 127.0.0.1", "adminPort = 0\nport = 0", "port = 8155\nadminHost = 127.0.0.2"],
)
def test_addresses_that_can_be_served_are_not(place: Place, setting: str) -> None:
    assert place.pepd("[PDP]", f"{setting}\n[PDP]").errors == ()


def test_without_a_trust_directory_the_rest_is_still_looked_at(place: Place) -> None:
    report = place.pepd("trustInfoDir = /etc/grid-security/certificates\nenableSSL = true", "")
    assert [error.partition(":")[0] for error in reasons(report)[0]] == [
        "Policy information point trust material may not be null"
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "Unable to read configuration file"),
        ("[SERVICE", "text after the closing bracket"),
        ("word", "stands before"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_report_too(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "pepd.ini"
    if text is not None:
        file.write_text(text)
    for check in (check_pepd, check_pdp):
        report = check(file)
        assert report.errors[0].reason.startswith(reason)
        assert report.as_text().endswith(f"{file}: the daemon would not start, 1 errors, 0 warnings\n")


def test_the_command_line_shows_the_report(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    good = place.ini("pepd-quattor.ini", "port = 8154", "prot = 8154")
    bad = place.ini("pdp-yaim.ini", "entityId", "entityID")
    assert main(["pepd", "--check", str(good)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"warning: {good}:4 [SERVICE] prot: unknown key, ignored; is port meant?",
        f"{good}: the daemon would start, 0 errors, 1 warnings",
    ]
    assert main(["pdp", str(bad), "--check", "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "file": str(bad),
        "starts": False,
        "problems": [
            {
                "severity": "error",
                "file": str(bad),
                "line": 1,
                "section": None,
                "key": None,
                "reason": "INI configuration section SERVICE does not contain the required property entityId",
            },
            {
                "severity": "warning",
                "file": str(bad),
                "line": 2,
                "section": "SERVICE",
                "key": "entityID",
                "reason": "unknown key, ignored; is entityId meant?",
            },
        ],
    }


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("missing/policy", None, "no policy can be kept: {root}/missing is no folder that this user may write to"),
        ("policy", "damaged\n", "last good policy {root}/policy: its first line cannot be read: "),
        ("policy", None, None),
    ],
)
def test_a_policy_that_will_not_be_there_when_it_is_needed_is_a_warning(
    place: Place, file: str, content: str | None, reason: str | None
) -> None:
    root = place.site.root
    if content is not None:
        (root / file).write_text(content)
    report = check_pdp(place.ini("pdp-yaim.ini", "[POLICY]", f"[POLICY]\nlastGoodPolicyFile = {root / file}"))
    errors, warnings = reasons(report)
    assert errors == []
    assert len(warnings) == (reason is not None)
    assert all(map(str.startswith, warnings, [(reason or "").format(root=root)]))
