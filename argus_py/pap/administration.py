"""What an administrator can do to the policies of a PAP, one method per command, each one transaction.

Every method passes the gate before it looks at anything. What is written is decided in ``editing``, on values.
BETTER: in Java a command is a row of SOAP calls; one that fails half way leaves what it has done so far.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect
from argus_py.pap import editing
from argus_py.pap.authorization import Act, Admin, Gate
from argus_py.pap.editing import Beside, End, Place, Resources
from argus_py.pap.listing import ListingRequest, listing
from argus_py.pap.paps import DEFAULT_ALIAS, RemotePapIsReadOnly, by_alias, default_pap
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.questions import Answer, who_may
from argus_py.spl import ast
from argus_py.spl.ast import Pair, Text
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.lower import as_loaded, lower, lower_obligation, lower_resource
from argus_py.spl.parser import parse
from argus_py.xacml.policy import Policy, PolicySet

_log = logging.getLogger(__name__)
ANY = ".*"


def ensure_default_pap(repository: PolicyRepository, new_id: Callable[[], str]) -> None:
    """The pap ``default`` always exists; daemons that start at the same time make one."""
    with repository.change() as writer:
        if all(pap.alias != DEFAULT_ALIAS for pap in writer.paps()):
            writer.add_pap(default_pap(new_id))


class MixedElements(MalformedInput):
    """A policy file holds resources or actions, not both."""


class SeveralElements(MalformedInput):
    """One element was expected."""

    def __init__(self) -> None:
        super().__init__("more than one element has been defined")


class ResourceIdMissing(MalformedInput):
    """A file of actions, and nothing says into which resource."""

    def __init__(self) -> None:
        super().__init__('"resourceId" is needed to insert action elements')


class ResourceIdNotAllowed(MalformedInput):
    """A file of resources, to be put into a resource."""

    def __init__(self) -> None:
        super().__init__('cannot use "resourceId" to insert resource elements.')


@dataclass(frozen=True, slots=True)
class Scope:
    """The resource and the action a rule is for, by their exact values (patterns)."""

    resource: str = ANY
    action: str = ANY


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to be added, and an obligation that its resource or its action should have."""

    effect: Effect
    pairs: tuple[Pair, ...]
    obligation: str | None = None
    obligation_on_action: bool = False


class Administration:
    """The commands; ``alias`` names a pap.

    All raise ActNotPermitted, PapNotFound and Unavailable; those that change policies also RemotePapIsReadOnly; those
    that are given pairs also SplMeaningError: an unknown attribute, or a value it cannot have.
    """

    def __init__(
        self, repository: PolicyRepository, gate: Gate, mappings: AttributeMappings, new_id: Callable[[], str]
    ) -> None:
        self._repository = repository
        self._gate = gate
        self._mappings = mappings
        self._new_id = new_id

    def listing(self, admin: Admin, request: ListingRequest) -> str:
        """The text of ``pap-admin list-policies``."""
        with self._repository.read() as reader:
            paps = request.chosen_from(reader.paps())
            for pap in paps:
                self._gate.admit(admin, Act.LIST_LOCAL if pap.is_local else Act.LIST_REMOTE)
            return "".join(listing(pap, reader.resources(pap), request, self._mappings) for pap in paps)

    def who_may(self, admin: Admin, resource: str, action: str) -> Answer:
        """Which rules can decide a request for these values, in the order in which they are tried."""
        self._gate.admit(admin, Act.ASK_WHO_MAY)
        with self._repository.read() as reader:
            enabled = [(pap, reader.resources(pap)) for pap in reader.paps() if pap.enabled]
        return who_may(enabled, resource, action, self._mappings)

    def add_policies(
        self, admin: Admin, alias: str, spl: str, place: Place = End.BOTTOM, resource_id: str | None = None
    ) -> tuple[PolicySet, ...] | tuple[Policy, ...]:
        """Add the resources of an SPL text, or its actions to a resource; gives what was added, in order.

        Raises SplError, MixedElements, ResourceIdMissing, ResourceIdNotAllowed, IdNotFound, PivotNotFound.
        """
        self._gate.admit(admin, Act.ADD_POLICIES)
        elements = parse(spl)
        _check_kinds(elements, resource_id)
        lowered = lower(elements, self._mappings, self._new_id)
        if resource_id is not None:
            actions = tuple(policy for policy in lowered if isinstance(policy, Policy))
            self._edit(
                admin, Act.ADD_POLICIES, alias, lambda there: editing.add_actions(there, resource_id, actions, place)
            )
            return actions
        resources = tuple(as_loaded(policy_set) for policy_set in lowered if isinstance(policy_set, PolicySet))
        self._edit(admin, Act.ADD_POLICIES, alias, lambda there: editing.add_resources(there, resources, place))
        return resources

    def update_policy(self, admin: Admin, alias: str, id: str, spl: str) -> None:
        """Replace a resource or an action by the only element of an SPL text.

        Raises SplError, SeveralElements. Raises IdNotFound: no such resource if the element is one, or no such action.
        """
        self._gate.admit(admin, Act.UPDATE)
        elements = parse(spl)
        if len(elements) > 1:
            raise SeveralElements
        (new,) = lower(elements, self._mappings, self._new_id)
        if isinstance(new, Policy):
            action = new
            self._edit(admin, Act.UPDATE, alias, lambda there: editing.update_action(there, id, action))
        else:
            resource = new
            self._edit(admin, Act.UPDATE, alias, lambda there: editing.update_resource(there, id, resource))

    def add_rule(self, admin: Admin, alias: str, rule: NewRule, scope: Scope, end: End = End.TOP) -> str:
        """Add a rule to the action of a scope, which is made if it is missing; gives the id of the rule.

        Raises Ambiguous: several resources or actions have the values.
        """
        self._gate.admit(admin, Act.ADD_RULE)
        wanted = self._wanted(rule, scope)
        self._edit(admin, Act.ADD_RULE, alias, lambda there: editing.add_rule(there, wanted, end))
        return editing.single_rule(wanted).id

    def add_rule_to_action(
        self, admin: Admin, alias: str, rule: NewRule, action_id: str, place: Place = End.TOP
    ) -> str:
        """Raises IdNotFound: no such action. Raises PivotNotFound: no such rule in it."""
        self._gate.admit(admin, Act.ADD_RULE)
        wanted = self._wanted(rule, Scope())
        self._edit(
            admin, Act.ADD_RULE, alias, lambda there: editing.add_rule_to_action(there, action_id, wanted, place)
        )
        return editing.single_rule(wanted).id

    def ban(self, admin: Admin, alias: str, pair: Pair, scope: Scope = Scope(), private: bool = False) -> bool:
        """Deny everybody with an attribute, before all other rules; false if that is so already."""
        self._gate.admit(admin, Act.BAN)
        wanted = self._wanted(NewRule(Effect.DENY, (pair,)), scope, private)
        return self._edit(admin, Act.BAN, alias, lambda there: editing.ban(there, wanted))

    def unban(self, admin: Admin, alias: str, pair: Pair, scope: Scope = Scope()) -> None:
        """Raises BanNotFound."""
        self._gate.admit(admin, Act.UNBAN)
        wanted = self._wanted(NewRule(Effect.DENY, (pair,)), scope)
        self._edit(admin, Act.UNBAN, alias, lambda there: editing.unban(there, wanted))

    def remove(self, admin: Admin, alias: str, ids: Iterable[str]) -> None:
        """Remove resources, actions and rules, all or none. Raises IdNotFound."""
        self._gate.admit(admin, Act.REMOVE)

        def without(there: Resources) -> Resources:
            for id in ids:
                there = editing.remove(there, id)
            return there

        self._edit(admin, Act.REMOVE, alias, without)

    def remove_all(self, admin: Admin, alias: str) -> None:
        """Empty a pap, a remote one as well: it is filled again by its next refresh."""
        self._gate.admit(admin, Act.REMOVE_ALL)
        with self._repository.change() as writer:
            # COMPAT: the root starts again at Version 0.
            writer.store(replace(by_alias(writer.paps(), alias), version=0), ())
        self._log(admin, Act.REMOVE_ALL, alias)

    def move(self, admin: Admin, alias: str, id: str, place: Beside) -> None:
        """Raises IdNotFound, PivotNotFound."""
        self._gate.admit(admin, Act.MOVE)
        self._edit(admin, Act.MOVE, alias, lambda there: editing.move(there, id, place))

    def add_obligation(self, admin: Admin, alias: str, id: str, obligation: str) -> None:
        """Raises IdNotFound: no such resource or action. Raises ObligationExists, SplMeaningError."""
        self._gate.admit(admin, Act.CHANGE_OBLIGATIONS)
        added = lower_obligation(ast.Obligation(Text(obligation)), self._mappings)
        self._edit(admin, Act.CHANGE_OBLIGATIONS, alias, lambda there: editing.add_obligation(there, id, added))

    def remove_obligation(self, admin: Admin, alias: str, id: str, obligation: str) -> None:
        """Raises IdNotFound: no such resource or action, or it has no such obligation."""
        self._gate.admit(admin, Act.CHANGE_OBLIGATIONS)
        self._edit(admin, Act.CHANGE_OBLIGATIONS, alias, lambda there: editing.remove_obligation(there, id, obligation))

    def _wanted(self, rule: NewRule, scope: Scope, private: bool = False) -> PolicySet:
        """The resource that would be stored if there were none: what ``editing`` takes its parts from."""
        obligations = (ast.Obligation(Text(rule.obligation)),) if rule.obligation is not None else ()
        action = ast.Action(
            Text(scope.action),
            (ast.Rule(rule.effect, rule.pairs),),
            obligations if rule.obligation_on_action else (),
            private=private,
        )
        resource = ast.Resource(Text(scope.resource), (action,), () if rule.obligation_on_action else obligations)
        return lower_resource(resource, self._mappings, self._new_id)

    def _edit(self, admin: Admin, act: Act, alias: str, edit: Callable[[Resources], Resources]) -> bool:
        """Store what ``edit`` makes of the policies of a pap, if it makes a difference; true if so."""
        with self._repository.change() as writer:
            pap = by_alias(writer.paps(), alias)
            if not pap.is_local:
                raise RemotePapIsReadOnly(alias)
            before = writer.resources(pap)
            after = edit(before)
            if after == before:
                return False
            version = pap.version + editing.changes(before, after)
            writer.store(replace(pap, version=version), editing.stamped(before, after))
        self._log(admin, act, alias)
        return True

    def _log(self, admin: Admin, act: Act, alias: str) -> None:
        _log.info("%s: %s, pap %s", admin.dn.readable(), act.words, alias)


def pair(attribute: str, value: str) -> Pair:
    """As in ``attribute="value"`` of SPL."""
    return Pair(Text(attribute), Text(value))


def _check_kinds(elements: tuple[ast.Element, ...], resource_id: str | None) -> None:
    """Raises MixedElements, ResourceIdMissing, ResourceIdNotAllowed."""
    first, *others = elements
    for element in others:
        # COMPAT: the first element says what the file is meant to hold; the first of another kind is the culprit.
        if isinstance(element, ast.Action) and isinstance(first, ast.Resource):
            found = f'found action element (action "{element.value.text}")'
            raise MixedElements(f'{found}. Only highlevel "resource" elements are allowed.')
        if isinstance(element, ast.Resource) and isinstance(first, ast.Action):
            found = f'found resource element (resource "{element.value.text}")'
            raise MixedElements(f'{found}. Only "action" highlevel elements are allowed.')
    if isinstance(first, ast.Action) and resource_id is None:
        raise ResourceIdMissing
    if isinstance(first, ast.Resource) and resource_id is not None:
        raise ResourceIdNotAllowed
