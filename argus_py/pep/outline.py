"""Requests and responses in one line for people, without certificates and tokens.

Source: argus-pep-server:src/main/config/logging.xml (org.glite.authz.message.protocol)
"""

from collections.abc import Iterable
from typing import Final

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.request import Request
from argus_py.model.response import Obligation, Response, Result

_SECRET_IDS: Final = frozenset({AttributeId.KEY_INFO})
_SECRET_TYPES: Final = frozenset({DataType.BASE64_BINARY, DataType.HEX_BINARY})
_LONGEST: Final = 200  # characters; names, FQANs and URIs are shorter, certificates and signed tokens longer
_BEGINNINGS: Final = ("-----BEGIN", "eyJ")  # PEM, and a JSON object in base64, as tokens have it


def outline_of_request(request: Request) -> str:
    """``subject{id=[value, ...], ...} resource{...} action{...} environment{...}``."""
    parts = [_part("subject", subject.attributes, subject.category) for subject in request.subjects]
    parts += [_part("resource", resource.attributes) for resource in request.resources]
    if request.action is not None:
        parts.append(_part("action", request.action.attributes))
    if request.environment is not None:
        parts.append(_part("environment", request.environment.attributes))
    return " ".join(parts)


def outline_of_response(response: Response) -> str:
    """``Permit{status, message, obligation(assignment=value, ...)}``, the results one after the other."""
    return " ".join(map(_result, response.results))


def _part(name: str, attributes: Iterable[Attribute], category: str | None = None) -> str:
    of = f"({category})" if category else ""
    return f"{name}{of}{{{', '.join(map(_attribute, attributes))}}}"


def _attribute(attribute: Attribute) -> str:
    secret = attribute.id in _SECRET_IDS or attribute.datatype in _SECRET_TYPES
    values = ", ".join(_hidden(value) if secret else _told(value) for value in attribute.values)
    issuer = f" of {_told(attribute.issuer)}" if attribute.issuer else ""
    return f"{_told(attribute.id)}{issuer}=[{values}]"


def _result(result: Result) -> str:
    code, message = result.status.code.value, result.status.message
    parts = [code, *([_told(message)] if message else []), *map(_obligation, result.obligations)]
    return f"{result.decision.value}{{{', '.join(parts)}}}"


def _obligation(obligation: Obligation) -> str:
    assignments = ", ".join(f"{_told(a.attribute_id)}={_told(a.value or '')}" for a in obligation.assignments)
    return f"{obligation.id} on {obligation.fulfill_on.value}({assignments})"


def _told(text: str) -> str:
    return _hidden(text) if len(text) > _LONGEST or text.lstrip().startswith(_BEGINNINGS) else text


def _hidden(text: str) -> str:
    return f"<{len(text)} characters>"
