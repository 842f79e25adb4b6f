"""The policies of paps as values for JSON: list-policies for programs."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from argus_py.model.response import Obligation
from argus_py.pap.editing import Resources, action_value, is_private, resource_value
from argus_py.spl import ast
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lift import NotExpressible, lift_rule
from argus_py.xacml.policy import Policy, PolicySet, Rule


def policies_as_values(
    held: Iterable[tuple[str, Resources]], resource: str | None = None, action: str | None = None
) -> list[dict[str, Any]]:
    """``resource`` and ``action`` are the exact values of those that are wanted, None: all."""
    return [
        {
            "alias": alias,
            "resources": [
                _resource(policy_set, action)
                for policy_set in resources
                if resource is None or resource_value(policy_set) == resource
            ],
        }
        for alias, resources in held
    ]


def _resource(policy_set: PolicySet, action: str | None) -> dict[str, Any]:
    """``value`` is null for what the policy language has no words for."""
    return {
        "id": policy_set.id,
        "value": resource_value(policy_set),
        "description": policy_set.description,
        "obligations": list(map(_obligation, policy_set.obligations)),
        "actions": [
            _action(policy) for policy in policy_set.policies() if action is None or action_value(policy) == action
        ],
    }


def _action(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "value": action_value(policy),
        "private": is_private(policy),
        "description": policy.description,
        "obligations": list(map(_obligation, policy.obligations)),
        "rules": list(map(_rule, policy.rules)),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    """``attributes`` are null for what the policy language has no words for."""
    attributes = None
    with suppress(NotExpressible):
        attributes = list(map(_pair, lift_rule(rule, DEFAULT_MAPPINGS).pairs))
    return {"id": rule.id, "effect": rule.effect.value.lower(), "attributes": attributes}


def _pair(pair: ast.Pair) -> dict[str, str]:
    return {"name": pair.attribute.text, "value": pair.value.text}


def _obligation(obligation: Obligation) -> dict[str, Any]:
    assigned = [{"id": each.attribute_id, "value": each.value} for each in obligation.assignments]
    return {"id": obligation.id, "attributes": assigned}
