"""What every use case is asked with, and what every change answers."""

import json
import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from argus_py.errors import Conflict
from argus_py.pap.authorization import Admin
from argus_py.pap.state import Difference

T = TypeVar("T")
S = TypeVar("S")

LONGEST_COMMAND: Final = 1000  # characters; stands in a row of the history and in a line of the log
_LONGEST_WORD: Final = 300
_BARE: Final = re.compile(r"[\w./:=@*+-]+")


class RevisionChanged(Conflict):
    """The store is at the revision ``found``, and the caller has seen it at ``expected``."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"somebody else has changed the PAP: it is at revision {found}, not {expected}")
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and under which conditions a change is made.

    ``expected_revision``: of the store; at any other nothing is done. ``dry_run``: all is done, then undone.
    """

    admin: Admin
    expected_revision: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of a change.

    ``before`` and ``after`` are revisions; ``after`` None: nothing was changed, because it is so already or because it
    was a dry run. ``difference`` is what was, or would have been, changed.
    """

    value: T
    before: int
    after: int | None
    difference: Difference

    def giving(self, value: S) -> "Outcome[S]":
        return Outcome(value, self.before, self.after, self.difference)


def command_text(*words: str) -> str:
    """A command as it would be typed, in one line of bounded length.

    >>> print(command_text("ban", "subject", "CN=A B,O=x", "--private"))
    ban subject "CN=A B,O=x" --private
    """
    text = " ".join(map(_word, words))
    return text if len(text) <= LONGEST_COMMAND else f"{text[:LONGEST_COMMAND]}..."


def _word(word: str) -> str:
    shown = word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..."
    return shown if _BARE.fullmatch(shown) else json.dumps(shown, ensure_ascii=not shown.isprintable())
