"""Policies over REST: requests, statuses, refusals. What the commands do is tested with the administration."""

from typing import Any

import pytest

from tests.unit.web.pap_rest.conftest import BAN, ONE, SPL, Rest, refused

JSON = {"Content-Type": "application/json"}
DEFAULT = "/paps/default"


def ids_of(rest: Rest) -> dict[str, str]:
    """Of the first resource, its first action, and the first rule of that."""
    resource = rest("GET", f"{DEFAULT}/policies").json()["resources"][0]
    action = resource["actions"][0]
    return {"resource": resource["id"], "action": action["id"], "rule": action["rules"][0]["id"]}


def test_actions_are_added_to_a_resource(rest: Rest) -> None:
    (resource,) = rest.add().json()["result"]
    answer = rest.add('action "b" { rule deny { vo="x" } }', resource_id=resource["id"], before="public_none")
    assert refused(answer) == (404, "PivotNotFound")
    answer = rest.add('action "b" { rule deny { vo="x" } }', resource_id=resource["id"])
    assert [added["action"] for added in answer.json()["result"]] == ["b"]


def test_a_dry_run_tells_what_would_be_and_changes_nothing(rest: Rest) -> None:
    rest.add()
    before = rest.text()
    for method, path, request in (
        ("POST", f"{DEFAULT}/policies", {"content": ONE, "headers": SPL}),
        ("POST", f"{DEFAULT}/bans", {"json": BAN}),
        ("POST", f"{DEFAULT}/removals", {"json": {"ids": [ids_of(rest)["rule"]]}}),
        ("DELETE", f"{DEFAULT}/policies", {}),
        ("PUT", "/ordering", {"json": {"aliases": ["central"]}}),
        ("POST", "/acl/entries", {"json": {"kind": "anyone", "name": "ANYONE", "permissions": ["ALL"]}}),
        ("DELETE", "/paps/central", {}),
        ("POST", "/undos", {"json": {"revision": 3}}),
    ):
        answer = rest(method, path, **request, params={"dry_run": "true"})
        told = answer.json()
        assert (answer.status_code, told["changed"], told["dry_run"], told["revision"]) == (200, False, True, 3)
        assert told["difference"]["text"].startswith("@@ ")
        assert told["difference"]["hunks"][0]["lines"]
    assert (rest.policies.revision(), rest.text()) == (3, before)


def test_a_dry_run_is_refused_like_the_change(untouched: Rest) -> None:
    params = {"dry_run": "true"}
    assert refused(untouched("POST", f"{DEFAULT}/bans", "reader", json=BAN, params=params)) == (403, "ActNotPermitted")
    assert refused(untouched("DELETE", "/paps/default", params=params)) == (409, "DefaultPapIsFixed")


def test_bans_come_and_go(rest: Rest) -> None:
    ban = {"attribute": {"name": "subject", "value": "/DC=org/CN=å"}}
    assert rest("POST", f"{DEFAULT}/bans", json=ban).json()["result"].startswith("public_")
    again = rest("POST", f"{DEFAULT}/bans", json=ban).json()
    assert (again["changed"], again["result"]) == (False, None)
    (listed,) = rest("GET", "/bans").json()["bans"]
    assert (listed["value"], listed["certain"]) == ("CN=å,DC=org", True)
    assert 'rule deny { subject="CN=å,DC=org" }' in rest("GET", "/bans/spl").text
    assert rest("GET", "/bans/lcmaps").json()["entries"] == [r"/DC=org/CN=\xC3\xA5"]
    query = {"attribute": "subject", "value": "CN=å, DC=org"}
    assert rest("DELETE", f"{DEFAULT}/bans", params=query).json()["changed"] is True
    assert refused(rest("DELETE", f"{DEFAULT}/bans", params=query)) == (404, "BanNotFound")


def test_elements_are_updated_moved_and_removed(rest: Rest) -> None:
    rest.add()
    rest.add()
    first, second = rest("GET", f"{DEFAULT}/policies").json()["resources"]
    rest("POST", f"{DEFAULT}/moves", json={"id": second["id"], "before": first["id"]})
    moved = rest("GET", f"{DEFAULT}/policies").json()["resources"]
    assert [each["id"] for each in moved] == [second["id"], first["id"]]
    text = 'resource "other" { action "a" { rule deny { vo="x" } } }'
    updated = rest("PUT", f"{DEFAULT}/policies", params={"id": first["id"]}, content=text, headers=SPL)
    assert updated.json()["result"] is None
    rest("POST", f"{DEFAULT}/removals", json={"ids": [second["id"]]})
    (left,) = rest("GET", f"{DEFAULT}/policies").json()["resources"]
    assert left["resource"] == "other"
    rest("DELETE", f"{DEFAULT}/policies")
    assert rest("GET", f"{DEFAULT}/policies").json()["resources"] == []


def test_rules_are_added_where_they_are_wanted(rest: Rest) -> None:
    rest.add()
    action = ids_of(rest)["action"]

    def add(vo: str, **place: Any) -> str:
        rule = {"effect": "deny", "attributes": [{"name": "vo", "value": vo}]} | place
        id: str = rest("POST", f"{DEFAULT}/rules", json=rule).json()["result"]
        return id

    bottom = add("bottom", action_id=action, bottom=True)
    add("top", resource="r", action="a")
    add("before", action_id=action, before=bottom)
    rules = rest("GET", f"{DEFAULT}/policies").json()["resources"][0]["actions"][0]["rules"]
    assert [rule["text"].split('"')[1] for rule in rules] == ["top", "atlas", "before", "bottom"]


def test_obligations_come_and_go(rest: Rest) -> None:
    rest.add()
    resource = ids_of(rest)["resource"]
    added = {"id": resource, "obligation": "http://glite.org/xacml/obligation/local-environment-map"}
    assert rest("POST", f"{DEFAULT}/obligations", json=added).json()["changed"] is True
    assert refused(rest("POST", f"{DEFAULT}/obligations", json=added)) == (409, "ObligationExists")
    assert rest("DELETE", f"{DEFAULT}/obligations", params=added).json()["changed"] is True


def test_every_problem_of_a_file_is_told_with_its_place(untouched: Rest) -> None:
    text = 'resource "r" {\n  action "a" { rule deni { vo="x" } }\n  action b { rule permit { vo } }\n}\n'
    answer = untouched.add(text)
    assert refused(answer) == (400, "SplSyntaxError")
    assert [(problem["line"], problem["column"]) for problem in answer.json()["problems"]] == [(2, 21), (3, 31)]
    assert all(problem["text"].startswith("Encountered") for problem in answer.json()["problems"])


@pytest.mark.parametrize(
    ("method", "path", "sent", "expected"),
    [
        ("GET", "/listing?pap=nope", {}, (404, "PapNotFound")),
        ("GET", "/listing?ids=some", {}, (400, "MalformedRequest")),
        ("GET", "/who-may?resource=%00&action=a", {}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/policies", {"content": b"\xff", "headers": SPL}, (400, "NotUtf8")),
        ("POST", f"{DEFAULT}/policies", {"content": b"", "headers": SPL}, (400, "SplSyntaxError")),
        ("POST", f"{DEFAULT}/policies?before=x", {"content": ONE, "headers": SPL}, (404, "PivotNotFound")),
        ("POST", f"{DEFAULT}/policies?before=x&after=y", {"content": ONE, "headers": SPL}, (400, "AmbiguousPlace")),
        ("POST", f"{DEFAULT}/policies?dry_run=perhaps", {"content": ONE, "headers": SPL}, (400, "MalformedRequest")),
        ("POST", "/paps/central/policies", {"content": ONE, "headers": SPL}, (409, "RemotePapIsReadOnly")),
        ("PUT", f"{DEFAULT}/policies?id=x", {"content": ONE, "headers": SPL}, (404, "IdNotFound")),
        ("PUT", f"{DEFAULT}/policies", {"content": ONE, "headers": SPL}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"content": b"{", "headers": JSON}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"content": b"\xff", "headers": JSON}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"content": b"[" * 100_000, "headers": JSON}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"content": b"9" * 5_000, "headers": JSON}, (400, "MalformedRequest")),
        (
            "POST",
            f"{DEFAULT}/bans",
            {"content": rb'{"attribute": {"name": "\ud800", "value": "x"}}', "headers": JSON},
            (400, "MalformedRequest"),
        ),
        ("POST", f"{DEFAULT}/bans", {"json": {"attribute": {"name": "vo"}}}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"json": BAN | {"pap": "other"}}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"json": BAN | {"private": "yes"}}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/bans", {"json": {"attribute": {"name": "dn", "value": "x"}}}, (400, "SplMeaningError")),
        ("POST", f"{DEFAULT}/removals", {"json": {"ids": []}}, (400, "MalformedRequest")),
        ("POST", f"{DEFAULT}/removals", {"json": {"ids": ["x"]}}, (404, "IdNotFound")),
        ("POST", f"{DEFAULT}/moves", {"json": {"id": "x"}}, (400, "AmbiguousPlace")),
        ("POST", f"{DEFAULT}/moves", {"json": {"id": "x", "before": "y"}}, (404, "IdNotFound")),
        ("POST", f"{DEFAULT}/obligations", {"json": {"id": "x", "obligation": "o"}}, (404, "IdNotFound")),
    ],
)
def test_a_refusal_names_its_cause(
    untouched: Rest, method: str, path: str, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert refused(untouched(method, path, **sent)) == expected


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
def test_a_rule_needs_one_place(untouched: Rest, place: dict[str, str]) -> None:
    rule = {"effect": "permit", "attributes": [{"name": "vo", "value": "x"}]}
    assert refused(untouched("POST", f"{DEFAULT}/rules", json=rule | place)) == (400, "AmbiguousPlace")


def test_who_may_not_changes_nothing(untouched: Rest) -> None:
    for method, path, request in (
        ("POST", f"{DEFAULT}/policies", {"content": ONE, "headers": SPL}),
        ("PUT", f"{DEFAULT}/policies?id=x", {"content": ONE, "headers": SPL}),
        ("DELETE", f"{DEFAULT}/policies", {}),
        ("POST", f"{DEFAULT}/bans", {"json": BAN}),
        ("DELETE", f"{DEFAULT}/bans?attribute=vo&value=x", {}),
        ("POST", f"{DEFAULT}/removals", {"json": {"ids": ["x"]}}),
    ):
        assert refused(untouched(method, path, "reader", **request)) == (403, "ActNotPermitted")
