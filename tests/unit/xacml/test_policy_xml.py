"""Policies in XML: what is read, written, and refused with its place."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.xacml.document import NotXmlText
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Combining,
    FunctionReference,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
    VariableDefinition,
    VariableReference,
)
from argus_py.xacml.policy_elements import PolicyNotSupported, PolicySyntaxError
from argus_py.xacml.policy_xml import (
    policy_from_element,
    policy_set_from_element,
    policy_set_to_element,
    policy_to_element,
    read_policy,
    read_policy_document,
    read_policy_set,
    write_policy,
    write_policy_set,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "xacml"
NAMESPACE = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
STRING_EQUAL = "urn:oasis:names:tc:xacml:1.0:function:string-equal"

RULE = f"""<x:Rule Effect="Permit" RuleId="r"><x:Target><x:Subjects><x:Subject>
<x:SubjectMatch MatchId="{STRING_EQUAL}">
<x:AttributeValue DataType="{DataType.STRING}"> dteam </x:AttributeValue>
<x:SubjectAttributeDesignator AttributeId="vo" DataType="{DataType.STRING}" MustBePresent="false"/>
</x:SubjectMatch></x:Subject></x:Subjects></x:Target></x:Rule>"""


def policy_xml(content: str = RULE, before: str = "") -> bytes:
    return (
        f'<x:Policy xmlns:x="{NAMESPACE}" PolicyId="p" RuleCombiningAlgId="{Combining.RULES_FIRST_APPLICABLE}" '
        f'Version="3">{before}<x:Target/>{content}</x:Policy>'
    ).encode()


def policy_set_xml(content: str = "") -> bytes:
    return (
        f'<x:PolicySet xmlns:x="{NAMESPACE}" PolicySetId="s" '
        f'PolicyCombiningAlgId="{Combining.POLICIES_FIRST_APPLICABLE}" Version="1"><x:Target/>{content}</x:PolicySet>'
    ).encode()


VO = AttributeDesignator(Category.SUBJECT, "vo", DataType.STRING)
MATCH = Match(STRING_EQUAL, AttributeValue(DataType.STRING, "dteam"), VO)


def test_a_rule_is_read_with_its_value_trimmed() -> None:
    assert read_policy(policy_xml()) == Policy(
        "p",
        Combining.RULES_FIRST_APPLICABLE,
        (Rule("r", Effect.PERMIT, Target(subjects=((MATCH,),))),),
        version="3",
    )


def test_a_policy_without_a_target_applies_to_everything() -> None:
    assert read_policy(policy_xml().replace(b"<x:Target/>", b"")).target == Target()


def test_children_keep_their_order_and_references_stay_references() -> None:
    policy = policy_xml("").decode()
    content = (
        f"<x:PolicySetIdReference> a </x:PolicySetIdReference>{policy}<x:PolicyIdReference>b</x:PolicyIdReference>"
    )
    children = read_policy_set(policy_set_xml(content)).children
    assert children == (
        PolicySetIdReference("a"),
        Policy("p", Combining.RULES_FIRST_APPLICABLE, version="3"),
        PolicyIdReference("b"),
    )


def test_everything_of_a_policy_is_written_and_read_back() -> None:
    environment = Match(
        STRING_EQUAL,
        AttributeValue(DataType.STRING, "<&>"),
        AttributeDesignator(Category.ENVIRONMENT, "e", DataType.STRING, issuer="i", must_be_present=True),
    )
    other = replace(MATCH, designator=replace(VO, subject_category="machine"))
    policy = Policy(
        "p",
        "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:deny-overrides",
        (Rule("r", Effect.DENY, Target(subjects=((MATCH, other), (MATCH,)), environments=((environment,),)), "why"),),
        obligations=(
            Obligation("o", Effect.DENY, (AttributeAssignment("a", "v"), AttributeAssignment("a", ""))),
            Obligation("o", Effect.PERMIT),
        ),
        description="ünïcode",
        version="12",
    )
    assert read_policy(write_policy(policy)) == policy
    assert policy_from_element(policy_to_element(policy)) == policy
    policy_set = PolicySet("s", Combining.POLICIES_FIRST_APPLICABLE, (policy, PolicyIdReference("x")), description="d")
    assert read_policy_set(write_policy_set(policy_set)) == policy_set
    assert policy_set_from_element(policy_set_to_element(policy_set)) == policy_set


@pytest.mark.parametrize("name", ["policy-ce-site.xml", "policy-two-paps.xml"])
def test_a_delivered_policy_is_written_as_the_java_pap_writes_it(name: str) -> None:
    root = etree.parse(VECTORS / name, etree.XMLParser(remove_blank_text=True)).getroot()
    assert write_policy_set(read_policy_set((VECTORS / name).read_bytes())) == etree.tostring(root, encoding="UTF-8")


@pytest.mark.parametrize(
    "skipped",
    [
        "<x:PolicyDefaults><x:XPathVersion>2</x:XPathVersion></x:PolicyDefaults>",
        '<x:CombinerParameters><x:CombinerParameter ParameterName="n"/></x:CombinerParameters>',
        "<!-- comment --><?pi?>",
    ],
)
def test_what_does_not_change_a_decision_is_skipped(skipped: str) -> None:
    assert read_policy(policy_xml(before=skipped)) == read_policy(policy_xml())


STRING = f'DataType="{DataType.STRING}"'
STRING_IS_IN = "urn:oasis:names:tc:xacml:1.0:function:string-is-in"
ANY_OF = "urn:oasis:names:tc:xacml:1.0:function:any-of"
NODE_COUNT = "urn:oasis:names:tc:xacml:1.0:function:xpath-node-count"
INTEGER_EQUAL = "urn:oasis:names:tc:xacml:1.0:function:integer-equal"
IS_IN = f"""<x:Apply FunctionId="{STRING_IS_IN}"><x:AttributeValue {STRING}>dteam</x:AttributeValue>
<x:SubjectAttributeDesignator AttributeId="vo" {STRING}/></x:Apply>"""


def rule_xml(condition: str) -> str:
    return f'<x:Rule Effect="Permit" RuleId="r"><x:Condition>{condition}</x:Condition></x:Rule>'


def condition_of(xml: bytes) -> object:
    (rule,) = read_policy(xml).rules
    return rule.condition


def test_conditions_and_variables_are_read() -> None:
    any_of = f"""<x:Apply FunctionId="{ANY_OF}"><x:Function FunctionId="{STRING_EQUAL}"/>
    <x:AttributeValue {STRING}> a </x:AttributeValue>
    <x:ActionAttributeDesignator AttributeId="b" {STRING} MustBePresent="true"/></x:Apply>"""
    definition = f'<x:VariableDefinition VariableId="v">{any_of}</x:VariableDefinition>'
    policy = read_policy(policy_xml(definition + rule_xml('<x:VariableReference VariableId="v"/>')))
    designator = AttributeDesignator(Category.ACTION, "b", DataType.STRING, must_be_present=True)
    arguments = (FunctionReference(STRING_EQUAL), AttributeValue(DataType.STRING, "a"), designator)
    assert policy.variables == (VariableDefinition("v", Apply(ANY_OF, arguments)),)
    assert policy.rules[0].condition == VariableReference("v")
    assert condition_of(policy_xml(rule_xml(IS_IN))) == Apply(
        STRING_IS_IN, (AttributeValue(DataType.STRING, "dteam"), VO)
    )


REGEXP = "urn:oasis:names:tc:xacml:1.0:function:string-regexp-match"
STRING_BAG = "urn:oasis:names:tc:xacml:1.0:function:string-bag"
BLANK_AND_STAR = f"<x:AttributeValue {STRING}>  *a *b </x:AttributeValue>"
STAR = f"<x:AttributeValue {STRING}>*a</x:AttributeValue>"


def apply_xml(function: str, *arguments: str) -> str:
    return f'<x:Apply FunctionId="{function}">{"".join(arguments)}</x:Apply>'


@pytest.mark.parametrize(
    ("condition", "texts"),
    [
        (apply_xml(REGEXP, BLANK_AND_STAR, BLANK_AND_STAR), ["a *b", "*a *b"]),
        (apply_xml(REGEXP, STAR, STAR), ["*a", "*a"]),
        (apply_xml(STRING_EQUAL, BLANK_AND_STAR, BLANK_AND_STAR), ["*a *b", "*a *b"]),
        (
            apply_xml(
                "urn:oasis:names:tc:xacml:1.0:function:any-of-any",
                f'<x:Function FunctionId="{REGEXP}"/>',
                apply_xml(STRING_BAG, BLANK_AND_STAR, STAR),
                apply_xml(STRING_BAG, BLANK_AND_STAR),
            ),
            ["a *b", "*a", "*a *b"],
        ),
    ],
)
def test_a_blank_at_the_start_of_a_pattern_is_cut_with_the_star_behind_it(condition: str, texts: list[str]) -> None:
    policy = read_policy(policy_xml(rule_xml(condition)))
    assert re.findall(r"text='([^']*)'", str(policy.rules[0].condition)) == texts
    assert read_policy(write_policy(policy)) == policy


SELECTOR = f'<x:AttributeSelector {STRING} RequestContextPath="//q:a/x:b/text()" xmlns:q="urn:q" xmlns:n="urn:n"/>'


def test_a_selector_keeps_the_prefixes_it_uses() -> None:
    content = f"""<x:Rule Effect="Permit" RuleId="r"><x:Target><x:Subjects><x:Subject>
    <x:SubjectMatch MatchId="{STRING_EQUAL}"><x:AttributeValue {STRING}>a</x:AttributeValue>{SELECTOR}</x:SubjectMatch>
    </x:Subject></x:Subjects></x:Target></x:Rule>"""
    policy = read_policy(policy_xml(content))
    selector = AttributeSelector("//q:a/x:b/text()", DataType.STRING, (("q", "urn:q"), ("x", NAMESPACE)))
    assert policy.rules[0].target.subjects[0][0].designator == selector
    assert read_policy(write_policy(policy)) == policy


def test_an_xpath_argument_keeps_the_prefixes_it_uses_and_no_other_value_does() -> None:
    count = f"""<x:Apply FunctionId="{INTEGER_EQUAL}"><x:Apply FunctionId="{NODE_COUNT}">
    <x:AttributeValue {STRING} xmlns:q="urn:q">//q:a</x:AttributeValue></x:Apply>
    <x:AttributeValue DataType="{DataType.INTEGER}">1</x:AttributeValue></x:Apply>"""
    policy = read_policy(policy_xml(rule_xml(count)))
    assert policy.rules[0].condition == Apply(
        INTEGER_EQUAL,
        (
            Apply(NODE_COUNT, (AttributeValue(DataType.STRING, "//q:a", (("q", "urn:q"),)),)),
            AttributeValue(DataType.INTEGER, "1"),
        ),
    )
    assert read_policy(write_policy(policy)) == policy


VERSION = "http://www.w3.org/TR/1999/Rec-xpath-19991116"


def test_a_policy_with_xpath_is_written_with_the_version_of_it() -> None:
    in_condition = f"""<x:Apply FunctionId="{STRING_IS_IN}"><x:AttributeValue {STRING}>a</x:AttributeValue>
    {SELECTOR}</x:Apply>"""
    xml = write_policy(read_policy(policy_xml(rule_xml(in_condition))))
    assert f"<xacml:PolicyDefaults><xacml:XPathVersion>{VERSION}</xacml:XPathVersion>".encode() in xml
    assert b"XPathVersion" not in write_policy(read_policy(policy_xml()))
    target = Target(actions=((replace(MATCH, designator=AttributeSelector("//a", DataType.STRING)),),))
    policy_set = PolicySet("s", Combining.POLICIES_FIRST_APPLICABLE, target=target)
    assert b"<xacml:PolicySetDefaults>" in write_policy_set(policy_set)
    assert read_policy_set(write_policy_set(policy_set)) == policy_set


@pytest.mark.parametrize(("version", "refused"), [(VERSION, False), (VERSION.upper(), False), ("urn:2.0", True)])
def test_another_version_of_xpath_is_refused_where_there_is_xpath(version: str, refused: bool) -> None:
    defaults = f"<x:PolicyDefaults><x:XPathVersion> {version} </x:XPathVersion></x:PolicyDefaults>"
    condition = f"""<x:Apply FunctionId="{STRING_IS_IN}"><x:AttributeValue {STRING}>a</x:AttributeValue>
    {SELECTOR}</x:Apply>"""
    read_policy(policy_xml(rule_xml(IS_IN), before=defaults))
    xml = policy_xml(rule_xml(condition), before=defaults)
    if refused:
        with pytest.raises(PolicyNotSupported, match="only XPath") as refusal:
            read_policy(xml)
        assert refusal.value.name == version
    else:
        read_policy(xml)


def test_references_keep_the_versions_they_ask_for() -> None:
    content = (
        '<x:PolicyIdReference Version="1.*" EarliestVersion="1.2">a</x:PolicyIdReference>'
        '<x:PolicySetIdReference LatestVersion="3.+">b</x:PolicySetIdReference>'
    )
    policy_set = read_policy_set(policy_set_xml(content))
    assert policy_set.children == (
        PolicyIdReference("a", version="1.*", earliest="1.2"),
        PolicySetIdReference("b", latest="3.+"),
    )
    assert read_policy_set(write_policy_set(policy_set)) == policy_set


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("", "Condition needs one expression"),
        (IS_IN * 2, "Condition needs one expression"),
        ("<x:Ban/>", "an expression is expected"),
        (f'<x:Function FunctionId="{STRING_EQUAL}"/>', "an expression is expected"),
        (f"<x:AttributeValue {STRING}>true</x:AttributeValue>", "rule r of policy p: the condition is not boolean"),
        ('<x:VariableReference VariableId="w"/>', "rule r of policy p: the variable 'w' is not defined"),
        (IS_IN.replace(STRING_IS_IN, STRING_EQUAL), f"rule r of policy p: {STRING_EQUAL} does not take"),
        (IS_IN.replace("dteam", "<b/>"), "text is expected"),
        (f'<x:Apply FunctionId="{NODE_COUNT}">{IS_IN}</x:Apply>', "is not a constant string"),
    ],
)
def test_a_condition_that_is_none_is_refused_with_its_rule(condition: str, reason: str) -> None:
    with pytest.raises(PolicySyntaxError, match=re.escape(reason)) as refusal:
        read_policy(policy_xml(rule_xml(condition)))
    assert refusal.value.line == 1


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (IS_IN.replace(STRING_IS_IN, "urn:f"), "urn:f"),
        (IS_IN.replace(STRING, 'DataType="urn:t"'), "urn:t"),
        (
            f'<x:Apply FunctionId="{STRING_IS_IN}"><x:AttributeValue {STRING}/>'
            f'<x:AttributeSelector {STRING} RequestContextPath="//a[//b]"/></x:Apply>',
            "//a[//b]",
        ),
    ],
)
def test_what_a_condition_needs_and_is_not_supported_is_named(condition: str, name: str) -> None:
    with pytest.raises(PolicyNotSupported) as refusal:
        read_policy(policy_xml(rule_xml(condition)))
    assert refusal.value.name == name


def test_a_selector_in_a_target_that_is_not_supported_is_named() -> None:
    xml = (
        policy_xml()
        .decode()
        .replace(
            f'<x:SubjectAttributeDesignator AttributeId="vo" {STRING} MustBePresent="false"/>',
            f'<x:AttributeSelector {STRING} RequestContextPath="x["/>',
        )
    )
    with pytest.raises(PolicyNotSupported) as refusal:
        read_policy(xml.encode())
    assert refusal.value.name == "x["


def test_wrong_variables_are_refused_even_if_nothing_needs_them() -> None:
    definition = '<x:VariableDefinition VariableId="v"><x:VariableReference VariableId="v"/></x:VariableDefinition>'
    with pytest.raises(PolicySyntaxError, match="policy p: the variable 'v' is defined by itself"):
        read_policy(policy_xml(definition))


@pytest.mark.parametrize(
    ("pattern", "replacement", "culprit"),
    [
        (STRING_EQUAL, "urn:f", "urn:f"),
        (f'AttributeValue DataType="{DataType.STRING}"', 'AttributeValue DataType="urn:d"', "urn:d"),
        (f'"vo" DataType="{DataType.STRING}"', '"vo" DataType="urn:d"', "urn:d"),
        (Combining.RULES_FIRST_APPLICABLE, Combining.POLICIES_FIRST_APPLICABLE, Combining.POLICIES_FIRST_APPLICABLE),
    ],
)
def test_an_unknown_uri_is_named(pattern: str, replacement: str, culprit: str) -> None:
    with pytest.raises(PolicyNotSupported) as refusal:
        read_policy(policy_xml().decode().replace(pattern, replacement).encode())
    assert refusal.value.name == culprit
    assert culprit in str(refusal.value)


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (' PolicyId="p"', ""),
        (' RuleId="r"', ""),
        ('Effect="Permit"', 'Effect="permit"'),
        ("<x:Target/>", "<x:Target/><x:Target/>"),
        ("<x:Target/>", "<x:Target><x:Subjects/></x:Target>"),
        ("<x:Target/>", "<x:Target><x:Subjects><x:Subject/></x:Subjects></x:Target>"),
        ("<x:Subject>", "<x:AnySubject/><x:Subject>"),
        ("<x:Subject>", "<x:Resource/><x:Subject>"),
        (" dteam ", "<x:b>dteam</x:b>"),
        ("<x:AttributeValue", "<x:AttributeValue DataType='urn:d'/><x:AttributeValue"),
        ("SubjectAttributeDesignator", "ActionAttributeDesignator"),
        ('MustBePresent="false"', 'MustBePresent="no"'),
        ("</x:Rule>", "</x:Rule><x:Ban/>"),
        ("</x:Policy>", "<x:Obligations><x:Obligation ObligationId='o'/></x:Obligations></x:Policy>"),
        ("</x:Policy>", "<x:Obligations><x:Other/></x:Obligations></x:Policy>"),
        ("</x:Policy>", "<!-- not closed"),
        (NAMESPACE, "urn:oasis:names:tc:xacml:1.0:policy"),
    ],
)
def test_what_is_not_understood_is_refused_and_never_skipped(pattern: str, replacement: str) -> None:
    xml = policy_xml().decode()
    assert pattern in xml
    with pytest.raises(PolicySyntaxError):
        read_policy(xml.replace(pattern, replacement).encode())


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"text",
        b'<!DOCTYPE x [<!ENTITY e "e">]>' + policy_set_xml(),
        policy_xml(),
        policy_set_xml().replace(b"</x:PolicySet>", b"<x:Rule/></x:PolicySet>"),
        b"<a>" * 200 + b"</a>" * 200,
    ],
)
def test_what_is_no_policy_set_is_refused(xml: bytes) -> None:
    with pytest.raises(PolicySyntaxError):
        read_policy_set(xml)


def test_a_value_that_xml_cannot_carry_is_not_written() -> None:
    policy = Policy("p\x01", Combining.RULES_FIRST_APPLICABLE)
    with pytest.raises(NotXmlText):
        write_policy(policy)
    value = replace(MATCH, value=AttributeValue(DataType.STRING, "\x00"))
    with pytest.raises(NotXmlText):
        write_policy(replace(policy, id="p", target=Target(subjects=((value,),))))


def test_attributes_are_written_in_alphabetical_order() -> None:
    resource = Match(
        STRING_EQUAL,
        AttributeValue(DataType.STRING, "r"),
        AttributeDesignator(Category.RESOURCE, AttributeId.RESOURCE_ID, DataType.STRING, issuer="i"),
    )
    target = Target(subjects=((MATCH,),), resources=((resource,),))
    obligations = (Obligation("o", Effect.PERMIT, (AttributeAssignment("a", "v"),)),)
    policy = Policy("p", Combining.RULES_FIRST_APPLICABLE, (Rule("r", Effect.PERMIT, target),), target, obligations)
    policy_set = PolicySet("s", Combining.POLICIES_FIRST_APPLICABLE, (policy,))
    for tag in re.findall(
        rb"<[^/>]*>", write_policy_set(policy_set).replace(f' xmlns:xacml="{NAMESPACE}"'.encode(), b"")
    ):
        names = re.findall(rb' (\w+)="', tag)
        assert names == sorted(names)


def test_a_document_may_be_either_of_the_two() -> None:
    policy = Policy("p", Combining.RULES_FIRST_APPLICABLE)
    policy_set = PolicySet("s", Combining.POLICIES_FIRST_APPLICABLE, (policy,))
    assert read_policy_document(write_policy(policy)) == policy
    assert read_policy_document(write_policy_set(policy_set)) == policy_set
    with pytest.raises(PolicySyntaxError, match=r"unexpected element Request: PolicySet of XACML 2\.0 is expected"):
        read_policy_document(b"<Request/>")
