"""Who a request is about, as the account mapping sees it. Whatever leaves a choice is refused; clients see the texts.

Source: argus-pep-server:.../obligation/dfpmap/DFPMObligationHandler.java
"""

from typing import TypeVar

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.fqan import Fqan, FqanSyntaxError
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.pep.attributes import find
from argus_py.pep.mapping.identity import GridIdentity

T = TypeVar("T")


class UnmappableRequest(MalformedInput):
    """The request does not say unmistakably who is to be mapped."""


def only_subject(request: Request) -> Subject:
    """Raises UnmappableRequest: there is none, or more than one, or it is not the one that policies decide upon."""
    if not request.subjects:
        raise UnmappableRequest("Unable to process request, it does not contain a subject")
    if len(request.subjects) > 1:
        raise UnmappableRequest("Requests contains more than one subject")
    (subject,) = request.subjects
    if not subject.is_access_subject:  # BETTER: bans look at access subjects, and would pass him over
        raise UnmappableRequest("Unable to process request, it does not contain an access subject")
    return subject


def grid_identity(subject: Subject) -> GridIdentity:
    """Raises UnmappableRequest: no name, more than one name or primary FQAN, or what cannot be read."""
    primary_fqans = _fqans(subject, Glite.PRIMARY_FQAN, "primary")
    return GridIdentity(
        _dn(subject),
        _only(primary_fqans) if primary_fqans else None,
        _fqans(subject, Glite.FQAN, "secondary"),
    )


def _dn(subject: Subject) -> DistinguishedName:
    attributes = find(subject.attributes, AttributeId.SUBJECT_ID, DataType.X500_NAME)
    if not attributes:
        raise UnmappableRequest(
            f"Invalid request, missing subject attribute: {AttributeId.SUBJECT_ID} datatype: {DataType.X500_NAME}"
        )
    try:
        dn = _only(tuple(map(DistinguishedName.parse_rfc2253, _values(attributes))))
    except DnSyntaxError as error:
        raise UnmappableRequest(
            "Invalid request, value of the Subject ID attribute was not a valid X.509 DN"
        ) from error
    if not dn.rdns:  # BETTER: all who have no name would share one account
        raise UnmappableRequest("Invalid request, value of the Subject ID attribute was not a valid X.509 DN")
    return dn


def _fqans(subject: Subject, attribute_id: str, word: str) -> tuple[Fqan, ...] | None:
    attributes = find(subject.attributes, attribute_id)
    if not attributes:
        return None
    if any(attribute.datatype != DataType.FQAN for attribute in attributes):
        raise UnmappableRequest("Invalid request, subject attribute of invalid data type")
    try:
        return tuple(map(Fqan.parse, _values(attributes)))
    except FqanSyntaxError as error:
        raise UnmappableRequest(f"Invalid request, subject's {word} FQAN attribute value was invalid") from error


def _values(attributes: tuple[Attribute, ...]) -> tuple[str, ...]:
    values = tuple(value for attribute in attributes for value in attribute.values)
    if not values:
        raise UnmappableRequest("Invalid request, subject attribute did not contain any values")
    return values


def _only(values: tuple[T, ...]) -> T:
    """BETTER: Java takes whichever of several comes first out of a hash set."""
    if len(set(values)) > 1:
        raise UnmappableRequest("Invalid request, subject attribute contains more than one value")
    return values[0]
