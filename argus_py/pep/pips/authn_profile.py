"""Strips certificates of what their CA is not good enough for: the site says which authentication profiles it accepts.

Comes after the points that prove certificates. The CA of the user has authentication profiles (IGTF classic, mics,
iota ...), and the vo-ca-ap file says which of them are enough for members of a VO, and for users without one. A VO that
asks for more costs the user its attributes, and a site that asks for more costs him his name; what is left of the
request is decided by the PDP. What was enough is told to policies as x509-authn-profile.

BETTER than Java:
- DNs of CAs are compared as names, not as texts.
- What is removed is removed: by identifier, on all subjects, with subject-issuer and virtual-organization of gLite.
- Of several profiles that are enough, the one named first in the vo-ca-ap file is told.
- Of a user in several VOs each VO must be content; Java asks one of them at random.
- Requests that name several CAs are refused; Java looks at one of them.
- x509-authn-profile never comes from a client, and attributes of a VO never without the VO.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/authnprofilespip/AuthenticationProfilePIP.java
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from argus_py.credentials.igtf import AuthenticationProfiles
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName, DnSyntaxError, escape_controls
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Request
from argus_py.pep.attributes import find, first_value, without_claims
from argus_py.pep.pips.profile import VO_IDS, X509_IDS, with_attributes
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

_log = logging.getLogger(__name__)

_WORDS = {DciSec.X509_AUTHN_PROFILE: DciSec.PROFILE_ID, Glite.X509_AUTHN_PROFILE: Glite.PROFILE_ID}
_ISSUER_IDS = (DciSec.X509_SUBJECT_ISSUER, Glite.X509_SUBJECT_ISSUER)
_VO_NAME_IDS = (DciSec.VIRTUAL_ORGANIZATION, Glite.VIRTUAL_ORGANIZATION)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """The CA of the user's certificate, as text and as name, and the subject that has it."""

    text: str
    name: DistinguishedName
    index: int


class AuthnProfile:
    """Applies to requests with a subject whose x509-subject-issuer is known, in the words of either profile."""

    def __init__(self, profiles: Snapshot[AuthenticationProfiles], own_entry_alone: bool = False) -> None:
        """``own_entry_alone``: the entry of a VO is all that counts for it; else that for any VO adds to it."""
        self._profiles = profiles
        self._own_entry_alone = own_entry_alone

    def enrich(self, request: Request, _now: datetime, /) -> Request:
        """Raises PipError: the CA has no profile, or the request names several CAs."""
        request = without_claims(request, _WORDS.keys())
        issuer = _issuer(request)
        if issuer is None:
            return request
        profiles = self._profiles.current.value
        having = profiles.of_ca(issuer.name)
        if not having:
            raise _no_profile(issuer.text)
        vos = _vos(request)
        if vos:
            enough = self._enough_for(vos, profiles, having)
            if enough is not None:
                return _told(request, issuer, enough)
            _log.warning(
                "the attributes of VO %s are removed from %s: %s is not good enough a CA for it",
                escape_controls(", ".join(vos)),
                _user(request, issuer),
                issuer.name.readable(),
            )
        request = without_claims(request, VO_IDS)
        enough = next((alias for alias in profiles.accepted.without_vo if alias in having), None)
        if enough is not None:
            return _told(request, issuer, enough)
        _log.warning(
            "the name %s is removed: %s is not good enough a CA for users without a VO",
            _user(request, issuer),
            issuer.name.readable(),
        )
        return without_claims(request, X509_IDS)

    def _enough_for(
        self, vos: tuple[str, ...], profiles: AuthenticationProfiles, having: tuple[str, ...]
    ) -> str | None:
        """The first profile accepted for the first VO that the CA has and every VO accepts."""
        accepted = [profiles.accepted.for_vo(vo, self._own_entry_alone) for vo in vos]
        return next(
            (alias for alias in accepted[0] if alias in having and all(alias in each for each in accepted)), None
        )


def _issuer(request: Request) -> _Issuer | None:
    """Raises PipError: there are several, or what is there is no name, so that no CA is called so."""
    found = [
        (value, index)
        for index, subject in enumerate(request.subjects)
        for attribute_id in _ISSUER_IDS
        for attribute in find(subject.attributes, attribute_id, DataType.X500_NAME)
        for value in attribute.values
    ]
    if not found:
        return None
    issuers = [_Issuer(text, _name(text), index) for text, index in found]
    if any(issuer.name != issuers[0].name for issuer in issuers):
        raise PipError(f"The request names several issuers of the subject's certificate: {_listed(issuers)}")
    return issuers[0]


def _name(text: str) -> DistinguishedName:
    try:
        return DistinguishedName.parse_rfc2253(text)
    except DnSyntaxError as error:
        raise _no_profile(text) from error


def _user(request: Request, issuer: _Issuer) -> str:
    """For the log: no audit record will have the name once it is removed."""
    name = first_value(request.subjects[issuer.index].attributes, AttributeId.SUBJECT_ID)
    return escape_controls(name or "null")


def _listed(issuers: list[_Issuer]) -> str:
    return " | ".join(dict.fromkeys(issuer.text for issuer in issuers))


def _no_profile(ca: str) -> PipError:
    return PipError(f"No authentication profile found for CA subject: {ca}")


def _vos(request: Request) -> tuple[str, ...]:
    """In the order received."""
    return tuple(
        dict.fromkeys(
            value
            for subject in request.subjects
            for attribute_id in _VO_NAME_IDS
            for attribute in find(subject.attributes, attribute_id)
            for value in attribute.values
            if value.strip()
        )
    )


def _told(request: Request, issuer: _Issuer, alias: str) -> Request:
    """With the profile in the words that the request speaks, in those of both XACML profiles if it names none.

    BETTER: also if it names both, or a client could choose the words that no policy of the site listens to.
    """
    environment = request.environment.attributes if request.environment else ()
    spoken = [told for told, profile_id in _WORDS.items() if find(environment, profile_id)] or list(_WORDS)
    return with_attributes(request, issuer.index, tuple(Attribute(told, (alias,)) for told in spoken))
