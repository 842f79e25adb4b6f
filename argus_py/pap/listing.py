"""The text of ``list-policies``, byte for byte that of the Java client, which tools read.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/policymanagement/ListPolicies.java
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml import etree

from argus_py.pap.editing import Resources, action_value, resource_value
from argus_py.pap.paps import Pap, by_alias
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.lift import NotExpressible, lift_listed_resource, lift_rule
from argus_py.spl.printer import Ids, format_generic, format_listing, format_resource, format_rule
from argus_py.xacml.policy import Policy, PolicyIdReference, PolicySet, Rule
from argus_py.xacml.policy_xml import policy_set_to_element, policy_to_element

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class ListingRequest:
    """``aliases`` None: of all paps. ``resource`` and ``action`` are exact values; None: all."""

    aliases: tuple[str, ...] | None = None
    ids: Ids = Ids.NONE
    resource: str | None = None
    action: str | None = None
    xacml: bool = False

    def chosen_from(self, paps: tuple[Pap, ...]) -> tuple[Pap, ...]:
        """Raises PapNotFound."""
        return paps if self.aliases is None else tuple(by_alias(paps, alias) for alias in self.aliases)


def listing(pap: Pap, resources: Resources, request: ListingRequest, mappings: AttributeMappings) -> str:
    heading = f"{pap.alias} (local)" if pap.remote is None else f"{pap.alias} ({pap.remote.hostname}:{pap.remote.port})"
    listed = tuple(_filtered(resources, request))
    if request.xacml:
        return format_listing(heading, map(_xacml, listed))
    return format_listing(heading, (_spl(policy_set, request.ids, mappings) for policy_set in listed))


def rule_text(rule: Rule, mappings: AttributeMappings) -> str:
    """A rule in one line of SPL, for people."""
    try:
        return format_rule(lift_rule(rule, mappings))
    except NotExpressible as error:
        return f"{rule.effect.value.lower()} in a way SPL cannot express: {error.reason}"


def _filtered(resources: Resources, request: ListingRequest) -> Iterator[PolicySet]:
    """COMPAT: nothing is listed if the pap has no action (with the wanted value), else also resources without one."""
    hidden = [_with_actions(policy_set, request.action) for policy_set in resources]
    if not any(True for policy_set in hidden for _ in policy_set.policies()):
        return
    for policy_set in hidden:
        if request.resource is None or resource_value(policy_set) == request.resource:
            yield policy_set


def _with_actions(policy_set: PolicySet, action: str | None) -> PolicySet:
    if action is None:
        return policy_set
    kept = (child for child in policy_set.children if not isinstance(child, Policy) or action_value(child) == action)
    return replace(policy_set, children=tuple(kept))


def _spl(policy_set: PolicySet, ids: Ids, mappings: AttributeMappings) -> str:
    try:
        return format_resource(lift_listed_resource(policy_set, mappings), ids)
    except NotExpressible:
        return format_generic(policy_set.id)


def _xacml(policy_set: PolicySet) -> str:
    """The policy set with references to its policies, then each of these, as documents of their own."""
    references = tuple(
        PolicyIdReference(child.id) if isinstance(child, Policy) else child for child in policy_set.children
    )
    documents = [policy_set_to_element(replace(policy_set, children=references))]
    documents += [policy_to_element(policy) for policy in policy_set.policies()]
    return "".join(f"{_document(document)}\n" for document in documents) + "\n"


def _document(element: etree._Element) -> str:
    etree.indent(element, _INDENT)
    return f"{_DECLARATION}{etree.tostring(element, encoding='unicode')}\n"
