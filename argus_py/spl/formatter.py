"""Policy text in one layout, with its comments: four blanks for each level, one item a line, double quotes.

Items keep their order, and one empty line between them if there was any. A rule or obligation stands in one line,
unless it has comments inside or is wider than WIDTH: then each of its pairs has a line. A comment behind an item stays
behind it; one on a line of its own stays in front of what followed; one in the middle of an item goes in front of it.

INVARIANT: the result says the same, and is its own result.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from argus_py.spl.lexer import BARE, KEYWORDS, Comment, Kind, Word, split_words
from argus_py.spl.parser import parse
from argus_py.spl.printer import in_quotes

WIDTH: Final = 120  # of a rule, with its indentation
_INDENT: Final = "    "
_WORDS_OF_A_PAIR: Final = 3
_LINE_END: Final = re.compile(r"\r\n?|\n")


def format_text(text: str) -> str:
    """Raises SplSyntaxError: as ``parse``."""
    parse(text)
    return "".join(f"{line}\n" for line in _Layout(_lexemes(text)).lines())


@dataclass(frozen=True, slots=True)
class _Lexeme:
    """A word, or a comment if it has no ``kind``; ``breaks`` is the number of line ends in front of it."""

    kind: Kind | None
    text: str
    breaks: int

    @property
    def trails(self) -> bool:
        """A comment behind something in its line."""
        return self.kind is None and self.breaks == 0


def _lexemes(text: str) -> Iterator[_Lexeme]:
    split = split_words(text)
    lexemes: list[Word | Comment] = [*split.words[:-1], *split.comments]
    end = 0
    for each in sorted(lexemes, key=lambda each: each.start):
        breaks = len(_LINE_END.findall(text, end, each.start)) if end else 1  # nothing stands in front of the first
        if isinstance(each, Comment):
            yield _Lexeme(None, each.text, breaks)
            end = each.start + len(each.text)
        else:
            yield _Lexeme(each.kind, each.text, breaks)
            end = each.end


class _Layout:
    """Goes through the lexemes of a text that follows the grammar, once."""

    def __init__(self, lexemes: Iterable[_Lexeme]) -> None:
        self._lexemes = deque(lexemes)
        self._depth = 0
        self._lines: list[str] = []
        self._at_top = True  # of a block or of the text: no empty line here

    def lines(self) -> list[str]:
        while self._lexemes:
            self._item(self._lexemes[0])
        return self._lines

    def _item(self, first: _Lexeme) -> None:
        """A comment, the end of an element, its head with the brace, a description, a rule, or an obligation."""
        if first.kind is None:
            self._add(self._lexemes.popleft().text, first.breaks)
        elif first.kind is Kind.CLOSE:
            self._lexemes.popleft()
            self._depth -= 1
            self._add_with_comment("}")
        elif first.kind is Kind.DESCRIPTION:
            self._add_with_comment(self._head(Kind.TEXT))
        elif first.kind in (Kind.RULE, Kind.OBLIGATION):
            self._block(self._head(Kind.OPEN))
        else:
            self._add_with_comment(self._head(Kind.OPEN))
            self._depth += 1
            self._at_top = True

    def _head(self, last: Kind) -> str:
        """The words up to one of the kind ``last``; comments between them go in front."""
        breaks = self._lexemes[0].breaks
        lexemes = self._take_through(last)
        for comment in (lexeme for lexeme in lexemes if lexeme.kind is None):
            self._add(comment.text, breaks)
            breaks = 1
        self._separate(breaks)
        return " ".join(_written(lexeme) for lexeme in lexemes if lexeme.kind is not None)

    def _block(self, head: str) -> None:
        """The rest of a rule or an obligation."""
        body = self._take_through(Kind.CLOSE)[:-1]
        line = " ".join([head, *_pairs(body), "}"])
        if all(lexeme.kind for lexeme in body) and len(_INDENT) * self._depth + len(line) <= WIDTH:
            self._add_with_comment(line)
            return
        self._add(head)
        self._depth += 1
        words: list[_Lexeme] = []
        for lexeme in body:
            if lexeme.kind is not None:
                words.append(lexeme)
                if len(words) == _WORDS_OF_A_PAIR:
                    self._add("".join(_pairs(words)))
                    words.clear()
            elif lexeme.trails and not words:
                self._lines[-1] += f" {lexeme.text}"
            else:
                self._add(lexeme.text)
        self._depth -= 1
        self._add_with_comment("}")

    def _take_through(self, last: Kind) -> list[_Lexeme]:
        taken = [self._lexemes.popleft()]
        while taken[-1].kind is not last:
            taken.append(self._lexemes.popleft())
        return taken

    def _add_with_comment(self, line: str) -> None:
        self._add(line)
        if self._lexemes and self._lexemes[0].trails:
            self._lines[-1] += f" {self._lexemes.popleft().text}"

    def _add(self, line: str, breaks: int = 1) -> None:
        self._separate(breaks)
        self._lines.append(_INDENT * self._depth + line)
        self._at_top = False

    def _separate(self, breaks: int) -> None:
        """An empty line, if there was one and something of the same block stands before it."""
        if breaks > 1 and not self._at_top:
            self._lines.append("")
            self._at_top = True  # of what follows: one empty line is enough


def _pairs(lexemes: Iterable[_Lexeme]) -> Iterator[str]:
    words = [lexeme for lexeme in lexemes if lexeme.kind is not None]
    for name, _equals, value in zip(*(words[nth::_WORDS_OF_A_PAIR] for nth in range(_WORDS_OF_A_PAIR)), strict=True):
        bare = BARE.fullmatch(name.text) and name.text not in KEYWORDS
        yield f"{name.text if bare else _written(name)}={_written(value)}"


def _written(word: _Lexeme) -> str:
    if word.kind is not Kind.TEXT:
        return word.text
    quoted = in_quotes(word.text)
    assert quoted is not None  # it has been between quotes before, or has no need of them
    return quoted
