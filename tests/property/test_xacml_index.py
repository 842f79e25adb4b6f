"""The prepared policy answers as the evaluator does: decision, obligations, path and reason, errors included."""

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
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    Target,
)

# Few values, so that they meet; each list has some that cannot be read.
NAMES = ["CN=a,O=x", "cn=A, o=X", "CN=b,O=x", "O=x", "", "E=a@b", "no name"]
FQANS = ["/dteam", "/dteam/Role=NULL", "/dteam/Role=pilot", "/atlas", "", "dteam"]
WORDS = ["dteam", " dteam", "atlas", "", "  "]
PLACES = ["http://wn.example.org/1", "http://wnXexample.org/1", "http://wn.example.org/2", "wn", "", "w\ud800"]
PATTERNS = [".*", "http://wn.example.org/1", "http://wn[.]example[.]org/.*", "w.", "wn|ce", "(((", "a*+", "(?i)WN"]

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
        designator = AttributeDesignator(category, attribute_id, datatype, issuer, must_be_present)
        return Match(function, AttributeValue(datatype, draw(st.sampled_from(values))), designator)

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


def mostly(first_applicable: str, others: dict[str, object]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(first_applicable), st.just(first_applicable), st.sampled_from(sorted(others)))


POLICIES = st.builds(
    Policy,
    id=IDS,
    combining=mostly(Combining.RULES_FIRST_APPLICABLE, dict(RULE_ALGORITHMS)),
    rules=st.lists(st.builds(Rule, IDS, EFFECTS, TARGETS), max_size=8).map(tuple),
    target=TARGETS,
    obligations=OBLIGATIONS,
)


def policy_sets(children: st.SearchStrategy[Policy | PolicySet | PolicyIdReference]) -> st.SearchStrategy[PolicySet]:
    return st.builds(
        PolicySet,
        id=IDS,
        combining=mostly(Combining.POLICIES_FIRST_APPLICABLE, dict(POLICY_ALGORITHMS)),
        children=st.lists(children, max_size=5).map(tuple),
        target=TARGETS,
        obligations=OBLIGATIONS,
    )


ROOTS = policy_sets(st.one_of(POLICIES, policy_sets(POLICIES), st.builds(PolicyIdReference, IDS))).filter(
    lambda root: root.children
)


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


@settings(max_examples=150, deadline=None)
@given(ROOTS, st.lists(REQUESTS, min_size=1, max_size=5))
def test_the_index_answers_as_the_evaluator(root: PolicySet, requests: list[Request]) -> None:
    compiled = compile_policy(root)
    for request in requests:
        assert compiled.evaluate(request) == evaluate(root, request)
