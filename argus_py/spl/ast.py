"""The Simplified Policy Language as values: what stands in a policy file, with the place of every part.

Equality looks at what is said, not at where: neither positions nor ids count.
"""

from dataclasses import dataclass, field
from typing import Final

from argus_py.model.response import Effect


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Of a first character, counted from 1; a TAB goes on to the next column 1, 9, 17 ..."""

    line: int
    column: int


NOWHERE: Final = Position(0, 0)  # of what no text says


@dataclass(frozen=True, slots=True)
class Text:
    """A name or value, as written between its quotes: nothing is unescaped."""

    text: str
    position: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Pair:
    attribute: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Rule:
    """``pairs`` must all match. ``id`` is that of the stored rule, if it is one."""

    effect: Effect
    pairs: tuple[Pair, ...]
    position: Position = field(default=NOWHERE, compare=False)
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Obligation:
    name: Text
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """``value`` is a pattern. Rules apply in order. ``id`` is that of the stored policy, if it is one."""

    value: Text
    rules: tuple[Rule, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    description: Text | None = None
    private: bool = False
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """``value`` is a pattern. Actions apply in order. ``id`` is that of the stored policy set, if it is one."""

    value: Text
    actions: tuple[Action, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    description: Text | None = None
    id: str | None = field(default=None, compare=False)


Element = Resource | Action
