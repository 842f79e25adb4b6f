"""The remote side of the REST interface of a PAP, for command line tools.

What a change has done is told by a ``Change``; made with ``Conditions`` it may be a dry run, or depend on the revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from argus_py.errors import ArgusError, MalformedInput, Unavailable

BASE_PATH: Final = "/v1/"
_SPL: Final = {"Content-Type": "application/vnd.argus.spl"}
T = TypeVar("T")


class PapUnreachable(Unavailable):
    """No answer came from ``url``; ``reason`` says what went wrong on the way."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Error contacting the PAP service at {url}: {reason}")
        self.url = url
        self.reason = reason


class NotAPap(MalformedInput):
    """What came from ``url`` is not the answer of a PAP that has this interface."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answers with HTTP status {status}, but not as a PAP does")
        self.url = url
        self.status = status


@dataclass(frozen=True, slots=True)
class Conditions:
    """``expected_revision``: at any other nothing is changed, Refused. ``dry_run``: it is told what would be done."""

    expected_revision: int | None = None
    dry_run: bool = False


UNCONDITIONALLY: Final = Conditions()


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)  # what a newer PAP says in addition is ignored


class Problem(_Answer):
    """Of a policy text, at a line and column counted from 1."""

    line: int
    column: int
    text: str


class Hunk(_Answer):
    """What differs at one ``place``; each line begins with ``-``, ``+`` or a blank."""

    place: str
    lines: tuple[str, ...]


class Difference(_Answer):
    """``text``: like a unified diff, for people; ``hunks``: the same in its parts."""

    text: str
    hunks: tuple[Hunk, ...]


class Change(_Answer, Generic[T]):
    """``revision``: of the PAP now. ``difference``: of dry runs, and of what has been undone."""

    revision: int
    changed: bool
    dry_run: bool
    result: T
    difference: Difference | None = None


class AddedAction(_Answer):
    action: str
    id: str


class AddedResource(_Answer):
    resource: str
    id: str
    actions: tuple[AddedAction, ...]


class ApplicableRule(_Answer):
    """``rule`` is its text; ``shadowed_by`` the id of a rule because of which it is never reached."""

    pap: str
    rule_id: str
    rule: str
    shadowed_by: str | None


class WhoMay(_Answer):
    """``rules`` in the order in which they are tried; ``ends``: why none is tried after them."""

    rules: tuple[ApplicableRule, ...]
    ends: str | None


class Ban(_Answer):
    """``resource`` and ``action`` None: another kind of target. ``condition`` None: nothing undoes it."""

    pap: str
    attribute: str
    value: str
    resource: str | None
    action: str | None
    private: bool
    certain: bool
    condition: str | None


class LcmapsBans(_Answer):
    """``entries``: DNs and FQANs banned for certain, as LCMAPS meets them; ``comments`` tell of the others."""

    entries: tuple[str, ...]
    comments: tuple[str, ...]


class Finding(_Answer):
    """Of lint; ``id`` of the element, ``place`` the way to it."""

    source: str
    id: str | None
    place: str | None
    severity: Literal["information", "warning", "error"]
    check: str
    text: str


class RuleEntry(_Answer):
    id: str
    effect: Literal["permit", "deny"]
    text: str


class ActionEntry(_Answer):
    """``action`` None: the policy language has no words for it."""

    id: str
    version: str
    action: str | None
    private: bool
    description: str | None
    obligations: tuple[str, ...]
    rules: tuple[RuleEntry, ...]


class ResourceEntry(_Answer):
    """``resource`` None: the policy language has no words for it. ``others``: ids of what is no action."""

    id: str
    version: str
    resource: str | None
    description: str | None
    obligations: tuple[str, ...]
    actions: tuple[ActionEntry, ...]
    others: tuple[str, ...]


class PolicyPage(_Answer):
    """A part of the policies of a pap, all of them at one revision; a long action goes on in the next page.

    ``next``: what to ask for it with, None: this is the last one. ``total``: rules, and what has none in it.
    """

    revision: int
    resources: tuple[ResourceEntry, ...]
    total: int
    next: str | None


class RemoteEntry(_Answer):
    """Where a pap is copied from; ``dn`` of its host in slash form."""

    hostname: str
    port: int
    path: str
    protocol: str
    dn: str | None


class PapEntry(_Answer):
    """``remote`` None: a local pap."""

    alias: str
    id: str
    enabled: bool
    public: bool
    version: int
    modified_at: datetime | None
    remote: RemoteEntry | None


class CopyEntry(_Answer):
    """What came of the attempts to copy a remote pap; see pap.paps.RemoteState."""

    alias: str
    confirmed_at: datetime | None
    failed_at: datetime | None
    reason: str | None
    quarantined: bool


class AclEntry(_Answer):
    """``name``: a DN as in RFC 2253 (a slash form is taken, too), an FQAN, or ``ANYONE``."""

    kind: Literal["dn", "fqan", "anyone"]
    name: str
    permissions: tuple[str, ...]


class ChangeEntry(_Answer):
    """Of the history: ``revision`` is that of the PAP after it, ``pap`` the alias of the one it was about, if one."""

    revision: int
    made_at: datetime
    author: str
    command: str
    pap: str | None


class ToldChange(ChangeEntry):
    difference: Difference


class _Pong(_Answer):
    service: Literal["Argus PAP"]
    version: str


class _Bans(_Answer):
    bans: tuple[Ban, ...]


class _Findings(_Answer):
    findings: tuple[Finding, ...]


class _Paps(_Answer):
    paps: tuple[PapEntry, ...]


class _Copies(_Answer):
    copies: tuple[CopyEntry, ...]


class _Ordering(_Answer):
    aliases: tuple[str, ...]


class _Interval(_Answer):
    seconds: int


class _Acl(_Answer):
    entries: tuple[AclEntry, ...]


class _Changes(_Answer):
    changes: tuple[ChangeEntry, ...]


class _Refusal(_Answer):
    error: str
    detail: str
    problems: tuple[Problem, ...] = ()
    changes: tuple[ChangeEntry, ...] = ()


class Refused(ArgusError):
    """The PAP said no with the HTTP ``status``: ``error`` names the cause for programs.

    A policy text is refused for its ``problems``; a change on a condition for the ``changes`` made since, the newest
    first, as far as the caller may read them.
    """

    def __init__(
        self,
        error: str,
        message: str,
        problems: tuple[Problem, ...] = (),
        changes: tuple[ChangeEntry, ...] = (),
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.error = error
        self.problems = problems
        self.changes = changes
        self.status = status


Added = tuple[AddedResource, ...] | tuple[AddedAction, ...]
Shape = TypeVar("Shape", bound=BaseModel)


class PapRest:
    """One method per request of the interface; ``pap`` is an alias. All raise PapUnreachable, NotAPap and Refused."""

    def __init__(self, http: httpx.Client) -> None:
        """``http`` has the URL of the interface, with a slash at its end, as its base and knows who we are."""
        self._http = http

    @property
    def url(self) -> str:
        return str(self._http.base_url)

    def ping(self) -> str:
        """The version of the PAP."""
        return self._read(_Pong, "GET", "ping").version

    # --- Policies

    def listing(self, paps: Sequence[str] | None, options: Mapping[str, str | bool | None]) -> str:
        """The policies of some paps, None: of all, as text; ``options``: ids, resource, action, xacml."""
        chosen: dict[str, Any] = {"every": True} if paps is None else {"pap": list(paps)}
        return self._send("GET", "listing", params=chosen | _given(options)).text

    def policies(self, pap: str, cursor: str | None = None, limit: int | None = None) -> PolicyPage:
        """One page; ``cursor`` is what the page before gave for ``next``."""
        return self._read(PolicyPage, "GET", f"{_pap(pap)}/policies", params=_given({"cursor": cursor, "limit": limit}))

    def who_may(self, resource: str, action: str) -> WhoMay:
        return self._read(WhoMay, "GET", "who-may", params={"resource": resource, "action": action})

    def bans(self, resource: str | None = None, action: str | None = None) -> tuple[Ban, ...]:
        """In the order of evaluation; ``resource`` and ``action`` are those of the requests that are meant."""
        return self._read(_Bans, "GET", "bans", params=_given({"resource": resource, "action": action})).bans

    def bans_as_spl(self, resource: str | None = None, action: str | None = None) -> str:
        """The same as the text of a policy file."""
        return self._send("GET", "bans/spl", params=_given({"resource": resource, "action": action})).text

    def bans_for_lcmaps(self, resource: str | None = None, action: str | None = None) -> LcmapsBans:
        asked = _given({"resource": resource, "action": action})
        return self._read(LcmapsBans, "GET", "bans/lcmaps", params=asked)

    def lint(self, paps: Sequence[str] | None = None) -> tuple[Finding, ...]:
        """``paps`` None: the enabled ones."""
        return self._read(_Findings, "GET", "lint", params={} if paps is None else {"pap": list(paps)}).findings

    def add_policies(
        self, pap: str, text: str, options: Mapping[str, str | None], conditions: Conditions = UNCONDITIONALLY
    ) -> Change[Added]:
        """The result is what was added, in the order of the text; ``options``: before, after, resource_id."""
        return self._change(
            Change[Added], "POST", f"{_pap(pap)}/policies", conditions, _given(options), content=text.encode()
        )

    def update_policy(self, pap: str, id: str, text: str, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        return self._change(Change[None], "PUT", f"{_pap(pap)}/policies", conditions, {"id": id}, content=text.encode())

    def add_rule(self, pap: str, rule: Mapping[str, Any], conditions: Conditions = UNCONDITIONALLY) -> Change[str]:
        """The result is the id of the rule."""
        return self._change(Change[str], "POST", f"{_pap(pap)}/rules", conditions, json=rule)

    def ban(self, pap: str, ban: Mapping[str, Any], conditions: Conditions = UNCONDITIONALLY) -> Change[str | None]:
        """The result is the id of the action that holds the rule, None if there was one already."""
        return self._change(Change[str | None], "POST", f"{_pap(pap)}/bans", conditions, json=ban)

    def unban(
        self,
        pap: str,
        attribute: str,
        value: str,
        resource: str,
        action: str,
        *,
        conditions: Conditions = UNCONDITIONALLY,
    ) -> Change[None]:
        ban = {"attribute": attribute, "value": value, "resource": resource, "action": action}
        return self._change(Change[None], "DELETE", f"{_pap(pap)}/bans", conditions, ban)

    def remove(self, pap: str, ids: Sequence[str], conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """All or none."""
        return self._change(Change[None], "POST", f"{_pap(pap)}/removals", conditions, json={"ids": list(ids)})

    def remove_all(self, pap: str, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        return self._change(Change[None], "DELETE", f"{_pap(pap)}/policies", conditions)

    def move(
        self, pap: str, id: str, before: str | None, after: str | None, conditions: Conditions = UNCONDITIONALLY
    ) -> Change[None]:
        moved = _given({"id": id, "before": before, "after": after})
        return self._change(Change[None], "POST", f"{_pap(pap)}/moves", conditions, json=moved)

    def add_obligation(
        self, pap: str, id: str, obligation: str, conditions: Conditions = UNCONDITIONALLY
    ) -> Change[None]:
        added = {"id": id, "obligation": obligation}
        return self._change(Change[None], "POST", f"{_pap(pap)}/obligations", conditions, json=added)

    def remove_obligation(
        self, pap: str, id: str, obligation: str, conditions: Conditions = UNCONDITIONALLY
    ) -> Change[None]:
        removed = {"id": id, "obligation": obligation}
        return self._change(Change[None], "DELETE", f"{_pap(pap)}/obligations", conditions, removed)

    # --- Paps

    def paps(self) -> tuple[PapEntry, ...]:
        """In the order of evaluation."""
        return self._read(_Paps, "GET", "paps").paps

    def pap(self, alias: str) -> PapEntry:
        return self._read(PapEntry, "GET", _pap(alias))

    def copies(self) -> tuple[CopyEntry, ...]:
        """Of the remote paps."""
        return self._read(_Copies, "GET", "copies").copies

    def add_pap(self, pap: Mapping[str, Any], conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """``pap``: alias, enabled, public, and for a remote one remote. Refused, PapExists: the alias is taken."""
        return self._change(Change[None], "POST", "paps", conditions, json=pap)

    def update_pap(self, alias: str, pap: Mapping[str, Any], conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """All its settings: enabled, public, remote. Refused, PapNotFound."""
        return self._change(Change[None], "PUT", _pap(alias), conditions, json=pap)

    def remove_pap(self, alias: str, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """With its policies. Refused, PapNotFound."""
        return self._change(Change[None], "DELETE", _pap(alias), conditions)

    def set_enabled(self, alias: str, enabled: bool, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        return self._change(Change[None], "PUT", f"{_pap(alias)}/enabled", conditions, json={"enabled": enabled})

    def refresh(self, alias: str) -> None:
        """Fetch the policies of a remote pap now."""
        self._send("POST", "refreshes", json={"pap": alias})

    def ordering(self) -> tuple[str, ...]:
        """As it was set; empty: it was not."""
        return self._read(_Ordering, "GET", "ordering").aliases

    def set_ordering(self, aliases: Sequence[str], conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        return self._change(Change[None], "PUT", "ordering", conditions, json={"aliases": list(aliases)})

    def polling_interval(self) -> timedelta:
        return timedelta(seconds=self._read(_Interval, "GET", "polling-interval").seconds)

    def set_polling_interval(self, interval: timedelta, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """In whole seconds."""
        seconds = interval // timedelta(seconds=1)
        return self._change(Change[None], "PUT", "polling-interval", conditions, json={"seconds": seconds})

    # --- Permissions

    def acl(self) -> tuple[AclEntry, ...]:
        return self._read(_Acl, "GET", "acl").entries

    def set_acl(self, entries: Sequence[AclEntry], conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        told = [entry.model_dump() for entry in entries]
        return self._change(Change[None], "PUT", "acl", conditions, json={"entries": told})

    def add_ace(self, entry: AclEntry, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """In place of the entry of this principal, if there is one."""
        return self._change(Change[None], "POST", "acl/entries", conditions, json=entry.model_dump())

    def remove_ace(self, kind: str, name: str, conditions: Conditions = UNCONDITIONALLY) -> Change[bool]:
        """The result says whether there was one."""
        return self._change(Change[bool], "DELETE", "acl/entries", conditions, {"kind": kind, "name": name})

    # --- History

    def changes(self, before: int | None = None, limit: int = 50) -> tuple[ChangeEntry, ...]:
        """The newest first, those with a lower revision than ``before`` only."""
        return self._read(_Changes, "GET", "changes", params=_given({"before": before, "limit": limit})).changes

    def change(self, revision: int) -> ToldChange:
        return self._read(ToldChange, "GET", f"changes/{revision}")

    def difference(self, from_revision: int, to_revision: int) -> Difference:
        """Between the states after two changes."""
        return self._read(Difference, "GET", "differences", params={"from": from_revision, "to": to_revision})

    def undo(self, revision: int, conditions: Conditions = UNCONDITIONALLY) -> Change[None]:
        """Take a change back, by a new one."""
        return self._change(Change[None], "POST", "undos", conditions, json={"revision": revision})

    # --- Requests and answers

    def _change(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        conditions: Conditions,
        params: Mapping[str, Any] | None = None,
        **body: Any,
    ) -> Shape:
        headers = dict(_SPL) if "content" in body else {}
        if conditions.expected_revision is not None:
            headers["If-Match"] = f'"{conditions.expected_revision}"'
        asked = dict(params or {}) | ({"dry_run": True} if conditions.dry_run else {})
        return self._read(shape, method, path, params=asked, headers=headers, **body)

    def _read(self, shape: type[Shape], method: str, path: str, **request: Any) -> Shape:
        answer = self._send(method, path, **request)
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            raise NotAPap(self.url, answer.status_code) from error

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise PapUnreachable(self.url, str(error) or type(error).__name__) from error
        if answer.is_success:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: httpx.Response) -> ArgusError:
        try:
            refusal = _Refusal.model_validate_json(answer.content)
        except ValidationError:
            return NotAPap(self.url, answer.status_code)
        return Refused(refusal.error, refusal.detail, refusal.problems, refusal.changes, answer.status_code)


def _pap(alias: str) -> str:
    return f"paps/{quote(alias, safe='')}"


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
