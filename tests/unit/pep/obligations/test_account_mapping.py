"""What the account mapping asks of a request, and what it puts into the response."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from argus_py.errors import Unavailable, Unmapped
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation, Response, Result
from argus_py.model.trail import Trail
from argus_py.pep.mapping.identity import NoAccountIndicator, NoLoginName, NoPrimaryGroup
from argus_py.pep.mapping.map_file import MapFile, parse_map_file
from argus_py.pep.mapping.plan import GroupOrder, MappingRules
from argus_py.pep.obligations.account_mapping import AccountMapping, MappingSettings
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.ports import Lease
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
    """Leases one account, by the first of the other names if there are any; remembers what it was asked for."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.others: list[Sequence[str]] = []
        self._refusal = refusal

    def lease(self, name: str, pool: str, other_names: Sequence[str] = ()) -> Lease:
        self.asked.append((name, pool))
        self.others.append(other_names)
        if self._refusal is not None:
            raise self._refusal
        return Lease(pool + "001", [*other_names, name][0])


class Names:
    """Numbers by name, of accounts and of groups."""

    def __init__(self, **numbers: int) -> None:
        self._numbers = numbers

    def uid(self, login: str) -> int | None:
        return self._numbers.get(login)

    def gid(self, group: str) -> int | None:
        return self._numbers.get(group)


def snapshot(text: str) -> Snapshot[MapFile]:
    loaded = Snapshot("map", lambda: parse_map_file(text, "map"), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    loaded.refresh()
    return loaded


def mapping(
    settings: MappingSettings = DEFAULTS,
    accounts: str = '"/vo/Role=*" .vo',
    groups: str = '"/vo/Role=pilot" pilots\n"/vo" vo, pilots',
    leases: OnePool | None = None,
    names: Names | None = None,
) -> AccountMapping:
    return AccountMapping(
        "ACCOUNTMAPPER_OH", settings, snapshot(accounts), snapshot(groups), leases or OnePool(), names=names
    )


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
    settings = MappingSettings(rules=MappingRules(use_secondary_group_names_for_mapping=False))
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


def test_without_key_info_the_obligation_goes_to_the_client_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    leases = OnePool()
    assert mapping(leases=leases).fulfil(request(DN, PRIMARY), PERMIT) is PERMIT
    assert mapping(leases=leases).fulfil(request(PRIMARY), PERMIT) is PERMIT
    assert leases.asked == []
    known, unknown = caplog.messages
    assert known == (
        "ACCOUNTMAPPER_OH: Does not apply. Requires a request subject key-info attribute, but none found. The client "
        f"gets the obligation {Glite.LOCAL_ENVIRONMENT_MAP} as it is, for the subject CN=John Doe,C=CH."
    )
    assert unknown.endswith("for the subject without a name.")


@pytest.mark.parametrize("decision", [Decision.DENY, Decision.INDETERMINATE, Decision.NOT_APPLICABLE])
def test_only_who_is_permitted_gets_an_account(decision: Decision) -> None:
    leases = OnePool()
    refused = Response((Result(decision, obligations=(replace(HANDLED, fulfill_on=Effect.DENY),)),))
    assert mapping(leases=leases).fulfil(FULL, refused) is refused
    assert leases.asked == []


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


def test_missing_group_is_an_error_if_so_configured() -> None:
    leases = OnePool()
    settings = MappingSettings(rules=MappingRules(no_primary_group_name_is_error=True))
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


def test_numbers_are_for_the_record_where_they_are_known() -> None:
    trail = mapping(names=Names(vo001=4001, pilots=300, vo=301)).fulfil(FULL, PERMIT).trail
    assert (trail.uid, trail.gid) == (4001, 300)
    trail = mapping(names=Names(), groups="").fulfil(FULL, PERMIT).trail
    assert (trail.account, trail.uid, trail.gid) == ("vo001", None, None)


@pytest.mark.parametrize("names", [Names(vo001=0, pilots=300), Names(vo001=4001, pilots=300, vo=0)])
def test_root_by_another_name_is_refused_unless_allowed(names: Names, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NoLoginName):
        mapping(names=names).fulfil(FULL, PERMIT)
    assert caplog.messages[0].endswith("has the number 0: only allowRoot would allow that")
    allowed = MappingSettings(rules=MappingRules(allow_root=True))
    assert mapping(allowed, names=names).fulfil(FULL, PERMIT).trail.account == "vo001"


def test_root_of_a_map_file_is_refused_and_the_line_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NoLoginName, match=r"to a POSIX login name$"):
        mapping(accounts='"/vo/Role=pilot" root').fulfil(FULL, PERMIT)
    assert caplog.messages == ["ACCOUNTMAPPER_OH: map: line 1 leads to root: only allowRoot would allow that"]


def test_leases_of_lcmaps_are_asked_for_only_if_so_configured() -> None:
    leases, names = OnePool(), Names(pilots=1, vo=3, other=2)
    groups = '"/vo/Role=pilot" pilots\n"/vo" vo, other'
    own, of_lcmaps = "%2fc%3dch%2fcn%3djohn%20doe:pilots:vo:other", "%2fc%3dch%2fcn%3djohn%20doe:pilots:other:vo"
    told = [
        mapping(MappingSettings(use_lcmaps_leases=used), leases=leases, names=names, groups=groups)
        .fulfil(FULL, PERMIT)
        .trail.lease
        for used in (False, True)
    ]
    assert leases.asked == [(own, "vo"), (own, "vo")]
    assert leases.others == [(), (of_lcmaps,)]
    assert told == [own, of_lcmaps], "the record names the lease by which the account is held"


def test_groups_by_number_are_those_of_lease_and_answer() -> None:
    settings = MappingSettings(rules=MappingRules(secondary_group_order=GroupOrder.GID))
    names = Names(pilots=1, vo=3, other=2)
    groups = '"/vo/Role=pilot" pilots\n"/vo" vo, other, pilots'
    response = mapping(settings, names=names, groups=groups).fulfil(FULL, PERMIT)
    assert response.trail.lease == "%2fc%3dch%2fcn%3djohn%20doe:pilots:pilots:other:vo"
    _, posix = response.results[0].obligations
    assert [a.value for a in posix.assignments if a.attribute_id == Glite.GROUP_ID] == [
        "pilots",
        "pilots",
        "other",
        "vo",
    ]


def test_group_without_a_number_is_refused_where_the_order_needs_it(caplog: pytest.LogCaptureFixture) -> None:
    settings = MappingSettings(rules=MappingRules(secondary_group_order=GroupOrder.GID))
    for names in (Names(pilots=1), None):
        with pytest.raises(NoLoginName):
            mapping(settings, names=names).fulfil(FULL, PERMIT)
    assert set(caplog.messages) == {"ACCOUNTMAPPER_OH: the name service of this machine does not know the group 'vo'"}


def test_line_that_would_match_without_the_role_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NoAccountIndicator):
        mapping(accounts='"/other" .x\n"/vo/*" .vo').fulfil(FULL, PERMIT)
    assert caplog.messages == [
        "ACCOUNTMAPPER_OH: line 2 of the account map, '/vo/*', would match /vo/Role=pilot without its role; "
        "Argus has /vo/*/Role=* for all of a VO"
    ]


MAP_LOCAL_USER = Obligation(DciSec.MAP_LOCAL_USER, Effect.PERMIT)


def test_common_profile_is_answered_in_its_own_words_and_those_of_glite_come_last() -> None:
    settings = MappingSettings(handled_obligation_id=DciSec.MAP_LOCAL_USER)
    response = mapping(settings).fulfil(FULL, Response((Result(Decision.PERMIT, obligations=(MAP_LOCAL_USER, OTHER)),)))
    assert [o.id for o in response.results[0].obligations] == [
        "urn:other",
        "http://dci-sec.org/xacml/obligation/map-local-user/posix",
        "http://glite.org/xacml/obligation/local-environment-map/posix",
    ]


@pytest.mark.parametrize("obligations", [(HANDLED, MAP_LOCAL_USER), (MAP_LOCAL_USER, HANDLED)])
def test_handlers_of_both_families_give_one_account_and_one_obligation_each(
    obligations: tuple[Obligation, ...],
) -> None:
    leases = OnePool()
    families = [MappingSettings(), MappingSettings(handled_obligation_id=DciSec.MAP_LOCAL_USER)]
    service = ObligationService(mapping(settings, leases=leases) for settings in families)

    response = service.fulfil(FULL, Response((Result(Decision.PERMIT, obligations=obligations),)))

    common, glite = response.results[0].obligations
    assert (common.id, glite.id) == (DciSec.MAP_LOCAL_USER_POSIX, Glite.LOCAL_ENVIRONMENT_MAP_POSIX)
    assert [a.value for a in common.assignments] == [a.value for a in glite.assignments]
    assert len(leases.asked) == 2
    assert len(set(leases.asked)) == 1


def test_posix_obligation_of_a_policy_does_not_stand_beside_ours() -> None:
    static = Obligation(Glite.LOCAL_ENVIRONMENT_MAP_POSIX, Effect.PERMIT, (AttributeAssignment(Glite.USER_ID, "x"),))
    response = mapping().fulfil(FULL, Response((Result(Decision.PERMIT, obligations=(static, HANDLED)),)))
    [posix] = response.results[0].obligations
    assert posix.assignments[0].value == "vo001"
