"""Which requests say unmistakably who is to be mapped."""

from dataclasses import replace

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.obligations.grid_identity import UnmappableRequest, grid_identity, only_subject

DN = Attribute(AttributeId.SUBJECT_ID, ("CN=John Doe,C=CH",), DataType.X500_NAME)
PRIMARY = Attribute(Glite.PRIMARY_FQAN, ("/vo/Role=pilot/Capability=NULL",), DataType.FQAN)
FQANS = Attribute(Glite.FQAN, ("/vo/Role=pilot/Capability=NULL", "/vo"), DataType.FQAN)
JOHN = DistinguishedName.parse_rfc2253("CN=John Doe,C=CH")


def request(*attributes: Attribute) -> Request:
    return Request((Subject(attributes),))


def test_name_and_fqans_are_read() -> None:
    pilot, vo = Fqan("/vo", "pilot"), Fqan("/vo")
    assert grid_identity(Subject((DN, PRIMARY, FQANS))) == GridIdentity(JOHN, pilot, (pilot, vo))
    assert grid_identity(Subject((DN,))) == GridIdentity(JOHN)


def test_name_in_another_datatype_is_not_looked_at() -> None:
    text = replace(DN, values=("/C=CH/CN=Mallory",), datatype=DataType.STRING)
    assert grid_identity(Subject((text, DN))).dn == JOHN


def test_one_name_in_two_spellings_is_one_name() -> None:
    assert grid_identity(Subject((replace(DN, values=("CN=John Doe,C=CH", "cn=john doe,c=ch")),))).dn == JOHN


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        (Request(), "Unable to process request, it does not contain a subject"),
        (Request((Subject((DN,)), Subject())), "Requests contains more than one subject"),
        (
            Request((Subject((DN,), "urn:oasis:names:tc:xacml:1.0:subject-category:intermediary-subject"),)),
            "Unable to process request, it does not contain an access subject",
        ),
        (
            request(replace(DN, datatype=DataType.STRING)),
            "Invalid request, missing subject attribute: urn:oasis:names:tc:xacml:1.0:subject:subject-id "
            "datatype: urn:oasis:names:tc:xacml:1.0:data-type:x500Name",
        ),
        (request(replace(DN, values=())), "Invalid request, subject attribute did not contain any values"),
        (
            request(replace(DN, values=("E=a@x,C=CH",))),
            "Invalid request, value of the Subject ID attribute was not a valid X.509 DN",
        ),
        (
            request(replace(DN, values=(" ",))),
            "Invalid request, value of the Subject ID attribute was not a valid X.509 DN",
        ),
        (
            request(replace(DN, values=("CN=a", "CN=b"))),
            "Invalid request, subject attribute contains more than one value",
        ),
        (
            request(DN, replace(DN, values=("CN=b",))),
            "Invalid request, subject attribute contains more than one value",
        ),
        (
            request(DN, replace(PRIMARY, datatype=DataType.STRING)),
            "Invalid request, subject attribute of invalid data type",
        ),
        (
            request(DN, replace(PRIMARY, values=())),
            "Invalid request, subject attribute did not contain any values",
        ),
        (
            request(DN, replace(PRIMARY, values=("/a", "/b"))),
            "Invalid request, subject attribute contains more than one value",
        ),
        (
            request(DN, replace(PRIMARY, values=("vo",))),
            "Invalid request, subject's primary FQAN attribute value was invalid",
        ),
        (
            request(DN, PRIMARY, replace(FQANS, datatype=DataType.STRING)),
            "Invalid request, subject attribute of invalid data type",
        ),
        (
            request(DN, PRIMARY, replace(FQANS, values=("/vo", "vo"))),
            "Invalid request, subject's secondary FQAN attribute value was invalid",
        ),
    ],
)
def test_request_that_does_not_say_who_is_meant_is_refused(refused: Request, text: str) -> None:
    with pytest.raises(UnmappableRequest) as refusal:
        grid_identity(only_subject(refused))
    assert str(refusal.value) == text
