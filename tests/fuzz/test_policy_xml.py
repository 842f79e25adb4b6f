"""Any bytes give a policy set or a typed error, and what was read can be written, made ready and evaluated."""

import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.xacml.context_xml import read_request
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.functions import FUNCTIONS, HIGHER_ORDER_FUNCTIONS, XPATH_FUNCTIONS
from argus_py.xacml.index import compile_policy
from argus_py.xacml.policy_elements import POLICY_NAMESPACE, PolicySyntaxError
from argus_py.xacml.policy_xml import read_policy_set, write_policy_set

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DELIVERED = (Path(__file__).parents[1] / "vectors/xacml/policy-two-paps.xml").read_bytes()
FUNCTION = "urn:oasis:names:tc:xacml:1.0:function:"
STRING, INTEGER = f'DataType="{DataType.STRING}"', f'DataType="{DataType.INTEGER}"'

# Something of everything that a PAP never writes.
WHOLE_LANGUAGE = f"""\
<x:PolicySet xmlns:x="{POLICY_NAMESPACE}" PolicySetId="root" Version="1"
 PolicyCombiningAlgId="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides">
<x:Target><x:Actions><x:Action><x:ActionMatch MatchId="{FUNCTION}string-equal">
<x:AttributeValue {STRING}>run</x:AttributeValue>
<x:AttributeSelector {STRING} RequestContextPath="//x:a/@b" MustBePresent="true"/>
</x:ActionMatch></x:Action></x:Actions></x:Target>
<x:PolicyIdReference Version="1.*">p</x:PolicyIdReference>
<x:PolicySetIdReference EarliestVersion="1">s</x:PolicySetIdReference>
<x:Policy PolicyId="p" Version="1.0"
 RuleCombiningAlgId="urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:permit-overrides">
<x:Target/>
<x:VariableDefinition VariableId="v">
<x:Apply FunctionId="{FUNCTION}integer-add"><x:AttributeValue {INTEGER}>1</x:AttributeValue>
<x:Apply FunctionId="{FUNCTION}integer-one-and-only">
<x:EnvironmentAttributeDesignator AttributeId="e" {INTEGER}/></x:Apply></x:Apply>
</x:VariableDefinition>
<x:Rule RuleId="r" Effect="Deny"><x:Condition>
<x:Apply FunctionId="{FUNCTION}or">
<x:Apply FunctionId="{FUNCTION}any-of"><x:Function FunctionId="{FUNCTION}string-regexp-match"/>
<x:AttributeValue {STRING}>a.*</x:AttributeValue><x:SubjectAttributeDesignator AttributeId="vo" {STRING}/></x:Apply>
<x:Apply FunctionId="{FUNCTION}integer-less-than"><x:VariableReference VariableId="v"/>
<x:Apply FunctionId="{FUNCTION}xpath-node-count"><x:AttributeValue {STRING}>//x:a</x:AttributeValue></x:Apply></x:Apply>
</x:Apply></x:Condition></x:Rule>
<x:Obligations><x:Obligation ObligationId="o" FulfillOn="Deny">
<x:AttributeAssignment AttributeId="a" {STRING}>v</x:AttributeAssignment></x:Obligation></x:Obligations>
</x:Policy>
<x:PolicySet PolicySetId="s"
 PolicyCombiningAlgId="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable"/>
</x:PolicySet>""".encode()
TOKENS = [re.findall(rb"<[^>]*>|[^<]+", re.sub(rb">\s+<", b"><", xml)) for xml in (DELIVERED, WHOLE_LANGUAGE)]
NAMES = [name.encode() for name in (*FUNCTIONS, *HIGHER_ORDER_FUNCTIONS, *XPATH_FUNCTIONS)]
TYPES = [uri.encode() for name, uri in vars(DataType).items() if not name.startswith("_")]
SPOILT = [b"xacml:", b"x:", b"string", b"Per", b'"', b"1", b"//", b"a"]

REQUESTS = [
    Request(),
    Request(
        (Subject((Attribute("vo", ("abc", "b")),)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, ("x",)),), "", f'<a xmlns="{POLICY_NAMESPACE}" b="run"/>'),),
        Action((Attribute(AttributeId.ACTION_ID, ("run",)),)),
    ),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A policy with some of its tags and texts dropped, doubled, swapped, spoilt or about other functions and types."""
    tokens = list(draw(st.sampled_from(TOKENS)))
    for _ in range(draw(st.integers(1, 3))):
        at, other = draw(st.integers(0, len(tokens) - 1)), draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "spoil", "function", "type"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "spoil":
                tokens[at] = tokens[at].replace(draw(st.sampled_from(SPOILT)), b"x")
            case "function":
                name = draw(st.sampled_from(NAMES))
                tokens[at] = re.sub(rb'(FunctionId|MatchId)="[^"]*"', rb'\1="' + name + b'"', tokens[at])
            case _:
                datatype = draw(st.sampled_from(TYPES))
                tokens = [re.sub(rb'DataType="[^"]*"', b'DataType="' + datatype + b'"', token) for token in tokens]
    return b"".join(tokens)


def test_the_undamaged_policy_is_evaluated_to_its_depth() -> None:
    paths = [evaluate(read_policy_set(WHOLE_LANGUAGE), request, NOW).path for request in REQUESTS]
    assert paths == [("root",), ("root", "p", "r")]


@settings(max_examples=400, deadline=None)
@given(st.one_of(damaged(), st.binary()))
def test_any_bytes_give_a_policy_set_or_a_typed_error(xml: bytes) -> None:
    try:
        policy_set = read_policy_set(xml)
    except PolicySyntaxError:
        return
    assert read_policy_set(write_policy_set(policy_set)) == policy_set
    compiled = compile_policy(policy_set)
    for request in REQUESTS:
        assert compiled.evaluate(request, NOW) == evaluate(policy_set, request, NOW)


CONTENT = b"""<Request xmlns="urn:oasis:names:tc:xacml:2.0:context:schema:os"><Subject><Attribute AttributeId="vo" \
DataType="http://www.w3.org/2001/XMLSchema#string"><AttributeValue>abc</AttributeValue><AttributeValue/></Attribute>\
</Subject><Resource><ResourceContent><a xmlns="urn:oasis:names:tc:xacml:2.0:policy:schema:os" b="run">text</a>\
</ResourceContent></Resource><Action/><Environment><Attribute AttributeId="e" \
DataType="http://www.w3.org/2001/XMLSchema#integer"><AttributeValue>-1</AttributeValue></Attribute></Environment></Request>"""
COMPILED = compile_policy(read_policy_set(WHOLE_LANGUAGE))
REQUEST_TOKENS = re.findall(rb"<[^>]*>|[^<]+", CONTENT)


@st.composite
def damaged_requests(draw: st.DrawFn) -> bytes:
    tokens = list(REQUEST_TOKENS)
    for _ in range(draw(st.integers(0, 3))):
        at, other = draw(st.integers(0, len(tokens) - 1)), draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "spoil", "text"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "spoil":
                tokens[at] = tokens[at].replace(draw(st.sampled_from([b"a", b"string", b"1", b'"', b"urn:"])), b"x")
            case _:
                tokens[at] += draw(st.sampled_from([b"&#1;", b"&lt;a&gt;", b"<a/>", b" ", "é".encode(), b"99"]))
    return b"".join(tokens)


@settings(max_examples=300, deadline=None)
@given(damaged_requests())
def test_any_request_is_evaluated_or_refused_by_a_typed_error(xml: bytes) -> None:
    try:
        request = read_request(xml)
        evaluation = COMPILED.evaluate(request, NOW)
    except MalformedInput:
        return
    assert evaluation == evaluate(COMPILED.root, request, NOW)
