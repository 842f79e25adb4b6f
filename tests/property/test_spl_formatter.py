"""A formatted text says the same, keeps its comments, and is its own layout."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.spl.formatter import format_text
from argus_py.spl.lexer import split_words
from argus_py.spl.parser import parse

COMMENT = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="#"), max_size=5).map(
    lambda text: f"#{text}\n"
)
GAP = st.lists(st.one_of(st.sampled_from([" ", "\n", "\n\n\n", "\t", "\r\n"]), COMMENT), min_size=1, max_size=2).map(
    "".join
)
TEXT = st.sampled_from(['"x"', "'say \"x\"'", "bare", '"permit"', '"# no comment"', '"' + "v" * 100 + '"', '""'])
PAIR = st.tuples(TEXT, st.just("="), TEXT).map(list)
PAIRS = st.lists(PAIR, min_size=1, max_size=2).map(lambda pairs: [word for pair in pairs for word in pair])
DESCRIPTION = TEXT.map(lambda text: ["description", text])
OBLIGATION = st.tuples(TEXT, PAIRS | st.just([])).map(lambda drawn: ["obligation", drawn[0], "{", *drawn[1], "}"])
RULE = st.tuples(st.sampled_from(["permit", "deny"]), PAIRS).map(lambda drawn: ["rule", drawn[0], "{", *drawn[1], "}"])


def body(item: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.lists(item, min_size=1, max_size=2).map(
        lambda items: ["{", *(word for item in items for word in item), "}"]
    )


ACTION = st.tuples(st.sampled_from([[], ["private"]]), TEXT, body(DESCRIPTION | OBLIGATION | RULE)).map(
    lambda drawn: [*drawn[0], "action", drawn[1], *drawn[2]]
)
RESOURCE = st.tuples(TEXT, body(DESCRIPTION | OBLIGATION | ACTION)).map(lambda drawn: ["resource", drawn[0], *drawn[1]])
WORDS = st.lists(ACTION | RESOURCE, min_size=1, max_size=2).map(lambda found: [word for each in found for word in each])


@st.composite
def texts(draw: st.DrawFn) -> str:
    return "".join(draw(GAP) + word for word in draw(WORDS)) + draw(GAP)


@settings(max_examples=300, deadline=None)
@given(texts())
def test_meaning_and_comments_stay_and_once_is_enough(text: str) -> None:
    formatted = format_text(text)
    assert parse(formatted) == parse(text)
    assert [comment.text for comment in split_words(formatted).comments] == [
        comment.text for comment in split_words(text).comments
    ]
    assert format_text(formatted) == formatted
