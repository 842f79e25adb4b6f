"""What a command of pap-admin is, and what it has to work with."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TextIO

from argus_py.cli.pap_admin.arguments import Arguments, Option
from argus_py.clients.pap_rest import PapRest
from argus_py.pap.paps import DEFAULT_ALIAS


class Exit(IntEnum):
    """COMPAT: scripts of sites look at these numbers; 1 is left to partial success, which no command has now."""

    SUCCESS = 0
    FAILURE = 2
    INITIALIZATION_ERROR = 3
    PARSE_ERROR = 4
    REMOTE_EXCEPTION = 5


@dataclass(frozen=True, slots=True)
class Call:
    """One command line, understood: ``arguments.words`` are those behind the command."""

    arguments: Arguments
    pap: PapRest
    out: TextIO
    err: TextIO

    @property
    def words(self) -> tuple[str, ...]:
        return self.arguments.words

    @property
    def alias(self) -> str:
        """The pap it is about."""
        return self.arguments.get("pap") or DEFAULT_ALIAS

    @property
    def verbose(self) -> bool:
        return self.arguments.has("verbose")

    def say(self, text: str) -> None:
        print(text, file=self.out)

    def say_if_verbose(self, text: str) -> None:
        if self.verbose:
            self.say(text)


@dataclass(frozen=True, slots=True)
class Command:
    """``names``: the full one first; ``check`` looks at the arguments before anything is connected."""

    names: tuple[str, ...]
    usage: str
    help: str
    options: tuple[Option, ...]
    run: Callable[[Call], Exit]
    check: Callable[[Arguments], None]


PAP = Option(("--pap",), "the pap that is meant; without it the local pap 'default'", "alias")
