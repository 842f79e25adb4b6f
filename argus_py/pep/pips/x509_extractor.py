"""Tells policies the CA of a certificate and the OIDs of the certificate policies it was issued under.

A point of a development version of Argus, from before authentication profiles; sites have it in their files. It is
built rather than passed over, since a rule that denies by these attributes would no longer deny.

BETTER: the chain has to validate, as for the profiles; Java extracts from whatever is sent. What this point is told to
extract never comes from a client, nor from a certificate that another user shows beside his own.

Source: argus-pep-server (pull request 18):src/main/java/org/glite/authz/pep/pip/provider/X509ExtractorPIP.java
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from argus_py.credentials import der
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.der import DerError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AuthzInterop
from argus_py.model.request import Request, Subject
from argus_py.pep.attributes import without_claims
from argus_py.pep.pips.profile import with_attributes
from argus_py.pep.pips.proof import DER_KEY_INFO, PEM_KEY_INFO, CertificateJudge, ChainSource, UnusableChain
from argus_py.pep.ports import PipError

_log = logging.getLogger(__name__)

EXTRACTABLE: Final = (AuthzInterop.SUBJECT_X509_ISSUER, AuthzInterop.CA_POLICY_OID)
_CERTIFICATE_POLICIES = "2.5.29.32"


@dataclass(frozen=True, slots=True)
class X509Extractor:
    """``attribute_ids``: which of the extractable attributes are set. Takes the key-info of either XACML profile."""

    attribute_ids: frozenset[str]
    judge: CertificateJudge

    def enrich(self, request: Request, now: datetime, /) -> Request:
        """Every subject that shows a chain gets its own.

        Raises PipError: a chain is not readable or acceptable, or subjects that policies see as one show several users.
        """
        if not request.subjects:
            raise PipError("No subject found in request")
        request = without_claims(request, self.attribute_ids)
        end_entities: dict[str | None, Certificate] = {}  # by subject category
        for index, subject in enumerate(request.subjects):
            category = None if subject.is_access_subject else subject.category
            shown = [self._end_entity(source, subject, now) for source in (PEM_KEY_INFO, DER_KEY_INFO)]
            for end_entity in filter(None, shown):
                if end_entities.setdefault(category, end_entity) != end_entity:
                    raise PipError("Subject contains more than one X509 certificate chain.")
            if any(shown):
                request = with_attributes(request, index, self._attributes(end_entities[category]))
        return request

    def _end_entity(self, source: ChainSource, subject: Subject, now: datetime) -> Certificate | None:
        sent = source.sent_by(subject)
        if sent is None:
            return None
        try:
            chain = self.judge.proof(sent, now).chain
        except UnusableChain as reason:
            _log.warning("certificate chain ignored: %s", reason)
            return None
        return chain.links[chain.proxy_count]

    def _attributes(self, end_entity: Certificate) -> tuple[Attribute, ...]:
        found = {
            AuthzInterop.SUBJECT_X509_ISSUER: (end_entity.issuer.slash(),),
            AuthzInterop.CA_POLICY_OID: _policies(end_entity),
        }
        return tuple(Attribute(each, found[each]) for each in EXTRACTABLE if each in self.attribute_ids and found[each])


def _policies(end_entity: Certificate) -> tuple[str, ...]:
    """Raises PipError: the extension is not what RFC 5280 section 4.2.1.4 says."""
    extension = end_entity.extensions.get(_CERTIFICATE_POLICIES)
    if extension is None:
        return ()
    try:
        policies = der.elements(der.content(extension.value, der.SEQUENCE))
        return tuple(_policy(content) for _, content, _ in policies)
    except DerError as error:
        name = end_entity.subject.readable()
        raise PipError(f"the certificate policies of {name} cannot be read: {error}") from error


def _policy(information: bytes) -> str:
    match der.elements(information):
        case [(der.OBJECT_IDENTIFIER, octets, _), *_]:
            return der.object_identifier(octets)
    raise DerError("a policy without an object identifier")
