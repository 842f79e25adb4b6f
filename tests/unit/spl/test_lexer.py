"""Places as the parser of Java counts them, and comments as it reads them; words are tested with the parser."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.spl.ast import Position
from argus_py.spl.lexer import Comment, Places, split_words

_TAB = 8


def counted_by_java(text: str) -> list[Position]:
    """The place of each character, one after the other, as a generated JavaCC character stream counts."""
    line, column, after_line_feed, after_return = 1, 0, False, False
    places = []
    for character in text:
        column += 1
        if after_line_feed:
            after_line_feed = False
            line, column = line + 1, 1
        elif after_return:
            after_return = False
            if character == "\n":
                after_line_feed = True
            else:
                line, column = line + 1, 1
        if character == "\r":
            after_return = True
        elif character == "\n":
            after_line_feed = True
        elif character == "\t":
            column -= 1
            column += _TAB - column % _TAB
        places.append(Position(line, column))
    return places


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab\t\r\n"), max_size=30))
def test_places_are_counted_as_in_java(text: str) -> None:
    places = Places(text)
    for offset, (character, expected) in enumerate(zip(text, counted_by_java(text), strict=True)):
        if character not in "\t\r\n":  # no word begins with these
            assert places.at(offset) == expected
    assert places.end() == (counted_by_java(text) or [Position(0, 0)])[-1]


@pytest.mark.parametrize(
    ("text", "comments", "words"),
    [
        ("# a # b\n# c", [Comment("# a #", 0), Comment("# c", 8)], ["b"]),
        ("a ## # b", [Comment("##", 2), Comment("# b", 5)], ["a"]),
        ('# a # "b#c" #', [Comment("# a #", 0), Comment("#", 12)], ["b#c"]),
    ],
)
def test_a_second_hash_ends_a_comment_of_java(text: str, comments: list[Comment], words: list[str]) -> None:
    split = split_words(text, comments_of_java=True)
    assert list(split.comments) == comments
    assert [word.text for word in split.words[:-1]] == words
    assert not split.problems


def test_what_counts_behind_a_second_hash_is_warned_of_once_a_line() -> None:
    split = split_words("# a # b # c # d\n# e\n#f#\tg", comments_of_java=True)
    assert [(warning.line, warning.column) for warning in split.warnings] == [(1, 7), (3, 9)]
