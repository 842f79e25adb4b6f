"""Whether a policy looks at the clock: if it does, what it decides now may not be what it decides in a minute."""

from collections.abc import Iterator
from typing import Final

from argus_py.model.identifiers import AttributeId
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeSelector,
    Expression,
    FunctionReference,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)

_CURRENT: Final = frozenset({AttributeId.CURRENT_TIME, AttributeId.CURRENT_DATE, AttributeId.CURRENT_DATE_TIME})
_Asked = AttributeDesignator | AttributeSelector


def asks_for_the_time(root: PolicySet) -> bool:
    """True if a target, or a condition, designates the current time or date. References are not followed."""
    # A selector sees the request as it was sent, in which the time is a part of what is asked.
    return any(isinstance(asked, AttributeDesignator) and asked.attribute_id in _CURRENT for asked in _asked(root))


def _asked(element: PolicySet | Policy | PolicyIdReference | PolicySetIdReference | Rule) -> Iterator[_Asked]:
    """All that an element and what is in it wants to know of requests."""
    match element:
        case PolicySet():
            yield from _asked_by_target(element.target)
            for child in element.children:
                yield from _asked(child)
        case Policy():
            yield from _asked_by_target(element.target)
            for variable in element.variables:
                yield from _asked_by_expression(variable.expression)
            for rule in element.rules:
                yield from _asked(rule)
        case Rule():
            yield from _asked_by_target(element.target)
            if element.condition is not None:
                yield from _asked_by_expression(element.condition)


def _asked_by_target(target: Target) -> Iterator[_Asked]:
    return (match.designator for part in target.parts for alternative in part for match in alternative)


def _asked_by_expression(expression: Expression | FunctionReference) -> Iterator[_Asked]:
    match expression:
        case Apply():
            for argument in expression.arguments:
                yield from _asked_by_expression(argument)
        case AttributeDesignator() | AttributeSelector():
            yield expression
