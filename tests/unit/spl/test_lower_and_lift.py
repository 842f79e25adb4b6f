"""SPL and XACML: values as they are stored, and policies that SPL has no words for."""

from dataclasses import replace

import pytest

from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.spl.ast import Action, Pair, Resource, Rule, Text
from argus_py.spl.ast import Obligation as SplObligation
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.errors import SplMeaningError
from argus_py.spl.lexer import MAX_PROBLEMS
from argus_py.spl.lift import NotExpressible, elements_of, lift_action, lift_listed_resource, lift_resource, lift_rule
from argus_py.spl.lower import (
    lower,
    lower_as_java,
    lower_obligation,
    lower_resource,
    rfc2253_of_slash,
    tree_of,
)
from argus_py.spl.parser import parse
from argus_py.xacml import policy as xacml
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Combining,
    Match,
    PolicyIdReference,
    PolicySetIdReference,
    Target,
    VariableDefinition,
)


def new_id() -> str:
    return "id"


def rule_of(**pairs: str) -> Rule:
    return Rule(Effect.PERMIT, tuple(Pair(Text(name), Text(value)) for name, value in pairs.items()))


def lowered(rule: Rule) -> xacml.Rule:
    resource = Resource(Text("wn"), (Action(Text("run"), (rule,)),))
    [policy] = lower_resource(resource, DEFAULT_MAPPINGS, new_id).policies()
    return policy.rules[0]


ACTION = Action(Text("run"), (rule_of(vo="dteam"),))
RESOURCE = Resource(Text("wn"), (ACTION,))
LOWERED_RESOURCE = lower_resource(RESOURCE, DEFAULT_MAPPINGS, new_id)
[LOWERED_ACTION] = LOWERED_RESOURCE.policies()
[LOWERED_RULE] = LOWERED_ACTION.rules
[[VO_MATCH]] = LOWERED_RULE.target.subjects
VO = DEFAULT_MAPPINGS.named("vo").designator  # type: ignore[union-attr]  # it is among them


@pytest.mark.parametrize(
    ("slash", "rfc2253"),
    [
        ("/C=CH/O=Example/CN=Example CA", "CN=Example CA,O=Example,C=CH"),
        ("/DC=org/CN=host/node1.example.org", "CN=host/node1.example.org,DC=org"),
        ("/DC=org/CN=a/emailAddress=a@b", "emailAddress=a@b,CN=a,DC=org"),
        ("/C=XX/O=Acme, Inc/CN=x", "CN=x,O=Acme\\, Inc,C=XX"),
        ("/C=XX/O=Acme + Co/CN=x", "CN=x,O=Acme \\+ Co,C=XX"),
        ("/DC=org/CN=a/E=a@b", "EMAILADDRESS=a@b,CN=a,DC=org"),
        ("/DC=org/UID=u/USERID=v", "UID=v,UID=u,DC=org"),
        ("/DC=org/POSTALCODE=1", "2.5.4.17=#130131,DC=org"),
    ],
)
def test_a_name_in_slash_form_is_stored_so_that_java_reads_it(slash: str, rfc2253: str) -> None:
    assert rfc2253_of_slash(slash) == rfc2253
    assert DistinguishedName.parse_rfc2253(rfc2253) == DistinguishedName.parse_slash(slash)


def test_a_name_in_no_form_is_refused() -> None:
    with pytest.raises(DnSyntaxError):
        rfc2253_of_slash("/nonsense")


def test_values_lose_their_blanks_and_names_in_rfc_2253_keep_their_spelling() -> None:
    rule = lowered(rule_of(subject=" CN = Spaced , O=x ", vo=" dteam "))
    [alternative] = rule.target.subjects
    assert [match.value.text for match in alternative] == ["CN = Spaced , O=x", "dteam"]


@pytest.mark.parametrize(
    ("pairs", "culprit"),
    [
        ({"dn": "CN=x"}, 'unknown attribute "dn"'),
        ({"vo": ""}, "the value is empty"),
        ({"vo": "  "}, "the value is empty"),
        ({"vo": "a\x01b"}, "XML"),
        ({"subject": "CN=a\x01b"}, "XML"),
        ({"subject": "E=a@b"}, "E=a@b"),
        ({"subject": "/E"}, "/E"),
        ({"fqan": "dteam"}, "dteam"),
        ({"pfqan": "/dteam/Role=a/Role=b"}, "Role=b"),
        ({"x509-authn-profile": "policy-("}, "policy-("),
        ({"resource": "(?=x)"}, "(?=x)"),
    ],
)
def test_what_no_pdp_could_use_is_refused(pairs: dict[str, str], culprit: str) -> None:
    with pytest.raises(SplMeaningError) as refusal:
        lowered(rule_of(**pairs))
    [problem] = refusal.value.problems
    assert culprit in problem.text


def test_all_problems_of_a_text_are_told_in_its_order() -> None:
    text = """resource "(" {
        action "*" { rule permit { dn="x" vo="" } }
        obligation "" { nope="x" }
    }
    action "a" { rule deny { fqan="x" } }"""
    with pytest.raises(SplMeaningError) as refusal:
        lower(parse(text), DEFAULT_MAPPINGS, new_id)
    assert [(problem.line, problem.column) for problem in refusal.value.problems] == [
        (1, 10),
        (2, 16),
        (2, 36),
        (2, 46),
        (3, 20),
        (3, 25),
        (5, 35),
    ]
    assert str(refusal.value).startswith("line 1, column 10: ")


def test_pairs_go_by_category_and_stay_in_order_within() -> None:
    rule = lowered(rule_of(action="x", vo="dteam", resource="r", fqan="/dteam"))
    assert [pair.attribute.text for pair in lift_rule(rule, DEFAULT_MAPPINGS).pairs] == [
        "vo",
        "fqan",
        "resource",
        "action",
    ]


def test_an_obligation_takes_attributes_and_is_for_permit() -> None:
    obligation = SplObligation(Text("o"), (Pair(Text("subject"), Text("/CN=a")),))
    assert lower_obligation(obligation, DEFAULT_MAPPINGS) == Obligation(
        "o", Effect.PERMIT, (AttributeAssignment(AttributeId.SUBJECT_ID, "CN=a", DataType.X500_NAME),)
    )


def test_a_blank_description_is_none() -> None:
    assert lower_resource(replace(RESOURCE, description=Text(" ")), DEFAULT_MAPPINGS, new_id).description is None


def test_the_owner_of_a_resource_is_recognised_as_java_stored_it() -> None:
    rule = lowered(rule_of(**{"emi-resource-owner": "CN=a"}))
    [[match]] = rule.target.resources
    assert isinstance(match.designator, AttributeDesignator)
    assert match.designator.attribute_id == DciSec.RESOURCE_OWNER
    stored = replace(rule, target=Target(resources=((replace(match, function=FunctionUri.STRING_EQUAL),),)))
    assert lift_rule(stored, DEFAULT_MAPPINGS) == lift_rule(rule, DEFAULT_MAPPINGS)


def with_match(**changes: object) -> Target:
    return Target(subjects=((replace(VO_MATCH, **changes),),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target",
    [
        Target(subjects=((VO_MATCH,), (VO_MATCH,))),
        Target(resources=((VO_MATCH,),)),
        with_match(function=FunctionUri.STRING_REGEXP_MATCH),
        with_match(value=AttributeValue(DataType.ANY_URI, "x")),
        with_match(designator=replace(VO, attribute_id="urn:unknown")),
        with_match(designator=replace(VO, issuer="i")),
        with_match(designator=replace(VO, must_be_present=True)),
        with_match(designator=replace(VO, subject_category="machine")),
        with_match(designator=replace(VO, category=Category.ENVIRONMENT)),
        with_match(designator=AttributeSelector("//vo", DataType.STRING)),
    ],
)
def test_a_rule_that_says_more_or_less_than_spl_can_is_not_told_as_something_else(target: Target) -> None:
    with pytest.raises(NotExpressible, match="id cannot be told"):
        lift_rule(replace(LOWERED_RULE, target=target), DEFAULT_MAPPINGS)


@pytest.mark.parametrize("changes", [{"description": "why"}, {"condition": AttributeValue(DataType.BOOLEAN, "true")}])
def test_a_rule_with_a_description_or_a_condition_is_not_expressible(changes: dict[str, object]) -> None:
    with pytest.raises(NotExpressible):
        lift_rule(replace(LOWERED_RULE, **changes), DEFAULT_MAPPINGS)  # type: ignore[arg-type]


def with_two(matches: tuple[tuple[Match, ...], ...]) -> Target:
    return Target(resources=matches * 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"combining": "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:deny-overrides"},
        {"target": Target()},
        {"target": Target(subjects=((VO_MATCH,),))},
        {"variables": (VariableDefinition("v", VO_MATCH.value),)},
        {"obligations": (Obligation("o", Effect.DENY),)},
        {"obligations": (Obligation("o", Effect.PERMIT, (AttributeAssignment("urn:unknown", "v"),)),)},
        {"obligations": (Obligation("o", Effect.PERMIT, (AttributeAssignment(Glite.FQAN, "/v", DataType.STRING),)),)},
    ],
)
def test_a_policy_that_is_no_action_is_not_expressible(changes: dict[str, object]) -> None:
    with pytest.raises(NotExpressible):
        lift_action(replace(LOWERED_ACTION, **changes), DEFAULT_MAPPINGS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"combining": Combining.RULES_FIRST_APPLICABLE},
        {"children": (PolicyIdReference("x"),)},
        {"target": with_two(LOWERED_RESOURCE.target.resources)},
        {"target": LOWERED_ACTION.target},
    ],
)
def test_a_policy_set_that_is_no_resource_is_not_expressible(changes: dict[str, object]) -> None:
    with pytest.raises(NotExpressible):
        lift_resource(replace(LOWERED_RESOURCE, **changes), DEFAULT_MAPPINGS)  # type: ignore[arg-type]


def test_ids_come_back_with_what_was_stored() -> None:
    resource = lift_resource(LOWERED_RESOURCE, DEFAULT_MAPPINGS)
    assert resource == RESOURCE
    assert (resource.id, resource.actions[0].id, resource.actions[0].rules[0].id) == ("id", "public_id", "id")


def test_a_refusal_names_the_element_and_its_id() -> None:
    rule = replace(LOWERED_RULE, id="r1", description="why")
    with pytest.raises(NotExpressible) as refusal:
        lift_resource(replace(LOWERED_RESOURCE, children=(replace(LOWERED_ACTION, rules=(rule,)),)), DEFAULT_MAPPINGS)
    assert (refusal.value.element, refusal.value.id) == ("Rule", "r1")
    assert str(refusal.value) == "Rule r1 cannot be told in the policy language: it has a description"


def test_a_listing_shows_attributes_without_a_name() -> None:
    rule = replace(LOWERED_RULE, target=with_match(designator=replace(VO, attribute_id="urn:unknown")))
    obligation = Obligation("o", Effect.PERMIT, (AttributeAssignment("urn:unknown", "v"),))
    action = replace(LOWERED_ACTION, rules=(rule,), obligations=(obligation,))
    [listed] = lift_listed_resource(replace(LOWERED_RESOURCE, children=(action,)), DEFAULT_MAPPINGS).actions
    assert listed.rules[0].pairs == (Pair(Text("unrecognized-id"), Text("dteam")),)
    assert listed.obligations[0].pairs == (Pair(Text("unrecognized-id"), Text("v")),)


def test_a_listing_gives_no_attribute_another_meaning() -> None:
    rule = replace(LOWERED_RULE, target=with_match(function=FunctionUri.STRING_REGEXP_MATCH))
    action = replace(LOWERED_ACTION, rules=(rule,))
    with pytest.raises(NotExpressible):
        lift_listed_resource(replace(LOWERED_RESOURCE, children=(action,)), DEFAULT_MAPPINGS)


def test_sets_that_only_hold_others_together_are_not_told() -> None:
    tree = tree_of([LOWERED_RESOURCE, LOWERED_ACTION], "0")
    assert (tree.id, tree.version) == ("root-default-0", "1")
    [default] = tree.children
    assert isinstance(default, xacml.PolicySet)
    assert (default.id, default.version) == ("default-0", "2")
    assert list(elements_of(tree)) == [replace(LOWERED_RESOURCE, version="2"), LOWERED_ACTION]


@pytest.mark.parametrize(
    "changes",
    [
        {"combining": "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides"},
        {"description": "why"},
        {"obligations": (Obligation("o", Effect.PERMIT),)},
        {"target": LOWERED_RESOURCE.target},
    ],
)
def test_a_set_that_says_something_stands_for_itself(changes: dict[str, object]) -> None:
    tree = replace(tree_of([LOWERED_RESOURCE], "0"), **changes)  # type: ignore[arg-type]
    assert list(elements_of(tree)) == [tree]


@pytest.mark.parametrize("reference", [PolicyIdReference("x"), PolicySetIdReference("x")])
def test_a_reference_to_what_is_not_there_is_refused(reference: PolicyIdReference | PolicySetIdReference) -> None:
    tree = replace(tree_of([], "0"), children=(reference,))
    with pytest.raises(NotExpressible, match=r"PolicySet root-default-0 cannot be told .*: it refers to x"):
        list(elements_of(tree))


def stored_by_java(**pairs: str) -> tuple[list[str], list[str]]:
    """The values, and what is warned of."""
    lowered = lower_as_java([Action(Text("a"), (rule_of(**pairs),))], DEFAULT_MAPPINGS, new_id)
    [policy] = lowered.elements
    assert isinstance(policy, xacml.Policy)
    [alternative] = policy.rules[0].target.subjects
    return [match.value.text for match in alternative], [warning.text for warning in lowered.warnings]


@pytest.mark.parametrize(
    ("pairs", "stored", "warning"),
    [
        ({"subject": "/DC=org/CN=a"}, "CN=a,DC=org", None),
        ({"subject": "/nonsense"}, "nonsense", "not a distinguished name"),
        ({"subject": "no name"}, "no name", "not a distinguished name"),
        ({"subject": "/C=XX/O=A + B/CN=x"}, "CN=x,O=A + B,C=XX", "the Java PAP stores 'CN=x,O=A + B,C=XX' for it"),
        ({"fqan": "cms"}, "cms", "not an FQAN"),
        ({"x509-authn-profile": "("}, "(", "("),
        ({"vo": " "}, "", "the value is empty"),
    ],
)
def test_as_java_stores_it_with_a_warning_of_what_no_pdp_can_use(
    pairs: dict[str, str], stored: str, warning: str | None
) -> None:
    values, warnings = stored_by_java(**pairs)
    assert values == [stored]
    assert len(warnings) == (warning is not None)
    assert all(str(warning) in each for each in warnings)


@pytest.mark.parametrize("pairs", [{"dn": "x"}, {"subject": ""}, {"subject": "/"}, {"vo": "a\x01b"}])
def test_what_java_refuses_is_refused_in_any_case(pairs: dict[str, str]) -> None:
    with pytest.raises(SplMeaningError) as refusal:
        stored_by_java(**pairs)
    assert len(refusal.value.problems) == 1


def test_the_number_of_problems_with_values_is_bounded() -> None:
    with pytest.raises(SplMeaningError) as refusal:
        lower([Action(Text("a"), (rule_of(vo=""),) * (MAX_PROBLEMS + 1))], DEFAULT_MAPPINGS, new_id)
    assert len(refusal.value.problems) == MAX_PROBLEMS
