"""Java patterns: the recorded answers of Java, refusals by name, and linear time."""

import json
from pathlib import Path
from typing import Any

import pytest

from argus_py.xacml.java_pattern import MAX_LENGTH, JavaPattern, PatternSyntaxError

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


@pytest.mark.parametrize("pattern", ["x" * (MAX_LENGTH + 1), "\ud800", "[\ud800]", r"\ud800", r"\x{110000}", "\\p{L"])
def test_too_long_patterns_and_half_characters_are_refused(pattern: str) -> None:
    with pytest.raises(PatternSyntaxError):
        JavaPattern.compile(pattern)


def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time() -> None:
    assert not JavaPattern.compile("(a*)*(a|aa)+b").matches("a" * 100_000)


@pytest.mark.parametrize(
    ("pattern", "prefix", "suffix"),
    [
        ("wn", "wn", ""),
        ("http://ce.example[.]org/x", "http://ce", "org/x"),
        ("http://ce/.*", "http://ce/", ""),
        (".*/x", "", "/x"),
        ("ab*c", "a", "c"),
        ("ab?", "a", ""),
        ("(wn)x", "", "x"),
        ("wn|ce", "", ""),
        ("(?i)wn1", "", "1"),
        (r"\Qa.b\E.", "a.b", ""),
        ("^wn$", "wn", ""),
    ],
)
def test_what_every_match_begins_and_ends_with_is_known(pattern: str, prefix: str, suffix: str) -> None:
    compiled = JavaPattern.compile(pattern)
    assert (compiled.prefix, compiled.suffix) == (prefix, suffix)
