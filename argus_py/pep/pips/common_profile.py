"""Turns the certificate chain of a request of the Common XACML Authorization Profile into proven attributes.

Profile common-authz/1.1 of EMI: the chain stands as base64 DER in the key-info of a subject, a value per certificate;
out come its DN, its issuers, and VOs, groups and roles of all its attribute certificates together. A role belongs to
the group that is named as its issuer.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/CommonXACMLAuthorizationProfilePIP.java
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from argus_py.credentials.voms import VomsAttributes
from argus_py.model.attribute import Attribute
from argus_py.model.fqan import NULL, Fqan, FqanSyntaxError
from argus_py.model.identifiers import DciSec
from argus_py.model.request import Request
from argus_py.pep.pips.profile import ProfileSettings, first_proof, identified, names, names_profile, usable_acs
from argus_py.pep.pips.proof import DER_KEY_INFO, CertificateJudge, Proof

_log = logging.getLogger(__name__)


class CommonProfile:
    """Applies to requests whose environment names an accepted profile."""

    def __init__(self, settings: ProfileSettings, judge: CertificateJudge) -> None:
        self._settings = settings
        self._judge = judge

    def enrich(self, request: Request, now: datetime, /) -> Request:
        """The first subject with a usable chain counts.

        Raises PipError: no readable or acceptable chain, or a bad attribute certificate where that is not put up with.
        """
        if not names_profile(request, DciSec.PROFILE_ID, self._settings.accepted_profile_ids):
            return request
        proven = first_proof(request, DER_KEY_INFO, self._judge, self._settings, now)
        return identified(request, proven.index, self._attributes(proven.proof)) if proven else request

    def _attributes(self, proof: Proof) -> tuple[Attribute, ...]:
        acs = usable_acs(proof, proof.attribute_certificates, self._settings.refuse_invalid_acs)
        return names(proof, DciSec.SUBJECT_ISSUER, DciSec.X509_SUBJECT_ISSUER) + _membership(acs)


def _membership(acs: tuple[VomsAttributes, ...]) -> tuple[Attribute, ...]:
    if not acs:
        return ()
    vos = Attribute(DciSec.VIRTUAL_ORGANIZATION, _distinct(ac.vo for ac in acs))
    fqans = tuple(_readable(text for ac in acs for text in ac.fqans))
    if not fqans:
        return (vos,)
    primary = fqans[0]
    primary_role = (
        () if primary.role == NULL else (Attribute(DciSec.PRIMARY_ROLE, (primary.role,), issuer=primary.group),)
    )
    return (
        vos,
        Attribute(DciSec.PRIMARY_GROUP, (primary.group,)),
        Attribute(DciSec.GROUP, _distinct(fqan.group for fqan in fqans)),
        *primary_role,
        *_roles(fqans),
    )


def _roles(fqans: tuple[Fqan, ...]) -> tuple[Attribute, ...]:
    """An attribute per group that gives roles. BETTER: Java lets the roles of one group overwrite those of another."""
    roles: dict[str, list[str]] = {}
    for fqan in fqans:
        if fqan.role != NULL:
            roles.setdefault(fqan.group, []).append(fqan.role)
    return tuple(Attribute(DciSec.ROLE, _distinct(found), issuer=group) for group, found in roles.items())


def _readable(texts: Iterable[str]) -> Iterable[Fqan]:
    for text in texts:
        try:
            yield Fqan.parse(text)
        except FqanSyntaxError as error:
            _log.warning("left out of the attributes: %s", error)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
