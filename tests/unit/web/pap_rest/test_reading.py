"""Policies read over REST: as text, in pages, with questions about them."""

import pytest

from tests.unit.web.pap_rest.conftest import ONE, Rest, refused

DEFAULT = "/paps/default"


def test_a_file_is_added_and_listed(rest: Rest) -> None:
    added = rest.add()
    (resource,) = added.json()["result"]
    assert (resource["resource"], [action["action"] for action in resource["actions"]]) == ("r", ["a"])
    listed = rest("GET", "/listing", params={"ids": "actions"})
    assert listed.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"\nid={resource['id']}\nresource " in listed.text
    assert rest("GET", "/listing", params={"every": True}).text.count("(") == 2
    assert "<xacml:PolicySet" in rest("GET", "/listing", params={"xacml": True}).text


def test_policies_are_a_tree_with_their_ids(rest: Rest) -> None:
    (added,) = rest.add('resource "r" { obligation "o" {} private action "a" { rule deny { vo="x" } } }').json()[
        "result"
    ]
    answer = rest("GET", f"{DEFAULT}/policies").json()
    (resource,) = answer["resources"]
    assert (resource["id"], resource["resource"], resource["others"]) == (added["id"], "r", [])
    assert resource["obligations"] == ["o"]
    (action,) = resource["actions"]
    assert (action["action"], action["private"], action["id"][:7]) == ("a", True, "private")
    (rule,) = action["rules"]
    assert (rule["effect"], rule["text"]) == ("deny", 'rule deny { vo="x" }')
    assert (answer["revision"], answer["total"], answer["next"]) == (3, 1, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_together_are_the_policies_of_the_revision_they_began_at(rest: Rest, limit: int) -> None:
    rules = "".join(f'rule permit {{ vo="v{number}" }} ' for number in range(4))
    rest.add(f'resource "r" {{ action "a" {{ {rules} }} action "b" {{ rule deny {{ vo="x" }} }} }}{ONE}')
    found: list[tuple[str, str, str]] = []
    cursor = None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = rest("GET", f"{DEFAULT}/policies", params=params).json()
        rest("POST", f"{DEFAULT}/bans", json={"attribute": {"name": "vo", "value": f"y{len(found)}"}})
        on_page = [
            (resource["id"], action["action"], rule["text"])
            for resource in page["resources"]
            for action in resource["actions"]
            for rule in action["rules"]
        ]
        assert len(on_page) == min(limit, 6 - len(found))
        assert (page["revision"], page["total"]) == (3, 6)
        found += on_page
        cursor = page["next"]
        if cursor is None:
            break
    assert [text for _, _, text in found] == [
        *(f'rule permit {{ vo="v{number}" }}' for number in range(4)),
        'rule deny { vo="x" }',
        'rule permit { vo="atlas" }',
    ]
    assert len({resource for resource, _, _ in found}) == 2


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"cursor": "x"}, (400, "BadCursor")),
        ({"cursor": "3"}, (400, "BadCursor")),
        ({"cursor": f"{10**15}-0"}, (400, "BadCursor")),
        ({"cursor": "99-0"}, (404, "RevisionNotFound")),
        ({"cursor": "0-0"}, (404, "PapNotFound")),
        ({"limit": "0"}, (400, "MalformedRequest")),
        ({"limit": "1000000"}, (400, "MalformedRequest")),
    ],
)
def test_a_page_that_cannot_be_is_refused(untouched: Rest, params: dict[str, str], expected: tuple[int, str]) -> None:
    assert refused(untouched("GET", f"{DEFAULT}/policies", params=params)) == expected


def test_copies_are_listed_to_those_who_may_see_them(untouched: Rest) -> None:
    assert untouched("GET", f"{DEFAULT}/policies", "reader").status_code == 200
    assert refused(untouched("GET", "/paps/central/policies", "reader")) == (403, "ActNotPermitted")
    assert refused(untouched("GET", "/lint", "reader", params={"pap": ["default", "central"]})) == (
        403,
        "ActNotPermitted",
    )
    assert refused(untouched("GET", "/bans", "reader")) == (403, "ActNotPermitted")


def test_who_may_tells_rules_and_where_they_are(rest: Rest) -> None:
    rest.add()
    answer = rest("GET", "/who-may", params={"resource": "r", "action": "a"}).json()
    assert answer["ends"] is None
    (rule,) = answer["rules"]
    assert (rule["pap"], rule["rule"], rule["shadowed_by"]) == ("default", 'rule permit { vo="atlas" }', None)


def test_lint_tells_what_is_suspicious(rest: Rest) -> None:
    rest.add(f'{ONE}\nresource "r" {{ action "a" {{ rule permit {{ vo="atlas" }} }} }}')
    findings = rest("GET", "/lint").json()["findings"]
    assert "duplicate-rule" in {finding["check"] for finding in findings}
    assert rest("GET", "/lint", params={"pap": "central"}).json() == {"findings": []}
