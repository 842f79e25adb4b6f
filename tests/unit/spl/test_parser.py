"""Reading policy text: values, places, and all the problems one pass can find."""

import pytest

from argus_py.model.response import Effect
from argus_py.spl.ast import Action, Obligation, Pair, Position, Resource, Rule, Text
from argus_py.spl.errors import SplSyntaxError
from argus_py.spl.lexer import MAX_LENGTH, MAX_PROBLEMS
from argus_py.spl.parser import parse, parse_as_java


def pair(attribute: str, value: str) -> Pair:
    return Pair(Text(attribute), Text(value))


def places(text: str) -> list[tuple[int, int]]:
    with pytest.raises(SplSyntaxError) as refusal:
        parse(text)
    return [(problem.line, problem.column) for problem in refusal.value.problems]


def test_a_text_becomes_elements_in_order() -> None:
    text = """
    resource "wn" {
        obligation "o" { vo=x }
        description 'a "wn"'
        private action run { rule deny { vo="y" fqan="/y" } rule permit { vo=x } }
    }
    action "top" { rule permit { "action"=".*" } }
    """
    assert parse(text) == (
        Resource(
            Text("wn"),
            (
                Action(
                    Text("run"),
                    (
                        Rule(Effect.DENY, (pair("vo", "y"), pair("fqan", "/y"))),
                        Rule(Effect.PERMIT, (pair("vo", "x"),)),
                    ),
                    private=True,
                ),
            ),
            (Obligation(Text("o"), (pair("vo", "x"),)),),
            Text('a "wn"'),
        ),
        Action(Text("top"), (Rule(Effect.PERMIT, (pair("action", ".*"),)),)),
    )


def test_every_part_knows_its_place() -> None:
    [action] = parse('action "a" {\n\trule permit { vo="x" }\n}')
    assert isinstance(action, Action)
    assert action.value.position == Position(1, 8)
    assert action.rules[0].position == Position(2, 9)
    assert action.rules[0].pairs[0].attribute.position == Position(2, 23)
    assert action.rules[0].pairs[0].value.position == Position(2, 26)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_all_line_ends_count_as_one_line(line_end: str) -> None:
    [action] = parse(f'action "a" {{{line_end}{line_end} rule permit {{ vo="x" }} }}')
    assert isinstance(action, Action)
    assert action.rules[0].position == Position(3, 2)


def test_nothing_is_unescaped() -> None:
    [action] = parse(r'action "a\"b\\[.]\101" { description "" }')
    assert action.value.text == r"a\"b\\[.]\101"


@pytest.mark.parametrize(
    "comment",
    ["# to the end", "#", "# and a windows line end\r", "## #", "# '\" { } =", "#### ####"],
)
def test_a_comment_goes_to_the_end_of_its_line(comment: str) -> None:
    text = f'{comment}\nresource "r" {{ description "d" }} {comment}'
    assert parse(text) == (Resource(Text("r"), description=Text("d")),)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('# a # rule permit { vo="x" }', (1, 7)),
        ("####  Section ####", (1, 7)),
        ("\t# a # b # c", (1, 15)),
    ],
)
def test_text_that_older_paps_read_behind_a_second_hash_is_refused(text: str, place: tuple[int, int]) -> None:
    assert places(f'{text}\nresource "r" {{ description "d" }}') == [place]


def test_all_syntax_problems_are_told() -> None:
    text = """resource "r" {
    rule permit { vo="x" }
    action permit {
        rule deni { vo="x" }
        rule permit vo="x" }
        rule permit { vo "x" }
        rule deny { }
        obligation { vo="x" }
        description
        rule permit { vo="good" }
    }
    private obligation "o" { }
}
stray
resource "s" { }
"""
    assert places(text) == [
        (2, 5),
        (3, 12),
        (4, 14),
        (5, 21),
        (6, 26),
        (7, 21),
        (8, 20),
        (10, 9),
        (12, 13),
        (14, 1),
        (15, 16),
    ]


def test_lexical_problems_are_told_together_and_behind_those_of_syntax() -> None:
    text = 'resource "r" { rule permit { vo="x" } }\n$\n"C:\\dir" "open\n, \'a\\9\''
    assert places(text) == [(1, 16), (2, 1), (3, 5), (3, 15), (4, 1), (4, 6)]


def test_a_missing_brace_is_told_once() -> None:
    assert places('resource "r" { action "a" { rule permit { vo="x" }') == [(1, 50)]
    assert places('resource "r" { action "a" { rule permit { vo="x" } \n resource "s" { description "d" }') == [(2, 2)]


@pytest.mark.parametrize("text", ['resource "r" { description "d" } }', 'resource "r" { description "d" } x', ""])
def test_there_are_only_elements_and_at_least_one(text: str) -> None:
    assert len(places(text)) == 1


def test_a_dot_behind_a_backslash_gets_advice() -> None:
    with pytest.raises(SplSyntaxError, match=r"write \[.\] for a dot"):
        parse(r'resource "ce\.example\.org" { description "d" }')


def test_the_image_of_a_word_in_a_message_is_one_short_line() -> None:
    with pytest.raises(SplSyntaxError) as refusal:
        parse('resource "r" { \'a\x07\u2028' + "b" * 200 + "' }")
    assert "\x07" not in str(refusal.value)
    assert "\\u2028" in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_the_number_of_problems_is_bounded() -> None:
    assert len(places("$\n" * 1000)) == MAX_PROBLEMS
    assert len(places('action "a" { rule x { } }' * 1000)) == MAX_PROBLEMS


def test_a_text_that_is_too_long_is_not_read() -> None:
    assert places(" " * (MAX_LENGTH + 1)) == [(1, 1)]


def test_a_word_of_the_language_needs_quotes_in_a_rule_and_is_one_problem() -> None:
    text = """action "a" {
 rule deny { action=".*" }
 rule permit { vo=permit resource="x" }
 obligation o { rule=deny }
}"""
    assert places(text) == [(2, 14), (3, 19), (3, 26), (4, 17), (4, 22)]
    with pytest.raises(
        SplSyntaxError, match=r"^Encountered \"action\" .* Was expecting a text. Write 'action' in quotes."
    ):
        parse(text)


def test_of_what_is_not_read_only_the_place_is_warned_of() -> None:
    reading = parse_as_java('# a # action "a" { description "b" }\n}\n# c # d\n$', ignore_rest=True)
    assert reading.elements == (Action(Text("a"), description=Text("b")),)
    assert [(warning.line, warning.column) for warning in reading.warnings] == [(1, 7), (2, 1)]


@pytest.mark.parametrize("text", ["}", 'action "a" { } }', 'action "a" { description "b" } $'])
def test_what_older_paps_refuse_is_refused_also_when_the_rest_is_not_read(text: str) -> None:
    with pytest.raises(SplSyntaxError):
        parse_as_java(text, ignore_rest=True)
