"""Which modules run, and what a policy comes to."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from argus_py.worker.errors import ClientError, NotAuthorized
from argus_py.worker.identity import mapped_identity
from argus_py.worker.lcmaps_db import parse_lcmaps_db
from argus_py.worker.plugins.plugin import PluginFailed
from argus_py.worker.policy import run_policy
from argus_py.worker.ports import User
from argus_py.worker.state import Account, State

MODULES = "".join(f'{name} = "{name}.mod"\n' for name in "abc")


@dataclass
class Scripted:
    """Succeeds with its number as an account, or fails."""

    number: int
    succeeds: bool

    def run(self, state: State, /) -> State:
        if not self.succeeds:
            raise PluginFailed("as told")
        return state.with_account((self.number,))


@pytest.mark.parametrize(
    ("rules", "failing", "ran", "succeeded"),
    [
        ("a -> b", "", "ab", True),
        ("a -> b", "a", "a", False),
        ("a -> b", "b", "ab", False),
        ("a -> b | c", "", "ab", True),
        ("a -> b | c", "a", "ac", True),
        ("a -> b | c", "ac", "ac", False),
        ("~a -> b", "", "a", True),
        ("~a -> b", "a", "ab", True),
        ("~a -> b", "ab", "ab", False),
        ("a -> b\n~b -> c", "b", "abc", True),
        ("b", "", "b", True),
    ],
)
def test_rules_lead_from_module_to_module(
    state_of: Callable[[str], State], rules: str, failing: str, ran: str, succeeded: bool
) -> None:
    policy = parse_lcmaps_db(f"{MODULES}p:\n{rules}\n", "f").policies["p"]
    plugins = {name: Scripted(number, name not in failing) for number, name in enumerate("abc", 1)}
    outcome = run_policy(policy, plugins, state_of("alice-dteam"))
    assert "".join(step.module for step in outcome.steps) == ran
    assert (outcome.state is not None) is succeeded
    if outcome.state is not None:
        assert outcome.state.account.uids == tuple("abc".index(name) + 1 for name in ran if name not in failing)


def test_mistake_of_the_caller_ends_the_policy(state_of: Callable[[str], State]) -> None:
    class Client:
        def run(self, _state: State, /) -> State:
            raise ClientError("no pilot proxy")

    policy = parse_lcmaps_db(f"{MODULES}p:\na -> b | c\n", "f").policies["p"]
    with pytest.raises(ClientError):
        run_policy(policy, {"a": Client(), "b": Scripted(1, True), "c": Scripted(2, True)}, state_of("alice-dteam"))


def user_of(uid: int) -> User | None:
    return User("u", uid, 5, (5,), "/") if uid == 7 else None


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (Account(), "without an account"),
        (Account((7,)), "LCMAPS could not find any gid, at least one required!"),
        (Account((0,), (5,)), "leads to root"),
        (Account((7,), (0,)), "leads to root"),
        (Account((7,), (5,), (0,)), "leads to root"),
        (Account((8,), (5,)), "does not know the account 8"),
    ],
)
def test_identities_that_nobody_gets(account: Account, reason: str) -> None:
    with pytest.raises(NotAuthorized, match=reason):
        mapped_identity(account, user_of)


def test_primary_group_comes_first_and_once() -> None:
    assert mapped_identity(Account((7,), (5, 6), (9, 5)), user_of).groups == (5, 9)
