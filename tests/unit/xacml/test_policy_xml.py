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
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.policy_xml import (
    PolicyNotSupported,
    PolicySyntaxError,
    policy_from_element,
    policy_set_from_element,
    policy_set_to_element,
    policy_to_element,
    read_policy,
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


MATCH = Match(
    STRING_EQUAL,
    AttributeValue(DataType.STRING, "dteam"),
    AttributeDesignator(Category.SUBJECT, "vo", DataType.STRING),
)


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
    other = replace(MATCH, designator=replace(MATCH.designator, subject_category="machine"))
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
        "<x:PolicyDefaults><x:XPathVersion>1</x:XPathVersion></x:PolicyDefaults>",
        '<x:CombinerParameters><x:CombinerParameter ParameterName="n"/></x:CombinerParameters>',
        "<!-- comment --><?pi?>",
    ],
)
def test_what_does_not_change_a_decision_is_skipped(skipped: str) -> None:
    assert read_policy(policy_xml(before=skipped)) == read_policy(policy_xml())


@pytest.mark.parametrize("name", ["Condition", "VariableDefinition", "AttributeSelector", "Apply"])
def test_what_is_not_supported_is_named_with_its_line(name: str) -> None:
    with pytest.raises(PolicyNotSupported, match=f"line 2: {name} is not supported yet") as refusal:
        read_policy(policy_xml(f'<x:Rule Effect="Deny" RuleId="r">\n<x:{name}/></x:Rule>'))
    assert (refusal.value.name, refusal.value.line) == (name, 2)


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
