"""Large policies as octets: the rules that a change has not touched are neither written nor read again.

A ban changes one rule among many thousands. The writer goes by the identity of the values it has written before, the
reader by the octets of the rules it has read before, which it finds without reading the document: in XML without
comments, CDATA sections and processing instructions every ``<`` starts a tag, so what stands from ``<xacml:Rule `` to
the next ``</xacml:Rule>``, without another tag of that name however spelt, is one element, or the document is not
well-formed. Any other document is read whole.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, overload

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect
from argus_py.xacml.policy import Combining, Policy, PolicySet, Rule
from argus_py.xacml.policy_elements import POLICY_NAMESPACE
from argus_py.xacml.policy_xml import read_policy, write_policy, write_policy_set, write_rule

_Element = PolicySet | Policy

_DECLARATION: Final = f' xmlns:xacml="{POLICY_NAMESPACE}"'.encode()
_PROLOGUES: Final = (b'<?xml version="1.0" encoding="UTF-8"?>', b"")
_START: Final = b"<xacml:Rule "
_END: Final = b"</xacml:Rule>"
_NOT_BY_ITSELF: Final = (b"Condition", b"Selector")  # with variables of the policy, or names declared around it
_PREFIX: Final = b"xmlns:xacml"
_BLANK: Final = b" \t\r\n"  # of XML; isspace() takes more
_BOUND: Final = re.compile(rb"xmlns:xacml\s*=\s*(\"[^\"]*\"|'[^']*')")
_BINDING: Final = f'"{POLICY_NAMESPACE}"'.encode()
_AROUND: Final = (
    b"<xacml:Policy%s PolicyId='' RuleCombiningAlgId='%s'>" % (_DECLARATION, Combining.RULES_FIRST_APPLICABLE.encode()),
    b"</xacml:Policy>",
)


class PolicyWriter:
    """Writes again and again what is mostly the same; for one thread at a time."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[Rule, bytes]] = {}  # by id(), of objects that are thereby kept

    def write(self, elements: Iterable[_Element]) -> bytes:
        """One after the other, each with the namespace declared. Raises NotXmlText: a value that XML cannot carry."""
        known, self._written = self._written, {}
        return b"".join([self._element(element, known) for element in elements])

    def _element(self, element: _Element, known: dict[int, tuple[Rule, bytes]]) -> bytes:
        token = secrets.token_hex(16)
        rules: list[bytes] = []

        def without_rules(policy: Policy) -> Policy:
            octets = [self._rule(rule, known) for rule in policy.rules]
            if not octets or any(word in each for each in octets for word in _NOT_BY_ITSELF):
                return policy
            rules.append(b"".join(octets))
            return replace(policy, rules=(Rule(token, Effect.DENY),))

        document = _written(_each_policy(element, without_rules))
        pieces = document.split(b'<xacml:Rule Effect="Deny" RuleId="%s"><xacml:Target/></xacml:Rule>' % token.encode())
        return b"".join([pieces[0], *(part for pair in zip(rules, pieces[1:], strict=True) for part in pair)])

    def _rule(self, rule: Rule, known: dict[int, tuple[Rule, bytes]]) -> bytes:
        entry = known.get(id(rule)) or (rule, write_rule(rule).replace(_DECLARATION, b"", 1))
        self._written[id(rule)] = entry
        return entry[1]


def _written(element: _Element) -> bytes:
    return write_policy(element) if isinstance(element, Policy) else write_policy_set(element)


@dataclass(frozen=True, slots=True)
class Shortened:
    """A document with stand-ins for its rules; ``token``, which nobody can guess, stands in their ids.

    ``runs`` are the rules that each of them stands for, first as octets, then as values.
    """

    document: bytes
    token: str = ""
    runs: tuple[tuple[bytes, tuple[Rule, ...]], ...] = ()

    @overload
    def completed(self, element: PolicySet) -> PolicySet: ...

    @overload
    def completed(self, element: Policy) -> Policy: ...

    def completed(self, element: _Element) -> _Element:
        """What was read from the document, with its rules."""
        return _each_policy(element, self._completed) if self.runs else element

    def whole(self, octets: bytes) -> bytes:
        """A part of the document, with its rules."""
        if not self.runs:
            return octets
        stand_in = rb'<xacml:Rule(?:%s)? Effect="Deny" RuleId="%s-(\d+)"\n*/>' % (_DECLARATION, self.token.encode())
        return re.sub(stand_in, lambda found: self.runs[int(found[1])][0], octets)

    def _completed(self, policy: Policy) -> Policy:
        rules = chain.from_iterable(map(self._in_place_of, policy.rules))
        return replace(policy, rules=tuple(rules))

    def _in_place_of(self, rule: Rule) -> tuple[Rule, ...]:
        token, _, number = rule.id.rpartition("-")
        return self.runs[int(number)][1] if token == self.token else (rule,)


class RuleReader:
    """Reads again and again what is mostly the same; for one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[bytes, Rule] = {}  # by the digest of their octets, those of the last document

    def shorten(self, document: bytes) -> Shortened:
        """The same document, if it is in another form, not well-formed, or holds a rule that cannot be used.

        The remaining document and what is in the place of the stand-ins are well-formed exactly if the whole is.
        """
        prologue = next(each for each in _PROLOGUES if document.startswith(each))
        # With a zero octet it is UTF-16 or UTF-32, in which these octets may be letters.
        if b"\0" in document or b"<!" in document or document.find(b"<?", len(prologue)) >= 0:
            return Shortened(document)
        token = secrets.token_hex(16)
        rest, runs = _separated(document, token)
        if not runs or any(found != _BINDING for found in _BOUND.findall(rest)):
            return Shortened(document)
        digests = [[hashlib.sha256(octets).digest() for octets in run] for run in runs]
        unknown = {
            digest: octets
            for run, of_run in zip(runs, digests, strict=True)
            for octets, digest in zip(run, of_run, strict=True)
            if digest not in self._known
        }
        try:
            read = _read(unknown.values())
        except MalformedInput:
            return Shortened(document)
        if len(read) != len(unknown):
            return Shortened(document)
        known = self._known | dict(zip(unknown, read, strict=True))
        values = [tuple(known[digest] for digest in of_run) for of_run in digests]
        self._known = dict(zip(chain.from_iterable(digests), chain.from_iterable(values), strict=True))
        return Shortened(rest, token, tuple(zip(map(b"".join, runs), values, strict=True)))


def _separated(document: bytes, token: str) -> tuple[bytes, list[list[bytes]]]:
    """The document with a stand-in for each run of rules, and these rules."""
    head, *pieces = document.split(_START)
    rest: list[bytes] = [head]
    runs: list[list[bytes]] = []
    places: list[int] = []  # of their stand-ins in ``rest``
    lines: list[int] = []  # that end in each of them
    goes_on = False
    for piece in pieces:
        content, end, tail = piece.partition(_END)
        if not end or not _is_alone(_START + content):
            rest.append(_START + piece)
            goes_on = False
            continue
        if not goes_on:
            places.append(len(rest))
            rest.append(b"")
            runs.append([])
            lines.append(0)
        runs[-1].append(_START + content + _END)
        lines[-1] += content.count(b"\n")
        goes_on = not tail.strip(_BLANK)
        if goes_on:
            lines[-1] += tail.count(b"\n")
        else:
            rest.append(tail)
    for number, place in enumerate(places):
        declared = _DECLARATION if all(_PREFIX in octets for octets in runs[number]) else b""
        rest[place] = _stand_in(token, number, declared, lines[number])
    return b"".join(rest), runs


def _is_alone(rule: bytes) -> bool:
    """No other rule is in it, and it means the same wherever the prefix does, or declares that itself.

    ``rule``: without its end tag.
    """
    if any(word in rule for word in _NOT_BY_ITSELF) or rule.count(b"xacml:Rule") > 1:
        return False
    start = rule.partition(b">")[0]
    return _PREFIX not in rule or (_DECLARATION in start and b"'" not in start and rule.count(_PREFIX) == 1)


def _stand_in(token: str, number: int, declared: bytes, lines: int) -> bytes:
    """Of so many lines, for the lines that errors name."""
    stand_in = b'<xacml:Rule%s Effect="Deny" RuleId="%s-%d"%s/>'
    return stand_in % (declared, token.encode(), number, b"\n" * lines)


def _read(rules: Collection[bytes]) -> tuple[Rule, ...]:
    """Raises PolicySyntaxError."""
    return read_policy(b"".join([_AROUND[0], *rules, _AROUND[1]])).rules if rules else ()


def _each_policy(element: _Element, change: Callable[[Policy], Policy]) -> _Element:
    """The element with every Policy in it changed, in the order of the document."""
    if isinstance(element, Policy):
        return change(element)
    children = [
        _each_policy(child, change) if isinstance(child, PolicySet | Policy) else child for child in element.children
    ]
    return replace(element, children=tuple(children))
