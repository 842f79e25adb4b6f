"""The command line dialect of pap-admin: options anywhere, several letters behind one hyphen (``-sai``).

Neither getopt nor argparse reads it: they take ``-sai`` apart, and want the options of a command behind its name.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/PAPCLI.java (commons-cli 1.1, GnuParser)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class ParseError(Exception):
    """The command line cannot be understood; shown as ``Parse error: TEXT``, exit code 4."""


@dataclass(frozen=True, slots=True)
class Option:
    """``names`` with their hyphens, the longest last; ``value`` is the placeholder of its value, None for a switch.

    ``choices``: the only values there are, if they are few.
    """

    names: tuple[str, ...]
    help: str
    value: str | None = None
    several: bool = False  # takes all words up to the next option
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.names[-1].lstrip("-")


@dataclass(frozen=True, slots=True)
class Arguments:
    """``words`` are what is no option; options are asked for by the longest name without hyphens."""

    words: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        return key in self.options

    def get(self, key: str) -> str | None:
        """The last value given."""
        values = self.options.get(key)
        return values[-1] if values else None

    def all(self, key: str) -> tuple[str, ...]:
        return self.options.get(key, ())


def parse(argv: Iterable[str], options: Iterable[Option]) -> Arguments:
    """
    >>> ids = Option(("-sai", "--show-all-ids"), "")
    >>> parse(["lp", "-sai", "--pap=x"], [ids, Option(("--pap",), "", "alias")])
    Arguments(words=('lp',), options={'show-all-ids': (), 'pap': ('x',)})

    Raises ParseError: unknown option, or one without its value. An empty value is none: where a script's variable is
    not set, the default must not step in for what was meant.
    """
    by_name = _by_name(options)
    found: dict[str, tuple[str, ...]] = {}
    words: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        name, equals, inline = word.partition("=")
        option = by_name.get(name)
        if option is None or (equals and option.value is None):
            raise ParseError(f"Unrecognized option: {word}")
        values = [inline] if equals else _values(option, rest, by_name)
        if option.value is not None and (not values or "" in values):
            raise ParseError(f"Missing argument for option:{option.names[0].lstrip('-')}")
        if option.choices and not set(values) <= set(option.choices):
            raise ParseError(f"{option.names[-1]} is {' or '.join(option.choices)}")
        found[option.key] = (*found.get(option.key, ()), *values)
    return Arguments(tuple(words), found)


def first_word(argv: Iterable[str], options: Iterable[Option]) -> str | None:
    """The first word that is no option and no value of one; an unknown option is taken for a switch."""
    by_name = _by_name(options)
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return word
        option = by_name.get(word)
        if option is not None and option.value is not None:
            del rest[:1]
    return None


def _by_name(options: Iterable[Option]) -> dict[str, Option]:
    """Of two options with one name the last counts."""
    return {name: option for option in options for name in option.names}


def _values(option: Option, rest: list[str], by_name: Mapping[str, Option]) -> list[str]:
    """Take the values of an option off the front of ``rest``."""
    values: list[str] = []
    while option.value is not None and rest and rest[0].partition("=")[0] not in by_name:
        values.append(rest.pop(0))
        if not option.several:
            break
    return values
