"""Texts of requests and policies as values."""

from collections.abc import Callable

import pytest

from argus_py.xacml.values import (
    UnreadableValue,
    read_boolean,
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
    [(read_boolean, " true", True), (read_boolean, "0", False), (read_integer, "+007", 7), (read_integer, "-1 ", -1)],
)
def test_booleans_and_integers_follow_xml_schema(read: Callable[[str], object], text: str, value: object) -> None:
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


def test_half_a_character_never_meets_a_pattern() -> None:
    with pytest.raises(UnreadableValue):
        read_pattern_subject("wn\ud800")
