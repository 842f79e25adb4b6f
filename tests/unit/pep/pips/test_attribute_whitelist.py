from datetime import UTC, datetime

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.pips.attribute_whitelist import AttributeWhitelist

NOW = datetime(2026, 11, 24, tzinfo=UTC)
A, B = Attribute("a", ("1",)), Attribute("b", ("2",))
OTHER_A = Attribute("a", ("3",), "other", "issuer")
ALL = (A, B, OTHER_A)
SENT = Request((Subject(ALL, "c"), Subject((B,))), (Resource(ALL, "text"),), Action(ALL), Environment(ALL))


def test_without_lists_everything_stays() -> None:
    assert AttributeWhitelist().enrich(SENT, NOW) == SENT


@pytest.mark.parametrize(("listed", "left"), [({"a"}, (A, OTHER_A)), ({"b", "c"}, (B,)), (set(), ())])
def test_each_part_keeps_what_is_listed_for_it_by_identifier(listed: set[str], left: tuple[Attribute, ...]) -> None:
    accepted = frozenset(listed)
    subjects = (Subject(left, "c"), Subject((B,) if "b" in listed else ()))
    assert AttributeWhitelist(subject=accepted).enrich(SENT, NOW).subjects == subjects
    assert AttributeWhitelist(resource=accepted).enrich(SENT, NOW).resources == (Resource(left, "text"),)
    assert AttributeWhitelist(action=accepted).enrich(SENT, NOW).action == Action(left)
    assert AttributeWhitelist(environment=accepted).enrich(SENT, NOW).environment == Environment(left)


def test_a_list_for_one_part_leaves_the_others_alone() -> None:
    kept = AttributeWhitelist(action=frozenset()).enrich(SENT, NOW)
    assert (kept.subjects, kept.resources, kept.environment) == (SENT.subjects, SENT.resources, SENT.environment)


def test_parts_that_are_not_there_are_not_made() -> None:
    none = frozenset[str]()
    assert AttributeWhitelist(none, none, none, none).enrich(Request(), NOW) == Request()
