"""A PAP of argus_py by its REST interface: each command is one request, and so one transaction."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from argus_py.cli.pap_admin.service import (
    AclEntry,
    Added,
    AddedAction,
    AddedResource,
    Beside,
    Difference,
    Hunk,
    ListingForm,
    NewRule,
    PapLost,
    Refused,
    Scope,
)
from argus_py.clients import pap_rest
from argus_py.clients.pap_rest import Conditions, NotAPap, PapRest, PapUnreachable
from argus_py.model.dn import DistinguishedName
from argus_py.pap.authorization import Permission
from argus_py.pap.history import Change, Note
from argus_py.pap.paps import Pap, Remote

if TYPE_CHECKING:
    from argus_py.pap.editing import Resources

_PAGE: Final = 100  # changes that are asked for at once

P = ParamSpec("P")
T = TypeVar("T")


class RestPap:
    """The port of the commands over REST; see ``service.PapService``."""

    def __init__(
        self, rest: PapRest, provision: Callable[[bool], str], dry_run: Callable[[Difference], None] | None = None
    ) -> None:
        """With ``dry_run`` nothing is changed, and it gets what would be."""
        self._rest = rest
        self._provision = provision
        self._dry_run = dry_run
        self._conditions = Conditions(dry_run=dry_run is not None)

    def ping(self) -> str:
        return _asked(self._rest.ping)

    def listing(self, aliases: Sequence[str] | None, form: ListingForm) -> str:
        options = {"ids": form.ids, "resource": form.resource, "action": form.action, "xacml": form.xacml}
        return _asked(self._rest.listing, aliases, options)

    def policies(self, alias: str) -> "Resources":
        from argus_py.cli.pap_admin.current import read_listing  # noqa: PLC0415 - start-up

        return read_listing(self.listing([alias], ListingForm(xacml=True)))

    def ban(self, alias: str, attribute: str, value: str, scope: Scope, *, private: bool) -> bool:
        ban = {
            "attribute": {"name": attribute, "value": value},
            "resource": scope.resource,
            "action": scope.action,
            "private": private,
        }
        return self._changed(self._rest.ban, alias, ban, self._conditions).result is not None

    def unban(self, alias: str, attribute: str, value: str, scope: Scope) -> bool:
        try:
            self._changed(
                self._rest.unban,
                alias,
                attribute,
                value,
                scope.resource,
                scope.action,
                conditions=self._conditions,
            )
        except Refused as error:
            return _unless(error, "BanNotFound")
        return True

    def add_rule(self, alias: str, rule: NewRule) -> None:
        told = {
            "effect": "permit" if rule.permit else "deny",
            "attributes": [{"name": name, "value": value} for name, value in rule.attributes],
            "resource": rule.scope.resource if rule.scope else None,
            "action": rule.scope.action if rule.scope else None,
            "action_id": rule.action_id,
            "before": rule.before,
            "after": rule.after,
            "bottom": rule.bottom,
            "obligation": rule.obligation,
            "obligation_scope": rule.obligation_scope,
        }
        self._changed(self._rest.add_rule, alias, told, self._conditions)

    def add_policies(self, alias: str, text: str, place: Beside | None, resource_id: str | None) -> Added:
        options = {**_place(place), "resource_id": resource_id}
        return _added(self._changed(self._rest.add_policies, alias, text, options, self._conditions).result)

    def update_policy(self, alias: str, id: str, text: str) -> None:
        self._changed(self._rest.update_policy, alias, id, text, self._conditions)

    def remove(self, alias: str, ids: Sequence[str]) -> Iterable[str]:
        """All or none."""
        self._changed(self._rest.remove, alias, ids, self._conditions)
        return ids

    def remove_all(self, alias: str) -> None:
        self._changed(self._rest.remove_all, alias, self._conditions)

    def move(self, alias: str, id: str, place: Beside) -> None:
        beside = _place(place)
        self._changed(self._rest.move, alias, id, beside["before"], beside["after"], self._conditions)

    def add_obligation(self, alias: str, id: str, obligation: str) -> None:
        self._changed(self._rest.add_obligation, alias, id, obligation, self._conditions)

    def remove_obligation(self, alias: str, id: str, obligation: str) -> None:
        self._changed(self._rest.remove_obligation, alias, id, obligation, self._conditions)

    def paps(self) -> tuple[Pap, ...]:
        return tuple(map(_pap, _asked(self._rest.paps)))

    def pap(self, alias: str) -> Pap | None:
        try:
            return _pap(_asked(self._rest.pap, alias))
        except Refused as error:
            _unless(error, "PapNotFound")
            return None

    def was_copied(self, pap: Pap) -> bool:
        confirmed = {copy.alias for copy in _asked(self._rest.copies) if copy.confirmed_at is not None}
        return pap.alias in confirmed

    def has_pap(self, alias: str) -> bool:
        return self.pap(alias) is not None

    def add_pap(self, pap: Pap) -> bool:
        try:
            self._changed(self._rest.add_pap, {"alias": pap.alias} | _settings(pap), self._conditions)
        except Refused as error:
            return _unless(error, "PapExists")
        return True

    def update_pap(self, pap: Pap) -> bool:
        try:
            self._changed(self._rest.update_pap, pap.alias, _settings(pap), self._conditions)
        except Refused as error:
            return _unless(error, "PapNotFound")
        return True

    def remove_pap(self, alias: str) -> bool:
        try:
            self._changed(self._rest.remove_pap, alias, self._conditions)
        except Refused as error:
            return _unless(error, "PapNotFound")
        return True

    def set_enabled(self, alias: str, enabled: bool) -> None:
        self._changed(self._rest.set_enabled, alias, enabled, self._conditions)

    def ordering(self) -> tuple[str, ...]:
        return _asked(self._rest.ordering)

    def set_ordering(self, aliases: Sequence[str]) -> None:
        self._changed(self._rest.set_ordering, aliases, self._conditions)

    def polling_interval(self) -> timedelta:
        return _asked(self._rest.polling_interval)

    def set_polling_interval(self, interval: timedelta) -> None:
        self._changed(self._rest.set_polling_interval, interval, self._conditions)

    def refresh(self, alias: str) -> bool:
        try:
            _asked(self._rest.refresh, alias)
        except Refused as error:
            return _unless(error, "PapNotFound")
        return True

    def acl(self) -> tuple[AclEntry, ...]:
        return tuple(
            AclEntry(entry.kind, _slash(entry.name) if entry.kind == "dn" else entry.name, _flags(entry.permissions))
            for entry in _asked(self._rest.acl)
        )

    def add_ace(self, entry: AclEntry) -> None:
        told = pap_rest.AclEntry(kind=entry.kind, name=entry.name, permissions=entry.permissions)
        self._changed(self._rest.add_ace, told, self._conditions)

    def remove_ace(self, entry: AclEntry) -> None:
        self._changed(self._rest.remove_ace, entry.kind, entry.name, self._conditions)

    def provision(self, as_pdp: bool) -> str:
        return self._provision(as_pdp)

    def changes(self, before: int | None, limit: int) -> tuple[Change, ...]:
        found: list[Change] = []
        while len(found) < limit:
            wanted = min(limit - len(found), _PAGE)
            page = _asked(self._rest.changes, before, wanted)
            found += (Change(each.revision, each.made_at, Note(each.author, each.command, each.pap)) for each in page)
            if len(page) < wanted:
                break
            before = page[-1].revision
        return tuple(found)

    def difference(self, from_revision: int, to_revision: int) -> Difference:
        return _difference(_asked(self._rest.difference, from_revision, to_revision))

    def undo(self, revision: int) -> Difference:
        return _difference(self._changed(self._rest.undo, revision, self._conditions).difference)

    def _changed(
        self, call: Callable[P, pap_rest.Change[T]], *arguments: P.args, **named: P.kwargs
    ) -> pap_rest.Change[T]:
        """What a change answers; that of a dry run is told."""
        change = _asked(call, *arguments, **named)
        if self._dry_run is not None:
            self._dry_run(_difference(change.difference))
        return change


def _asked(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What a request answers. Raises Refused, PapLost."""
    try:
        return call(*arguments, **named)
    except pap_rest.Refused as error:
        raise Refused(error.error, str(error), unreadable=bool(error.problems)) from error
    except (PapUnreachable, NotAPap) as error:
        raise PapLost(str(error)) from error


def _unless(error: Refused, cause: str) -> bool:
    """False if this was the cause. Raises the error if not."""
    if error.cause != cause:
        raise error
    return False


def _place(place: Beside | None) -> dict[str, str | None]:
    if place is None:
        return {"before": None, "after": None}
    return {"before": None, "after": place.id} if place.after else {"before": place.id, "after": None}


def _added(elements: pap_rest.Added) -> Added:
    resources = [each for each in elements if isinstance(each, pap_rest.AddedResource)]
    if resources:
        return tuple(AddedResource(each.resource, each.id, _added_actions(each.actions)) for each in resources)
    return _added_actions([each for each in elements if isinstance(each, pap_rest.AddedAction)])


def _added_actions(actions: Sequence[pap_rest.AddedAction]) -> tuple[AddedAction, ...]:
    return tuple(AddedAction(each.action, each.id) for each in actions)


def _pap(entry: pap_rest.PapEntry) -> Pap:
    at = entry.remote
    remote = None if at is None else Remote(at.hostname, at.port, at.path, at.protocol, at.dn)
    return Pap(entry.id, entry.alias, entry.enabled, entry.public, remote, entry.version)


def _settings(pap: Pap) -> dict[str, Any]:
    at = pap.remote
    remote = None
    if at is not None:
        remote = {"hostname": at.hostname, "port": at.port, "path": at.path, "protocol": at.protocol, "dn": at.dn}
    return {"enabled": pap.enabled, "public": pap.public, "remote": remote}


def _slash(name: str) -> str:
    return DistinguishedName.parse_rfc2253(name).slash()


def _flags(names: Sequence[str]) -> tuple[str, ...]:
    """COMPAT: shown one by one, where the interface says ALL for all of them."""
    return tuple(str(flag.name) for name in names for flag in Permission[name])


def _difference(told: pap_rest.Difference | None) -> Difference:
    return tuple(Hunk(hunk.place, hunk.lines) for hunk in told.hunks) if told else ()
