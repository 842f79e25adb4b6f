"""The XACML objects of a pap, one by one, as clients of the Java PAP work with them.

Policy sets go in and out with references in the place of the policies they hold. What comes in is stored as it was
sent, also what the policy language cannot express.

BETTER: Java stores an object before it looks where its reference should go, and leaves references to what is removed;
here nothing is left of a command that fails, and nothing refers to what is not there.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/xacml_policy_management/
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from argus_py.errors import Conflict, MalformedInput
from argus_py.pap import editing
from argus_py.pap.administration import local, with_resources
from argus_py.pap.authorization import Act, Gate
from argus_py.pap.editing import IdNotFound, raised, version_number
from argus_py.pap.forest import Forest, by_references, root_of, within
from argus_py.pap.paps import by_alias
from argus_py.pap.ports import MAX_ID_LENGTH, PolicyRepository
from argus_py.pap.request import Asked, Outcome, command_text
from argus_py.pap.state import Held, Loose, State
from argus_py.pap.transactions import Transactions
from argus_py.spl.lower import PRIVATE_PREFIX
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference
from argus_py.xacml.policy_xml import PolicySetChild

T = TypeVar("T", PolicySet, Policy)
E = TypeVar("E")


class BadId(MalformedInput):
    """An ``id`` that no object may have."""

    def __init__(self, id: str) -> None:
        super().__init__(f"{id[:MAX_ID_LENGTH]!r} cannot be an id: it is empty, long, or not printable")
        self.id = id


class IdTaken(Conflict):
    """There is an object with this ``id`` already."""

    def __init__(self, id: str) -> None:
        super().__init__(f"the id {id} already exists.")
        self.id = id


class IndexOutOfRange(MalformedInput):
    """There is no place ``index`` in a list of ``size`` elements."""

    def __init__(self, index: int, size: int) -> None:
        super().__init__(f"Index: {index}, Size: {size}")
        self.index = index
        self.size = size


class UnequalNumbers(MalformedInput):
    """Each policy needs a prefix for its id."""

    def __init__(self, prefixes: int, policies: int) -> None:
        super().__init__(f"{policies} policies cannot be given ids with {prefixes} prefixes")


class WrongVersion(Conflict):
    """The object ``id`` is at the Version ``stored``, and the caller has seen it at ``requested``."""

    def __init__(self, element: PolicySet | Policy, requested: str, stored: str) -> None:
        name = f"{type(element).__name__}Id"
        super().__init__(
            f'Attempting to update the wrong version of {name}="{element.id}" '
            f'(requestedVersion="{requested}", repositoryVersion="{stored}")'
        )
        self.id = element.id
        self.requested = requested
        self.stored = stored


class RootIsFixed(Conflict):
    """The root of a pap cannot be removed."""

    def __init__(self) -> None:
        super().__init__("Invalid operation: cannot remove the local PAP root policy set")


class RootHoldsReferencesOnly(MalformedInput):
    """The root of a pap says nothing but which policy sets it has, in which order."""

    def __init__(self) -> None:
        super().__init__(
            "the root policy set of a pap can only be given references to its policy sets in another order"
        )


class Objects:
    """``alias`` names a pap.

    All raise ActNotPermitted, PapNotFound and Unavailable; those that change something also RevisionChanged and
    RemotePapIsReadOnly, and those that are given objects BadId, IdTaken, IdNotFound (of a reference), ReferencedTwice
    and NestedTooDeeply.
    """

    def __init__(self, repository: PolicyRepository, gate: Gate, new_id: Callable[[], str]) -> None:
        self._repository = repository
        self._transactions = Transactions(repository, gate)
        self._gate = gate
        self._new_id = new_id

    def list_policies(self, asked: Asked, alias: str) -> tuple[Policy, ...]:
        held = self._held(asked, alias, Act.LIST_LOCAL_POLICIES, Act.LIST_REMOTE_POLICIES)
        return tuple(Forest.of(held).policies.values())

    def list_policy_sets(self, asked: Asked, alias: str) -> tuple[PolicySet, ...]:
        """The root first."""
        held = self._held(asked, alias, Act.LIST_LOCAL_POLICY_SET, Act.LIST_REMOTE_POLICY_SET)
        return tuple(Forest.of(held).sets.values())

    def get_policy(self, asked: Asked, alias: str, id: str) -> Policy:
        """Raises IdNotFound."""
        held = self._held(asked, alias, Act.GET_LOCAL_POLICY, Act.GET_REMOTE_POLICY)
        policy = _policy(held, id)
        if policy is None:
            raise IdNotFound(id, f"Policy '{id}' not found.")
        return policy

    def get_policy_set(self, asked: Asked, alias: str, id: str) -> PolicySet:
        """Raises IdNotFound."""
        held = self._held(asked, alias, Act.GET_LOCAL_POLICY_SET, Act.GET_REMOTE_POLICY_SET)
        policy_set = _policy_set(held, id)
        if policy_set is None:
            raise _set_not_found(id)
        return by_references(policy_set)

    def get_root_policy_set(self, asked: Asked, alias: str) -> PolicySet:
        held = self._held(asked, alias, Act.GET_LOCAL_ROOT_POLICY_SET, Act.GET_REMOTE_ROOT_POLICY_SET)
        return root_of(held.pap, held.resources)

    def has_policy(self, asked: Asked, alias: str, id: str) -> bool:
        return _policy(self._held(asked, alias, Act.HAS_LOCAL_POLICY, Act.HAS_REMOTE_POLICY), id) is not None

    def has_policy_set(self, asked: Asked, alias: str, id: str) -> bool:
        held = self._held(asked, alias, Act.HAS_LOCAL_POLICY_SET, Act.HAS_REMOTE_POLICY_SET)
        return _policy_set(held, id) is not None

    def add_policy_set(self, asked: Asked, alias: str, index: int, policy_set: PolicySet) -> Outcome[str]:
        """Store a resource under a new id, at an index of the root (negative: at the end); gives the id.

        Raises IndexOutOfRange.
        """
        self._gate.admit(asked.admin, Act.ADD_POLICY_SET)
        new = replace(policy_set, id=self._new_id())

        def added(forest: Forest) -> Forest:
            forest = _stored(forest, new)
            return _referring(forest, forest.root, index, (PolicySetIdReference(new.id),))

        return self._change(asked, _command("addPolicySet", new), alias, added).giving(new.id)

    def add_policies(
        self,
        asked: Asked,
        alias: str,
        policy_set_id: str,
        policies: Sequence[Policy],
        *,
        prefixes: Sequence[str | None],
        index: int = -1,
    ) -> Outcome[tuple[str, ...] | None]:
        """Store actions under new ids, from an index of a resource on (negative: at the end); gives the ids.

        None: there is no such resource for them. Raises IndexOutOfRange, UnequalNumbers.
        """
        self._gate.admit(asked.admin, Act.ADD_POLICIES)
        if len(prefixes) != len(policies):
            raise UnequalNumbers(len(prefixes), len(policies))
        named = zip(prefixes, policies, strict=True)
        new = tuple(replace(policy, id=self._prefixed_id(prefix)) for prefix, policy in named)
        for policy in new:
            _check_ids(policy)

        def added(forest: Forest) -> Forest:
            if policy_set_id not in forest.sets or not new:
                return forest
            references = tuple(PolicyIdReference(policy.id) for policy in new)
            return _referring(forest.with_policies(*new), policy_set_id, index, references)

        command = f"{command_text('addPolicies', policy_set_id)} ({len(new)} policies)"
        outcome = self._change(asked, command, alias, added)
        return outcome.giving(None if new and outcome.difference.is_empty else tuple(policy.id for policy in new))

    def store_policy(self, asked: Asked, alias: str, prefix: str | None, policy: Policy) -> Outcome[str]:
        """Store a policy that nothing refers to under a new id; gives the id."""
        self._gate.admit(asked.admin, Act.STORE_POLICY)
        new = replace(policy, id=self._prefixed_id(prefix))
        _check_ids(new)
        return self._change(
            asked, _command("storePolicy", new), alias, lambda forest: forest.with_policies(new)
        ).giving(new.id)

    def store_policy_set(self, asked: Asked, alias: str, prefix: str | None, policy_set: PolicySet) -> Outcome[str]:
        """Store a policy set that nothing refers to under a new id; gives the id."""
        self._gate.admit(asked.admin, Act.STORE_POLICY_SET)
        new = replace(policy_set, id=self._prefixed_id(prefix))
        return self._change(asked, _command("storePolicySet", new), alias, lambda forest: _stored(forest, new)).giving(
            new.id
        )

    def update_policy(self, asked: Asked, alias: str, version: str, policy: Policy) -> Outcome[bool]:
        """Replace the policy with this id; false if there is none. Raises WrongVersion."""
        self._gate.admit(asked.admin, Act.UPDATE_POLICY)
        _check_ids(policy)

        def updated(forest: Forest) -> Forest:
            there = forest.policies.get(policy.id)
            if there is None:
                return forest
            return forest.with_policies(_next_version(there, policy, version))

        return _found(self._change(asked, _command("updatePolicy", policy), alias, updated))

    def update_policy_set(self, asked: Asked, alias: str, version: str, policy_set: PolicySet) -> Outcome[bool]:
        """Replace the policy set with this id; false if there is none. The root may be given another order.

        What it no longer refers to becomes loose. Raises WrongVersion, RootHoldsReferencesOnly.
        """
        self._gate.admit(asked.admin, Act.UPDATE_POLICY_SET)

        def updated(forest: Forest) -> Forest:
            there = forest.sets.get(policy_set.id)
            if there is None:
                return forest
            new = _next_version(there, policy_set, version)
            if new.id == forest.root:
                _check_root(new)
            return _stored(forest, new, there.children)

        return _found(self._change(asked, _command("updatePolicySet", policy_set), alias, updated))

    def remove_policy(self, asked: Asked, alias: str, id: str) -> Outcome[bool]:
        """False if there is none."""
        self._gate.admit(asked.admin, Act.REMOVE_POLICY)
        command = command_text("removePolicy", id)
        return _found(
            self._change(
                asked, command, alias, lambda forest: forest.without_policy(id) if id in forest.policies else forest
            )
        )

    def remove_policy_set(self, asked: Asked, alias: str, id: str) -> Outcome[bool]:
        """What it referred to becomes loose. False if there is none. Raises RootIsFixed."""
        self._gate.admit(asked.admin, Act.REMOVE_POLICY_SET)

        def without(forest: Forest) -> Forest:
            if id == forest.root:
                raise RootIsFixed
            return forest.without_set(id) if id in forest.sets else forest

        return _found(self._change(asked, command_text("removePolicySet", id), alias, without))

    def remove_object_and_references(self, asked: Asked, alias: str, id: str) -> Outcome[None]:
        """Remove a resource, an action or a rule with all that is left empty by it. Raises IdNotFound, RootIsFixed."""
        self._gate.admit(asked.admin, Act.REMOVE_OBJECT_BY_ID_AND_REFERENCES)

        def without(state: State) -> State:
            held = local(state, alias)
            if id == held.pap.id:
                raise RootIsFixed
            try:
                return state.holding(with_resources(held, editing.remove(held.resources, id)))
            except IdNotFound:
                return state.holding(replace(held, loose=_without_loose(held.loose, id)))

        return self._transactions.make(asked, command_text("remove-policy", id), alias, without).giving(None)

    def _held(self, asked: Asked, alias: str, of_local: Act, of_remote: Act) -> Held:
        # COMPAT: which pap it is decides what is needed, so whoever may nothing is told of a pap that is not there.
        with self._repository.read() as reader:
            pap = by_alias(reader.paps(), alias)
            self._gate.admit(asked.admin, of_local if pap.is_local else of_remote)
            return Held(pap, reader.resources(pap), reader.loose(pap))

    def _change(self, asked: Asked, command: str, alias: str, change: Callable[[Forest], Forest]) -> Outcome[State]:
        def changed(state: State) -> State:
            held = local(state, alias)
            before = Forest.of(held)
            after = change(before)
            return state if after is before else state.holding(after.planted(held))

        return self._transactions.make(asked, command, alias, changed)

    def _prefixed_id(self, prefix: str | None) -> str:
        """BETTER: Java joins ``private`` by a hyphen, and reads the visibility of a policy up to an underscore.

        Raises BadId.
        """
        if not prefix:
            return self._new_id()
        id = PRIVATE_PREFIX + self._new_id() if prefix == PRIVATE_PREFIX[:-1] else f"{prefix}-{self._new_id()}"
        _check_id(id)
        return id


def _policy(held: Held, id: str) -> Policy | None:
    parts = (part for element in (*held.resources, *held.loose) for part in within(element))
    return next((part for part in parts if isinstance(part, Policy) and part.id == id), None)


def _policy_set(held: Held, id: str) -> PolicySet | None:
    """Also the root."""
    if id == held.pap.id:
        return root_of(held.pap, held.resources)
    parts = (part for element in (*held.resources, *held.loose) for part in within(element))
    return next((part for part in parts if isinstance(part, PolicySet) and part.id == id), None)


def _command(operation: str, element: PolicySet | Policy) -> str:
    return command_text(operation, element.id)


def _found(outcome: Outcome[State]) -> Outcome[bool]:
    """Whether there was what should be changed: the Version of an object grows with every update."""
    return outcome.giving(not outcome.difference.is_empty)


def _set_not_found(id: str) -> IdNotFound:
    return IdNotFound(id, f"PolicySet '{id}' not found.")


def _stored(forest: Forest, new: PolicySet, known: Sequence[PolicySetChild] = ()) -> Forest:
    """With a set, and what it holds, as objects of their own; ``known``: what the set with this id referred to before.

    Raises IdNotFound: it refers to what is not there. Raises BadId, IdTaken.
    """
    _check_ids(new)
    sets, policies = dict(forest.sets), dict(forest.policies)
    for part in within(new):
        if part is not new and (part.id in sets if isinstance(part, PolicySet) else part.id in policies):
            raise IdTaken(part.id)
        if isinstance(part, Policy):
            policies[part.id] = part
        else:
            sets[part.id] = by_references(part)
    for child in sets[new.id].children:
        if isinstance(child, PolicyIdReference) and child.id not in policies and child not in known:
            raise IdNotFound(child.id, f"Not found: policyId={child.id}")
        if isinstance(child, PolicySetIdReference) and child.id not in sets and child not in known:
            raise _set_not_found(child.id)
    return replace(forest, sets=sets, policies=policies)


def _referring(
    forest: Forest, id: str, index: int, references: tuple[PolicyIdReference | PolicySetIdReference, ...]
) -> Forest:
    """With references in the set ``id``, whose Version counts them. Raises IndexOutOfRange."""
    there = forest.sets[id]
    size = len(there.children)
    if index > size:
        raise IndexOutOfRange(index, size)
    place = size if index < 0 else index
    children = there.children[:place] + references + there.children[place:]
    return forest.with_set(replace(there, children=children, version=raised(there.version, len(references))))


def _next_version(there: T, new: T, requested: str) -> T:
    """COMPAT: with the Version it was sent with. BETTER: unless that would go back, and an old one count again.

    Raises WrongVersion.
    """
    if requested != there.version:
        raise WrongVersion(there, requested, there.version)
    grown = version_number(new.version) > version_number(there.version)
    return new if grown else replace(new, version=raised(there.version, 1))


def _check_root(root: PolicySet) -> None:
    """Raises RootHoldsReferencesOnly."""
    plain = PolicySet(root.id, Combining.POLICIES_FIRST_APPLICABLE, version=root.version)
    only_sets = all(isinstance(child, PolicySetIdReference | PolicySet) for child in root.children)
    if replace(root, children=()) != plain or not only_sets:
        raise RootHoldsReferencesOnly


def _check_ids(element: PolicySet | Policy) -> None:
    """Raises BadId, IdTaken."""
    for part in within(element):
        _check_id(part.id)
        if isinstance(part, PolicySet):
            for child in part.children:
                _check_id(child.id)
            continue
        seen: set[str] = set()
        for rule in part.rules:
            _check_id(rule.id)
            if rule.id in seen:
                raise IdTaken(rule.id)
            seen.add(rule.id)


def _check_id(id: str) -> None:
    """Raises BadId."""
    if not 0 < len(id) <= MAX_ID_LENGTH or not id.isprintable():
        raise BadId(id)


def _without_loose(loose: Loose, id: str) -> Loose:
    """Raises IdNotFound."""
    sets = tuple(element for element in loose if isinstance(element, PolicySet))
    policies = tuple(element for element in loose if isinstance(element, Policy))
    holder = PolicySet("", Combining.POLICIES_FIRST_APPLICABLE, policies)  # no object can have this id
    if id == holder.id:
        raise IdNotFound(id, f"Id not found: {id}")
    left = editing.remove((*sets, holder), id)
    kept_sets = tuple(policy_set for policy_set in left if policy_set.id != holder.id)
    kept_policies = tuple(
        policy for policy_set in left if policy_set.id == holder.id for policy in policy_set.policies()
    )
    return (*kept_sets, *kept_policies)
