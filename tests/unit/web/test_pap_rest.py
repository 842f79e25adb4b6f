"""The REST interface of the PAP: statuses, refusals, limits. What the commands do is tested with the administration."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import URL
from starlette.types import Scope

from argus_py import __version__
from argus_py.errors import CredentialRejected
from argus_py.model.dn import DistinguishedName
from argus_py.pap.administration import Administration, ensure_default_pap
from argus_py.pap.authorization import Admin, Gate, parse_acl
from argus_py.pap.paps import Pap, Remote
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.errors import StoreUnavailable
from argus_py.web.pap_rest import BODY_LIMIT, pap_rest

ACL = parse_acl('[dn]\n"/CN=admin" : ALL\n"/CN=reader" : POLICY_READ_LOCAL\n', "acl")
ONE = 'resource "r" { action "a" { rule permit { vo="atlas" } } }'
TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}


def admin_of(scope: Scope) -> Admin:
    name = dict(scope["headers"]).get(b"x-name")
    if name is None:
        raise CredentialRejected("no client certificate")
    return Admin(DistinguishedName.parse_slash(f"/CN={name.decode()}"))


class Rest:
    """The interface over a store, spoken to by somebody; ``admin`` unless told otherwise."""

    def __init__(self, policies: MemoryPolicies) -> None:
        service = Administration(policies, Gate(ACL), DEFAULT_MAPPINGS, lambda: str(uuid.uuid4()))
        self._app = FastAPI()
        self._app.include_router(pap_rest(service, admin_of))

    def __call__(self, method: str, path: str, name: str | None = "admin", **request: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, name, request))

    async def _send(self, method: str, path: str, name: str | None, request: dict[str, Any]) -> httpx.Response:
        headers = ({"X-Name": name} if name else {}) | request.pop("headers", {})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="https://pap") as client:
            return await client.request(method, path, headers=headers, **request)


@pytest.fixture
def policies() -> MemoryPolicies:
    policies = MemoryPolicies()
    ensure_default_pap(policies, lambda: "1")
    with policies.change() as writer:
        writer.add_pap(Pap("central-1", "central", remote=Remote("pap.example.org")))
    return policies


@pytest.fixture
def rest(policies: MemoryPolicies) -> Rest:
    return Rest(policies)


def refused(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body.keys() == {"error", "message", "problems"}
    return answer.status_code, body["error"]


def test_everybody_may_ping(rest: Rest) -> None:
    answer = rest("GET", "/ping", None)
    assert answer.json() == {"service": "Argus PAP", "version": __version__}


def test_a_file_is_added_and_listed(rest: Rest) -> None:
    added = rest("POST", "/paps/default/policies", content=ONE, headers=TEXT)
    assert added.status_code == 201
    (resource,) = added.json()
    assert (resource["resource"], [action["action"] for action in resource["actions"]]) == ("r", ["a"])
    listed = rest("GET", "/policies", params={"ids": "actions"})
    assert listed.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"\nid={resource['id']}\nresource " in listed.text
    assert rest("GET", "/policies", params={"every": True}).text.count("(") == 2


def test_who_may_tells_rules_and_where_they_are(rest: Rest) -> None:
    rest("POST", "/paps/default/policies", content=ONE, headers=TEXT)
    answer = rest("GET", "/who-may", params={"resource": "r", "action": "a"}).json()
    assert answer["ends"] is None
    (rule,) = answer["rules"]
    assert (rule["pap"], rule["rule"], rule["shadowed_by"]) == ("default", 'rule permit { vo="atlas" }', None)


def test_bans_come_and_go(rest: Rest) -> None:
    ban = {"attribute": {"name": "subject", "value": "/DC=org/CN=å"}}
    assert rest("POST", "/paps/default/bans", json=ban).status_code == 201
    again = rest("POST", "/paps/default/bans", json=ban)
    assert (again.status_code, again.json()) == (200, {"changed": False})
    query = {"attribute": "subject", "value": "CN=å, DC=org"}
    assert rest("DELETE", "/paps/default/bans", params=query).status_code == 204
    assert refused(rest("DELETE", "/paps/default/bans", params=query)) == (404, "BanNotFound")


def test_every_problem_of_a_file_is_told_with_its_place(rest: Rest) -> None:
    text = 'resource "r" {\n  action "a" { rule deni { vo="x" } }\n  action b { rule permit { vo } }\n}\n'
    answer = rest("POST", "/paps/default/policies", content=text, headers=TEXT)
    assert refused(answer) == (400, "SplSyntaxError")
    assert [(problem["line"], problem["column"]) for problem in answer.json()["problems"]] == [(2, 21), (3, 31)]
    assert all(problem["text"].startswith("Encountered") for problem in answer.json()["problems"])


@pytest.mark.parametrize(
    ("method", "path", "sent", "expected"),
    [
        ("GET", "/policies?pap=nope", {}, (404, "PapNotFound")),
        ("GET", "/policies?ids=some", {}, (400, "MalformedRequest")),
        ("POST", "/paps/default/policies", {"content": b"\xff", "headers": TEXT}, (400, "NotUtf8")),
        ("POST", "/paps/default/policies", {"content": b"", "headers": TEXT}, (400, "MalformedRequest")),
        ("POST", "/paps/default/policies?before=x", {"content": ONE, "headers": TEXT}, (404, "PivotNotFound")),
        ("POST", "/paps/default/policies?before=x&after=y", {"content": ONE, "headers": TEXT}, (400, "AmbiguousPlace")),
        ("POST", "/paps/central/policies", {"content": ONE, "headers": TEXT}, (409, "RemotePapIsReadOnly")),
        ("PUT", "/paps/default/policies/x", {"content": ONE, "headers": TEXT}, (404, "IdNotFound")),
        ("POST", "/paps/default/bans", {"content": b"{"}, (400, "MalformedRequest")),
        ("POST", "/paps/default/bans", {"content": b"\xff", "headers": JSON}, (400, "MalformedRequest")),
        ("POST", "/paps/default/bans", {"content": b"[" * 100_000, "headers": JSON}, (400, "MalformedRequest")),
        (
            "POST",
            "/paps/default/bans",
            {"content": rb'{"attribute": {"name": "\ud800", "value": "x"}}', "headers": JSON},
            (400, "SplMeaningError"),
        ),
        ("POST", "/paps/default/bans", {"json": {"attribute": {"name": "vo"}}}, (400, "MalformedRequest")),
        (
            "POST",
            "/paps/default/bans",
            {"json": {"attribute": {"name": "vo", "value": "x"}, "pap": "other"}},
            (400, "MalformedRequest"),
        ),
        (
            "POST",
            "/paps/default/bans",
            {"json": {"attribute": {"name": "dn", "value": "x"}}},
            (400, "SplMeaningError"),
        ),
        ("POST", "/paps/default/removals", {"json": {"ids": []}}, (400, "MalformedRequest")),
        ("POST", "/paps/default/removals", {"json": {"ids": ["x"]}}, (404, "IdNotFound")),
        ("POST", "/paps/default/removals", {"content": rb'{"ids": ["\ud800"]}', "headers": JSON}, (404, "IdNotFound")),
        ("POST", "/paps/default/moves", {"json": {"id": "x"}}, (400, "AmbiguousPlace")),
        ("POST", "/paps/default/moves", {"json": {"id": "x", "before": "y"}}, (404, "IdNotFound")),
        ("POST", "/paps/default/obligations", {"json": {"id": "x", "obligation": "o"}}, (404, "IdNotFound")),
    ],
)
def test_a_refusal_names_its_cause(
    rest: Rest, method: str, path: str, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert refused(rest(method, path, **sent)) == expected
    assert "resource" not in rest("GET", "/policies").text


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"resource": "r"},
        {"action_id": "x", "resource": "r", "action": "a"},
        {"resource": "r", "action": "a", "before": "x"},
        {"action_id": "x", "before": "y", "bottom": True},
    ],
)
def test_a_rule_needs_one_place(rest: Rest, place: dict[str, str]) -> None:
    rule = {"effect": "permit", "attributes": [{"name": "vo", "value": "x"}]}
    assert refused(rest("POST", "/paps/default/rules", json=rule | place)) == (400, "AmbiguousPlace")


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [(None, 403, "CredentialRejected"), ("reader", 403, "ActNotPermitted"), ("stranger", 403, "ActNotPermitted")],
)
def test_who_may_not_changes_nothing(
    rest: Rest, policies: MemoryPolicies, name: str | None, status: int, error: str
) -> None:
    before = policies.revision()
    ban = {"attribute": {"name": "vo", "value": "x"}}
    for method, path, request in (
        ("POST", "/paps/default/policies", {"content": ONE, "headers": TEXT}),
        ("PUT", "/paps/default/policies/x", {"content": ONE, "headers": TEXT}),
        ("DELETE", "/paps/default/policies", {}),
        ("POST", "/paps/default/bans", {"json": ban}),
        ("DELETE", "/paps/default/bans?attribute=vo&value=x", {}),
        ("POST", "/paps/default/removals", {"json": {"ids": ["x"]}}),
    ):
        assert refused(rest(method, path, name, **request)) == (status, error)
    assert policies.revision() == before


def test_a_body_over_the_limit_is_not_read(rest: Rest) -> None:
    answer = rest("POST", "/paps/default/policies", content=b"#" * (BODY_LIMIT + 1), headers=TEXT)
    assert refused(answer) == (413, "MalformedRequest")


class BrokenPolicies(MemoryPolicies):
    @contextmanager
    def read(self) -> Iterator[Any]:
        raise StoreUnavailable(URL.create("sqlite", database="/x"), "disk I/O error")
        yield


def test_a_store_that_is_away_is_503() -> None:
    answer = Rest(BrokenPolicies())("GET", "/policies")
    assert refused(answer) == (503, "StoreUnavailable")
