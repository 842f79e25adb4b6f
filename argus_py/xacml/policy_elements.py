"""What all readers and writers of policy elements have in common: names, checks, and errors that tell the line."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import Final, cast

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect
from argus_py.xacml.datatypes import READERS
from argus_py.xacml.document import fit
from argus_py.xacml.values import trim

POLICY_NAMESPACE: Final = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
POLICY_PREFIX: Final = {"xacml": POLICY_NAMESPACE}

_EFFECTS: Final = {effect.value: effect for effect in Effect}


class PolicySyntaxError(MalformedInput):
    """A document that is no XACML 2.0 policy; carries ``reason`` and, where one is known, ``line``."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(f"not a policy: {reason}" if line is None else f"not a policy: line {line}: {reason}")
        self.reason = reason
        self.line = line


class PolicyNotSupported(PolicySyntaxError):
    """A policy with a data type, function, algorithm or XPath expression that is not supported, the ``name``."""

    def __init__(self, name: str, reason: str, line: int | None = None) -> None:
        super().__init__(reason, line)
        self.name = name


@cache
def policy_tag(name: str) -> str:
    return f"{{{POLICY_NAMESPACE}}}{name}"


def policy_tags(*names: str) -> frozenset[str]:
    return frozenset(map(policy_tag, names))


def line_of(element: etree._Element) -> int | None:
    return cast("int | None", element.sourceline)  # lxml-stubs has no type for it


def expect(element: etree._Element, name: str) -> None:
    """Raises PolicySyntaxError: it is another element."""
    if element.tag != policy_tag(name):
        raise unexpected(element, f"{name} of XACML 2.0 is expected")


def unexpected(element: etree._Element, reason: str) -> PolicySyntaxError:
    return PolicySyntaxError(f"unexpected element {etree.QName(element).localname}: {reason}", line_of(element))


def single_children(
    element: etree._Element, known: frozenset[str], single: frozenset[str]
) -> dict[str, etree._Element]:
    """The ``single`` ones by their tags. Each may be there once: a second Target must not be overlooked.

    Raises PolicySyntaxError: one twice, or one that is not ``known``.
    """
    found: dict[str, etree._Element] = {}
    for child in element:
        tag = child.tag
        if tag not in known:
            raise unexpected(child, f"not known in {etree.QName(element).localname}")
        if tag in single:
            if tag in found:
                raise unexpected(child, "there is one already")
            found[tag] = child
    return found


def attribute_of(element: etree._Element, name: str) -> str:
    """Raises PolicySyntaxError: there is none."""
    value = element.get(name)
    if value is None:
        raise PolicySyntaxError(f"{etree.QName(element).localname} has no {name}", line_of(element))
    return value


def uri_of(element: etree._Element, name: str) -> str:
    """An attribute that has few values in a policy: one object for all that are equal. Raises PolicySyntaxError."""
    return sys.intern(attribute_of(element, name))


def datatype_of(element: etree._Element) -> str:
    """Raises PolicyNotSupported: not a known one; PolicySyntaxError: none."""
    datatype = uri_of(element, "DataType")
    if datatype not in READERS:
        raise PolicyNotSupported(datatype, f"the data type {datatype!r} is not known", line_of(element))
    return datatype


def effect_of(element: etree._Element, name: str) -> Effect:
    """Raises PolicySyntaxError: none, or neither of the two words."""
    word = attribute_of(element, name)
    if word not in _EFFECTS:
        raise PolicySyntaxError(f"{name} is {word!r} instead of Permit or Deny", line_of(element))
    return _EFFECTS[word]


def boolean_of(element: etree._Element, name: str) -> bool:
    """False if there is none. Raises PolicySyntaxError: none of the four words of XML Schema."""
    word = element.get(name, "false")
    if word not in ("true", "1", "false", "0"):
        raise PolicySyntaxError(f"{name} is {word!r} instead of true or false", line_of(element))
    return word in ("true", "1")


def text_of(element: etree._Element) -> str:
    """Trimmed. Raises PolicySyntaxError: it has children."""
    if len(element):
        raise unexpected(element[0], "text is expected")
    return trim(element.text or "")


def write_text(
    parent: etree._Element, name: str, text: str, namespaces: Mapping[str, str] | None = None
) -> etree._Element:
    """Raises NotXmlText."""
    element = etree.SubElement(parent, policy_tag(name), nsmap=namespaces)
    element.text = fit(name, text) or None
    return element


def set_attribute(element: etree._Element, name: str, value: str) -> None:
    """Raises NotXmlText."""
    element.set(name, fit(name, value))
