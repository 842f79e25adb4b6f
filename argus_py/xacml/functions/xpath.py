"""The optional functions on nodes of the request (XACML 2.0 appendix A.3.15). Their arguments are XPath expressions.

Nodes are compared by identity, so the functions take nodes of one document.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from argus_py.xacml.functions.signature import BOOLEAN, FUNCTION_1_0, INTEGER, Type
from argus_py.xacml.xpath import Node, ancestors


@dataclass(frozen=True, slots=True)
class XPathFunction:
    """``call`` takes as many sets of nodes as there are ``arguments``."""

    arguments: int
    result: Type
    call: Callable[..., object]


def _is_any_equal(one: frozenset[Node], other: frozenset[Node]) -> bool:
    return not one.isdisjoint(other)


def _is_any_within(one: frozenset[Node], other: frozenset[Node]) -> bool:
    """A node of the second set is one of the first, or an element or attribute somewhere below one."""
    return any(node in one or (not node.is_text and any(above in one for above in ancestors(node))) for node in other)


FUNCTIONS: Final[Mapping[str, XPathFunction]] = {
    f"{FUNCTION_1_0}xpath-node-count": XPathFunction(1, INTEGER, len),
    f"{FUNCTION_1_0}xpath-node-equal": XPathFunction(2, BOOLEAN, _is_any_equal),
    f"{FUNCTION_1_0}xpath-node-match": XPathFunction(2, BOOLEAN, _is_any_within),
}
