"""YAML without what makes it dangerous."""

import pytest

from argus_py.pap.plain_yaml import MAX_DEPTH, MAX_LENGTH, List, Map, Text, YamlError, read_yaml


def test_everything_has_its_place() -> None:
    root = read_yaml("a: b\nlist:\n  - c\n  - 'd'\n")
    assert root == Map(
        1, 1, ((Text(1, 1, "a"), Text(1, 4, "b")), (Text(2, 1, "list"), List(3, 3, (Text(3, 5, "c"), Text(4, 5, "d")))))
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "empty"),
        ("# only a comment", 1, "empty"),
        ("a: &x b", 1, "anchors"),
        ("a: &x b\nc: *x", 1, "anchors"),
        ("a: *x", 1, "anchors"),
        ("a: !!python/object:os.system x", 1, "tags"),
        ("! a", 1, "tags"),
        ("a: b\na: c", 2, "twice"),
        ("? [a]\n: b", 1, "a key is a text"),
        ("a: b\n---\nc: d", 2, "second document"),
        ("a: [", 1, "no YAML"),
        ("a: b: c", 1, "no YAML"),
        ("a:\n\tb", 2, "no YAML"),
        ("a: \x00", 1, "U+0000"),
        ("a\nb: \x07", 2, "U+0007"),
        ('a: "\\UFFFFFFFF"', 1, "no character"),
        ('a: "\\U00110000"', 1, "no character"),
        ('a:\n - "\\uD800"', 2, "half a character"),
        ("[" * (MAX_DEPTH + 2), 1, "nested"),
        ("[" * 100_000, 1, "nested"),
        ("x" * (MAX_LENGTH + 1), 1, "longer"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(text)
    assert caught.value.line == line
    assert reason in caught.value.reason
