from datetime import UTC, datetime

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.ports import PipError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OTHER = Attribute("other", ("/C=CH",))


def request(*attributes: Attribute) -> Request:
    return Request((Subject(), Subject(attributes)))


def test_a_slash_form_name_gets_a_copy_that_policies_can_match() -> None:
    sent = Attribute(AttributeId.SUBJECT_ID, ("/C=CH/O=Example/CN=John Doe",), issuer="issuer")
    added = Attribute(AttributeId.SUBJECT_ID, ("CN=John Doe,O=Example,C=CH",), DataType.X500_NAME, "issuer")
    assert OpensslSubject().enrich(request(sent, OTHER), NOW) == request(sent, OTHER, added)


def test_all_values_of_an_issuer_are_converted() -> None:
    sent = Attribute(Glite.SUBJECT_ISSUER, ("/C=CH/CN=A", "/DC=ch/DC=cern/CN=host/ce01"))
    added = Attribute(Glite.SUBJECT_ISSUER, ("CN=A,C=CH", "CN=host/ce01,DC=cern,DC=ch"), DataType.X500_NAME)
    assert OpensslSubject().enrich(request(sent), NOW) == request(sent, added)


def test_a_copy_that_the_client_sent_itself_is_not_added_again() -> None:
    sent = Attribute(AttributeId.SUBJECT_ID, ("/C=CH/CN=A",))
    unchanged = request(sent, Attribute(AttributeId.SUBJECT_ID, ("CN=A,C=CH",), DataType.X500_NAME))
    assert OpensslSubject().enrich(unchanged, NOW) is unchanged


@pytest.mark.parametrize(
    "attribute",
    [
        OTHER,
        Attribute(AttributeId.SUBJECT_ID, ("/C=CH",), DataType.X500_NAME),
        Attribute(Glite.X509_SUBJECT_ISSUER, ("/C=CH",)),
    ],
)
def test_identifier_and_datatype_must_both_be_listed(attribute: Attribute) -> None:
    unchanged = request(attribute)
    assert OpensslSubject().enrich(unchanged, NOW) is unchanged


def test_lists_can_be_configured() -> None:
    point = OpensslSubject(frozenset({"other"}), frozenset({DataType.ANY_URI}))
    sent = Attribute("other", ("/C=CH",), DataType.ANY_URI)
    assert point.enrich(request(sent), NOW) == request(sent, Attribute("other", ("C=CH",), DataType.X500_NAME))


@pytest.mark.parametrize("value", ["John Doe", "/", "CN=John Doe,C=CH", "/no equals sign"])
def test_a_value_that_is_no_slash_form_name_ends_the_request(value: str) -> None:
    with pytest.raises(PipError) as refusal:
        OpensslSubject().enrich(request(Attribute(AttributeId.SUBJECT_ID, (value,))), NOW)
    assert str(refusal.value) == f"The string '{value}' is not a valid OpenSSL-encoded DN"
