# ruff: noqa: PLR0917 - parameters of operations are told apart by their place
"""The operations of the PAP's four management services: wire values in, one use case, wire values out.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/{pap_management,highlevel_policy_management,
xacml_policy_management,authz_management}/
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from argus_py import __version__
from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.response import Effect
from argus_py.pap.administration import ANY, NewRule, PurgeStep, Scope, pair
from argus_py.pap.authorization import (
    ANYONE,
    Acl,
    BadAclEntry,
    Permission,
    Principal,
    parse_dn,
    parse_permissions,
)
from argus_py.pap.distribution import PapRecord
from argus_py.pap.editing import BanNotFound, Beside, End
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote
from argus_py.pap.request import Asked
from argus_py.pap.use_cases import UseCases
from argus_py.soap import pap_beans
from argus_py.soap.pap_beans import (
    ANYONE_NAME,
    NOT_FOUND,
    PAPACE,
    REMOVED,
    VOMS_FQAN,
    X509_DN,
    PAPPrincipal,
    UnbanResult,
)
from argus_py.spl.ast import Pair
from argus_py.xacml.policy import Policy, PolicySet

_CONTEXT: Final = "global-context"
_DEFAULTS: Final = Remote("localhost")
_SECOND: Final = timedelta(seconds=1)
_LONGEST: Final = 1e9  # seconds; what is longer is refused, and this is enough to be


class NothingNamed(MalformedInput):
    """A parameter is null that an operation cannot do without."""

    def __init__(self, parameter: str) -> None:
        super().__init__(f"{parameter} is null")
        self.parameter = parameter


class NoPair(MalformedInput):
    """An attribute that is not of the form ``id=value``."""

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid "id=value" string: {text}')


class NoAttribute(MalformedInput):
    """A rule for everybody."""

    def __init__(self) -> None:
        super().__init__("a rule needs at least one attribute")


class BadScope(MalformedInput):
    """An obligation that is neither for the action nor for the resource."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Unrecognized obligation scope '{text}': action or resource is expected")


class NoActionNamed(MalformedInput):
    """It is not said which action a rule is for."""

    def __init__(self) -> None:
        super().__init__("Action id and action value are both unspecified.")


class UnknownContext(MalformedInput):
    """There is one access control list."""

    def __init__(self) -> None:
        super().__init__(f"Only the context '{_CONTEXT}' is currently supported!")


class BadPort(MalformedInput):
    """A port that is no number."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not the number of a port")


Operation = Callable[..., Any]
"""Takes who asks and one argument for each parameter."""


class Management:
    """``operations`` by name. Each raises what its use case raises, and of MalformedInput's kind what is said here."""

    def __init__(self, use_cases: UseCases) -> None:
        self._policies = use_cases.administration
        self._objects = use_cases.objects
        self._paps = use_cases.distribution
        self._access = use_cases.access
        self.operations: Mapping[str, Operation] = {
            "ping": lambda _: f"PAP version: {__version__}",
            "exists": lambda asked, alias: self._paps.exists(asked, _pap(alias)),
            "getPap": lambda asked, alias: _bean(self._paps.get_pap(asked, _pap(alias))),
            "getAllPaps": lambda asked: tuple(map(_bean, self._paps.all_paps(asked))),
            "addPap": lambda asked, bean: self._paps.add_pap(asked, _from_bean(bean)).value,
            "updatePap": lambda asked, bean: self._paps.update_pap(asked, _from_bean(bean)).value,
            "removePap": lambda asked, alias: self._paps.remove_pap(asked, _pap(alias)).value,
            "setEnabled": self._set_enabled,
            "getOrder": self._paps.ordering,
            "setOrder": self._set_order,
            "getPollingInterval": lambda asked: self._paps.polling_interval(asked) / _SECOND,
            "setPollingInterval": self._set_polling_interval,
            "refreshCache": lambda asked, alias: self._paps.refresh(asked, _pap(alias)),
            "ban": self._ban,
            "unban": self._unban,
            "addRule": self._add_rule,
            "purge": self._purge,
            "eraseRepository": lambda asked, alias: self._policies.remove_all(asked, _pap(alias)).value,
            "addPolicySet": self._add_policy_set,
            "addPolicies": self._add_policies,
            "addPolicy": self._add_policy,
            "storePolicy": self._store_policy,
            "storePolicySet": self._store_policy_set,
            "getPolicy": lambda asked, alias, id: self._objects.get_policy(asked, _pap(alias), _id(id)),
            "getPolicySet": lambda asked, alias, id: self._objects.get_policy_set(asked, _pap(alias), _id(id)),
            "getRootPolicySet": lambda asked, alias: self._objects.get_root_policy_set(asked, _pap(alias)),
            "hasPolicy": lambda asked, alias, id: self._objects.has_policy(asked, _pap(alias), _id(id)),
            "hasPolicySet": lambda asked, alias, id: self._objects.has_policy_set(asked, _pap(alias), _id(id)),
            "listPolicies": lambda asked, alias: self._objects.list_policies(asked, _pap(alias)),
            "listPolicySets": lambda asked, alias: self._objects.list_policy_sets(asked, _pap(alias)),
            "move": self._move,
            "updatePolicy": self._update_policy,
            "updatePolicySet": self._update_policy_set,
            "removePolicy": lambda asked, alias, id: self._objects.remove_policy(asked, _pap(alias), _id(id)).value,
            "removePolicySet": self._remove_policy_set,
            "removeObjectByIdAndReferences": self._remove_object,
            "getACL": self._get_acl,
            "setACL": self._set_acl,
            "addACE": self._add_ace,
            "removeACE": self._remove_ace,
        }

    def _set_enabled(self, asked: Asked, alias: str | None, enabled: bool) -> None:
        self._paps.set_enabled(asked, _pap(alias), enabled)

    def _set_order(self, asked: Asked, aliases: tuple[str, ...] | None) -> bool:
        self._paps.set_ordering(asked, aliases or ())
        return True

    def _set_polling_interval(self, asked: Asked, seconds: float) -> None:
        within = max(-_LONGEST, min(seconds, _LONGEST))
        self._paps.set_polling_interval(asked, timedelta(seconds=within))

    def _ban(
        self,
        asked: Asked,
        alias: str | None,
        id: str | None,
        value: str | None,
        resource: str | None,
        action: str | None,
        is_public: bool,
    ) -> str | None:
        banned = pair(_given("id", id), _given("value", value))
        return self._policies.ban(asked, _pap(alias), banned, _scope(resource, action), private=not is_public).value

    def _unban(
        self,
        asked: Asked,
        alias: str | None,
        id: str | None,
        value: str | None,
        resource: str | None,
        action: str | None,
    ) -> UnbanResult:
        banned = pair(_given("id", id), _given("value", value))
        try:
            self._policies.unban(asked, _pap(alias), banned, _scope(resource, action))
        except BanNotFound:
            return UnbanResult(NOT_FOUND)
        return UnbanResult(REMOVED)

    def _add_rule(
        self,
        asked: Asked,
        alias: str | None,
        is_permit: bool,
        attributes: tuple[str, ...],
        action: str | None,
        resource: str | None,
        action_id: str | None,
        rule_id: str | None,
        obligation: str | None,
        obligation_scope: str | None,
        move_after: bool,
    ) -> str:
        if _given("obligationScope", obligation_scope) not in ("action", "resource"):
            raise BadScope(obligation_scope or "")
        if not attributes:
            raise NoAttribute
        effect = Effect.PERMIT if is_permit else Effect.DENY
        rule = NewRule(effect, tuple(map(_read_pair, attributes)), obligation, obligation_scope == "action")
        end = End.BOTTOM if move_after else End.TOP
        if action_id is not None:
            place = end if rule_id is None else Beside(rule_id, after=move_after)
            return self._policies.add_rule_to_action(asked, _pap(alias), rule, action_id, place).value
        if action is None:
            raise NoActionNamed
        return self._policies.add_rule(
            asked, _pap(alias), rule, Scope(_given("resourceValue", resource), action), end
        ).value

    def _purge(
        self,
        asked: Asked,
        alias: str | None,
        unreferenced_policies: bool,
        empty_policies: bool,
        unreferenced_policy_sets: bool,
        empty_policy_sets: bool,
    ) -> None:
        wanted = (unreferenced_policies, empty_policies, unreferenced_policy_sets, empty_policy_sets)
        steps = {step for step, is_wanted in zip(PurgeStep, wanted, strict=True) if is_wanted}
        self._policies.purge(asked, _pap(alias), steps)

    def _add_policy_set(self, asked: Asked, alias: str | None, index: int, policy_set: PolicySet) -> str:
        return self._objects.add_policy_set(asked, _pap(alias), index, policy_set).value

    def _add_policies(
        self,
        asked: Asked,
        alias: str | None,
        index: int,
        policy_set_id: str | None,
        prefixes: tuple[str, ...],
        policies: tuple[Policy, ...],
    ) -> tuple[str, ...] | None:
        return self._objects.add_policies(
            asked, _pap(alias), _id(policy_set_id), policies, prefixes=prefixes, index=index
        ).value

    def _add_policy(
        self,
        asked: Asked,
        alias: str | None,
        index: int,
        policy_set_id: str | None,
        prefix: str | None,
        policy: Policy,
    ) -> str | None:
        ids = self._objects.add_policies(
            asked, _pap(alias), _id(policy_set_id), (policy,), prefixes=(prefix,), index=index
        ).value
        return ids[0] if ids else None

    def _store_policy(self, asked: Asked, alias: str | None, prefix: str | None, policy: Policy) -> str:
        return self._objects.store_policy(asked, _pap(alias), prefix, policy).value

    def _store_policy_set(self, asked: Asked, alias: str | None, prefix: str | None, policy_set: PolicySet) -> str:
        return self._objects.store_policy_set(asked, _pap(alias), prefix, policy_set).value

    def _move(self, asked: Asked, alias: str | None, id: str | None, pivot: str | None, move_after: bool) -> None:
        if id is not None and pivot is not None and id != pivot:  # COMPAT: else nothing happens
            self._policies.move(asked, _pap(alias), id, Beside(pivot, after=move_after))

    def _update_policy(self, asked: Asked, alias: str | None, version: str | None, policy: Policy) -> bool:
        return self._objects.update_policy(asked, _pap(alias), _given("version", version), policy).value

    def _update_policy_set(self, asked: Asked, alias: str | None, version: str | None, policy_set: PolicySet) -> bool:
        return self._objects.update_policy_set(asked, _pap(alias), _given("version", version), policy_set).value

    def _remove_policy_set(self, asked: Asked, alias: str | None, id: str | None) -> bool:
        return self._objects.remove_policy_set(asked, _pap(alias), _id(id)).value

    def _remove_object(self, asked: Asked, alias: str | None, id: str | None) -> bool:
        self._objects.remove_object_and_references(asked, _pap(alias), _id(id))
        return True

    def _get_acl(self, asked: Asked, context: str | None) -> tuple[PAPACE, ...]:
        _check_context(context)
        return tuple(PAPACE(_to_wire(who), _names(flags)) for who, flags in self._access.acl(asked).entries)

    def _set_acl(self, asked: Asked, context: str | None, acl: tuple[PAPACE, ...]) -> None:
        _check_context(context)
        entries = ((_from_wire(ace.principal), _flags(ace.permissions)) for ace in acl)
        self._access.set_acl(asked, Acl.of(entries))

    def _add_ace(
        self, asked: Asked, context: str | None, principal: PAPPrincipal, permissions: tuple[str, ...]
    ) -> None:
        _check_context(context)
        self._access.add_entry(asked, _from_wire(principal), _flags(permissions))

    def _remove_ace(self, asked: Asked, context: str | None, principal: PAPPrincipal) -> None:
        _check_context(context)
        self._access.remove_entry(asked, _from_wire(principal))


def _pap(alias: str | None) -> str:
    return DEFAULT_ALIAS if alias is None else alias


def _given(parameter: str, value: str | None) -> str:
    """Raises NothingNamed."""
    if value is None:
        raise NothingNamed(parameter)
    return value


def _id(value: str | None) -> str:
    return _given("id", value)


def _scope(resource: str | None, action: str | None) -> Scope:
    return Scope(ANY if resource is None else resource, ANY if action is None else action)


def _read_pair(text: str) -> Pair:
    name, equals, value = text.partition("=")
    if not equals:
        raise NoPair(text)
    return pair(name, value)


def _bean(record: PapRecord) -> pap_beans.Pap:
    pap = record.pap
    at = pap.remote or _DEFAULTS
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
        last_modification=_milliseconds(record.modified_at),
    )


def _milliseconds(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)


def _from_bean(bean: pap_beans.Pap) -> Pap:
    """Raises BadPort, NothingNamed."""
    remote = None
    if not bean.local:
        port = _DEFAULTS.port if bean.port is None else _port(bean.port)
        remote = Remote(
            _given("hostname", bean.hostname),
            port,
            bean.path or _DEFAULTS.path,
            bean.protocol or _DEFAULTS.protocol,
            bean.dn or None,
        )
    return Pap(bean.id or "", bean.alias, bean.enabled, bean.visibility_public, remote)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise BadPort(text)
    return int(text)


def _check_context(context: str | None) -> None:
    """Raises UnknownContext."""
    if context not in (None, _CONTEXT):
        raise UnknownContext


def _to_wire(principal: Principal) -> PAPPrincipal:
    if isinstance(principal, Fqan):
        return PAPPrincipal(VOMS_FQAN, str(principal))
    return PAPPrincipal(X509_DN, principal.slash() if isinstance(principal, DistinguishedName) else ANYONE_NAME)


def _from_wire(principal: PAPPrincipal) -> Principal:
    """Raises DnSyntaxError, FqanSyntaxError, BadAclEntry."""
    if principal.type == VOMS_FQAN:
        return Fqan.parse(principal.name)
    if principal.type != X509_DN:
        raise BadAclEntry(f"{principal.type!r} is no type of a principal")
    return ANYONE if principal.name == ANYONE_NAME else parse_dn(principal.name)


def _names(permissions: Permission) -> tuple[str, ...]:
    return tuple(str(flag.name) for flag in permissions)


def _flags(names: tuple[str, ...]) -> Permission:
    """Raises BadAclEntry."""
    return parse_permissions("|".join(names)) if names else Permission(0)
