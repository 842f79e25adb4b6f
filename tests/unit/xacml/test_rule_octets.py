"""Rules that a change has not touched are neither written nor read again, and nothing else differs by that."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.response import Effect
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.policy import (
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
from argus_py.xacml.policy_elements import POLICY_NAMESPACE
from argus_py.xacml.policy_xml import read_policy_set, write_policy, write_policy_set
from argus_py.xacml.rule_octets import PolicyWriter, RuleReader

RECORDED = Path(__file__).parents[2] / "vectors" / "soap" / "pap" / "response-policies.xml"
WHOLE = RECORDED.read_bytes()
NAMED = AttributeDesignator(Category.SUBJECT, AttributeId.SUBJECT_ID, DataType.STRING)
SEARCHED = AttributeSelector("//x", DataType.STRING)


def rule(id: str, text: str = "x", asked: AttributeDesignator | AttributeSelector = NAMED) -> Rule:
    match = Match(FunctionUri.STRING_EQUAL, AttributeValue(DataType.STRING, text), asked)
    return Rule(id, Effect.DENY, Target(subjects=((match,),)))


def policy(id: str, *rules: Rule) -> Policy:
    return Policy(id, Combining.RULES_FIRST_APPLICABLE, rules)


def policy_set(*policies: Policy | PolicySet) -> PolicySet:
    return PolicySet("set", Combining.POLICIES_FIRST_APPLICABLE, policies)


def read(reader: RuleReader, document: bytes) -> PolicySet:
    shortened = reader.shorten(document)
    return shortened.completed(read_policy_set(shortened.document))


def result(octets: bytes) -> PolicySet | None:
    try:
        return read_policy_set(octets)
    except MalformedInput:
        return None


def result_of_shortened(reader: RuleReader, octets: bytes) -> PolicySet | None:
    try:
        return read(reader, octets)
    except MalformedInput:
        return None


def policies_in(element: PolicySet | Policy) -> list[Policy]:
    if isinstance(element, Policy):
        return [element]
    return [p for child in element.children if isinstance(child, PolicySet | Policy) for p in policies_in(child)]


TREE = policy_set(
    policy("a", rule("1"), rule("2", "<&>\"' é")), policy_set(policy("b"), policy("c", rule("3"))), policy("d")
)


@pytest.mark.parametrize(
    "element",
    [
        TREE,
        policy_set(policy("a", rule("1"), rule("2", asked=SEARCHED))),
        policy_set(policy("a", rule("1", "Condition"))),
        policy_set(policy("a", Rule("", Effect.DENY))),
    ],
    ids=["rules", "a rule with XPath", "a rule that seems to have a condition", "a rule without id"],
)
def test_documents_are_those_that_are_written_at_once(element: PolicySet) -> None:
    writer = PolicyWriter()
    for _ in range(2):
        assert writer.write([element]) == write_policy_set(element)


def test_elements_are_written_one_after_the_other() -> None:
    single = policy("a", rule("1"))
    assert PolicyWriter().write([TREE, single]) == write_policy_set(TREE) + write_policy(single)


def test_a_change_is_written() -> None:
    writer = PolicyWriter()
    kept = rule("1")
    writer.write([policy_set(policy("a", kept, rule("2")))])
    after = policy_set(policy("a", rule("0"), kept))
    assert writer.write([after]) == write_policy_set(after)


def test_rules_that_are_known_are_the_same_objects() -> None:
    reader = RuleReader()
    first = read(reader, write_policy_set(TREE))
    banned = policy_set(policies_in(TREE)[0], policy("e", rule("9")))
    second = read(reader, write_policy_set(banned))
    assert (first, second) == (TREE, banned)
    assert all(
        one is other for one, other in zip(policies_in(first)[0].rules, policies_in(second)[0].rules, strict=True)
    )


def test_the_recorded_answer_of_a_java_pap_is_shortened() -> None:
    reader = RuleReader()
    shortened = reader.shorten(WHOLE)
    assert len(shortened.document) < len(WHOLE)
    assert b"<xacml:SubjectMatch" not in shortened.document


def test_a_part_has_its_octets_back() -> None:
    document = write_policy_set(TREE)
    shortened = RuleReader().shorten(document)
    assert len(shortened.document) < len(document)
    assert shortened.whole(shortened.document) == document


XACML = 'xmlns:xacml="urn:oasis:names:tc:xacml:2.0:policy:schema:os"'
DOCUMENT = write_policy_set(policy_set(policy("a", rule("1"), rule("2"))))
READ_WHOLE = {
    "a comment": DOCUMENT.replace(b"<xacml:Rule ", b"<!-- <xacml:Rule --><xacml:Rule ", 1),
    "CDATA": DOCUMENT.replace(b">x<", b"><![CDATA[x]]><"),
    "a processing instruction": DOCUMENT.replace(b"<xacml:Rule ", b"<?x <xacml:Rule ?><xacml:Rule ", 1),
    "another prefix": DOCUMENT.replace(b"xacml:", b"x:", 1)
    .replace(b"<xacml:", b"<x:")
    .replace(b"</xacml:", b"</x:")
    .replace(b"xmlns:xacml", b"xmlns:x"),
    "no prefix": DOCUMENT.replace(b"<xacml:", b"<").replace(b"</xacml:", b"</").replace(b"xmlns:xacml", b"xmlns"),
    "another encoding": DOCUMENT.decode().encode("utf-16"),
    "rules without content": write_policy_set(policy_set(policy("a"))),
    "a condition": DOCUMENT.replace(b">x<", b">Condition<"),
    "octets of rules as letters of UTF-16": (
        f'<PolicySet xmlns="{POLICY_NAMESPACE}" PolicySetId="s"'
        f' PolicyCombiningAlgId="{Combining.POLICIES_FIRST_APPLICABLE}"><Description>'
        + b'<xacml:Rule Effect="Deny" RuleId="ab"><xacml:Target/></xacml:Rule>'.decode("utf-16-le")
        + "</Description></PolicySet>"
    ).encode("utf-16"),
}


@pytest.mark.parametrize("form", READ_WHOLE)
def test_a_document_of_another_form_is_read_whole(form: str) -> None:
    document = READ_WHOLE[form]
    assert RuleReader().shorten(document).document == document
    assert read(RuleReader(), document) == read_policy_set(document)


@pytest.mark.parametrize(
    ("outer", "rules", "shorter"),
    [
        ("xmlns", [f"<xacml:Rule RuleId='a' {XACML} Effect='Deny'></xacml:Rule>"], False),
        ("xmlns", [f'<xacml:Rule RuleId="a" {XACML} Effect="Deny"></xacml:Rule>'], True),
        ("xmlns", [f'<xacml:Rule RuleId="a>" {XACML} Effect="Deny"></xacml:Rule>'], False),
        ("xmlns", [f'<xacml:Rule {XACML} RuleId="a" Effect="Deny"></xacml:Rule>', "<xacml:Rule RuleId='b'/>"], True),
        (
            "xmlns",
            [f'<xacml:Rule {XACML} RuleId="a" Effect="Deny"></xacml:Rule>', '<xacml:Rule RuleId="b" Effect="Deny"/>'],
            True,
        ),
        ("xmlns", ["<xacml:Rule RuleId='a' Effect='Deny'></xacml:Rule>"], True),
        ("xmlns", [f"<xacml:Rule RuleId='a' Effect='Deny'><xacml:Target {XACML}/></xacml:Rule>"], False),
        (
            "xmlns:xacml",
            [
                f'<xacml:Rule RuleId="a" {XACML} Effect="Deny"></xacml:Rule>',
                '<xacml:Rule RuleId="b" Effect="Deny"></xacml:Rule>',
            ],
            True,
        ),
    ],
)
def test_rules_that_declare_the_prefix_themselves_are_those_that_need_no_other(
    outer: str, rules: list[str], shorter: bool
) -> None:
    prefix = outer.removeprefix("xmlns").removeprefix(":")
    name = f"{prefix}:" if prefix else ""
    document = (
        f'<{name}PolicySet {outer}="{POLICY_NAMESPACE}" PolicySetId="s"'
        f" PolicyCombiningAlgId='{Combining.POLICIES_FIRST_APPLICABLE}'>"
        f"<{name}Policy PolicyId='p' RuleCombiningAlgId='{Combining.RULES_FIRST_APPLICABLE}'>"
        f"{''.join(rules)}</{name}Policy></{name}PolicySet>"
    ).encode()
    shortened = RuleReader().shorten(document)
    assert (shortened.document != document) is shorter
    assert result_of_shortened(RuleReader(), document) == result(document)
    if result(document) is not None:
        cut_out = etree.tostring(etree.fromstring(shortened.document))
        assert read_policy_set(shortened.whole(cut_out)) == result(document)


def test_a_prefix_that_means_something_else_is_not_mistaken() -> None:
    document = DOCUMENT.replace(XACML.encode(), b'xmlns:xacml="urn:x"', 1)
    assert RuleReader().shorten(document).document == document


def test_a_rule_that_stands_in_the_way_of_a_stand_in_is_itself() -> None:
    """Of the same kind by another prefix, and with an id like those of stand-ins."""
    foreign = f"<p:Rule xmlns:p='urn:oasis:names:tc:xacml:2.0:policy:schema:os' RuleId='{'0' * 32}-0' Effect='Permit'/>"
    document = DOCUMENT.replace(b"</xacml:Policy>", foreign.encode() + b"</xacml:Policy>")
    assert read(RuleReader(), document) == read_policy_set(document)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    pieces = WHOLE.replace(b"><", b">\0<").split(b"\0")
    for _ in range(draw(st.integers(1, 3))):
        at, other = (draw(st.integers(0, len(pieces) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "rename"])):
            case "drop":
                pieces[at] = b""
            case "double":
                pieces[at] *= 2
            case "swap":
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case _:
                pieces[at] = pieces[at].replace(
                    draw(st.sampled_from([b"Rule", b"xacml", b"<", b">", b'"', b"Target"])),
                    draw(st.sampled_from([b"Rule ", b"x", b"<!--", b"Rule/", b"Policy", b"]]>"])),
                    1,
                )
    return b"".join(pieces)


START, END = WHOLE.index(b"<xacml:PolicySet"), WHOLE.rindex(b"</xacml:PolicySet>") + len(b"</xacml:PolicySet>")


@settings(max_examples=300, deadline=None)
@given(damaged(), st.booleans())
def test_whatever_the_document_it_means_the_same(document: bytes, known: bool) -> None:
    """A damaged one is refused, or read as if it had been read whole."""
    document = document[document.find(b"<xacml:PolicySet") :]
    document = document[: document.rfind(b"</xacml:PolicySet>") + len(b"</xacml:PolicySet>")]
    reader = RuleReader()
    if known:
        reader.shorten(WHOLE[START:END])
    assert result_of_shortened(reader, document) == result(document)


FRAME = (
    f"<xacml:PolicySet {XACML} PolicySetId='s' PolicyCombiningAlgId='{Combining.POLICIES_FIRST_APPLICABLE}'>".encode(),
    b"</xacml:PolicySet>",
)
SNIPPETS = [
    f"<xacml:Policy PolicyId='p' RuleCombiningAlgId='{Combining.RULES_FIRST_APPLICABLE}'>".encode(),
    b"</xacml:Policy>",
    b"<xacml:Rule Effect='Deny' RuleId='a'>",
    b"<xacml:Rule Effect='Permit' RuleId='b'/>",
    b"<xacml:Rule\nEffect='Permit' RuleId='c'>",
    b"<xacml:Rule\tEffect='Permit' RuleId='d'/>",
    b"</xacml:Rule>",
    b"</xacml:Rule >",
    b"<xacml:RuleCombinerParameters>",
    b"</xacml:RuleCombinerParameters>",
    b"<xacml:Description>",
    b"</xacml:Description>",
    b"<xacml:Target/>",
    b"<Target/>",
    f"<Rule xmlns='{POLICY_NAMESPACE}' Effect='Permit' RuleId='e'>".encode(),
    f"<p:Rule xmlns:p='{POLICY_NAMESPACE}' Effect='Permit' RuleId='f'/>".encode(),
    b"</Rule>",
    f"<xacml:Rule {XACML} Effect='Deny' RuleId='g'>".encode(),
    b"<xacml:Rule xmlns:xacml='urn:x' Effect='Deny' RuleId='h'>",
    b"<xacml:Obligations xmlns:xacml = 'urn:x'>",
    b"</xacml:Obligations>",
    b"&lt;xacml:Rule &gt;",
    b"&amp;",
    b" \n",
    b"\x0c",
    b"\x0b",
    b"\xc2\xa0",
    b"]]>",
    b"x",
]
RULES = [b"<xacml:Rule Effect='Deny' RuleId='1'><xacml:Target/></xacml:Rule>", SNIPPETS[2] + SNIPPETS[6]]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*SNIPPETS, *RULES]), max_size=16), st.booleans())
def test_tags_in_any_order_mean_the_same(snippets: list[bytes], in_policy: bool) -> None:
    inside = b"".join([SNIPPETS[0], *snippets, SNIPPETS[1]] if in_policy else snippets)
    document = inside.join(FRAME)
    assert result_of_shortened(RuleReader(), document) == result(document)


def test_what_is_ignored_takes_no_rule_into_force() -> None:
    """Rules by other spellings could open and close elements around what stands between two rules."""
    document = b"".join(
        [
            FRAME[0],
            SNIPPETS[0],
            b"<xacml:Rule Effect='Deny' RuleId='a'></xacml:Rule ><xacml:RuleCombinerParameters>",
            b"<xacml:Rule\nEffect='Deny' RuleId='b'></xacml:Rule>",
            b"<xacml:Rule\nEffect='Permit' RuleId='evil'/>",
            b"<xacml:Rule Effect='Deny' RuleId='c'/></xacml:RuleCombinerParameters>",
            b"<xacml:Rule\nEffect='Deny' RuleId='d'></xacml:Rule>",
            SNIPPETS[1],
            FRAME[1],
        ]
    )
    (read_shortened,) = policies_in(read(RuleReader(), document))
    assert [each.id for each in read_shortened.rules] == ["a", "d"]


@pytest.mark.parametrize("blank", [b"\x0b", b"\x0c"])
def test_what_is_no_blank_of_xml_is_refused_between_rules(blank: bytes) -> None:
    document = DOCUMENT.replace(b"</xacml:Rule>", b"</xacml:Rule>" + blank, 1)
    with pytest.raises(MalformedInput):
        read(RuleReader(), document)


def test_a_version_that_grows_leaves_the_rules_known() -> None:
    reader = RuleReader()
    first = read(reader, DOCUMENT)
    second = read(reader, write_policy_set(replace(first, version="7")))
    assert policies_in(first)[0].rules[0] is policies_in(second)[0].rules[0]
    assert second.version == "7"


def test_errors_name_the_line_of_the_original() -> None:
    document = WHOLE[START:END].replace(b"><", b">\n<")
    spoilt = document[: -len("</xacml:PolicySet>")] + b"<x/></xacml:PolicySet>"
    told = []
    for octets in (spoilt, RuleReader().shorten(spoilt).document):
        with pytest.raises(MalformedInput) as caught:
            read_policy_set(octets)
        told.append(str(caught.value))
    assert told[0] == told[1]
