"""What a policy store holds as one value, and how a change makes another one of it.

The stores differ in where they keep it: what is refused, and what becomes of an ordering when a pap goes, is said here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from argus_py.pap.authorization import Acl
from argus_py.pap.editing import Resources
from argus_py.pap.paps import Pap, PapExists, PapNotFound, in_order
from argus_py.pap.ports import MAX_ID_LENGTH, RepeatedId, UnfitId
from argus_py.pap.state import Loose
from argus_py.xacml.policy import Policy, PolicySet


@dataclass(frozen=True, slots=True)
class Content:
    """What a pap holds."""

    resources: Resources = ()
    loose: Loose = ()
    modified_at: datetime | None = None

    def policy_sets(self) -> list[PolicySet]:
        return [*self.resources, *(each for each in self.loose if isinstance(each, PolicySet))]

    def policies(self) -> list[Policy]:
        of_sets = [policy for policy_set in self.policy_sets() for policy in policy_set.policies()]
        return [*of_sets, *(each for each in self.loose if isinstance(each, Policy))]


NOTHING: Final = Content()


@dataclass(frozen=True, slots=True)
class StoredState:
    """Everything that has a history; ``paps`` in the order of their creation."""

    paps: tuple[Pap, ...] = ()
    contents: Mapping[str, Content] = field(default_factory=dict)  # by pap id
    ordering: tuple[str, ...] = ()
    acl: Acl | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def content(self, pap: Pap) -> Content:
        return self.contents.get(pap.id, NOTHING)


class StateWriter:
    """A PolicyWriter, and so a PolicyReader; ``state`` is what has become of the state it was given."""

    def __init__(self, revision: int, changed_at: datetime, state: StoredState, now: datetime) -> None:
        self.revision = revision
        self.changed_at = changed_at
        self.state = state
        self._now = now

    def paps(self) -> tuple[Pap, ...]:
        return in_order(self.state.paps, self.state.ordering)

    def created(self) -> tuple[Pap, ...]:
        return self.state.paps

    def ordering(self) -> tuple[str, ...]:
        return self.state.ordering

    def modified_at(self, pap: Pap) -> datetime | None:
        return self.state.content(pap).modified_at

    def resources(self, pap: Pap) -> Resources:
        return self.state.content(pap).resources

    def loose(self, pap: Pap) -> Loose:
        return self.state.content(pap).loose

    def acl(self) -> Acl | None:
        return self.state.acl

    def setting(self, key: str) -> str | None:
        return self.state.settings.get(key)

    def add_pap(self, pap: Pap, index: int | None = None) -> None:
        _check_length(pap.id)
        _check_length(pap.alias)
        if any(pap.id == other.id or pap.alias == other.alias for other in self.state.paps):
            raise PapExists(pap.alias)
        there = self.state.paps
        place = len(there) if index is None else index
        self.state = replace(self.state, paps=(*there[:place], pap, *there[place:]))

    def remove_pap(self, pap: Pap) -> None:
        self._expect(pap)
        self.state = replace(
            self.state,
            paps=tuple(other for other in self.state.paps if other.id != pap.id),
            contents={id: content for id, content in self.state.contents.items() if id != pap.id},
            ordering=tuple(alias for alias in self.state.ordering if alias != pap.alias),
        )

    def store(self, pap: Pap, resources: Resources, loose: Loose | None = None) -> None:
        self._expect(pap)
        _check_length(pap.alias)
        if any(pap.alias == other.alias and pap.id != other.id for other in self.state.paps):
            raise PapExists(pap.alias)
        before = self.state.content(pap)
        content = replace(before, resources=resources, loose=before.loose if loose is None else loose)
        if content != before:
            _check_ids(pap, before, content)
            content = replace(content, modified_at=self._now)
        self.state = replace(
            self.state,
            paps=tuple(pap if other.id == pap.id else other for other in self.state.paps),
            contents={**self.state.contents, pap.id: content},
        )

    def set_ordering(self, aliases: tuple[str, ...]) -> None:
        self.state = replace(self.state, ordering=aliases)

    def set_acl(self, acl: Acl) -> None:
        self.state = replace(self.state, acl=acl)

    def set_setting(self, key: str, text: str | None) -> None:
        others = {other: value for other, value in self.state.settings.items() if other != key}
        self.state = replace(self.state, settings=others if text is None else {**others, key: text})

    def _expect(self, pap: Pap) -> None:
        if all(other.id != pap.id for other in self.state.paps):
            raise PapNotFound(pap.alias)


def _check_ids(pap: Pap, before: Content, after: Content) -> None:
    """Rules of policies that are as they were are not looked at again."""
    policies = after.policies()
    known = {policy.id: policy for policy in before.policies()}
    _check_unique(pap, "policy set", [policy_set.id for policy_set in after.policy_sets()])
    _check_unique(pap, "policy", [policy.id for policy in policies])
    for policy in policies:
        if known.get(policy.id) is not policy:
            _check_unique(pap, f"policy {policy.id!r} with the rule", [rule.id for rule in policy.rules])


def _check_unique(pap: Pap, kind: str, ids: Sequence[str]) -> None:
    if ids:
        _check_length(max(ids, key=len))
    if len(set(ids)) < len(ids):
        ((repeated, _),) = Counter(ids).most_common(1)
        raise RepeatedId(pap.alias, f"{kind} {repeated!r}")


def _check_length(id: str) -> None:
    if len(id) > MAX_ID_LENGTH:
        raise UnfitId(id, f"it has {len(id)} characters, {MAX_ID_LENGTH} are allowed")
