"""Turns the certificate chain of a worker node or compute element request into proven attributes.

gLite profiles grid-wn/1.0 and grid-ce/1.0: the chain stands as PEM in the key-info of a subject; out come its DN, its
issuers, and VO and FQANs of its first attribute certificate, in the very text of the certificate.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/GLiteAuthorizationProfilePIP.java
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from argus_py.credentials import chain, path, pem, voms
from argus_py.credentials.accepted import AcceptedChains
from argus_py.credentials.moment import Moment
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes, VomsTrust
from argus_py.errors import ArgusError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.pep.attributes import find, without
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

_log = logging.getLogger(__name__)

_OWNED = frozenset(
    {
        AttributeId.SUBJECT_ID,
        Glite.SUBJECT_ISSUER,
        Glite.X509_SUBJECT_ISSUER,
        Glite.VIRTUAL_ORGANIZATION,
        Glite.PRIMARY_FQAN,
        Glite.FQAN,
    }
)


@dataclass(frozen=True, slots=True)
class GliteProfileSettings:
    """``accepted_profile_ids`` None accepts every profile, an empty set none.

    With ``require_certificate`` a request of the profile without a usable chain is refused, else it passes unchanged;
    with ``require_proxy`` a chain without a proxy certificate is not usable.
    """

    accepted_profile_ids: frozenset[str] | None = None
    require_certificate: bool = True
    require_proxy: bool = False


class _Unusable(ArgusError):
    """A chain that the profile passes over as if it were not there; says why."""


class GliteProfile:
    """Applies to requests whose environment names an accepted profile."""

    def __init__(
        self,
        settings: GliteProfileSettings,
        trust: Snapshot[TrustAnchors],
        voms_trust: Snapshot[VomsTrust] | None,
        hostnames: frozenset[str],
    ) -> None:
        """``voms_trust`` None: attribute certificates are not looked at. ``hostnames`` are ours, for AC targets."""
        self._settings = settings
        self._trust = trust
        self._voms_trust = voms_trust
        self._hostnames = hostnames
        self._accepted = AcceptedChains[tuple[Attribute, ...]]()

    def enrich(self, request: Request, now: datetime, /) -> Request:
        """The first subject with a usable chain counts.

        Raises PipError: no readable or acceptable chain; CredentialRejected: a bad attribute certificate.
        """
        if not self._applies(request):
            return request
        for index, subject in enumerate(request.subjects):
            text = _key_info(subject)
            proven = None if text is None else self._proven(text, now)
            if proven is not None:
                return _identified(request, index, proven)
        if self._settings.require_certificate:
            raise PipError(
                "Subject did not contain the required certificate chain in attribute: "
                f"{AttributeId.KEY_INFO} datatype: {DataType.STRING}"
            )
        return request

    def _applies(self, request: Request) -> bool:
        profiles = find(request.environment.attributes, Glite.PROFILE_ID) if request.environment else ()
        accepted = self._settings.accepted_profile_ids
        if not profiles or accepted is None:
            return bool(profiles)
        if not accepted:
            _log.warning("no profile id is accepted, the request passes without a look at its certificates")
        return not accepted.isdisjoint(profiles[0].values)

    def _proven(self, text: str, now: datetime) -> tuple[Attribute, ...] | None:
        """The attributes that the chain proves, None for one that is passed over."""
        trust = self._trust.current
        vomsdir = self._voms_trust.current if self._voms_trust is not None else None
        versions = (trust.number, vomsdir.number if vomsdir else 0)
        try:
            return self._accepted.verdict(
                text.encode(errors="surrogatepass"),  # keeps different texts different
                versions,
                now,
                lambda moment: self._judge(text, trust.value, vomsdir.value if vomsdir else None, moment),
            )
        except _Unusable as reason:
            _log.warning("certificate chain ignored: %s", reason)
            return None

    def _judge(
        self, text: str, trust: TrustAnchors, voms_trust: VomsTrust | None, moment: Moment
    ) -> tuple[Attribute, ...]:
        verified = self._verified_chain(text, trust, moment)
        if voms_trust is None:
            return _attributes(verified, None)
        acs = voms.verify(verified, voms_trust, trust, moment, self._hostnames)
        if not acs:
            _log.warning("no VOMS attribute certificate in the chain of %s", verified.subject.readable())
        return _attributes(verified, acs[0] if acs else None)

    def _verified_chain(self, text: str, trust: TrustAnchors, moment: Moment) -> VerifiedChain:
        try:
            certificates = pem.parse_certificates(text)
        except ArgusError as error:
            raise PipError(f"Failed to load certificate chain from Subject: {error}") from error
        if any(certificate.version is not x509.Version.v3 for certificate in certificates):
            raise _Unusable("not all of its certificates are of X.509 version 3")
        try:
            ordered = chain.order(certificates)
        except ArgusError as error:
            raise PipError(f"Error sorting certificate chain: {error}") from error
        if self._settings.require_proxy and ordered.links[0].proxy is None:
            raise _Unusable("it has no proxy")
        try:
            return path.verify(ordered, trust, moment)
        except ArgusError as error:
            raise PipError(f"PKIX validation failed: {error}") from error


def _key_info(subject: Subject) -> str | None:
    """The PEM text of the chain; None when there is none or, as in Java, several values."""
    key_info = find(subject.attributes, AttributeId.KEY_INFO, DataType.STRING)
    if len(key_info) > 1 or any(not attribute.values for attribute in key_info):
        raise PipError("Subject contains more than one X509 certificate chain.")
    if not key_info or len(key_info[0].values) > 1:
        return None
    return key_info[0].values[0]


def _attributes(verified: VerifiedChain, ac: VomsAttributes | None) -> tuple[Attribute, ...]:
    issuers = tuple(issuer.rfc2253() for issuer in verified.issuers)
    x509_attributes = (
        Attribute(AttributeId.SUBJECT_ID, (verified.subject.rfc2253(),), DataType.X500_NAME),
        Attribute(Glite.SUBJECT_ISSUER, issuers, DataType.X500_NAME),
        Attribute(Glite.X509_SUBJECT_ISSUER, (verified.issuer.rfc2253(),), DataType.X500_NAME),
    )
    if ac is None:
        return x509_attributes
    return (
        *x509_attributes,
        Attribute(Glite.VIRTUAL_ORGANIZATION, (ac.vo,)),
        Attribute(Glite.PRIMARY_FQAN, ac.fqans[:1], DataType.FQAN),
        Attribute(Glite.FQAN, ac.fqans, DataType.FQAN),
    )


def _identified(request: Request, index: int, proven: tuple[Attribute, ...]) -> Request:
    """The request with the proven attributes on one subject and the client's claims of that kind gone from all.

    BETTER: Java overwrites by id and datatype on this subject only, so claimed FQANs survive a chain without an AC.
    """
    subjects = [replace(subject, attributes=without(subject.attributes, _OWNED)) for subject in request.subjects]
    subjects[index] = replace(subjects[index], attributes=subjects[index].attributes + proven)
    return replace(request, subjects=tuple(subjects))
