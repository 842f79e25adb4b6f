"""Evaluation as XACML 2.0 section 7 tells it: for reading, comparing and explaining. ``index`` is the fast one.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java
"""

from datetime import datetime
from functools import partial

from argus_py.model.request import Request
from argus_py.xacml.combining import Algorithm, Child, policy_algorithm, rule_algorithm
from argus_py.xacml.expression import Variables, prepare_condition, truth
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import NOT_APPLICABLE, Evaluation, Fault, Matched, all_of, any_of, indeterminate
from argus_py.xacml.policy import (
    Alternative,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.references import BROKEN, resolve
from argus_py.xacml.request_attributes import RequestAttributes
from argus_py.xacml.trace import Recorder


def evaluate(
    root: PolicySet | Policy,
    request: Request,
    moment: datetime | None = None,
    trace: Recorder | None = None,
) -> Evaluation:
    """``moment`` is the time of the evaluation (aware), if the PDP is to tell it; ``trace`` records the way.

    Raises UnknownDataType, TooManyValues: of the request. Raises UnknownFunction, UnknownAlgorithm, InvalidExpression,
    XPathNotSupported, PolicyTooLarge: the policy is beyond what is understood.
    """
    resolved = root if isinstance(root, Policy) else resolve(root).root
    return _Evaluator(RequestAttributes(request, moment), trace or Recorder()).evaluate(resolved)


def decided(rule: Rule) -> Evaluation:
    """What a rule that applies says."""
    return Evaluation(rule.effect.decision, (), (rule.id,), f"{rule.id}: the rule says {rule.effect.value}")


class _Evaluator:
    def __init__(self, attributes: RequestAttributes, trace: Recorder) -> None:
        self._attributes = attributes
        self._trace = trace

    def evaluate(self, element: PolicySet | Policy) -> Evaluation:
        self._trace.enter(element)
        evaluation = self._evaluate(element)
        self._trace.leave(evaluation)
        return evaluation

    def _evaluate(self, element: PolicySet | Policy) -> Evaluation:
        """Sections 7.10 and 7.11."""
        matched = self._target(element.target)
        if matched is False:
            return NOT_APPLICABLE
        if isinstance(matched, Fault):
            return indeterminate(element.id, matched)
        combine, children = self._combination(element)
        return combine(children).within(element.id, element.obligations)

    def _combination(self, element: PolicySet | Policy) -> tuple[Algorithm, list[Child]]:
        if isinstance(element, Policy):
            variables = Variables(element.variables)
            return rule_algorithm(element.combining), [self._rule_child(rule, variables) for rule in element.rules]
        return policy_algorithm(element.combining), [self._policy_child(child) for child in element.children]

    def _rule_child(self, rule: Rule, variables: Variables) -> Child:
        return Child(rule.id, rule.effect, partial(self._applies, rule), partial(self._rule, rule, variables))

    def _policy_child(self, child: PolicySet | Policy | PolicyIdReference | PolicySetIdReference) -> Child:
        if isinstance(child, PolicyIdReference | PolicySetIdReference):
            return Child(child.id, None, partial(self._not_followed, child), partial(self._broken, child))
        return Child(child.id, None, partial(self._applies, child), partial(self.evaluate, child))

    def _rule(self, rule: Rule, variables: Variables) -> Evaluation:
        """Section 7.8: the condition is looked at if the target matches."""
        self._trace.enter(rule)
        matched = self._target(rule.target)
        if matched is True and rule.condition is not None:
            matched = truth(prepare_condition(rule.condition, variables), self._attributes)
            self._trace.condition(matched)
        evaluation = _of_rule(rule, matched)
        self._trace.leave(evaluation)
        return evaluation

    def _not_followed(self, reference: PolicyIdReference | PolicySetIdReference) -> Matched:
        self._trace.enter(reference)
        self._trace.target(BROKEN)
        self._trace.leave(None)
        return BROKEN

    def _broken(self, reference: PolicyIdReference | PolicySetIdReference) -> Evaluation:
        self._trace.enter(reference)
        self._trace.target(BROKEN)
        evaluation = indeterminate(reference.id, BROKEN)
        self._trace.leave(evaluation)
        return evaluation

    def _applies(self, element: PolicySet | Policy | Rule) -> Matched:
        """The target alone."""
        self._trace.enter(element)
        matched = self._target(element.target)
        self._trace.leave(None)
        return matched

    def _target(self, target: Target) -> Matched:
        """Section 7.5: each part that is there must match."""
        matched = all_of(any_of(self._alternative(each) for each in part) for part in target.parts)
        self._trace.target(matched)
        return matched

    def _alternative(self, matches: Alternative) -> Matched:
        return all_of(self._match(match) for match in matches)

    def _match(self, match: Match) -> Matched:
        prepared = PreparedMatch.of(match)
        matched = prepared.matched(self._attributes)
        by = prepared.matching_text(self._attributes) if matched is True else None
        self._trace.match(match, prepared.source.texts(self._attributes), matched, by)
        return matched


def _of_rule(rule: Rule, matched: Matched) -> Evaluation:
    if matched is False:
        return NOT_APPLICABLE
    if isinstance(matched, Fault):
        return indeterminate(rule.id, matched)
    return decided(rule)
