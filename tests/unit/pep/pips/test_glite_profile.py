"""The gLite profile on real proxies and VOMS attribute certificates."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.errors import Unavailable
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Environment, Request, Subject
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

GRID = Path(__file__).parents[3] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LAST_MOMENT = datetime(2045, 12, 1, 1, 0, 10, tzinfo=UTC)  # of proxies/alice-dteam.pem: notAfter and the grace
HOSTNAMES = frozenset({"argus.argus-test.org"})
WORKER_NODE = Environment((Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),))
ALICE = "CN=Alice Adams,OU=People,DC=argus-test,DC=org"
CA = "CN=Argus Test CA,DC=argus-test,DC=org"
OTHER = Attribute("other", ("kept",))


@pytest.fixture
def point(judge: CertificateJudge) -> GliteProfile:
    return GliteProfile(ProfileSettings(), judge)


def chain(file: str) -> str:
    """The certificates of a credential file, as clients send them: without the private key."""
    blocks = re.findall(
        "-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", (GRID / file).read_text(), re.DOTALL
    )
    return "".join(blocks)


def key_info(*values: str) -> Attribute:
    return Attribute(AttributeId.KEY_INFO, values)


def request(*subjects: Subject, environment: Environment | None = WORKER_NODE) -> Request:
    return Request(subjects, environment=environment)


def of(file: str, *claimed: Attribute) -> Request:
    return request(Subject((key_info(chain(file)), *claimed)))


def proven(subject: str, issuers: tuple[str, ...], issuer: str, vo: str = "", *fqans: str) -> tuple[Attribute, ...]:
    names = (
        Attribute(AttributeId.SUBJECT_ID, (subject,), DataType.X500_NAME),
        Attribute(Glite.SUBJECT_ISSUER, issuers, DataType.X500_NAME),
        Attribute(Glite.X509_SUBJECT_ISSUER, (issuer,), DataType.X500_NAME),
    )
    if not vo:
        return names
    return (
        *names,
        Attribute(Glite.VIRTUAL_ORGANIZATION, (vo,)),
        Attribute(Glite.PRIMARY_FQAN, fqans[:1], DataType.FQAN),
        Attribute(Glite.FQAN, fqans, DataType.FQAN),
    )


def attributes(enriched: Request, subject: int = 0) -> tuple[Attribute, ...]:
    return enriched.subjects[subject].attributes


def test_a_voms_proxy_gives_names_vo_and_fqans_in_the_order_of_the_certificate(point: GliteProfile) -> None:
    sent = of("proxies/alice-dteam-pilot.pem", OTHER)
    assert point.enrich(sent, NOW) == request(
        Subject(
            (
                *attributes(sent),
                *proven(ALICE, (ALICE, CA), CA, "dteam", "/dteam/Role=pilot", "/dteam", "/dteam/NGI_IT"),
            )
        )
    )


def test_the_text_of_an_fqan_is_that_of_the_certificate(point: GliteProfile) -> None:
    values = {a.id: a.values for a in attributes(point.enrich(of("proxies/alice-dteam-null.pem"), NOW))}
    assert values[Glite.PRIMARY_FQAN] == values[Glite.FQAN][:1]
    assert any("Role=NULL/Capability=NULL" in fqan for fqan in values[Glite.FQAN])


def test_only_the_first_attribute_certificate_counts(point: GliteProfile) -> None:
    values = {a.id: a.values for a in attributes(point.enrich(of("proxies/alice-two-vos.pem"), NOW))}
    assert values[Glite.VIRTUAL_ORGANIZATION] == ("atlas",)
    assert values[Glite.FQAN] == ("/atlas/Role=production", "/atlas")


def test_a_user_certificate_gives_names_alone(point: GliteProfile) -> None:
    assert attributes(point.enrich(of("users/alice.pem"), NOW))[1:] == proven(ALICE, (CA,), CA)


def test_certificates_may_come_in_any_order(point: GliteProfile) -> None:
    blocks = re.findall("-----BEGIN.*?-----END CERTIFICATE-----\n", chain("proxies/alice-dteam-pilot.pem"), re.DOTALL)
    shuffled = request(Subject((key_info("".join(reversed(blocks))),)))
    ordered = of("proxies/alice-dteam-pilot.pem")
    assert attributes(point.enrich(shuffled, NOW))[1:] == attributes(point.enrich(ordered, NOW))[1:]


CLAIMS = (
    Attribute(AttributeId.SUBJECT_ID, ("CN=Admin",), DataType.X500_NAME),
    Attribute(AttributeId.SUBJECT_ID, ("/CN=Admin",)),
    Attribute(Glite.SUBJECT_ISSUER, ("CN=Friendly CA",), DataType.X500_NAME, "issuer"),
    Attribute(Glite.X509_SUBJECT_ISSUER, ("CN=Friendly CA",), DataType.X500_NAME),
    Attribute(Glite.VIRTUAL_ORGANIZATION, ("ops",)),
    Attribute(Glite.FQAN, ("/ops/Role=lcgadmin",), DataType.FQAN),
    Attribute(Glite.FQAN, ("/ops",), DataType.STRING),
    Attribute(Glite.PRIMARY_FQAN, ("/ops/Role=lcgadmin",), DataType.FQAN),
)


@pytest.mark.parametrize("file", ["users/alice.pem", "proxies/alice-plain.pem", "proxies/alice-dteam-pilot.pem"])
def test_nothing_a_client_claims_survives_a_proof(point: GliteProfile, file: str) -> None:
    claiming = of(file, *CLAIMS, OTHER)
    honest = of(file, OTHER)
    assert point.enrich(claiming, NOW) == point.enrich(honest, NOW)


def test_claims_on_other_subjects_are_removed_too(point: GliteProfile) -> None:
    enriched = point.enrich(request(Subject((*CLAIMS, OTHER)), *of("users/alice.pem").subjects), NOW)
    assert attributes(enriched, 0) == (OTHER,)
    assert attributes(enriched, 1)[1:] == proven(ALICE, (CA,), CA)


def test_the_first_subject_with_a_chain_counts(point: GliteProfile) -> None:
    two = request(Subject((OTHER,)), *of("users/alice.pem").subjects, *of("users/bob.pem").subjects)
    enriched = point.enrich(two, NOW)
    assert attributes(enriched, 1)[1:] == proven(ALICE, (CA,), CA)
    assert len(attributes(enriched, 2)) == 1


@pytest.mark.parametrize(
    "environment",
    [None, Environment(), Environment((Attribute(DciSec.PROFILE_ID, (DciSec.PROFILE_COMMON_AUTHZ,)),))],
)
def test_a_request_without_a_glite_profile_passes_unchanged(
    point: GliteProfile, environment: Environment | None
) -> None:
    sent = request(Subject((key_info("no certificate"),)), environment=environment)
    assert point.enrich(sent, NOW) is sent


@pytest.mark.parametrize(
    ("accepted", "profiles", "applies"),
    [
        (None, (Attribute(Glite.PROFILE_ID, ("any",)),), True),
        (frozenset({"a"}), (Attribute(Glite.PROFILE_ID, ("b", "a")),), True),
        (frozenset({"a"}), (Attribute(Glite.PROFILE_ID, ("b",)), Attribute(Glite.PROFILE_ID, ("a",))), True),
        (frozenset({"a"}), (Attribute(Glite.PROFILE_ID, ()), Attribute(Glite.PROFILE_ID, ("a",), issuer="x")), True),
        (frozenset({"a"}), (Attribute(DciSec.PROFILE_ID, ("a",)),), False),
        (frozenset({"a"}), (Attribute(Glite.PROFILE_ID, ("A",)),), False),
        (frozenset(), (Attribute(Glite.PROFILE_ID, ("a",)),), False),
    ],
)
def test_no_other_profile_beside_an_accepted_one_spares_a_client_the_proof(
    trust: Snapshot[TrustAnchors], accepted: frozenset[str] | None, profiles: tuple[Attribute, ...], applies: bool
) -> None:
    point = GliteProfile(ProfileSettings(accepted), CertificateJudge(trust, None, HOSTNAMES))
    sent = request(*of("users/alice.pem").subjects, environment=Environment(profiles))
    assert (point.enrich(sent, NOW) != sent) is applies


def refusal(point: GliteProfile, sent: Request) -> str:
    with pytest.raises(PipError) as refused:
        point.enrich(sent, NOW)
    return str(refused.value)


MISSING = (
    "Subject did not contain the required certificate chain in attribute: "
    "urn:oasis:names:tc:xacml:1.0:subject:key-info datatype: http://www.w3.org/2001/XMLSchema#string"
)


@pytest.mark.parametrize(
    "subject",
    [
        Subject((OTHER,)),
        Subject((Attribute(AttributeId.KEY_INFO, ("x",), DataType.BASE64_BINARY),)),
        Subject((key_info("one", "two"),)),
    ],
)
def test_a_chain_is_required_unless_told_otherwise(
    point: GliteProfile, trust: Snapshot[TrustAnchors], subject: Subject
) -> None:
    assert refusal(point, request(subject)) == MISSING
    lenient = GliteProfile(ProfileSettings(require_certificate=False), CertificateJudge(trust, None, HOSTNAMES))
    sent = request(subject)
    assert lenient.enrich(sent, NOW) is sent


@pytest.mark.parametrize("attributes", [(key_info("one"), key_info("two")), (key_info(),)])
def test_a_second_or_empty_chain_attribute_is_refused(point: GliteProfile, attributes: tuple[Attribute, ...]) -> None:
    assert refusal(point, request(Subject(attributes))) == "Subject contains more than one X509 certificate chain."


@pytest.mark.parametrize("file", ["file-text", "file-empty", "file-not-base64", "file-truncated", "file-no-end-line"])
def test_what_is_no_chain_is_refused(point: GliteProfile, file: str) -> None:
    text = (GRID / "bad" / f"{file}.pem").read_text()
    message = refusal(point, request(Subject((key_info(text),))))
    assert message.startswith("Failed to load certificate chain from Subject: ")


def test_certificates_of_two_chains_are_refused(point: GliteProfile) -> None:
    assert refusal(point, of("bad/file-two-chains.pem")).startswith("Error sorting certificate chain: ")


@pytest.mark.parametrize(
    ("file", "start"),
    [
        ("bad/proxy-expired.pem", "PKIX validation failed: "),
        ("bad/proxy-bad-signature.pem", "PKIX validation failed: "),
        ("bad/user-untrusted-ca.pem", "PKIX validation failed: "),
        ("bad/proxy-of-revoked.pem", "PKIX validation failed: CN=Rita Revoked,OU=People,DC=argus-test,DC=org: "),
    ],
)
def test_a_chain_that_does_not_validate_is_refused(point: GliteProfile, file: str, start: str) -> None:
    assert refusal(point, of(file)).startswith(start)


@pytest.mark.parametrize("file", ["ac-expired", "ac-tampered", "ac-wrong-holder", "ac-unknown-vo", "ac-garbage"])
def test_a_bad_attribute_certificate_ends_the_request(point: GliteProfile, file: str) -> None:
    with pytest.raises(PipError):
        point.enrich(of(f"bad/{file}.pem"), NOW)


def test_targets_are_compared_with_our_own_names(
    point: GliteProfile, trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust]
) -> None:
    sent = of("proxies/alice-target.pem")
    assert point.enrich(sent, NOW) != sent
    elsewhere = GliteProfile(
        ProfileSettings(), CertificateJudge(trust, voms_trust, frozenset({"elsewhere.example.org"}))
    )
    with pytest.raises(PipError):
        elsewhere.enrich(sent, NOW)


def test_without_a_vomsdir_attribute_certificates_are_not_looked_at(trust: Snapshot[TrustAnchors]) -> None:
    point = GliteProfile(ProfileSettings(), CertificateJudge(trust, None, HOSTNAMES))
    assert attributes(point.enrich(of("bad/ac-expired.pem"), NOW))[1:] == proven(ALICE, (ALICE, CA), CA)


def test_a_chain_with_a_certificate_below_version_3_is_not_looked_at(point: GliteProfile, version_1: str) -> None:
    assert refusal(point, request(Subject((key_info(version_1),)))) == MISSING
    assert refusal(point, request(Subject((key_info(chain("users/alice.pem") + version_1),)))) == MISSING


def test_where_a_proxy_is_required_a_chain_without_one_is_not_looked_at(trust: Snapshot[TrustAnchors]) -> None:
    point = GliteProfile(ProfileSettings(require_proxy=True), CertificateJudge(trust, None, HOSTNAMES))
    assert refusal(point, of("users/alice.pem")) == MISSING
    assert attributes(point.enrich(of("proxies/alice-plain.pem"), NOW))[1:] == proven(ALICE, (ALICE, CA), CA)


def test_nothing_is_proven_before_trust_anchors_are_loaded() -> None:
    unloaded = Snapshot("trust anchors", lambda: load_trust_anchors(GRID / "certificates"), lambda: NOW)
    point = GliteProfile(ProfileSettings(), CertificateJudge(unloaded, None, HOSTNAMES))
    with pytest.raises(Unavailable):
        point.enrich(of("users/alice.pem"), NOW)


def test_a_chain_sent_again_is_not_judged_again(
    trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust], caplog: pytest.LogCaptureFixture
) -> None:
    point = GliteProfile(ProfileSettings(), CertificateJudge(trust, voms_trust, HOSTNAMES))
    sent = of("proxies/alice-plain.pem")
    first = point.enrich(sent, NOW)
    assert point.enrich(sent, NOW + timedelta(minutes=1)) == first
    told = "no VOMS attribute certificate in the chain of CN=Alice Adams,OU=People,DC=argus-test,DC=org"
    assert caplog.messages == [told], "the judgement says so each time"


def test_an_accepted_chain_is_refused_when_it_has_expired(point: GliteProfile) -> None:
    sent = of("proxies/alice-dteam.pem")
    point.enrich(sent, LAST_MOMENT)
    with pytest.raises(PipError, match="Certificate has expired"):
        point.enrich(sent, LAST_MOMENT + timedelta(microseconds=1))


def test_an_accepted_chain_is_judged_again_when_anchors_or_vomsdir_change() -> None:
    anchors, vomsdir = load_trust_anchors(GRID / "certificates"), load_voms_trust(GRID / "vomsdir")
    in_force: dict[str, Any] = {"anchors": anchors, "vomsdir": vomsdir}
    trust = Snapshot[TrustAnchors]("trust anchors", lambda: in_force["anchors"], lambda: NOW)
    voms_trust = Snapshot[VomsTrust]("vomsdir", lambda: in_force["vomsdir"], lambda: NOW)
    point = GliteProfile(ProfileSettings(), CertificateJudge(trust, voms_trust, HOSTNAMES))
    sent = of("proxies/alice-dteam.pem")

    def enriched() -> Request:
        trust.refresh()
        voms_trust.refresh()
        return point.enrich(sent, NOW)

    accepted = enriched()
    in_force["anchors"] = TrustAnchors()
    with pytest.raises(PipError, match="No trusted CA certificate"):
        enriched()
    in_force["anchors"] = anchors
    assert enriched() == accepted
    in_force["vomsdir"] = VomsTrust()
    with pytest.raises(PipError, match="LSC file matching VOMS attributes not found"):
        enriched()


def test_a_text_that_is_no_unicode_is_judged_like_any_other(point: GliteProfile) -> None:
    odd = request(Subject((key_info("\ud800\n" + chain("users/alice.pem")),)))
    assert attributes(point.enrich(odd, NOW))[1:] == proven(ALICE, (CA,), CA)
