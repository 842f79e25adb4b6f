"""The language of LCMAPS' policy files (PDL): modules with their arguments, policies of rules.

    path = /usr/lib64/lcmaps
    pepc = "lcmaps_c_pep.mod" " -capath /etc/grid-security/certificates"

    glexec_get_account:
    verify_proxy -> pepc | elsewhere
    ~banned -> pepc

Strings that follow each other are joined with a blank. A rule tells what comes after a module: ``a -> b | c`` is b
after success and c after failure, without ``| c`` failure ends the policy; ``~a -> b`` is b after failure, and success
ends it. A module without a rule ends the policy with its own result. The path and the suffix of a module have no
meaning here, where modules are known by their names.

BETTER: a rule for a module that has one already, a circle, and a name without a module refuse the file; LCMAPS goes on
with a part of it.

Source: lcmaps:src/evaluationmanager/pdl_lex.l, pdl_yacc.y, pdl_rule.c
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from argus_py.worker.errors import PolicyFileError

MAX_LENGTH: Final = 64 * 1024  # characters; real files have two thousand
MAX_RULES: Final = 500  # of all policies; real files have ten
_PATH: Final = "path"
_TOKEN = re.compile(
    r"""[ \t\r]++ | \#[^\n]*+
      | (?P<newline>\n) | "(?P<string>[^"\n]*+)" | (?P<word>(?:[A-Za-z0-9_./+]|-(?!>))++)
      | (?P<sign>->|[=:|~])""",
    re.VERBOSE,
)
_SUFFIXES: Final = (".mod", ".so")


@dataclass(frozen=True, slots=True)
class Module:
    """``name`` is what rules call it, ``plugin`` the file without path and suffix."""

    name: str
    plugin: str
    arguments: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows ``module``; None ends the policy with the result."""

    module: str
    on_success: str | None
    on_failure: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Policy:
    """``rules`` by module; ``first`` is the module that the policy begins with."""

    name: str
    first: str
    rules: Mapping[str, Rule]
    line: int

    def modules(self) -> tuple[str, ...]:
        """Every module that may run, in the order of the text."""
        found = dict.fromkeys([self.first])
        for rule in self.rules.values():
            found |= dict.fromkeys(each for each in (rule.module, rule.on_success, rule.on_failure) if each)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    file: str
    modules: Mapping[str, Module]
    policies: Mapping[str, Policy]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # string, word, or the sign itself; empty: the end
    text: str
    line: int


def parse_lcmaps_db(text: str, file: str) -> PolicyFile:
    """``file`` names the text in errors.

    Raises PolicyFileError: the first line that is wrong, and why.
    """
    if len(text) > MAX_LENGTH:
        raise PolicyFileError(file, 1, f"{len(text)} characters; {MAX_LENGTH} are allowed")
    return _Parser(file, list(_tokens(text, file))).parse()


def _tokens(text: str, file: str) -> Iterator[_Token]:
    line, position = 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            what = "a string that does not end in its line" if text[position] == '"' else repr(text[position])
            raise PolicyFileError(file, line, f"{what} has no meaning here")
        position = match.end()
        if match["newline"]:
            line += 1
        elif match["string"] is not None:
            yield _Token("string", match["string"], line)
        elif match["word"]:
            yield _Token("word", match["word"], line)
        elif match["sign"]:
            yield _Token(match["sign"], match["sign"], line)
    yield _Token("", "the end of the file", line)


class _Parser:
    """One token decides: what follows a word tells whether it names a module, a policy or the subject of a rule."""

    def __init__(self, file: str, tokens: list[_Token]) -> None:
        self._file = file
        self._tokens = tokens
        self._position = 0
        self._modules: dict[str, Module] = {}
        self._policies: dict[str, Policy] = {}
        self._rules_left = MAX_RULES

    def parse(self) -> PolicyFile:
        while self._next.kind:
            name = self._take("word")
            if self._next.kind == "=":
                self._assignment(name)
            elif self._next.kind == ":":
                self._policy(name)
            else:
                raise self._unexpected("'=' or ':'")
        for policy in self._policies.values():
            self._check(policy)
        return PolicyFile(self._file, MappingProxyType(self._modules), MappingProxyType(self._policies))

    def _assignment(self, name: _Token) -> None:
        self._take("=")
        if self._next.kind not in ("string", "word"):
            raise self._unexpected("a value")
        if self._next.kind == "word":
            values = [self._take("word").text]
        else:
            values = []
            while self._next.kind == "string":
                values.append(self._take("string").text)
        if name.text == _PATH:
            return
        if name.text in self._modules:
            raise self._error(name, f"{name.text} is defined a second time")
        words = " ".join(values).split()
        if not words:
            raise self._error(name, f"{name.text} names no module")
        plugin = words[0].rpartition("/")[2]
        for suffix in _SUFFIXES:
            plugin = plugin.removesuffix(suffix)
        self._modules[name.text] = Module(name.text, plugin, tuple(words[1:]), name.line)

    def _policy(self, name: _Token) -> None:
        self._take(":")
        if name.text in self._policies:
            raise self._error(name, f"the policy {name.text} is defined a second time")
        rules: dict[str, Rule] = {}
        while self._next.kind == "~" or (self._next.kind == "word" and self._after.kind == "->"):
            rule = self._rule()
            if rule.module in rules:
                raise PolicyFileError(self._file, rule.line, f"{rule.module} has a rule in this policy already")
            rules[rule.module] = rule
        if rules:
            first = next(iter(rules))
        elif self._next.kind == "word" and self._after.kind not in ("=", ":"):
            first = self._take("word").text  # COMPAT: a policy of one module alone
        else:
            raise self._error(name, f"the policy {name.text} has no rule")
        self._policies[name.text] = Policy(name.text, first, MappingProxyType(rules), name.line)

    def _rule(self) -> Rule:
        self._rules_left -= 1
        if self._rules_left < 0:
            raise self._error(self._next, f"more than {MAX_RULES} rules")
        negated = self._next.kind == "~"
        if negated:
            self._take("~")
        module = self._take("word")
        self._take("->")
        target = self._take("word").text
        if negated:
            return Rule(module.text, None, target, module.line)
        otherwise = None
        if self._next.kind == "|":
            self._take("|")
            otherwise = self._take("word").text
        return Rule(module.text, target, otherwise, module.line)

    def _check(self, policy: Policy) -> None:
        for name in policy.modules():
            if name not in self._modules:
                line = next((rule.line for rule in policy.rules.values() if name in _names(rule)), policy.line)
                raise PolicyFileError(self._file, line, f"the policy {policy.name} names {name}, which is not defined")
        done: set[str] = set()
        for start in policy.rules:
            self._check_no_circle(policy, start, done)

    def _check_no_circle(self, policy: Policy, start: str, done: set[str]) -> None:
        """Depth first without recursion: as deep as the file has rules."""
        on_the_way: list[str] = []
        pending: list[str | None] = [start]  # None: leave the last module on the way
        while pending:
            module = pending.pop()
            if module is None:
                done.add(on_the_way.pop())
                continue
            rule = policy.rules.get(module)
            if rule is None or module in done:
                continue
            if module in on_the_way:
                raise PolicyFileError(self._file, rule.line, f"the policy {policy.name} comes back to {module}")
            on_the_way.append(module)
            pending.append(None)
            pending += [each for each in (rule.on_success, rule.on_failure) if each]

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    @property
    def _after(self) -> _Token:
        return self._tokens[min(self._position + 1, len(self._tokens) - 1)]

    def _take(self, kind: str) -> _Token:
        if self._next.kind != kind:
            raise self._unexpected("a name" if kind == "word" else f"{kind!r}")
        self._position += 1
        return self._tokens[self._position - 1]

    def _unexpected(self, wanted: str) -> PolicyFileError:
        return self._error(self._next, f"{wanted} should stand where there is {self._next.text!r}")

    def _error(self, token: _Token, reason: str) -> PolicyFileError:
        return PolicyFileError(self._file, token.line, reason)


def _names(rule: Rule) -> tuple[str | None, ...]:
    return rule.module, rule.on_success, rule.on_failure
