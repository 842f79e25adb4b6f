"""Policies as lint goes through them: every rule in the order of evaluation, with all that must be true for it.

Only what is combined by first-applicable, as PAPs write it, is looked at; the rest is told, and concluded from nowhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from argus_py.model.response import Effect
from argus_py.pap.conditions import Demand, Demands
from argus_py.pap.editing import action_value, resource_value
from argus_py.pap.lint.findings import Check, Finding, Place
from argus_py.spl.ast import NOWHERE, Position
from argus_py.xacml.policy import Combining, Policy, PolicySet, Rule, Target


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A policy file, or a pap. Several ones are one policy, in their order.

    ``positions`` are those of a text, by the ids of its elements; without them the ids themselves are told.
    ``findings`` have been made when it was read; ``is_checked``: those about unreadable values are among them.
    """

    name: str
    elements: tuple[PolicySet | Policy, ...]
    positions: Mapping[str, Position] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    is_checked: bool = False

    def place(self, id: str, words: str) -> Place:
        position = self.positions.get(id, NOWHERE)
        return Place(self.name, position, words, None if self.positions else id)


@dataclass(frozen=True, slots=True)
class ReadTarget:
    """What a resource, an action or a rule asks for by itself."""

    place: Place
    target: Target
    demand: Demand
    values_told: bool


@dataclass(frozen=True, slots=True)
class ReadRule:
    """``own`` is what the rule asks for, ``demand`` also what its resource and action do."""

    place: Place
    rule: Rule
    action: Policy
    resource: PolicySet | None  # None: the action of a text stands outside of one
    own: Demand
    demand: Demand

    @property
    def permits(self) -> bool:
        return self.rule.effect is Effect.PERMIT


@dataclass(frozen=True, slots=True)
class ReadResource:
    """``first`` is the number of its first rule, or of what would be it. ``permits``: there is a rule that does."""

    place: Place
    demand: Demand
    first: int
    permits: bool


class Readings:
    """All of it in the order of evaluation. ``gaps``: how many rules stand before each part that is not looked at."""

    def __init__(self, sources: Iterable[PolicySource]) -> None:
        self.targets: list[ReadTarget] = []
        self.actions: list[tuple[Place, Policy]] = []
        self.rules: list[ReadRule] = []
        self.resources: list[ReadResource] = []
        self.findings: list[Finding] = []
        self.gaps: list[int] = []
        self._demands = Demands()
        for source in sources:
            self.findings += source.findings
            for element in source.elements:
                if isinstance(element, PolicySet):
                    self._resource(source, element)
                else:
                    self._action(source, element, None, Demand(), "")

    def _resource(self, source: PolicySource, resource: PolicySet) -> None:
        value = resource_value(resource)
        words = f'resource "{value}"' if value is not None else "policy set"
        place = source.place(resource.id, words)
        actions = tuple(resource.policies())
        if resource.combining != Combining.POLICIES_FIRST_APPLICABLE or len(actions) != len(resource.children):
            self._not_checked(place, "it holds more than actions of which the first that applies decides")
            return
        demand = self._target(source, place, resource.target)
        permits = any(rule.effect is Effect.PERMIT for action in actions for rule in action.rules)
        self.resources.append(ReadResource(place, demand, len(self.rules), permits))
        for action in actions:
            self._action(source, action, resource, demand, f"{words} > ")

    def _action(
        self, source: PolicySource, action: Policy, resource: PolicySet | None, above: Demand, prefix: str
    ) -> None:
        value = action_value(action)
        words = f'{prefix}action "{value}"' if value is not None else f"{prefix}policy"
        place = source.place(action.id, words)
        if action.combining != Combining.RULES_FIRST_APPLICABLE:
            self._not_checked(place, "it is not its first rule that applies which decides")
            return
        self.actions.append((place, action))
        demand = above.and_(self._target(source, place, action.target))
        for number, rule in enumerate(action.rules, 1):
            place = source.place(rule.id, f"{words} > rule {number}")
            own = self._target(source, place, rule.target, rule.condition is not None)
            self.rules.append(ReadRule(place, rule, action, resource, own, demand.and_(own)))

    def _target(self, source: PolicySource, place: Place, target: Target, has_condition: bool = False) -> Demand:
        demand = self._demands.of(target, has_condition)
        self.targets.append(ReadTarget(place, target, demand, source.is_checked))
        return demand

    def _not_checked(self, place: Place, reason: str) -> None:
        self.gaps.append(len(self.rules))
        self.findings.append(Finding(Check.NOT_CHECKED, place, f"this is not looked at: {reason}"))
