"""A command in the history is one line, whatever was typed."""

from hypothesis import given
from hypothesis import strategies as st

from argus_py.pap.request import LONGEST_COMMAND, command_text

words = st.text(st.characters(), max_size=400)


@given(words=st.lists(words, max_size=8))
def test_a_command_is_one_printable_line_of_bounded_length(words: list[str]) -> None:
    text = command_text("ban", *words)
    assert text.isprintable()
    assert len(text) <= LONGEST_COMMAND + len("...")
    text.encode()
