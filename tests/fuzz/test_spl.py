"""Any text gives policies or a typed error that places every problem."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.spl.attributes import DEFAULT_MAPPINGS, MappingError, parse_mappings
from argus_py.spl.errors import Problem, SplError
from argus_py.spl.lexer import MAX_PROBLEMS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse

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


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from(["id", "vo", ".", "=", "xacml-id", "\n", "\\", "#", ","])).map("".join)
    )
)
def test_a_mapping_file_without_mappings_gives_a_typed_error(text: str) -> None:
    with pytest.raises(MappingError):  # there is no complete mapping among these
        parse_mappings(text)
