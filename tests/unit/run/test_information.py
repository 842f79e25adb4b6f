"""Information points as a daemon has them: made from their sections, refreshed and shown."""

import contextlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.daemon import SecuritySettings
from argus_py.config.java_names import PipKind
from argus_py.config.pepd import parse_pepd
from argus_py.config.pips import AuthnProfilePart, PipPart, PolicyNamesPart, ProfilePart, X509ExtractorPart
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.pips.common_profile import CommonProfile
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.pips.scas_legacy import ScasLegacy
from argus_py.pep.ports import Pip, PipError
from argus_py.run.information import InformationPoints
from argus_py.run.parts import LOOK, now, trust_anchors
from argus_py.snapshot import Snapshot

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
IGTF = Path(__file__).parents[2] / "vectors" / "igtf"
HOUR = timedelta(hours=1)
CLASSIC = "/C=CH/O=CERN/CN=CERN Root Certification Authority 2"
IOTA = "/DC=ch/DC=cern/CN=CERN LCG IOTA Certification Authority"


def no_trust(directory: Path, check_crls: bool) -> Snapshot[TrustAnchors]:
    raise AssertionError(f"nobody asked for {directory}")


@pytest.fixture
def points() -> InformationPoints:
    return InformationPoints(SecuritySettings(), no_trust)


@pytest.fixture
def trusting() -> InformationPoints:
    return InformationPoints(SecuritySettings(trust_dir=GRID / "certificates"), trust_anchors)


@pytest.fixture
def igtf(tmp_path: Path) -> Path:
    return Path(shutil.copytree(IGTF, tmp_path / "igtf"))


@pytest.fixture
def part(igtf: Path) -> AuthnProfilePart:
    return AuthnProfilePart(
        "AUTHN_PIP", igtf / "vo-ca-ap-file.wlcg", igtf, "policy-*.info", HOUR, own_entry_alone=False
    )


def of_ca(ca: str, *vos: str) -> Request:
    attributes = [Attribute(Glite.X509_SUBJECT_ISSUER, (_rfc2253(ca),), DataType.X500_NAME)]
    attributes += [Attribute(Glite.VIRTUAL_ORGANIZATION, vos)] if vos else []
    return Request((Subject(tuple(attributes)),))


def _rfc2253(slash: str) -> str:
    return ",".join(reversed(slash.removeprefix("/").split("/")))


def profile(point: Pip, ca: str, *vos: str) -> str | None:
    """What policies are told of a user with this CA."""
    (subject,) = point.enrich(of_ca(ca, *vos), now()).subjects
    return next((a.values[0] for a in subject.attributes if a.id == Glite.X509_AUTHN_PROFILE), None)


def test_points_that_need_nothing_are_their_own_section(points: InformationPoints) -> None:
    validator = RequestValidator()
    assert points.point(validator) is validator
    assert (points.periodic, points.details()) == ([], [])


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        (PipKind.GLITE_PROFILE, GliteProfile),
        (PipKind.COMMON_PROFILE, CommonProfile),
        (PipKind.SCAS_LEGACY, ScasLegacy),
    ],
)
def test_each_kind_of_profile_has_its_point(trusting: InformationPoints, kind: PipKind, point: type[Pip]) -> None:
    assert isinstance(trusting.point(ProfilePart(kind, ProfileSettings(), GRID / "vomsdir", HOUR)), point)


def test_points_with_one_vomsdir_watch_it_once(trusting: InformationPoints) -> None:
    for kind in (PipKind.GLITE_PROFILE, PipKind.COMMON_PROFILE):
        trusting.point(ProfilePart(kind, ProfileSettings(), GRID / "vomsdir", HOUR))
    assert [task.every for task in trusting.periodic] == [LOOK, HOUR, LOOK, HOUR]
    shown = [text for name, text in trusting.details() if name == "Contents"]
    assert [text.split(",")[0] for text in shown] == [
        f"trust directory {GRID}/certificates",
        f"vomsdir {GRID}/vomsdir",
    ]


@pytest.mark.parametrize(
    "part",
    [
        ProfilePart(PipKind.COMMON_PROFILE, ProfileSettings(), None, HOUR),
        X509ExtractorPart(frozenset({AuthzInterop.CA_POLICY_OID})),
    ],
)
def test_certificates_need_trust_anchors(points: InformationPoints, part: ProfilePart | X509ExtractorPart) -> None:
    with pytest.raises(ConfigurationError, match="Policy information point trust material may not be null"):
        points.point(part)


# Authentication profiles


def test_profiles_of_the_igtf_and_the_choice_of_the_experiments(
    points: InformationPoints, part: AuthnProfilePart
) -> None:
    point = points.point(part)
    assert profile(point, CLASSIC) == profile(point, CLASSIC, "dteam") == "policy-igtf-classic"
    assert profile(point, IOTA, "atlas") == "policy-igtf-iota"
    assert profile(point, IOTA, "dteam") is profile(point, IOTA) is None
    with pytest.raises(PipError, match="No authentication profile found for CA subject: CN=Nobody"):
        profile(point, "/CN=Nobody")
    contents = dict(points.details())["Contents"]
    assert contents.endswith("4 authentication profiles with 100 CAs, 4 VOs")


def test_the_shipped_choice_accepts_iota_from_nobody(points: InformationPoints, part: AuthnProfilePart) -> None:
    point = points.point(replace(part, accepted_file=part.directory / "vo-ca-ap-file"))
    assert profile(point, IOTA, "atlas") is None
    assert profile(point, CLASSIC, "atlas") == "policy-igtf-classic"


def forbid_iota(igtf: Path) -> None:
    (igtf / "vo-ca-ap-file.wlcg").write_text('/* file:policy-igtf-classic.info\n"-" file:policy-igtf-classic.info')


def drop_ca(igtf: Path) -> None:
    (igtf / "policy-igtf-iota.info").write_text('alias = policy-igtf-iota\nsubjectdn = "/CN=Other"')
    info = igtf / "policy-igtf-classic.info"
    info.write_text(info.read_text().replace("subjectdn = ", f'subjectdn = "{IOTA}", '))


@pytest.mark.parametrize("change", [forbid_iota, drop_ca])
def test_a_change_of_either_file_is_taken_up(
    points: InformationPoints, part: AuthnProfilePart, igtf: Path, change: Callable[[Path], None]
) -> None:
    point = points.point(part)
    assert profile(point, IOTA, "atlas") == "policy-igtf-iota"
    change(igtf)
    points.periodic[0].run()
    assert profile(point, IOTA, "atlas") != "policy-igtf-iota"


@dataclass(frozen=True)
class Damage:
    """What happens to which file, and what is told of it."""

    file: str
    text: str | None
    line: str


DAMAGES = [
    Damage(
        "vo-ca-ap-file.wlcg", "/atlas everybody", "Problem: vo-ca-ap-file.wlcg: line 1: Unrecognized VO-CA-AP policy"
    ),
    Damage("vo-ca-ap-file.wlcg", "/atlas file:new.info", "Authentication profile file not found: new.info"),
    Damage("vo-ca-ap-file.wlcg", None, "vo-ca-ap-file.wlcg: missing"),
    Damage("policy-igtf-iota.info", "subjectdn = x", "Problem: policy-igtf-iota.info: Missing value for 'alias'"),
    Damage("policy-igtf-iota.info", None, "Authentication profile file not found: policy-igtf-iota.info"),
    Damage("policy-new.info", "alias", "policy-new.info: line 1: Missing value for 'alias' property"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.line)
def test_a_bad_new_version_keeps_the_old_one_in_force_and_is_told_until_it_is_mended(
    points: InformationPoints, part: AuthnProfilePart, igtf: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    point = points.point(part)
    good = (igtf / damage.file).read_text() if (igtf / damage.file).exists() else None
    if damage.text is None:
        (igtf / damage.file).unlink()
    else:
        (igtf / damage.file).write_text(damage.text)
    for task in points.periodic:
        task.run()
    assert profile(point, IOTA, "atlas") == "policy-igtf-iota"
    assert damage.line in "\n".join(f"{name}: {text}" for name, text in points.details())
    assert damage.line.removeprefix("Problem: ") in caplog.text

    if good is None:
        (igtf / damage.file).unlink()
    else:
        (igtf / damage.file).write_text(good)
    points.periodic[1].run()
    assert {name for name, _ in points.details()} == {"Contents", "LastLook", "Loaded"}


def test_profiles_that_are_never_to_be_refreshed_are_when_everything_is(
    points: InformationPoints, part: AuthnProfilePart, igtf: Path
) -> None:
    point = points.point(replace(part, refresh=None))
    (reading,) = points.periodic
    assert reading.every > timedelta(days=10_000)
    forbid_iota(igtf)
    reading.run()
    assert profile(point, IOTA, "atlas") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pattern": "nothing-*.info"}, "no file nothing-*.info in {igtf}"),
        ({"pattern": "p("}, "the pattern p( for files of profiles cannot be used"),
        ({"directory": Path("/nowhere")}, "the trust directory /nowhere cannot be read: No such file or directory"),
        ({"pattern": "policy-igtf-classic.info"}, "Authentication profile file not found: policy-igtf-mics.info"),
    ],
)
def test_a_start_that_fails_says_why(
    points: InformationPoints, part: AuthnProfilePart, igtf: Path, change: dict[str, str], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        points.point(replace(part, **change))  # type: ignore[arg-type]
    text = str(refusal.value)
    prefix = (
        "Unable to configure PIP AUTHN_PIP. The following error was reported: AUTHN_PIP: error building authentication"
    )
    assert text.startswith(f"{prefix} profile PIP: ")
    assert reason.format(igtf=igtf) in text


def test_a_choice_that_cannot_be_read_gives_way_to_the_default_one(
    points: InformationPoints, part: AuthnProfilePart, igtf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.suppress(ConfigurationError):  # the default one may be on this machine
        points.point(replace(part, accepted_file=igtf / "nowhere"))
    told = f"AUTHN_PIP: {igtf}/nowhere is not readable: /etc/argus/pepd/vo-ca-ap-file is used"
    assert caplog.messages[0] == told
    assert points.details()[0] == ("Problem", told)


def test_a_profile_that_comes_too_late_is_told(part: AuthnProfilePart) -> None:
    points = InformationPoints(SecuritySettings(trust_dir=GRID / "certificates"), trust_anchors)
    late = ProfilePart(PipKind.COMMON_PROFILE, ProfileSettings(), None, HOUR)
    for each in (late, part):
        points.point(each)
    told = (
        "common-profile comes after authn-profile in the list of pips: "
        "what it proves is not held against authentication profiles"
    )
    assert ("Problem", told) not in points.details()
    points.point(late)
    assert ("Problem", told) in points.details()


def test_the_default_choice_is_not_told_to_stand_in_for_itself(
    points: InformationPoints, part: AuthnProfilePart, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.suppress(ConfigurationError):
        points.point(replace(part, accepted_file=Path("/etc/argus/pepd/vo-ca-ap-file")))
    assert caplog.messages == []


# Names of policies


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ([], True),
        ([X509ExtractorPart(frozenset({AuthzInterop.CA_POLICY_OID}))], True),
        ([X509ExtractorPart(frozenset({AuthzInterop.SUBJECT_X509_ISSUER}))], False),
        ([ProfilePart(PipKind.SCAS_LEGACY, ProfileSettings(), None, HOUR)], False),
        ([ProfilePart(PipKind.GLITE_PROFILE, ProfileSettings(), None, HOUR)], True),
    ],
)
def test_names_for_an_issuer_that_nobody_proves_are_told(
    trusting: InformationPoints, igtf: Path, before: list[PipPart], told: bool
) -> None:
    for each in (*before, PolicyNamesPart(igtf, HOUR, "names")):
        trusting.point(each)
    assert ("no x509-extractor comes before policy-names" in str(trusting.details())) is told


def test_files_that_name_cas_are_watched(points: InformationPoints, igtf: Path) -> None:
    point = points.point(PolicyNamesPart(igtf, HOUR, "names"))

    def told() -> tuple[str, ...]:
        sent = Request((Subject((Attribute(AuthzInterop.SUBJECT_X509_ISSUER, (IOTA,)),)),))
        return tuple(v for a in point.enrich(sent, now()).subjects[0].attributes if a.id == "names" for v in a.values)

    assert told() == ("policy-igtf-iota",)
    assert [task.every for task in points.periodic] == [LOOK, HOUR]
    (igtf / "site.info").write_text("subjectdn = file:policy-igtf-iota.info")
    points.periodic[0].run()
    assert told() == ("policy-igtf-iota", "site")
    assert dict(points.details())["Contents"].endswith("5 files that name CAs")


def test_what_extracts_needs_no_vomsdir(trusting: InformationPoints) -> None:
    point = trusting.point(X509ExtractorPart(frozenset({AuthzInterop.SUBJECT_X509_ISSUER})))
    assert point.enrich(Request((Subject(),)), now()) == Request((Subject(),))


# All together


def test_the_points_of_the_shipped_file_start_and_judge(tmp_path: Path) -> None:
    text = (GRID.parents[1] / "ini" / "pepd.ini").read_text()
    text = text.replace("/etc/grid-security/certificates", f"{GRID}/certificates")
    text = text.replace("/etc/grid-security/vomsdir", f"{GRID}/vomsdir")
    authn = f"authenticationProfilePolicyFile = {GRID}/vo-ca-ap-file\ntrustAnchors.directory = {GRID}/certificates"
    text = text.replace("[ACCOUNTMAP_OH]", f"{authn}\n[ACCOUNTMAP_OH]")
    settings = parse_pepd(text, "pepd.ini")
    made = InformationPoints(settings.security, trust_anchors)
    points = [made.point(part) for part in settings.pips]

    def enriched(file: str) -> dict[str, tuple[str, ...]]:
        chain = re.findall("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", (GRID / file).read_text(), re.DOTALL)
        request = Request(
            (Subject((Attribute(AttributeId.KEY_INFO, ("".join(chain),)),)),),
            (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
            Action((Attribute(AttributeId.ACTION_ID, ("execute",)),)),
            Environment((Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),)),
        )
        for point in points:
            request = point.enrich(request, now())
        return {attribute.id: attribute.values for attribute in request.subjects[0].attributes}

    pilot = enriched("proxies/alice-dteam-pilot.pem")
    assert pilot[Glite.PRIMARY_FQAN] == ("/dteam/Role=pilot",)
    assert pilot[Glite.X509_AUTHN_PROFILE] == ("policy-igtf-classic",)
    assert enriched("proxies/iota-dteam.pem").keys() == {AttributeId.KEY_INFO}
