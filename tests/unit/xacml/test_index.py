"""The prepared policy: what is found by a look-up, and what is told of what can only fail."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Effect, Obligation
from argus_py.xacml.combining import RULE_ALGORITHMS
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.index import compile_policy
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.policy import (
    Alternative,
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    Rule,
    Target,
)

MANY = 20  # patterns, enough to be matched in one pass


def vo_is(text: str) -> Match:
    designator = AttributeDesignator(Category.SUBJECT, Glite.VIRTUAL_ORGANIZATION, DataType.STRING)
    return Match(FunctionUri.STRING_EQUAL, AttributeValue(DataType.STRING, text), designator)


def resource_matches(pattern: str) -> Match:
    designator = AttributeDesignator(Category.RESOURCE, AttributeId.RESOURCE_ID, DataType.STRING)
    return Match(FunctionUri.STRING_REGEXP_MATCH, AttributeValue(DataType.STRING, pattern), designator)


def rule(
    id: str, effect: Effect = Effect.PERMIT, *, subjects: Sequence[Match] = (), resources: Sequence[Match] = ()
) -> Rule:
    """Each match is an alternative."""
    subject_part: tuple[Alternative, ...] = tuple((match,) for match in subjects)
    resource_part: tuple[Alternative, ...] = tuple((match,) for match in resources)
    return Rule(id, effect, Target(subject_part, resource_part))


def root(*rules: Rule, combining: str = Combining.RULES_FIRST_APPLICABLE) -> PolicySet:
    policy = Policy("policy", combining, rules, obligations=(Obligation("o", Effect.PERMIT),))
    return PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (policy,))


def request(vo: Sequence[str] = (), resources: Sequence[str] = ()) -> Request:
    return Request(
        (Subject((Attribute(Glite.VIRTUAL_ORGANIZATION, tuple(vo)),)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, tuple(resources)),)),),
        Action(),
    )


def decided(policy_set: PolicySet, asked: Request) -> Evaluation:
    """As by the evaluator."""
    compiled = compile_policy(policy_set)
    evaluation = compiled.evaluate(asked)
    assert evaluation == evaluate(policy_set, asked)
    assert evaluation == compiled.evaluate(asked)  # remembered or not
    return evaluation


@pytest.mark.parametrize("vo", ["vo7", "last", "nobody"])
def test_a_decision_takes_as_many_steps_whatever_the_number_of_rules(vo: str) -> None:
    def steps(count: int) -> int:
        places = [rule(f"p{n}", resources=[resource_matches(f"http://ce{n}/.*")]) for n in range(count)]
        bans = [rule(str(n), Effect.DENY, subjects=[vo_is(f"vo{n}")]) for n in range(count)]
        compiled = compile_policy(root(*bans, rule("last", subjects=[vo_is("last")]), *places))
        asked = request([vo], ["http://elsewhere/"])
        compiled.evaluate(asked)
        return _calls(lambda: compiled.evaluate(asked))

    assert steps(20) == steps(5_000)


def _calls(work: Callable[[], object]) -> int:
    """How many functions it calls, those of C too."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def test_each_of_several_alternatives_finds_its_rule() -> None:
    bans = [rule(str(n), Effect.DENY, subjects=[vo_is(f"a{n}"), vo_is(f"b{n}")]) for n in range(MANY)]
    policy_set = root(*bans, rule("permit"))
    assert decided(policy_set, request(["b7"])).path[-1] == "7"
    assert decided(policy_set, request(["a9", "b7"])).path[-1] == "7"
    assert decided(policy_set, request(["x"])).path[-1] == "permit"


def test_an_alternative_that_cannot_be_looked_up_is_never_passed_over() -> None:
    value, designator = vo_is("m").value, vo_is("m").designator
    before_m = Match("urn:oasis:names:tc:xacml:1.0:function:string-greater-than", value, designator)
    policy_set = root(rule("1", Effect.DENY, subjects=[vo_is("x"), before_m]), rule("2"))
    assert [decided(policy_set, request([vo])).path[-1] for vo in "axz"] == ["1", "1", "2"]


def test_many_patterns_are_matched_in_one_pass() -> None:
    rules = [rule(str(n), resources=[resource_matches(f"http://ce{n}[.]example[.]org/.*")]) for n in range(MANY)]
    policy_set = root(rule("literal", resources=[resource_matches("wn")]), *rules)
    assert decided(policy_set, request(resources=["http://ce7.example.org/x"])).path[-1] == "7"
    assert decided(policy_set, request(resources=["http://ce7.example.org/x", "wn"])).path[-1] == "literal"
    assert decided(policy_set, request(resources=["http://ce7xexample.org/x"])).decision is Decision.NOT_APPLICABLE
    assert decided(policy_set, request(resources=["http://ce7.example.org/" + "x" * 1000])).path[-1] == "7"


def test_one_pattern_of_several_rules_finds_them_in_order() -> None:
    rules = [rule(str(n), subjects=[vo_is(f"vo{n}")], resources=[resource_matches("ce.*")]) for n in range(MANY)]
    patterns = [rule(f"p{n}", resources=[resource_matches(f"x{n}.*")]) for n in range(MANY)]
    assert decided(root(*rules, *patterns), request(["vo3", "vo2"], ["ce"])).path[-1] == "2"


def test_patterns_too_large_for_one_pass_are_matched_in_several() -> None:
    large = [rule(str(n), resources=[resource_matches(f"[^/]{{1,1000}}-{n}")]) for n in range(70)]
    assert decided(root(*large), request(resources=["é-7"])).path[-1] == "7"
    assert decided(root(*large), request(resources=["é-69"])).path[-1] == "69"


def test_a_value_that_cannot_be_read_leaves_no_rule_out_that_asks_for_it() -> None:
    by_name = AttributeDesignator(Category.SUBJECT, AttributeId.SUBJECT_ID, DataType.X500_NAME)
    banned = Match(FunctionUri.X500_NAME_EQUAL, AttributeValue(DataType.X500_NAME, "CN=a"), by_name)
    rules = (rule("1", Effect.DENY, subjects=[banned], resources=[resource_matches("ce.*")]), rule("2"))
    nameless = Attribute(AttributeId.SUBJECT_ID, ("no name",), DataType.X500_NAME)
    for place, decision in (("ce1", Decision.INDETERMINATE), ("wn", Decision.PERMIT)):
        asked = Request((Subject((nameless,)),), request(resources=[place]).resources, Action())
        assert decided(root(*rules), asked).decision is decision


@pytest.mark.parametrize("combining", RULE_ALGORITHMS)
def test_every_algorithm_looks_at_candidates_alone(combining: str) -> None:
    rules = [rule(str(n), subjects=[vo_is(str(n))]) for n in range(MANY)]
    rules += [rule("deny", Effect.DENY, subjects=[vo_is("bad")]), rule("all", subjects=[vo_is("7"), vo_is("good")])]
    policy_set = root(*rules, combining=combining)
    assert decided(policy_set, request(["7"])).decision is Decision.PERMIT
    assert decided(policy_set, request(["bad"])).decision is Decision.DENY
    assert decided(policy_set, request(["nobody"])).decision is Decision.NOT_APPLICABLE
    decided(policy_set, request(["7", "bad"]))


def test_a_condition_is_looked_at_after_the_target(expression: Callable[[Any], Any]) -> None:
    error = expression(("boolean-one-and-only", ("boolean-bag",)))
    rules = (Rule("1", Effect.DENY, Target(((vo_is("a"),),)), condition=error), rule("2"))
    assert decided(root(*rules), request(["b"])).path[-1] == "2"
    assert decided(root(*rules), request(["a"])).decision is Decision.INDETERMINATE


@pytest.mark.parametrize("value", ["true", "false"])
def test_a_target_in_error_is_an_error_whatever_the_condition_says(
    value: str, expression: Callable[[Any], Any]
) -> None:
    condition = expression(f"boolean:{value}")
    broken = Rule("1", Effect.DENY, Target(((resource_matches("*"),),)), condition=condition)
    assert decided(root(broken, rule("2")), request(resources=["x"])).decision is Decision.INDETERMINATE


def test_a_target_with_a_selector_is_always_looked_at() -> None:
    selected = Match(
        FunctionUri.STRING_EQUAL,
        AttributeValue(DataType.STRING, "x"),
        AttributeSelector("//@Issuer", DataType.STRING, must_be_present=True),
    )
    target = Target(subjects=((vo_is("a"),),), resources=((selected,),))
    policy_set = root(Rule("1", Effect.DENY, target), rule("2"))
    assert decided(policy_set, request(["b"])).path[-1] == "2"
    assert decided(policy_set, request(["a"])).decision is Decision.INDETERMINATE


def test_what_the_look_up_skips_leaves_as_many_searches_as_the_evaluator_has() -> None:
    def selecting(number: int) -> Match:
        selector = AttributeSelector(f"//x{number}/text()", DataType.STRING)
        return Match(FunctionUri.STRING_EQUAL, AttributeValue(DataType.STRING, "x"), selector)

    targets = [Target(subjects=((selecting(n),),), resources=((resource_matches("wn"),),)) for n in range(60)]
    rules = [Rule(str(n), Effect.DENY, target) for n, target in enumerate(targets)]
    last = Rule("last", Effect.DENY, Target(subjects=((selecting(99),),)))
    large = request(["x"] * 900, ["ce"])
    assert decided(root(*rules, last, rule("permit")), large).decision is Decision.INDETERMINATE
    assert decided(root(last, rule("permit")), large).path[-1] == "permit"


def test_what_is_found_in_two_ways_counts_once() -> None:
    target = Target(subjects=((vo_is("a"),), (vo_is("b"),)))
    policies = [
        Policy(str(n), Combining.RULES_FIRST_APPLICABLE, (rule("r"),), target, (Obligation(str(n), Effect.PERMIT),))
        for n in range(3)
    ]
    deny_overrides = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides"
    evaluation = decided(PolicySet("root", deny_overrides, tuple(policies)), request(["a", "b"]))
    assert [obligation.id for obligation in evaluation.obligations] == ["0", "1", "2"]


def test_what_can_only_fail_in_a_condition_is_a_defect(expression: Callable[[Any], Any]) -> None:
    broken = expression(("string-regexp-match", "string:[a&&b]", "string:a"))
    (defect,) = compile_policy(root(Rule("1", Effect.DENY, condition=broken))).defects
    assert defect.path == ("root", "policy", "1")
    assert "[a&&b]" in defect.reason
    assert str(defect) == f"1 of policy of root: {defect.reason}"
