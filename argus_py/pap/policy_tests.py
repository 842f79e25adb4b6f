"""Tests of policies: who does what where, and which decision and account are expected of it.

How they are written is told by docs/policy-tests.md, and read by ``policy_tests_yaml``.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.response import Decision

PROFILES: Final = ("grid-wn", "grid-ce", "common")
NOBODY: Final = "none"  # as an account: there is none


@dataclass(frozen=True, slots=True)
class Person:
    """``fqans``: the primary one first; ``issuers``: CAs from the issuing one upwards; ``attributes``: further ones."""

    name: str
    subject: DistinguishedName
    fqans: tuple[Fqan, ...] = ()
    issuers: tuple[DistinguishedName, ...] = ()
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """``account``: a login, a pool with its dot, or NOBODY. None: whatever comes."""

    decision: Decision
    account: str | None = None
    groups: tuple[str, ...] | None = None

    @property
    def needs_maps(self) -> bool:
        return self.groups is not None or self.account not in (None, NOBODY)


@dataclass(frozen=True, slots=True)
class Case:
    """One request. ``line`` is that of its test, ``profile`` how the client speaks."""

    name: str
    line: int
    who: Person
    what: str
    where: str
    profile: str
    expected: Expected


@dataclass(frozen=True, slots=True)
class PolicyTests:
    """``policies`` and map files by the names that the text gives them."""

    cases: tuple[Case, ...]
    policies: tuple[str, ...] = ()
    accounts: str | None = None
    groups: str | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of a case. ``reason``: what decided, or why there is no account."""

    decision: Decision
    reason: str
    account: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``failures`` say what is not as expected; none if all is."""

    case: Case
    observed: Observed
    failures: tuple[str, ...]


def run_tests(cases: Iterable[Case], decide: Callable[[Case], Observed]) -> tuple[Verdict, ...]:
    return tuple(_verdict(case, decide(case)) for case in cases)


def _verdict(case: Case, observed: Observed) -> Verdict:
    expected = case.expected
    failures = []
    if observed.decision is not expected.decision:
        failures.append(f"expected {expected.decision.value}, got {observed.decision.value}")
    account = observed.account or NOBODY
    if expected.account not in (None, account):
        failures.append(f"expected the account {expected.account}, got {account}")
    if expected.groups not in (None, observed.groups):
        failures.append(f"expected the groups {_told(expected.groups)}, got {_told(observed.groups)}")
    return Verdict(case, observed, tuple(failures))


def _told(groups: Collection[str] | None) -> str:
    return ", ".join(groups or ()) or NOBODY
