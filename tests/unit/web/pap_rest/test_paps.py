"""The paps over REST."""

from typing import Any

import pytest

from tests.unit.web.pap_rest.conftest import Rest, refused

FAR = {"alias": "far", "public": True, "remote": {"hostname": "far.example.org", "dn": "/CN=far"}}


def test_paps_are_listed_in_their_order(untouched: Rest) -> None:
    default, central = untouched("GET", "/paps").json()["paps"]
    assert (default["alias"], default["remote"], default["enabled"]) == ("default", None, True)
    assert central["remote"] == {
        "hostname": "pap.example.org",
        "port": 8150,
        "path": "/pap/services/",
        "protocol": "https",
        "dn": None,
    }
    assert untouched("GET", "/paps/central").json() == central
    assert refused(untouched("GET", "/paps/nope")) == (404, "PapNotFound")


def test_paps_come_change_and_go(rest: Rest) -> None:
    assert rest("POST", "/paps", json=FAR).json()["changed"] is True
    assert refused(rest("POST", "/paps", json=FAR)) == (409, "PapExists")
    before = rest("GET", "/paps/far").json()
    assert (before["public"], before["enabled"]) == (True, False)
    rest("PUT", "/paps/far", json={"enabled": True, "remote": {"hostname": "other.example.org"}})
    after = rest("GET", "/paps/far").json()
    assert (after["id"], after["enabled"], after["public"]) == (before["id"], True, False)
    rest("PUT", "/paps/far/enabled", json={"enabled": False})
    assert rest("GET", "/paps/far").json()["enabled"] is False
    assert rest("DELETE", "/paps/far").json()["changed"] is True
    assert refused(rest("DELETE", "/paps/far")) == (404, "PapNotFound")
    assert refused(rest("PUT", "/paps/far", json={})) == (404, "PapNotFound")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"alias": "default"}, (409, "DefaultPapIsFixed")),
        ({"alias": "a b"}, (400, "BadPap")),
        ({"alias": 7}, (400, "MalformedRequest")),
        ({"remote": {"hostname": "far", "port": 0}}, (400, "BadPap")),
        ({"remote": {"hostname": "far", "port": 10**30}}, (400, "BadPap")),
        ({"remote": {"hostname": "far", "protocol": "file"}}, (400, "BadPap")),
        ({"remote": {"hostname": "far/../"}}, (400, "BadPap")),
        ({"remote": {}}, (400, "MalformedRequest")),
    ],
)
def test_a_pap_that_cannot_be_is_refused(untouched: Rest, changed: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refused(untouched("POST", "/paps", json=FAR | changed)) == expected


def test_the_order_is_set_and_told(rest: Rest) -> None:
    assert rest("GET", "/ordering").json() == {"aliases": []}
    rest("PUT", "/ordering", json={"aliases": ["central", "default"]})
    assert rest("GET", "/ordering").json() == {"aliases": ["central", "default"]}
    assert refused(rest("PUT", "/ordering", json={"aliases": ["nope"]})) == (400, "BadOrdering")


def test_the_polling_interval_is_set_and_told(rest: Rest) -> None:
    assert rest("GET", "/polling-interval").json() == {"seconds": 300}
    rest("PUT", "/polling-interval", json={"seconds": 60})
    assert rest("GET", "/polling-interval").json() == {"seconds": 60}


@pytest.mark.parametrize(
    ("seconds", "error"),
    [(0, "BadPollingInterval"), (10**9, "BadPollingInterval"), (10**30, "MalformedRequest"), (1.5, "MalformedRequest")],
)
def test_an_interval_that_cannot_be_is_refused(untouched: Rest, seconds: float, error: str) -> None:
    assert refused(untouched("PUT", "/polling-interval", json={"seconds": seconds})) == (400, error)


def test_copies_are_fetched_when_asked_for(rest: Rest) -> None:
    assert rest("POST", "/refreshes", json={"pap": "central"}).json() == {"revision": 2}
    assert rest.refreshed == ["central"]
    assert refused(rest("POST", "/refreshes", json={"pap": "default"})) == (409, "PapIsLocal")
    assert refused(rest("POST", "/refreshes", json={"pap": "nope"})) == (404, "PapNotFound")
    (copy,) = rest("GET", "/copies").json()["copies"]
    assert copy == {
        "alias": "central",
        "confirmed_at": None,
        "failed_at": None,
        "reason": None,
        "quarantined": False,
    }
