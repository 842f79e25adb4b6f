"""Undoing gives back what every store had: the same policies, and paps at their old places."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.pap.administration import Administration, ensure_default_pap, pair
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.chronicle import Chronicle
from argus_py.pap.distribution import Distribution
from argus_py.pap.paps import Pap
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.request import Asked
from argus_py.pap.state import State
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.sql.repository import SqlPolicies

ASKED = Asked(Admin(DistinguishedName.parse_slash("/CN=admin")))
TEXT = 'resource "r" { action "a" { rule deny { subject="CN=x,O=y" } rule permit { vo="v" } } }'


def state(repository: PolicyRepository) -> tuple[State, list[str]]:
    """And the paps in the order of evaluation."""
    with repository.read() as reader:
        return State.read(reader), [pap.alias for pap in reader.paps()]


@pytest.fixture
def repository(open_repository: Callable[[], PolicyRepository]) -> Iterator[PolicyRepository]:
    opened = open_repository()
    yield opened
    if isinstance(opened, SqlPolicies):
        opened.close()


def test_a_removed_pap_comes_back_as_it_was(repository: PolicyRepository) -> None:
    numbers = itertools.count(1)
    gate = Gate(lambda: Acl(((ANYONE, Permission.ALL),)))

    def new_id() -> str:
        return str(next(numbers))

    ensure_default_pap(repository, new_id)
    paps, chronicle = Distribution(repository, gate, new_id, lambda _: None), Chronicle(repository, gate)
    policies = Administration(repository, gate, DEFAULT_MAPPINGS, new_id)
    for alias in ("a", "b", "c"):
        paps.add_pap(ASKED, Pap("", alias))
        policies.add_policies(ASKED, alias, TEXT)
    paps.set_ordering(ASKED, ("b", "default"))
    before = state(repository)
    gone = [paps.remove_pap(ASKED, alias).after or 0 for alias in ("b", "a")]
    banned = policies.ban(ASKED, "c", pair("vo", "w")).after or 0
    for revision in (banned, *gone):
        chronicle.undo(ASKED, revision)
    (after, order) = state(repository)
    assert order == before[1] == ["b", "default", "a", "c"]
    assert after.ordering == before[0].ordering
    assert [after.of(alias).resources for alias in "ab"] == [before[0].of(alias).resources for alias in "ab"]
    assert after.of("c").resources[0].children == before[0].of("c").resources[0].children
