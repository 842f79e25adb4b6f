"""Refuses requests with missing or empty parts before anything is decided.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/RequestValidatorPIP.java
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.ports import PipError

_BLANK = "".join(map(chr, range(0x21)))  # what String.trim() strips


@dataclass(frozen=True, slots=True)
class RequestValidator:
    """Which parts of a request must be there and complete; the first failure ends the request."""

    subjects: bool = True
    resources: bool = True
    action: bool = True
    environment: bool = False  # COMPAT: profile-less clients send none

    def enrich(self, request: Request, _now: datetime, /) -> Request:
        """The request as it came. Raises PipError: a part is missing or incomplete."""
        if self.subjects:
            _check_all("Subject", request.subjects)
        if self.resources:
            _check_all("Resource", request.resources)
        if self.action:
            _check_one("an Action", request.action)
        if self.environment:
            _check_one("an Environment", request.environment)
        return request


def _check_all(name: str, elements: tuple[Subject, ...] | tuple[Resource, ...]) -> None:
    if not elements:
        raise PipError(f"Decision request does not contain any {name}")
    for element in elements:
        _check_attributes(name, element.attributes)


def _check_one(name: str, element: Action | Environment | None) -> None:
    if element is None:
        raise PipError(f"Decision request does not contain {name}")
    _check_attributes(name.removeprefix("an "), element.attributes)


def _check_attributes(name: str, attributes: Iterable[Attribute]) -> None:
    if not attributes:
        raise PipError(f"Decision request {name} without any attribute")
    for attribute in attributes:
        prefix = f"Decision request {name} contains the attribute {attribute.id}"
        if not attribute.values:
            raise PipError(f"{prefix} without any value")
        if not all(value.strip(_BLANK) for value in attribute.values):
            raise PipError(f"{prefix} with an empty (stripped) value")
