"""What all plug-ins have in common: how they run, how they fail, how they read their options."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from argus_py.errors import ArgusError
from argus_py.worker.errors import PolicyFileError
from argus_py.worker.lcmaps_db import Module
from argus_py.worker.ports import Node, User
from argus_py.worker.state import State


class PluginFailed(ArgusError):
    """The plug-in has nothing to add or refuses; what follows is for the policy to say. Carries ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Plugin(Protocol):
    def run(self, state: State, /) -> State:
        """The state with what this plug-in has found.

        Raises PluginFailed: the policy goes on with what follows a failure; anything else ends the policy.
        """
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of a module. One dash or two, ``_`` or ``-`` inside: plug-ins never agreed on that."""

    file: str
    module: Module
    given: tuple[tuple[str, str], ...]  # name without dashes, value; a flag has none

    def values(self, *names: str) -> tuple[str, ...]:
        """In the order given, under any of the names."""
        return tuple(value for name, value in self.given if name in names)

    def last(self, *names: str) -> str | None:
        values = self.values(*names)
        return values[-1] if values else None

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.given)

    def required(self, *names: str) -> str:
        value = self.last(*names)
        if value is None:
            raise self.error(f"the option -{names[0]} is missing")
        return value

    def number(self, name: str, default: int) -> int:
        text = self.last(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise self.error(f"-{name}: {text!r} is no number")
        return int(text)

    def truth(self, name: str, default: bool) -> bool:
        text = self.last(name)
        if text is None:
            return default
        if text not in ("yes", "no"):
            raise self.error(f"-{name}: {text!r} is neither yes nor no")
        return text == "yes"

    def error(self, reason: str) -> PolicyFileError:
        return PolicyFileError(self.file, self.module.line, f"{self.module.plugin}: {reason}")


def read_options(
    file: str, module: Module, *, flags: Iterable[str] = (), valued: Iterable[str] = (), prefixed: Iterable[str] = ()
) -> Options:
    """``prefixed`` options carry a parameter behind ``=`` and take the next word as their value.

    Raises PolicyFileError: an option that is not among them, or without its value.
    """
    flags, valued, prefixed = frozenset(flags), frozenset(valued), frozenset(prefixed)
    given: list[tuple[str, str]] = []
    words = iter(module.arguments)
    options = Options(file, module, ())
    for word in words:
        name, sign, parameter = word.lstrip("-").partition("=")
        name = name.replace("_", "-")
        if not word.startswith("-"):
            raise options.error(f"{word!r} is no option")
        if name in flags and not sign:
            given.append((name, ""))
        elif name in valued:
            value = parameter if sign else next(words, None)
            if value is None:
                raise options.error(f"{word} has no value")
            given.append((name, value))
        elif name in prefixed and sign:
            value = next(words, None)
            if value is None:
                raise options.error(f"{word} has no value")
            given.append((f"{name}={parameter}", value))
        else:
            raise options.error(f"the option {word} is not known here")
    return Options(file, module, tuple(given))


def known_user(node: Node, name: str) -> User:
    """Raises PluginFailed: this machine has no such account."""
    user = node.user(name)
    if user is None:
        raise PluginFailed(f"this machine does not know the account {name!r}")
    return user
