"""What holds for the points of both profiles."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite, SubjectCategory
from argus_py.model.request import Environment, Request, Subject
from argus_py.pep.pips.common_profile import CommonProfile
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.profile import CERTIFIED, ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.ports import PipError

Sent = Callable[[str], Attribute]

ENVIRONMENT = Environment(
    (
        Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,)),
        Attribute(DciSec.PROFILE_ID, (DciSec.PROFILE_COMMON_AUTHZ,)),
    )
)
ALICE = "CN=Alice Adams,OU=People,DC=argus-test,DC=org"
Point = GliteProfile | CommonProfile


@pytest.fixture(params=[GliteProfile, CommonProfile])
def kind(request: pytest.FixtureRequest) -> Callable[[ProfileSettings, CertificateJudge], Point]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def key_info(kind: type[Point], as_pem: Sent, as_der: Sent) -> Sent:
    return as_pem if kind is GliteProfile else as_der


def subject_ids(request: Request) -> list[tuple[str, ...]]:
    return [
        attribute.values
        for subject in request.subjects
        for attribute in subject.attributes
        if attribute.id == AttributeId.SUBJECT_ID
    ]


def test_a_bad_attribute_certificate_ends_the_request_or_costs_the_vo(
    kind: type[Point], judge: CertificateJudge, key_info: Sent, now: datetime
) -> None:
    sent = Request((Subject((key_info("bad/ac-expired.pem"),)),), environment=ENVIRONMENT)
    with pytest.raises(PipError, match="AC validity check failed"):
        kind(ProfileSettings(refuse_invalid_acs=True), judge).enrich(sent, now)
    (subject,) = kind(ProfileSettings(refuse_invalid_acs=False), judge).enrich(sent, now).subjects
    assert len(subject.attributes) == 4
    assert subject.attributes[1].values == (ALICE,)


def test_a_refusal_names_its_cause(kind: type[Point], judge: CertificateJudge, key_info: Sent, now: datetime) -> None:
    sent = Request((Subject((key_info("bad/ac-expired.pem"),)),), environment=ENVIRONMENT)
    with pytest.raises(PipError) as refusal:
        kind(ProfileSettings(), judge).enrich(sent, now)
    assert type(refusal.value.__cause__).__name__ == "AcNotValidNow"


def test_claims_in_the_words_of_any_profile_give_way_to_a_proof(
    kind: type[Point], judge: CertificateJudge, key_info: Sent, now: datetime
) -> None:
    chain = key_info("users/alice.pem")
    claims = tuple(Attribute(each, ("claimed",), datatype) for each in CERTIFIED for datatype in ("", DataType.STRING))
    point = kind(ProfileSettings(), judge)
    claiming = Request((Subject((chain, *claims)), Subject(claims, "codebase")), environment=ENVIRONMENT)
    honest = Request((Subject((chain,)), Subject((), "codebase")), environment=ENVIRONMENT)
    assert point.enrich(claiming, now) == point.enrich(honest, now)


@pytest.mark.parametrize("category", [None, SubjectCategory.ACCESS_SUBJECT])
def test_only_an_access_subject_is_looked_at(
    kind: type[Point], judge: CertificateJudge, key_info: Sent, now: datetime, category: str | None
) -> None:
    machine = Subject((key_info("users/bob.pem"),), "urn:oasis:names:tc:xacml:1.0:subject-category:requesting-machine")
    user = Subject((key_info("users/alice.pem"),), category)
    point = kind(ProfileSettings(), judge)
    assert subject_ids(point.enrich(Request((machine, user), environment=ENVIRONMENT), now)) == [(ALICE,)]
    with pytest.raises(PipError, match="did not contain the required certificate chain"):
        point.enrich(Request((machine,), environment=ENVIRONMENT), now)


def test_a_chain_without_a_proxy_is_passed_over_where_one_is_required(
    kind: type[Point], judge: CertificateJudge, key_info: Sent, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    point = kind(ProfileSettings(require_proxy=True), judge)
    users = (Subject((key_info("users/bob.pem"),)), Subject((key_info("proxies/alice-dteam.pem"),)))
    assert subject_ids(point.enrich(Request(users, environment=ENVIRONMENT), now)) == [(ALICE,)]
    assert "ignored: it has no proxy" in caplog.text


def test_a_bad_chain_is_refused_even_if_it_would_be_passed_over(
    kind: type[Point], judge: CertificateJudge, key_info: Sent, now: datetime
) -> None:
    point = kind(ProfileSettings(require_proxy=True, require_certificate=False), judge)
    sent = Request((Subject((key_info("bad/user-expired.pem"),)),), environment=ENVIRONMENT)
    with pytest.raises(PipError, match="PKIX validation failed"):
        point.enrich(sent, now)


def test_what_a_client_claims_stays_where_nothing_is_proven(
    kind: type[Point], judge: CertificateJudge, now: datetime
) -> None:
    sent = Request((Subject((Attribute(AttributeId.SUBJECT_ID, ("/CN=Alice",)),)),), environment=ENVIRONMENT)
    assert kind(ProfileSettings(require_certificate=False), judge).enrich(sent, now) is sent
    elsewhere = replace(sent, environment=None)
    assert kind(ProfileSettings(), judge).enrich(elsewhere, now) is elsewhere
