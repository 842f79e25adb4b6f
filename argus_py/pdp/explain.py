"""The way to a decision in the words of the policy language, for people."""

import re
from dataclasses import replace
from typing import Final

from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings
from argus_py.spl.lift import NotExpressible, lift_action, lift_resource, lift_rule
from argus_py.spl.printer import format_rule
from argus_py.xacml.policy import Policy, PolicySet, Rule

_UUID: Final = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

Node = PolicySet | Policy | Rule


def explain(root: PolicySet, path: tuple[str, ...], mappings: AttributeMappings = DEFAULT_MAPPINGS) -> str:
    """What the ids of a Trail stand for, innermost first; empty for an empty path.

    ``rule permit { vo="dteam" } of action "execute" of resource "wn" of pap "default"``. By its id is named what the
    language has no words for, and what is no longer in ``root``.
    """
    nodes = _nodes(root, path)
    names = [_name(node, depth, mappings) for depth, node in enumerate(nodes)]
    names += [f"{id}, which is no longer there" for id in path[len(nodes) :]]
    return " of ".join(reversed(names[1:] or names))


def _nodes(root: PolicySet, path: tuple[str, ...]) -> list[Node]:
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


def _name(node: Node, depth: int, mappings: AttributeMappings) -> str:
    try:
        if isinstance(node, Rule):
            return format_rule(lift_rule(node, mappings))
        if isinstance(node, Policy):
            return f'action "{lift_action(replace(node, rules=()), mappings).value.text}"'
        return f'resource "{lift_resource(replace(node, children=()), mappings).value.text}"'
    except NotExpressible:
        # The outermost set of a PAP holds its paps; their ids are their aliases and a UUID.
        return f'pap "{_UUID.sub("", node.id)}"' if depth == 1 and isinstance(node, PolicySet) else node.id
