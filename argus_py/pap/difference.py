"""What differs between two states, told to people: like a unified diff, in the words of the policy language.

Only what differs is told, each with its place and with its neighbours, since order decides. What the policy language
has no words for is told in XACML. Equal parts are recognized by their identity: a ban among many rules is told as fast
as one among few.
"""

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Generic, TypeVar

from lxml import etree

from argus_py.model.dn import escape_controls
from argus_py.pap.authorization import Acl, Permission, principal_text
from argus_py.pap.editing import action_value, resource_value
from argus_py.pap.paps import Pap
from argus_py.pap.sequences import in_place
from argus_py.pap.state import Changed, Difference, Held
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.lift import NotExpressible, lift_for_file
from argus_py.spl.lower import PRIVATE_PREFIX
from argus_py.spl.printer import NotWritable, format_source, in_quotes
from argus_py.xacml.policy import (
    AttributeValue,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.policy_elements import policy_tag
from argus_py.xacml.policy_xml import PolicySetChild, policy_set_to_element, policy_to_element

T = TypeVar("T")

_CONTEXT: Final = 2  # neighbours told on either side of what differs
_GAP: Final = " ..."
_ABOVE: Final = " > "


@dataclass(frozen=True, slots=True)
class Hunk:
    """What differs at one ``place``, such as ``pap default > resource "r" > action "a"``.

    Each line begins with ``-`` (before), ``+`` (after) or a blank (both).
    """

    place: str
    lines: tuple[str, ...]


def describe(difference: Difference, mappings: AttributeMappings) -> str:
    """Empty if nothing differs that people are told about: Versions alone are not."""
    return text_of(hunks(difference, mappings))


def text_of(told: Iterable[Hunk]) -> str:
    return "".join(f"{line}\n" for hunk in told for line in (f"@@ {hunk.place} @@", *hunk.lines))


def hunks(difference: Difference, mappings: AttributeMappings) -> tuple[Hunk, ...]:
    """The same as values."""
    policies = _Policies(mappings)
    found: list[Hunk] = []
    found += _one("paps", _settings_lines(difference.paps))
    for changed in difference.paps:
        found += policies.hunks(changed)
    if difference.ordering:
        found += _one("order of the paps", _lines(difference.ordering, lambda order: [", ".join(order)] * bool(order)))
    if difference.acl:
        found += _one("access control list", _lines(difference.acl, _acl_lines))
    if difference.poll_interval:
        found += _one("polling interval", _lines(difference.poll_interval, _interval_lines))
    return tuple(found)


def _one(place: str, lines: Iterable[str]) -> list[Hunk]:
    told = tuple(map(escape_controls, lines))
    return [Hunk(escape_controls(place), told)] if told else []


def _lines(changed: Changed[T], texts: Callable[[T], Sequence[str]]) -> Iterator[str]:
    for mark, text in _steps(texts(changed.before), texts(changed.after), key=str):
        if mark != " ":
            yield mark + text


def _settings_lines(paps: Iterable[Changed[Held | None]]) -> Iterator[str]:
    for changed in paps:
        yield from _lines(changed, lambda held: [] if held is None else [_pap_text(held.pap)])


def _pap_text(pap: Pap) -> str:
    enabled, public = "enabled" if pap.enabled else "disabled", "public" if pap.public else "private"
    if pap.remote is None:
        return f"{pap.alias} (local, {enabled}, {public})"
    dn = f", {pap.remote.dn}" if pap.remote.dn else ""
    return f"{pap.alias} (remote, {enabled}, {public}, {pap.remote.endpoint}{dn})"


def _acl_lines(acl: Acl | None) -> Sequence[str]:
    entries = acl.entries if acl else ()
    return [f"{principal_text(principal)} : {_permissions_text(permissions)}" for principal, permissions in entries]


def _permissions_text(permissions: Permission) -> str:
    return "ALL" if permissions == Permission.ALL else str(permissions)


def _interval_lines(interval: timedelta | None) -> Sequence[str]:
    return [] if interval is None else [f"{interval.total_seconds():.0f} seconds"]


def _steps(
    before: Sequence[T], after: Sequence[T], key: Callable[[T], Hashable], same: Callable[[T, T], bool] = operator.eq
) -> Iterator[tuple[str, T]]:
    """One list becoming another one: what goes, what comes, and what stays, as it is afterwards."""
    old, new = _middles(before, after)
    yield from ((" ", element) for element in after[: new.start])
    yield from _middle_steps(before[old], after[new], key, same)
    yield from ((" ", element) for element in after[new.stop :])


def _middles(before: Sequence[T], after: Sequence[T]) -> tuple[slice, slice]:
    """Where the two differ: what is equal at their beginnings and ends is left out."""
    shorter = min(len(before), len(after))
    start = next((index for index in range(shorter) if _differ(before[index], after[index])), shorter)
    most = shorter - start
    behind = next((index for index in range(most) if _differ(before[-1 - index], after[-1 - index])), most)
    return slice(start, len(before) - behind), slice(start, len(after) - behind)


def _differ(before: object, after: object) -> bool:
    return before is not after and before != after


def _middle_steps(
    before: Sequence[T], after: Sequence[T], key: Callable[[T], Hashable], same: Callable[[T, T], bool]
) -> Iterator[tuple[str, T]]:
    old, new = _numbered(before, key), _numbered(after, key)
    stays = in_place(old, new)
    place = 0
    for name, element in zip(new, after, strict=True):
        while place < len(old) and old[place] not in stays:
            yield "-", before[place]
            place += 1
        if name not in stays:
            yield "+", element
            continue
        yield from ((" ", element),) if same(before[place], element) else (("-", before[place]), ("+", element))
        place += 1
    yield from (("-", element) for element in before[place:])


def _pairs(before: Sequence[T], after: Sequence[T], key: Callable[[T], Hashable]) -> Iterator[tuple[T, T]]:
    """What is in both, and differs."""
    old, new = _middles(before, after)
    there = dict(zip(_numbered(before[old], key), before[old], strict=True))
    for name, element in zip(_numbered(after[new], key), after[new], strict=True):
        if name in there and _differ(there[name], element):
            yield there[name], element


def _numbered(elements: Sequence[T], key: Callable[[T], Hashable]) -> list[tuple[Hashable, int]]:
    """Foreign policies may say one id several times: each time it is another element."""
    times: dict[Hashable, int] = {}
    names = []
    for element in elements:
        name = key(element)
        times[name] = times.get(name, 0) + 1
        names.append((name, times[name]))
    return names


@dataclass(frozen=True, slots=True)
class _Kind(Generic[T]):
    """How elements of a list are told: ``whole`` if they came or went, ``short`` as neighbours.

    ``same``: whether one that stands where it stood has nothing else to be told.
    """

    key: Callable[[T], Hashable]
    whole: Callable[[T], Sequence[str]]
    short: Callable[[T], str]
    same: Callable[[T, T], bool]


class _Policies:
    """Tells of resources, actions and rules."""

    def __init__(self, mappings: AttributeMappings) -> None:
        self._mappings = mappings
        mapping = mappings.action
        value = AttributeValue(mapping.value_datatype, ".*")
        self._any_action = Match(mapping.function, value, mapping.designator)
        self._child: _Kind[PolicySetChild] = _Kind(_child_key, self._child_lines, _child_line, _told_apart)
        self._rule: _Kind[Rule] = _Kind(_rule_key, self._rule_lines, self._rule_line, operator.eq)

    def hunks(self, changed: Changed[Held | None]) -> Iterator[Hunk]:
        held = changed.after or changed.before
        if held is None:
            return
        place = f"pap {held.pap.alias}"
        before, after = (each or Held(held.pap) for each in (changed.before, changed.after))
        yield from self._children(place, before.resources, after.resources)
        loose = Changed([*map(_loose_text, before.loose)], [*map(_loose_text, after.loose)])
        yield from _one(f"{place}{_ABOVE}referenced by nothing", _lines(loose, lambda texts: texts))

    def _children(
        self, place: str, before: Sequence[PolicySetChild], after: Sequence[PolicySetChild]
    ) -> Iterator[Hunk]:
        """Resources of a pap, or actions of a resource."""
        yield from self._list(place, before, after, self._child)
        for old, new in _pairs(before, after, _child_key):
            inner = f"{place}{_ABOVE}{_title(new)}"
            if isinstance(old, PolicySet) and isinstance(new, PolicySet):
                yield from self._head(inner, replace(old, children=()), replace(new, children=()))
                yield from self._children(inner, old.children, new.children)
            elif isinstance(old, Policy) and isinstance(new, Policy):
                yield from self._head(inner, replace(old, rules=()), replace(new, rules=()))
                yield from self._list(inner, old.rules, new.rules, self._rule)

    def _head(self, place: str, before: PolicySet | Policy, after: PolicySet | Policy) -> Iterator[Hunk]:
        """Everything of an element but what it holds."""
        if replace(before, version="") == replace(after, version=""):
            return
        yield from _one(place, _lines(Changed(before, after), self._child_lines))

    def _list(self, place: str, before: Sequence[T], after: Sequence[T], kind: _Kind[T]) -> Iterator[Hunk]:
        steps = [*_steps(before, after, kind.key, kind.same)]
        told: list[str] = []
        last = -1
        for index in _near([index for index, (mark, _) in enumerate(steps) if mark != " "], len(steps)):
            if index > last + 1:
                told.append(_GAP)
            mark, element = steps[index]
            told += [f" {kind.short(element)}"] if mark == " " else [f"{mark}{line}" for line in kind.whole(element)]
            last = index
        if told and last + 1 < len(steps):
            told.append(_GAP)
        yield from _one(place, told)

    def _child_lines(self, child: PolicySetChild) -> Sequence[str]:
        if not isinstance(child, PolicySet | Policy):
            return [_title(child)]
        if not (child.obligations or child.description or _holds(child)):
            return [f"{_title(child)} {{ }}"]
        try:
            return format_source((lift_for_file(child, self._mappings),)).removesuffix("\n").split("\n")
        except (NotExpressible, NotWritable):
            return _xml(policy_to_element(child) if isinstance(child, Policy) else policy_set_to_element(child))

    def _rule_lines(self, rule: Rule) -> Sequence[str]:
        holder = Policy(rule.id, Combining.RULES_FIRST_APPLICABLE, (rule,), Target(actions=((self._any_action,),)))
        try:
            action = format_source((lift_for_file(holder, self._mappings),))
        except (NotExpressible, NotWritable):
            return _xml(next(policy_to_element(holder).iter(policy_tag("Rule"))))
        _, _, rule_and_end = action.partition("\n")
        return rule_and_end.removesuffix("\n}\n").strip().split("\n")

    def _rule_line(self, rule: Rule) -> str:
        line, *more = self._rule_lines(rule)
        return f"{line} ..." if more else line


def _near(indices: Iterable[int], size: int) -> Iterator[int]:
    """The indices with their neighbours, in order and each once."""
    next_index = 0
    for index in indices:
        for each in range(max(index - _CONTEXT, next_index), min(index + _CONTEXT + 1, size)):
            yield each
            next_index = each + 1


def _child_line(child: PolicySetChild) -> str:
    return f"{_title(child)} {{ ... }}" if isinstance(child, PolicySet | Policy) else _title(child)


def _told_apart(_before: object, _after: object) -> bool:
    """What differs in a resource or an action has hunks of its own."""
    return True


def _child_key(child: PolicySetChild) -> Hashable:
    return type(child), child.id


def _rule_key(rule: Rule) -> Hashable:
    return rule.id


def _holds(child: PolicySet | Policy) -> bool:
    return bool(child.rules if isinstance(child, Policy) else child.children)


def _title(child: PolicySetChild) -> str:
    """What an element is called in the language; by its id if that has no name for it."""
    match child:
        case PolicySet() if value := resource_value(child):
            return f"resource {in_quotes(value) or repr(value)}"
        case Policy() if value := action_value(child):
            private = "private " if child.id.startswith(PRIVATE_PREFIX) else ""
            return f"{private}action {in_quotes(value) or repr(value)}"
        case PolicySet():
            return f"policy set {child.id}"
        case Policy():
            return f"policy {child.id}"
        case PolicyIdReference():
            return f"reference to the policy {child.id}"
        case PolicySetIdReference():
            return f"reference to the policy set {child.id}"


def _loose_text(element: PolicySet | Policy) -> str:
    return f"{'policy' if isinstance(element, Policy) else 'policy set'} {element.id}"


def _xml(element: etree._Element) -> list[str]:
    etree.indent(element, "    ")
    return etree.tostring(element, encoding="unicode", with_tail=False).split("\n")
