"""Any text gives an FQAN or an FqanSyntaxError."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.fqan import Fqan, FqanPattern, FqanSyntaxError

T = TypeVar("T")
TEXTS = st.text(max_size=40) | st.lists(
    st.sampled_from(["/", "vo", "Role=", "role", "=", "Capability=", "NULL", "*", " ", "x"]), max_size=12
).map("".join)


def outcome(read: Callable[[str], T], text: str) -> T | FqanSyntaxError:
    try:
        return read(text)
    except FqanSyntaxError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_reader_gives_an_fqan_or_a_syntax_error(text: str) -> None:
    result = outcome(Fqan.parse, text)
    if isinstance(result, FqanSyntaxError):
        assert result.text == text
    else:
        assert result.group.startswith("/")
        assert Fqan.parse(str(result)) == result


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_pattern_reader_gives_a_pattern_or_a_syntax_error(text: str) -> None:
    result = outcome(FqanPattern.parse, text)
    if isinstance(result, FqanSyntaxError):
        assert result.text == text
    else:
        assert "*" not in result.group
