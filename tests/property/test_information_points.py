"""Whatever a client claims and whichever points a site lists: what a point is responsible for, it alone says."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials.ca_policies import CaPolicies
from argus_py.credentials.igtf import AuthenticationProfile, AuthenticationProfiles, parse_accepted_profiles
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType, DciSec, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.pips import scas_legacy
from argus_py.pep.pips.authn_profile import AuthnProfile
from argus_py.pep.pips.environment_time import EnvironmentTime
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.policy_names import PolicyNames
from argus_py.pep.pips.profile import CERTIFIED, ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.pips.scas_legacy import ScasLegacy
from argus_py.pep.pips.static_attributes import StaticAttributes
from argus_py.pep.pips.x509_extractor import EXTRACTABLE, X509Extractor
from argus_py.pep.ports import Pip, PipError
from argus_py.snapshot import Snapshot, T
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

GRID = Path(__file__).parents[1] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CA = frozenset({DistinguishedName.parse_slash("/DC=org/DC=argus-test/CN=Argus Test CA")})


def loaded(load: Callable[[], T]) -> Snapshot[T]:
    snapshot = Snapshot("material", load, lambda: NOW)
    snapshot.refresh()
    return snapshot


TRUST: Snapshot[TrustAnchors] = loaded(lambda: load_trust_anchors(GRID / "certificates"))
VOMSDIR: Snapshot[VomsTrust] = loaded(lambda: load_voms_trust(GRID / "vomsdir"))
JUDGE = CertificateJudge(TRUST, VOMSDIR, frozenset())
PROFILES = AuthenticationProfiles(
    (AuthenticationProfile("classic", CA),), parse_accepted_profiles('/* file:classic.info\n"-" file:classic.info')
)


@dataclass(frozen=True)
class Responsible:
    """A point, and the identifiers that nobody else fills, by part of the request."""

    point: Pip
    subject: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    action: frozenset[str] = frozenset()
    environment: frozenset[str] = frozenset()


SITE = Attribute("site", ("here",))
TIME = frozenset({AttributeId.CURRENT_TIME, AttributeId.CURRENT_DATE, AttributeId.CURRENT_DATE_TIME})
POINTS = [
    Responsible(OpensslSubject()),
    Responsible(GliteProfile(ProfileSettings(), JUDGE), subject=CERTIFIED),
    Responsible(ScasLegacy(ProfileSettings(), JUDGE), subject=scas_legacy.OWNED),
    Responsible(X509Extractor(frozenset(EXTRACTABLE), JUDGE), subject=frozenset(EXTRACTABLE)),
    Responsible(
        PolicyNames(loaded(lambda: CaPolicies({"good": CA}))), subject=frozenset({AuthzInterop.CA_POLICY_NAMES})
    ),
    Responsible(
        AuthnProfile(loaded(lambda: PROFILES)),
        subject=frozenset({Glite.X509_AUTHN_PROFILE, DciSec.X509_AUTHN_PROFILE}),
    ),
    Responsible(EnvironmentTime(), environment=TIME),
    Responsible(
        StaticAttributes((SITE,), (SITE,), (SITE,), (SITE,), every_subject=True, every_resource=True),
        *(frozenset({"site"}) for _ in range(4)),
    ),
]

_ids = st.sampled_from(
    sorted({"other", "site", AttributeId.RESOURCE_ID} | TIME | CERTIFIED | scas_legacy.OWNED | set(EXTRACTABLE))
)
_datatypes = st.sampled_from([DataType.STRING, DataType.FQAN, DataType.ANY_URI, DataType.X500_NAME])
_claims = st.lists(
    st.builds(
        lambda id_, datatype, issuer: Attribute(
            id_, ("CN=claimed",) if datatype == DataType.X500_NAME else ("/CN=claimed",), datatype, issuer
        ),
        _ids,
        _datatypes,
        st.sampled_from([None, "issuer"]),
    ),
    max_size=8,
).map(tuple)
_chains = st.sampled_from(["users/alice.pem", "proxies/alice-plain.pem", "proxies/alice-dteam-pilot.pem"])


def key_info(file: str) -> Attribute:
    blocks = re.findall("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", (GRID / file).read_text(), re.DOTALL)
    return Attribute(AttributeId.KEY_INFO, ("".join(blocks),))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A worker node's request with claims of all sorts, on the user with the chain and around him."""
    user = Subject((*draw(_claims), key_info(draw(_chains)), *draw(_claims)))
    before, after = (
        draw(st.lists(st.builds(Subject, _claims, st.sampled_from([None, "codebase"])), max_size=2)) for _ in "ab"
    )
    profile = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,))
    return Request(
        (*before, user, *after),
        tuple(draw(st.lists(st.builds(Resource, _claims), max_size=2))),
        Action(draw(_claims)),
        Environment((*draw(_claims), profile)),
    )


def claimed(attributes: tuple[Attribute, ...], ids: frozenset[str]) -> list[Attribute]:
    return [a for a in attributes if a.id in ids and any("claimed" in value for value in a.values)]


@settings(max_examples=200, deadline=None)
@given(requests(), st.permutations(POINTS).flatmap(lambda order: st.integers(0, len(order)).map(lambda n: order[:n])))
def test_no_claim_stands_where_a_point_is_responsible(request: Request, points: list[Responsible]) -> None:
    try:
        for responsible in points:
            request = responsible.point.enrich(request, NOW)
    except PipError:
        return  # nothing that was claimed gets anywhere
    for responsible in points:
        assert not [found for s in request.subjects for found in claimed(s.attributes, responsible.subject)]
        assert not [found for r in request.resources for found in claimed(r.attributes, responsible.resource)]
        assert not claimed(request.action.attributes if request.action else (), responsible.action)
        assert not claimed(request.environment.attributes if request.environment else (), responsible.environment)
