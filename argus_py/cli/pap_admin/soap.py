"""A PAP by its SOAP services, asked as the Java client asks them: a command may be a row of calls.

A row that fails in the middle leaves what it has done; what can be found out is found out before the first change.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/{policymanagement,papmanagement,authzmanagement}/
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, NoReturn, ParamSpec, TypeVar

from argus_py.cli.pap_admin.service import (
    AclEntry,
    Added,
    AddedAction,
    AddedResource,
    Beside,
    Difference,
    JavaPapCannot,
    ListingForm,
    NewRule,
    PapLost,
    Refused,
    RepositoryCorrupted,
    Scope,
)
from argus_py.clients.pap_soap import END, NotAPap, PapSoap, PapUnreachable, SoapRefused
from argus_py.errors import ArgusError, MalformedInput
from argus_py.model.response import Obligation
from argus_py.pap.administration import SeveralElements, check_kinds
from argus_py.pap.editing import (
    IdNotFound,
    ObligationExists,
    PivotNotFound,
    Resources,
    action_value,
    is_private,
    raised,
    resource_value,
)
from argus_py.pap.history import Change
from argus_py.pap.listing import ListingRequest, listing
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote
from argus_py.soap import pap_beans
from argus_py.soap.java_exceptions import JavaClass
from argus_py.soap.pap_beans import ANYONE_NAME, REMOVED, VOMS_FQAN, X509_DN, PAPPrincipal
from argus_py.spl import ast
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.errors import SplError
from argus_py.spl.lower import PRIVATE_PREFIX, PUBLIC_PREFIX, lower, lower_obligation
from argus_py.spl.parser import parse
from argus_py.spl.printer import Ids
from argus_py.xacml.policy import Policy, PolicyIdReference, PolicySet, PolicySetIdReference

_LOCAL: Final = Remote("localhost")  # what the Java client writes into the bean of a local pap
_IDS: Final = {"none": Ids.NONE, "actions": Ids.ACTIONS, "rules": Ids.RULES}

P = ParamSpec("P")
T = TypeVar("T")


class SoapPap:
    """The port of the commands over SOAP; see ``service.PapService``."""

    def __init__(self, soap: PapSoap, provision: Callable[[bool], str]) -> None:
        self._soap = soap
        self._provision = provision

    def ping(self) -> str:
        return _asked(self._soap.ping).removeprefix("PAP version: ")

    def listing(self, aliases: Sequence[str] | None, form: ListingForm) -> str:
        request = ListingRequest(None, _IDS[form.ids], form.resource, form.action, form.xacml)
        paps = self.paps() if aliases is None else [self._listed_pap(alias) for alias in aliases]
        return "".join(listing(pap, self.policies(pap.alias), request, DEFAULT_MAPPINGS) for pap in paps)

    def policies(self, alias: str) -> Resources:
        sets = _asked(self._soap.list_policy_sets, _sent(alias))
        policies = _asked(self._soap.list_policies, _sent(alias))
        return _tree(sets, policies)

    def ban(self, alias: str, attribute: str, value: str, scope: Scope, *, private: bool) -> bool:
        action_id = _asked(
            self._soap.ban, _sent(alias), attribute, value, scope.resource, scope.action, public=not private
        )
        return action_id is not None

    def unban(self, alias: str, attribute: str, value: str, scope: Scope) -> bool:
        result = _asked(self._soap.unban, _sent(alias), attribute, value, scope.resource, scope.action)
        return result.status_code == REMOVED

    def add_rule(self, alias: str, rule: NewRule) -> None:
        _asked(
            self._soap.add_rule,
            _sent(alias),
            [f"{name}={value}" for name, value in rule.attributes],
            permit=rule.permit,
            action=rule.scope.action if rule.scope else None,
            resource=rule.scope.resource if rule.scope else None,
            action_id=rule.action_id,
            rule_id=rule.after or rule.before,
            obligation=rule.obligation,
            obligation_scope=rule.obligation_scope,
            move_after=rule.bottom or rule.after is not None,
        )

    def add_policies(self, alias: str, text: str, place: Beside | None, resource_id: str | None) -> Added:
        elements = _lowered(text, lambda elements: check_kinds(elements, resource_id))
        if resource_id is None:
            index = END if place is None else self._index_of_resource(alias, place)
            resources = [element for element in elements if isinstance(element, PolicySet)]
            return tuple(
                self._add_resource(alias, END if index == END else index + number, resource)
                for number, resource in enumerate(resources)
            )
        index = END if place is None else self._index_of_action(alias, resource_id, place)
        actions = [element for element in elements if isinstance(element, Policy)]
        return self._add_actions(alias, index, resource_id, actions)

    def update_policy(self, alias: str, id: str, text: str) -> None:
        (new,) = _lowered(text, _check_single)
        if isinstance(new, Policy):
            self._update_action(alias, id, new)
        else:
            self._update_resource(alias, id, new)

    def remove(self, alias: str, ids: Sequence[str]) -> Iterable[str]:
        """One after the other: those before one that fails are gone."""
        for id in ids:
            _asked(self._soap.remove_object, _sent(alias), id)
            yield id

    def remove_all(self, alias: str) -> None:
        _asked(self._soap.erase_repository, _sent(alias))

    def move(self, alias: str, id: str, place: Beside) -> None:
        _asked(self._soap.move, _sent(alias), id, place.id, after=place.after)

    def add_obligation(self, alias: str, id: str, obligation: str) -> None:
        try:
            added = lower_obligation(ast.Obligation(ast.Text(obligation)), DEFAULT_MAPPINGS)
        except SplError as error:
            raise _refused(error) from error

        def with_it(there: tuple[Obligation, ...]) -> tuple[Obligation, ...]:
            if any(other.id == obligation for other in there):
                raise _refused(ObligationExists(id, obligation))
            return (*there, added)

        self._change_obligations(alias, id, with_it)

    def remove_obligation(self, alias: str, id: str, obligation: str) -> None:
        def without_it(there: tuple[Obligation, ...]) -> tuple[Obligation, ...]:
            kept = tuple(other for other in there if other.id != obligation)
            if kept == there:
                raise _refused(IdNotFound(obligation, f"Obligation '{obligation}' not defined for policy '{id}'."))
            return kept

        self._change_obligations(alias, id, without_it)

    def paps(self) -> tuple[Pap, ...]:
        return tuple(map(_from_bean, _asked(self._soap.get_all_paps)))

    def pap(self, alias: str) -> Pap | None:
        return _from_bean(_asked(self._soap.get_pap, alias)) if self.has_pap(alias) else None

    def was_copied(self, pap: Pap) -> bool:
        """Its policies say so; without any nothing does."""
        return bool(self.policies(pap.alias))

    def has_pap(self, alias: str) -> bool:
        return _asked(self._soap.exists, alias)

    def add_pap(self, pap: Pap) -> bool:
        return _asked(self._soap.add_pap, _to_bean(replace(pap, id=f"{pap.alias}-{uuid.uuid4()}")))

    def update_pap(self, pap: Pap) -> bool:
        return _asked(self._soap.update_pap, _to_bean(pap))

    def remove_pap(self, alias: str) -> bool:
        return _asked(self._soap.remove_pap, alias)

    def set_enabled(self, alias: str, enabled: bool) -> None:
        _asked(self._soap.set_enabled, alias, enabled)

    def ordering(self) -> tuple[str, ...]:
        return _asked(self._soap.get_order)

    def set_ordering(self, aliases: Sequence[str]) -> None:
        _asked(self._soap.set_order, aliases)

    def polling_interval(self) -> timedelta:
        return _asked(self._soap.get_polling_interval)

    def set_polling_interval(self, interval: timedelta) -> None:
        _asked(self._soap.set_polling_interval, interval)

    def refresh(self, alias: str) -> bool:
        return _asked(self._soap.refresh_cache, alias)

    def acl(self) -> tuple[AclEntry, ...]:
        return tuple(_entry(ace) for ace in _asked(self._soap.get_acl))

    def add_ace(self, entry: AclEntry) -> None:
        _asked(self._soap.add_ace, _principal(entry), entry.permissions)

    def remove_ace(self, entry: AclEntry) -> None:
        _asked(self._soap.remove_ace, _principal(entry))

    def provision(self, as_pdp: bool) -> str:
        return self._provision(as_pdp)

    def changes(self, before: int | None, limit: int) -> tuple[Change, ...]:
        _no_history(before, limit)

    def difference(self, from_revision: int, to_revision: int) -> Difference:
        _no_history(from_revision, to_revision)

    def undo(self, revision: int) -> Difference:
        _no_history(revision)

    def _listed_pap(self, alias: str) -> Pap:
        """Without a call for the one that is always there."""
        if alias == DEFAULT_ALIAS:
            return Pap("", DEFAULT_ALIAS)
        return _from_bean(_asked(self._soap.get_pap, alias))

    def _index_of_resource(self, alias: str, place: Beside) -> int:
        root = _asked(self._soap.get_root_policy_set, _sent(alias))
        missing = f'id "{place.id}" not found (or it\'s not a resource id).'
        return _index(root, place, missing)

    def _index_of_action(self, alias: str, resource_id: str, place: Beside) -> int:
        resource = _asked(self._soap.get_policy_set, _sent(alias), resource_id)
        missing = f'id "{place.id}" not found inside resource the given resource (id = "{resource_id}").'
        return _index(resource, place, missing)

    def _add_resource(self, alias: str, index: int, resource: PolicySet) -> AddedResource:
        actions = [child for child in resource.children if isinstance(child, Policy)]
        id = _asked(self._soap.add_policy_set, _sent(alias), index, replace(resource, children=()))
        added = self._add_actions(alias, 0, id, actions)
        return AddedResource(resource_value(resource) or "", id, added)

    def _add_actions(
        self, alias: str, index: int, resource_id: str, actions: Sequence[Policy]
    ) -> tuple[AddedAction, ...]:
        if not actions:
            return ()
        # BETTER: Java makes every action of a file public, whatever the file says.
        prefixes = [_prefix(action) for action in actions]
        ids = _asked(self._soap.add_policies, _sent(alias), index, resource_id, prefixes, actions)
        if ids is None:
            raise _refused(IdNotFound(resource_id, f"PolicySet '{resource_id}' not found."))
        return tuple(AddedAction(action_value(action) or "", id) for action, id in zip(actions, ids, strict=False))

    def _update_action(self, alias: str, id: str, new: Policy) -> None:
        if not _asked(self._soap.has_policy, _sent(alias), id):
            raise _refused(IdNotFound(id, f'action id "{id}" does not exists.'))
        there = _asked(self._soap.get_policy, _sent(alias), id)
        changed = replace(new, id=id, version=raised(there.version, 1))
        _asked(self._soap.update_policy, _sent(alias), there.version, changed)

    def _update_resource(self, alias: str, id: str, new: PolicySet) -> None:
        if not _asked(self._soap.has_policy_set, _sent(alias), id):
            raise _refused(IdNotFound(id, f'resource id "{id}" does not exists.'))
        there = _asked(self._soap.get_policy_set, _sent(alias), id)
        actions = [child for child in new.children if isinstance(child, Policy)]
        changed = replace(new, id=id, version=raised(there.version, 1), children=())
        _asked(self._soap.update_policy_set, _sent(alias), there.version, changed)
        self._add_actions(alias, 0, id, actions)
        _asked(self._soap.purge, _sent(alias), unreferenced_policies=True)

    def _change_obligations(
        self, alias: str, id: str, change: Callable[[tuple[Obligation, ...]], tuple[Obligation, ...]]
    ) -> None:
        if _asked(self._soap.has_policy_set, _sent(alias), id):
            resource = _asked(self._soap.get_policy_set, _sent(alias), id)
            changed = replace(resource, obligations=change(resource.obligations), version=raised(resource.version, 1))
            _asked(self._soap.update_policy_set, _sent(alias), resource.version, changed)
        elif _asked(self._soap.has_policy, _sent(alias), id):
            action = _asked(self._soap.get_policy, _sent(alias), id)
            other = replace(action, obligations=change(action.obligations), version=raised(action.version, 1))
            _asked(self._soap.update_policy, _sent(alias), action.version, other)
        else:
            raise _refused(IdNotFound(id, f"No policyset or policy found for the given id '{id}'"))


def _asked(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What a call answers, with its errors in the words of this client. Raises Refused, PapLost."""
    try:
        return call(*arguments, **named)
    except SoapRefused as error:
        if error.java_class == JavaClass.UNSUPPORTED_ATTRIBUTE:
            raise Refused("UnsupportedAttribute", _unsupported(error.message), unreadable=True) from error
        raise Refused(error.java_class.rpartition(".")[2], error.message or str(error)) from error
    except (PapUnreachable, NotAPap) as error:
        raise PapLost(str(error)) from error
    except MalformedInput as error:  # a text that XML cannot carry
        raise _refused(error) from error


def _unsupported(message: str) -> str:
    """Java says ``id=NAME``, and no more."""
    start, is_name, name = message.partition("id=")
    return message if start or not is_name else f'unknown attribute "{name}"'


def _refused(error: ArgusError) -> Refused:
    """What our PAP would refuse, found out here."""
    return Refused(type(error).__name__, str(error), unreadable=isinstance(error, SplError))


def _no_history(*_asked_for: int | None) -> NoReturn:
    raise JavaPapCannot("tell or undo what was changed")


def _sent(alias: str) -> str | None:
    """COMPAT: the Java client does not name the pap "default" either."""
    return None if alias == DEFAULT_ALIAS else alias


def _lowered(text: str, check: Callable[[tuple[ast.Element, ...]], None]) -> tuple[PolicySet | Policy, ...]:
    """The elements of a policy text, which ``check`` may refuse."""
    try:
        elements = parse(text)
        check(elements)
        return lower(elements, DEFAULT_MAPPINGS, _new_id)
    except MalformedInput as error:
        raise _refused(error) from error


def _check_single(elements: tuple[ast.Element, ...]) -> None:
    if len(elements) > 1:
        raise SeveralElements


def _tree(sets: Sequence[PolicySet], policies: Sequence[Policy]) -> Resources:
    """The resources in their order, which that of the references in the root is.

    COMPAT: a reference to an action that is not there is passed over, as PDPs do.
    """
    if not sets:
        raise RepositoryCorrupted("no policy sets have been found")
    root, *others = sets
    set_of = {policy_set.id: policy_set for policy_set in others}
    policy_of = {policy.id: policy for policy in policies}
    resources = []
    for child in root.children:
        if not isinstance(child, PolicySetIdReference):
            continue
        resource = set_of.get(child.id)
        if resource is None:
            raise RepositoryCorrupted(f"policy set not found: {child.id}")
        present = (
            policy_of.get(each.id) if isinstance(each, PolicyIdReference) else each for each in resource.children
        )
        resources.append(replace(resource, children=tuple(each for each in present if each is not None)))
    return tuple(resources)


def _index(holder: PolicySet, place: Beside, missing: str) -> int:
    for index, child in enumerate(holder.children):
        if child.id == place.id:
            return index + place.after
    raise _refused(PivotNotFound(place.id, missing))


def _prefix(action: Policy) -> str:
    return (PRIVATE_PREFIX if is_private(action) else PUBLIC_PREFIX).rstrip("_")


def _to_bean(pap: Pap) -> pap_beans.Pap:
    at = pap.remote or _LOCAL
    return pap_beans.Pap(
        alias=pap.alias,
        id=pap.id,
        dn=at.dn,
        hostname=at.hostname,
        port=str(at.port),
        path=at.path,
        protocol=at.protocol,
        visibility_public=pap.public,
        local=pap.is_local,
        enabled=pap.enabled,
    )


def _from_bean(bean: pap_beans.Pap) -> Pap:
    """What a PAP of another make leaves out is as in Java."""
    port = bean.port if bean.port and bean.port.isascii() and bean.port.isdigit() else str(_LOCAL.port)
    remote = Remote(
        bean.hostname or _LOCAL.hostname,
        int(port),
        bean.path or _LOCAL.path,
        bean.protocol or _LOCAL.protocol,
        bean.dn,
    )
    return Pap(bean.id or "", bean.alias, bean.enabled, bean.visibility_public, None if bean.local else remote)


def _principal(entry: AclEntry) -> PAPPrincipal:
    if entry.kind == "fqan":
        return PAPPrincipal(VOMS_FQAN, entry.name)
    return PAPPrincipal(X509_DN, ANYONE_NAME if entry.kind == "anyone" else entry.name)


def _entry(ace: pap_beans.PAPACE) -> AclEntry:
    principal = ace.principal
    if principal.type == VOMS_FQAN:
        return AclEntry("fqan", principal.name, ace.permissions)
    if principal.name == ANYONE_NAME:
        return AclEntry("anyone", "ANYONE", ace.permissions)
    return AclEntry("dn", principal.name, ace.permissions)


def _new_id() -> str:
    return str(uuid.uuid4())
