"""What the points that turn certificates into attributes have in common: when they apply, whom they prove, what goes.

INVARIANT: once a certificate has spoken, nothing else does. Whatever a certificate can say, in the words of the gLite
or of the common profile, is taken from every subject before the proven attributes are added to one of them. So a claim
cannot stand beside a proof: not with another data type or issuer, not on another subject, and not in the words of the
profile that did not apply. Who shows a chain to each profile is whom the point that comes last names. BETTER: Java
overwrites by identifier and data type on one subject, so claims of all these kinds survive.

COMPAT: a request that no point applies to keeps its claims. Clients without certificates live on that; whoever is let
in by TLS is trusted to name the subject.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/AbstractX509PIP.java
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from argus_py.credentials.rejections import Rejection
from argus_py.credentials.voms import VomsAttributes
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Request
from argus_py.pep.attributes import find, without_claims
from argus_py.pep.pips.proof import CertificateJudge, ChainSource, Proof, UnusableChain
from argus_py.pep.ports import PipError

_log = logging.getLogger(__name__)

VO_IDS: Final = frozenset(
    {
        Glite.VIRTUAL_ORGANIZATION,
        Glite.FQAN,
        Glite.PRIMARY_FQAN,
        DciSec.VIRTUAL_ORGANIZATION,
        DciSec.GROUP,
        DciSec.PRIMARY_GROUP,
        DciSec.ROLE,
        DciSec.PRIMARY_ROLE,
    }
)
X509_IDS: Final = frozenset(
    {
        AttributeId.SUBJECT_ID,
        Glite.SUBJECT_ISSUER,
        Glite.X509_SUBJECT_ISSUER,
        Glite.X509_AUTHN_PROFILE,
        DciSec.SUBJECT_ISSUER,
        DciSec.X509_SUBJECT_ISSUER,
        DciSec.X509_AUTHN_PROFILE,
    }
)
CERTIFIED: Final = X509_IDS | VO_IDS
"""What a certificate says of a subject, in the words of both profiles."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """``accepted_profile_ids`` None accepts every profile, an empty set none.

    With ``require_certificate`` a request of the profile without a usable chain is refused, else it passes unchanged;
    with ``require_proxy`` a chain without a proxy certificate is not usable. ``refuse_invalid_acs``: an attribute
    certificate that is not acceptable ends the request, else its holder is taken for a member of no VO.
    """

    accepted_profile_ids: frozenset[str] | None = None
    require_certificate: bool = True
    require_proxy: bool = False
    refuse_invalid_acs: bool = True


@dataclass(frozen=True, slots=True)
class Proven:
    """Which subject of the request showed the chain, and what it proves."""

    index: int
    proof: Proof


def names_profile(request: Request, profile_id: str, accepted: frozenset[str] | None) -> bool:
    """Whether the environment names an accepted profile.

    BETTER: whatever else it names. Java looks at one attribute of several, and a client could name a profile for the
    policies to see and another one first, so that nobody asks for its certificate.
    """
    profiles = find(request.environment.attributes, profile_id) if request.environment else ()
    if not profiles or accepted is None:
        return bool(profiles)
    if not accepted:
        _log.warning("no profile id is accepted, the request passes without a look at its certificates")
    return any(not accepted.isdisjoint(profile.values) for profile in profiles)


def first_proof(
    request: Request, source: ChainSource, judge: CertificateJudge, settings: ProfileSettings, now: datetime
) -> Proven | None:
    """The first access subject with a usable chain counts; None: there is none, and none is required.

    BETTER: other subjects are passed over, such as machines and intermediaries. Java names the user there if a client
    puts his chain there, and policies that ban him do not look there.

    Raises PipError: no readable or acceptable chain, or none where one is required.
    """
    for index, subject in enumerate(request.subjects):
        sent = source.sent_by(subject) if subject.is_access_subject else None
        if sent is None:
            continue
        try:
            proof = judge.proof(sent, now)
        except UnusableChain as reason:
            _log.warning("certificate chain ignored: %s", reason)
            continue
        # BETTER: a chain that does not validate is refused before anybody asks whether it has a proxy.
        if settings.require_proxy and not proof.chain.proxy_count:
            _log.warning("certificate chain of %s ignored: it has no proxy", proof.chain.subject.readable())
            continue
        return Proven(index, proof)
    if settings.require_certificate:
        raise PipError(
            "Subject did not contain the required certificate chain in attribute: "
            f"{source.attribute_id} datatype: {source.datatype}"
        )
    return None


def identified(request: Request, index: int, attributes: tuple[Attribute, ...]) -> Request:
    """The request with the proven attributes on one subject, and no claim of their kind on any."""
    return with_attributes(without_claims(request, CERTIFIED), index, attributes)


def with_attributes(request: Request, index: int, attributes: tuple[Attribute, ...]) -> Request:
    subjects = list(request.subjects)
    subjects[index] = replace(subjects[index], attributes=subjects[index].attributes + attributes)
    return replace(request, subjects=tuple(subjects))


def names(proof: Proof, subject_issuer: str, x509_subject_issuer: str) -> tuple[Attribute, ...]:
    """Who the subject is and who vouches for that; the two identifiers are those of the profile."""
    return (
        Attribute(AttributeId.SUBJECT_ID, (proof.subject,), DataType.X500_NAME),
        Attribute(subject_issuer, proof.issuers, DataType.X500_NAME),
        Attribute(x509_subject_issuer, (proof.issuer,), DataType.X500_NAME),
    )


def usable_acs(
    proof: Proof, verdicts: tuple[VomsAttributes | Rejection, ...], refuse_invalid: bool
) -> tuple[VomsAttributes, ...]:
    """All of the ``verdicts`` that count for a profile, or none of them if one is bad and that is to be put up with.

    Raises PipError: one is bad.
    """
    for verdict in verdicts:
        if isinstance(verdict, Rejection):
            if refuse_invalid:
                raise PipError(str(verdict)) from verdict
            _log.error("%s is taken for a member of no VO: %s", proof.chain.subject.readable(), verdict)
            return ()
    return tuple(verdict for verdict in verdicts if isinstance(verdict, VomsAttributes))
