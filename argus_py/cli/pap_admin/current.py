"""The policies of a pap as values, read back from the XACML that it lists."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from argus_py.pap.editing import Resources
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.policy_xml import read_policy_document

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'


def read_listing(listing: str) -> Resources:
    """Of one pap, listed as XACML. Raises PolicySyntaxError: what came is no policy."""
    return tuple(_resources(listing))


def _resources(listing: str) -> Iterator[PolicySet]:
    """Each resource is followed by the actions that it refers to."""
    _heading, *documents = listing.split(_DECLARATION)
    resource: PolicySet | None = None
    actions: dict[str, Policy] = {}
    for document in documents:
        element = read_policy_document(document.strip().encode())
        if isinstance(element, Policy):
            actions[element.id] = element
            continue
        if resource is not None:
            yield _with(resource, actions)
        resource, actions = element, {}
    if resource is not None:
        yield _with(resource, actions)


def _with(resource: PolicySet, actions: dict[str, Policy]) -> PolicySet:
    return replace(resource, children=tuple(actions.get(child.id, child) for child in resource.children))
