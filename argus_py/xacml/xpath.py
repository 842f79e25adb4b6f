"""XPath 1.0 over a request as XML: what AttributeSelectors and the xpath functions ask.

An evaluation of libxml2 cannot be interrupted, so it is kept cheap beforehand: documents are bounded, and expressions
that could go through a document again for every node of it are refused: axes along siblings, predicates that look
further than at attributes and children, and more than a few descents and unions. The worst that passes takes 0.2 s.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, cast

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.model.identifiers import StatusUri
from argus_py.xacml.outcome import Fault

VERSION: Final = "http://www.w3.org/TR/1999/Rec-xpath-19991116"  # in the spelling of XACML 2.0
MAX_LENGTH: Final = 1024  # characters of an expression
MAX_BRANCHES: Final = 4  # "//", "|" and the like in one expression: each may go through the whole document
MAX_NODES: Final = 2000  # elements and attributes of a request; one with a record like the standard's has 100
MAX_TEXT: Final = 1 << 17  # characters, each counted for all elements around it; a certificate chain comes to 40,000

_WORD: Final = re.compile(r"""\s*("[^"]*"|'[^']*'|//|::|\.\.|[\w.-]+|.)""", re.DOTALL)
_LONG_AXES: Final = frozenset({"descendant", "descendant-or-self", "ancestor", "ancestor-or-self"})
_QUOTED: Final = re.compile(r""""[^"]*"|'[^']*'""")
_PREFIX: Final = re.compile(r"([\w.-]+):(?!:)")
_SHORT_AXES: Final = frozenset({None, "child", "attribute", "self"})
_SIDE_AXES: Final = frozenset({"following", "following-sibling", "preceding", "preceding-sibling"})

_Selected = etree._Element | etree._ElementUnicodeResult


class XPathNotSupported(MalformedInput):
    """An expression that is not XPath 1.0, or beyond what is evaluated here; carries ``text`` and ``reason``."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"the XPath expression {text[:200]!r} is not supported: {reason}")
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a document, equal to itself alone.

    ``part``: "" is ``element`` itself, "text" and "tail" are the texts in it and behind it, "@name" is an attribute.
    """

    element: etree._Element
    part: str = ""

    @property
    def is_text(self) -> bool:
        return self.part in ("text", "tail")


def ancestors(node: Node) -> Iterator[Node]:
    """The elements around an element or attribute, from within."""
    if node.part:
        yield Node(node.element)
    for element in node.element.iterancestors():
        yield Node(element)


class DocumentTooLarge(MalformedInput):
    """A document of more than MAX_NODES elements and attributes, or with values of more than MAX_TEXT characters."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_NODES} nodes, or {MAX_TEXT} characters, are too many for XPath")


@dataclass(frozen=True, slots=True)
class Document:
    """What expressions are evaluated on, seen from ``root``."""

    root: etree._Element
    nodes: int

    @classmethod
    def of(cls, root: etree._Element) -> "Document":
        """Raises DocumentTooLarge."""
        nodes = text = depth = 0
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if event == "start":
                depth += 1
                nodes += 1 + len(element.attrib)
                text += depth * len(element.text or "") + sum(map(len, element.attrib.values()))
            else:
                depth -= 1
                text += depth * len(element.tail or "")
            if nodes > MAX_NODES or text > MAX_TEXT:
                raise DocumentTooLarge
        return cls(root, nodes)


@dataclass(frozen=True, slots=True)
class XPath:
    """An expression made ready; equal to another one of the same text and prefixes."""

    text: str
    namespaces: tuple[tuple[str, str], ...]
    _compiled: etree.XPath = field(compare=False, repr=False)

    @classmethod
    def compile(cls, text: str, namespaces: tuple[tuple[str, str], ...]) -> "XPath":
        """Raises XPathNotSupported."""
        _check(text)
        for prefix in _prefixes(_QUOTED.sub("", text)) - dict(namespaces).keys():
            raise XPathNotSupported(text, f"the prefix {prefix} is not declared")
        try:
            return cls(text, namespaces, etree.XPath(text, namespaces=dict(namespaces), regexp=False))
        except (etree.XPathError, ValueError) as error:
            raise XPathNotSupported(text, str(error)) from error

    def nodes(self, document: Document) -> frozenset[Node] | Fault:
        selected = self._select(document)
        return selected if isinstance(selected, Fault) else frozenset(map(_node, selected))

    def texts(self, document: Document) -> tuple[str, ...] | Fault:
        """The selected texts and values of attributes, in document order; an element is an error (section 5.42)."""
        selected = self._select(document)
        if isinstance(selected, Fault):
            return selected
        if any(not isinstance(item, str) for item in selected):
            return self._fault("it selects elements, which have no value")
        return tuple(map(str, selected))

    def _select(self, document: Document) -> list[_Selected] | Fault:
        try:
            selected = self._compiled(document.root)
        except etree.XPathError as error:
            return self._fault(str(error))
        if not isinstance(selected, list):
            return self._fault("it does not select nodes")
        if any(isinstance(item, tuple) for item in selected):
            return self._fault("it selects declarations of namespaces")
        return cast("list[_Selected]", selected)

    def _fault(self, reason: str) -> Fault:
        return Fault(f"the XPath expression {self.text!r}: {reason}", StatusUri.SYNTAX_ERROR)


def prefixes_in(text: str, known: Mapping[str | None, str]) -> tuple[tuple[str, str], ...]:
    """Those of the declared prefixes that an expression may use, sorted."""
    used = _prefixes(text)
    return tuple(sorted((prefix, uri) for prefix, uri in known.items() if prefix is not None and prefix in used))


def _prefixes(text: str) -> set[str]:
    return set(_PREFIX.findall(text))


def _node(item: _Selected) -> Node:
    if isinstance(item, etree._Element):
        return Node(item)
    parent = cast(etree._Element, item.getparent())
    if item.is_attribute:
        return Node(parent, "@" + str(item.attrname))
    return Node(parent, "tail" if item.is_tail else "text")


def _check(text: str) -> None:
    """Raises XPathNotSupported: too long, or possibly expensive."""
    if len(text) > MAX_LENGTH:
        raise XPathNotSupported(text, f"longer than {MAX_LENGTH} characters")
    branches = brackets = 0
    for word, following in pairwise([*_WORD.findall(text), ""]):
        axis = word if following == "::" else None
        if word == "$" or axis in _SIDE_AXES:
            raise XPathNotSupported(text, f"{word} is not known")
        if brackets and (word in ("/", "//", "..") or axis not in _SHORT_AXES):
            raise XPathNotSupported(text, f"{word} within a predicate")
        branches += word in ("//", "|") or axis in _LONG_AXES
        brackets += (word == "[") - (word == "]")
    if branches > MAX_BRANCHES:
        raise XPathNotSupported(text, f"more than {MAX_BRANCHES} descents and unions")
