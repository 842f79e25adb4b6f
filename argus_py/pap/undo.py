"""Taking a change back: what it did is undone in the state as it is now, whatever has been done elsewhere since.

A merge of three values: the state ``before`` the change, the state ``after`` it, and the state ``now``. Element by
element, what the change added goes, what it removed comes back, what it altered is as it was. A resource or an action
that came with its first rules goes with its last. An element that somebody has touched since is left and reported.

INVARIANT: Versions are not taken back, they grow as by any other change: no Version stands for two contents, or a
client that has read the first could overwrite the second.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from argus_py.model.response import Effect, Obligation
from argus_py.pap.administration import with_resources
from argus_py.pap.authorization import Acl, Permission, Principal, identity_of, principal_text
from argus_py.pap.sequences import in_place
from argus_py.pap.state import Held, State
from argus_py.xacml.policy import Policy, PolicyIdReference, PolicySet, Rule
from argus_py.xacml.policy_xml import PolicySetChild

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Key = tuple[Hashable, int]  # and which one of several elements that have it


class Touched(Exception):
    """An ``element`` has been changed since in the way of what should be undone."""

    def __init__(self, element: str) -> None:
        super().__init__(element)
        self.element = element


def undone(before: State, after: State, now: State) -> State:
    """The state without the change. Raises Touched."""
    held = _held(before, after, now)
    aliases = {each.pap.alias for each in held}
    ordering = _ORDERING.merged("the order of the paps", before.ordering, after.ordering, now.ordering)
    return State(
        held,
        tuple(alias for alias in ordering if alias in aliases),
        _acl(before.acl, after.acl, now.acl),
        _scalar("the polling interval", before.poll_interval, after.poll_interval, now.poll_interval),
    )


def _scalar(name: str, before: T, after: T, now: T) -> T:
    if before in (after, now):
        return now
    if now == after:
        return before
    raise Touched(name)


@dataclass(frozen=True, slots=True)
class _Elements(Generic[T]):
    """How the elements of a list are told apart, named, and taken back one by one.

    ``restored``: from what one was before, what it became and what it is now. ``left``: what is left of one that the
    change has added, None if nothing. ``leads``: whether one that comes back goes before what is new at its place.
    """

    key: Callable[[T], Hashable]
    name: Callable[[T], str]
    restored: Callable[[T, T, T], T]
    left: Callable[[T, T], T | None]
    leads: Callable[[T], bool]

    def merged(self, owner: str, before: Sequence[T], after: Sequence[T], now: Sequence[T]) -> tuple[T, ...]:
        """``owner`` is what an order that has been changed since is the order of."""
        if before in (after, now):
            return tuple(now)
        if now == after:
            return tuple(before)
        old, made, there = self._by_key(before), self._by_key(after), self._by_key(now)
        back = {key: element for key, element in old.items() if key not in made and key not in there}
        moved = self._moved(owner, old, made, there)
        kept: dict[Key, T] = {}
        for key, element in there.items():
            result = self._now(element, old.get(key), made.get(key))
            if result is None:
                continue
            if key in moved:
                back[key] = result
            else:
                kept[key] = result
        for key in old.keys() & made.keys():
            if key not in there and old[key] != made[key]:
                raise Touched(self.name(made[key]))
        leading = {key for key, element in back.items() if self.leads(element)}
        places = _places(owner, tuple(old), tuple(kept), back.keys(), leading)
        return tuple(kept[key] if key in kept else back[key] for key in places)

    def _now(self, element: T, old: T | None, made: T | None) -> T | None:
        if made is None:  # came since, or is back already
            if old is not None and element != old:
                raise Touched(self.name(element))
            return element
        if old is None:
            return self.left(made, element)
        return element if old == made else self.restored(old, made, element)

    def _by_key(self, elements: Iterable[T]) -> dict[Key, T]:
        """Foreign policies may say one id several times: each time it is another element."""
        found: dict[Key, T] = {}
        times: dict[Hashable, int] = {}
        for element in elements:
            key = self.key(element)
            times[key] = times.get(key, 0) + 1
            found[key, times[key]] = element
        return found

    @staticmethod
    def _moved(owner: str, old: Mapping[Key, T], made: Mapping[Key, T], there: Mapping[Key, T]) -> frozenset[Key]:
        """What the change has moved."""
        stayed = [key for key in old if key in made]
        moved = frozenset(stayed) - in_place(stayed, [key for key in made if key in old])
        if moved and [key for key in made if key in there] != [key for key in there if key in made]:
            raise Touched(owner)
        return moved


def _places(owner: str, old: Sequence[K], kept: Sequence[K], back: Iterable[K], leading: Iterable[K]) -> Sequence[K]:
    """The keys that are kept, and in between those that come back, each between those it stood between.

    What is new at its place decides less than what comes back if that is ``leading``, and more if not: a ban comes back
    before, and a permit behind, whatever was put there since.
    """
    back, leading = frozenset(back), frozenset(leading)
    places = {key: place for place, key in enumerate(kept)}
    behind: dict[K | None, list[K]] = {}
    before: dict[K | None, list[K]] = {}
    row: list[K] = []
    last: K | None = None
    for key in (*old, None):
        if key in back:
            row.append(key)
        elif key is None or key in places:
            if row and key is not None and last is not None and places[key] < places[last]:
                raise Touched(owner)  # what it stood between has changed sides
            first = next((index for index, each in enumerate(row) if each not in leading), len(row))
            behind[last], before[key] = row[:first], row[first:]
            last, row = key, []
    result = [*behind.get(None, ())]
    for key in kept:
        result += [*before.get(key, ()), key, *behind.get(key, ())]
    return [*result, *before.get(None, ())]


def _unchanged(name: Callable[[T], str]) -> Callable[[T, T], T | None]:
    """What is left of an element that was added: nothing, if it still is what it was then."""

    def left(made: T, now: T) -> T | None:
        if now != made:
            raise Touched(name(now))
        return None

    return left


def _never(_element: object) -> bool:
    return False


def _obligation_name(obligation: Obligation) -> str:
    return f"the obligation {obligation.id}"


def _rule_name(rule: Rule) -> str:
    return f"the rule {rule.id}"


def _child_name(child: PolicySetChild) -> str:
    """In the words of the policy language."""
    is_action = isinstance(child, Policy | PolicyIdReference)
    return f"the action {child.id}" if is_action else f"the resource {child.id}"


def _alias_name(_alias: str) -> str:
    return "the order of the paps"


def _entry_name(entry: tuple[Principal, Permission]) -> str:
    return f"the entry of {principal_text(entry[0])} in the access control list"


_ORDERING: Final[_Elements[str]] = _Elements(
    key=lambda alias: alias,
    name=_alias_name,
    restored=lambda _before, _after, now: now,
    left=lambda _made, _now: None,
    leads=_never,
)
_OBLIGATIONS: Final[_Elements[Obligation]] = _Elements(
    key=lambda obligation: obligation.id,
    name=_obligation_name,
    restored=lambda before, after, now: _scalar(_obligation_name(now), before, after, now),
    left=_unchanged(_obligation_name),
    leads=_never,
)
_RULES: Final[_Elements[Rule]] = _Elements(
    key=lambda rule: rule.id,
    name=_rule_name,
    restored=lambda before, after, now: _scalar(_rule_name(now), before, after, now),
    left=_unchanged(_rule_name),
    leads=lambda rule: rule.effect is Effect.DENY,
)
_ENTRIES: Final[_Elements[tuple[Principal, Permission]]] = _Elements(
    key=lambda entry: identity_of(entry[0]),
    name=_entry_name,
    restored=lambda before, after, now: _scalar(_entry_name(now), before, after, now),
    left=_unchanged(_entry_name),
    leads=_never,
)


def _child_restored(before: PolicySetChild, after: PolicySetChild, now: PolicySetChild) -> PolicySetChild:
    if isinstance(before, Policy) and isinstance(after, Policy) and isinstance(now, Policy):
        name = _child_name(now)
        return replace(
            now,
            rules=_RULES.merged(name, before.rules, after.rules, now.rules),
            obligations=_OBLIGATIONS.merged(name, before.obligations, after.obligations, now.obligations),
            target=_scalar(name, before.target, after.target, now.target),
            description=_scalar(name, before.description, after.description, now.description),
            combining=_scalar(name, before.combining, after.combining, now.combining),
            variables=_scalar(name, before.variables, after.variables, now.variables),
        )
    if isinstance(before, PolicySet) and isinstance(after, PolicySet) and isinstance(now, PolicySet):
        return _set_restored(before, after, now)
    return _scalar(_child_name(now), before, after, now)


def _set_restored(before: PolicySet, after: PolicySet, now: PolicySet) -> PolicySet:
    name = _child_name(now)
    return replace(
        now,
        children=_CHILDREN.merged(name, before.children, after.children, now.children),
        obligations=_OBLIGATIONS.merged(name, before.obligations, after.obligations, now.obligations),
        target=_scalar(name, before.target, after.target, now.target),
        description=_scalar(name, before.description, after.description, now.description),
        combining=_scalar(name, before.combining, after.combining, now.combining),
    )


def _child_left(made: PolicySetChild, now: PolicySetChild) -> PolicySetChild | None:
    """What others have put into an action or resource since stays, and so does this."""
    if isinstance(made, Policy) and isinstance(now, Policy):
        if replace(now, rules=(), version="") != replace(made, rules=(), version=""):
            raise Touched(_child_name(now))
        rules = _RULES.merged(_child_name(now), (), made.rules, now.rules)
        return replace(now, rules=rules) if rules else None
    if isinstance(made, PolicySet) and isinstance(now, PolicySet):
        return _set_left(made, now)
    if now != made:
        raise Touched(_child_name(now))
    return None


def _set_left(made: PolicySet, now: PolicySet) -> PolicySet | None:
    if replace(now, children=(), version="") != replace(made, children=(), version=""):
        raise Touched(_child_name(now))
    children = _CHILDREN.merged(_child_name(now), (), made.children, now.children)
    return replace(now, children=children) if children else None


def _only_denies(child: PolicySetChild) -> bool:
    if isinstance(child, Policy):
        return all(rule.effect is Effect.DENY for rule in child.rules)
    return isinstance(child, PolicySet) and all(map(_only_denies, child.children))


_CHILDREN: Final[_Elements[PolicySetChild]] = _Elements(
    key=lambda child: (type(child), child.id),
    name=_child_name,
    restored=_child_restored,
    left=_child_left,
    leads=_only_denies,
)
_RESOURCES: Final[_Elements[PolicySet]] = _Elements(
    key=lambda policy_set: policy_set.id,
    name=_child_name,
    restored=_set_restored,
    left=_set_left,
    leads=_only_denies,
)


def _loose_restored(
    before: PolicySet | Policy, after: PolicySet | Policy, now: PolicySet | Policy
) -> PolicySet | Policy:
    return _scalar(_child_name(now), before, after, now)


_LOOSE: Final[_Elements[PolicySet | Policy]] = _Elements(
    key=lambda element: (type(element), element.id),
    name=_child_name,
    restored=_loose_restored,
    left=_unchanged(_child_name),
    leads=_never,
)


def _acl(before: Acl | None, after: Acl | None, now: Acl | None) -> Acl | None:
    if before == after or now is None:
        return now
    old, made = before or Acl(), after or Acl()
    return Acl(_ENTRIES.merged("the access control list", old.entries, made.entries, now.entries))


def _held(before: State, after: State, now: State) -> tuple[Held, ...]:
    old, made, there = ({held.pap.id: held for held in state.held} for state in (before, after, now))
    kept: dict[str, Held] = {}
    for id, held in there.items():
        result = _pap_now(held, old.get(id), made.get(id))
        if result is not None:
            kept[id] = result
    for id in old.keys() & made.keys():
        if id not in there and old[id] != made[id]:
            raise Touched(_pap_name(made[id]))
    back = {id: held for id, held in old.items() if id not in made and id not in there}
    aliases = {held.pap.alias for held in kept.values()}
    for held in back.values():
        if held.pap.alias in aliases:
            raise Touched(_pap_name(held))
    places = _places("the paps", tuple(old), tuple(kept), back, ())
    return tuple(kept[id] if id in kept else back[id] for id in places)


def _pap_now(held: Held, old: Held | None, made: Held | None) -> Held | None:
    if made is None:
        if old is not None and held != old:
            raise Touched(_pap_name(held))
        return held
    if old is not None:
        return held if old == made else _pap_restored(old, made, held)
    same = replace(held.pap, version=0) == replace(made.pap, version=0)
    # The policies of a remote pap are a copy and are no loss.
    if not same or (held.pap.is_local and (held.resources, held.loose) != (made.resources, made.loose)):
        raise Touched(_pap_name(held))
    return None


def _pap_restored(before: Held, after: Held, now: Held) -> Held:
    name = _pap_name(now)
    old, made, pap = before.pap, after.pap, now.pap
    settings = replace(
        pap,
        alias=_scalar(name, old.alias, made.alias, pap.alias),
        enabled=_scalar(name, old.enabled, made.enabled, pap.enabled),
        public=_scalar(name, old.public, made.public, pap.public),
        remote=_scalar(name, old.remote, made.remote, pap.remote),
    )
    _check_loose(before, after, now)
    resources = _RESOURCES.merged(name, before.resources, after.resources, now.resources)
    loose = _LOOSE.merged(name, before.loose, after.loose, now.loose)
    return with_resources(replace(now, pap=settings, loose=loose), resources)


def _check_loose(before: Held, after: Held, now: Held) -> None:
    """What the change has left loose must be so still: if not it was removed since, or is used somewhere else."""
    old, there = ({(type(element), element.id) for element in held.loose} for held in (before, now))
    for element in after.loose:
        if (type(element), element.id) not in old | there:
            raise Touched(_child_name(element))


def _pap_name(held: Held) -> str:
    return f"the pap {held.pap.alias}"
