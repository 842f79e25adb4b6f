"""Whatever is stored in whatever order: a repository in SQL holds what one in memory holds."""

import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.pap.paps import Pap
from argus_py.pap.ports import PolicyRepository
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.engine import open_policies
from argus_py.store.sql.repository import SqlPolicies
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference
from argus_py.xacml.policy_xml import PolicySetChild

PAPS = (Pap("default-1", "default"), Pap("central-2", "central"))

descriptions = st.sampled_from([None, "one", "<two>", "d r e i"])
policies = st.builds(
    Policy,
    id=st.sampled_from("abcdef"),
    combining=st.just(Combining.RULES_FIRST_APPLICABLE),
    description=descriptions,
    version=st.sampled_from(["1", "2"]),
)
references: st.SearchStrategy[PolicySetChild] = st.sampled_from(
    [PolicyIdReference("elsewhere"), PolicySetIdReference("far-away")]
)


@st.composite
def resources(draw: st.DrawFn) -> tuple[PolicySet, ...]:
    """Ids are unique among the policy sets, and among all policies of a pap."""
    left = draw(st.lists(policies, unique_by=lambda policy: policy.id))
    found = []
    for id in draw(st.lists(st.sampled_from("123"), unique=True)):
        taken = draw(st.integers(0, len(left)))
        own: list[PolicySetChild] = list(left[:taken])
        own += draw(st.lists(references, max_size=1))
        children = draw(st.permutations(own))
        left = left[taken:]
        found.append(
            PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, tuple(children), description=draw(descriptions))
        )
    return tuple(found)


changes = st.lists(st.tuples(st.sampled_from(PAPS), resources(), st.booleans()), max_size=6)


class Undone(Exception):
    """What goes wrong at the end of a change."""


@pytest.fixture(scope="module")
def sql() -> Iterator[tuple[SqlPolicies, SqlPolicies]]:
    """Two on one database, as in two processes: they have parsed different rows."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/policies.db"
        both = open_policies(url), open_policies(url)
        with both[0].change() as writer:
            for pap in PAPS:
                writer.add_pap(pap)
        yield both
        for repository in both:
            repository.close()


@settings(max_examples=60, deadline=None)
@given(changes=changes)
def test_sql_holds_what_memory_holds(
    sql: tuple[SqlPolicies, SqlPolicies], changes: list[tuple[Pap, tuple[PolicySet, ...], bool]]
) -> None:
    memory = MemoryPolicies()
    with memory.change() as writer:
        for pap in PAPS:
            writer.add_pap(pap)
    for pap in PAPS:
        store(sql[0], pap, (), kept=True)
    for number, (pap, new, kept) in enumerate(changes):
        store(memory, pap, new, kept)
        store(sql[number % 2], pap, new, kept)
        for other in PAPS:
            assert held(sql[0], other) == held(sql[1], other) == held(memory, other)


def store(repository: PolicyRepository, pap: Pap, new: tuple[PolicySet, ...], kept: bool) -> None:
    try:
        with repository.change() as writer:
            writer.store(pap, new)
            assert writer.resources(pap) == new
            if not kept:
                raise Undone
    except Undone:
        pass


def held(repository: PolicyRepository, pap: Pap) -> tuple[PolicySet, ...]:
    with repository.read() as reader:
        return reader.resources(pap)
