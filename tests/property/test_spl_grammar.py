"""The grammar of docs/spl.md and the parser accept the same texts."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from argus_py.spl.errors import SplSyntaxError
from argus_py.spl.lexer import Kind, split_words
from argus_py.spl.parser import parse

DOCUMENT = (Path(__file__).parents[2] / "docs" / "spl.md").read_text()
OF_WORDS, OF_CHARACTERS = re.findall(r"^```ebnf\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
SYMBOL = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|\?\s*([^?]*?)\s*\?|([a-z]+(?: [a-z]+)*)|([=,|;()\[\]{}]))""")

Ends = set[int]
Recogniser = Callable[[Sequence[str], int], Ends]  # of a form at a place in a sequence: where it can end


def literal(text: str) -> Recogniser:
    return lambda given, at: {at + 1} if at < len(given) and given[at] == text else set()


def one_of(test: Callable[[str], bool]) -> Recogniser:
    return lambda given, at: {at + 1} if at < len(given) and test(given[at]) else set()


class Grammar:
    """EBNF in the syntax of ISO 14977, as far as it is needed; ``terminals`` are what it leaves to words."""

    def __init__(self, ebnf: str, terminals: Mapping[str, Recogniser]) -> None:
        self._symbols = iter([match.groups() for match in SYMBOL.finditer(ebnf.strip())])
        self._rules: dict[str, Recogniser] = dict(terminals)
        self._symbol = next(self._symbols, None)
        while self._symbol:
            name = self._symbol[3]
            self._next()
            self._punctuation("=")
            form = self._alternatives()
            self._rules.setdefault(name, form)
            self._punctuation(";")

    def accepts(self, name: str, given: Sequence[str]) -> bool:
        return len(given) in self._rules[name](given, 0)

    def _next(self) -> None:
        self._symbol = next(self._symbols, None)

    def _is(self, mark: str) -> bool:
        return self._symbol is not None and self._symbol[4] == mark

    def _punctuation(self, mark: str) -> None:
        assert self._is(mark), (mark, self._symbol)
        self._next()

    def _alternatives(self) -> Recogniser:
        forms = [self._sequence()]
        while self._is("|"):
            self._next()
            forms.append(self._sequence())
        return lambda given, at: set().union(*(form(given, at) for form in forms))

    def _sequence(self) -> Recogniser:
        forms = [self._form()]
        while self._is(","):
            self._next()
            forms.append(self._form())

        def recognise(given: Sequence[str], at: int) -> Ends:
            ends = {at}
            for form in forms:
                ends = set().union(*(form(given, end) for end in ends))
            return ends

        return recognise

    def _named(self, name: str) -> Recogniser:
        def recognise(given: Sequence[str], at: int) -> Ends:
            return self._rules[name](given, at)  # which may stand further down

        return recognise

    def _form(self) -> Recogniser:
        assert self._symbol is not None
        double, single, special, name, mark = self._symbol
        self._next()
        if double or single:
            return literal(double or single)
        if special:
            return self._rules[special]
        if name:
            return self._named(name)
        inner = self._alternatives()
        self._punctuation({"(": ")", "[": "]", "{": "}"}[mark])
        if mark == "(":
            return inner
        if mark == "[":
            return lambda given, at: {at} | inner(given, at)
        return lambda given, at: repeated(inner, given, at)


def repeated(form: Recogniser, given: Sequence[str], at: int) -> Ends:
    ends: Ends = set()
    new = {at}
    while new:
        ends |= new
        new = set().union(*(form(given, end) for end in new)) - ends
    return ends


TEXTS = ("x", '"x"', "'y'")
KEYWORDS = ("resource", "action", "private", "rule", "permit", "deny", "obligation", "description")
WORDS = Grammar(OF_WORDS, {"quoted": one_of(lambda word: word[0] in "\"'"), "word": one_of(lambda word: word == "x")})
CHARACTERS = Grammar(
    OF_CHARACTERS,
    {
        "a character that is no quote, backslash or line end": one_of(lambda character: character not in "\"'\\\n\r"),
        'one or more letters a-z and A-Z, digits, "_" and "-", that are no keyword': one_of(str.isalnum),
    },
)


@st.composite
def sentences(draw: st.DrawFn) -> list[str]:
    """Mostly those of the language; some with a word too many, too few, or another one."""
    words = list(draw(st.sampled_from(FORMS)))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(words)))
        words[at : at + draw(st.integers(0, 1))] = draw(st.lists(st.sampled_from(VOCABULARY), max_size=1))
    return words


VOCABULARY = (*KEYWORDS, *TEXTS, "{", "}", "=")
FORMS = tuple(
    text.split()
    for text in (
        "",
        "resource x { action x { rule deny { x = x } } }",
        'resource "x" { description x obligation x { } private action x { description x } description x }',
        "action x { rule permit { x = x 'y' = \"x\" } rule deny { x = x } obligation x { x = x x = x } } "
        "private action x { description x }",
        "private action x { obligation x { } }",
    )
)


@settings(max_examples=400, deadline=None)
@given(sentences())
def test_the_parser_accepts_what_the_grammar_does(words: list[str]) -> None:
    assert WORDS.accepts("file", words) is not problems(" ".join(words))


def problems(text: str) -> bool:
    try:
        parse(text)
    except SplSyntaxError:
        return True
    return False


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from("\"'\\ntbrf0127x\n\r #é"), max_size=6), st.sampled_from("\"'"))
@example(r"\377", '"')
@example(r"\477", '"')
@example(r"\8", '"')
def test_quoted_texts_are_those_of_the_grammar(text: str, quote: str) -> None:
    quoted = f"{quote}{text}{quote}"
    split = split_words(quoted)
    one = not split.problems and [(word.kind, word.end) for word in split.words[:-1]] == [(Kind.TEXT, len(quoted))]
    assert CHARACTERS.accepts("quoted", list(quoted)) is one
