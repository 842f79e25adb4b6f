"""The prepared policy answers as the evaluator does: decision, obligations, path, reason and fault, errors included."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Effect, Obligation
from argus_py.xacml.combining import POLICY_ALGORITHMS, RULE_ALGORITHMS
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.index import compile_policy
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
    PolicySetIdReference,
    Rule,
    Target,
    VariableDefinition,
    VariableReference,
)
from argus_py.xacml.trace import Recorder

# Few values, so that they meet; each list has some that cannot be read.
NAMES = ["CN=a,O=x", "cn=A, o=X", "CN=b,O=x", "O=x", "", "E=a@b", "no name"]
FQANS = ["/dteam", "/dteam/Role=NULL", "/dteam/Role=pilot", "/atlas", "", "dteam"]
WORDS = ["dteam", " dteam", "atlas", "", "  "]
PLACES = ["http://wn.example.org/1", "http://wnXexample.org/1", "http://wn.example.org/2", "wn", "", "w\ud800"]
PATTERNS = [
    *(".*", "http://wn.example.org/1", "http://wn[.]example[.]org/.*", "w.", "wn|ce", "(((", "a*+", "(?i)WN"),
    *(".+", "wn", "w?n", "[^/]*", "(?s).*", "http.*", ".*1", ".*/2"),  # enough to be matched in one pass
]

SUBJECT_ATTRIBUTES = [
    (AttributeId.SUBJECT_ID, DataType.X500_NAME, FunctionUri.X500_NAME_EQUAL, NAMES),
    (Glite.VIRTUAL_ORGANIZATION, DataType.STRING, FunctionUri.STRING_EQUAL, WORDS),
    (Glite.FQAN, DataType.FQAN, FunctionUri.FQAN_MATCH, FQANS),
    (Glite.FQAN, DataType.FQAN, Glite.FQAN_REGEXP_MATCH, [*FQANS, "/dteam/*", "/d*"]),
]
RESOURCE_ATTRIBUTES = [
    (AttributeId.RESOURCE_ID, DataType.STRING, FunctionUri.STRING_REGEXP_MATCH, PATTERNS),
    (AttributeId.RESOURCE_ID, DataType.STRING, FunctionUri.STRING_EQUAL, PLACES[:5]),
    (DciSec.RESOURCE_OWNER, DataType.X500_NAME, FunctionUri.STRING_EQUAL, NAMES),
]
ACTION_ATTRIBUTES = [(AttributeId.ACTION_ID, DataType.STRING, FunctionUri.STRING_REGEXP_MATCH, PATTERNS)]
ISSUERS = st.sampled_from([None, None, None, "someone"])


def matches(category: Category, known: list[tuple[str, str, str, list[str]]]) -> st.SearchStrategy[Match]:
    @st.composite
    def match(draw: st.DrawFn) -> Match:
        attribute_id, datatype, function, values = draw(st.sampled_from(known))
        issuer, must_be_present = draw(ISSUERS), draw(st.integers(0, 9)) == 0
        value = AttributeValue(datatype, draw(st.sampled_from(values)))
        if datatype == DataType.STRING and draw(st.integers(0, 9)) == 0:
            selector = AttributeSelector(f"//*[@AttributeId='{attribute_id}']/*/text()", datatype, (), must_be_present)
            return Match(function, value, selector)
        return Match(function, value, AttributeDesignator(category, attribute_id, datatype, issuer, must_be_present))

    return match()


def parts(
    category: Category, known: list[tuple[str, str, str, list[str]]]
) -> st.SearchStrategy[tuple[tuple[Match, ...], ...]]:
    """Mostly absent or one alternative, as PAPs write them."""
    alternative = st.lists(matches(category, known), min_size=1, max_size=2).map(tuple)
    return st.one_of(st.just(()), st.tuples(alternative), st.tuples(alternative), st.tuples(alternative, alternative))


TARGETS = st.builds(
    Target,
    subjects=parts(Category.SUBJECT, SUBJECT_ATTRIBUTES),
    resources=parts(Category.RESOURCE, RESOURCE_ATTRIBUTES),
    actions=parts(Category.ACTION, ACTION_ATTRIBUTES),
)
IDS = st.integers(0, 99).map(str)
EFFECTS = st.sampled_from(Effect)
OBLIGATIONS = st.lists(st.builds(Obligation, IDS, EFFECTS), max_size=2).map(tuple)

FUNCTION = "urn:oasis:names:tc:xacml:1.0:function:"
VO_BAG = AttributeDesignator(Category.SUBJECT, Glite.VIRTUAL_ORGANIZATION, DataType.STRING)
ONE_VO = Apply(FUNCTION + "string-one-and-only", (VO_BAG,))
HOUR = AttributeDesignator(Category.ENVIRONMENT, AttributeId.CURRENT_TIME, DataType.TIME, must_be_present=True)
VARIABLES = (
    VariableDefinition("v", Apply(FUNCTION + "string-equal", (AttributeValue(DataType.STRING, "dteam"), ONE_VO))),
    VariableDefinition("w", Apply(FUNCTION + "not", (VariableReference("v"),))),
)


def strings(texts: list[str]) -> st.SearchStrategy[AttributeValue]:
    return st.sampled_from(texts).map(lambda text: AttributeValue(DataType.STRING, text))


SIMPLE_CONDITIONS = st.one_of(
    st.sampled_from(["true", "false", "maybe"]).map(lambda word: AttributeValue(DataType.BOOLEAN, word)),
    st.sampled_from(["v", "w"]).map(VariableReference),
    strings(WORDS).map(lambda word: Apply(FUNCTION + "string-is-in", (word, VO_BAG))),
    strings(PATTERNS).map(lambda pattern: Apply(FUNCTION + "string-regexp-match", (pattern, ONE_VO))),
    strings(PATTERNS).map(
        lambda pattern: Apply(
            FUNCTION + "any-of", (FunctionReference(FunctionUri.STRING_REGEXP_MATCH), pattern, VO_BAG)
        )
    ),
    st.just(
        Apply(
            FUNCTION + "time-less-than",
            (Apply(FUNCTION + "time-one-and-only", (HOUR,)), AttributeValue(DataType.TIME, "12:00:00Z")),
        )
    ),
    st.just(
        Apply(
            FUNCTION + "integer-equal",
            (
                Apply(FUNCTION + "xpath-node-count", (AttributeValue(DataType.STRING, "//*[@Issuer]"),)),
                AttributeValue(DataType.INTEGER, "1"),
            ),
        )
    ),
)
CONDITIONS: st.SearchStrategy[Expression] = st.recursive(
    SIMPLE_CONDITIONS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: Apply(FUNCTION + "or", tuple(each))),
        st.lists(inner, max_size=3).map(lambda each: Apply(FUNCTION + "and", tuple(each))),
        inner.map(lambda each: Apply(FUNCTION + "not", (each,))),
    ),
    max_leaves=4,
)
RULES = st.builds(Rule, IDS, EFFECTS, TARGETS, condition=st.one_of(st.none(), st.none(), CONDITIONS))


def mostly(first_applicable: str, others: dict[str, object]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(first_applicable), st.just(first_applicable), st.sampled_from(sorted(others)))


POLICIES = st.builds(
    Policy,
    id=IDS,
    combining=mostly(Combining.RULES_FIRST_APPLICABLE, dict(RULE_ALGORITHMS)),
    rules=st.lists(RULES, max_size=8).map(tuple),
    target=TARGETS,
    obligations=OBLIGATIONS,
    variables=st.just(VARIABLES),
)
# Among so many rules that ask for a pattern alone, the patterns are worth a look-up.
POLICIES_OF_PATTERNS = st.builds(
    Policy,
    id=IDS,
    combining=mostly(Combining.RULES_FIRST_APPLICABLE, dict(RULE_ALGORITHMS)),
    rules=st.lists(
        st.builds(
            Rule,
            IDS,
            EFFECTS,
            st.builds(
                Target,
                resources=parts(Category.RESOURCE, RESOURCE_ATTRIBUTES[:1]),
                actions=parts(Category.ACTION, ACTION_ATTRIBUTES),
            ),
        ),
        min_size=10,
        max_size=30,
    ).map(tuple),
)
REFERENCES = st.one_of(
    st.builds(PolicyIdReference, IDS), st.builds(PolicySetIdReference, st.one_of(IDS, st.just("root")))
)


def policy_sets(
    children: st.SearchStrategy[Policy | PolicySet | PolicyIdReference | PolicySetIdReference],
) -> st.SearchStrategy[PolicySet]:
    return st.builds(
        PolicySet,
        id=IDS,
        combining=mostly(Combining.POLICIES_FIRST_APPLICABLE, dict(POLICY_ALGORITHMS)),
        children=st.lists(children, max_size=5).map(tuple),
        target=TARGETS,
        obligations=OBLIGATIONS,
    )


@st.composite
def roots(draw: st.DrawFn) -> PolicySet:
    """Some references lead to what is there, some nowhere."""
    inner = policy_sets(st.one_of(POLICIES, REFERENCES))
    root = draw(policy_sets(st.one_of(POLICIES, POLICIES_OF_PATTERNS, inner, REFERENCES)))
    known = [child.id for child in root.children if isinstance(child, Policy | PolicySet)]
    if not known or draw(st.booleans()):
        return root
    reference = PolicyIdReference if draw(st.booleans()) else PolicySetIdReference
    return replace(root, children=(reference(draw(st.sampled_from(known))), *root.children))


def attributes(known: list[tuple[str, str, list[str]]]) -> st.SearchStrategy[tuple[Attribute, ...]]:
    @st.composite
    def attribute(draw: st.DrawFn) -> Attribute:
        attribute_id, datatype, values = draw(st.sampled_from(known))
        drawn = draw(st.lists(st.sampled_from(values), max_size=2))
        return Attribute(attribute_id, tuple(drawn), datatype, draw(ISSUERS))

    return st.lists(attribute(), max_size=4).map(tuple)


REQUESTS = st.builds(
    Request,
    subjects=st.lists(
        st.builds(
            Subject,
            attributes(
                [
                    (AttributeId.SUBJECT_ID, DataType.X500_NAME, NAMES),
                    (Glite.VIRTUAL_ORGANIZATION, DataType.STRING, WORDS),
                    (Glite.VIRTUAL_ORGANIZATION, DataType.ANY_URI, WORDS),
                    (Glite.FQAN, DataType.FQAN, FQANS),
                ]
            ),
            st.sampled_from([None, None, "another category"]),
        ),
        max_size=2,
    ).map(tuple),
    resources=st.lists(
        st.builds(
            Resource,
            attributes(
                [
                    (AttributeId.RESOURCE_ID, DataType.STRING, PLACES),
                    (DciSec.RESOURCE_OWNER, DataType.X500_NAME, NAMES),
                ]
            ),
        ),
        max_size=2,
    ).map(tuple),
    action=st.builds(Action, attributes([(AttributeId.ACTION_ID, DataType.STRING, PLACES)])),
    environment=st.just(Environment()),
)


@st.composite
def long_lists(draw: st.DrawFn) -> PolicySet:
    """Hundreds of rules as PAPs write them, with some among them that are never plainly False."""
    function, values = draw(st.sampled_from([(known[2], known[3]) for known in SUBJECT_ATTRIBUTES[:3]]))
    attribute_id, datatype = next((k[0], k[1]) for k in SUBJECT_ATTRIBUTES if (k[2], k[3]) == (function, values))
    designator = AttributeDesignator(Category.SUBJECT, attribute_id, datatype)

    def one(number: int, text: str) -> Rule:
        match = Match(function, AttributeValue(datatype, text), designator)
        return Rule(f"n{number}", Effect.DENY, Target(subjects=((match,),)))

    strangers = {AttributeId.SUBJECT_ID: "CN=stranger {}", Glite.FQAN: "/stranger/{}"}
    template = strangers.get(attribute_id, "stranger {}")
    rules = [one(number, template.format(number)) for number in range(draw(st.integers(100, 300)))]
    for _ in range(draw(st.integers(0, 6))):
        rule = draw(st.one_of(RULES, st.sampled_from(values).map(lambda text: one(999, text))))
        rules.insert(draw(st.integers(0, len(rules))), rule)
    combining = draw(mostly(Combining.RULES_FIRST_APPLICABLE, dict(RULE_ALGORITHMS)))
    policy = Policy("long", combining, tuple(rules), obligations=draw(OBLIGATIONS), variables=VARIABLES)
    return PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, (policy, draw(POLICIES)))


MOMENTS = st.one_of(st.none(), st.just(datetime(2026, 1, 1, 9, tzinfo=UTC)))


@settings(max_examples=200, deadline=None)
@given(roots(), st.lists(REQUESTS, min_size=1, max_size=5), MOMENTS)
def test_the_index_answers_as_the_evaluator(root: PolicySet, requests: list[Request], moment: datetime | None) -> None:
    compiled = compile_policy(root)
    for request in requests:
        evaluation = evaluate(root, request, moment)
        assert compiled.evaluate(request, moment) == evaluation
        assert compiled.evaluate(request, moment) == evaluation  # now that it is remembered


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["drop", "double", "swap", "copy", "retarget"]), st.integers(0), st.integers(0)),
    min_size=1,
    max_size=4,
)


def edited(root: PolicySet, steps: list[Step]) -> PolicySet:
    """What it is after the steps; all that they do not touch are the same objects."""
    children = list(root.children)
    for step, one, other in steps:
        if not children:
            break
        at, to = one % len(children), other % len(children)
        child = children[at]
        match step:
            case "drop":
                del children[at]
            case "double":
                children.insert(to, child)
            case "swap":
                children[at], children[to] = children[to], child
            case "copy":
                children[at] = deepcopy(child)
            case _ if isinstance(child, Policy):
                targets = [rule.target for rule in child.rules]
                rotated = targets[other % len(targets or "x") :] + targets[: other % len(targets or "x")]
                rules = (replace(rule, target=target) for rule, target in zip(child.rules, rotated, strict=True))
                children[at] = replace(child, rules=tuple(rules))
    return replace(root, children=tuple(children))


@settings(max_examples=60, deadline=None)
@given(roots(), st.lists(STEPS, min_size=1, max_size=3), st.lists(REQUESTS, min_size=1, max_size=4), MOMENTS)
def test_what_is_known_of_a_policy_before_changes_nothing(
    root: PolicySet, changes: list[list[Step]], requests: list[Request], moment: datetime | None
) -> None:
    compiled = compile_policy(root)
    for steps in changes:
        root = edited(root, steps)
        compiled, fresh = compile_policy(root, compiled.sought), compile_policy(root)
        assert compiled.defects == fresh.defects
        assert compiled.asks_for_the_time == fresh.asks_for_the_time
        for request in requests:
            assert compiled.evaluate(request, moment) == fresh.evaluate(request, moment)


@settings(max_examples=60, deadline=None)
@given(long_lists(), st.lists(REQUESTS, min_size=1, max_size=4))
def test_what_may_be_an_error_is_reached_in_its_place_in_a_long_list(root: PolicySet, requests: list[Request]) -> None:
    compiled = compile_policy(root)
    for request in requests:
        assert compiled.evaluate(request) == evaluate(root, request)


@settings(max_examples=100, deadline=None)
@given(roots(), REQUESTS)
def test_a_recorder_changes_nothing_and_sees_the_way_to_the_decision(root: PolicySet, request: Request) -> None:
    trace = Recorder()
    evaluation = evaluate(root, request, trace=trace)
    assert evaluation == evaluate(root, request) == trace.root.evaluation
    nodes = [trace.root]
    for id in evaluation.path:
        nodes = [node for node in nodes if node.element.id == id]
        assert nodes
        assert all(node.explanation for node in nodes)
        nodes = [child for node in nodes for child in node.children]
