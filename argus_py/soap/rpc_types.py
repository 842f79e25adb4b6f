"""Values in rpc/literal messages: texts, beans, arrays and live XACML elements, read by place and written as Axis does.

Each wire type turns one element into a value and a value into the text of one element. Text, because the messages of
Axis change the default namespace back and forth, which lxml cannot write. Readers look at the place of a parameter or
an item and never at its name; fields of beans are found by their local names. Messages in SOAP's own encoding are read
too: their ``xsi:type`` is not looked at, and a value may stand apart and be referred to.

Source: axis 1.4, as argus-pap:src/main/webapp/WEB-INF/server-config.wsdd configures it
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.soap.pap_beans import PAPACE, Pap, PAPPrincipal, UnbanResult
from argus_py.xacml import policy_xml
from argus_py.xacml.document import fit
from argus_py.xacml.policy import Policy, PolicySet

MAX_TEXT: Final = 1 << 16  # characters; a DN or an id has some hundred
MAX_ITEMS: Final = 250_000  # of one array; the rules that a policy may have
MAX_REFERRED: Final = 1 << 20  # octets; SOAP's own encoding puts texts and beans apart, some hundred octets each

XSI_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NIL: Final = f"{{{XSI_NAMESPACE}}}nil"

T = TypeVar("T")


class RpcError(MalformedInput):
    """A message that cannot be worked with; ``java_class`` is what a Java service would have thrown."""

    java_class: ClassVar = "org.xml.sax.SAXException"


class BadValue(RpcError):
    """The element ``name`` does not hold what its place asks for; ``reason`` says what."""

    java_class = "java.lang.IllegalArgumentException"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class NullValue(BadValue):
    """The element ``name`` is null, or missing, where a value is needed."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "a value is needed")


class BadNumber(BadValue):
    """The text of the element ``name`` is no ``kind``."""

    java_class = "java.lang.NumberFormatException"

    def __init__(self, name: str, kind: str, text: str) -> None:
        super().__init__(name, f"Invalid {kind}: {text[:100]!r}")


class BadReference(RpcError):
    """A reference to a value that is not there, is a reference itself, or one too many; carries ``href``."""

    def __init__(self, href: str, reason: str) -> None:
        super().__init__(f"the reference {href[:100]!r} {reason}")
        self.href = href


class WireType(Protocol[T]):
    def read(self, element: etree._Element, values: "Values") -> T:
        """Raises RpcError, PolicySyntaxError."""

    def write(self, name: str, namespace: str, scope: str, value: T) -> str:
        """The element ``name`` in the ``namespace``, for a place where the default namespace is ``scope``.

        Raises NotXmlText.
        """


class Values:
    """Reads values, also those that stand apart and are referred to (SOAP 1.1 section 5).

    INVARIANT: a value can be referred to many times, so what references add up to is limited.
    """

    def __init__(self, apart: Mapping[str, etree._Element]) -> None:
        """``apart``: the elements that can be referred to, by their ids."""
        self._apart = apart
        self._left = MAX_REFERRED

    def read(self, type: WireType[T], element: etree._Element) -> T:
        """Raises RpcError, PolicySyntaxError."""
        href = element.get("href")
        return type.read(element if href is None else self._target(href), self)

    def _target(self, href: str) -> etree._Element:
        target = self._apart.get(href[1:]) if href.startswith("#") else None
        if target is None:
            raise BadReference(href, "leads nowhere")
        if target.get("href") is not None:
            raise BadReference(href, "leads to another reference")
        self._left -= len(etree.tostring(target, with_tail=False))
        if self._left < 0:
            raise BadReference(href, f"makes it more than {MAX_REFERRED} octets that are referred to")
        return target


@dataclass(frozen=True, slots=True)
class Nullable(Generic[T]):
    type: WireType[T]

    def read(self, element: etree._Element, values: Values) -> T | None:
        return None if _is_nil(element) else self.type.read(element, values)

    def write(self, name: str, namespace: str, scope: str, value: T | None) -> str:
        if value is None:
            return f'<{name} xsi:nil="true"{_declaration(namespace, scope)}/>'
        return self.type.write(name, namespace, scope, value)


@dataclass(frozen=True, slots=True)
class Simple(Generic[T]):
    """One text. ``schema_type`` is a name of XML Schema."""

    schema_type: str
    from_text: Callable[[str, str], T]  # name of the element, its text
    to_text: Callable[[T], str]

    def read(self, element: etree._Element, values: Values) -> T:  # noqa: ARG002 - a text refers to nothing
        name = _not_nil(element)
        if len(element):
            raise BadValue(name, "text is expected")
        text = element.text or ""
        if len(text) > MAX_TEXT:
            raise BadValue(name, f"the text is {len(text)} characters long, {MAX_TEXT} are allowed")
        return self.from_text(name, text)

    def write(self, name: str, namespace: str, scope: str, value: T) -> str:
        return written(name, namespace, scope, escaped(fit(name, self.to_text(value))))


@dataclass(frozen=True, slots=True)
class Array(Generic[T]):
    """``item_name`` None: items are called as the array, which Axis does in answers."""

    item: WireType[T]
    item_name: str | None = None

    def read(self, element: etree._Element, values: Values) -> tuple[T, ...]:
        name = _not_nil(element)
        if len(element) > MAX_ITEMS:
            raise BadValue(name, f"there are {len(element)} items, {MAX_ITEMS} are allowed")
        if not len(element) and (element.text or "").strip():
            raise BadValue(name, "items are expected")
        return tuple(values.read(self.item, child) for child in element)

    def write(self, name: str, namespace: str, scope: str, value: tuple[T, ...]) -> str:
        item_name = self.item_name or name
        items = "".join(self.item.write(item_name, namespace, namespace, item) for item in value)
        return written(name, namespace, scope, items)


@dataclass(frozen=True, slots=True)
class Xacml(Generic[T]):
    """A policy element, in the place of the parameter or item and under its own name."""

    name: str
    from_element: Callable[[etree._Element], T]
    to_xml: Callable[[T], bytes]

    def read(self, element: etree._Element, values: Values) -> T:  # noqa: ARG002 - a policy refers to nothing here
        _not_nil(element)
        return self.from_element(element)

    def write(self, name: str, namespace: str, scope: str, value: T) -> str:  # noqa: ARG002 - its name is its own
        return self.to_xml(value).decode()


@dataclass(frozen=True, slots=True)
class Field:
    """``name`` of the element, ``attribute`` of the value."""

    name: str
    attribute: str
    type: WireType[Any]
    required: bool = False
    derived: bool = False  # written, because Java does, and not looked at when it comes back
    repeated: bool = False  # as many elements as there are items


@dataclass(frozen=True, slots=True)
class Bean(Generic[T]):
    """Fields in any order. ``qualified``: they are in the namespace of the bean's own element, else in none."""

    name: str
    make: Callable[..., T]
    fields: tuple[Field, ...]
    qualified: bool = False

    def read(self, element: etree._Element, values: Values) -> T:
        bean = _not_nil(element)
        known = {field.name: field for field in self.fields}
        found: dict[Field, list[etree._Element]] = {}
        for child in element:
            name = etree.QName(child).localname
            if name not in known:
                raise BadValue(bean, f"{self.name} has no field {name}")
            found.setdefault(known[name], []).append(child)
        arguments: dict[str, Any] = {}
        for field, elements in found.items():
            if field.repeated:
                arguments[field.attribute] = _read_repeated(field.type, elements, values)
            elif len(elements) > 1:
                raise BadValue(bean, f"{field.name} is there {len(elements)} times")
            elif not field.derived:
                arguments[field.attribute] = values.read(field.type, elements[0])
        for field in self.fields:
            if field.required and field.attribute not in arguments:
                raise NullValue(field.name)
        return self.make(**arguments)

    def write(self, name: str, namespace: str, scope: str, value: T) -> str:
        inner = namespace if self.qualified else ""
        return written(name, namespace, scope, "".join(self._written_fields(inner, namespace, value)))

    def _written_fields(self, namespace: str, scope: str, value: T) -> list[str]:
        pieces: list[str] = []
        for field in self.fields:
            content = getattr(value, field.attribute)
            for item in content if field.repeated else (content,):
                pieces.append(field.type.write(field.name, namespace, scope, item))
        return pieces


def _read_repeated(type: WireType[T], elements: list[etree._Element], values: Values) -> tuple[T, ...]:
    if len(elements) == 1 and (len(elements[0]) or elements[0].get("href")):
        # COMPAT: in SOAP's own encoding the items are inside of one element.
        return values.read(Array(type), elements[0])
    return tuple(values.read(type, element) for element in elements)


def _is_nil(element: etree._Element) -> bool:
    return element.get(_NIL) in ("true", "1")


def _not_nil(element: etree._Element) -> str:
    """The local name. Raises NullValue."""
    name = etree.QName(element).localname
    if _is_nil(element):
        raise NullValue(name)
    return name


def escaped(text: str) -> str:
    """For text and for values of attributes, which keep their white space."""
    return text.translate(_ESCAPES)


_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;"}
)


def written(name: str, namespace: str, scope: str, content: str) -> str:
    """An element with its ``content``, where the default namespace is ``scope``."""
    declaration = _declaration(namespace, scope)
    return f"<{name}{declaration}>{content}</{name}>" if content else f"<{name}{declaration}/>"


def _declaration(namespace: str, scope: str) -> str:
    return "" if namespace == scope else f' xmlns="{escaped(namespace)}"'


_BLANKS: Final = " \t\r\n"
_INTEGER: Final = re.compile("[+-]?[0-9]{1,20}")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def _boolean(name: str, text: str) -> bool:
    # COMPAT: Axis takes the first letter in either case for the word; some callers write True and False.
    value = _BOOLEANS.get(text.strip(_BLANKS).lower())
    if value is None:
        raise BadNumber(name, "boolean", text)
    return value


def _integer(bits: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        digits = text.strip(_BLANKS)
        value = int(digits) if _INTEGER.fullmatch(digits) else None
        if value is None or not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise BadNumber(name, f"integer of {bits} bits", text)
        return value

    return read


def _float(name: str, text: str) -> float:
    digits = text.strip(_BLANKS)
    value = float(digits) if _FLOAT.fullmatch(digits) else math.nan
    if not math.isfinite(value):
        raise BadNumber(name, "float", text)
    return value


STRING: Final = Simple("string", lambda _name, text: text, lambda value: value)
BOOLEAN: Final = Simple("boolean", _boolean, lambda value: {True: "true", False: "false"}[value])
INT: Final = Simple("int", _integer(32), "{:d}".format)
LONG: Final = Simple("long", _integer(64), "{:d}".format)
FLOAT: Final = Simple("float", _float, lambda value: repr(float(value)))
NULLABLE_STRING: Final = Nullable(STRING)

POLICY: Final[Xacml[Policy]] = Xacml("Policy", policy_xml.policy_from_element, policy_xml.write_policy)
POLICY_SET: Final[Xacml[PolicySet]] = Xacml(
    "PolicySet", policy_xml.policy_set_from_element, policy_xml.write_policy_set
)

PAP: Final[Bean[Pap]] = Bean(
    "Pap",
    Pap,
    (
        Field("alias", "alias", STRING, required=True),
        Field("dn", "dn", NULLABLE_STRING),
        Field("enabled", "enabled", BOOLEAN),
        Field("endpoint", "endpoint", NULLABLE_STRING, derived=True),
        Field("hostname", "hostname", NULLABLE_STRING),
        Field("id", "id", NULLABLE_STRING),
        Field("local", "local", BOOLEAN),
        Field("path", "path", NULLABLE_STRING),
        Field("policyLastModificationTimeInMilliseconds", "last_modification", LONG),
        Field("port", "port", NULLABLE_STRING),
        Field("protocol", "protocol", NULLABLE_STRING),
        Field("remote", "remote", BOOLEAN, derived=True),
        Field("typeAsString", "type_as_string", NULLABLE_STRING, derived=True),
        Field("visibilityPublic", "visibility_public", BOOLEAN),
    ),
    qualified=True,
)
UNBAN_RESULT: Final[Bean[UnbanResult]] = Bean(
    "UnbanResult",
    UnbanResult,
    (
        Field("statusCode", "status_code", INT, required=True),
        Field("conflictingPolicies", "conflicting_policies", Array(STRING, "policyId")),
    ),
)
PAP_PRINCIPAL: Final[Bean[PAPPrincipal]] = Bean(
    "PAPPrincipal",
    PAPPrincipal,
    (Field("type", "type", STRING, required=True), Field("name", "name", STRING, required=True)),
)
PAP_ACE: Final[Bean[PAPACE]] = Bean(
    "PAPACE",
    PAPACE,
    (
        Field("principal", "principal", PAP_PRINCIPAL, required=True),
        Field("permissions", "permissions", STRING, repeated=True),
    ),
)
