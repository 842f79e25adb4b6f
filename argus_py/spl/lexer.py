"""Policy text into words: keywords, punctuation, quoted and bare texts.

BETTER: ``#`` starts a comment to the end of the line. In Java a second ``#`` ends it, and what follows counts; a text
that would mean something else there is refused instead of read differently. Line ends are LF.

Source: argus-pap:src/main/java/org/glite/authz/pap/encoder/parser/bwparser.jj
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from argus_py.spl.ast import Position
from argus_py.spl.errors import Problem, SplSyntaxError

MAX_LENGTH: Final = 32 * 1024 * 1024  # characters; 100,000 rules take 10 million
MAX_PROBLEMS: Final = 100  # reported for one text; who made so many reads no further


class Kind(Enum):
    """Of words; the value is how a message calls it."""

    PERMIT = '"permit"'
    DENY = '"deny"'
    DESCRIPTION = '"description"'
    OBLIGATION = '"obligation"'
    ACTION = '"action"'
    RULE = '"rule"'
    RESOURCE = '"resource"'
    PRIVATE = '"private"'
    TEXT = "a text"
    OPEN = '"{"'
    CLOSE = '"}"'
    EQUALS = '"="'
    END = "the end"


KEYWORDS: Final = {
    "permit": Kind.PERMIT,
    "deny": Kind.DENY,
    "description": Kind.DESCRIPTION,
    "obligation": Kind.OBLIGATION,
    "action": Kind.ACTION,
    "rule": Kind.RULE,
    "resource": Kind.RESOURCE,
    "private": Kind.PRIVATE,
}
_PUNCTUATION: Final = {"{": Kind.OPEN, "}": Kind.CLOSE, "=": Kind.EQUALS}
BARE: Final = re.compile(r"[A-Za-z0-9_-]++")
_ESCAPE: Final = r"\\(?:[ntbrf\\'\"]|[0-3][0-7]{2}|[0-7]{1,2})"
# A quoted text as far as it is well-formed, without its end. Possessive: no character is looked at twice.
LEGAL: Final = {quote: re.compile(rf"{quote}(?:[^{quote}\\\n\r]++|{_ESCAPE})*+") for quote in "\"'"}
_WORD: Final = re.compile(
    rf"""(?P<blank>[ \t\n\r\f]++)
       | (?P<comment>\#[^\n]*+\n?)
       | (?P<bare>{BARE.pattern})
       | (?P<punctuation>[{{}}=])
       | (?P<quoted>{LEGAL['"'].pattern}"|{LEGAL["'"].pattern}')
       | (?P<broken>"(?:[^"\\\n\r]++|\\.)*+"?|'(?:[^'\\\n\r]++|\\.)*+'?)
       | (?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)
_LINE_END: Final = re.compile(r"\r\n?|\n")
_TAB: Final = 8


@dataclass(frozen=True, slots=True)
class Word:
    """``image`` is as written, ``text`` without the quotes."""

    kind: Kind
    image: str
    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class Words:
    """``words`` end before the first of the ``problems``, with one of Kind.END in any case."""

    words: tuple[Word, ...]
    problems: tuple[Problem, ...]


def split_words(text: str) -> Words:
    """Raises SplSyntaxError: the text is too long."""
    if len(text) > MAX_LENGTH:
        raise SplSyntaxError([Problem(1, 1, f"Lexical error: the text is longer than {MAX_LENGTH} characters")])
    words: list[Word] = []
    problems: list[Problem] = []
    here, end = Position(1, 1), Position(0, 0)
    for match in _WORD.finditer(text):
        kind, image = match.lastgroup, match[0]
        if kind in ("stray", "broken", "comment"):
            problem = _problem(kind, image, here)
            if problem:
                problems.append(problem)
                if len(problems) == MAX_PROBLEMS:
                    break
        elif kind != "blank" and not problems:
            words.append(_word(kind, image, here))
        end = _advance(here, image[:-1])
        here = _advance(here, image)
    words.append(Word(Kind.END, "<EOF>", "", end))
    return Words(tuple(words), tuple(problems))


def _word(kind: str | None, image: str, position: Position) -> Word:
    if kind == "bare":
        return Word(KEYWORDS.get(image, Kind.TEXT), image, image, position)
    if kind == "punctuation":
        return Word(_PUNCTUATION[image], image, image, position)
    return Word(Kind.TEXT, image, image[1:-1], position)


def _problem(kind: str, image: str, start: Position) -> Problem | None:
    if kind == "comment":
        return _problem_of_comment(image, start)
    if kind == "stray":
        return _lexical_error(start, f"{image!r} stands for nothing outside quotes")
    legal = LEGAL[image[0]].match(image)
    assert legal is not None  # it matches the opening quote at least
    if image[legal.end() : legal.end() + 1] != "\\":
        return _lexical_error(_advance(start, legal[0]), "a quoted text ends on its line")
    place = _advance(start, image[: legal.end() + 1])
    escaped = image[legal.end() + 1 : legal.end() + 2]
    hint = "; write [.] for a dot" if escaped == "." else ""
    return _lexical_error(place, f"a backslash may not stand before {escaped!r}{hint}")


def _problem_of_comment(image: str, start: Position) -> Problem | None:
    """INVARIANT: a text that is accepted here means the same to the Java PAP, or nothing at all."""
    at = 0
    for number, piece in enumerate(image.split("#")):
        if number >= 2 and number % 2 == 0 and piece.strip():
            blanks = len(piece) - len(piece.lstrip())
            return _lexical_error(
                _advance(start, image[: at + blanks]),
                "a second '#' ends a comment in older PAPs, so this would count there; give it a line of its own",
            )
        at += len(piece) + 1
    return None


def _lexical_error(position: Position, text: str) -> Problem:
    return Problem.at(position, f"Lexical error at line {position.line}, column {position.column}. {text}")


def _advance(position: Position, image: str) -> Position:
    """The place after ``image``, which starts at ``position``."""
    line, column = position.line, position.column
    if "\n" in image or "\r" in image:
        lines = _LINE_END.split(image)
        line, column, image = line + len(lines) - 1, 1, lines[-1]
    *tabbed, rest = image.split("\t")
    for piece in tabbed:
        column += len(piece)
        column += _TAB - (column - 1) % _TAB
    return Position(line, column + len(rest))
