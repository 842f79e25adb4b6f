import pytest

from argus_py.credentials.properties import PropertiesSyntaxError, parse_properties


def values(text: str) -> dict[str, str]:
    return {key: found.value for key, found in parse_properties(text).items()}


@pytest.mark.parametrize(
    "line", ["key value", "key=value", "key:value", "  key \t=  value", "key = value\n", "\fkey value"]
)
def test_a_key_ends_at_a_blank_an_equals_sign_or_a_colon(line: str) -> None:
    assert values(line) == {"key": "value"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("key", {"key": ""}),
        ("key value ", {"key": "value "}),
        ("key ==value", {"key": "=value"}),
        ("=value", {"": "value"}),
        (r"a\ b\=c\:d=e", {"a b=c:d": "e"}),
        (r"key=\u0041\t\n\r\f\x\\", {"key": "A\t\n\r\fx\\"}),
        (r"key=\ud83d\ude00\ud83d", {"key": "😀\ufffd"}),
        ("key=a#b!c", {"key": "a#b!c"}),
        ("key=\\", {"key": ""}),
    ],
)
def test_an_entry_is_read_as_in_java(line: str, expected: dict[str, str]) -> None:
    assert values(line) == expected


def test_comments_and_empty_lines_are_skipped() -> None:
    assert values("# one\n\n ! two \\\nkey=value\n \t\n#") == {"key": "value"}


def test_a_backslash_continues_a_line_and_two_do_not() -> None:
    assert values("a = 1,\\\n    2,\\\r\n\t3\nb = x\\\\\nc = \\\n # no comment") == {
        "a": "1,2,3",
        "b": "x\\",
        "c": "# no comment",
    }


def test_a_continued_line_with_nothing_in_it_is_none() -> None:
    assert values("\\\n\nkey=value") == {"key": "value"}


def test_the_last_of_two_counts_and_its_line_is_known() -> None:
    found = parse_properties("a=1\nb=\\\n2\na=3")
    assert {key: (each.value, each.line) for key, each in found.items()} == {"a": ("3", 4), "b": ("2", 2)}


@pytest.mark.parametrize("line", [r"key=\u12", r"\u=1", r"key=\uD8x0", "key=\\u１２３４"])
def test_an_escape_without_four_digits_is_refused(line: str) -> None:
    with pytest.raises(PropertiesSyntaxError, match=r"^line 2: \\u is followed by four hexadecimal digits$"):
        parse_properties(f"\n{line}")
