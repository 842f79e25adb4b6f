"""Any text gives a name or a DnSyntaxError, in linear time."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.dn import MAX_TEXT_LENGTH, AttributeTypeAndValue, DistinguishedName, DnSyntaxError

TEXTS = (
    st.text(max_size=60)
    | st.text('CN=OU,+/\\"#<>;x09aé \n\ud800', max_size=60)
    | st.lists(
        st.sampled_from(["CN=", "DC=", "/", "\\", '"', "+", ",", "#", "a", " ", "\\xC3", "\\C3", "2.5.4.3="])
    ).map("".join)
)


def outcome(read: Callable[[str], DistinguishedName], text: str) -> DistinguishedName | DnSyntaxError:
    try:
        return read(text)
    except DnSyntaxError as error:
        return error


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_rfc2253_reader_gives_a_name_or_a_syntax_error(text: str) -> None:
    result = outcome(DistinguishedName.parse_rfc2253, text)
    if isinstance(result, DnSyntaxError):
        assert result.text == text
    else:
        assert DistinguishedName.parse_rfc2253(result.rfc2253()) == result


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_slash_reader_gives_a_name_or_a_syntax_error(text: str) -> None:
    result = outcome(DistinguishedName.parse_slash, text)
    if isinstance(result, DnSyntaxError):
        assert result.text == text
    else:
        assert DistinguishedName.parse_rfc2253(result.rfc2253()) == result


@pytest.mark.parametrize(
    "piece", [" ", "\\", '"', "=", "+", "/", "\\x9", "1.", "a", "\\ ", "/CN", "#", "\n", "/2.5.4=", "9"]
)
@pytest.mark.parametrize("lead", ["", "CN=", "/CN=", 'CN="', "CN=#", "CN=a+", "/"])
def test_no_text_takes_long(lead: str, piece: str) -> None:
    text = lead + piece * ((MAX_TEXT_LENGTH - 8) // len(piece)) + "<"
    started = time.process_time()
    outcome(DistinguishedName.parse_rfc2253, text)
    outcome(DistinguishedName.parse_slash, text)
    assert time.process_time() - started < 0.2  # quadratic time would be seconds


@pytest.mark.parametrize("piece", [" ", "\r", "\n", "\\", '"', "+", "é", "\0", "\u2028"])
def test_no_name_takes_long_to_print_or_to_compare(piece: str) -> None:
    value = "a" + piece * 60_000 + "b"  # certificates have no limit but their own size
    started = time.process_time()
    name = DistinguishedName(((AttributeTypeAndValue.of_text("2.5.4.3", value),),))
    printed = name.rfc2253(), name.slash(), name.readable(), name.java_string()
    assert all(len(text) >= len(value) for text in printed)
    assert name.loosely_equal(name)
    assert time.process_time() - started < 1.0  # quadratic time would be many seconds
