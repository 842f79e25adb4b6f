"""Patterns mean here what they mean to a backtracking engine: Python's stands in for Java's."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.xacml.java_pattern import JavaPattern, PatternSet

# "." of Python excludes LF alone, so texts have no other line end.
TEXTS = st.text(alphabet="abAB1_-./ \n", max_size=6)
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "A",
        ".",
        "/",
        r"\.",
        r"\-",
        "[.]",
        "[ab]",
        "[^a]",
        "[a-b1]",
        "[b-]",
        r"[\w-]",
        r"\d",
        r"\w",
        r"\s",
        r"\D",
        r"\S",
    ]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner.map("({})".format), st.sampled_from(["", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}"])).map(
            "".join
        ),
        st.tuples(ATOMS, st.sampled_from(["*", "+", "?", "{2}"])).map("".join),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["", "(?i)", "(?s)", "(?is)"]), PATTERNS, st.lists(TEXTS, min_size=1, max_size=20))
def test_a_pattern_matches_as_in_a_backtracking_engine(flags: str, pattern: str, texts: list[str]) -> None:
    ours, theirs = JavaPattern.compile(flags + pattern), re.compile(flags + pattern, re.ASCII)
    for text in texts:
        assert ours.matches(text) is (theirs.fullmatch(text) is not None), text


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "(?i)", "^"]), PATTERNS).map("".join), max_size=10), st.lists(TEXTS))
def test_a_set_tells_what_each_of_its_patterns_tells(patterns: list[str], texts: list[str]) -> None:
    compiled = [JavaPattern.compile(pattern) for pattern in patterns]
    pattern_set = PatternSet(compiled)
    for text in texts:
        matching = pattern_set.matching(text)
        assert matching is not None
        assert sorted(matching) == [number for number, each in enumerate(compiled) if each.matches(text)]


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=20))
def test_a_literal_is_all_that_matches(pattern: str, texts: list[str]) -> None:
    compiled = JavaPattern.compile(pattern)
    if compiled.literal is not None:
        assert compiled.matches(compiled.literal)
        assert not any(compiled.matches(text) for text in texts if text != compiled.literal)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20).filter(lambda text: "\\" not in text and text.isprintable()))
def test_quoted_text_stands_for_itself(text: str) -> None:
    compiled = JavaPattern.compile(f"\\Q{text}\\E")
    assert compiled.matches(text)
    assert compiled.literal == text
