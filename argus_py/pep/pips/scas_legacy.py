"""Turns the certificate chain of a SCAS client into the attributes of the AuthZ Interoperability Profile.

Applies to requests with a subject that has the attribute cert-chain. BETTER: its attributes never come from a client,
not even in a request without a chain.

COMPAT: both attributes about the signer of an attribute certificate name the VOMS server, one as Java prints names, the
other in slash form; the profile means the CA of the server by the second.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/SCASLegacyPIP.java
"""

from datetime import datetime

from argus_py.credentials.voms import VomsAttributes
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AuthzInterop, DataType
from argus_py.model.request import Request
from argus_py.pep.attributes import find, without_claims
from argus_py.pep.pips.profile import ProfileSettings, first_proof, usable_acs, with_attributes
from argus_py.pep.pips.proof import PEM_CERT_CHAIN, CertificateJudge, Proof

OWNED = frozenset(
    {
        AuthzInterop.SUBJECT_X509_ID,
        AuthzInterop.SUBJECT_X509_ISSUER,
        AuthzInterop.CERTIFICATE_SERIAL_NUMBER,
        AuthzInterop.CA_SERIAL_NUMBER,
        AuthzInterop.VO,
        AuthzInterop.VOMS_SIGNING_SUBJECT,
        AuthzInterop.VOMS_SIGNING_ISSUER,
        AuthzInterop.VOMS_PRIMARY_FQAN,
        AuthzInterop.VOMS_FQAN,
        AuthzInterop.VOMS_DNS_PORT,
    }
)


class ScasLegacy:
    """Of the settings, accepted profiles mean nothing here: SCAS knew none."""

    def __init__(self, settings: ProfileSettings, judge: CertificateJudge) -> None:
        self._settings = settings
        self._judge = judge

    def enrich(self, request: Request, now: datetime, /) -> Request:
        """The first subject with a usable chain counts.

        Raises PipError: no readable or acceptable chain, or a bad attribute certificate.
        """
        request = without_claims(request, OWNED)
        if not any(find(subject.attributes, AuthzInterop.CERT_CHAIN) for subject in request.subjects):
            return request
        proven = first_proof(request, PEM_CERT_CHAIN, self._judge, self._settings, now)
        return with_attributes(request, proven.index, self._attributes(proven.proof)) if proven else request

    def _attributes(self, proof: Proof) -> tuple[Attribute, ...]:
        end_entity, ca = proof.chain.links[proof.chain.proxy_count : proof.chain.proxy_count + 2]
        x509_attributes = (
            Attribute(AuthzInterop.SUBJECT_X509_ID, (end_entity.subject.slash(),)),
            Attribute(AuthzInterop.SUBJECT_X509_ISSUER, (end_entity.issuer.slash(),)),
            Attribute(AuthzInterop.CERTIFICATE_SERIAL_NUMBER, (str(end_entity.serial),), DataType.INTEGER),
            Attribute(AuthzInterop.CA_SERIAL_NUMBER, (str(ca.serial),), DataType.INTEGER),
        )
        acs = usable_acs(proof, proof.attribute_certificates[:1], self._settings.refuse_invalid_acs)
        return x509_attributes + (_membership(acs[0]) if acs else ())


def _membership(ac: VomsAttributes) -> tuple[Attribute, ...]:
    return (
        Attribute(AuthzInterop.VO, (ac.vo,)),
        Attribute(AuthzInterop.VOMS_SIGNING_SUBJECT, (ac.issuer.java_string(),)),
        Attribute(AuthzInterop.VOMS_SIGNING_ISSUER, (ac.issuer.slash(),)),
        Attribute(AuthzInterop.VOMS_PRIMARY_FQAN, ac.fqans[:1]),
        Attribute(AuthzInterop.VOMS_FQAN, ac.fqans),
        Attribute(AuthzInterop.VOMS_DNS_PORT, (f"{ac.host}:{ac.port}",)),
    )
