"""The client of the REST interface and its server understand each other: every request, with its answer."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from argus_py.clients.pap_rest import (
    BASE_PATH,
    AclEntry,
    AddedAction,
    AddedResource,
    Conditions,
    PapRest,
    Refused,
)
from argus_py.model.dn import DistinguishedName
from argus_py.pap.access import StoredAcl
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.history import Note
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap_rest import MOUNTED, pap_rest
from argus_py.web.pap_services import Callers

ADMIN = Admin(DistinguishedName.parse_slash("/CN=admin"))
ONE = 'resource "r" { action "a" { rule permit { vo="atlas" } } }'
FAR = {"alias": "far", "public": True, "remote": {"hostname": "far.example.org"}}
EVERYBODY = AclEntry(kind="anyone", name="ANYONE", permissions=("ALL",))


class InProcess(httpx.BaseTransport):
    """Requests go straight into an ASGI application."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        inside = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await httpx.ASGITransport(self._app).handle_async_request(inside)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def new_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def refreshed() -> list[str]:
    return []


@pytest.fixture
def pap(refreshed: list[str]) -> Iterator[PapRest]:
    policies = MemoryPolicies()
    ensure_default_pap(policies, new_id)
    with policies.change(Note("test", "set up")) as writer:
        writer.set_acl(Acl(((ANYONE, Permission.ALL),)))
    gate = Gate(StoredAcl(policies))
    use_cases = UseCases.of(policies, gate, DEFAULT_MAPPINGS, new_id, lambda pap: refreshed.append(pap.alias))
    rest = pap_rest(use_cases, Callers(lambda _scope: ADMIN, gate), DEFAULT_MAPPINGS)
    app = Starlette(routes=[Mount(MOUNTED, rest)])
    with httpx.Client(base_url=f"https://pap.example.org{BASE_PATH}", transport=InProcess(app)) as client:
        yield PapRest(client)


def test_policies(pap: PapRest) -> None:
    (resource,) = pap.add_policies("default", ONE, {}).result
    assert isinstance(resource, AddedResource)
    (action,) = pap.add_policies("default", 'action "b" {rule deny {vo="x"}}', {"resource_id": resource.id}).result
    assert isinstance(action, AddedAction)
    rule = {"effect": "deny", "attributes": [{"name": "vo", "value": "y"}], "action_id": action.id}
    rule_id = pap.add_rule("default", rule).result
    assert pap.listing(["default"], {"ids": "rules"}).count(rule_id) == 1
    assert (
        pap.listing(None, {"resource": "other", "xacml": True}) == "\ndefault (local):\nNo policies has been found.\n"
    )
    pap.move("default", action.id, resource.actions[0].id, None)
    (page,) = pap.policies("default", limit=100).resources
    assert [each.action for each in page.actions] == ["b", "a"]
    first = pap.policies("default", limit=1)
    assert first.next is not None
    assert pap.policies("default", cursor=first.next).resources != first.resources
    assert [each.shadowed_by for each in pap.who_may("r", "b").rules] == [None, None]
    obligation = "http://glite.org/xacml/obligation/local-environment-map"
    assert pap.add_obligation("default", resource.id, obligation).changed
    assert pap.remove_obligation("default", resource.id, obligation).changed
    assert pap.update_policy("default", action.id, 'action "b" { rule permit { vo="z" } }').result is None
    assert pap.lint() == pap.lint(["default"])
    pap.remove("default", [action.id])
    assert pap.remove_all("default").changed


def test_bans(pap: PapRest) -> None:
    ban = {"attribute": {"name": "subject", "value": "/DC=org/CN=Eve"}, "private": True}
    assert pap.ban("default", ban).result is not None
    assert pap.ban("default", ban).result is None
    (listed,) = pap.bans(resource="wn")
    assert (listed.value, listed.private, listed.certain) == ("CN=Eve,DC=org", True, True)
    assert 'subject="CN=Eve,DC=org"' in pap.bans_as_spl()
    assert pap.bans_for_lcmaps().entries == ("/DC=org/CN=Eve",)
    pap.unban("default", "subject", "/DC=org/CN=Eve", ".*", ".*")
    with pytest.raises(Refused) as refused:
        pap.unban("default", "subject", "/DC=org/CN=Eve", ".*", ".*")
    assert (refused.value.status, refused.value.error) == (404, "BanNotFound")


def test_paps(pap: PapRest, refreshed: list[str]) -> None:
    assert pap.add_pap(FAR).changed
    assert [each.alias for each in pap.paps()] == ["default", "far"]
    pap.update_pap("far", {"enabled": True, "remote": {"hostname": "other.example.org", "port": 1}})
    far = pap.pap("far")
    assert far.remote is not None
    assert (far.enabled, far.public, far.remote.hostname, far.remote.port) == (True, False, "other.example.org", 1)
    pap.set_enabled("far", False)
    assert not pap.pap("far").enabled
    pap.refresh("far")
    assert refreshed == ["far"]
    assert [each.alias for each in pap.copies()] == ["far"]
    pap.set_ordering(["far", "default"])
    assert pap.ordering() == ("far", "default")
    pap.set_polling_interval(timedelta(minutes=2))
    assert pap.polling_interval() == timedelta(minutes=2)
    assert pap.remove_pap("far").changed


def test_permissions(pap: PapRest) -> None:
    entry = AclEntry(kind="dn", name="CN=Second,DC=org", permissions=("POLICY_READ_LOCAL", "POLICY_WRITE"))
    pap.add_ace(entry)
    assert pap.acl() == (EVERYBODY, entry)
    assert pap.remove_ace("dn", "/DC=org/CN=Second").result is True
    assert pap.set_acl([entry, EVERYBODY]).changed
    assert pap.acl() == (entry, EVERYBODY)


def test_history(pap: PapRest) -> None:
    before = pap.changes()[0].revision
    pap.set_ordering(["default"])
    (change,) = pap.changes(limit=1)
    assert (change.revision, change.author, change.command) == (before + 1, "CN=admin", "set-paps-order default")
    told = pap.change(change.revision)
    assert told.difference == pap.difference(before, change.revision)
    assert told.difference.hunks[0].lines == ("+default",)
    undone = pap.undo(change.revision)
    assert undone.difference is not None
    assert undone.difference.text == "@@ order of the paps @@\n-default\n"
    assert pap.changes(before=change.revision, limit=1)[0].revision == before


def test_conditions(pap: PapRest) -> None:
    revision = pap.changes(limit=1)[0].revision
    tried = pap.set_ordering(["default"], Conditions(revision, dry_run=True))
    assert (tried.changed, tried.dry_run, tried.revision) == (False, True, revision)
    assert tried.difference is not None
    assert pap.set_ordering(["default"], Conditions(revision)).revision == revision + 1
    with pytest.raises(Refused) as refused:
        pap.set_ordering([], Conditions(revision))
    assert (refused.value.status, [each.command for each in refused.value.changes]) == (412, ["set-paps-order default"])


def test_problems_of_a_policy_text(pap: PapRest) -> None:
    with pytest.raises(Refused) as refused:
        pap.add_policies("default", 'resource "r" {\n}}', {})
    assert refused.value.error == "SplSyntaxError"
    assert refused.value.problems[0].line == 2


def test_ping(pap: PapRest) -> None:
    assert pap.ping()
