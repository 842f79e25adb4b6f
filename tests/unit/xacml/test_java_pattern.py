"""Java patterns: the recorded answers of Java, refusals by name, and linear time."""

import json
from pathlib import Path
from typing import Any

import pytest

from argus_py.xacml.java_pattern import (
    MAX_LENGTH,
    JavaPattern,
    PatternSet,
    PatternsTooLarge,
    PatternSyntaxError,
)

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/xacml/java-patterns.json").read_text())
KNOWN = {pattern: matched for pattern, matched in RECORDED["patterns"].items() if matched is not None}
BROKEN = [pattern for pattern, matched in RECORDED["patterns"].items() if matched is None]


@pytest.mark.parametrize("pattern", KNOWN)
def test_a_pattern_matches_the_texts_that_java_matches(pattern: str) -> None:
    compiled = JavaPattern.compile(pattern)
    assert [text for text in RECORDED["texts"] if compiled.matches(text)] == KNOWN[pattern]


@pytest.mark.parametrize("pattern", BROKEN)
def test_what_does_not_compile_in_java_is_refused(pattern: str) -> None:
    with pytest.raises(PatternSyntaxError):
        JavaPattern.compile(pattern)


@pytest.mark.parametrize("pattern", RECORDED["no_equal_here"])
def test_what_has_no_exact_equal_is_refused_not_approximated(pattern: str) -> None:
    with pytest.raises(PatternSyntaxError) as refusal:
        JavaPattern.compile(pattern)
    assert refusal.value.pattern == pattern
    assert refusal.value.reason


@pytest.mark.parametrize(
    "pattern", ["x" * (MAX_LENGTH + 1), r"\p{L}{1,500}", "\ud800", "[\ud800]", r"\ud800", r"\x{110000}", "\\p{L"]
)
def test_too_large_patterns_and_half_characters_are_refused(pattern: str) -> None:
    with pytest.raises(PatternSyntaxError):
        JavaPattern.compile(pattern)


def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time() -> None:
    assert not JavaPattern.compile("(a*)*(a|aa)+b").matches("a" * 100_000)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("wn", "wn"),
        ("^wn$", "wn"),
        (r"http:\/\/ce[.]org", None),
        (r"http://ce\.org", "http://ce.org"),
        (r"\Qa.b\E", "a.b"),
        ("", ""),
        ("a.c", None),
        ("ab?", None),
        ("a{1}", None),
        ("(wn)", None),
        ("wn|ce", None),
        ("(?i)wn", None),
        ("(?i)1", "1"),
    ],
)
def test_the_only_text_that_matches_is_known(pattern: str, literal: str | None) -> None:
    assert JavaPattern.compile(pattern).literal == literal


def test_a_set_tells_which_patterns_match() -> None:
    patterns = PatternSet([JavaPattern.compile(text) for text in ("a.*", "b", ".*c|x", "a.*")])
    assert [set(patterns.matching(text) or ()) for text in ("abc", "b", "y", "")] == [{0, 2, 3}, {1}, set(), set()]


def test_a_set_that_needs_too_much_memory_says_so() -> None:
    with pytest.raises(PatternsTooLarge):
        PatternSet([JavaPattern.compile("[^/]{1,1000}")], memory=10_000)
