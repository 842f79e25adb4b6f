"""The REST interface of a PAP over TLS: two administrators at once, and what is refused without reading it."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from argus_py.clients.pap_rest import BASE_PATH, AclEntry, Conditions, PapRest, Refused

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

HOST = "CN=localhost,DC=argus-demo,DC=org"
ROUNDS = 10


def start(grid: "Grid") -> "Argus":
    return grid.start("pap", grid.site.configuration / "pap" / "pap_configuration.ini", ports=2)


def ban(pap: PapRest, vo: str, expected: Conditions) -> Refused | None:
    try:
        pap.ban("default", {"attribute": {"name": "vo", "value": vo}}, expected)
    except Refused as error:
        return error
    return None


def test_of_two_administrators_at_once_one_wins_and_the_other_is_told_by_whom(grid: "Grid") -> None:
    argus = start(grid)
    with grid.pap(argus) as first, grid.https(grid.site.host, argus.urls["PAP"] + BASE_PATH) as client:
        first.add_ace(AclEntry(kind="dn", name=HOST, permissions=("ALL",)))
        admins = first, PapRest(client)
        for number in range(ROUNDS):
            seen = [Conditions(expected_revision=pap.changes(limit=1)[0].revision) for pap in admins]
            names = [f"first-{number}", f"second-{number}"]
            with ThreadPoolExecutor(2) as threads:
                done = list(threads.map(ban, admins, names, seen))
            winner = done.index(None)
            refused = done[1 - winner]
            assert refused is not None
            assert (refused.status, refused.error) == (412, "RevisionChanged")
            (made,) = refused.changes
            assert (made.command, made.author == HOST) == (f"ban vo {names[winner]}", winner == 1)
            assert {each.value for each in first.bans()} & set(names) == {names[winner]}


def test_a_stranger_is_refused_before_his_policies_are_read(grid: "Grid") -> None:
    url = urlsplit(start(grid).urls["PAP"])
    assert url.hostname is not None
    connection = http.client.HTTPSConnection(url.hostname, url.port, context=grid.tls(grid.site.host), timeout=30)
    connection.putrequest("POST", f"{BASE_PATH}paps/default/policies")
    connection.putheader("Content-Type", "application/vnd.argus.spl")
    connection.putheader("Content-Length", "8000000")
    connection.endheaders()
    answer = connection.getresponse()  # nothing of the body was sent
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
    assert b'"error":"NothingPermitted"' in answer.read()
    connection.close()


def test_browsers_and_caches_find_what_they_need(grid: "Grid") -> None:
    argus = start(grid)
    with grid.https(grid.site.admin, argus.urls["PAP"] + BASE_PATH) as client:
        document = client.get("openapi.json").json()
        assert (document["info"]["title"], document["servers"]) == ("Argus PAP", [{"url": "/v1"}])
        listed = client.get("listing")
        again = client.get("listing", headers={"If-None-Match": listed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get("nowhere").headers["content-type"] == "application/problem+json"
        assert client.get("paps").status_code == 200  # the connection is as it was


def test_who_shows_no_certificate_gets_nowhere(grid: "Grid") -> None:
    argus = start(grid)
    with httpx.Client(verify=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"{argus.urls['PAP']}{BASE_PATH}ping")
