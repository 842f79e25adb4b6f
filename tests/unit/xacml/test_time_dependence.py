"""Which policies look at the clock."""

from dataclasses import replace

import pytest

from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.response import Effect
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Combining,
    Expression,
    FunctionReference,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    Target,
    VariableDefinition,
    VariableReference,
)
from argus_py.xacml.time_dependence import asks_for_the_time

TIME = AttributeDesignator(Category.ENVIRONMENT, AttributeId.CURRENT_TIME, DataType.TIME)
OTHER = AttributeDesignator(Category.ENVIRONMENT, "urn:weather", DataType.STRING)
RULE = Rule("rule", Effect.PERMIT)
POLICY = Policy("policy", Combining.RULES_FIRST_APPLICABLE, (RULE,))
ROOT = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (POLICY,))


def target(asked: AttributeDesignator | AttributeSelector) -> Target:
    value = AttributeValue(DataType.TIME, "12:00:00Z")
    return Target(environments=((Match("urn:other", value, OTHER),), (Match("urn:equal", value, asked),)))


def condition(asked: Expression) -> Expression:
    return Apply("urn:any-of", (FunctionReference("urn:f"), Apply("urn:g", (VariableReference("v"), asked))))


def within(policy: Policy) -> PolicySet:
    return replace(ROOT, children=(PolicyIdReference("elsewhere"), replace(ROOT, children=(policy,))))


def places(asked: AttributeDesignator) -> dict[str, PolicySet]:
    """A policy for each place in which it can ask."""
    return {
        "target of a set": replace(ROOT, target=target(asked)),
        "target of a policy": within(replace(POLICY, target=target(asked))),
        "target of a rule": within(replace(POLICY, rules=(RULE, replace(RULE, target=target(asked))))),
        "condition": within(replace(POLICY, rules=(RULE, replace(RULE, condition=condition(asked))))),
        "variable": within(replace(POLICY, variables=(VariableDefinition("v", condition(asked)),))),
    }


@pytest.mark.parametrize("place", places(TIME))
def test_one_that_designates_the_time_anywhere_does(place: str) -> None:
    assert asks_for_the_time(places(TIME)[place])
    assert not asks_for_the_time(places(OTHER)[place])


@pytest.mark.parametrize("id", [AttributeId.CURRENT_TIME, AttributeId.CURRENT_DATE, AttributeId.CURRENT_DATE_TIME])
def test_the_date_is_a_time(id: str) -> None:
    assert asks_for_the_time(replace(ROOT, target=target(replace(TIME, attribute_id=id))))


def test_what_a_selector_finds_is_part_of_the_request() -> None:
    selector = AttributeSelector(f"//*[@AttributeId='{AttributeId.CURRENT_TIME}']", DataType.TIME)
    assert not asks_for_the_time(replace(ROOT, target=target(selector)))
