"""Turns the certificate chain of a worker node or compute element request into proven attributes.

gLite profiles grid-wn/1.0 and grid-ce/1.0: the chain stands as PEM in the key-info of a subject; out come its DN, its
issuers, and VO and FQANs of its first attribute certificate, in the very text of the certificate.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/GLiteAuthorizationProfilePIP.java
"""

from datetime import datetime

from argus_py.credentials.voms import VomsAttributes
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType, Glite
from argus_py.model.request import Request
from argus_py.pep.pips.profile import ProfileSettings, first_proof, identified, names, names_profile, usable_acs
from argus_py.pep.pips.proof import PEM_KEY_INFO, CertificateJudge, Proof


class GliteProfile:
    """Applies to requests whose environment names an accepted profile."""

    def __init__(self, settings: ProfileSettings, judge: CertificateJudge) -> None:
        self._settings = settings
        self._judge = judge

    def enrich(self, request: Request, now: datetime, /) -> Request:
        """The first subject with a usable chain counts.

        Raises PipError: no readable or acceptable chain, or a bad attribute certificate.
        """
        if not names_profile(request, Glite.PROFILE_ID, self._settings.accepted_profile_ids):
            return request
        proven = first_proof(request, PEM_KEY_INFO, self._judge, self._settings, now)
        return identified(request, proven.index, self._attributes(proven.proof)) if proven else request

    def _attributes(self, proof: Proof) -> tuple[Attribute, ...]:
        acs = usable_acs(proof, proof.attribute_certificates[:1], self._settings.refuse_invalid_acs)
        return names(proof, Glite.SUBJECT_ISSUER, Glite.X509_SUBJECT_ISSUER) + (_membership(acs[0]) if acs else ())


def _membership(ac: VomsAttributes) -> tuple[Attribute, ...]:
    return (
        Attribute(Glite.VIRTUAL_ORGANIZATION, (ac.vo,)),
        Attribute(Glite.PRIMARY_FQAN, ac.fqans[:1], DataType.FQAN),
        Attribute(Glite.FQAN, ac.fqans, DataType.FQAN),
    )
