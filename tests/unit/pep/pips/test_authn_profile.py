"""Authentication profiles: whose CA is good enough for what, and what goes when it is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from argus_py.credentials.igtf import AuthenticationProfile, AuthenticationProfiles, parse_accepted_profiles
from argus_py.errors import Unavailable
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Environment, Request, Subject
from argus_py.pep.pips.authn_profile import AuthnProfile
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

Sent = Callable[[str], Attribute]

CLASSIC, IOTA, BOTH = "CN=Classic CA,C=XX", "CN=IOTA CA,C=XX", "CN=Both CA,C=XX"
MAIL = "/C=XX/O=a=b, c+d/CN=Mail CA/emailAddress=ca@example.org"
PROFILES = (
    AuthenticationProfile("classic", frozenset(map(DistinguishedName.parse_rfc2253, (CLASSIC, BOTH)))),
    AuthenticationProfile("iota", frozenset(map(DistinguishedName.parse_rfc2253, (IOTA, BOTH)))),
    AuthenticationProfile("slcs", frozenset({DistinguishedName.parse_slash(MAIL)})),
)
ACCEPTED = '/cms file:iota.info\n/atlas file:slcs.info, file:iota.info\n/* file:classic.info\n"-" file:classic.info\n'
GLITE = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,))
COMMON = Attribute(DciSec.PROFILE_ID, (DciSec.PROFILE_COMMON_AUTHZ,))
USER = Attribute(AttributeId.SUBJECT_ID, ("CN=John Doe",), DataType.X500_NAME)
KEY_INFO = Attribute(AttributeId.KEY_INFO, ("PEM",))


def snapshot(now: datetime, accepted: str = ACCEPTED) -> Snapshot[AuthenticationProfiles]:
    value = AuthenticationProfiles(PROFILES, parse_accepted_profiles(accepted))
    profiles = Snapshot("authentication profiles", lambda: value, lambda: now)
    profiles.refresh()
    return profiles


@pytest.fixture
def point(now: datetime) -> AuthnProfile:
    return AuthnProfile(snapshot(now))


def issuer(ca: str, attribute_id: str = Glite.X509_SUBJECT_ISSUER) -> Attribute:
    return Attribute(attribute_id, (ca,), DataType.X500_NAME)


def vo(*names: str, attribute_id: str = Glite.VIRTUAL_ORGANIZATION) -> tuple[Attribute, ...]:
    fqans = tuple(f"/{name}" for name in names)
    return (Attribute(attribute_id, names), Attribute(Glite.FQAN, fqans, DataType.FQAN))


def request(*attributes: Attribute, environment: tuple[Attribute, ...] = (GLITE,)) -> Request:
    return Request((Subject(attributes),), environment=Environment(environment))


def told(alias: str, attribute_id: str = Glite.X509_AUTHN_PROFILE) -> Attribute:
    return Attribute(attribute_id, (alias,))


def enriched(point: AuthnProfile, now: datetime, *attributes: Attribute) -> tuple[Attribute, ...]:
    return point.enrich(request(*attributes), now).subjects[0].attributes


@pytest.mark.parametrize(
    ("ca", "vos", "alias"),
    [
        (CLASSIC, (), "classic"),
        (CLASSIC, ("cms",), "classic"),  # the entry for any VO adds to that of the VO
        (IOTA, ("cms",), "iota"),
        (BOTH, ("cms",), "iota"),  # the order of the policies
        (BOTH, ("dteam",), "classic"),
        (BOTH, ("cms", "dteam"), "classic"),  # what every VO accepts
        ("cn=IOTA  ca, c=xx", ("cms",), "iota"),  # names, not texts
        (DistinguishedName.parse_slash(MAIL).rfc2253(), ("atlas",), "slcs"),
    ],
)
def test_a_ca_that_is_good_enough_changes_nothing_but_the_profile_told(
    point: AuthnProfile, now: datetime, ca: str, vos: tuple[str, ...], alias: str
) -> None:
    sent = (USER, issuer(ca), *(vo(*vos) if vos else ()))
    assert enriched(point, now, *sent) == (*sent, told(alias))


@pytest.mark.parametrize("vos", [("dteam",), ("cms", "dteam")])
def test_who_is_not_good_enough_for_one_of_his_vos_is_stripped_of_all(
    point: AuthnProfile, now: datetime, vos: tuple[str, ...]
) -> None:
    assert enriched(point, now, KEY_INFO, USER, issuer(IOTA), *vo(*vos)) == (KEY_INFO,)


def test_who_is_not_good_enough_for_his_vo_may_be_so_without_it(now: datetime) -> None:
    point = AuthnProfile(snapshot(now, '/cms file:classic.info\n"-" file:iota.info'))
    assert enriched(point, now, USER, issuer(IOTA), *vo("cms")) == (USER, issuer(IOTA), told("iota"))


VO_ATTRIBUTES = tuple(
    Attribute(each, ("cms",), datatype)
    for each in (
        Glite.VIRTUAL_ORGANIZATION,
        Glite.FQAN,
        Glite.PRIMARY_FQAN,
        DciSec.VIRTUAL_ORGANIZATION,
        DciSec.GROUP,
        DciSec.PRIMARY_GROUP,
        DciSec.ROLE,
        DciSec.PRIMARY_ROLE,
    )
    for datatype in (DataType.STRING, DataType.FQAN)
)
NAMES = tuple(
    Attribute(each, ("CN=Claimed",), DataType.STRING)
    for each in (
        AttributeId.SUBJECT_ID,
        Glite.SUBJECT_ISSUER,
        Glite.X509_SUBJECT_ISSUER,
        Glite.X509_AUTHN_PROFILE,
        DciSec.SUBJECT_ISSUER,
        DciSec.X509_SUBJECT_ISSUER,
        DciSec.X509_AUTHN_PROFILE,
    )
)


def test_what_is_removed_goes_by_identifier_and_from_every_subject(now: datetime) -> None:
    point = AuthnProfile(snapshot(now, "/dteam file:classic.info"))
    two = Request((Subject((KEY_INFO, issuer(IOTA), *VO_ATTRIBUTES)), Subject((*NAMES, *VO_ATTRIBUTES, KEY_INFO))))
    assert point.enrich(two, now) == Request((Subject((KEY_INFO,)), Subject((KEY_INFO,))))


def test_fqans_without_a_vo_do_not_slip_through(point: AuthnProfile, now: datetime) -> None:
    sent = enriched(point, now, USER, issuer(CLASSIC), vo("atlas")[1], Attribute(Glite.VIRTUAL_ORGANIZATION, (" ",)))
    assert sent == (USER, issuer(CLASSIC), told("classic"))


def test_a_ca_without_a_profile_ends_the_request(point: AuthnProfile, now: datetime) -> None:
    with pytest.raises(PipError) as refusal:
        enriched(point, now, USER, issuer("CN=Nobody"))
    assert str(refusal.value) == "No authentication profile found for CA subject: CN=Nobody"


def test_a_ca_that_is_no_name_has_no_profile(point: AuthnProfile, now: datetime) -> None:
    with pytest.raises(PipError, match="No authentication profile found for CA subject: nonsense"):
        enriched(point, now, USER, issuer("nonsense"))


@pytest.mark.parametrize("attributes", [(USER,), (USER, Attribute(Glite.X509_SUBJECT_ISSUER, (CLASSIC,)))])
def test_without_a_known_issuer_nothing_is_judged(
    point: AuthnProfile, now: datetime, attributes: tuple[Attribute, ...]
) -> None:
    sent = request(*attributes, *vo("nowhere"))
    assert point.enrich(sent, now) is sent


def test_the_profile_told_never_comes_from_a_client(point: AuthnProfile, now: datetime) -> None:
    claims = (
        told("classic"),
        told("classic", DciSec.X509_AUTHN_PROFILE),
        replace(told("x"), datatype=DataType.ANY_URI),
    )
    assert enriched(point, now, USER, *claims) == (USER,)
    assert enriched(point, now, *claims, issuer(IOTA), *vo("cms"))[-1] == told("iota")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ((GLITE,), (told("classic"),)),
        ((COMMON,), (told("classic", DciSec.X509_AUTHN_PROFILE),)),
        ((), (told("classic", DciSec.X509_AUTHN_PROFILE), told("classic"))),
        ((GLITE, COMMON), (told("classic", DciSec.X509_AUTHN_PROFILE), told("classic"))),
    ],
)
def test_the_profile_is_told_in_the_words_of_the_request(
    point: AuthnProfile, now: datetime, environment: tuple[Attribute, ...], expected: tuple[Attribute, ...]
) -> None:
    sent = request(issuer(CLASSIC, DciSec.X509_SUBJECT_ISSUER), environment=environment)
    assert point.enrich(sent, now).subjects[0].attributes[1:] == expected
    if not environment:
        without = point.enrich(replace(sent, environment=None), now)
        assert without.subjects[0].attributes[1:] == expected


def test_several_issuers_are_refused_unless_they_are_the_same(point: AuthnProfile, now: datetime) -> None:
    same = (issuer(CLASSIC), issuer("cn=classic ca, c=xx", DciSec.X509_SUBJECT_ISSUER))
    assert enriched(point, now, *same) == (*same, told("classic"))
    with pytest.raises(PipError) as refusal:
        enriched(point, now, issuer(CLASSIC), issuer(IOTA, DciSec.X509_SUBJECT_ISSUER))
    assert str(refusal.value) == f"The request names several issuers of the subject's certificate: {IOTA} | {CLASSIC}"
    elsewhere = Request((Subject((issuer(CLASSIC),)), Subject((issuer(IOTA),))))
    with pytest.raises(PipError, match="several issuers"):
        point.enrich(elsewhere, now)


def test_the_profile_is_told_of_the_subject_with_the_certificate(point: AuthnProfile, now: datetime) -> None:
    two = Request((Subject((USER,)), Subject((issuer(CLASSIC),))), environment=Environment((GLITE,)))
    assert point.enrich(two, now).subjects[1].attributes == (issuer(CLASSIC), told("classic"))


def test_the_entry_of_a_vo_can_be_made_to_stand_alone(now: datetime) -> None:
    point = AuthnProfile(snapshot(now), own_entry_alone=True)
    assert enriched(point, now, USER, issuer(CLASSIC), *vo("cms")) == (USER, issuer(CLASSIC), told("classic"))
    assert enriched(point, now, issuer(IOTA), *vo("cms"))[-1] == told("iota")


def test_nothing_is_good_enough_before_profiles_are_loaded(now: datetime) -> None:
    unloaded = Snapshot(
        "authentication profiles", lambda: AuthenticationProfiles((), parse_accepted_profiles("")), lambda: now
    )
    with pytest.raises(Unavailable):
        enriched(AuthnProfile(unloaded), now, issuer(CLASSIC))


def test_a_user_of_an_iota_ca_lives_by_his_vo(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    """With real certificates: the CA is in no other profile."""
    ca = "CN=IOTA CA,O=Argus IOTA Test,C=XX"
    profile = AuthenticationProfile("policy-igtf-iota", frozenset({DistinguishedName.parse_rfc2253(ca)}))

    def through(file: str, accepted: str) -> dict[str, tuple[str, ...]]:
        value = AuthenticationProfiles((profile,), parse_accepted_profiles(accepted))
        profiles = Snapshot("authentication profiles", lambda: value, lambda: now)
        profiles.refresh()
        sent = GliteProfile(ProfileSettings(), judge).enrich(request(as_pem(file)), now)
        kept = AuthnProfile(profiles).enrich(sent, now).subjects[0].attributes
        return {attribute.id: attribute.values for attribute in kept}

    accepted = "/dteam file:policy-igtf-iota.info"
    member = through("proxies/iota-dteam.pem", accepted)
    assert member[Glite.X509_AUTHN_PROFILE] == ("policy-igtf-iota",)
    assert member[Glite.PRIMARY_FQAN] == ("/dteam",)
    assert through("users/iota.pem", accepted).keys() == {AttributeId.KEY_INFO}
    assert through("proxies/iota-dteam.pem", "/cms file:policy-igtf-iota.info").keys() == {AttributeId.KEY_INFO}


def test_the_log_names_whose_attributes_and_name_are_removed(
    point: AuthnProfile, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    enriched(point, now, USER, issuer(IOTA), *vo("dteam", "lhcb"))
    assert caplog.messages == [
        "the attributes of VO dteam, lhcb are removed from CN=John Doe: CN=IOTA CA,C=XX is not good enough a CA for it",
        "the name CN=John Doe is removed: CN=IOTA CA,C=XX is not good enough a CA for users without a VO",
    ]
