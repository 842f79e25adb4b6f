"""One layout for policy files, with their comments."""

from pathlib import Path

import pytest

from argus_py.spl.errors import SplSyntaxError
from argus_py.spl.formatter import WIDTH, format_text
from argus_py.spl.parser import parse

VECTORS = Path(__file__).parents[2] / "vectors" / "spl"
EXAMPLES = Path(__file__).parents[3] / "policies"


def test_one_item_a_line_four_blanks_a_level_and_double_quotes() -> None:
    text = """resource wn{description 'd' private   action "run"
{rule permit{'vo'='x' fqan = "/x"}obligation o{}}}action 'a'{rule deny{"resource"='say "x"'}}"""
    assert format_text(text) == (
        'resource "wn" {\n'
        '    description "d"\n'
        '    private action "run" {\n'
        '        rule permit { vo="x" fqan="/x" }\n'
        '        obligation "o" { }\n'
        "    }\n"
        "}\n"
        'action "a" {\n'
        '    rule deny { "resource"=\'say "x"\' }\n'
        "}\n"
    )


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("#a\n  # b  \naction a {rule deny {vo=x}} #c", '#a\n# b\naction "a" {\n    rule deny { vo="x" }\n} #c\n'),
        ("action a { # why\nrule deny {vo=x}}", 'action "a" { # why\n    rule deny { vo="x" }\n}\n'),
        ("action # why\na {rule deny {vo=x}}", '# why\naction "a" {\n    rule deny { vo="x" }\n}\n'),
        ("action a {rule # why\ndeny {vo=x}}", 'action "a" {\n    # why\n    rule deny { vo="x" }\n}\n'),
        ("action a {description # d\n x\n# e\n}", 'action "a" {\n    # d\n    description "x"\n    # e\n}\n'),
        ("action a {rule deny {vo=x} # b\n}", 'action "a" {\n    rule deny { vo="x" } # b\n}\n'),
    ],
)
def test_a_comment_stays_with_what_it_is_about(text: str, formatted: str) -> None:
    assert format_text(text) == formatted


def test_a_rule_with_comments_inside_has_a_line_for_each_pair() -> None:
    text = "action a { rule deny { # first\nvo=x # one\nfqan # two\n=# three\n'/x' # four\n # last\n } # end\n}"
    assert format_text(text) == (
        'action "a" {\n'
        "    rule deny { # first\n"
        '        vo="x" # one\n'
        "        # two\n"
        "        # three\n"
        '        fqan="/x" # four\n'
        "        # last\n"
        "    } # end\n"
        "}\n"
    )


def test_a_rule_that_is_too_wide_has_a_line_for_each_pair() -> None:
    fits = "v" * (WIDTH - len('    rule deny { vo="" fqan="/x" }'))
    assert f'    rule deny {{ vo="{fits}" fqan="/x" }}\n' in format_text(
        f"action a {{rule deny {{vo={fits} fqan='/x'}}}}"
    )
    assert f'    rule deny {{\n        vo="{fits}v"\n        fqan="/x"\n    }}\n' in format_text(
        f"action a {{rule deny {{vo={fits}v fqan='/x'}}}}"
    )


def test_between_items_one_empty_line_stays_and_none_at_the_ends_of_a_block() -> None:
    text = "\n\naction a {\n\n\nrule deny {vo=x}\n\n\n\n# c\n\nrule deny {vo=y}\nrule deny {vo=z}\n\n}\n\n\n"
    assert format_text(text) == (
        'action "a" {\n    rule deny { vo="x" }\n\n    # c\n\n    rule deny { vo="y" }\n    rule deny { vo="z" }\n}\n'
    )


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_lines_end_like_those_of_unix(line_end: str) -> None:
    text = 'action "a" {\n    rule deny { vo="x" }\n\n    rule deny { vo="y" }\n}\n'
    assert format_text(text.replace("\n", line_end)) == text


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(VECTORS.glob("*.spl")) if path.name[:3] not in ("018", "028")],
    ids=lambda p: p.stem,
)
def test_recorded_texts_say_the_same_afterwards_and_are_not_changed_twice(path: Path) -> None:
    text = path.read_text()
    formatted = format_text(text)
    assert parse(formatted) == parse(text)
    assert format_text(formatted) == formatted


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.spl")), ids=lambda path: path.name)
def test_the_examples_are_formatted(path: Path) -> None:
    assert format_text(path.read_text()) == path.read_text()


def test_a_text_with_problems_is_not_touched() -> None:
    with pytest.raises(SplSyntaxError):
        format_text("action a { }")
