"""Drops every attribute of a request that the site does not want to be decided upon.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/AttributeWhitelistPIP.java
"""

from dataclasses import dataclass, replace
from datetime import datetime

from argus_py.model.attribute import Attribute
from argus_py.model.request import Request


@dataclass(frozen=True, slots=True)
class AttributeWhitelist:
    """The identifiers that may stay in each part of a request; None: all of them."""

    subject: frozenset[str] | None = None
    resource: frozenset[str] | None = None
    action: frozenset[str] | None = None
    environment: frozenset[str] | None = None

    def enrich(self, request: Request, _now: datetime, /) -> Request:
        action, environment = request.action, request.environment
        return Request(
            tuple(replace(each, attributes=_kept(each.attributes, self.subject)) for each in request.subjects),
            tuple(replace(each, attributes=_kept(each.attributes, self.resource)) for each in request.resources),
            action and replace(action, attributes=_kept(action.attributes, self.action)),
            environment and replace(environment, attributes=_kept(environment.attributes, self.environment)),
        )


def _kept(attributes: tuple[Attribute, ...], accepted: frozenset[str] | None) -> tuple[Attribute, ...]:
    return attributes if accepted is None else tuple(a for a in attributes if a.id in accepted)
