"""What one pap holds, put together from the rows of its policy sets, policies and rules.

What a change has not touched stays the same object, so that whoever works with policies knows by identity what is new.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final, TypeVar

from sqlalchemy import Row

from argus_py.errors import MalformedInput, Unavailable
from argus_py.pap.editing import Resources
from argus_py.pap.state import Loose
from argus_py.xacml.policy import Combining, Policy, PolicySet, Rule
from argus_py.xacml.policy_xml import read_policy, read_policy_set, read_rule, write_policy, write_policy_set

T = TypeVar("T")


class UnreadablePolicy(Unavailable):
    """The stored element ``id`` of the pap ``pap_id`` cannot be read by this program; ``reason`` says why."""

    def __init__(self, pap_id: str, id: str, reason: str) -> None:
        super().__init__(f"what is stored as {id!r} of the pap {pap_id!r} cannot be read: {reason}")
        self.pap_id = pap_id
        self.id = id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StoredSet:
    """``whole``: with its policies, and they with their rules."""

    whole: PolicySet
    position: int
    loose: bool


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """``policy_set_id`` None: a loose one, which alone has a position. ``rule_positions`` are those of its rules."""

    whole: Policy
    policy_set_id: str | None
    position: int | None
    rule_positions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    resources: Resources = ()
    loose: Loose = ()
    sets: Mapping[str, StoredSet] = field(default_factory=dict)  # by id
    policies: Mapping[str, StoredPolicy] = field(default_factory=dict)

    @classmethod
    def of(cls, sets: Mapping[str, StoredSet], policies: Mapping[str, StoredPolicy]) -> "Holding":
        resources = sorted((each for each in sets.values() if not each.loose), key=attrgetter("position"))
        loose: dict[int, PolicySet | Policy] = {each.position: each.whole for each in sets.values() if each.loose}
        loose |= {each.position: each.whole for each in policies.values() if each.position is not None}
        return cls(tuple(each.whole for each in resources), tuple(loose[at] for at in sorted(loose)), sets, policies)


EMPTY: Final = Holding()


@dataclass(frozen=True, slots=True)
class Turnover:
    """The rows of one table that are true no more, and those that have become so."""

    gone: list[Row[Any]] = field(default_factory=list)
    new: list[Row[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PapRows:
    """The rows of one pap that make the difference between two of its states."""

    policy_sets: Turnover = field(default_factory=Turnover)
    policies: Turnover = field(default_factory=Turnover)
    rules: Turnover = field(default_factory=Turnover)


def with_rows(before: Holding, pap_id: str, rows: PapRows) -> Holding:
    """Raises UnreadablePolicy."""
    policies = dict(before.policies)
    for row in rows.policies.gone:
        policies.pop(row.id, None)
    for row in rows.policies.new:
        bare = _read(pap_id, row, read_policy)
        old = before.policies.get(row.id)
        whole, rule_positions = (replace(bare, rules=old.whole.rules), old.rule_positions) if old else (bare, ())
        policies[row.id] = StoredPolicy(whole, row.policy_set_id, row.position, rule_positions)
    for policy_id, of_policy in _by_policy(rows.rules).items():
        if policy_id in policies:  # else its rules went with it
            policies[policy_id] = _with_rules(policies[policy_id], pap_id, of_policy)
    touched = {id for id, policy in policies.items() if policy is not before.policies.get(id)}
    for id in touched:
        _check_conditions(pap_id, policies[id].whole)

    sets = dict(before.sets)
    for row in rows.policy_sets.gone:
        sets.pop(row.id, None)
    for row in rows.policy_sets.new:
        sets[row.id] = StoredSet(_read(pap_id, row, read_policy_set), row.position, row.loose)
    outdated = {policies[id].policy_set_id for id in touched} | {row.id for row in rows.policy_sets.new}
    wholes = {id: policy.whole for id, policy in policies.items()}
    for id in sets.keys() & outdated:
        sets[id] = replace(sets[id], whole=_assembled(pap_id, sets[id].whole, wholes))
    return Holding.of(sets, policies)


def _by_policy(rules: Turnover) -> dict[str, Turnover]:
    found: dict[str, Turnover] = {}
    for row in rules.gone:
        found.setdefault(row.policy_id, Turnover()).gone.append(row)
    for row in rules.new:
        found.setdefault(row.policy_id, Turnover()).new.append(row)
    return found


def _with_rules(policy: StoredPolicy, pap_id: str, rows: Turnover) -> StoredPolicy:
    rules: dict[int, Rule] = dict(zip(policy.rule_positions, policy.whole.rules, strict=True))
    for row in rows.gone:
        rules.pop(row.position, None)
    for row in rows.new:
        rules[row.position] = _read(pap_id, row, read_rule)
    in_order = sorted(rules)
    whole = replace(policy.whole, rules=tuple(map(rules.__getitem__, in_order)))
    return replace(policy, whole=whole, rule_positions=tuple(in_order))


def _assembled(pap_id: str, policy_set: PolicySet, policies: Mapping[str, Policy]) -> PolicySet:
    try:
        return assembled(policy_set, policies)
    except KeyError as error:
        raise UnreadablePolicy(pap_id, policy_set.id, f"its policy {error.args[0]!r} is missing") from error


def _check_conditions(pap_id: str, policy: Policy) -> None:
    try:
        check_conditions(policy)
    except MalformedInput as error:
        raise UnreadablePolicy(pap_id, policy.id, str(error)) from error


def _read(pap_id: str, row: Row[Any], read: Callable[[bytes], T]) -> T:
    try:
        return read(row.body.encode())
    except MalformedInput as error:
        raise UnreadablePolicy(pap_id, row.id, str(error)) from error


def assembled(policy_set: PolicySet, policies: Mapping[str, Policy]) -> PolicySet:
    """With these in the place of the policies of the same ids; the same object if they are there already."""
    children = tuple(policies[child.id] if isinstance(child, Policy) else child for child in policy_set.children)
    if all(new is old for new, old in zip(children, policy_set.children, strict=True)):
        return policy_set
    return replace(policy_set, children=children)


def check_conditions(policy: Policy) -> None:
    """Raises MalformedInput: a condition of a rule does not fit the functions, or the variables of the policy."""
    if any(rule.condition is not None for rule in policy.rules):
        read_policy(write_policy(policy))


def policy_set_body(policy_set: PolicySet) -> bytes:
    """Raises NotXmlText: a value that XML cannot carry."""
    children = (_in_place_of(child) if isinstance(child, Policy) else child for child in policy_set.children)
    body: bytes = write_policy_set(replace(policy_set, children=tuple(children)))
    return body


def policy_body(policy: Policy) -> bytes:
    """Raises NotXmlText: a value that XML cannot carry."""
    body: bytes = write_policy(replace(policy, rules=()))
    return body


def _in_place_of(policy: Policy) -> Policy:
    return Policy(policy.id, Combining.RULES_FIRST_APPLICABLE)


def same_body(one: PolicySet | Policy, other: PolicySet | Policy) -> bool:
    """Whether two elements are the same but for what has rows of its own."""
    return one is other or _own(one) == _own(other)


def _own(element: PolicySet | Policy) -> tuple[object, ...]:
    if isinstance(element, Policy):
        return (replace(element, rules=()),)
    return replace(element, children=()), *_outline(element.children)


def _outline(children: Iterable[object]) -> Iterable[object]:
    return [child.id if isinstance(child, Policy) else child for child in children]
