"""What lint calls out of reach never decides, for whatever request; nor do bans that are called certain ever fail."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision, Effect
from argus_py.pap.bans import Ban, current_bans
from argus_py.pap.conditions import Implications
from argus_py.pap.lint.reach import shadowed
from argus_py.pap.lint.readings import PolicySource, Readings
from argus_py.spl.ast import Action as SplAction
from argus_py.spl.ast import Pair, Rule, Text
from argus_py.spl.ast import Resource as SplResource
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower_as_java
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.policy import Combining, Policy, PolicySet, Target
from argus_py.xacml.policy import Rule as XacmlRule

# Few values, so that they meet; some cannot be read, and some patterns only look as if one contained the other.
PATTERNS = [
    ".*",
    "a.*",
    "ab",
    "a[.]b",
    "a[.]b.*",
    "a.b",
    "ab*",
    "ab?",
    "a|b",
    "(a|b)c*",
    "a[^b]",
    "(?s).*",
    ".*b",
    "(((",
]
PLACES = ["ab", "a.b", "axb", "a.bc", "a\nb", "b", "abc", "a", "a\n"]
VALUES = {
    "subject": ["CN=a,O=x", "cn=A, o=X", "CN=b,O=x", "no name"],
    "vo": ["dteam", " dteam", "atlas"],
    "fqan": ["/dteam", "/dteam/Role=NULL", "/dteam/Role=pilot", "/atlas", "dteam"],
    "pfqan": ["/dteam", "/dteam/Role=pilot"],
    "x509-authn-profile": PATTERNS,
    "resource": PATTERNS,
    "action": PATTERNS,
}
PAIRS = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.sampled_from(VALUES[name]).map(lambda value: Pair(Text(name), Text(value)))
)
RULES = st.builds(Rule, st.sampled_from(Effect), st.lists(PAIRS, min_size=1, max_size=2).map(tuple))
ACTIONS = st.builds(SplAction, st.sampled_from(PATTERNS).map(Text), st.lists(RULES, max_size=5).map(tuple))
RESOURCES = st.builds(SplResource, st.sampled_from(PATTERNS).map(Text), st.lists(ACTIONS, max_size=2).map(tuple))


POLICIES = st.lists(RESOURCES, min_size=1, max_size=3)


def lowered(resources: list[SplResource]) -> tuple[PolicySet, ...]:
    numbers = map(str, count(1))
    elements = lower_as_java(resources, DEFAULT_MAPPINGS, numbers.__next__).elements
    return tuple(element for element in elements if isinstance(element, PolicySet))


def decision(resources: tuple[PolicySet, ...], request: Request) -> Evaluation:
    return evaluate(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, resources), request)


def request(
    names: tuple[str, ...],
    vos: tuple[str, ...],
    fqans: tuple[str, ...],
    places: tuple[tuple[str, ...], tuple[str, ...]],
    profiles: tuple[str, ...] = (),
) -> Request:
    subject = (
        Attribute(AttributeId.SUBJECT_ID, names, DataType.X500_NAME),
        Attribute(Glite.VIRTUAL_ORGANIZATION, vos),
        Attribute(Glite.FQAN, fqans, DataType.FQAN),
        Attribute(Glite.PRIMARY_FQAN, fqans[:1], DataType.FQAN),
        Attribute(Glite.X509_AUTHN_PROFILE, profiles),
    )
    return Request(
        (Subject(subject),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, places[0]),)),),
        Action((Attribute(AttributeId.ACTION_ID, places[1]),)),
    )


def some_of(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2).map(tuple)


ANY_REQUESTS = st.builds(
    request,
    some_of(VALUES["subject"]),
    some_of(VALUES["vo"]),
    some_of(VALUES["fqan"]),
    st.tuples(some_of(PLACES), some_of(PLACES)),
    some_of(PLACES),
)


@settings(max_examples=200, deadline=None)
@given(POLICIES, st.lists(ANY_REQUESTS, min_size=5, max_size=20))
def test_what_is_out_of_reach_never_decides(policy: list[SplResource], requests: list[Request]) -> None:
    resources = lowered(policy)
    rules = Readings([PolicySource("x", resources)]).rules
    implications = Implications(condition for rule in rules for condition in rule.demand.conditions)
    never = {rules[number].rule.id for number in shadowed(rules, implications)}
    for each in requests:
        evaluation = decision(resources, each)
        if evaluation.decision in (Decision.PERMIT, Decision.DENY):
            assert evaluation.path[-1] not in never


# As PEP daemons make them: one name, one VO to which all FQANs belong, one resource, one action.
MEMBERSHIPS = st.sampled_from(["/dteam", "/atlas"]).flatmap(
    lambda group: st.lists(st.sampled_from([group, f"{group}/Role=pilot"]), max_size=2, unique=True).map(tuple)
)
PEP_REQUESTS = st.builds(
    lambda name, fqans, resource, action: request(
        (name,), tuple({fqan.split("/")[1] for fqan in fqans}), fqans, ((resource,), (action,))
    ),
    st.sampled_from(VALUES["subject"][:3]),
    MEMBERSHIPS,
    st.sampled_from([place for place in PLACES if "\n" not in place]),
    st.sampled_from([place for place in PLACES if "\n" not in place]),
)


def is_denied_by(ban: Ban, made: Request) -> bool:
    """Whether the ban alone denies it."""
    alone = Policy("ban", Combining.RULES_FIRST_APPLICABLE, (XacmlRule("1", Effect.DENY, Target(((ban.match,),))),))
    return evaluate(alone, made).decision is Decision.DENY


@settings(max_examples=200, deadline=None)
@given(POLICIES, st.lists(PEP_REQUESTS, min_size=5, max_size=20))
def test_whom_a_certain_ban_denies_is_never_permitted(policy: list[SplResource], requests: list[Request]) -> None:
    resources = lowered(policy)
    certain = [ban for ban in current_bans([("default", resources)], DEFAULT_MAPPINGS) if ban.condition is None]
    for each in requests:
        if any(is_denied_by(ban, each) for ban in certain):
            assert decision(resources, each).decision is not Decision.PERMIT
