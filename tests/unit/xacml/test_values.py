"""Texts of requests and policies as values."""

import math
from collections.abc import Callable

import pytest

from argus_py.xacml.values import (
    MAX_SUBJECT_LENGTH,
    UnreadableValue,
    read_any_uri,
    read_base64_binary,
    read_boolean,
    read_double,
    read_hex_binary,
    read_integer,
    read_pattern_subject,
    read_string,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [(" x ", "x"), ("\x00\t\x1fx\n", "x"), ("\xa0x\u2028", "\xa0x\u2028"), ("a  b", "a  b"), ("", "")],
)
def test_strings_lose_what_java_trims_and_nothing_else(text: str, value: str) -> None:
    assert read_string(text) == value


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (read_boolean, " true", True),
        (read_boolean, "0", False),
        (read_integer, "+007", 7),
        (read_integer, "-1 ", -1),
        (read_double, " 1.5 ", 1.5),
        (read_double, "1.", 1.0),
        (read_double, "-.5E-1", -0.05),
        (read_double, "-INF", -math.inf),
        (read_any_uri, " http://a/%zz ", "http://a/%zz"),
        (read_hex_binary, " 0aFF ", b"\x0a\xff"),
        (read_hex_binary, "", b""),
        (read_base64_binary, " YW\n I= ", b"ab"),
    ],
)
def test_values_follow_xml_schema(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_boolean, "True"),
        (read_boolean, ""),
        (read_integer, ""),
        (read_integer, "1.0"),
        (read_integer, "1_0"),
        (read_integer, "١"),
        (read_integer, "9" * 101),
        (read_double, ""),
        (read_double, "1d"),
        (read_double, "0x1p3"),
        (read_double, "Infinity"),
        (read_double, "+INF"),
        (read_double, "1e"),
        (read_double, "."),
        (read_double, "9" * 401),
        (read_hex_binary, "0"),
        (read_hex_binary, "0g"),
        (read_hex_binary, "00 11"),
        (read_hex_binary, "é"),
        (read_base64_binary, "YQ="),
        (read_base64_binary, "Y*=="),
        (read_base64_binary, "é"),
    ],
)
def test_other_texts_are_refused_by_name(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(UnreadableValue) as refusal:
        read(text)
    assert refusal.value.text == text


def test_an_empty_value_never_meets_a_pattern_but_a_blank_one_does() -> None:
    assert read_pattern_subject("  ") == ""
    with pytest.raises(UnreadableValue):
        read_pattern_subject("")


@pytest.mark.parametrize("text", ["wn\ud800", "x" * (MAX_SUBJECT_LENGTH + 1)])
def test_half_a_character_and_a_long_text_never_meet_a_pattern(text: str) -> None:
    with pytest.raises(UnreadableValue):
        read_pattern_subject(text)
    assert read_pattern_subject("x" * MAX_SUBJECT_LENGTH)
