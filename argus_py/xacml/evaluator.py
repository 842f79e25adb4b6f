"""Evaluation as XACML 2.0 section 7 tells it: for reading and for comparing. ``index`` is the fast one.

References are not followed: what a PAP delivers holds none. One that is reached is an error.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java
"""

from functools import partial
from typing import Final

from argus_py.model.request import Request
from argus_py.xacml.combining import Algorithm, Child, policy_algorithm, rule_algorithm
from argus_py.xacml.matching import PreparedMatch, RequestAttributes
from argus_py.xacml.outcome import (
    NOT_APPLICABLE,
    Evaluation,
    Fault,
    Matched,
    all_of,
    any_of,
    indeterminate,
)
from argus_py.xacml.policy import (
    Alternative,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)

REFERENCE: Final = Fault("a reference, which is not followed")


def evaluate(root: PolicySet, request: Request) -> Evaluation:
    """Raises UnknownDataType, UnknownFunction, UnknownAlgorithm: request or policy are beyond what is understood."""
    return _evaluate(root, RequestAttributes(request))


def _evaluate(element: PolicySet | Policy, attributes: RequestAttributes) -> Evaluation:
    """Sections 7.10 and 7.11."""
    matched = _target(element.target, attributes)
    if matched is False:
        return NOT_APPLICABLE
    if isinstance(matched, Fault):
        return indeterminate(element.id, matched)
    combine, children = _combination(element, attributes)
    return combine(children).within(element.id, element.obligations)


def _combination(element: PolicySet | Policy, attributes: RequestAttributes) -> tuple[Algorithm, list[Child]]:
    if isinstance(element, Policy):
        return rule_algorithm(element.combining), [_rule_child(rule, attributes) for rule in element.rules]
    return policy_algorithm(element.combining), [_policy_child(child, attributes) for child in element.children]


def _rule_child(rule: Rule, attributes: RequestAttributes) -> Child:
    return Child(
        rule.id, rule.effect, partial(_target, rule.target, attributes), partial(_evaluate_rule, rule, attributes)
    )


def _policy_child(
    child: PolicySet | Policy | PolicyIdReference | PolicySetIdReference, attributes: RequestAttributes
) -> Child:
    if isinstance(child, PolicyIdReference | PolicySetIdReference):
        return Child(child.id, None, lambda: REFERENCE, partial(indeterminate, child.id, REFERENCE))
    return Child(child.id, None, partial(_target, child.target, attributes), partial(_evaluate, child, attributes))


def _evaluate_rule(rule: Rule, attributes: RequestAttributes) -> Evaluation:
    """Section 7.8."""
    matched = _target(rule.target, attributes)
    if matched is False:
        return NOT_APPLICABLE
    if isinstance(matched, Fault):
        return indeterminate(rule.id, matched)
    return decided(rule)


def decided(rule: Rule) -> Evaluation:
    """What a rule that applies says."""
    return Evaluation(rule.effect.decision, (), (rule.id,), f"{rule.id}: the rule says {rule.effect.value}")


def _target(target: Target, attributes: RequestAttributes) -> Matched:
    """Section 7.5: each part that is there must match."""
    parts = (target.subjects, target.resources, target.actions, target.environments)
    return all_of(any_of(_alternative(each, attributes) for each in part) for part in parts if part)


def _alternative(matches: Alternative, attributes: RequestAttributes) -> Matched:
    return all_of(PreparedMatch.of(match).matched(attributes) for match in matches)
