"""Policy text to the values of ``ast``, by recursive descent; after an error it goes on with the next item.

BETTER: nothing may follow the last element; the Java PAP stops reading there without a word. ``parse_as_java`` reads
what the Java PAP reads, and warns.

Source: argus-pap:src/main/java/org/glite/authz/pap/encoder/parser/bwparser.jj
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from argus_py.model.response import Effect
from argus_py.spl.ast import Action, Element, Obligation, Pair, Resource, Rule, Text
from argus_py.spl.errors import Problem, SplSyntaxError
from argus_py.spl.lexer import KEYWORDS, MAX_PROBLEMS, Kind, Words, split_words

_EFFECTS: Final = {Kind.PERMIT: Effect.PERMIT, Kind.DENY: Effect.DENY}
_STARTS_ELEMENT: Final = frozenset({Kind.RESOURCE, Kind.ACTION, Kind.PRIVATE})
_STARTS_ITEM: Final = _STARTS_ELEMENT | {Kind.RULE, Kind.OBLIGATION, Kind.DESCRIPTION}
_KEYWORDS: Final = frozenset(KEYWORDS.values())
_TEXT: Final = (Kind.TEXT,)
_TEXT_OR_CLOSE: Final = (Kind.TEXT, Kind.CLOSE)
_OPEN: Final = (Kind.OPEN,)
_EQUALS: Final = (Kind.EQUALS,)
_EOF: Final = "<EOF>"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_IMAGE: Final = 80  # of a word in a message


def parse(text: str) -> tuple[Element, ...]:
    """The elements of a policy file in order, at least one.

    Raises SplSyntaxError: with every problem that one pass can find.
    """
    words = split_words(text)
    parser = _Parser(words, text)
    elements = parser.file()
    if problems := (*parser.problems, *words.problems):
        raise SplSyntaxError(problems)
    return elements


@dataclass(frozen=True, slots=True)
class Reading:
    """``warnings`` tell what ``parse`` would have refused."""

    elements: tuple[Element, ...]
    warnings: tuple[Problem, ...]


def parse_as_java(text: str, ignore_rest: bool = False) -> Reading:
    """A second "#" ends a comment; ``ignore_rest``: reading ends in front of a word that begins no element.

    Raises SplSyntaxError.
    """
    words = split_words(text, comments_of_java=True)
    parser = _Parser(words, text, ignore_rest)
    elements = parser.file()
    problems = parser.problems if parser.rest else (*parser.problems, *words.problems)
    if problems:
        raise SplSyntaxError(problems)
    end = (parser.rest[0].line, parser.rest[0].column) if parser.rest else None
    read = (each for each in words.warnings if end is None or (each.line, each.column) < end)
    return Reading(elements, (*read, *parser.rest))


class _UnexpectedWord(Exception):
    """The problem has been noted; the item cannot be read any further."""


class _Parser:
    """``rest`` is what is said of words that are not read."""

    def __init__(self, words: Words, text: str, ignore_rest: bool = False) -> None:
        self.problems: list[Problem] = []
        self.rest: list[Problem] = []
        self._words = words.words
        self._places = words.places
        self._complete = not words.problems  # else their end is worth no problem
        self._source = text
        self._ignore_rest = ignore_rest
        self._at = 0
        self._word = self._words[0]
        self._last_problem: int | None = None

    def file(self) -> tuple[Element, ...]:
        elements: list[Element] = []
        while True:
            if self._kind is Kind.RESOURCE:
                elements.append(self._resource())
            elif self._kind in _STARTS_ELEMENT:
                self._action_into(elements)
            elif self._kind is Kind.CLOSE and self.problems:
                self._next()  # left over by a problem before
            elif self._kind is Kind.END and elements:
                return tuple(elements)
            elif self._ignore_rest and self._kind is not Kind.END and elements and not self.problems:
                self.rest.append(self._unexpected(_STARTS_ELEMENT | {Kind.END}))
                return tuple(elements)
            else:
                self._note_unexpected(_STARTS_ELEMENT | ({Kind.END} if elements else set()))
                self._skip_to(_STARTS_ELEMENT)
                if self._kind is Kind.END:
                    return tuple(elements)

    def _resource(self) -> Resource:
        self._next()
        value = self._header()
        body = _Body()
        self._items(
            {
                Kind.DESCRIPTION: lambda: self._description(body),
                Kind.OBLIGATION: lambda: self._obligation(body),
                Kind.ACTION: lambda: self._action_into(body.actions),
                Kind.PRIVATE: lambda: self._action_into(body.actions),
            }
        )
        actions = tuple(action for action in body.actions if isinstance(action, Action))
        return Resource(value, actions, tuple(body.obligations), body.description)

    def _action_into(self, elements: list[Element]) -> None:
        private = self._kind is Kind.PRIVATE
        if private:
            self._next()
            if self._kind is not Kind.ACTION:
                self._note_unexpected({Kind.ACTION})
                return
        self._next()
        value = self._header()
        body = _Body()
        self._items(
            {
                Kind.DESCRIPTION: lambda: self._description(body),
                Kind.OBLIGATION: lambda: self._obligation(body),
                Kind.RULE: lambda: self._rule(body),
            }
        )
        elements.append(Action(value, tuple(body.rules), tuple(body.obligations), body.description, private))

    def _header(self) -> Text:
        """The value of a resource or action; after a problem, whatever stands before the brace is skipped."""
        try:
            value = self._text()
            self._expect(_OPEN)
        except _UnexpectedWord:
            self._skip_to(_STARTS_ITEM | {Kind.OPEN, Kind.CLOSE})
            if self._kind is Kind.OPEN:
                self._next()
            return Text("")
        self._next()
        return value

    def _items(self, readers: dict[Kind, Callable[[], None]]) -> None:
        """What stands in braces, the opening one has been read: at least one item."""
        expected = frozenset(readers)
        while True:
            kind = self._kind
            if kind in readers:
                readers[kind]()
                expected |= {Kind.CLOSE}
            elif kind in expected:
                self._next()
                return
            else:
                self._note_unexpected(expected)
                if kind is Kind.CLOSE:
                    self._next()
                    return
                if kind is Kind.END or kind in _STARTS_ELEMENT:
                    return  # a brace seems to be missing: let the enclosing element go on
                self._skip_item()
                expected |= {Kind.CLOSE}

    def _description(self, body: "_Body") -> None:
        self._next()
        try:
            body.description = self._text()
        except _UnexpectedWord:
            self._skip_to(_STARTS_ITEM | {Kind.CLOSE})

    def _obligation(self, body: "_Body") -> None:
        self._next()
        try:
            name = self._text()
            self._expect(_OPEN)
            self._next()
            body.obligations.append(Obligation(name, self._pairs(at_least_one=False)))
        except _UnexpectedWord:
            self._skip_block()

    def _rule(self, body: "_Body") -> None:
        position = self._places.at(self._word.start)
        self._next()
        try:
            self._expect(_EFFECTS)
            effect = _EFFECTS[self._kind]
            self._next()
            self._expect(_OPEN)
            self._next()
            body.rules.append(Rule(effect, self._pairs(at_least_one=True), position))
        except _UnexpectedWord:
            self._skip_block()

    def _pairs(self, at_least_one: bool) -> tuple[Pair, ...]:
        pairs: list[Pair] = []
        while True:
            expected = _TEXT if at_least_one and not pairs else _TEXT_OR_CLOSE
            if self._kind in _KEYWORDS and self._words[self._at + 1].kind is Kind.EQUALS:
                attribute = self._keyword_as_text(expected)
            else:
                self._expect(expected)
                if self._kind is Kind.CLOSE:
                    self._next()
                    return tuple(pairs)
                attribute = self._text()
            self._expect(_EQUALS)
            self._next()
            value = self._keyword_as_text(_TEXT) if self._kind in _KEYWORDS else self._text()
            pairs.append(Pair(attribute, value))

    def _text(self) -> Text:
        self._expect(_TEXT)
        word = self._word
        self._next()
        return Text(word.text, self._places.at(word.start))

    def _keyword_as_text(self, expected: Collection[Kind]) -> Text:
        """What was meant for a name or a value and has no quotes: a problem, but the rest can be read."""
        self._note_unexpected(expected, f" Write '{self._word.text}' in quotes.")
        word = self._word
        self._next()
        return Text(word.text)

    @property
    def _kind(self) -> Kind:
        return self._word.kind

    def _next(self) -> None:
        if self._word.kind is not Kind.END:
            self._at += 1
            self._word = self._words[self._at]

    def _expect(self, kinds: Collection[Kind]) -> None:
        """Raises _UnexpectedWord: the word at hand is none of these."""
        if self._word.kind not in kinds:
            self._note_unexpected(kinds)
            raise _UnexpectedWord

    def _note_unexpected(self, expected: Collection[Kind], advice: str = "") -> None:
        word = self._word
        if word.kind is Kind.END and not self._complete:
            return
        if word.start == self._last_problem or len(self.problems) == MAX_PROBLEMS:
            return  # a missing brace makes every enclosing element stumble over the same word
        self._last_problem = word.start
        self.problems.append(self._unexpected(expected, advice))

    def _unexpected(self, expected: Collection[Kind], advice: str = "") -> Problem:
        """COMPAT: the first sentence is that of the Java PAP, and what is expected comes in its order."""
        word = self._word
        at_end = word.kind is Kind.END
        position = self._places.end() if at_end else self._places.at(word.start)
        image = _EOF if at_end else _image(self._source[word.start : word.end])
        names = " or ".join(kind.value for kind in Kind if kind in expected)
        place = f"line {position.line}, column {position.column}"
        return Problem.at(position, f'Encountered "{image}" at {place}. Was expecting {names}.{advice}')

    def _skip_to(self, kinds: frozenset[Kind]) -> None:
        while self._kind is not Kind.END and self._kind not in kinds:
            self._next()

    def _skip_block(self) -> None:
        """The rest of a rule or an obligation, its closing brace included, unless it is missing."""
        self._skip_to(_STARTS_ITEM | {Kind.CLOSE})
        if self._kind is Kind.CLOSE:
            self._next()

    def _skip_item(self) -> None:
        """Something that is no item of its place: a word, a block, or an item of another place."""
        self._next()
        self._skip_to(_STARTS_ITEM | {Kind.OPEN, Kind.CLOSE})
        if self._kind is Kind.OPEN:
            self._skip_block()


class _Body:
    """What has been read of the items of an element."""

    def __init__(self) -> None:
        self.description: Text | None = None  # COMPAT: the last one counts
        self.obligations: list[Obligation] = []
        self.actions: list[Element] = []
        self.rules: list[Rule] = []


def _image(written: str) -> str:
    image = written.replace("\\", "\\\\").replace('"', '\\"')[:_LONGEST_IMAGE]
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", image)
