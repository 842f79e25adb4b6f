"""Any bytes give a policy set or a typed error; what was read can be written, made ready and, soon, evaluated."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
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


# Policies that are made to hurt: refused, or decided in a time that does not grow as they do


PATIENCE = 10.0  # seconds of processor time for all requests; reading megabytes takes one
MEGABYTE = 1_000_000


def with_rule(content: str, before: str = "") -> bytes:
    """A policy of one rule; ``before`` stands before the rule, for definitions."""
    return f"""<x:PolicySet xmlns:x="{POLICY_NAMESPACE}" PolicySetId="root" Version="1"
 PolicyCombiningAlgId="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides"><x:Target/>
<x:Policy PolicyId="p" RuleCombiningAlgId="urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:deny-overrides">
<x:Target/>{before}<x:Rule RuleId="r" Effect="Permit">{content}</x:Rule></x:Policy></x:PolicySet>""".encode()


def applied(function: str, *arguments: str) -> str:
    return f'<x:Apply FunctionId="{FUNCTION}{function}">{"".join(arguments)}</x:Apply>'


def condition(expression: str) -> str:
    return f"<x:Condition>{expression}</x:Condition>"


def value(text: str, datatype: str = STRING) -> str:
    return f"<x:AttributeValue {datatype}>{text}</x:AttributeValue>"


def match(text: str, function: str = "string-regexp-match") -> str:
    designator = f'<x:SubjectAttributeDesignator AttributeId="vo" {STRING}/>'
    return f'<x:SubjectMatch MatchId="{FUNCTION}{function}">{value(text)}{designator}</x:SubjectMatch>'


def target(*matches: str) -> str:
    return f"<x:Target><x:Subjects><x:Subject>{''.join(matches)}</x:Subject></x:Subjects></x:Target>"


def nested(function: str, inner: str, levels: int) -> str:
    start, end = applied(function, "|").split("|")
    return start * levels + inner + end * levels


def doubling(levels: int) -> bytes:
    """Each variable stands for two of the one before it."""
    first = f'<x:VariableDefinition VariableId="v0">{value("1", INTEGER)}</x:VariableDefinition>'
    more = (
        f'<x:VariableDefinition VariableId="v{n}">'
        + applied("integer-add", *[f'<x:VariableReference VariableId="v{n - 1}"/>'] * 2)
        + "</x:VariableDefinition>"
        for n in range(1, levels)
    )
    last = f'<x:VariableReference VariableId="v{levels - 1}"/>'
    return with_rule(condition(applied("integer-equal", last, value("1", INTEGER))), first + "".join(more))


def xpath(path: str) -> bytes:
    selector = f'<x:AttributeSelector {STRING} RequestContextPath="{path}"/>'
    return with_rule(condition(applied("string-is-in", value("x"), selector)))


BOOLEAN = f'DataType="{DataType.BOOLEAN}"'
BAG, OTHER_BAG = (applied("string-bag", *[value(text)] * 3000) for text in "ab")
HOSTILE: dict[str, Callable[[], bytes]] = {
    "conditions in conditions": lambda: with_rule(condition(nested("not", value("true", BOOLEAN), 50_000))),
    "conditions in conditions, as deep as may be": lambda: with_rule(
        condition(nested("not", value("true", BOOLEAN), 90))
    ),
    "conditions that are not closed": lambda: with_rule("<x:Condition>" + '<x:Apply FunctionId="a">' * 50_000),
    "variables of variables": lambda: doubling(45),
    "a variable of itself": lambda: with_rule(
        condition('<x:VariableReference VariableId="v"/>'),
        '<x:VariableDefinition VariableId="v"><x:VariableReference VariableId="v"/></x:VariableDefinition>',
    ),
    "every value with every other": lambda: with_rule(
        condition(applied("any-of-any", f'<x:Function FunctionId="{FUNCTION}string-equal"/>', BAG, OTHER_BAG))
    ),
    "sets of sets": lambda: with_rule(
        condition(applied("string-set-equals", BAG, applied("string-union", BAG, OTHER_BAG)))
    ),
    "many arguments": lambda: with_rule(condition(applied("and", *[value("true", BOOLEAN)] * 20_000))),
    "long numbers": lambda: with_rule(
        condition(applied("integer-equal", *[applied("integer-multiply", *[value("9" * 90, INTEGER)] * 2)] * 2))
    ),
    "numbers without end": lambda: with_rule(
        condition(applied("integer-equal", *[value("9" * MEGABYTE, INTEGER)] * 2))
    ),
    "a long pattern": lambda: with_rule(target(match("a" * MEGABYTE))),
    "a pattern that backtracks": lambda: with_rule(target(match("(a|aa)*" * 20 + "$"), match("(.*)*" * 10))),
    "a pattern that counts": lambda: with_rule(target(match("(a{1,999}){1,999}"), match("((a{99}){99}){99}"))),
    "groups in groups": lambda: with_rule(target(match("(" * 2000 + ")" * 2000))),
    "many matches": lambda: with_rule(target(*[match("abc", "string-equal")] * 5000)),
    "many rules": lambda: with_rule('</x:Rule><x:Rule RuleId="q" Effect="Permit">' * 20_000),
    "a long path": lambda: xpath("/" + "a/" * MEGABYTE),
    "a path through everything": lambda: xpath("//*" * 30),
    "a path of predicates": lambda: xpath("//*[" * 500 + "1" + "]" * 500),
    "a path of functions": lambda: xpath("string-length(concat(" * 300 + "'a'" + ",'b'))" * 300),
    "a long identifier": lambda: with_rule("").replace(b'"root"', b'"%s"' % (b"r" * MEGABYTE)),
    "a long description": lambda: with_rule(f"<x:Description>{'d' * MEGABYTE}</x:Description>"),
    "a document type": lambda: b'<!DOCTYPE x [<!ENTITY a "a">]>' + with_rule(target(match("&a;"))),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_policy_made_to_hurt_is_refused_or_decided_soon(shape: str) -> None:
    xml = HOSTILE[shape]()
    started = time.process_time()
    try:
        compiled = compile_policy(read_policy_set(xml))
    except MalformedInput:
        return
    finally:
        assert time.process_time() - started < PATIENCE
    for request in REQUESTS:
        assert compiled.evaluate(request, NOW) == evaluate(compiled.root, request, NOW)
    assert time.process_time() - started < PATIENCE
