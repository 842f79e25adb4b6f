"""Policy tests as sites write them, in YAML; docs/policy-tests.md tells the format.

A problem is told with its line and the way to it, as ``tests[2].decision``, and what stands behind it is read as well.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final, TypeVar

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.response import Decision
from argus_py.pap.plain_yaml import List, Map, Node, Text, YamlError, read_yaml
from argus_py.pap.policy_tests import NOBODY, PROFILES, Case, Expected, Person, PolicyTests
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.policy import Category
from argus_py.xacml.values import trim

MAX_CASES: Final = 20_000  # of one file: several persons, actions and resources of a test are a case each together
MAX_PROBLEMS: Final = 100  # told of one file
MAX_TEXT: Final = 4096  # characters; names of services and persons have a hundred

_DECISIONS: Final = {
    "permit": Decision.PERMIT,
    "deny": Decision.DENY,
    "not-applicable": Decision.NOT_APPLICABLE,
    "indeterminate": Decision.INDETERMINATE,
}
_FILE: Final = ("policies", "accounts", "groups", "people", "what", "where", "profile", "tests")
_PERSON: Final = ("subject", "fqans", "issuers", "attributes")
_TEST: Final = ("name", "who", "what", "where", "profile", "decision", "account", "groups")

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Problem:
    """``key``: the way to it; empty for the text as a whole."""

    line: int
    column: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}" if self.key else self.reason


class PolicyTestsError(MalformedInput):
    """The text holds no policy tests; ``problems`` has at least one entry."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"line {each.line}, column {each.column}: {each}" for each in self.problems))


def parse_policy_tests(text: str, mappings: AttributeMappings) -> PolicyTests:
    """``mappings`` are for the names of further attributes of persons. Raises PolicyTestsError."""
    try:
        root = read_yaml(text)
    except YamlError as error:
        raise PolicyTestsError([Problem(error.line, error.column, "", error.reason)]) from error
    reading = _Reading(mappings)
    tests = reading.file(_Entry("", root))
    if reading.problems:
        raise PolicyTestsError(sorted(reading.problems, key=lambda each: (each.line, each.column))[:MAX_PROBLEMS])
    return tests


@dataclass(frozen=True, slots=True)
class _Entry:
    """A node, and the way to it."""

    key: str
    node: Node


_Entries = Mapping[str, _Entry]


class _Unusable(Exception):
    """What is at ``entry`` cannot be used, for the ``reason`` given."""

    def __init__(self, entry: _Entry, reason: str) -> None:
        super().__init__(reason)
        self.entry = entry
        self.reason = reason


class _Reading:
    """Notes the problems, and reads as much as can be read without what has them."""

    def __init__(self, mappings: AttributeMappings) -> None:
        self.problems: list[Problem] = []
        self._mappings = mappings
        self._people: dict[str, Person | None] = {}  # None: noted as a problem
        self._defaults = _Asked()
        self._cases_left = MAX_CASES

    def file(self, root: _Entry) -> PolicyTests:
        entries = self._try(_map_of(_FILE), root, {})
        for name, entry in self._optional(entries, "people", _map, {}).items():
            self._people[name] = self._try(partial(self._person, name=name), entry, None)
        self._defaults = self._asked(entries)
        cases: list[Case] = []
        if "tests" not in entries:
            self._note(root, "tests is missing")
        for test in self._optional(entries, "tests", _items, ()):
            cases += self._try(self._test, test, ())
        return PolicyTests(
            tuple(cases),
            self._optional(entries, "policies", _texts, ()),
            self._optional(entries, "accounts", _text, None),
            self._optional(entries, "groups", _text, None),
        )

    def _try(self, read: Callable[[_Entry], T], entry: _Entry, default: D) -> T | D:
        try:
            return read(entry)
        except _Unusable as error:
            self._note(error.entry, error.reason)
            return default

    def _note(self, entry: _Entry, reason: str) -> None:
        self.problems.append(Problem(entry.node.line, entry.node.column, entry.key, reason))

    def _optional(self, entries: _Entries, key: str, read: Callable[[_Entry], T], default: D) -> T | D:
        return self._try(read, entries[key], default) if key in entries else default

    def _asked(self, entries: _Entries) -> "_Asked":
        return _Asked(
            self._optional(entries, "what", _texts, self._defaults.what),
            self._optional(entries, "where", _texts, self._defaults.where),
            self._optional(entries, "profile", _profile, self._defaults.profile),
        )

    def _person(self, entry: _Entry, name: str | None = None) -> Person:
        entries = _map_of(_PERSON)(entry)
        subject = _required(entry, entries, "subject")
        return Person(
            _text(subject) if name is None else name,
            _dn(subject),
            self._optional(entries, "fqans", _fqans, ()),
            self._optional(entries, "issuers", _dns, ()),
            self._optional(entries, "attributes", self._attributes, ()),
        )

    def _attributes(self, entry: _Entry) -> tuple[Attribute, ...]:
        return tuple(self._attribute(name, values) for name, values in _map(entry).items())

    def _attribute(self, name: str, values: _Entry) -> Attribute:
        mapping = self._mappings.named(name)
        if mapping is None or mapping.category is not Category.SUBJECT:
            raise _Unusable(values, "no attribute of subjects has this name")
        return Attribute(mapping.attribute_id, _texts(values), mapping.datatype)

    def _test(self, entry: _Entry) -> tuple[Case, ...]:
        entries = _map_of(_TEST)(entry)
        who = self._who(_required(entry, entries, "who"))
        asked = self._asked(entries)
        for key, values in (("what", asked.what), ("where", asked.where)):
            if not values:
                raise _Unusable(entry, f"{key} is missing")
        expected = self._expected(entry, entries)
        name = self._optional(entries, "name", _text, "")
        self._cases_left -= len(who) * len(asked.what) * len(asked.where)
        if self._cases_left < 0:
            raise _Unusable(entry, f"the file has more than {MAX_CASES} cases")
        line = entry.node.line
        return tuple(
            Case(name, line, *request, asked.profile, expected) for request in product(who, asked.what, asked.where)
        )

    def _who(self, entry: _Entry) -> tuple[Person, ...]:
        if isinstance(entry.node, Map):
            return (self._person(entry),)
        names = _texts(entry)
        for name in names:
            if name not in self._people:
                raise _Unusable(entry, f"there is no {name!r} among the people")
        return tuple(person for name in names if (person := self._people[name]) is not None)

    def _expected(self, entry: _Entry, entries: _Entries) -> Expected:
        decision = _decision(_required(entry, entries, "decision"))
        account = self._optional(entries, "account", _text, None)
        groups = self._optional(entries, "groups", _texts, None)
        if decision is not Decision.PERMIT and (groups or account not in (None, NOBODY)):
            raise _Unusable(entry, "only who is permitted gets an account and groups")
        return Expected(decision, account, groups)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a test has of its own, or of the file."""

    what: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    profile: str = PROFILES[0]


def _map(entry: _Entry) -> dict[str, _Entry]:
    if not isinstance(entry.node, Map):
        raise _Unusable(entry, "names with values are expected")
    above = f"{entry.key}." if entry.key else ""
    return {name.text: _Entry(above + name.text, node) for name, node in entry.node.entries}


def _map_of(keys: tuple[str, ...]) -> Callable[[_Entry], dict[str, _Entry]]:
    def read(entry: _Entry) -> dict[str, _Entry]:
        found = _map(entry)
        for key, value in found.items():
            if key not in keys:
                raise _Unusable(value, f"this is none of {', '.join(keys)}")
        return found

    return read


def _required(entry: _Entry, entries: _Entries, key: str) -> _Entry:
    if key not in entries:
        raise _Unusable(entry, f"{key} is missing")
    return entries[key]


def _items(entry: _Entry) -> tuple[_Entry, ...]:
    if not isinstance(entry.node, List) or not entry.node.items:
        raise _Unusable(entry, "a list with something in it is expected")
    return tuple(_Entry(f"{entry.key}[{number}]", node) for number, node in enumerate(entry.node.items))


def _text(entry: _Entry) -> str:
    if not isinstance(entry.node, Text) or not trim(entry.node.text):
        raise _Unusable(entry, "a text is expected")
    if len(entry.node.text) > MAX_TEXT:
        raise _Unusable(entry, f"it is longer than {MAX_TEXT} characters")
    return trim(entry.node.text)


def _texts(entry: _Entry) -> tuple[str, ...]:
    """One, or a list."""
    return (_text(entry),) if isinstance(entry.node, Text) else tuple(map(_text, _items(entry)))


def _parsed(entry: _Entry, parse: Callable[[str], T]) -> T:
    try:
        return parse(_text(entry))
    except MalformedInput as error:
        raise _Unusable(entry, str(error)) from error


def _dn(entry: _Entry) -> DistinguishedName:
    slash = _text(entry).startswith("/")
    return _parsed(entry, DistinguishedName.parse_slash if slash else DistinguishedName.parse_rfc2253)


def _dns(entry: _Entry) -> tuple[DistinguishedName, ...]:
    return tuple(map(_dn, (entry,) if isinstance(entry.node, Text) else _items(entry)))


def _fqans(entry: _Entry) -> tuple[Fqan, ...]:
    each = (entry,) if isinstance(entry.node, Text) else _items(entry)
    return tuple(_parsed(fqan, Fqan.parse) for fqan in each)


def _profile(entry: _Entry) -> str:
    return _one_of(entry, PROFILES)


def _decision(entry: _Entry) -> Decision:
    return _DECISIONS[_one_of(entry, tuple(_DECISIONS))]


def _one_of(entry: _Entry, words: tuple[str, ...]) -> str:
    word = _text(entry)
    if word not in words:
        raise _Unusable(entry, f"{word!r} is none of {', '.join(words)}")
    return word
