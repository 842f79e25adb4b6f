"""The access control list over REST."""

from typing import Any

import pytest

from tests.unit.web.pap_rest.conftest import Rest, refused


def entry(kind: str, name: str, *permissions: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "permissions": list(permissions)}


def test_the_list_is_told_with_the_names_of_its_flags(untouched: Rest) -> None:
    assert untouched("GET", "/acl").json()["entries"] == [
        entry("dn", "CN=admin", "ALL"),
        entry("dn", "CN=reader", "POLICY_READ_LOCAL"),
        entry("dn", "CN=watcher", "CONFIGURATION_READ"),
    ]


def test_entries_come_and_go(rest: Rest) -> None:
    group = entry("fqan", "/atlas/Role=admin", "POLICY_READ_LOCAL", "POLICY_WRITE")
    rest("POST", "/acl/entries", json=group)
    rest("POST", "/acl/entries", json=entry("anyone", "ANYONE", "CONFIGURATION_READ"))
    *_, told, anyone = rest("GET", "/acl").json()["entries"]
    assert (told["kind"], told["permissions"]) == ("fqan", ["POLICY_READ_LOCAL", "POLICY_WRITE"])
    assert anyone == entry("anyone", "ANYONE", "CONFIGURATION_READ")
    named = {"kind": "fqan", "name": told["name"]}
    assert rest("DELETE", "/acl/entries", params=named).json()["result"] is True
    assert rest("DELETE", "/acl/entries", params=named).json()["result"] is False


def test_what_is_told_can_be_set(rest: Rest) -> None:
    told = rest("GET", "/acl").json()
    assert rest("PUT", "/acl", json=told).json()["changed"] is False
    rest("PUT", "/acl", json={"entries": [entry("dn", "/CN=admin", "ALL")]})
    assert rest("GET", "/acl").json()["entries"] == [entry("dn", "CN=admin", "ALL")]


def test_nobody_can_lock_everybody_out(untouched: Rest) -> None:
    answer = untouched("DELETE", "/acl/entries", params={"kind": "dn", "name": "CN=admin"})
    assert refused(answer) == (409, "NobodyCouldChangeIt")
    assert refused(untouched("PUT", "/acl", json={"entries": []})) == (409, "NobodyCouldChangeIt")


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (entry("dn", "no name", "ALL"), (400, "DnSyntaxError")),
        (entry("fqan", "atlas", "ALL"), (400, "FqanSyntaxError")),
        (entry("anyone", "EVERYBODY", "ALL"), (400, "BadAclEntry")),
        (entry("dn", "/CN=x", "EVERYTHING"), (400, "BadAclEntry")),
        (entry("dn", "/CN=x"), (400, "MalformedRequest")),
        (entry("user", "/CN=x", "ALL"), (400, "MalformedRequest")),
    ],
)
def test_what_is_no_entry_is_refused(untouched: Rest, bad: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refused(untouched("POST", "/acl/entries", json=bad)) == expected
    assert refused(untouched("PUT", "/acl", json={"entries": [bad]})) == expected


def test_only_who_configures_changes_the_list(untouched: Rest) -> None:
    assert untouched("GET", "/acl", "watcher").status_code == 200
    taken = entry("dn", "/CN=watcher", "ALL")
    assert refused(untouched("POST", "/acl/entries", "watcher", json=taken)) == (403, "ActNotPermitted")
    assert refused(untouched("PUT", "/acl", "watcher", json={"entries": [taken]})) == (403, "ActNotPermitted")
