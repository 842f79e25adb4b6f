"""The history over REST."""

import pytest

from tests.unit.web.pap_rest.conftest import BAN, Rest, refused


def test_changes_are_told_in_pages_the_newest_first(rest: Rest) -> None:
    for vo in ("a", "b", "c"):
        rest("POST", "/paps/default/bans", json={"attribute": {"name": "vo", "value": vo}})
    first = rest("GET", "/changes", params={"limit": 2}).json()
    assert [(change["revision"], change["command"]) for change in first["changes"]] == [
        (5, "ban vo c"),
        (4, "ban vo b"),
    ]
    second = rest("GET", "/changes", params={"limit": 2, "before": first["next"]}).json()
    assert [change["revision"] for change in second["changes"]] == [3, 2]
    last = rest("GET", "/changes", params={"before": second["next"]}).json()
    assert ([change["revision"] for change in last["changes"]], last["next"]) == ([1], None)


def test_a_change_is_told_with_its_difference(rest: Rest) -> None:
    rest("POST", "/paps/default/bans", json=BAN)
    told = rest("GET", "/changes/3").json()
    assert (told["author"], told["command"], told["pap"]) == ("CN=admin", "ban vo x", "default")
    assert '+        rule deny { vo="x" }\n' in told["difference"]["text"]
    assert told["difference"]["hunks"][0]["place"] == "pap default"


def test_states_are_compared_in_both_directions(rest: Rest) -> None:
    rest("POST", "/paps/default/bans", json=BAN)
    there = rest("GET", "/differences", params={"from": 2, "to": 3}).json()["text"]
    back = rest("GET", "/differences", params={"from": 3, "to": 2}).json()["text"]
    assert there.replace("+", "-") == back
    assert rest("GET", "/differences", params={"from": 3, "to": 3}).json() == {"text": "", "hunks": []}


def test_a_change_is_taken_back_once(rest: Rest) -> None:
    before = rest.text()
    rest("POST", "/paps/default/bans", json=BAN)
    undone = rest("POST", "/undos", json={"revision": 3}).json()
    assert (undone["changed"], undone["revision"]) == (True, 4)
    assert '-        rule deny { vo="x" }\n' in undone["difference"]["text"]
    assert rest.text() == before
    assert rest("POST", "/undos", json={"revision": 3}).json()["changed"] is False


def test_what_was_changed_again_is_not_taken_back(rest: Rest) -> None:
    rest("PUT", "/polling-interval", json={"seconds": 60})
    rest("PUT", "/polling-interval", json={"seconds": 90})
    assert refused(rest("POST", "/undos", json={"revision": 3})) == (409, "UndoConflict")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/changes/9", (404, "RevisionNotFound")),
        ("/changes/0", (400, "MalformedRequest")),
        ("/changes/x", (400, "MalformedRequest")),
        (f"/changes/{10**30}", (400, "MalformedRequest")),
        ("/changes?before=-1", (400, "MalformedRequest")),
        ("/changes?limit=5000", (400, "MalformedRequest")),
        ("/differences?from=0&to=9", (404, "RevisionNotFound")),
        ("/differences?from=0", (400, "MalformedRequest")),
    ],
)
def test_what_is_not_in_the_history_is_refused(untouched: Rest, path: str, expected: tuple[int, str]) -> None:
    assert refused(untouched("GET", path)) == expected


def test_an_undo_of_nothing_is_refused(untouched: Rest) -> None:
    assert refused(untouched("POST", "/undos", json={"revision": 9})) == (404, "RevisionNotFound")
    assert refused(untouched("POST", "/undos", json={"revision": 0})) == (404, "RevisionNotFound")


def test_the_history_is_for_those_who_may_see_all_that_stands_in_it(untouched: Rest) -> None:
    for name in ("reader", "watcher"):
        for path in ("/changes", "/changes/1", "/differences?from=0&to=1"):
            assert refused(untouched("GET", path, name)) == (403, "ActNotPermitted")
        assert refused(untouched("POST", "/undos", name, json={"revision": 1})) == (403, "ActNotPermitted")
