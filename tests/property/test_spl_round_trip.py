"""What is written is read back the same: SPL text, and SPL to XACML to XML and back."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.response import Effect
from argus_py.spl.ast import Action, Element, Obligation, Pair, Resource, Rule, Text
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lift import lift_action, lift_resource
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.spl.printer import format_source
from argus_py.xacml.policy import Policy
from argus_py.xacml.policy_xml import read_policy, read_policy_set, write_policy, write_policy_set

# Between quotes anything goes but line ends, quotes and backslashes; what is stored has no blanks at its ends.
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\"'\\"), min_size=1, max_size=8
)
TRIMMED = WORDS.map(str.strip).filter(bool)
TEXTS = TRIMMED.map(Text)
PATTERNS = st.sampled_from([".*", "wn", "http://ce[.]example[.]org/.*", "permit", "é|#|[{}]"]).map(Text)
SUBJECT_PAIRS = st.one_of(
    st.tuples(st.sampled_from(["vo", "emi-role", "oidc-group"]), TRIMMED),
    st.tuples(st.just("subject"), st.sampled_from(["CN=a,O=x", 'CN="Łukasz, jr",C=PL'])),
    st.tuples(st.sampled_from(["fqan", "pfqan"]), st.sampled_from(["/dteam", "/dteam/Role=pilot"])),
)
RESOURCE_PAIRS = st.tuples(st.just("resource"), st.sampled_from([".*", "wn"]))
ACTION_PAIRS = st.tuples(st.sampled_from(["action", "pilot-classifier"]), st.sampled_from([".*", "run"]))


def pairs(drawn: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[list[Pair]]:
    return st.lists(drawn.map(lambda pair: Pair(Text(pair[0]), Text(pair[1]))), max_size=2)


# In the order of XACML, in which they come back.
RULE_PAIRS = st.tuples(pairs(SUBJECT_PAIRS), pairs(RESOURCE_PAIRS), pairs(ACTION_PAIRS)).map(
    lambda parts: tuple(pair for part in parts for pair in part)
)
RULES = st.builds(Rule, st.sampled_from(Effect), RULE_PAIRS.filter(bool))
OBLIGATIONS = st.lists(st.builds(Obligation, TEXTS, pairs(SUBJECT_PAIRS).map(tuple)), max_size=2).map(tuple)
DESCRIPTIONS = st.none() | TEXTS
ACTIONS = st.builds(
    Action, PATTERNS, st.lists(RULES, min_size=1, max_size=3).map(tuple), OBLIGATIONS, DESCRIPTIONS, st.booleans()
)
RESOURCES = st.builds(
    Resource, PATTERNS, st.lists(ACTIONS, min_size=1, max_size=3).map(tuple), OBLIGATIONS, DESCRIPTIONS
)
ELEMENTS = st.lists(ACTIONS | RESOURCES, min_size=1, max_size=3).map(tuple)


@settings(max_examples=100, deadline=None)
@given(ELEMENTS)
def test_written_text_is_read_back(elements: tuple[Element, ...]) -> None:
    assert parse(format_source(elements)) == elements


@settings(max_examples=100, deadline=None)
@given(ELEMENTS)
def test_the_way_through_xacml_and_xml_changes_nothing(elements: tuple[Element, ...]) -> None:
    numbers = count()
    for element, lowered in zip(elements, lower(elements, DEFAULT_MAPPINGS, lambda: str(next(numbers))), strict=True):
        if isinstance(lowered, Policy):
            assert read_policy(write_policy(lowered)) == lowered
            assert lift_action(lowered, DEFAULT_MAPPINGS) == element
        else:
            assert read_policy_set(write_policy_set(lowered)) == lowered
            assert lift_resource(lowered, DEFAULT_MAPPINGS) == element
