"""An explanation as JSON for programs: everything that was kept of the way to a decision, as a tree."""

from collections.abc import Mapping
from typing import Any

from argus_py.model.response import Decision, Obligation
from argus_py.pdp.explain import pap_alias, words_of
from argus_py.pdp.explanation import Explanation
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.policy import AttributeSelector, Policy, PolicySet, Rule
from argus_py.xacml.trace import MatchTrace, NodeTrace


def explanation_as_json(explanation: Explanation, lines: Mapping[str, int] | None = None) -> dict[str, Any]:
    """``lines``: of a policy file, by the ids of what stands there."""
    evaluation, known = explanation.evaluation, lines or {}
    is_decided = evaluation.decision in (Decision.PERMIT, Decision.DENY)
    return {
        "decision": evaluation.decision.value,
        "reason": explanation.words if is_decided else evaluation.reason,
        "status": None if evaluation.fault is None else evaluation.fault.status,
        "decided_by": list(evaluation.path),
        "pap": pap_alias(evaluation.path),
        "line": known.get(evaluation.path[-1]) if evaluation.path else None,
        "obligations": list(map(_obligation, evaluation.obligations)),
        "trace": _node(explanation.trace, 0, known),
    }


def _obligation(obligation: Obligation) -> dict[str, Any]:
    assigned = [{"id": each.attribute_id, "value": each.value} for each in obligation.assignments]
    return {"id": obligation.id, "attributes": assigned}


def _node(node: NodeTrace, depth: int, lines: Mapping[str, int]) -> dict[str, Any]:
    element = node.element
    return {
        "kind": type(element).__name__,
        "id": element.id,
        "line": lines.get(element.id),
        "text": words_of(element, depth) if isinstance(element, PolicySet | Policy | Rule) else None,
        "decision": None if node.decision is None else node.decision.value,
        "explanation": node.explanation,
        "target": _outcome(node.target),
        "condition": None if node.condition is None else _outcome(node.condition),
        "matches": list(map(_match, node.matches)),
        "children": [_node(child, depth + 1, lines) for child in node.children],
        "omitted": node.omitted,
    }


def _match(trace: MatchTrace) -> dict[str, Any]:
    match, asked = trace.match, trace.match.designator
    attribute: dict[str, Any] = (
        {"selector": asked.path}
        if isinstance(asked, AttributeSelector)
        else {"category": asked.category.value, "attribute": asked.attribute_id, "issuer": asked.issuer}
    )
    return {
        **attribute,
        "function": match.function,
        "value": match.value.text,
        "found": list(trace.found),
        "values_found": trace.many,
        "matching": trace.by,
        "outcome": _outcome(trace.outcome),
    }


def _outcome(matched: Matched) -> str:
    """The words of XACML 2.0 section 7.5."""
    if isinstance(matched, Fault):
        return "Indeterminate"
    return "Match" if matched else "NoMatch"
