"""Tells policies which files of the trust directory name the CA of a certificate, by the names of these files.

A point of a development version of Argus, from before authentication profiles; sites have it in their files. It is
built rather than passed over, since a rule that denies by the names would no longer deny.

It reads the issuer that an earlier point wrote (X.509 extractor, SCAS). Without one before it the issuer is what the
client claims, as in Java. BETTER: CAs are compared as names, not as texts, and the names never come from a client.

Source: argus-pep-server (pull request 18):src/main/java/org/glite/authz/pep/pip/provider/PolicyNamesPIP.java
"""

from dataclasses import dataclass
from datetime import datetime

from argus_py.credentials.ca_policies import CaPolicies
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.identifiers import AuthzInterop
from argus_py.model.request import Request, Subject
from argus_py.pep.attributes import first_value, without_claims
from argus_py.pep.pips.profile import with_attributes
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PolicyNames:
    """``attribute_id`` is what the names are told as."""

    policies: Snapshot[CaPolicies]
    attribute_id: str = AuthzInterop.CA_POLICY_NAMES

    def enrich(self, request: Request, _now: datetime, /) -> Request:
        """Every subject with an issuer that files name gets their names. Raises PipError: there is no subject."""
        if not request.subjects:
            raise PipError("No subject found in request")
        request = without_claims(request, {self.attribute_id})
        for index, subject in enumerate(request.subjects):
            names = self._names(subject)
            if names:
                request = with_attributes(request, index, (Attribute(self.attribute_id, names),))
        return request

    def _names(self, subject: Subject) -> tuple[str, ...]:
        issuer = first_value(subject.attributes, AuthzInterop.SUBJECT_X509_ISSUER)
        if issuer is None:
            return ()
        try:
            return self.policies.current.value.naming(DistinguishedName.parse_slash(issuer))
        except DnSyntaxError:
            return ()  # no file names what is no name
