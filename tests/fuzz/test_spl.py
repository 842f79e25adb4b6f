"""Any text gives policies or a typed error that places every problem."""

import time
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.spl.attributes import DEFAULT_MAPPINGS, MappingError, parse_mappings
from argus_py.spl.errors import Problem, SplError
from argus_py.spl.formatter import format_text
from argus_py.spl.lexer import MAX_PROBLEMS, split_words
from argus_py.spl.lower import lower, lower_as_java
from argus_py.spl.parser import parse, parse_as_java
from argus_py.xacml.making_room import no_collections

KEYWORDS = ["resource", "action", "rule", "permit", "deny", "description", "obligation", "private"]
WORDS = ["vo", "fqan", "subject", '"x"', "'y'", '".*"', '"/dteam"', '"CN=a"', '""', '"((("']
CHARACTERS = ["{", "}", "=", "#", "\n", "\t", "\r", "\\", '"\\', '"', ",", "$", "é"]
FRAGMENTS = st.sampled_from([*KEYWORDS, *WORDS, *CHARACTERS])
TEXTS = st.one_of(
    st.text(), st.lists(FRAGMENTS, max_size=30).map(" ".join), st.lists(FRAGMENTS, max_size=30).map("".join)
)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_any_text_gives_elements_or_placed_problems(text: str) -> None:
    problems = problems_of(text)
    assert len(problems) <= 2 * MAX_PROBLEMS
    places = [(problem.line, problem.column) for problem in problems]
    assert places == sorted(places)
    lines = text.count("\n") + text.count("\r") + 1
    assert all(0 <= problem.line <= lines and problem.text for problem in problems)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        assert lower(parse(text), DEFAULT_MAPPINGS, new_id=lambda: "id")
    except SplError as error:
        return error.problems
    return ()


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.booleans())
def test_what_is_accepted_means_the_same_to_the_java_pap(text: str, ignore_rest: bool) -> None:
    try:
        elements = parse(text)
        lowered = lower(elements, DEFAULT_MAPPINGS, map(str, count()).__next__)
    except SplError:
        return
    reading = parse_as_java(text, ignore_rest)
    assert (reading.elements, reading.warnings) == (elements, ())
    as_java = lower_as_java(elements, DEFAULT_MAPPINGS, map(str, count()).__next__)
    assert as_java.warnings or as_java.elements == lowered


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.booleans())
def test_what_is_refused_else_has_a_warning_when_it_is_read_as_java_does(text: str, ignore_rest: bool) -> None:
    try:
        reading = parse_as_java(text, ignore_rest)
        warnings = (*reading.warnings, *lower_as_java(reading.elements, DEFAULT_MAPPINGS, new_id=lambda: "id").warnings)
    except SplError:
        return
    assert reading.elements
    assert warnings or parse(text) == reading.elements


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_formatted_or_refused(text: str) -> None:
    try:
        formatted = format_text(text)
    except SplError:
        return
    assert parse(formatted) == parse(text)
    assert format_text(formatted) == formatted


@pytest.mark.parametrize("piece", ['vo="x" ', "\t", "#", '"', "\\", "'\\q", '"\\', "\n", "\r", "# # x\n", "a", "é"])
def test_time_grows_with_the_length_of_the_text_and_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        with no_collections():  # which take the longer the more the other tests have left behind
            started = time.process_time()
            split_words(piece * length)
            return time.process_time() - started

    seconds(1000)
    assert seconds(80_000) < 30 * max(seconds(10_000), 0.001)  # 64 times as long if it were quadratic


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from(["id", "vo", ".", "=", "xacml-id", "\n", "\\", "#", ","])).map("".join)
    )
)
def test_a_mapping_file_without_mappings_gives_a_typed_error(text: str) -> None:
    with pytest.raises(MappingError):  # there is no complete mapping among these
        parse_mappings(text, "f.ini")
