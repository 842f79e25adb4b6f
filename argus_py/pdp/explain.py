"""The way to a decision in the words of the policy language, for people."""

import re
from dataclasses import replace
from typing import Final

from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings
from argus_py.spl.lift import NotExpressible, lift_action, lift_resource, lift_rule
from argus_py.spl.printer import format_rule
from argus_py.xacml.policy import AttributeSelector, Match, Policy, PolicySet, Rule

_UUID: Final = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

Node = PolicySet | Policy | Rule


def explain(root: PolicySet | Policy, path: tuple[str, ...], mappings: AttributeMappings = DEFAULT_MAPPINGS) -> str:
    """What the ids of a Trail stand for, innermost first; empty for an empty path.

    ``rule permit { vo="dteam" } of action "execute" of resource "wn" of pap "default"``. By its id is named what the
    language has no words for, and what is no longer in ``root``.
    """
    nodes = _nodes(root, path)
    names = [words_of(node, depth, mappings) or node.id for depth, node in enumerate(nodes)]
    names += [f"{id}, which is no longer there" for id in path[len(nodes) :]]
    return " of ".join(reversed(names[1:] or names))


def pap_alias(path: tuple[str, ...]) -> str | None:
    """Of the pap that a path goes through; None if the policy does not look as if a PAP had made it."""
    alias = _UUID.sub("", path[1]) if len(path) > 1 else ""
    return alias if alias and alias != path[1] else None


def words_of(node: Node, depth: int, mappings: AttributeMappings = DEFAULT_MAPPINGS) -> str | None:
    """An element in the words of the policy language, and the outermost set of a pap by its alias; None: it has none.

    ``depth`` is 0 for the root. What is in a set or a policy is not told.
    """
    try:
        if isinstance(node, Rule):
            return format_rule(lift_rule(node, mappings))
        if isinstance(node, Policy):
            return f'action "{lift_action(replace(node, rules=()), mappings).value.text}"'
        return f'resource "{lift_resource(replace(node, children=()), mappings).value.text}"'
    except NotExpressible:
        # The sets of the paps are directly below the root; their ids are their aliases and a UUID.
        alias = pap_alias(("", node.id)) if depth == 1 and isinstance(node, PolicySet) else None
        return alias and f'pap "{alias}"'


def asked_of(match: Match, mappings: AttributeMappings = DEFAULT_MAPPINGS) -> str:
    """The attribute that a match looks at: by its name in the policy language, or else in full."""
    asked = match.designator
    if isinstance(asked, AttributeSelector):
        return asked.path
    mapping = mappings.of_attribute(asked.attribute_id)
    if mapping is not None and mapping.designator == replace(asked, must_be_present=False):
        return mapping.name
    issued = "" if asked.issuer is None else f" issued by {asked.issuer}"
    return f"{asked.category.value.lower()} {asked.attribute_id} ({_short(asked.datatype)}){issued}"


def _short(uri: str) -> str:
    """
    >>> _short("http://www.w3.org/2001/XMLSchema#string")
    'string'
    """
    return re.split("[#:/]", uri)[-1]


def _nodes(root: PolicySet | Policy, path: tuple[str, ...]) -> list[Node]:
    """As much of the path as exists."""
    nodes: list[Node] = []
    below: tuple[object, ...] = (root,)
    for id in path:
        node = next((node for node in below if isinstance(node, PolicySet | Policy | Rule) and node.id == id), None)
        if node is None:
            break
        nodes.append(node)
        below = _children(node)
    return nodes


def _children(node: Node) -> tuple[object, ...]:
    if isinstance(node, PolicySet):
        return node.children
    return node.rules if isinstance(node, Policy) else ()
