"""What the commands of the administrator do to the policies of one pap: values in, values out.

A *wanted* policy set is the resource that would be stored if the pap were empty: one action with one rule. Each
function takes from it what is not there yet. Versions are not touched: ``stamped`` sets them by comparing old and new.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/highlevel_policy_management/operations/*.java
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import takewhile
from typing import Final, Protocol, TypeVar

from argus_py.errors import Conflict, MalformedInput, NotFound
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.response import Effect, Obligation
from argus_py.spl.lower import PRIVATE_PREFIX
from argus_py.xacml.policy import Alternative, AttributeDesignator, Match, Policy, PolicySet, Rule

Resources = tuple[PolicySet, ...]
_NOT_PLAIN: Final = re.compile(r'[\\"#+]|[^ -~]')  # escapes, several attributes in one place, folding beyond ASCII
_SEPARATOR: Final = re.compile("[,;]")
_LONG_VERSION: Final = 16  # digits; a PAP that changes every second for 30 years writes nine


class Identified(Protocol):
    @property
    def id(self) -> str: ...


Element = TypeVar("Element", bound=Identified)


class IdNotFound(NotFound):
    """Nothing that could be meant has this ``id``."""

    def __init__(self, id: str, text: str) -> None:
        super().__init__(text)
        self.id = id


class PivotNotFound(NotFound):
    """The element ``id``, before or after which something should be put, is not there."""

    def __init__(self, id: str, text: str) -> None:
        super().__init__(text)
        self.id = id


class BanNotFound(NotFound):
    """No rule to be removed by an un-ban."""

    def __init__(self) -> None:
        super().__init__("ban policy not found.")


class Ambiguous(Conflict):
    """Several elements fit, and the change would have to guess which one is meant."""


class ObligationExists(Conflict):
    """The element ``id`` has the ``obligation`` already."""

    def __init__(self, id: str, obligation: str) -> None:
        super().__init__(f"Obligation '{obligation}' already defined for policy '{id}'.")
        self.id = id
        self.obligation = obligation


class End(Enum):
    """An end of a list of policies."""

    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Beside:
    """Right before, or right after, the element ``id``."""

    id: str
    after: bool = False


Place = End | Beside


def is_private(policy: Policy) -> bool:
    return policy.id.startswith(PRIVATE_PREFIX)


def resource_value(policy_set: PolicySet) -> str | None:
    """What stands behind ``resource`` in SPL; None for a policy set that SPL cannot express."""
    return _only_value(policy_set.target.resources, AttributeId.RESOURCE_ID)


def action_value(policy: Policy) -> str | None:
    return _only_value(policy.target.actions, AttributeId.ACTION_ID)


def _only_value(alternatives: tuple[Alternative, ...], attribute_id: str) -> str | None:
    matches = [match for alternative in alternatives for match in alternative]
    if len(matches) != 1:
        return None
    designator = matches[0].designator
    if not isinstance(designator, AttributeDesignator) or designator.attribute_id != attribute_id:
        return None
    return matches[0].value.text


def single_rule(wanted: PolicySet) -> Rule:
    ((rule,),) = (policy.rules for policy in wanted.policies())
    return rule


def ban(resources: Resources, wanted: PolicySet) -> Resources:
    """Put the deny rule where nothing is evaluated before it; no change if the action that is first denies it already.

    BETTER: Java is content with a deny rule that asks for other attributes too, or stands behind a permit; whoever was
    to be banned may then go on.
    """
    policy, rule = _single(wanted)
    first = resources[0] if resources else None
    if first is None or not _applies_alike(first, wanted):
        return (wanted, *resources)
    action = first.children[0] if first.children else None
    if not isinstance(action, Policy) or not _applies_alike(action, policy) or is_private(action) != is_private(policy):
        return _replaced(resources, replace(first, children=(policy, *first.children)))
    banned = _Banned(rule)
    before_any_permit = takewhile(lambda other: other.effect is Effect.DENY, action.rules)
    if any(banned.by(other) and _asks_for_one(other) for other in before_any_permit):
        return resources
    return _with_action(resources, first, replace(action, rules=(rule, *action.rules)))


def unban(resources: Resources, wanted: PolicySet) -> Resources:
    """Remove the first deny rule about the banned attribute, whole, even if it names others too.

    COMPAT: only the first action with the wanted value is searched, public or private.

    Raises BanNotFound.
    """
    policy, rule = _single(wanted)
    actions = (
        action for policy_set in _same_resource(resources, wanted) for action in _same_action(policy_set, policy)
    )
    searched, banned = next(actions, None), _Banned(rule)
    for other in searched.rules if searched else ():
        if banned.by(other):
            return remove(resources, other.id)
    raise BanNotFound


def add_rule(resources: Resources, wanted: PolicySet, end: End) -> Resources:
    """Put the rule into the resource and action with the wanted values, which are made at the same end if missing.

    BETTER: obligations are added to the element that is there; Java loses them, or replaces all others by them.

    Raises Ambiguous: several resources, or several actions of the resource, have the value.
    """
    policy, rule = _single(wanted)
    same = _same_resource(resources, wanted)
    if len(same) > 1:
        raise Ambiguous("More than one resource policy sets match the given resource id!")
    if not same:
        return _inserted(resources, (wanted,), end)
    policy_set = same[0]
    actions = _same_action(policy_set, policy)
    if len(actions) > 1:
        raise Ambiguous("More than one action with the same value")
    if actions:
        extended = replace(
            actions[0],
            rules=_inserted(actions[0].rules, (rule,), end),
            obligations=_merged(actions[0].obligations, policy.obligations),
        )
        children = _replaced(policy_set.children, extended)
    else:
        children = _inserted(policy_set.children, (policy,), end)
    obligations = _merged(policy_set.obligations, wanted.obligations)
    return _replaced(resources, replace(policy_set, children=children, obligations=obligations))


def add_rule_to_action(resources: Resources, action_id: str, wanted: PolicySet, place: Place) -> Resources:
    """The rule and obligations of ``wanted``, whose values do not count, for an action that is there and its resource.

    Raises IdNotFound: no such action. Raises PivotNotFound: no such rule in it.
    """
    policy, rule = _single(wanted)
    policy_set, action = _find_action(resources, action_id)
    if isinstance(place, Beside) and all(other.id != place.id for other in action.rules):
        raise PivotNotFound(place.id, f"ruleId not found: {place.id}")
    extended = replace(
        action,
        rules=_inserted(action.rules, (rule,), place),
        obligations=_merged(action.obligations, policy.obligations),
    )
    holder = replace(policy_set, obligations=_merged(policy_set.obligations, wanted.obligations))
    return _with_action(resources, holder, extended)


def add_resources(resources: Resources, new: Resources, place: Place) -> Resources:
    """Raises PivotNotFound."""
    if isinstance(place, Beside) and all(other.id != place.id for other in resources):
        raise PivotNotFound(place.id, f'id "{place.id}" not found (or it\'s not a resource id).')
    return _inserted(resources, new, place)


def add_actions(resources: Resources, resource_id: str, new: tuple[Policy, ...], place: Place) -> Resources:
    """Raises IdNotFound: no such resource. Raises PivotNotFound: no such action in it."""
    policy_set = _find_resource(resources, resource_id)
    if isinstance(place, Beside) and all(other.id != place.id for other in policy_set.children):
        text = f'id "{place.id}" not found inside resource the given resource (id = "{resource_id}").'
        raise PivotNotFound(place.id, text)
    return _replaced(resources, replace(policy_set, children=_inserted(policy_set.children, new, place)))


def update_resource(resources: Resources, id: str, new: PolicySet) -> Resources:
    """Put ``new`` and its actions in place of a resource, which keeps its id and version. Raises IdNotFound."""
    for policy_set in resources:
        if policy_set.id == id:
            return _replaced(resources, replace(new, id=id, version=policy_set.version))
    raise IdNotFound(id, f'resource id "{id}" does not exists.')


def update_action(resources: Resources, id: str, new: Policy) -> Resources:
    """Put ``new`` and its rules in place of an action, which keeps its id, so its visibility too. Raises IdNotFound."""
    for policy_set in resources:
        for action in policy_set.policies():
            if action.id == id:
                return _with_action(resources, policy_set, replace(new, id=id, version=action.version))
    raise IdNotFound(id, f'action id "{id}" does not exists.')


def remove(resources: Resources, *ids: str) -> Resources:
    """Remove resources, actions and rules with all they hold; what is left empty by it is removed too.

    Of several elements with an id, as foreign policies may have them, it is the first. Raises IdNotFound.
    """
    left = dict.fromkeys(ids)
    kept = (_resource_without(policy_set, left) if left else policy_set for policy_set in resources)
    result = tuple(policy_set for policy_set in kept if policy_set is not None)
    for id in left:
        raise IdNotFound(id, f"Id not found: {id}")
    return result


def move(resources: Resources, id: str, place: Beside) -> Resources:
    """Move a resource among the resources, an action inside its resource, a rule inside its action.

    Raises IdNotFound: no such element. Raises PivotNotFound: no such element beside which the first could stand.
    """
    for policy_set in resources:
        if policy_set.id == id:
            return _moved(resources, policy_set, place, f"Id not found or not a resource-id: {place.id}")
        for action in policy_set.policies():
            if action.id == id:
                text = f'Id "{place.id}" not found into resource "{policy_set.id}"'
                children = _moved(policy_set.children, action, place, text)
                return _replaced(resources, replace(policy_set, children=children))
            for rule in action.rules:
                if rule.id == id:
                    rules = _moved(action.rules, rule, place, f"Id not found or not a rule-id: {place.id}")
                    return _with_action(resources, policy_set, replace(action, rules=rules))
    raise IdNotFound(id, f"Id not found: {id}")


def add_obligation(resources: Resources, id: str, obligation: Obligation) -> Resources:
    """Raises IdNotFound: no such resource or action. Raises ObligationExists."""
    policy_set, action = _find_resource_or_action(resources, id)
    holder = action or policy_set
    if any(other.id == obligation.id for other in holder.obligations):
        raise ObligationExists(id, obligation.id)
    return _with_obligations(resources, policy_set, action, (*holder.obligations, obligation))


def remove_obligation(resources: Resources, id: str, obligation_id: str) -> Resources:
    """Raises IdNotFound: no such resource or action, or it has no such obligation."""
    policy_set, action = _find_resource_or_action(resources, id)
    obligations = (action or policy_set).obligations
    kept = tuple(obligation for obligation in obligations if obligation.id != obligation_id)
    if kept == obligations:
        raise IdNotFound(obligation_id, f"Obligation '{obligation_id}' not defined for policy '{id}'.")
    return _with_obligations(resources, policy_set, action, kept)


def stamped(before: Resources, after: Resources) -> Resources:
    """Raise the Version of every stored element that differs; a resource counts each action added or removed."""
    old = {policy_set.id: policy_set for policy_set in before}
    return tuple(new if old.get(new.id, new) is new else _stamped_resource(old[new.id], new) for new in after)


def changes(before: tuple[Identified, ...], after: tuple[Identified, ...]) -> int:
    """By how much the Version of a list grows: one per element that came or went, one for another order."""
    old, new = [element.id for element in before], [element.id for element in after]
    return len(set(old) ^ set(new)) or int(old != new)


def _stamped_resource(old: PolicySet, new: PolicySet) -> PolicySet:
    actions = {action.id: action for action in old.policies()}
    children = tuple(
        _stamped_action(actions.get(child.id, child), child) if isinstance(child, Policy) else child
        for child in new.children
    )
    grown = changes(old.children, children) or int(replace(new, children=()) != replace(old, children=()))
    return replace(new, children=children, version=raised(old.version, grown))


def _stamped_action(old: Policy, new: Policy) -> Policy:
    return new if new == old else replace(new, version=raised(old.version, 1))


def raised(version: str, by: int) -> str:
    """COMPAT: a Version that is no integer starts again at 1."""
    return version if by == 0 else str(version_number(version) + by)


def version_number(version: str) -> int:
    """0 for what no PAP would write."""
    return int(version) if version.isascii() and version.isdigit() and len(version) < _LONG_VERSION else 0


def _single(wanted: PolicySet) -> tuple[Policy, Rule]:
    (policy,) = wanted.policies()
    return policy, single_rule(wanted)


def _same_resource(resources: Resources, wanted: PolicySet) -> list[PolicySet]:
    value = resource_value(wanted)
    return [policy_set for policy_set in resources if resource_value(policy_set) == value]


def _same_action(policy_set: PolicySet, wanted: Policy) -> list[Policy]:
    value = action_value(wanted)
    return [action for action in policy_set.policies() if action_value(action) == value]


def _applies_alike(there: PolicySet | Policy, wanted: PolicySet | Policy) -> bool:
    """Whether what is first in one is decided for all the requests that it would be in the other.

    The values alone do not tell: another version of the attribute mappings may have compared them by another function.
    """
    return (there.target, there.combining) == (wanted.target, wanted.combining)


class _Banned:
    """The attribute of a ban, looked for in other rules: in many of them, so a name is read only if it may be it."""

    def __init__(self, ban: Rule) -> None:
        (self._match,) = _matches(ban)
        self._value = normal_value(self._match)
        self._first = _first_value(self._match)

    def by(self, rule: Rule) -> bool:
        """Whether a deny rule contains the attribute, alone or among others."""
        return rule.effect is Effect.DENY and any(map(self._is, _matches(rule)))

    def _is(self, match: Match) -> bool:
        if (match.function, match.designator) != (self._match.function, self._match.designator):
            return False
        first = _first_value(match)
        if first is not None and self._first is not None and first != self._first:
            return False
        return normal_value(match) == self._value


def _first_value(match: Match) -> str | None:
    """What the first attribute of a name is, as far as the comparison of names minds; None: only a parser can tell."""
    text = match.value.text
    if match.value.datatype != DataType.X500_NAME or _NOT_PLAIN.search(text):
        return None
    _, _, value = _SEPARATOR.split(text, 1)[0].partition("=")
    return value.replace(" ", "").lower()


def _asks_for_one(rule: Rule) -> bool:
    """Whether nothing but a single attribute makes the rule apply."""
    return rule.condition is None and len(tuple(_matches(rule))) == 1


def _matches(rule: Rule) -> Iterator[Match]:
    target = rule.target
    for alternatives in (target.subjects, target.resources, target.actions, target.environments):
        for alternative in alternatives:
            yield from alternative


def normal_value(match: Match) -> DistinguishedName | Fqan | str:
    """BETTER: two spellings of one name are one person; Java compares the texts and misses the ban."""
    text = match.value.text
    try:
        if match.value.datatype == DataType.X500_NAME:
            return DistinguishedName.parse_rfc2253(text)
        if match.value.datatype == DataType.FQAN:
            return Fqan.parse(text)
    except MalformedInput:
        pass  # stored by an older PAP, which checks nothing: only its very text is the same
    return text


def _find_resource(resources: Resources, id: str) -> PolicySet:
    for policy_set in resources:
        if policy_set.id == id:
            return policy_set
    raise IdNotFound(id, f"PolicySet '{id}' not found.")


def _find_action(resources: Resources, id: str) -> tuple[PolicySet, Policy]:
    for policy_set in resources:
        for action in policy_set.policies():
            if action.id == id:
                return policy_set, action
    raise IdNotFound(id, f"Not found: policyId={id}")


def _find_resource_or_action(resources: Resources, id: str) -> tuple[PolicySet, Policy | None]:
    for policy_set in resources:
        if policy_set.id == id:
            return policy_set, None
        for action in policy_set.policies():
            if action.id == id:
                return policy_set, action
    raise IdNotFound(id, f"No policyset or policy found for the given id '{id}'")


def _merged(there: tuple[Obligation, ...], added: tuple[Obligation, ...]) -> tuple[Obligation, ...]:
    ids = {obligation.id for obligation in there}
    return there + tuple(obligation for obligation in added if obligation.id not in ids)


def _with_obligations(
    resources: Resources, policy_set: PolicySet, action: Policy | None, obligations: tuple[Obligation, ...]
) -> Resources:
    if action is None:
        return _replaced(resources, replace(policy_set, obligations=obligations))
    return _with_action(resources, policy_set, replace(action, obligations=obligations))


def _with_action(resources: Resources, policy_set: PolicySet, action: Policy) -> Resources:
    """``action`` in place of the action with its id."""
    children = _replaced(policy_set.children, action)
    return _replaced(resources, replace(policy_set, children=children))


def _resource_without(policy_set: PolicySet, ids: dict[str, None]) -> PolicySet | None:
    """None: nothing is left of it. What was found is taken out of the ``ids``."""
    if policy_set.id in ids:
        _take_out(ids, policy_set.id, *(action.id for action in policy_set.policies()))
        _take_out(ids, *(rule.id for action in policy_set.policies() for rule in action.rules))
        return None
    kept = [_action_without(child, ids) if isinstance(child, Policy) else child for child in policy_set.children]
    children = tuple(child for child in kept if child is not None)
    if children == policy_set.children:
        return policy_set
    return replace(policy_set, children=children) if children else None


def _action_without(action: Policy, ids: dict[str, None]) -> Policy | None:
    if action.id in ids:
        _take_out(ids, action.id, *(rule.id for rule in action.rules))
        return None
    rules: list[Rule] = []
    for rule in action.rules:
        if rule.id in ids:
            _take_out(ids, rule.id)
        else:
            rules.append(rule)
    if len(rules) == len(action.rules):
        return action
    return replace(action, rules=tuple(rules)) if rules else None


def _take_out(ids: dict[str, None], *found: str) -> None:
    for id in found:
        ids.pop(id, None)


def _replaced(elements: tuple[Element, ...], new: Element) -> tuple[Element, ...]:
    """``new`` in place of the element with its id."""
    return tuple(new if element.id == new.id else element for element in elements)


def _dropped(elements: tuple[Element, ...], gone: Element) -> tuple[Element, ...]:
    return tuple(element for element in elements if element.id != gone.id)


def _inserted(elements: tuple[Element, ...], new: tuple[Element, ...], place: Place) -> tuple[Element, ...]:
    index = _index(elements, place)
    return elements[:index] + new + elements[index:]


def _index(elements: tuple[Element, ...], place: Place) -> int:
    if isinstance(place, End):
        return 0 if place is End.TOP else len(elements)
    return [element.id for element in elements].index(place.id) + int(place.after)


def _moved(elements: tuple[Element, ...], moving: Element, place: Beside, missing: str) -> tuple[Element, ...]:
    if all(element.id != place.id for element in elements):
        raise PivotNotFound(place.id, missing)
    if moving.id == place.id:
        return elements
    return _inserted(_dropped(elements, moving), (moving,), place)
