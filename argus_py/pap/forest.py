"""The policies of a pap as the XACML services show them: objects apart, that refer to each other by their ids.

What is stored is a tree: sets that hold their policies. An object that nothing refers to is loose.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from argus_py.errors import Conflict
from argus_py.pap.editing import Resources, raised
from argus_py.pap.paps import Pap
from argus_py.pap.state import Held, Loose
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference
from argus_py.xacml.policy_xml import PolicySetChild

MAX_DEPTH: Final = (
    30  # sets within each other; the PAP's own trees have two, and a document may have a hundred elements
)


class ReferencedTwice(Conflict):
    """The object ``id`` would stand at two places, or within itself."""

    def __init__(self, id: str) -> None:
        super().__init__(f"{id} is referred to more than once")
        self.id = id


class NestedTooDeeply(Conflict):
    """Policy sets refer to each other over more than MAX_DEPTH levels; ``id`` is the one that is too deep."""

    def __init__(self, id: str) -> None:
        super().__init__(f"{id} is nested in more than {MAX_DEPTH} policy sets")
        self.id = id


def root_of(pap: Pap, resources: Resources) -> PolicySet:
    """The policy set that refers to the resources."""
    references = tuple(PolicySetIdReference(policy_set.id) for policy_set in resources)
    return PolicySet(pap.id, Combining.POLICIES_FIRST_APPLICABLE, references, version=str(pap.version))


@dataclass(frozen=True, slots=True)
class Forest:
    """All objects of a pap by their ids; no set holds another object, not even ``root``, which is among them.

    ``stored``: the sets with what they hold, as they were before.
    """

    root: str
    sets: Mapping[str, PolicySet]
    policies: Mapping[str, Policy]
    stored: Mapping[str, PolicySet]

    @classmethod
    def of(cls, held: Held) -> "Forest":
        sets = {held.pap.id: root_of(held.pap, held.resources)}
        policies: dict[str, Policy] = {}
        stored: dict[str, PolicySet] = {}
        for element in (*held.resources, *held.loose):
            for part in within(element):
                if isinstance(part, Policy):
                    policies[part.id] = part
                else:
                    sets[part.id] = by_references(part)
                    stored[part.id] = part
        return cls(held.pap.id, sets, policies, stored)

    def with_set(self, policy_set: PolicySet) -> "Forest":
        return replace(self, sets={**self.sets, policy_set.id: policy_set})

    def with_policies(self, *policies: Policy) -> "Forest":
        return replace(self, policies={**self.policies, **{policy.id: policy for policy in policies}})

    def without_policy(self, id: str) -> "Forest":
        """References to it go too."""
        policies = {each: policy for each, policy in self.policies.items() if each != id}
        return replace(self, sets=self._without_reference(PolicyIdReference, id), policies=policies)

    def without_set(self, id: str) -> "Forest":
        """References to it go too."""
        sets = self._without_reference(PolicySetIdReference, id)
        return replace(self, sets={each: policy_set for each, policy_set in sets.items() if each != id})

    def _without_reference(self, kind: type, id: str) -> dict[str, PolicySet]:
        return {each: _without_reference(policy_set, kind, id) for each, policy_set in self.sets.items()}

    def planted(self, held: Held) -> Held:
        """As it is stored, in the place of what was held. Raises ReferencedTwice, NestedTooDeeply."""
        planting = _Planting(self)
        root = planting.grown(self.root)
        resources = tuple(child for child in root.children if isinstance(child, PolicySet))
        version = int(root.version)
        return Held(replace(held.pap, version=version), resources, _in_order(planting.left(), held.loose))


def within(element: PolicySet | Policy) -> Iterator[PolicySet | Policy]:
    """An object and all that it holds."""
    yield element
    if isinstance(element, PolicySet):
        for child in element.children:
            if isinstance(child, PolicySet | Policy):
                yield from within(child)


def by_references(policy_set: PolicySet) -> PolicySet:
    """With references in the place of what it holds."""
    return replace(policy_set, children=tuple(map(_reference, policy_set.children)))


def _reference(child: PolicySetChild) -> PolicySetChild:
    if isinstance(child, Policy):
        return PolicyIdReference(child.id)
    return PolicySetIdReference(child.id) if isinstance(child, PolicySet) else child


def _without_reference(policy_set: PolicySet, kind: type, id: str) -> PolicySet:
    children = tuple(child for child in policy_set.children if child.id != id or not isinstance(child, kind))
    gone = len(policy_set.children) - len(children)
    return replace(policy_set, children=children, version=raised(policy_set.version, gone)) if gone else policy_set


class _Planting:
    """Puts objects in the place of the references to them, each once."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._used: set[tuple[type, str]] = set()

    def grown(self, id: str, depth: int = 0) -> PolicySet:
        """The set ``id``; if it holds what it held, then as it was stored."""
        if depth > MAX_DEPTH:
            raise NestedTooDeeply(id)
        self._use(PolicySet, id)
        policy_set = self._forest.sets[id]
        grown = replace(policy_set, children=tuple(self._child(child, depth) for child in policy_set.children))
        stored = self._forest.stored.get(id)
        return stored if stored == grown else grown

    def left(self) -> Iterator[PolicySet | Policy]:
        """What nothing refers to; raises ReferencedTwice for sets that refer to each other in a circle."""
        referred = {
            child.id
            for id, policy_set in self._forest.sets.items()
            if (PolicySet, id) not in self._used
            for child in policy_set.children
            if isinstance(child, PolicySetIdReference)
        }
        tops = [id for id in self._forest.sets if (PolicySet, id) not in self._used and id not in referred]
        for id in tops:
            yield self.grown(id)
        for id in self._forest.sets:
            if (PolicySet, id) not in self._used:
                raise ReferencedTwice(id)
        for policy in self._forest.policies.values():
            if (Policy, policy.id) not in self._used:
                yield policy

    def _child(self, child: PolicySetChild, depth: int) -> PolicySetChild:
        if isinstance(child, PolicyIdReference) and child.id in self._forest.policies:
            self._use(Policy, child.id)
            return self._forest.policies[child.id]
        if isinstance(child, PolicySetIdReference) and child.id in self._forest.sets:
            return self.grown(child.id, depth + 1)
        return child

    def _use(self, kind: type, id: str) -> None:
        if (kind, id) in self._used:
            raise ReferencedTwice(id)
        self._used.add((kind, id))


def _in_order(elements: Iterator[PolicySet | Policy], before: Loose) -> Loose:
    """Those that were there before first, as they stood."""
    places = {(type(element), element.id): place for place, element in enumerate(before)}
    return tuple(sorted(elements, key=lambda element: places.get((type(element), element.id), len(places))))
