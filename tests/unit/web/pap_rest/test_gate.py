"""Every operation of the interface passes the gate; which flags each needs is tested with the use cases."""

from typing import Any, Final

from argus_py.pap.authorization import parse_acl
from argus_py.store.memory import MemoryPolicies
from tests.unit.web.pap_rest.conftest import BAN, ONE, SPL, Rest, refused, set_up

# One flag is not enough for anything here, and so lets nobody in by accident.
ACL = parse_acl('[dn]\n"/CN=admin" : ALL\n"/CN=copies" : POLICY_READ_REMOTE\n', "acl")
RULE = {"effect": "deny", "attributes": [{"name": "vo", "value": "x"}], "resource": "r", "action": "a"}
OBLIGATION = {"id": "x", "obligation": "o"}
ENTRY = {"kind": "anyone", "name": "ANYONE", "permissions": ["ALL"]}
OPEN: Final = {("get", "/ping")}
ASKED: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("get", "/listing"): {},
    ("get", "/paps/{alias}/policies"): {},
    ("get", "/who-may"): {"params": {"resource": "r", "action": "a"}},
    ("get", "/bans"): {},
    ("get", "/bans/spl"): {},
    ("get", "/bans/lcmaps"): {},
    ("get", "/lint"): {"params": {"pap": "default"}},
    ("post", "/paps/{alias}/policies"): {"content": ONE, "headers": SPL},
    ("put", "/paps/{alias}/policies"): {"content": ONE, "headers": SPL, "params": {"id": "x"}},
    ("delete", "/paps/{alias}/policies"): {},
    ("post", "/paps/{alias}/removals"): {"json": {"ids": ["x"]}},
    ("post", "/paps/{alias}/rules"): {"json": RULE},
    ("post", "/paps/{alias}/bans"): {"json": BAN},
    ("delete", "/paps/{alias}/bans"): {"params": {"attribute": "vo", "value": "x"}},
    ("post", "/paps/{alias}/moves"): {"json": {"id": "x", "before": "y"}},
    ("post", "/paps/{alias}/obligations"): {"json": OBLIGATION},
    ("delete", "/paps/{alias}/obligations"): {"params": OBLIGATION},
    ("get", "/paps"): {},
    ("post", "/paps"): {"json": {"alias": "new"}},
    ("get", "/paps/{alias}"): {},
    ("put", "/paps/{alias}"): {"json": {}},
    ("delete", "/paps/{alias}"): {},
    ("put", "/paps/{alias}/enabled"): {"json": {"enabled": False}},
    ("get", "/copies"): {},
    ("post", "/refreshes"): {"json": {"pap": "central"}},
    ("get", "/ordering"): {},
    ("put", "/ordering"): {"json": {"aliases": ["default"]}},
    ("get", "/polling-interval"): {},
    ("put", "/polling-interval"): {"json": {"seconds": 60}},
    ("get", "/acl"): {},
    ("put", "/acl"): {"json": {"entries": [ENTRY]}},
    ("post", "/acl/entries"): {"json": ENTRY},
    ("delete", "/acl/entries"): {"params": {"kind": "anyone", "name": "ANYONE"}},
    ("get", "/changes"): {},
    ("get", "/changes/{revision}"): {},
    ("get", "/differences"): {"params": {"from": 0, "to": 1}},
    ("post", "/undos"): {"json": {"revision": 1}},
}


def test_no_operation_is_there_for_who_may_do_something_else(untouched: Rest) -> None:
    described = untouched("GET", "/openapi.json").json()["paths"]
    assert {(method, path) for path, methods in described.items() for method in methods} == ASKED.keys() | OPEN
    policies = MemoryPolicies()
    set_up(policies, ACL)
    rest = Rest(policies)
    for (method, path), request in ASKED.items():
        for dry_run in ("false", "true") if method != "get" else ("false",):
            params = request.get("params", {}) | ({"dry_run": dry_run} if method != "get" else {})
            sent = request | {"params": params}
            answer = rest(method.upper(), path.format(alias="default", revision=1), "copies", **sent)
            assert refused(answer) == (403, "ActNotPermitted"), (method, path)
    assert (policies.revision(), rest.refreshed) == (2, [])
