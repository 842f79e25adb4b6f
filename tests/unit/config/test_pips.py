"""Sections of policy information points, each read by the reader of its class."""

from datetime import UTC, timedelta
from pathlib import Path

import pytest

from argus_py.config.ini import Findings, SectionReader, parse_ini
from argus_py.config.java_names import PipKind
from argus_py.config.pips import (
    PIPS,
    AuthnProfilePart,
    PipPart,
    PolicyNamesPart,
    ProfilePart,
    X509ExtractorPart,
    needs_trust_anchors,
)
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType, Glite
from argus_py.pep.pips.attribute_whitelist import AttributeWhitelist
from argus_py.pep.pips.environment_time import EnvironmentTime
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.pips.static_attributes import StaticAttributes
from argus_py.pep.pips.x509_extractor import EXTRACTABLE

PROVIDER = "org.glite.authz.pep.pip.provider."
HOUR = timedelta(hours=1)


def read(section: str) -> tuple[PipPart | None, list[str], list[str]]:
    """What the section configures, its errors and its warnings."""
    findings = Findings()
    ini = parse_ini(f"[P]\n{section}", "pepd.ini")
    part = PIPS.configured(SectionReader(ini.file, ini.sections["P"], findings))
    return part, [str(each) for each in findings.errors], [str(each) for each in findings.warnings]


def pip(section: str) -> PipPart:
    part, errors, _ = read(section)
    assert part is not None
    assert errors == []
    return part


def warnings(section: str) -> list[str]:
    return read(section)[2]


def errors(section: str) -> list[str]:
    return read(section)[1]


def test_every_kind_of_point_is_read_or_refused_by_name() -> None:
    assert set(PIPS.readers) == set(PipKind)


def test_request_validator_keys() -> None:
    section = (
        "parserClass = request-validator\nvalidateRequestSubjects = false\nvalidateRequestResources = false\n"
        "validateRequestAction = false\nvalidateRequestEnvironment = true"
    )
    assert pip(section) == RequestValidator(subjects=False, resources=False, action=False, environment=True)


def test_openssl_subject_keys() -> None:
    section = (
        f"parserClass = openssl-subject\nopensslSubjectAttributeIDs = {AttributeId.SUBJECT_ID} x\n"
        f"opensslSubjectAttributeDatatypes = {DataType.ANY_URI}"
    )
    assert pip(section) == OpensslSubject(frozenset({AttributeId.SUBJECT_ID, "x"}), frozenset({DataType.ANY_URI}))
    assert pip("parserClass = openssl-subject") == OpensslSubject()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (PipKind.GLITE_PROFILE, "GLiteAuthorizationProfilePIPIniConfigurationParser"),
        (PipKind.COMMON_PROFILE, "CommonXACMLAuthorizationProfilePIPIniConfigurationParser"),
    ],
)
def test_profile_keys(kind: PipKind, name: str) -> None:
    section = (
        f"parserClass = {PROVIDER}{name}\nacceptedProfileIDs = a b\nrequireCertificate = false\nrequireProxy = true\n"
        "performPKIXValidation = true\nvomsInfoDir = /vomsdir\nvomsInfoRefresh = 5\n"
        "invalidAttributeCertificate = refuse"
    )
    settings = ProfileSettings(frozenset({"a", "b"}), require_certificate=False, require_proxy=True)
    assert pip(section) == ProfilePart(kind, settings, Path("/vomsdir"), timedelta(minutes=5))
    assert warnings(section) == []


def test_profiles_differ_in_what_they_do_by_default() -> None:
    lenient = ProfileSettings(None, require_certificate=False, refuse_invalid_acs=False)
    assert pip("parserClass = glite-profile") == ProfilePart(PipKind.GLITE_PROFILE, ProfileSettings(), None, HOUR)
    assert pip("parserClass = common-profile") == ProfilePart(PipKind.COMMON_PROFILE, lenient, None, HOUR)
    assert pip("parserClass = scas-legacy") == ProfilePart(PipKind.SCAS_LEGACY, ProfileSettings(), None, HOUR)


@pytest.mark.parametrize(("word", "refuses"), [("refuse", True), ("ignore", False)])
@pytest.mark.parametrize("kind", ["glite-profile", "common-profile", "scas-legacy"])
def test_an_invalid_attribute_certificate_is_dealt_with_as_asked(kind: str, word: str, refuses: bool) -> None:
    part = pip(f"parserClass = {kind}\ninvalidAttributeCertificate = {word}")
    assert isinstance(part, ProfilePart)
    assert part.settings.refuse_invalid_acs is refuses


def test_another_word_for_that_is_an_error() -> None:
    assert errors("parserClass = glite-profile\ninvalidAttributeCertificate = Ignore") == [
        "pepd.ini:3 [P] invalidAttributeCertificate: 'Ignore' is neither refuse nor ignore"
    ]


@pytest.mark.parametrize("kind", ["glite-profile", "common-profile"])
def test_a_missing_list_of_profiles_accepts_all_and_an_empty_one_none(kind: str) -> None:
    every, none = pip(f"parserClass = {kind}"), pip(f"parserClass = {kind}\nacceptedProfileIDs =")
    assert isinstance(every, ProfilePart)
    assert isinstance(none, ProfilePart)
    assert every.settings.accepted_profile_ids is None
    assert none.settings.accepted_profile_ids == frozenset()
    assert "is empty, so no request is looked at" in warnings(f"parserClass = {kind}\nacceptedProfileIDs =")[0]


def test_the_worker_node_parser_accepts_its_profile_alone() -> None:
    part = pip(f"parserClass = {PROVIDER}WorkerNodeProfileV1IniConfigurationParser")
    assert part == ProfilePart(
        PipKind.GLITE_PROFILE, ProfileSettings(frozenset({Glite.PROFILE_WORKER_NODE})), None, HOUR
    )


@pytest.mark.parametrize("kind", ["glite-profile", "common-profile", "scas-legacy"])
def test_certificates_are_always_validated(kind: str) -> None:
    assert errors(f"parserClass = {kind}\nperformPKIXValidation = false") == [
        "pepd.ini:3 [P] performPKIXValidation: certificates are always validated here"
    ]


@pytest.mark.parametrize(
    ("section", "needs"),
    [
        ("glite-profile", True),
        ("common-profile", True),
        ("scas-legacy", True),
        (f"x509-extractor\nacceptedAttributeIDs = {AuthzInterop.CA_POLICY_OID}", True),
        ("authn-profile", False),
        ("request-validator", False),
    ],
)
def test_who_validates_certificates_needs_trust_anchors(section: str, needs: bool) -> None:
    assert needs_trust_anchors(pip(f"parserClass = {section}")) is needs


def test_authentication_profile_keys() -> None:
    section = (
        "parserClass = authn-profile\nauthenticationProfilePolicyFile = /file\ntrustAnchors.directory = /dir\n"
        "trustAnchors.policyFilePattern = p-*.info\ntrustAnchors.refreshIntervalInSecs = 604800\n"
        "voEntryReplacesAnyVo = true"
    )
    expected = AuthnProfilePart("P", Path("/file"), Path("/dir"), "p-*.info", timedelta(days=7), own_entry_alone=True)
    assert pip(section) == expected
    assert warnings(section) == []


@pytest.mark.parametrize(
    ("seconds", "refresh"),
    [("1", timedelta(seconds=1)), ("0", None), ("-1", None), ("604801", timedelta(hours=4)), ("x", timedelta(hours=4))],
)
def test_authentication_profiles_are_refreshed_every_four_hours_or_as_told(
    seconds: str, refresh: timedelta | None
) -> None:
    part = pip(f"parserClass = authn-profile\ntrustAnchors.refreshIntervalInSecs = {seconds}")
    assert isinstance(part, AuthnProfilePart)
    assert part.refresh == refresh


def test_authentication_profiles_are_where_they_always_were() -> None:
    assert pip(f"parserClass = {PROVIDER}authnprofilespip.AuthenticationProfilePIPConfigurationParser") == (
        AuthnProfilePart(
            "P",
            Path("/etc/argus/pepd/vo-ca-ap-file"),
            Path("/etc/grid-security/certificates"),
            "policy-*.info",
            timedelta(hours=4),
            own_entry_alone=False,
        )
    )


def test_whitelist_keys() -> None:
    section = (
        "parserClass = attribute-whitelist\nacceptedSubjectAttributes = a b\nacceptedResourceAttributes =\n"
        "acceptedActionAttributes = c"
    )
    assert pip(section) == AttributeWhitelist(frozenset({"a", "b"}), frozenset(), frozenset({"c"}), None)
    assert pip("parserClass = attribute-whitelist\nacceptedEnvironmentAttributes = e") == AttributeWhitelist(
        environment=frozenset({"e"})
    )


def test_the_key_that_the_manual_misspells_has_no_effect_and_a_warning() -> None:
    section = "parserClass = attribute-whitelist\nacceptedEnvrionmentAttributes = e"
    assert pip(section) == AttributeWhitelist()
    (warning,) = warnings(section)
    assert "has no effect" in warning


def test_environment_time_is_utc_unless_told_otherwise() -> None:
    assert pip("parserClass = environment-time") == EnvironmentTime(UTC)
    assert pip("parserClass = environment-time\nuseUTCTimeZone = no") == EnvironmentTime(None)


def test_static_attributes_come_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "static.ini"
    file.write_text("[A]\nid = a\nvalues = 1\n[B]\nid = b\nvalues = 2\nissuer = me\n[C]\nid = unused\nvalues = 3\n")
    section = (
        f"parserClass = static-attributes\nstaticAttributesFile = {file}\ndefaultAttributeIssuer = site\n"
        "subjectAttributes = A\nresourceAttributes = B A\nactionAttributes = A\nenvironmentAttributes = B\n"
        "includeSubjectAttribtuesInAllSubjects = true\nincludeResourceAttribtuesInAllResources = true"
    )
    a, b = Attribute("a", ("1",), issuer="site"), Attribute("b", ("2",), issuer="me")
    assert pip(section) == StaticAttributes((a,), (b, a), (a,), (b,), every_subject=True, every_resource=True)
    assert warnings(section) == []
    assert pip(f"parserClass = static-attributes\nstaticAttributesFile = {file}") == StaticAttributes()


def test_what_is_wrong_in_the_file_of_static_attributes_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "static.ini"
    file.write_text("[A]\nid = a\nValues = 1\n")
    section = f"parserClass = static-attributes\nstaticAttributesFile = {file}\nsubjectAttributes = A X"
    key = "pepd.ini:3 [P] staticAttributesFile: "
    assert errors(section) == [
        f"{key}{file}:1: INI configuration section A does not contain the required property values",
        f"{key}{file}: INI section X does not exist but was listed as an attribute definition section",
    ]
    (warning,) = warnings(section)
    assert warning.startswith(f"{key}{file}:3 [A] Values: unknown key")


def test_a_file_of_static_attributes_is_required_and_has_to_be_one(tmp_path: Path) -> None:
    assert errors("parserClass = static-attributes") == [
        "pepd.ini:1: INI configuration section P does not contain the required property staticAttributesFile"
    ]
    (missing,) = errors(f"parserClass = static-attributes\nstaticAttributesFile = {tmp_path}/x")
    assert missing.endswith(f"Unable to read configuration file {tmp_path}/x: No such file or directory")
    (tmp_path / "x").write_text("nonsense")
    (damaged,) = errors(f"parserClass = static-attributes\nstaticAttributesFile = {tmp_path}/x")
    assert f"{tmp_path}/x:1: stands before any section header" in damaged


def test_x509_extractor_keys() -> None:
    listed = " ".join(EXTRACTABLE)
    part = pip(f"parserClass = {PROVIDER}X509ExtractorPIPIniConfigurationParser\nacceptedAttributeIDs = {listed}")
    assert part == X509ExtractorPart(frozenset(EXTRACTABLE))
    assert errors("parserClass = x509-extractor\nacceptedAttributeIDs = x") == [
        "pepd.ini:3 [P] acceptedAttributeIDs: Unknown value for acceptedAttributeIDs found: x"
    ]
    assert len(errors("parserClass = x509-extractor")) == 1


def test_policy_names_keys() -> None:
    name = f"parserClass = {PROVIDER}PolicyNamesPIPIniConfigurationParser\ntrustInfoDir = /dir\n"
    assert pip(name) == PolicyNamesPart(Path("/dir"), timedelta(hours=6), AuthzInterop.CA_POLICY_NAMES)
    told = pip(name + "updateInterval = 1500\npolicyNamesAttribute = x")
    assert told == PolicyNamesPart(Path("/dir"), timedelta(seconds=1.5), "x")
    assert len(errors(name + "updateInterval = 0")) == len(errors(name + "updateInterval = x")) == 1
    assert len(errors("parserClass = policy-names")) == 1


def test_tokens_of_openid_connect_are_refused_by_name() -> None:
    section = f"parserClass = {PROVIDER}oidc.OidcProfilePIPConfigurationParser\noidcCacheTTLInSecs = 60"
    assert errors(section) == [
        "pepd.ini:2 [P] parserClass: OpenID Connect tokens are not supported; take this section out of the list of pips"
    ]
    assert warnings(section) == []
