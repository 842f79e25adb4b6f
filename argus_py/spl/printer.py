"""SPL values as text: the listing of pap-admin, which tools depend on, and text that can be read back.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/xacml/wizard/*Wizard.java (toFormattedString)
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.spl.ast import Action, Element, Pair, Resource, Rule, Text
from argus_py.spl.lexer import BARE, KEYWORDS, LEGAL

_INDENT: Final = "    "
_ABSENT: Final = "null"  # COMPAT: what the Java PAP prints for an empty value


class Ids(IntEnum):
    """Whose ids a listing shows; each also those before it."""

    NONE = 0
    ACTIONS = 1  # and resources
    RULES = 2


class NotWritable(MalformedInput):
    """A policy file cannot say what ``owner`` (an element and its id) says."""

    def __init__(self, owner: str, reason: str) -> None:
        super().__init__(f"{owner} cannot be written in the policy language: {reason}")
        self.owner = owner
        self.reason = reason


def format_listing(heading: str, elements: Iterable[str]) -> str:
    """What ``list-policies`` prints of one pap; ``heading`` is like ``default (local)``, ``elements`` are formatted."""
    listed = "".join(f"\n{element}" for element in elements) or "No policies has been found.\n"
    return f"\n{heading}:\n{listed}"


def format_resource(resource: Resource, ids: Ids = Ids.NONE) -> str:
    """As listed. COMPAT: no escapes, a blank at some line ends; it cannot always be read back."""
    lines = [f'resource "{_shown(resource.value)}" {{', *_indented(_listed_head(resource))]
    if ids >= Ids.ACTIONS:
        lines.insert(0, f"id={resource.id}")
    for action in resource.actions:
        lines += ["", *_indented(_listed_action(action, ids))]
    return _text([*lines, "}"])


def format_rule(rule: Rule) -> str:
    """In one line, for people."""
    pairs = " ".join(_listed_pair(pair) for pair in rule.pairs)
    return f"rule {rule.effect.value.lower()} {{ {pairs} }}" if pairs else f"rule {rule.effect.value.lower()} {{ }}"


def format_generic(id: str) -> str:
    """What is listed of a resource that SPL cannot express."""
    return f"id={id}: Generic XACML policy, to see this policy specify the option --show-xacml.\n"


def format_source(elements: Iterable[Element]) -> str:
    """A policy file that says the same. Raises NotWritable."""
    return "\n".join(
        _text(_written_resource(element) if isinstance(element, Resource) else _written_action(element))
        for element in elements
    )


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line if line else line for line in lines)


def _shown(text: Text) -> str:
    return text.text or _ABSENT


def _listed_head(element: Element) -> Iterator[str]:
    if element.description is not None:
        yield f'description="{element.description.text}"'
    for obligation in element.obligations:
        yield f'obligation "{_shown(obligation.name)}" {{'
        yield from _indented(_listed_pair(pair) for pair in obligation.pairs)
        yield "}"


def _listed_action(action: Action, ids: Ids) -> Iterator[str]:
    if ids >= Ids.ACTIONS:
        yield f"id={action.id}"
    if action.private:
        yield "private"
    yield f'action "{_shown(action.value)}" {{'
    yield from _indented(_listed_head(action))
    for rule in action.rules:
        if ids >= Ids.RULES:
            yield ""
            yield f"{_INDENT}id={rule.id}"
        yield from _indented(_listed_rule(rule))
    yield "}"


def _listed_rule(rule: Rule) -> Iterator[str]:
    if len(rule.pairs) <= 1:
        yield format_rule(rule)
        return
    yield f"rule {rule.effect.value.lower()} {{ "
    yield from _indented(f"{_listed_pair(pair)} " for pair in rule.pairs)
    yield "}"


def _listed_pair(pair: Pair) -> str:
    return f'{pair.attribute.text}="{_shown(pair.value)}"'


def _written_resource(resource: Resource) -> Iterator[str]:
    owner = _owner("resource", resource.id)
    yield f"resource {_quoted(resource.value, owner)} {{"
    yield from _indented(_written_head(resource, owner))
    for action in resource.actions:
        yield from _indented(_written_action(action))
    _check_not_empty(resource, resource.actions, owner)
    yield "}"


def _written_action(action: Action) -> Iterator[str]:
    owner = _owner("action", action.id)
    yield f"{'private ' if action.private else ''}action {_quoted(action.value, owner)} {{"
    yield from _indented(_written_head(action, owner))
    for rule in action.rules:
        yield f"{_INDENT}rule {rule.effect.value.lower()} {_written_rule(rule)}"
    _check_not_empty(action, action.rules, owner)
    yield "}"


def _check_not_empty(element: Element, items: tuple[Action, ...] | tuple[Rule, ...], owner: str) -> None:
    if not (items or element.obligations or element.description):
        raise NotWritable(owner, "it has nothing in it")


def _written_rule(rule: Rule) -> str:
    owner = _owner("rule", rule.id)
    if not rule.pairs:
        raise NotWritable(owner, "it asks for no attribute")
    return _written_pairs(rule.pairs, owner)


def _written_head(element: Element, owner: str) -> Iterator[str]:
    if element.description is not None:
        yield f"description {_quoted(element.description, owner)}"
    for obligation in element.obligations:
        yield f"obligation {_quoted(obligation.name, owner)} {_written_pairs(obligation.pairs, owner)}"


def _written_pairs(pairs: tuple[Pair, ...], owner: str) -> str:
    written = "".join(f"{_written_name(pair.attribute, owner)}={_quoted(pair.value, owner)} " for pair in pairs)
    return f"{{ {written}}}"


def _written_name(name: Text, owner: str) -> str:
    return name.text if BARE.fullmatch(name.text) and name.text not in KEYWORDS else _quoted(name, owner)


def _owner(element: str, id: str | None) -> str:
    return element if id is None else f"{element} {id}"


def _quoted(text: Text, owner: str) -> str:
    quoted = in_quotes(text.text)
    if quoted is None:
        raise NotWritable(owner, f"no quotes fit around {text.text!r}")
    return quoted


def in_quotes(text: str) -> str | None:
    """In double quotes if it can be, else in single ones; None: it can be in neither."""
    return next((f"{quote}{text}{quote}" for quote, legal in LEGAL.items() if legal.fullmatch(quote + text)), None)
