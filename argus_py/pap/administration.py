"""What an administrator can do to the policies of a PAP, one method per command, each one transaction.

Every method passes the gate before it looks at anything. What is written is decided in ``editing``, on values.
BETTER: in Java a command is a row of SOAP calls; one that fails half way leaves what it has done so far.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect
from argus_py.pap import editing
from argus_py.pap.authorization import Act, Gate
from argus_py.pap.editing import Beside, End, Place, Resources
from argus_py.pap.history import Note
from argus_py.pap.listing import ListingRequest, listing
from argus_py.pap.paps import DEFAULT_ALIAS, RemotePapIsReadOnly, default_pap
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.questions import Answer, who_may
from argus_py.pap.request import Asked, Outcome, command_text
from argus_py.pap.state import Held, State
from argus_py.pap.transactions import Transactions
from argus_py.spl import ast
from argus_py.spl.ast import Pair, Text
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.lower import as_loaded, lower, lower_obligation, lower_resource
from argus_py.spl.parser import parse
from argus_py.xacml.making_room import no_collections
from argus_py.xacml.policy import Policy, PolicySet

ANY = ".*"


def ensure_default_pap(repository: PolicyRepository, new_id: Callable[[], str]) -> None:
    """The pap ``default`` always exists; daemons that start at the same time make one."""
    with repository.change(Note("PAP", "add-pap default", DEFAULT_ALIAS)) as writer:
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


class PurgeStep(Enum):
    """What a purge removes; steps are taken in this order."""

    UNREFERENCED_POLICIES = "unreferenced policies"
    EMPTY_POLICIES = "empty policies"
    UNREFERENCED_POLICY_SETS = "unreferenced policy sets"
    EMPTY_POLICY_SETS = "empty policy sets"


class Administration:
    """The commands; ``alias`` names a pap.

    All raise ActNotPermitted, PapNotFound and Unavailable; those that change policies also RemotePapIsReadOnly and
    RevisionChanged; those that are given pairs also SplMeaningError: an unknown attribute, or a value it cannot have.
    """

    def __init__(
        self, repository: PolicyRepository, gate: Gate, mappings: AttributeMappings, new_id: Callable[[], str]
    ) -> None:
        self._repository = repository
        self._transactions = Transactions(repository, gate)
        self._gate = gate
        self._mappings = mappings
        self._new_id = new_id

    def listing(self, asked: Asked, request: ListingRequest) -> str:
        """The text of ``pap-admin list-policies``."""
        with self._repository.read() as reader:
            paps = request.chosen_from(reader.paps())
            for pap in paps:
                act = Act.LIST_LOCAL_POLICIES if pap.is_local else Act.LIST_REMOTE_POLICIES
                self._gate.admit(asked.admin, act)
            return "".join(listing(pap, reader.resources(pap), request, self._mappings) for pap in paps)

    def who_may(self, asked: Asked, resource: str, action: str) -> Answer:
        """Which rules can decide a request for these values, in the order in which they are tried."""
        self._gate.admit(asked.admin, Act.ASK_WHO_MAY)
        with self._repository.read() as reader:
            enabled = [(pap, reader.resources(pap)) for pap in reader.paps() if pap.enabled]
        return who_may(enabled, resource, action, self._mappings)

    def add_policies(
        self, asked: Asked, alias: str, spl: str, place: Place = End.BOTTOM, resource_id: str | None = None
    ) -> Outcome[tuple[PolicySet, ...] | tuple[Policy, ...]]:
        """Add the resources of an SPL text, or its actions to a resource; gives what was added, in order.

        Raises SplError, MixedElements, ResourceIdMissing, ResourceIdNotAllowed, IdNotFound, PivotNotFound.
        """
        self._gate.admit(asked.admin, Act.ADD_POLICIES)
        with no_collections():
            elements = parse(spl)
            check_kinds(elements, resource_id)
            lowered = lower(elements, self._mappings, self._new_id)
        words = ("add-policies-from-file", *_place_words(place))
        if resource_id is not None:
            actions = tuple(policy for policy in lowered if isinstance(policy, Policy))
            command = f"{command_text(*words, resource_id)} ({_counted(actions)})"
            return self._edit(
                asked, command, alias, lambda there: editing.add_actions(there, resource_id, actions, place)
            ).giving(actions)
        resources = tuple(as_loaded(policy_set) for policy_set in lowered if isinstance(policy_set, PolicySet))
        command = f"{command_text(*words)} ({_counted(resources)})"
        return self._edit(asked, command, alias, lambda there: editing.add_resources(there, resources, place)).giving(
            resources
        )

    def update_policy(self, asked: Asked, alias: str, id: str, spl: str) -> Outcome[None]:
        """Replace a resource or an action by the only element of an SPL text.

        Raises SplError, SeveralElements. Raises IdNotFound: no such resource if the element is one, or no such action.
        """
        self._gate.admit(asked.admin, Act.UPDATE_POLICY)
        elements = parse(spl)
        if len(elements) > 1:
            raise SeveralElements
        (new,) = lower(elements, self._mappings, self._new_id)
        command = command_text("update-policy-from-file", id)
        if isinstance(new, Policy):
            action = new
            outcome = self._edit(asked, command, alias, lambda there: editing.update_action(there, id, action))
        else:
            resource = new
            outcome = self._edit(asked, command, alias, lambda there: editing.update_resource(there, id, resource))
        return outcome.giving(None)

    def add_rule(self, asked: Asked, alias: str, rule: NewRule, scope: Scope, end: End = End.TOP) -> Outcome[str]:
        """Add a rule to the action of a scope, which is made if it is missing; gives the id of the rule.

        Raises Ambiguous: several resources or actions have the values.
        """
        self._gate.admit(asked.admin, Act.ADD_RULE)
        wanted = self._wanted(rule, scope)
        words = ("--resource", scope.resource, "--action", scope.action, *_place_words(end, End.TOP))
        return self._edit(
            asked, _rule_command(rule, *words), alias, lambda there: editing.add_rule(there, wanted, end)
        ).giving(editing.single_rule(wanted).id)

    def add_rule_to_action(
        self, asked: Asked, alias: str, rule: NewRule, action_id: str, place: Place = End.TOP
    ) -> Outcome[str]:
        """Raises IdNotFound: no such action. Raises PivotNotFound: no such rule in it."""
        self._gate.admit(asked.admin, Act.ADD_RULE)
        wanted = self._wanted(rule, Scope())
        words = ("--action-id", action_id, *_place_words(place, End.TOP, suffix="-rule-id"))
        return self._edit(
            asked,
            _rule_command(rule, *words),
            alias,
            lambda there: editing.add_rule_to_action(there, action_id, wanted, place),
        ).giving(editing.single_rule(wanted).id)

    def ban(
        self, asked: Asked, alias: str, pair: Pair, scope: Scope = Scope(), private: bool = False
    ) -> Outcome[str | None]:
        """Deny everybody with an attribute, before all other rules.

        Gives the id of the action that holds the new rule, None if everybody is banned already.
        """
        self._gate.admit(asked.admin, Act.BAN)
        wanted = self._wanted(NewRule(Effect.DENY, (pair,)), scope, private)
        words = (*_scope_words(scope), *(("--private",) if private else ()))
        command = command_text("ban", pair.attribute.text, pair.value.text, *words)
        outcome = self._edit(asked, command, alias, lambda there: editing.ban(there, wanted))
        if outcome.difference.is_empty:
            return outcome.giving(None)
        return outcome.giving(outcome.value[0].children[0].id)

    def unban(self, asked: Asked, alias: str, pair: Pair, scope: Scope = Scope()) -> Outcome[None]:
        """Raises BanNotFound."""
        self._gate.admit(asked.admin, Act.UNBAN)
        wanted = self._wanted(NewRule(Effect.DENY, (pair,)), scope)
        command = command_text("un-ban", pair.attribute.text, pair.value.text, *_scope_words(scope))
        return self._edit(asked, command, alias, lambda there: editing.unban(there, wanted)).giving(None)

    def remove(self, asked: Asked, alias: str, ids: Sequence[str]) -> Outcome[None]:
        """Remove resources, actions and rules, all or none. Raises IdNotFound."""
        self._gate.admit(asked.admin, Act.REMOVE_OBJECT_BY_ID_AND_REFERENCES)
        command = command_text("remove-policy", *ids)
        return self._edit(asked, command, alias, lambda there: editing.remove(there, *ids)).giving(None)

    def remove_all(self, asked: Asked, alias: str) -> Outcome[None]:
        """Empty a pap, a remote one as well: it is filled again by its next refresh."""
        self._gate.admit(asked.admin, Act.ERASE_REPOSITORY)

        def emptied(state: State) -> State:
            # COMPAT: the root starts again at Version 0.
            return state.holding(Held(replace(state.of(alias).pap, version=0)))

        return self._transactions.make(asked, command_text("remove-all-policies"), alias, emptied).giving(None)

    def purge(self, asked: Asked, alias: str, steps: Container[PurgeStep]) -> Outcome[None]:
        """Remove what is referenced by nothing, or has nothing in it."""
        self._gate.admit(asked.admin, Act.PURGE)
        chosen = [step for step in PurgeStep if step in steps]
        command = command_text("purge", *(step.value for step in chosen))
        return self._transactions.make(
            asked, command, alias, lambda state: state.holding(_purged(local(state, alias), chosen))
        ).giving(None)

    def move(self, asked: Asked, alias: str, id: str, place: Beside) -> Outcome[None]:
        """Raises IdNotFound, PivotNotFound."""
        self._gate.admit(asked.admin, Act.MOVE)
        command = command_text("move", id, *_place_words(place))
        return self._edit(asked, command, alias, lambda there: editing.move(there, id, place)).giving(None)

    def add_obligation(self, asked: Asked, alias: str, id: str, obligation: str) -> Outcome[None]:
        """Raises IdNotFound: no such resource or action. Raises ObligationExists, SplMeaningError."""
        self._gate.admit(asked.admin, Act.CHANGE_OBLIGATIONS)
        added = lower_obligation(ast.Obligation(Text(obligation)), self._mappings)
        command = command_text("add-obligation", id, obligation)
        return self._edit(asked, command, alias, lambda there: editing.add_obligation(there, id, added)).giving(None)

    def remove_obligation(self, asked: Asked, alias: str, id: str, obligation: str) -> Outcome[None]:
        """Raises IdNotFound: no such resource or action, or it has no such obligation."""
        self._gate.admit(asked.admin, Act.CHANGE_OBLIGATIONS)
        command = command_text("remove-obligation", id, obligation)
        return self._edit(asked, command, alias, lambda there: editing.remove_obligation(there, id, obligation)).giving(
            None
        )

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

    def _edit(
        self, asked: Asked, command: str, alias: str, edit: Callable[[Resources], Resources]
    ) -> Outcome[Resources]:
        """Store what ``edit`` makes of the policies of a pap; gives them as they are then."""

        def edited(state: State) -> State:
            held = local(state, alias)
            return state.holding(with_resources(held, edit(held.resources)))

        outcome = self._transactions.make(asked, command, alias, edited)
        return outcome.giving(outcome.value.of(alias).resources)


def local(state: State, alias: str) -> Held:
    """What may be edited here. Raises PapNotFound, RemotePapIsReadOnly."""
    held = state.of(alias)
    if not held.pap.is_local:
        raise RemotePapIsReadOnly(alias)
    return held


def with_resources(held: Held, resources: Resources) -> Held:
    """With the Versions of all that has become different raised."""
    if resources == held.resources:
        return held
    version = held.pap.version + editing.changes(held.resources, resources)
    return replace(held, pap=replace(held.pap, version=version), resources=editing.stamped(held.resources, resources))


def _purged(held: Held, steps: Iterable[PurgeStep]) -> Held:
    for step in steps:
        match step:
            case PurgeStep.UNREFERENCED_POLICIES:
                held = replace(held, loose=tuple(each for each in held.loose if isinstance(each, PolicySet)))
            case PurgeStep.EMPTY_POLICIES:
                held = _without_empty_policies(held)
            case PurgeStep.UNREFERENCED_POLICY_SETS:
                # Their policies stay, as nothing refers to them any more.
                held = replace(held, loose=tuple(policy for each in held.loose for policy in _policies_in(each)))
            case PurgeStep.EMPTY_POLICY_SETS:
                held = with_resources(held, tuple(each for each in held.resources if each.children))
                kept = (each for each in held.loose if isinstance(each, Policy) or each.children)
                held = replace(held, loose=tuple(kept))
    return held


def _without_empty_policies(held: Held) -> Held:
    resources: list[PolicySet] = []
    for policy_set in held.resources:
        children = tuple(each for each in policy_set.children if not isinstance(each, Policy) or each.rules)
        if children or not policy_set.children:
            resources.append(policy_set if children == policy_set.children else replace(policy_set, children=children))
    loose = tuple(each for each in held.loose if isinstance(each, PolicySet) or each.rules)
    return replace(with_resources(held, tuple(resources)), loose=loose)


def _policies_in(element: PolicySet | Policy) -> Iterator[Policy]:
    if isinstance(element, Policy):
        yield element
        return
    for child in element.children:
        if isinstance(child, PolicySet | Policy):
            yield from _policies_in(child)


def _scope_words(scope: Scope) -> tuple[str, ...]:
    options = (("--resource", scope.resource), ("--action", scope.action))
    return tuple(word for option, value in options if value != ANY for word in (option, value))


def _place_words(place: Place, usual: End = End.BOTTOM, suffix: str = "") -> tuple[str, ...]:
    """The options that say a place, none for the one that is meant without options."""
    if isinstance(place, Beside):
        return (f"--{'after' if place.after else 'before'}{suffix}", place.id)
    return () if place is usual else (f"--{place.value}",)


def _rule_command(rule: NewRule, *words: str) -> str:
    scope = "action" if rule.obligation_on_action else "resource"
    obligation = () if rule.obligation is None else ("--obligation", rule.obligation, "--obligation-scope", scope)
    pairs = (f"{pair.attribute.text}={pair.value.text}" for pair in rule.pairs)
    return command_text("add-policy", *words, *obligation, rule.effect.value.lower(), *pairs)


def _counted(elements: tuple[PolicySet, ...] | tuple[Policy, ...]) -> str:
    """How much a file has added."""
    actions = [action for element in elements for action in _policies_in(element)]
    sets = sum(isinstance(element, PolicySet) for element in elements)
    counts = ((sets, "resource"), (len(actions), "action"), (sum(len(action.rules) for action in actions), "rule"))
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count)


def pair(attribute: str, value: str) -> Pair:
    """As in ``attribute="value"`` of SPL."""
    return Pair(Text(attribute), Text(value))


def check_kinds(elements: tuple[ast.Element, ...], resource_id: str | None) -> None:
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
