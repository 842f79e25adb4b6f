"""What a recorder is told of an evaluation."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import Decision, Effect
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.outcome import NOT_APPLICABLE
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    Target,
)
from argus_py.xacml.trace import MAX_ELEMENTS, MAX_FOUND, MAX_MATCHES, NodeTrace, Recorder

ONLY_ONE_APPLICABLE = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:only-one-applicable"
REQUEST = Request((Subject((Attribute(Glite.VIRTUAL_ORGANIZATION, (" dteam ",)),)),))


def vo_is(text: str, attribute: str = Glite.VIRTUAL_ORGANIZATION) -> Match:
    designator = AttributeDesignator(Category.SUBJECT, attribute, DataType.STRING)
    return Match(FunctionUri.STRING_EQUAL, AttributeValue(DataType.STRING, text), designator)


def target(*matches: Match) -> Target:
    return Target(subjects=tuple((match,) for match in matches))


def root(*rules: Rule, combining: str = Combining.POLICIES_FIRST_APPLICABLE) -> PolicySet:
    policy = Policy("policy", Combining.RULES_FIRST_APPLICABLE, rules)
    return PolicySet("root", combining, (policy,))


def recorded(policy_set: PolicySet, request: Request = REQUEST) -> NodeTrace:
    trace = Recorder()
    evaluation = evaluate(policy_set, request, trace=trace)
    assert evaluation == evaluate(policy_set, request) == trace.root.evaluation
    return trace.root


def rules_of(node: NodeTrace) -> list[NodeTrace]:
    return list(node.children[-1].children)


def test_all_that_was_visited_is_there_and_nothing_else() -> None:
    node = recorded(
        root(Rule("1", Effect.DENY, target(vo_is("atlas"))), Rule("2", Effect.PERMIT), Rule("3", Effect.DENY))
    )
    assert [rule.element.id for rule in rules_of(node)] == ["1", "2"]
    assert [rule.evaluation and rule.evaluation.decision for rule in rules_of(node)] == [
        Decision.NOT_APPLICABLE,
        Decision.PERMIT,
    ]
    assert node.explanation == "its target matches, and it comes to Permit"
    assert rules_of(node)[1].explanation == "it applies"


def test_a_match_tells_what_it_wanted_and_what_it_found() -> None:
    rule = Rule("1", Effect.DENY, target(vo_is("atlas"), vo_is("dteam"), vo_is("cms")))
    matches = rules_of(recorded(root(rule)))[0].matches
    assert [(each.match.value.text, each.found, each.outcome) for each in matches] == [
        ("atlas", (" dteam ",), False),
        ("dteam", (" dteam ",), True),
    ]


@pytest.mark.parametrize(
    ("rule_target", "explanation"),
    [
        (
            target(vo_is("atlas"), vo_is("cms")),
            f"{Glite.VIRTUAL_ORGANIZATION} does not match 'atlas'; {Glite.VIRTUAL_ORGANIZATION} does not match 'cms'",
        ),
        (target(vo_is("x", "urn:other")), "the request has no urn:other"),
        (
            Target(
                subjects=((vo_is("dteam"),),),
                environments=(
                    (
                        Match(
                            FunctionUri.STRING_EQUAL,
                            AttributeValue(DataType.STRING, "x"),
                            AttributeSelector("//@AttributeId", DataType.STRING),
                        ),
                    ),
                ),
            ),
            "//@AttributeId does not match 'x'",
        ),
    ],
)
def test_a_target_that_does_not_match_says_why(rule_target: Target, explanation: str) -> None:
    (rule,) = rules_of(recorded(root(Rule("1", Effect.DENY, rule_target))))
    assert rule.explanation == f"its target does not match: {explanation}"


def test_a_target_in_error_says_why() -> None:
    (rule,) = rules_of(recorded(root(Rule("1", Effect.DENY, target(vo_is(""))))))
    assert rule.explanation.startswith("its target cannot be evaluated: the policy cannot be read")


def test_conditions_are_told(expression: Callable[[Any], Any]) -> None:
    error = expression(("boolean-one-and-only", ("boolean-bag",)))
    rules = (
        Rule("1", Effect.DENY, target(vo_is("atlas")), condition=error),
        Rule("2", Effect.DENY, condition=expression("boolean:false")),
        Rule("3", Effect.PERMIT, condition=error),
    )
    first, second, third = rules_of(recorded(root(*rules)))
    assert (first.condition, second.condition) == (None, False)
    assert second.explanation == "its target matches, but its condition is false"
    assert third.explanation == "its condition cannot be evaluated: one value is wanted, there are 0"


def test_where_only_one_may_apply_targets_are_looked_at_first() -> None:
    node = recorded(root(Rule("1", Effect.PERMIT), combining=ONLY_ONE_APPLICABLE))
    looked_at, evaluated = node.children
    assert (looked_at.evaluation, looked_at.children, looked_at.explanation) == (None, (), "it applies")
    assert evaluated.element == looked_at.element
    assert len(evaluated.children) == 1


@pytest.mark.parametrize("combining", [Combining.POLICIES_FIRST_APPLICABLE, ONLY_ONE_APPLICABLE])
def test_a_reference_that_cannot_be_followed_is_told(combining: str) -> None:
    node = recorded(PolicySet("root", combining, (PolicyIdReference("elsewhere"),)))
    (reference,) = node.children
    assert reference.element.id == "elsewhere"
    assert reference.explanation == "it is a reference that cannot be followed"


def test_a_match_tells_which_value_matched_as_it_was_sent() -> None:
    request = Request((Subject((Attribute(Glite.VIRTUAL_ORGANIZATION, ("cms", " atlas ", "atlas")),)),))
    (match,) = rules_of(recorded(root(Rule("1", Effect.DENY, target(vo_is("atlas")))), request))[0].matches
    assert (match.outcome, match.by) == (True, " atlas ")


def test_of_many_values_the_first_are_kept_and_all_are_counted() -> None:
    values = tuple(map(str, range(MAX_FOUND + 3)))
    request = Request((Subject((Attribute(Glite.VIRTUAL_ORGANIZATION, values),)),))
    (match,) = rules_of(recorded(root(Rule("1", Effect.DENY, target(vo_is("atlas")))), request))[0].matches
    assert (match.found, match.many) == (values[:MAX_FOUND], len(values))


def test_of_many_matches_the_last_are_kept_which_settle_the_target() -> None:
    rule = Rule("1", Effect.DENY, target(*(vo_is(str(number)) for number in range(MAX_MATCHES + 3))))
    (node,) = rules_of(recorded(root(rule)))
    assert [each.match.value.text for each in node.matches] == [str(number) for number in range(3, MAX_MATCHES + 3)]


@pytest.mark.parametrize(
    ("rule", "is_near"),
    [
        (Rule("", Effect.DENY, target(vo_is("atlas"))), False),
        (Rule("", Effect.DENY, target(vo_is("x", "urn:other"))), False),
        (Rule("", Effect.DENY, Target(subjects=((vo_is("dteam"), vo_is("x", "urn:other")),))), True),
        (Rule("", Effect.DENY, target(vo_is(""))), True),
        (Rule("", Effect.DENY), True),
    ],
)
def test_near_is_of_what_something_matches(rule: Rule, is_near: bool) -> None:
    (node,) = rules_of(recorded(root(rule)))
    assert node.is_near is is_near


def left(recorder: Recorder, id: str, matched: bool) -> None:
    recorder.enter(Rule(id, Effect.DENY))
    recorder.target(matched)
    recorder.leave(NOT_APPLICABLE)


def test_what_is_kept_is_bounded_and_the_rest_counted() -> None:
    """The near ones are not lost among the others."""
    recorder = Recorder()
    recorder.enter(Policy("policy", Combining.RULES_FIRST_APPLICABLE))
    for number in range(MAX_ELEMENTS + 3):
        left(recorder, str(number), matched=False)
    left(recorder, "near", matched=True)
    recorder.leave(NOT_APPLICABLE)
    kept = recorder.root.children
    assert len(kept) == MAX_ELEMENTS + 1
    assert (kept[0].element.id, kept[-1].element.id) == ("0", "near")
    assert recorder.root.omitted == 3
