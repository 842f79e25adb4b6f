from datetime import datetime

import pytest

from argus_py.credentials.ca_policies import CaPolicies
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.identifiers import AuthzInterop, DataType
from argus_py.model.request import Request, Subject
from argus_py.pep.pips.policy_names import PolicyNames
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

CA = frozenset({DistinguishedName.parse_slash("/C=NL/O=Example/CN=Test CA")})
CLAIM = Attribute(AuthzInterop.CA_POLICY_NAMES, ("claimed",), DataType.ANY_URI)


@pytest.fixture
def policies(now: datetime) -> Snapshot[CaPolicies]:
    value = CaPolicies({"classic": CA, "iota": frozenset(), "good": CA})
    snapshot = Snapshot("policies", lambda: value, lambda: now)
    snapshot.refresh()
    return snapshot


def issuer(text: str) -> Attribute:
    return Attribute(AuthzInterop.SUBJECT_X509_ISSUER, (text,))


@pytest.mark.parametrize("text", ["/C=NL/O=Example/CN=Test CA", "/c=nl/o=example/cn=test  ca"])
def test_the_files_that_name_the_issuer_are_told(policies: Snapshot[CaPolicies], now: datetime, text: str) -> None:
    enriched = PolicyNames(policies).enrich(Request((Subject((CLAIM, issuer(text))),)), now)
    told = Attribute(AuthzInterop.CA_POLICY_NAMES, ("classic", "good"))
    assert enriched.subjects == (Subject((issuer(text), told)),)


@pytest.mark.parametrize("attributes", [(), (issuer("/C=NL"),), (issuer("no name"),), (issuer(""),)])
def test_an_issuer_that_no_file_names_has_no_names(
    policies: Snapshot[CaPolicies], now: datetime, attributes: tuple[Attribute, ...]
) -> None:
    enriched = PolicyNames(policies).enrich(Request((Subject((CLAIM, *attributes)),)), now)
    assert enriched.subjects == (Subject(attributes),)


def test_each_subject_is_told_its_own_by_the_identifier_of_the_site(
    policies: Snapshot[CaPolicies], now: datetime
) -> None:
    known, unknown = issuer("/C=NL/O=Example/CN=Test CA"), issuer("/C=NL")
    enriched = PolicyNames(policies, "names").enrich(Request((Subject((unknown,)), Subject((CLAIM, known)))), now)
    expected = (Subject((unknown,)), Subject((CLAIM, known, Attribute("names", ("classic", "good")))))
    assert enriched.subjects == expected


def test_a_request_without_a_subject_is_refused(policies: Snapshot[CaPolicies], now: datetime) -> None:
    with pytest.raises(PipError, match="No subject found in request"):
        PolicyNames(policies).enrich(Request(), now)
