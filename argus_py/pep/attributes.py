"""Finding and replacing attributes in a request; order is kept, new attributes come last."""

from collections.abc import Iterable, Set
from dataclasses import replace

from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request


def find(attributes: Iterable[Attribute], attribute_id: str, datatype: str | None = None) -> tuple[Attribute, ...]:
    """The attributes of one identifier, and of one datatype if given, in the order received."""
    return tuple(a for a in attributes if a.id == attribute_id and datatype in (None, a.datatype))


def first_value(attributes: Iterable[Attribute], attribute_id: str, datatype: str | None = None) -> str | None:
    """The first value of the first such attribute that has one."""
    return next((a.values[0] for a in find(attributes, attribute_id, datatype) if a.values), None)


def without(attributes: Iterable[Attribute], ids: Set[str]) -> tuple[Attribute, ...]:
    return tuple(a for a in attributes if a.id not in ids)


def without_claims(request: Request, ids: Set[str]) -> Request:
    """The request with no attribute of these identifiers on any subject; the same object if it had none."""
    if not any(attribute.id in ids for subject in request.subjects for attribute in subject.attributes):
        return request
    subjects = (replace(subject, attributes=without(subject.attributes, ids)) for subject in request.subjects)
    return replace(request, subjects=tuple(subjects))


def set_environment(request: Request, attributes: tuple[Attribute, ...]) -> Request:
    """The request with these environment attributes, in the place of any of the same identifiers."""
    environment = request.environment or Environment()
    kept = without(environment.attributes, {a.id for a in attributes})
    return replace(request, environment=replace(environment, attributes=kept + attributes))


def without_empty_values(request: Request) -> Request:
    """What decision points are asked; attributes stay, even if nothing is left of them."""
    action, environment = request.action, request.environment
    return Request(
        tuple(replace(subject, attributes=_filled(subject.attributes)) for subject in request.subjects),
        tuple(replace(resource, attributes=_filled(resource.attributes)) for resource in request.resources),
        action and Action(_filled(action.attributes)),
        environment and Environment(_filled(environment.attributes)),
    )


def _filled(attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    return tuple(a if all(a.values) else replace(a, values=tuple(filter(None, a.values))) for a in attributes)
