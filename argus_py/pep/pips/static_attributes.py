"""Adds attributes that the site always has: its name, the kind of its resources.

BETTER: they stand in the place of what the client sent by the same identifiers; Java puts both side by side, and
policies see whichever they like.
COMPAT: side by side they stay where the other value is not the site's to replace: the resource and the action that are
asked for, and what certificates prove, which has taken the place of claims already.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/StaticPIP.java
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.attributes import without
from argus_py.pep.pips.profile import CERTIFIED
from argus_py.pep.ports import PipError

_SHARED = CERTIFIED | {AttributeId.KEY_INFO, AttributeId.RESOURCE_ID, AttributeId.ACTION_ID}

Part = TypeVar("Part", Subject, Resource, Action, Environment)


@dataclass(frozen=True, slots=True)
class StaticAttributes:
    """``every_subject``, ``every_resource``: add to each one where there are several, which is refused otherwise."""

    subject: tuple[Attribute, ...] = ()
    resource: tuple[Attribute, ...] = ()
    action: tuple[Attribute, ...] = ()
    environment: tuple[Attribute, ...] = ()
    every_subject: bool = False
    every_resource: bool = False

    def enrich(self, request: Request, _now: datetime, /) -> Request:
        """Raises PipError: several subjects or resources where only one may be added to."""
        if self.action:
            request = replace(request, action=_with(request.action or Action(), self.action))
        if self.environment:
            request = replace(request, environment=_with(request.environment or Environment(), self.environment))
        if self.resource:
            if len(request.resources) > 1 and not self.every_resource:
                raise _too_many("Resource")
            resources = tuple(_with(each, self.resource) for each in request.resources or (Resource(),))
            request = replace(request, resources=resources)
        if self.subject:
            if len(request.subjects) > 1 and not self.every_subject:
                raise _too_many("Subject")
            subjects = tuple(_with(each, self.subject) for each in request.subjects or (Subject(),))
            request = replace(request, subjects=subjects)
        return request


def _with(part: Part, attributes: tuple[Attribute, ...]) -> Part:
    claimed = {attribute.id for attribute in attributes} - _SHARED
    return replace(part, attributes=without(part.attributes, claimed) + attributes)


def _too_many(part: str) -> PipError:
    return PipError(
        f"More than one {part} present in request and PIP configured to only add attribues to a single {part}"
    )
