"""Policies as values: pages of one revision, bans, findings."""

from itertools import count
from typing import TYPE_CHECKING

import pytest

from argus_py.pap.administration import pair
from argus_py.pap.paps import DEFAULT_ALIAS, PapNotFound
from argus_py.pap.ports import RevisionNotFound
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet

if TYPE_CHECKING:
    from tests.unit.pap.conftest import MemoryPap

SPL = """resource "r" {
    action "a" { rule deny { vo="1" } rule permit { vo="2" } rule permit { vo="3" } }
    action "b" { rule deny { vo="4" } }
}
resource "s" { action "a" { rule permit { vo="5" } } }
"""


def pieces(element: object) -> list[str]:
    """The ids of rules, and of elements without any."""
    if isinstance(element, Policy):
        return [rule.id for rule in element.rules] or [element.id]
    if isinstance(element, PolicySet):
        return [piece for child in element.children for piece in pieces(child)] or [element.id]
    assert isinstance(element, PolicyIdReference)
    return [element.id]


def fill(pap: "MemoryPap") -> list[str]:
    """Gives the pieces: also of an empty resource, an empty action and a reference."""
    pap.service.add_policies(pap.asked, DEFAULT_ALIAS, SPL)
    empty = PolicySet("empty", Combining.POLICIES_FIRST_APPLICABLE)
    pap.objects.add_policy_set(pap.asked, DEFAULT_ALIAS, -1, empty)
    pap.objects.store_policy(pap.asked, DEFAULT_ALIAS, "empty", Policy("nothing", Combining.RULES_FIRST_APPLICABLE))
    return [piece for resource in pap.resources() for piece in pieces(resource)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 100])
def test_pages_have_every_piece_once_and_in_order(pap: "MemoryPap", limit: int) -> None:
    expected = fill(pap)
    assert len(expected) >= 6
    found: list[str] = []
    for start in count(0, limit):
        page = pap.overview.page(pap.asked, DEFAULT_ALIAS, start, limit)
        assert page.total == len(expected)
        on_page = [piece for resource in page.resources for piece in pieces(resource)]
        assert len(on_page) == min(limit, len(expected) - start)
        found += on_page
        if start + limit >= page.total:
            break
    assert found == expected


def test_a_page_behind_the_end_is_empty(pap: "MemoryPap") -> None:
    fill(pap)
    assert pap.overview.page(pap.asked, DEFAULT_ALIAS, 100, 10).resources == ()


def test_a_page_of_an_earlier_revision_is_as_it_was(pap: "MemoryPap") -> None:
    before = pap.overview.page(pap.asked, DEFAULT_ALIAS, 0, 10)
    fill(pap)
    assert before.resources == ()
    assert pap.overview.page(pap.asked, DEFAULT_ALIAS, 0, 10, before.revision) == before
    with pytest.raises(RevisionNotFound):
        pap.overview.page(pap.asked, DEFAULT_ALIAS, 0, 10, 1000)
    with pytest.raises(PapNotFound):
        pap.overview.page(pap.asked, "nope", 0, 10)


def test_bans_are_those_of_the_enabled_paps(pap: "MemoryPap") -> None:
    pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "atlas"))
    assert [ban.value for ban in pap.overview.bans(pap.asked)] == ["atlas"]
    pap.distribution.set_enabled(pap.asked, DEFAULT_ALIAS, False)
    assert pap.overview.bans(pap.asked) == ()


def test_lint_looks_at_the_enabled_paps_or_at_those_named(pap: "MemoryPap") -> None:
    twice_the_same = 'resource "r" { action "a" { rule permit { vo="x" } rule permit { vo="x" } } }'
    pap.service.add_policies(pap.asked, DEFAULT_ALIAS, twice_the_same)
    assert "duplicate-rule" in {finding.check.code for finding in pap.overview.lint(pap.asked)}
    twice = pap.overview.lint(pap.asked, (DEFAULT_ALIAS, DEFAULT_ALIAS))
    assert twice == pap.overview.lint(pap.asked)
    pap.distribution.set_enabled(pap.asked, DEFAULT_ALIAS, False)
    assert pap.overview.lint(pap.asked) == ()
    assert pap.overview.lint(pap.asked, (DEFAULT_ALIAS,)) == twice
    assert pap.overview.lint(pap.asked, ()) == ()
