"""Requests and responses of the PEP port, between the model and Hessian bytes.

The class names are those of the Java model; a name in the stream only has to be the expected one. Requests are read
leniently, for whatever a client of either language sends. Responses are written for the weakest reader, the C library:
what makes it lose the message or crash is never sent.

Source: argus-pep-common:src/main/java/org/glite/authz/common/model/; argus-pep-api-c:src/argus/io.c
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

from argus_py.errors import MalformedInput
from argus_py.hessian import writer
from argus_py.hessian.reader import read
from argus_py.hessian.values import HessianList, HessianMap, Value
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import (
    AttributeAssignment,
    Decision,
    Effect,
    Obligation,
    Response,
    Result,
    Status,
    StatusCode,
)

Fields = Mapping[str, Value]
Word = TypeVar("Word", Decision, Effect)

_MODEL: Final = "org.glite.authz.common.model."
_LAZY_SET: Final = _MODEL + "util.LazySet"
_LAZY_LIST: Final = _MODEL + "util.LazyList"
# The numbers of the wire, for ``decision`` and ``fulfillOn``.
_DECISIONS: Final = (Decision.DENY, Decision.PERMIT, Decision.INDETERMINATE, Decision.NOT_APPLICABLE)
_EFFECTS: Final = (Effect.DENY, Effect.PERMIT)

_BLANK: Final = "".join(map(chr, range(0x21)))  # what Java's String.trim() strips
# The C library counts U+0400 to U+07FF (Cyrillic, Hebrew, Arabic ...) wrongly and then rejects the whole message, and
# a NUL ends its strings. Half a surrogate pair is text nowhere.
_UNREADABLE_IN_C = re.compile("[\0\u0400-\u07ff\ud800-\udfff]")


class MessageError(MalformedInput):
    """Well-formed Hessian that is not the message expected; carries ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a message of the PEP protocol: {reason}")
        self.reason = reason


def read_request(data: bytes) -> Request:
    """The request in Hessian bytes, in the order sent, without the exact duplicates that Java's sets drop.

    Texts are trimmed, as the Java PEP does before it asks a PDP. Blank values stay, as empty texts: the request
    validator refuses them, and without it they are dropped before the decision.

    Raises HessianError, MessageError: unreadable, or not a request.
    """
    return _normalized(_request(_object(read(data), "Request")))


def write_request(request: Request) -> bytes:
    """The octets pepcli sends: the data type of resource and action attributes is left out where it is string."""
    message = _map(
        "Request",
        subjects=_list_in_c(
            _map("Subject", **_present(category=s.category), attributes=_attributes_in_c(s.attributes))
            for s in request.subjects
        ),
        resources=_list_in_c(
            _map("Resource", **_present(resourceContent=r.content), attributes=_untyped_attributes_in_c(r.attributes))
            for r in request.resources
        ),
        action=_owner("Action", request.action, _untyped_attributes_in_c),
        environment=_owner("Environment", request.environment, _attributes_in_c),
    )
    return writer.write(message, writer.C)


def read_response(data: bytes) -> Response:
    """The response in Hessian bytes.

    COMPAT: what the C client can do without may be missing; a missing decision or fulfillOn is Deny.
    BETTER: raises where the C client crashes (no status, no ids), and reads references where it misreads them.

    Raises HessianError, MessageError: unreadable, or not a response.
    """
    fields = _typed(read(data), "Response")
    request = fields.get("request")
    return Response(
        tuple(_result(_typed(result, "Result")) for result in _items(fields, "results")),
        None if request is None else _request(_object(request, "Request")),
    )


def write_response(response: Response) -> bytes:
    """The octets the Java daemon sends, byte for byte where every client can read them.

    BETTER: text the C library cannot read is replaced by "?", and a request with such text is not echoed.
    """
    echo = None if response.request is None else _request_in_java(response.request)
    message = _map(
        "Response",
        request=echo if _readable_in_c(echo) else None,
        results=_list_in_java(map(_result_in_java, response.results)),
    )
    return writer.write(message, writer.JAVA)


# Reading requests


def _request(fields: Fields) -> Request:
    action, environment = fields.get("action"), fields.get("environment")
    subjects = (_typed(subject, "Subject") for subject in _items_or_none(fields, "subjects"))
    resources = (_typed(resource, "Resource") for resource in _items_or_none(fields, "resources"))
    return Request(
        tuple(Subject(_attributes(subject), _text(subject, "category")) for subject in subjects),
        tuple(Resource(_attributes(resource), _text(resource, "resourceContent")) for resource in resources),
        None if action is None else Action(_attributes(_object(action, "Action"))),
        None if environment is None else Environment(_attributes(_object(environment, "Environment"))),
    )


def _attributes(fields: Fields) -> tuple[Attribute, ...]:
    return tuple(_attribute(_typed(item, "Attribute")) for item in _items_or_none(fields, "attributes"))


def _attribute(fields: Fields) -> Attribute:
    return Attribute(
        _required_text(fields, "id"),  # BETTER: Java takes null, and its PDP stumbles over it
        tuple(map(_value, _items_or_none(fields, "values"))),
        _text(fields, "dataType") or DataType.STRING,
        _text(fields, "issuer"),
    )


def _value(value: Value) -> str:
    """Java clients may send objects as values; those with an obvious text are taken."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return _scalar(value)
    raise MessageError(f"an attribute value cannot be {_kind(value)}")


def _normalized(request: Request) -> Request:
    action, environment = request.action, request.environment
    subjects = (Subject(_distinct(s.attributes), _trimmed(s.category)) for s in request.subjects)
    resources = (Resource(_distinct(r.attributes), _trimmed(r.content)) for r in request.resources)
    return Request(
        tuple(dict.fromkeys(subjects)),
        tuple(dict.fromkeys(resources)),
        action and Action(_distinct(action.attributes)),
        environment and Environment(_distinct(environment.attributes)),
    )


def _distinct(attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    """Trimmed, without repeated values; of attributes equal but for the order of values the first."""
    distinct: dict[tuple[str, str, str | None, frozenset[str]], Attribute] = {}
    for attribute in attributes:
        values = tuple(dict.fromkeys(value.strip(_BLANK) for value in attribute.values))
        identifier, datatype = _trimmed(attribute.id), _trimmed(attribute.datatype) or DataType.STRING
        if identifier is None:
            raise MessageError("the id of an attribute is blank")
        issuer = _trimmed(attribute.issuer)
        key = identifier, datatype, issuer, frozenset(values)
        distinct.setdefault(key, Attribute(identifier, values, datatype, issuer))
    return tuple(distinct.values())


def _trimmed(text: str | None) -> str | None:
    return (text and text.strip(_BLANK)) or None


# Reading responses


def _result(fields: Fields) -> Result:
    status = _object(fields.get("status"), "Status")
    return Result(
        _word(fields, "decision", _DECISIONS),
        Status(_status_code(_object(status.get("statusCode"), "StatusCode")), _text(status, "message")),
        tuple(_obligation(_typed(item, "Obligation")) for item in _items(fields, "obligations")),
        _text(fields, "resourceId"),
    )


def _status_code(fields: Fields) -> StatusCode:
    minor = fields.get("subCode")
    return StatusCode(
        _required_text(fields, "code"),
        None if minor is None else _status_code(_object(minor, "StatusCode")),
    )


def _obligation(fields: Fields) -> Obligation:
    assignments = (_typed(item, "AttributeAssignment") for item in _items(fields, "attributeAssignments"))
    return Obligation(
        _required_text(fields, "id"),
        _word(fields, "fulfillOn", _EFFECTS),
        tuple(_assignment(assignment) for assignment in assignments),
    )


def _assignment(fields: Fields) -> AttributeAssignment:
    value = _text(fields, "value")
    for item in _items_or_none(fields, "values"):  # COMPAT: daemons up to 1.0; the last one counts in the C client
        value = _value(item)
    return AttributeAssignment(_required_text(fields, "attributeId"), value, _text(fields, "dataType"))


# Fields of any message


def _object(value: Value, name: str) -> Fields:
    """COMPAT: a map without type is what is expected where only one class is possible; Java takes it too."""
    if isinstance(value, HessianMap) and not value.type:
        return value.fields
    return _typed(value, name)


def _typed(value: Value, name: str) -> Fields:
    if isinstance(value, HessianMap) and value.type == _MODEL + name:
        return value.fields
    raise MessageError(f"a {name} is expected, not {_kind(value)}")


def _items(fields: Fields, key: str) -> tuple[Value, ...]:
    value = fields.get(key, HessianList())
    if not isinstance(value, HessianList):
        raise MessageError(f"{key} is expected to be a list, not {_kind(value)}")
    return value.items


def _items_or_none(fields: Fields, key: str) -> tuple[Value, ...]:
    """BETTER: null is an empty list; the Java daemon answers it with HTTP 500."""
    return () if fields.get(key) is None else _items(fields, key)


def _text(fields: Fields, key: str) -> str | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return _scalar(value)
    raise MessageError(f"{key} is expected to be a string, not {_kind(value)}")


def _required_text(fields: Fields, key: str) -> str:
    text = _text(fields, key)
    if text is None:
        raise MessageError(f"{key} is missing")
    return text


def _word(fields: Fields, key: str, words: tuple[Word, ...]) -> Word:
    number = fields.get(key, 0)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(words):
        raise MessageError(f"{key} is expected to be a number from 0 to {len(words) - 1}")
    return words[number]


def _scalar(value: str | float) -> str:
    """A string as it is, a number as Java's ``toString`` writes it: 1.5, 1.0E10."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # infinities are done above
    first, *rest = map(str, digits)
    return f"{'-' * sign}{first}.{''.join(rest) or '0'}E{exponent + len(rest)}"


def _kind(value: Value) -> str:
    if isinstance(value, HessianMap):
        return f"a map of type {value.type!r:.100}"
    return "null" if value is None else f"a {type(value).__name__}"


# Writing


def _map(name: str, **fields: Value) -> HessianMap:
    return HessianMap(_MODEL + name, fields)


def _owner(
    name: str, owner: Action | Environment | None, attributes: Callable[[tuple[Attribute, ...]], HessianList]
) -> HessianMap | None:
    return None if owner is None else _map(name, attributes=attributes(owner.attributes))


def _present(**fields: str | None) -> dict[str, str]:
    """The C library leaves out what is not set."""
    return {key: text for key, text in fields.items() if text is not None}


def _list_in_c(items: Iterable[Value]) -> HessianList:
    return HessianList(tuple(items))


def _attributes_in_c(attributes: tuple[Attribute, ...]) -> HessianList:
    return _list_in_c(_attribute_in_c(attribute, attribute.datatype) for attribute in attributes)


def _untyped_attributes_in_c(attributes: tuple[Attribute, ...]) -> HessianList:
    return _list_in_c(_attribute_in_c(a, None if a.datatype == DataType.STRING else a.datatype) for a in attributes)


def _attribute_in_c(attribute: Attribute, datatype: str | None) -> HessianMap:
    optional = _present(dataType=datatype, issuer=attribute.issuer)
    return _map("Attribute", id=attribute.id, **optional, values=_list_in_c(attribute.values))


def _list_in_java(items: Iterable[Value]) -> HessianList:
    return HessianList(tuple(items), _LAZY_LIST)


def _set_in_java(items: Iterable[Value]) -> HessianList:
    return HessianList(tuple(items), _LAZY_SET)


def _request_in_java(request: Request) -> HessianMap:
    return _map(
        "Request",
        subjects=_set_in_java(
            _map("Subject", category=s.category, attributes=_attributes_in_java(s.attributes)) for s in request.subjects
        ),
        resources=_set_in_java(
            _map("Resource", resourceContent=r.content, attributes=_attributes_in_java(r.attributes))
            for r in request.resources
        ),
        action=_owner("Action", request.action, _attributes_in_java),
        environment=_owner("Environment", request.environment, _attributes_in_java),
    )


def _attributes_in_java(attributes: tuple[Attribute, ...]) -> HessianList:
    return _set_in_java(
        _map("Attribute", id=a.id, dataType=a.datatype, issuer=a.issuer, values=_set_in_java(a.values))
        for a in attributes
    )


def _result_in_java(result: Result) -> HessianMap:
    status = result.status
    return _map(
        "Result",
        decision=_DECISIONS.index(result.decision),
        resourceId=_for_c(result.resource_id),
        status=_map("Status", message=_for_c(status.message), statusCode=_status_code_in_java(status.code)),
        obligations=_list_in_java(map(_obligation_in_java, result.obligations)),
    )


def _status_code_in_java(code: StatusCode) -> HessianMap:
    minor = None if code.minor is None else _status_code_in_java(code.minor)
    return _map("StatusCode", code=_for_c(code.value), subCode=minor)


def _obligation_in_java(obligation: Obligation) -> HessianMap:
    return _map(
        "Obligation",
        id=_for_c(obligation.id),
        fulfillOn=_EFFECTS.index(obligation.fulfill_on),
        attributeAssignments=_list_in_java(
            _map(
                "AttributeAssignment",
                attributeId=_for_c(a.attribute_id),
                dataType=_for_c(a.datatype),
                value=_for_c(a.value),
            )
            for a in obligation.assignments
        ),
    )


def _for_c(text: str | None) -> str | None:
    return text if text is None or (text.isascii() and "\0" not in text) else _UNREADABLE_IN_C.sub("?", text)


def _readable_in_c(value: Value) -> bool:
    match value:
        case str():
            return _for_c(value) == value
        case HessianList(items):
            return all(map(_readable_in_c, items))
        case HessianMap(_, fields):
            return all(map(_readable_in_c, fields.values()))
        case _:
            return True
