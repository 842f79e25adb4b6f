"""The Common XACML profile on real proxies and VOMS attribute certificates."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes
from argus_py.hessian.messages import read_request
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Environment, Request, Subject
from argus_py.pep.pips.common_profile import CommonProfile
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge, Proof, SentChain
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

Sent = Callable[[str], Attribute]
Enrich = Callable[..., tuple[Attribute, ...]]

COMMON = Environment((Attribute(DciSec.PROFILE_ID, (DciSec.PROFILE_COMMON_AUTHZ,), DataType.ANY_URI),))
SETTINGS = ProfileSettings(require_certificate=False, refuse_invalid_acs=False)
ALICE = "CN=Alice Adams,OU=People,DC=argus-test,DC=org"
CA = "CN=Argus Test CA,DC=argus-test,DC=org"
OTHER = Attribute("other", ("kept",))


@pytest.fixture
def enrich(judge: CertificateJudge, as_der: Sent, now: datetime) -> Enrich:
    """What the profile adds to a subject with the chain of a file, and what it leaves of its claims."""

    def enriched(
        file: str, *claims: Attribute, settings: ProfileSettings = SETTINGS, judge: CertificateJudge = judge
    ) -> tuple[Attribute, ...]:
        request = Request((Subject((as_der(file), *claims)),), environment=COMMON)
        return CommonProfile(settings, judge).enrich(request, now).subjects[0].attributes[1:]

    return enriched


def names(subject: str, issuers: tuple[str, ...], issuer: str) -> tuple[Attribute, ...]:
    return (
        Attribute(AttributeId.SUBJECT_ID, (subject,), DataType.X500_NAME),
        Attribute(DciSec.SUBJECT_ISSUER, issuers, DataType.X500_NAME),
        Attribute(DciSec.X509_SUBJECT_ISSUER, (issuer,), DataType.X500_NAME),
    )


def test_a_voms_proxy_gives_names_vo_groups_and_roles(enrich: Enrich) -> None:
    assert enrich("proxies/alice-dteam-pilot.pem") == (
        *names(ALICE, (ALICE, CA), CA),
        Attribute(DciSec.VIRTUAL_ORGANIZATION, ("dteam",)),
        Attribute(DciSec.PRIMARY_GROUP, ("/dteam",)),
        Attribute(DciSec.GROUP, ("/dteam", "/dteam/NGI_IT")),
        Attribute(DciSec.PRIMARY_ROLE, ("pilot",), issuer="/dteam"),
        Attribute(DciSec.ROLE, ("pilot",), issuer="/dteam"),
    )


def test_all_attribute_certificates_count_and_roles_are_kept_apart_by_group(enrich: Enrich) -> None:
    assert enrich("proxies/alice-two-vos.pem")[3:] == (
        Attribute(DciSec.VIRTUAL_ORGANIZATION, ("atlas", "dteam")),
        Attribute(DciSec.PRIMARY_GROUP, ("/atlas",)),
        Attribute(DciSec.GROUP, ("/atlas", "/dteam")),
        Attribute(DciSec.PRIMARY_ROLE, ("production",), issuer="/atlas"),
        Attribute(DciSec.ROLE, ("production",), issuer="/atlas"),
        Attribute(DciSec.ROLE, ("pilot",), issuer="/dteam"),
    )


@pytest.mark.parametrize("file", ["proxies/alice-dteam-order.pem", "proxies/alice-dteam-null.pem"])
def test_a_primary_fqan_without_a_role_gives_no_primary_role(enrich: Enrich, file: str) -> None:
    found = {attribute.id: attribute.values for attribute in enrich(file)}
    assert found[DciSec.PRIMARY_GROUP] == ("/dteam",)
    assert DciSec.PRIMARY_ROLE not in found


def test_a_user_certificate_gives_names_alone(enrich: Enrich) -> None:
    assert enrich("users/alice.pem") == names(ALICE, (CA,), CA)


def test_nothing_a_client_claims_survives_a_proof(enrich: Enrich) -> None:
    claims = tuple(
        Attribute(each, ("claimed",), datatype, issuer)
        for each in (
            AttributeId.SUBJECT_ID,
            DciSec.SUBJECT_ISSUER,
            DciSec.X509_SUBJECT_ISSUER,
            DciSec.X509_AUTHN_PROFILE,
            DciSec.VIRTUAL_ORGANIZATION,
            DciSec.GROUP,
            DciSec.PRIMARY_GROUP,
            DciSec.ROLE,
            DciSec.PRIMARY_ROLE,
            Glite.FQAN,
            Glite.PRIMARY_FQAN,
            Glite.X509_SUBJECT_ISSUER,
        )
        for datatype in (DataType.STRING, DataType.X500_NAME, DataType.FQAN)
        for issuer in (None, "/dteam")
    )
    assert enrich("users/alice.pem", *claims, OTHER) == (OTHER, *names(ALICE, (CA,), CA))


@pytest.mark.parametrize(
    "file", ["ac-expired", "ac-tampered", "ac-garbage", "ac-good-then-bad", "ac-bad-then-good", "ac-foreign-fqans"]
)
def test_one_bad_attribute_certificate_costs_all_attributes_of_vos(
    enrich: Enrich, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert enrich(f"bad/{file}.pem") == names(ALICE, (ALICE, CA), CA)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert caplog.messages[0].startswith(f"{ALICE} is taken for a member of no VO: ")


def test_a_bad_attribute_certificate_ends_the_request_where_that_is_asked_for(enrich: Enrich) -> None:
    with pytest.raises(PipError, match="AC validity check failed"):
        enrich("bad/ac-expired.pem", settings=replace(SETTINGS, refuse_invalid_acs=True))


def test_without_a_vomsdir_attribute_certificates_are_not_looked_at(
    enrich: Enrich, trust: Snapshot[TrustAnchors]
) -> None:
    judge = CertificateJudge(trust, None, frozenset())
    assert enrich("proxies/alice-dteam.pem", judge=judge) == names(ALICE, (ALICE, CA), CA)


def test_certificates_may_come_in_any_order_and_in_several_attributes(
    judge: CertificateJudge, as_der: Sent, now: datetime
) -> None:
    sent = as_der("proxies/alice-dteam-pilot.pem")
    apart = tuple(replace(sent, values=(value,)) for value in reversed(sent.values))
    point = CommonProfile(SETTINGS, judge)
    together = point.enrich(Request((Subject((sent,)),), environment=COMMON), now)
    scattered = point.enrich(Request((Subject(apart),), environment=COMMON), now)
    assert scattered.subjects[0].attributes[len(apart) :] == together.subjects[0].attributes[1:]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("no base64!",), "Fails to decode base64 encoded DER certificate block"),
        (("Zm9v\u00e9",), "Fails to decode base64 encoded DER certificate block"),
        (("Zm9v",), "Fails to generate the X.509 certificate: Can not parse the input data as a certificate"),
        (("",), "Fails to generate the X.509 certificate: Can not parse the input data as a certificate"),
        (("A" * 65537,), "a certificate of 65537 characters; 65536 are allowed"),
        (tuple(f"AAA{digit}" for digit in "ABCDEFGHIJKLMNOPQRSTU"), "Subject contains 21 certificates; 20 are allowed"),
    ],
)
def test_what_is_no_chain_is_refused(
    judge: CertificateJudge, now: datetime, values: tuple[str, ...], message: str
) -> None:
    key_info = Attribute(AttributeId.KEY_INFO, values, DataType.BASE64_BINARY)
    with pytest.raises(PipError) as refusal:
        CommonProfile(SETTINGS, judge).enrich(Request((Subject((key_info,)),), environment=COMMON), now)
    assert str(refusal.value) == message


def test_a_chain_that_does_not_validate_is_refused(enrich: Enrich) -> None:
    with pytest.raises(PipError, match="PKIX validation failed: "):
        enrich("bad/proxy-expired.pem")


NO_CHAIN = [
    Subject((OTHER,)),
    Subject((Attribute(AttributeId.KEY_INFO, ("PEM",)),)),
    Subject((Attribute(AttributeId.KEY_INFO, (), DataType.BASE64_BINARY),)),
]


@pytest.mark.parametrize("subject", NO_CHAIN)
def test_a_request_without_a_chain_passes_unless_one_is_required(
    judge: CertificateJudge, now: datetime, subject: Subject
) -> None:
    request = Request((subject,), environment=COMMON)
    assert CommonProfile(SETTINGS, judge).enrich(request, now) is request
    with pytest.raises(PipError, match=r"did not contain the required certificate chain .*#base64Binary"):
        CommonProfile(ProfileSettings(), judge).enrich(request, now)


@pytest.mark.parametrize("environment", [None, Environment((Attribute(Glite.PROFILE_ID, ("any",)),))])
def test_other_requests_pass_unchanged(
    judge: CertificateJudge, as_der: Sent, now: datetime, environment: Environment | None
) -> None:
    request = Request((Subject((as_der("users/alice.pem"),)),), environment=environment)
    assert CommonProfile(SETTINGS, judge).enrich(request, now) is request


def test_who_shows_chains_to_both_profiles_is_whom_the_last_point_names(
    judge: CertificateJudge, as_der: Sent, as_pem: Sent, now: datetime
) -> None:
    both = Environment((*COMMON.attributes, Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,))))
    request = Request((Subject((as_pem("proxies/bob-dteam.pem"), as_der("users/alice.pem"))),), environment=both)
    for point in (GliteProfile(ProfileSettings(), judge), CommonProfile(SETTINGS, judge)):
        request = point.enrich(request, now)
    assert request.subjects[0].attributes[2:] == names(ALICE, (CA,), CA)


class Saying:
    """A judge who finds these FQANs, beside what another one finds."""

    def __init__(self, judge: CertificateJudge, *fqans: str) -> None:
        self._judge = judge
        self._fqans = fqans

    def proof(self, sent: SentChain, now: datetime) -> Proof:
        proof = self._judge.proof(sent, now)
        ac = VomsAttributes("dteam", "voms", 15000, self._fqans, now, DistinguishedName(()))
        return replace(proof, attribute_certificates=(ac,))


def test_null_is_no_role(enrich: Enrich, judge: CertificateJudge) -> None:
    fqans = ("/vo/Role=pilot/Capability=NULL", "/vo/Role=NULL/Capability=NULL")
    assert enrich("proxies/alice-dteam.pem", judge=Saying(judge, *fqans))[4:] == (
        Attribute(DciSec.PRIMARY_GROUP, ("/vo",)),
        Attribute(DciSec.GROUP, ("/vo",)),
        Attribute(DciSec.PRIMARY_ROLE, ("pilot",), issuer="/vo"),
        Attribute(DciSec.ROLE, ("pilot",), issuer="/vo"),
    )


@pytest.mark.parametrize(
    ("fqans", "groups"),
    [(("/dteam/Foo=bar", "/dteam/a", "/dteam/Role=a=b"), ("/dteam/a",)), (("/dteam/Foo=bar",), None)],
)
def test_an_fqan_that_cannot_be_read_is_left_out(
    enrich: Enrich,
    judge: CertificateJudge,
    caplog: pytest.LogCaptureFixture,
    fqans: tuple[str, ...],
    groups: tuple[str, ...] | None,
) -> None:
    found = {each.id: each.values for each in enrich("proxies/alice-dteam.pem", judge=Saying(judge, *fqans))}
    assert found[DciSec.VIRTUAL_ORGANIZATION] == ("dteam",)
    assert found.get(DciSec.PRIMARY_GROUP) == found.get(DciSec.GROUP) == groups
    assert caplog.messages[0].startswith("left out of the attributes: not an FQAN: '/dteam/Foo=bar'")


def test_the_recorded_request_of_the_java_client_is_proven(recordings: Path, now: datetime) -> None:
    recorded = json.loads((recordings / "cases" / "java-req-common-xacml.json").read_text())["request"]
    ca = Certificate(x509.load_pem_x509_certificate((recordings / "certs" / "ca.pem").read_bytes()))
    trust = Snapshot("trust anchors", lambda: TrustAnchors((ca,)), lambda: now)
    trust.refresh()
    request = read_request(base64.b64decode(recorded))
    point = CommonProfile(
        ProfileSettings(frozenset({DciSec.PROFILE_COMMON_AUTHZ})), CertificateJudge(trust, None, frozenset())
    )
    (subject,) = point.enrich(request, now).subjects
    issuer = ca.subject.rfc2253()
    assert subject.attributes[-3:] == names("CN=Test User 001,OU=People,DC=example,DC=org", (issuer,), issuer)
