"""Who is banned: the deny rules about a single attribute of the subject, read off the policies.

A ban is certain if nothing that is tried before it may permit whom it denies. One that is not is told with its
condition: programs that know no other rules than bans would make more of it than it is.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from argus_py.model.dn import DistinguishedName, escape_controls
from argus_py.model.fqan import NULL, Fqan
from argus_py.model.identifiers import AttributeId, Glite
from argus_py.pap.conditions import Condition, Implications
from argus_py.pap.editing import Resources, action_value, is_private, resource_value
from argus_py.pap.lint.reach import Above, Scoped, scoped, shadowed
from argus_py.pap.lint.readings import PolicySource, Readings, ReadRule
from argus_py.pap.lint.values import told_attribute
from argus_py.spl import ast
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.lift import NotExpressible, lift_for_file
from argus_py.spl.printer import format_source
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.java_pattern import JavaPattern
from argus_py.xacml.policy import AttributeDesignator, Category, Match

_ANY: Final = ".*"
_GAP: Final = "unless a policy that is tried before, and is not told in the policy language, permits"


@dataclass(frozen=True, slots=True)
class Ban:
    """``attribute`` by its name in the policy language, or else its id.

    ``resource`` and ``action`` are the patterns it is for; None: another kind of target. ``only_for`` and ``unless``
    are clauses about when it holds; without both it is certain. ``written``: in the policy language, if it has words.
    """

    pap: str
    attribute: str
    match: Match
    resource: str | None
    action: str | None
    is_private: bool
    only_for: str | None = None
    unless: str | None = None
    written: ast.Rule | None = None

    @property
    def value(self) -> str:
        return self.match.value.text

    @property
    def condition(self) -> str | None:
        """None: it is certain."""
        return " ".join(filter(None, (self.only_for, self.unless))) or None

    def __str__(self) -> str:
        return f'{self.attribute}="{self.value}"'


def current_bans(
    paps: Iterable[tuple[str, Resources]],
    mappings: AttributeMappings,
    resource: str | None = None,
    action: str | None = None,
) -> tuple[Ban, ...]:
    """``paps``: the enabled ones by alias, in their order. ``resource``, ``action``: of the requests that are meant.

    Without these every request is, and a ban for some of them has that for a condition. In the order of evaluation;
    what says the same as an earlier ban is left out.
    """
    asked = {
        (Category.RESOURCE, AttributeId.RESOURCE_ID): resource,
        (Category.ACTION, AttributeId.ACTION_ID): action,
    }
    readings = Readings(PolicySource(alias, resources) for alias, resources in paps)
    first_gap = min(readings.gaps, default=len(readings.rules))
    numbered = [(number, rule) for number, rule in enumerate(readings.rules) if _is_for(rule, asked)]
    rules = [rule for _, rule in numbered]
    implications = Implications(condition for rule in rules for condition in rule.demand.conditions)
    shadows = shadowed(rules, implications)
    above = Above(implications)
    found: list[Ban] = []
    for place, (number, rule) in enumerate(numbered):
        known = scoped(rule)
        if rule.permits:
            above.add(known)
        elif place not in shadows and not rule.demand.unreadable and (match := _only_match(rule)) is not None:
            unless = _GAP if number >= first_gap else _permit_before(known, above)
            found.append(_ban(rule, match, mappings, _limit(rule, asked), unless))
    return tuple(found)


def _ban(rule: ReadRule, match: Match, mappings: AttributeMappings, only_for: str | None, unless: str | None) -> Ban:
    written = None
    with suppress(NotExpressible):
        action = lift_for_file(replace(rule.action, rules=(rule.rule,), obligations=()), mappings)
        assert isinstance(action, ast.Action)
        (written,) = action.rules
    return Ban(
        rule.place.source,
        told_attribute(match, mappings),
        match,
        None if rule.resource is None else resource_value(rule.resource),
        action_value(rule.action),
        is_private(rule.action),
        only_for,
        unless,
        written,
    )


_Asked = Mapping[tuple[Category, str], str | None]


def _is_for(rule: ReadRule, asked: _Asked) -> bool:
    """Whether it may apply to what is asked about."""
    for condition in rule.demand.conditions:
        attribute = _attribute(condition)
        value = None if attribute is None else asked.get(attribute)
        if value is None:
            continue
        wanted = condition.wanted
        if not (wanted.matches(value) if isinstance(wanted, JavaPattern) else wanted == value):
            return False
    return True


def _limit(rule: ReadRule, asked: _Asked) -> str | None:
    """What it is for, where that is less than what is asked about."""
    limits = []
    for condition in rule.demand.conditions:
        attribute = _attribute(condition)
        if attribute is None or attribute not in asked:
            continue
        if asked[attribute] is None and condition.match.value.text != _ANY:
            limits.append(f'{attribute[0].value.lower()} "{condition.match.value.text}"')
    return f"only for {' and '.join(sorted(limits))}" if limits else None


def _permit_before(ban: Scoped, above: Above) -> str | None:
    permit = above.meeting(ban)
    return None if permit is None else f"unless {permit.rule.place} permits before"


def _only_match(rule: ReadRule) -> Match | None:
    """The match of a rule that asks for one attribute of the subject and nothing else."""
    matches = [condition.match for condition in rule.own.conditions]
    if not rule.own.is_all or len(matches) != 1:
        return None
    designator = matches[0].designator
    is_of_subject = isinstance(designator, AttributeDesignator) and designator.category is Category.SUBJECT
    return matches[0] if is_of_subject else None


def _attribute(condition: Condition) -> tuple[Category, str] | None:
    designator = condition.match.designator
    return (designator.category, designator.attribute_id) if isinstance(designator, AttributeDesignator) else None


@dataclass(frozen=True, slots=True)
class BanList:
    """What is banned for certain, for a program; ``comments`` tell the rest, for people."""

    entries: tuple[str, ...]
    comments: tuple[str, ...]


def for_lcmaps(bans: Iterable[Ban]) -> BanList:
    """DNs as OpenSSL writes them and FQANs, in each spelling that LCMAPS may meet; nothing is escaped for its file.

    It has no bans by the primary FQAN, the CA or the VO.
    """
    entries: dict[str, None] = {}
    comments: list[str] = []
    for ban in bans:
        spellings = _spellings(ban.match)
        if ban.condition is not None:
            comments.append(f"{ban}: {ban.condition}")
        elif not spellings:
            comments.append(f"{ban}: there are no such entries in this file")
        else:
            entries.update(dict.fromkeys(spellings))
    return BanList(tuple(entries), tuple(comments))


def _spellings(match: Match) -> tuple[str, ...]:
    designator = match.designator
    if not isinstance(designator, AttributeDesignator):
        return ()
    if designator.attribute_id == AttributeId.SUBJECT_ID and match.function == FunctionUri.X500_NAME_EQUAL:
        name = DistinguishedName.parse_rfc2253(match.value.text)
        return (name.oneline(escaped=False), name.oneline(escaped=True))
    if designator.attribute_id == Glite.FQAN and match.function == Glite.FQAN_MATCH:
        fqan = Fqan.parse(match.value.text)
        role = f"{fqan.group}/Role={fqan.role}"
        without_capability = (role,) if fqan.capability == NULL else ()
        return (str(fqan), *without_capability, f"{role}/Capability={fqan.capability}")
    return ()


def as_spl(bans: Iterable[Ban]) -> str:
    """A policy file with those that nothing undoes, in their order; a comment for each of the others."""
    comments: list[str] = []
    resources: list[ast.Resource] = []
    for (resource, action, private), group in groupby(bans, key=attrgetter("resource", "action", "is_private")):
        rules: list[ast.Rule] = []
        for ban in group:
            if ban.unless is not None:
                comments.append(_comment(f"{ban}: {ban.unless}"))
            elif ban.written is None or None in (resource, action):
                comments.append(_comment(f"{ban}: the policy language has no words for it"))
            else:
                rules.append(ban.written)
        if rules:
            held = ast.Action(ast.Text(action), tuple(rules), private=private)
            resources.append(ast.Resource(ast.Text(resource), (held,)))
    return "".join(f"{comment}\n" for comment in comments) + format_source(resources)


def _comment(text: str) -> str:
    """On one line, and without a second ``#``, which ends a comment in Java: text of others must not become a rule."""
    return "# " + escape_controls(text).replace("#", "\\23")


def as_values(bans: Iterable[Ban]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "pap": ban.pap,
            "attribute": ban.attribute,
            "value": ban.value,
            "resource": ban.resource,
            "action": ban.action,
            "private": ban.is_private,
            "certain": ban.condition is None,
            "condition": ban.condition,
        }
        for ban in bans
    ]
