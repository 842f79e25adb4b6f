"""What the account mapping asks of a request, and what it puts into the response."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from argus_py.errors import Unavailable, Unmapped
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation, Response, Result
from argus_py.model.trail import Trail
from argus_py.pep.mapping.identity import NoLoginName, NoPrimaryGroup
from argus_py.pep.mapping.map_file import MapFile, parse_map_file
from argus_py.pep.obligations.account_mapping import AccountMapping, MappingSettings, PosixAccount, UnmappableRequest
from argus_py.snapshot import Snapshot

DN = Attribute(AttributeId.SUBJECT_ID, ("CN=John Doe,C=CH",), DataType.X500_NAME)
KEY_INFO = Attribute(AttributeId.KEY_INFO, ("PEM",))
PRIMARY = Attribute(Glite.PRIMARY_FQAN, ("/vo/Role=pilot/Capability=NULL",), DataType.FQAN)
FQANS = Attribute(Glite.FQAN, ("/vo/Role=pilot/Capability=NULL", "/vo"), DataType.FQAN)
OTHER = Obligation("urn:other", Effect.PERMIT)
DEFAULTS = MappingSettings()
HANDLED = Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT)
PERMIT = Response((Result(Decision.PERMIT, obligations=(HANDLED, OTHER, HANDLED)),), trail=Trail(decided_by=("rule",)))


class OnePool:
    """Leases one account and remembers what it was asked for."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._refusal = refusal

    def lease(self, name: str, pool: str) -> str:
        self.asked.append((name, pool))
        if self._refusal is not None:
            raise self._refusal
        return pool + "001"


def snapshot(text: str) -> Snapshot[MapFile]:
    loaded = Snapshot("map", lambda: parse_map_file(text, "map"), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    loaded.refresh()
    return loaded


def mapping(
    settings: MappingSettings = DEFAULTS,
    accounts: str = '"/vo/Role=*" .vo',
    groups: str = '"/vo/Role=pilot" pilots\n"/vo" vo, pilots',
    leases: OnePool | None = None,
) -> AccountMapping:
    return AccountMapping("ACCOUNTMAPPER_OH", settings, snapshot(accounts), snapshot(groups), leases or OnePool())


def request(*attributes: Attribute) -> Request:
    return Request((Subject(attributes),))


FULL = request(KEY_INFO, DN, PRIMARY, FQANS)


def test_posix_obligation_replaces_the_handled_ones_and_comes_last() -> None:
    response = mapping().fulfil(FULL, PERMIT)

    other, posix = response.results[0].obligations
    assert other == OTHER
    assert posix == Obligation(
        "http://glite.org/xacml/obligation/local-environment-map/posix",
        Effect.PERMIT,
        (
            AttributeAssignment("http://glite.org/xacml/attribute/user-id", "vo001"),
            AttributeAssignment("http://glite.org/xacml/attribute/group-id/primary", "pilots"),
            AttributeAssignment("http://glite.org/xacml/attribute/group-id", "pilots"),
            AttributeAssignment("http://glite.org/xacml/attribute/group-id", "vo"),
            AttributeAssignment("http://glite.org/xacml/attribute/group-id", "pilots"),
        ),
    )


def test_decision_and_further_results_stay_and_the_trail_names_the_lease() -> None:
    two = replace(PERMIT, results=(*PERMIT.results, Result(Decision.DENY)))

    response = mapping().fulfil(FULL, two)

    assert [result.decision for result in response.results] == [Decision.PERMIT, Decision.DENY]
    assert response.trail == Trail(
        decided_by=("rule",), account="vo001", lease="%2fc%3dch%2fcn%3djohn%20doe:pilots:vo:pilots"
    )


def test_login_outside_the_pools_needs_no_lease() -> None:
    leases = OnePool()
    response = mapping(accounts='"/C=CH/CN=John Doe" jdoe', leases=leases).fulfil(FULL, PERMIT)
    assert (response.trail.account, response.trail.lease) == ("jdoe", None)
    assert leases.asked == []


def test_secondary_groups_may_be_kept_out_of_the_lease_name() -> None:
    leases = OnePool()
    settings = MappingSettings(use_secondary_group_names_for_mapping=False)
    response = mapping(settings, leases=leases).fulfil(FULL, PERMIT)
    assert leases.asked == [("%2fc%3dch%2fcn%3djohn%20doe:pilots", "vo")]
    assert len(response.results[0].obligations[1].assignments) == 5


def test_mapping_line_is_the_one_that_sites_search_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        mapping().fulfil(FULL, PERMIT)
        mapping(accounts='"/C=CH/CN=John Doe" jdoe', groups="").fulfil(request(KEY_INFO, DN), PERMIT)
    assert caplog.messages == [
        "ACCOUNTMAPPER_OH: DN: CN=John Doe,C=CH pFQAN: /vo/Role=pilot FQANs: [/vo/Role=pilot, /vo] "
        "mapped to POSIX account: PosixAccount{user=vo001 group=pilots groups=vo,pilots}",
        "ACCOUNTMAPPER_OH: DN: CN=John Doe,C=CH pFQAN: null FQANs: null "
        "mapped to POSIX account: PosixAccount{user=jdoe}",
    ]


def test_mapping_line_stays_one_line(caplog: pytest.LogCaptureFixture) -> None:
    evil = Attribute(AttributeId.SUBJECT_ID, ("CN=a\nFAKE,C=CH",), DataType.X500_NAME)
    with caplog.at_level(logging.INFO):
        mapping().fulfil(request(KEY_INFO, evil, PRIMARY, FQANS), PERMIT)
    assert r"DN: CN=a\0AFAKE,C=CH " in caplog.messages[0]


def test_account_without_groups_is_written_so() -> None:
    assert str(PosixAccount("a", ("g",))) == "PosixAccount{user=a group=g}"


def test_without_key_info_the_obligation_goes_to_the_client_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    leases = OnePool()
    assert mapping(leases=leases).fulfil(request(DN, PRIMARY), PERMIT) is PERMIT
    assert leases.asked == []
    assert "Requires a request subject key-info attribute, but none found." in caplog.text


def test_key_info_of_any_datatype_will_do_or_none_if_so_configured() -> None:
    base64 = replace(KEY_INFO, datatype=DataType.BASE64_BINARY)
    assert mapping().fulfil(request(base64, DN, PRIMARY), PERMIT).trail.account == "vo001"
    settings = MappingSettings(require_subject_key_info=False)
    assert mapping(settings).fulfil(request(DN, PRIMARY), PERMIT).trail.account == "vo001"


def test_handled_obligation_is_configurable() -> None:
    handler = mapping(MappingSettings(handled_obligation_id="urn:other"))
    assert handler.obligation_id == "urn:other"
    assert OTHER not in handler.fulfil(FULL, PERMIT).results[0].obligations
    assert mapping().obligation_id == Glite.LOCAL_ENVIRONMENT_MAP


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        (Request(), "Unable to process request, it does not contain a subject"),
        (Request((Subject((KEY_INFO,)), Subject())), "Requests contains more than one subject"),
        (
            request(KEY_INFO, replace(DN, datatype=DataType.STRING)),
            "Invalid request, missing subject attribute: urn:oasis:names:tc:xacml:1.0:subject:subject-id "
            "datatype: urn:oasis:names:tc:xacml:1.0:data-type:x500Name",
        ),
        (request(KEY_INFO, replace(DN, values=())), "Invalid request, subject attribute did not contain any values"),
        (
            request(KEY_INFO, replace(DN, values=("E=a@x,C=CH",))),
            "Invalid request, value of the Subject ID attribute was not a valid X.509 DN",
        ),
        (
            request(KEY_INFO, replace(DN, values=(" ",))),
            "Invalid request, value of the Subject ID attribute was not a valid X.509 DN",
        ),
        (
            request(KEY_INFO, replace(DN, values=("CN=a", "CN=b"))),
            "Invalid request, subject attribute contains more than one value",
        ),
        (
            request(KEY_INFO, DN, replace(DN, values=("CN=b",))),
            "Invalid request, subject attribute contains more than one value",
        ),
        (
            request(KEY_INFO, DN, replace(PRIMARY, datatype=DataType.STRING)),
            "Invalid request, subject attribute of invalid data type",
        ),
        (
            request(KEY_INFO, DN, replace(PRIMARY, values=())),
            "Invalid request, subject attribute did not contain any values",
        ),
        (
            request(KEY_INFO, DN, replace(PRIMARY, values=("/a", "/b"))),
            "Invalid request, subject attribute contains more than one value",
        ),
        (
            request(KEY_INFO, DN, replace(PRIMARY, values=("vo",))),
            "Invalid request, subject's primary FQAN attribute value was invalid",
        ),
        (
            request(KEY_INFO, DN, PRIMARY, replace(FQANS, datatype=DataType.STRING)),
            "Invalid request, subject attribute of invalid data type",
        ),
        (
            request(KEY_INFO, DN, PRIMARY, replace(FQANS, values=("/vo", "vo"))),
            "Invalid request, subject's secondary FQAN attribute value was invalid",
        ),
    ],
)
def test_request_that_does_not_say_who_is_meant_is_refused(refused: Request, text: str) -> None:
    with pytest.raises(UnmappableRequest) as refusal:
        mapping().fulfil(refused, PERMIT)
    assert str(refusal.value) == text


def test_one_name_in_two_spellings_is_one_name() -> None:
    twice = replace(DN, values=("CN=John Doe,C=CH", "cn=john doe,c=ch"))
    assert mapping().fulfil(request(KEY_INFO, twice, PRIMARY), PERMIT).trail.account == "vo001"


def test_missing_group_is_an_error_if_so_configured() -> None:
    leases = OnePool()
    settings = MappingSettings(no_primary_group_name_is_error=True)
    with pytest.raises(NoPrimaryGroup, match=r"to a POSIX primary group$"):
        mapping(settings, groups="", leases=leases).fulfil(FULL, PERMIT)
    assert leases.asked == []


@pytest.mark.parametrize("cause", [Unmapped("the pool 'vo' is exhausted"), Unavailable("the disk is gone")])
def test_client_sees_one_text_and_the_log_the_cause(cause: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NoLoginName) as refusal:
        mapping(leases=OnePool(cause)).fulfil(FULL, PERMIT)
    assert str(refusal.value) == (
        "Failed to map subject DN CN=John Doe,C=CH, primary FQAN /vo/Role=pilot, "
        "secondary FQANs [/vo/Role=pilot, /vo] to a POSIX login name"
    )
    assert refusal.value.__cause__ is cause
    assert caplog.messages == [f"ACCOUNTMAPPER_OH: {cause}"]
