"""Which conditions follow from which, and which exclude each other."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import MalformedInput
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import DataType, Glite
from argus_py.pap.conditions import Condition, Demands, Implications, may_meet
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.java_pattern import JavaPattern
from argus_py.xacml.policy import AttributeDesignator, AttributeValue, Category, Match, Target

PATTERNS = [
    *(".*", "a.*", "a.b.*", "a[.]b.*", "a[.].*", "ab.*", "(?s).*", "(?i)A.*", ".+", "a.+", "[^a].*", "a|.*"),
    *("a", "b", "ab", "a[.]b", "a.b", "ab*", "ab?", "ab{2}", "a|b", "ab|b", "(ab|b)", "a(b|c)", "a[^b]", "a[^b]b"),
    *(
        "a[b-d]",
        "a\\sb",
        "a\\.b",
        "a\\Q.*\\E",
        "a$",
        "^a",
        ".*b",
        "a.*b",
        "a..b",
        "a[.]+b",
        "(?s)a.b",
        "ab+.*",
        "ab?.*",
        "ac.*",
        "b.*",
    ),
]
TEXTS = [
    "a",
    "b",
    "ab",
    "abb",
    "a.b",
    "axb",
    "a\nb",
    "ab\nc",
    "b\na",
    "bc",
    "A",
    "a.*",
    "ac",
    "a..b",
    "a b",
    "ab.c",
    "x",
]


def condition(value: str, name: str = "resource") -> Condition:
    mapping = DEFAULT_MAPPINGS.named(name)
    assert mapping is not None
    match = Match(mapping.function, AttributeValue(mapping.value_datatype, value), mapping.designator)
    [found] = Demands().of(Target(resources=((match,),))).conditions
    return found


def fqan_condition(text: str, function: str) -> Condition:
    designator = AttributeDesignator(Category.SUBJECT, Glite.FQAN, DataType.FQAN)
    match = Match(function, AttributeValue(DataType.FQAN, text), designator)
    [found] = Demands().of(Target(subjects=((match,),))).conditions
    return found


def test_a_pattern_follows_from_another_only_if_it_matches_all_that_the_other_does() -> None:
    conditions = [condition(pattern) for pattern in PATTERNS]
    implications = Implications(conditions)
    for narrow, text in product(PATTERNS, TEXTS):
        if JavaPattern.compile(narrow).matches(text):
            for wide in implications.wider(condition(narrow)):
                assert JavaPattern.compile(wide.match.value.text).matches(text), (narrow, wide.match.value.text, text)


def test_patterns_exclude_each_other_only_if_no_text_matches_both() -> None:
    for one, other in product(PATTERNS, PATTERNS):
        if not may_meet(condition(one), condition(other)):
            both = [JavaPattern.compile(one), JavaPattern.compile(other)]
            assert not any(both[0].matches(text) and both[1].matches(text) for text in TEXTS), (one, other)


@settings(max_examples=300, deadline=None)
@given(
    st.text("ab.*[]^|+?()", max_size=6),
    st.text("ab.*[]^|+?()", max_size=6),
    st.lists(st.text("ab.\n", min_size=1, max_size=5), min_size=5, max_size=20),
)
def test_whatever_the_patterns_are(one: str, other: str, texts: list[str]) -> None:
    try:
        patterns = JavaPattern.compile(one), JavaPattern.compile(other)
        conditions = condition(one), condition(other)
    except (MalformedInput, ValueError):  # no patterns
        return
    follows = conditions[1] in Implications(conditions).wider(conditions[0])
    meet = may_meet(*conditions)
    for text in texts:
        matching = patterns[0].matches(text), patterns[1].matches(text)
        assert not (follows and matching == (True, False))
        assert meet or matching != (True, True)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("a", ".*"),
        ("a", "a.*"),
        ("a.b", "a.*"),
        ("a[.]b.*", "a[.].*"),
        ("https://ce[.]example[.]org:8443/.*", "https://ce[.]example[.]org:.*"),
        ("a[b-d]", "a.*"),
        ("(ab|b)", ".*"),
        ("a|b", ".*"),
    ],
)
def test_the_patterns_of_sites_are_understood(narrow: str, wide: str) -> None:
    known = condition(wide)
    assert known in Implications([known]).wider(condition(narrow))


def test_an_fqan_pattern_of_a_site_covers_fqans_and_narrower_patterns() -> None:
    wide = fqan_condition("/a/*/Role=*", Glite.FQAN_REGEXP_MATCH)
    role = fqan_condition("/a/*/Role=x", Glite.FQAN_REGEXP_MATCH)
    implications = Implications([wide, role])
    assert wide in implications.wider(role)
    assert role not in implications.wider(wide)
    assert wide in implications.wider(fqan_condition("/a/b/*", Glite.FQAN_REGEXP_MATCH))
    assert set(implications.wider(fqan_condition("/a/b/Role=x", Glite.FQAN_MATCH))) >= {wide, role}
    assert implications.wider(fqan_condition("/ab", Glite.FQAN_MATCH))[1:] == ()


def test_two_spellings_of_a_value_are_one_condition() -> None:
    assert condition("CN=A,O=x", "subject") == condition("cn=a, O=X", "subject")
    assert condition("/a/Role=NULL", "fqan") == condition("/a", "fqan")
    assert condition("a[.]b") != condition("a.b")
    assert condition("\\Qa\\E") == condition("a")


def test_different_values_exclude_each_other_and_attributes_do_not() -> None:
    assert not may_meet(condition("a", "vo"), condition("b", "vo"))
    assert may_meet(condition("a", "vo"), condition("a", "vo"))
    assert may_meet(condition("a", "vo"), condition("b", "emi-vo"))
    assert not may_meet(condition("/a", "pfqan"), condition("/b", "pfqan"))


def test_alternatives_and_conditions_are_not_all_that_is_demanded() -> None:
    match = condition("a", "vo").match
    assert Demands().of(Target(subjects=((match,),))).is_all
    assert not Demands().of(Target(subjects=((match,), (match,)))).is_all
    assert not Demands().of(Target(), has_condition=True).is_all


def test_a_match_that_can_only_be_an_error_is_told_with_its_reason() -> None:
    bad = Match(FunctionUri.FQAN_MATCH, AttributeValue(DataType.FQAN, "a"), condition("/a", "fqan").match.designator)
    unknown = Match("urn:unknown", bad.value, bad.designator)
    demand = Demands().of(Target(subjects=((bad, unknown),)))
    assert [match for match, _ in demand.unreadable] == [bad, unknown]
    assert not demand.is_all
    assert Fqan.parse("/a") == condition("/a", "fqan").wanted
