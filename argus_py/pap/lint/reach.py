"""Rules that never decide, and bans that do not hold because a permit is tried first.

A rule is out of reach if all that an earlier one asks for follows from what it asks for itself: whenever it applies,
the earlier one has decided. That holds for every request, whoever made it. Of bans it is said what may go wrong, of
requests as PEP daemons make them: the subject has one name and one VO, the request one resource and one action.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DciSec, Glite
from argus_py.pap.conditions import Condition, Implications, may_meet, vo_of
from argus_py.pap.lint.findings import Check, Finding
from argus_py.pap.lint.readings import ReadRule
from argus_py.xacml.policy import AttributeDesignator, Category
from argus_py.xacml.values import Value


def check_reach(rules: Sequence[ReadRule], implications: Implications) -> Iterator[Finding]:
    shadows = shadowed(rules, implications)
    for number, shadow in shadows.items():
        yield _out_of_reach(rules[number], shadow)
    yield from _permits_above_bans(rules, implications, shadows)


def shadowed(rules: Sequence[ReadRule], implications: Implications) -> dict[int, ReadRule]:
    """By the number of a rule that never decides the first one because of which it does not.

    A rule is found by the rarest of its conditions, so that a hundred thousand bans are no hundred thousand squared.
    """
    frequency = Counter(condition for rule in rules for condition in rule.demand.conditions)
    earlier: dict[Condition, list[int]] = {}
    always: ReadRule | None = None
    found: dict[int, ReadRule] = {}
    for number, rule in enumerate(rules):
        wider = implications.all_wider(rule.demand.conditions)
        candidates = (each for condition in wider for each in earlier.get(condition, ()))
        shadow = min((each for each in candidates if rules[each].demand.conditions <= wider), default=None)
        if shadow is not None:
            found[number] = rules[shadow]
        elif always is not None:
            found[number] = always
        elif rule.demand.is_all and rule.demand.conditions:
            rarest = min(rule.demand.conditions, key=frequency.__getitem__)
            earlier.setdefault(rarest, []).append(number)
        elif rule.demand.is_all:
            always = rule
    return found


def _out_of_reach(rule: ReadRule, shadow: ReadRule) -> Finding:
    first = shadow.place.seen_from(rule.place)
    if shadow.permits != rule.permits:
        does = "permits" if shadow.permits else "denies"
        return Finding(Check.UNREACHABLE, rule.place, f"it never decides: {first} {does} before it all that it is for")
    if shadow.demand == rule.demand:
        return Finding(Check.DUPLICATE, rule.place, f"it says the same as {first}")
    return Finding(Check.SHADOWED, rule.place, f"it never decides: {first} covers all that it is for")


@dataclass(frozen=True, slots=True)
class Scoped:
    """A rule by what it is for. ``resource``, ``action``: None for any, or for what no single condition tells."""

    rule: ReadRule
    resource: Condition | None
    action: Condition | None
    subjects: frozenset[Condition]
    person: Value  # None: whoever
    vo: str | None


@dataclass(slots=True)
class _Permits:
    """By the person that they name; of those alike in all that counts here the first is enough."""

    by_person: dict[Value, dict[tuple[object, ...], Scoped]] = field(default_factory=dict)

    def add(self, permit: Scoped) -> None:
        alike = permit.resource, permit.action, permit.subjects
        self.by_person.setdefault(permit.person, {}).setdefault(alike, permit)

    def about(self, person: Value) -> Iterator[Scoped]:
        """Those for the person first, then those for anybody."""
        for each in dict.fromkeys((person, None)):
            yield from self.by_person.get(each, {}).values()

    def all(self) -> Iterator[Scoped]:
        return chain.from_iterable(permits.values() for permits in self.by_person.values())


class Above:
    """The permits above a rule."""

    def __init__(self, implications: Implications) -> None:
        self._implications = implications
        self._all = _Permits()
        self._by_resource: dict[Condition | None, _Permits] = {}

    def add(self, permit: Scoped) -> None:
        self._all.add(permit)
        self._by_resource.setdefault(permit.resource, _Permits()).add(permit)

    def undoing(self, ban: Scoped) -> Scoped | None:
        """One that permits the person whom the ban names, or all of those to whom somebody belongs whom it denies.

        Some of a group or a VO may well be permitted before the rest is denied, and so may somebody who is named.
        """
        for permits in self._that_may_meet(ban):
            for permit in permits.about(ban.person):
                is_exception = ban.person is None and ban.subjects <= self._implications.all_wider(permit.subjects)
                if not is_exception and _may_apply_together(permit, ban):
                    return permit
        return None

    def meeting(self, ban: Scoped) -> Scoped | None:
        """One that may apply together with it at all."""
        for permits in self._that_may_meet(ban):
            found = permits.all() if ban.person is None else permits.about(ban.person)
            for permit in found:
                if _may_apply_together(permit, ban):
                    return permit
        return None

    def _that_may_meet(self, ban: Scoped) -> Iterator[_Permits]:
        if ban.resource is None or ban.resource.match.value.text == ".*":
            yield self._all
            return
        for resource, permits in self._by_resource.items():
            if _may_meet(resource, ban.resource):
                yield permits


def _may_apply_together(permit: Scoped, ban: Scoped) -> bool:
    if permit.vo is not None and ban.vo is not None and permit.vo != ban.vo:
        return False
    return _may_meet(permit.action, ban.action)


def _may_meet(one: Condition | None, other: Condition | None) -> bool:
    return one is None or other is None or may_meet(one, other)


def _permits_above_bans(
    rules: Sequence[ReadRule], implications: Implications, shadows: Mapping[int, ReadRule]
) -> Iterator[Finding]:
    """Of each ban one permit because of which it may not hold."""
    above = Above(implications)
    for number, rule in enumerate(rules):
        if number in shadows or rule.demand.unreadable:
            continue
        known = scoped(rule)
        if rule.permits:
            above.add(known)
        elif known.subjects and (permit := above.undoing(known)) is not None:
            first = permit.rule.place.seen_from(rule.place)
            text = f"whom it denies {first} may permit before; a denial stands above the permits it is to withdraw"
            yield Finding(Check.PERMIT_ABOVE_BAN, rule.place, text)


def scoped(rule: ReadRule) -> Scoped:
    conditions = rule.demand.conditions
    return Scoped(
        rule,
        _only(_about(conditions, Category.RESOURCE, AttributeId.RESOURCE_ID)),
        _only(_about(conditions, Category.ACTION, AttributeId.ACTION_ID)),
        frozenset(each for each in conditions if _category(each) is Category.SUBJECT),
        next((each.wanted for each in _about(conditions, Category.SUBJECT, AttributeId.SUBJECT_ID)), None),
        min(_vos(conditions), default=None),
    )


def _about(conditions: Iterable[Condition], category: Category, attribute_id: str) -> list[Condition]:
    asked = (category, attribute_id)
    return [
        each
        for each in conditions
        if isinstance(each.match.designator, AttributeDesignator)
        and (each.match.designator.category, each.match.designator.attribute_id) == asked
    ]


def _category(condition: Condition) -> Category | None:
    designator = condition.match.designator
    return designator.category if isinstance(designator, AttributeDesignator) else None


def _only(conditions: Sequence[Condition]) -> Condition | None:
    return conditions[0] if len(conditions) == 1 else None


def _vos(conditions: Iterable[Condition]) -> Iterator[str]:
    for each in conditions:
        designator = each.match.designator
        if not isinstance(designator, AttributeDesignator):
            continue
        if designator.attribute_id in (Glite.VIRTUAL_ORGANIZATION, DciSec.VIRTUAL_ORGANIZATION):
            if isinstance(each.wanted, str):
                yield each.wanted
        elif isinstance(each.wanted, Fqan):
            yield vo_of(each.wanted)
