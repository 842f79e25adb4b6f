"""What a command of pap-admin is, and what it has to work with."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TextIO

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.service import Difference, PapService
from argus_py.pap.paps import DEFAULT_ALIAS


class Exit(IntEnum):
    """COMPAT: scripts of sites look at these numbers."""

    SUCCESS = 0
    PARTIAL_SUCCESS = 1
    FAILURE = 2
    INITIALIZATION_ERROR = 3
    PARSE_ERROR = 4
    REMOTE_EXCEPTION = 5


@dataclass(frozen=True, slots=True)
class Console:
    """Where is told what. ``ask`` puts a question to the user, if there is one; ``colours``: they are seen."""

    out: TextIO
    err: TextIO
    ask: Callable[[str], str] | None = None
    colours: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One command line, understood: ``arguments.words`` are those behind the command.

    ``connect`` gives the same PAP each time; ``url`` is that of its services.
    """

    arguments: Arguments
    url: str
    connect: Callable[[], PapService]
    console: Console

    @property
    def pap(self) -> PapService:
        """Connected when it is first asked for."""
        return self.connect()

    @property
    def words(self) -> tuple[str, ...]:
        return self.arguments.words

    @property
    def alias(self) -> str:
        """The pap it is about."""
        return self.arguments.get("pap") or DEFAULT_ALIAS

    @property
    def is_dry_run(self) -> bool:
        return self.arguments.has(DRY_RUN.key)

    @property
    def verbose(self) -> bool:
        """Never when nothing is done: what is said then is done."""
        return self.arguments.has("verbose") and not self.is_dry_run

    @property
    def as_json(self) -> bool:
        return self.arguments.get(OUTPUT.key) == "json"

    def say(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self.console.out, flush=not end)

    def say_if_verbose(self, text: str) -> None:
        if self.verbose:
            self.say(text)

    def say_json(self, value: Any) -> None:
        self.say(json.dumps(value, indent=2))

    def complain(self, text: str) -> None:
        print(text, file=self.console.err)

    def tell(self, difference: Difference) -> None:
        """As a unified diff."""
        for hunk in difference:
            self.say(self._coloured(f"@@ {hunk.place} @@"))
            for line in hunk.lines:
                self.say(self._coloured(line))

    def _coloured(self, line: str) -> str:
        colour = _COLOURS.get(line[:1]) if self.console.colours else None
        return f"\x1b[{colour}m{line}\x1b[0m" if colour else line


_COLOURS: Final[Mapping[str, int]] = {"-": 31, "+": 32, "@": 36}  # red, green, cyan of ECMA-48


@dataclass(frozen=True, slots=True)
class Command:
    """``names``: the full one first; ``check`` looks at the arguments before anything is connected.

    ``changes``: it can be tried by --dry-run. ``tells``: it can answer in JSON. ``examples`` are what stands behind
    the name of the program, each with what it does.
    """

    names: tuple[str, ...]
    usage: str
    help: str
    own_options: tuple[Option, ...]
    run: Callable[[Call], int]
    check: Callable[[Arguments], None]
    examples: tuple[tuple[str, str], ...]
    changes: bool = False
    tells: bool = False

    @property
    def options(self) -> tuple[Option, ...]:
        return self.own_options + (DRY_RUN,) * self.changes + (OUTPUT,) * self.tells


PAP: Final = Option(("--pap",), "the pap that is meant; without it the local pap 'default'", "alias")
DRY_RUN: Final = Option(("--dry-run",), "change nothing, but tell what would be changed (not with a Java PAP)")
OUTPUT: Final = Option(("--output",), "text (default) or json", "form", choices=("text", "json"))


def any_words(_given: Arguments) -> None:
    """COMPAT: superfluous words are ignored."""


def words(count: int, text: str = "Wrong number of arguments") -> Callable[[Arguments], None]:
    """Checks that there are so many, and says ``text`` if there are not."""

    def check(given: Arguments) -> None:
        if len(given.words) != count:
            raise ParseError(text)

    return check
