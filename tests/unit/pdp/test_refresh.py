"""How the policy in force is replaced."""

from collections.abc import Callable
from datetime import datetime

import pytest

from argus_py.errors import ArgusError, Unavailable
from argus_py.pdp.refresh import policy_snapshot
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import CompiledPolicy
from argus_py.xacml.policy import PolicySet

ONE = 'resource "wn" { action "run" { rule permit { vo="dteam" } } }'
OTHER = ONE.replace("permit", "deny")

RootOf = Callable[[str], PolicySet]


class FakeSource:
    """A PAP whose policy, or failure, the test sets."""

    def __init__(self) -> None:
        self.answer: PolicySet | ArgusError = Unavailable("the PAP is down")

    def fetch(self) -> PolicySet:
        if isinstance(self.answer, ArgusError):
            raise self.answer
        return self.answer


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def policy(source: FakeSource, clock: Callable[[], datetime]) -> Snapshot[CompiledPolicy]:
    return policy_snapshot(source, clock)


def test_nothing_is_in_force_before_the_first_refresh(source: FakeSource, policy: Snapshot[CompiledPolicy]) -> None:
    assert not policy.ready
    assert not policy.refresh()
    assert str(policy.last_error) == "the PAP is down"


def test_a_refresh_replaces_the_policy_and_a_failed_one_keeps_it(
    source: FakeSource, policy: Snapshot[CompiledPolicy], root_of: RootOf
) -> None:
    source.answer = root_of(ONE)
    assert policy.refresh()
    source.answer = Unavailable("the PAP is down")
    assert not policy.refresh()
    assert policy.current.value.root == root_of(ONE)
    assert str(policy.last_error) == "the PAP is down"
    source.answer = root_of(OTHER)
    assert policy.refresh()
    assert policy.last_error is None
    assert policy.current.value.root == root_of(OTHER)


def test_an_unusable_policy_keeps_the_one_in_force(
    source: FakeSource, policy: Snapshot[CompiledPolicy], root_of: RootOf
) -> None:
    source.answer = root_of(ONE)
    policy.refresh()
    source.answer = PolicySet("root", "urn:unknown-algorithm")
    assert not policy.refresh()
    assert "urn:unknown-algorithm" in str(policy.last_error)
    assert policy.current.value.root == root_of(ONE)


def test_an_equal_policy_is_no_new_version(
    source: FakeSource, policy: Snapshot[CompiledPolicy], root_of: RootOf
) -> None:
    source.answer = root_of(ONE)
    assert policy.refresh()
    source.answer = root_of(ONE)
    assert not policy.refresh()
    assert policy.current.number == 1
