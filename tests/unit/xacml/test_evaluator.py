"""What an evaluation tells besides the decision: the way to it, and why."""

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Effect, Obligation
from argus_py.xacml.combining import UnknownAlgorithm
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.functions import FunctionUri, UnknownFunction
from argus_py.xacml.index import Defect, compile_policy
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)


def vo_is(value: str, function: str = FunctionUri.STRING_EQUAL, must_be_present: bool = False) -> Match:
    designator = AttributeDesignator(
        Category.SUBJECT, Glite.VIRTUAL_ORGANIZATION, DataType.STRING, must_be_present=must_be_present
    )
    return Match(function, AttributeValue(DataType.STRING, value), designator)


def subject_is(value: str) -> Match:
    designator = AttributeDesignator(Category.SUBJECT, AttributeId.SUBJECT_ID, DataType.X500_NAME)
    return Match(FunctionUri.X500_NAME_EQUAL, AttributeValue(DataType.X500_NAME, value), designator)


def rule(id: str, effect: Effect, *matches: Match) -> Rule:
    return Rule(id, effect, Target(subjects=(matches,)) if matches else Target())


def root(*rules: Rule, obligations: tuple[Obligation, ...] = ()) -> PolicySet:
    policy = Policy("policy", Combining.RULES_FIRST_APPLICABLE, rules)
    return PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (policy,), obligations=obligations)


def request(vo: tuple[str, ...] = (), subject: str = "CN=a") -> Request:
    attributes = (
        Attribute(Glite.VIRTUAL_ORGANIZATION, vo),
        Attribute(AttributeId.SUBJECT_ID, (subject,), DataType.X500_NAME),
    )
    return Request(
        (Subject(attributes),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
        Action((Attribute(AttributeId.ACTION_ID, ("run",)),)),
    )


def both(policy_set: PolicySet, asked: Request) -> Evaluation:
    """By the evaluator, which the index must equal."""
    evaluation = evaluate(policy_set, asked)
    assert compile_policy(policy_set).evaluate(asked) == evaluation
    return evaluation


def test_the_rule_that_decides_is_named_with_the_way_to_it() -> None:
    evaluation = both(root(rule("1", Effect.DENY, vo_is("x")), rule("2", Effect.PERMIT)), request(("dteam",)))
    assert evaluation == Evaluation(Decision.PERMIT, (), ("root", "policy", "2"), "2: the rule says Permit")


def test_nothing_applies_without_a_rule_that_matches() -> None:
    evaluation = both(root(rule("1", Effect.PERMIT, vo_is("dteam"))), request(("atlas",)))
    assert (evaluation.decision, evaluation.path, evaluation.reason) == (
        Decision.NOT_APPLICABLE,
        (),
        "no rule applies",
    )


def test_an_unreadable_value_of_the_request_is_named_with_attribute_and_rule() -> None:
    policy_set = root(rule("ban", Effect.DENY, subject_is("CN=bad")), rule("2", Effect.PERMIT))
    evaluation = both(policy_set, request(subject="no name"))
    assert evaluation.decision is Decision.INDETERMINATE
    assert evaluation.path == ("root", "policy", "ban")
    assert evaluation.reason is not None
    assert all(part in evaluation.reason for part in ("ban", AttributeId.SUBJECT_ID, "no name"))


def test_an_unreadable_value_of_the_policy_is_a_defect_that_counts_when_the_attribute_is_there() -> None:
    policy_set = root(
        rule("broken", Effect.DENY, vo_is("(((", FunctionUri.STRING_REGEXP_MATCH)), rule("2", Effect.PERMIT)
    )
    assert both(policy_set, request()).decision is Decision.PERMIT
    evaluation = both(policy_set, request(("dteam",)))
    assert evaluation.decision is Decision.INDETERMINATE
    assert evaluation.reason is not None
    assert "(((" in evaluation.reason
    [defect] = compile_policy(policy_set).defects
    assert defect.path == ("root", "policy", "broken")
    assert "(((" in defect.reason


def test_a_defect_of_a_target_names_the_policy() -> None:
    broken = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, target=Target(subjects=((subject_is("/C=CH"),),)))
    assert [defect.path for defect in compile_policy(broken).defects] == [("root",)]
    assert compile_policy(root()).defects == ()
    assert isinstance(compile_policy(broken).defects[0], Defect)


def test_a_missing_attribute_that_must_be_present_is_an_error() -> None:
    evaluation = both(root(rule("1", Effect.PERMIT, vo_is("dteam", must_be_present=True))), request())
    assert evaluation.decision is Decision.INDETERMINATE
    assert evaluation.reason is not None
    assert "is missing" in evaluation.reason


def test_obligations_of_the_outermost_set_count() -> None:
    # BETTER: the Java PDP loses them.
    obligations = (Obligation("o", Effect.PERMIT),)
    assert both(root(rule("1", Effect.PERMIT), obligations=obligations), request()).obligations == obligations


def test_a_reference_that_is_reached_is_an_error() -> None:
    policy_set = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (PolicySetIdReference("elsewhere"),))
    evaluation = both(policy_set, request())
    assert (evaluation.decision, evaluation.path) == (Decision.INDETERMINATE, ("root", "elsewhere"))


def test_a_ban_is_found_behind_many_others_and_before_the_permit() -> None:
    bans = [rule(f"ban {number}", Effect.DENY, subject_is(f"CN={number}")) for number in range(2000)]
    compiled = compile_policy(root(*bans, rule("permit", Effect.PERMIT, vo_is("dteam"))))
    assert compiled.evaluate(request(("dteam",), "CN=1999")).path == ("root", "policy", "ban 1999")
    assert compiled.evaluate(request(("dteam",), "CN=2000")).path == ("root", "policy", "permit")


def test_a_value_of_another_data_type_than_the_function_compares_is_a_defect() -> None:
    wrong = Match(FunctionUri.FQAN_MATCH, vo_is("x").value, vo_is("x").designator)
    assert both(root(rule("1", Effect.PERMIT, wrong)), request(("x",))).decision is Decision.INDETERMINATE
    assert "does not compare" in compile_policy(root(rule("1", Effect.PERMIT, wrong))).defects[0].reason


def test_unknown_functions_and_algorithms_are_never_skipped() -> None:
    unknown = root(rule("1", Effect.PERMIT, vo_is("x", "urn:unknown")))
    with pytest.raises(UnknownFunction):
        evaluate(unknown, request(("x",)))
    with pytest.raises(UnknownFunction):
        compile_policy(unknown)
    for policy_set in (PolicySet("root", "urn:unknown"), PolicySet("root", Combining.RULES_FIRST_APPLICABLE)):
        with pytest.raises(UnknownAlgorithm):
            evaluate(policy_set, request())
        with pytest.raises(UnknownAlgorithm):
            compile_policy(policy_set)


def test_policies_made_from_equal_roots_are_equal() -> None:
    assert compile_policy(root(rule("1", Effect.DENY))) == compile_policy(root(rule("1", Effect.DENY)))
    assert compile_policy(root(rule("1", Effect.DENY))) != compile_policy(root(rule("1", Effect.PERMIT)))
