"""Gives attributes that hold a slash-form DN as a string a second copy that policies can match: an x500Name.

For clients such as CREAM that send ``/C=CH/O=Example/CN=John Doe`` as subject-id.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/OpenSSLSubjectPIP.java
"""

from dataclasses import dataclass, replace
from datetime import datetime

from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request
from argus_py.pep.ports import PipError


@dataclass(frozen=True, slots=True)
class OpensslSubject:
    """Which subject attributes are read as slash-form DNs: identifier and datatype must both be listed."""

    attribute_ids: frozenset[str] = frozenset({Glite.SUBJECT_ISSUER, AttributeId.SUBJECT_ID})
    datatypes: frozenset[str] = frozenset({DataType.STRING})

    def enrich(self, request: Request, _now: datetime, /) -> Request:
        """The originals stay. Raises PipError: a value is no slash-form DN."""
        added = [self._converted(subject.attributes) for subject in request.subjects]
        if not any(added):
            return request
        subjects = (replace(s, attributes=s.attributes + new) for s, new in zip(request.subjects, added, strict=True))
        return replace(request, subjects=tuple(subjects))

    def _converted(self, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        converted = (
            replace(a, datatype=DataType.X500_NAME, values=tuple(map(_rfc2253, a.values)))
            for a in attributes
            if a.id in self.attribute_ids and a.datatype in self.datatypes
        )
        return tuple(attribute for attribute in converted if attribute not in attributes)


def _rfc2253(text: str) -> str:
    try:
        return DistinguishedName.parse_slash(text).rfc2253()
    except DnSyntaxError as error:
        raise PipError(f"The string '{text}' is not a valid OpenSSL-encoded DN") from error
