"""What can be wrong with a policy text: every error tells all the problems found, in the order of the text."""

from collections.abc import Iterable
from dataclasses import dataclass

from argus_py.errors import MalformedInput
from argus_py.spl.ast import NOWHERE, Position


@dataclass(frozen=True, slots=True)
class Problem:
    """``text`` is a sentence; that of a syntax problem begins as in the Java parser and names its place."""

    line: int
    column: int
    text: str

    @property
    def reason(self) -> str:
        """``text`` without a place in front of it."""
        return self.text.removeprefix(_place(self.line, self.column))

    @classmethod
    def placed(cls, position: Position, reason: str) -> "Problem":
        """With the place, if there is one, in front of the reason."""
        place = "" if position == NOWHERE else _place(position.line, position.column)
        return cls.at(position, place + reason)

    @classmethod
    def at(cls, position: Position, text: str) -> "Problem":
        return cls(position.line, position.column, text)


def _place(line: int, column: int) -> str:
    return f"line {line}, column {column}: "


class SplError(MalformedInput):
    """The text cannot become policies; ``problems`` has at least one entry."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text for problem in self.problems))


class SplSyntaxError(SplError):
    """The text does not follow the grammar."""


class SplMeaningError(SplError):
    """The grammar is followed, but an attribute or a value makes no sense."""
