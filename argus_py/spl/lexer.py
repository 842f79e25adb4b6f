"""Policy text into words: keywords, punctuation, quoted and bare texts; and its comments.

BETTER: ``#`` starts a comment to the end of the line. In Java a second ``#`` ends it, and what follows counts; a text
that would mean something else there is refused instead of read differently, or read as Java does, with a warning.
Comments end at LF. Lines are counted by LF, CR LF and CR, as Java does.

Source: argus-pap:src/main/java/org/glite/authz/pap/encoder/parser/bwparser.jj
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from argus_py.spl.ast import NOWHERE, Position
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
_GROUPS: Final = rf"""
       (?P<bare>{BARE.pattern})
     | (?P<punctuation>[{{}}=])
     | (?P<quoted>{LEGAL['"'].pattern}"|{LEGAL["'"].pattern}')
     | (?P<broken>"(?:[^"\\\n\r]++|\\.)*+"?|'(?:[^'\\\n\r]++|\\.)*+'?)"""
_BLANKS: Final = " \t\n\r\f"
_COMMENT: Final = r"\#[^\n]*+"
_COMMENT_OF_JAVA: Final = r"\#[^\n\#]*+\#?"
_WORD, _WORD_OF_JAVA = (
    re.compile(rf"[{_BLANKS}]*+(?:{_GROUPS} | (?P<comment>{comment}) | (?P<stray>.) | \Z)", re.VERBOSE | re.DOTALL)
    for comment in (_COMMENT, _COMMENT_OF_JAVA)
)
_SECOND_HASH: Final = "a second '#' ends a comment in older PAPs"
_GIVE_IT_A_LINE: Final = "so this would count there; give it a line of its own"
_STOP: Final = re.compile(r"\r\n?|[\n\t]")
_TAB: Final = 8


class Word(NamedTuple):  # a tuple, as there are millions of them
    """``text`` is without quotes; ``start`` and ``end`` are offsets of what is written."""

    kind: Kind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Comment:
    """``text`` begins with "#" and has no blanks at its end."""

    text: str
    start: int


class Places:
    """The lines and columns of a text, as the parser of Java counts them."""

    def __init__(self, text: str) -> None:
        self._text = text
        # Offsets after which columns count one by one, and which places these are.
        self._offsets = [0]
        self._places = [(1, 1)]
        for match in _STOP.finditer(text):
            line, column = self._places[-1]
            column += match.start() - self._offsets[-1]
            self._offsets.append(match.end())
            self._places.append((line, column + _TAB - (column - 1) % _TAB) if match[0] == "\t" else (line + 1, 1))

    def at(self, offset: int) -> Position:
        stop = bisect_right(self._offsets, offset) - 1
        line, column = self._places[stop]
        return Position(line, column + offset - self._offsets[stop])

    def end(self) -> Position:
        """Of the last character, where Java sees the end of the file."""
        if not self._text:
            return NOWHERE
        if self._text[-1] == "\t":
            line, column = self._places[-1]
            return Position(line, column - 1)
        return self.at(len(self._text) - 1)


@dataclass(frozen=True, slots=True)
class Words:
    """``words`` end before the first of the ``problems``, with one of Kind.END in any case.

    ``warnings`` are places where the comments of Java end earlier, if these were asked for.
    """

    words: tuple[Word, ...]
    comments: tuple[Comment, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    places: Places


def split_words(text: str, comments_of_java: bool = False) -> Words:
    """In time linear in the length of the text. Raises SplSyntaxError: the text is too long."""
    if len(text) > MAX_LENGTH:
        raise SplSyntaxError([Problem(1, 1, f"Lexical error: the text is longer than {MAX_LENGTH} characters")])
    places = Places(text)
    words: list[Word] = []
    comments: list[Comment] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    checked = 0  # behind the line that was last searched for comments of Java
    for match in (_WORD_OF_JAVA if comments_of_java else _WORD).finditer(text):
        kind = match.lastgroup
        if kind is None:  # the end
            break
        start, end = match.span(kind)
        if kind == "comment":
            comments.append(Comment(text[start:end].rstrip(), start))
            if start >= checked:
                checked = _line_end(text, start)
                doubtful = _where_java_reads_on(text[start:checked], start)
                if doubtful is not None and comments_of_java:
                    warnings.append(Problem.placed(places.at(doubtful), f"{_SECOND_HASH}, so this counts"))
                elif doubtful is not None:
                    problems.append(_lexical_error(places.at(doubtful), f"{_SECOND_HASH}, {_GIVE_IT_A_LINE}"))
        elif kind in ("stray", "broken"):
            problems.append(_problem(text[start:end], start, places))
        elif not problems:
            words.append(_word(kind, text[start:end], start, end))
        if len(problems) == MAX_PROBLEMS:
            break
    words.append(Word(Kind.END, "", len(text), len(text)))
    return Words(tuple(words), tuple(comments), tuple(problems), tuple(warnings[:MAX_PROBLEMS]), places)


def _word(kind: str, image: str, start: int, end: int) -> Word:
    if kind == "bare":
        return Word(KEYWORDS.get(image, Kind.TEXT), image, start, end)
    if kind == "punctuation":
        return Word(_PUNCTUATION[image], image, start, end)
    return Word(Kind.TEXT, image[1:-1], start, end)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _problem(image: str, start: int, places: Places) -> Problem:
    """Of a character that begins no word, or of a quoted text that is not well-formed."""
    if image[0] not in LEGAL:
        return _lexical_error(places.at(start), f"{image!r} stands for nothing outside quotes")
    legal = LEGAL[image[0]].match(image)
    assert legal is not None  # it matches the opening quote at least
    end = legal.end()
    if image[end : end + 1] != "\\":
        return _lexical_error(places.at(start + end), "a quoted text ends on its line")
    escaped = image[end + 1 : end + 2]
    hint = "; write [.] for a dot" if escaped == "." else ""
    return _lexical_error(places.at(start + end + 1), f"a backslash may not stand before {escaped!r}{hint}")


def _where_java_reads_on(line: str, start: int) -> int | None:
    """Where in the rest of a line, from "#" on, the Java PAP sees words again.

    INVARIANT: a comment without such a place means nothing to it.
    """
    at = start
    for number, piece in enumerate(line.split("#")):
        if number >= 2 and number % 2 == 0 and piece.strip(_BLANKS):
            return at + len(piece) - len(piece.lstrip(_BLANKS))
        at += len(piece) + 1
    return None


def _lexical_error(position: Position, text: str) -> Problem:
    return Problem.at(position, f"Lexical error at line {position.line}, column {position.column}. {text}")
