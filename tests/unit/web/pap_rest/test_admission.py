"""Who is let in, with how much, and what answers carry."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import URL
from starlette.types import Message

from argus_py.pap.history import Note
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.errors import StoreUnavailable
from argus_py.web.pap_rest.admission import BODY_LIMIT, TEXT_LIMIT
from tests.unit.web.pap_rest.conftest import BAN, ONE, SPL, Rest, refused, set_up

JSON = {"Content-Type": "application/json"}


def test_who_is_not_known_is_refused(untouched: Rest) -> None:
    assert refused(untouched("GET", "/listing", None)) == (403, "CredentialRejected")


def test_who_may_nothing_is_refused_without_reading_a_body(untouched: Rest) -> None:
    read: list[Message] = []

    async def receive() -> Message:
        read.append({"type": "http.request", "body": b"x", "more_body": True})
        return read[-1]

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"x-name", b"stranger"), (b"content-type", SPL["Content-Type"].encode())]
    path = "/v1/paps/default/policies"
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    asyncio.run(untouched.app(scope, receive, send))
    assert (sent[0]["status"], read) == (403, [])
    assert b'"error":"NothingPermitted"' in sent[1]["body"]


@pytest.mark.parametrize(("name", "limit"), [("admin", TEXT_LIMIT), ("watcher", BODY_LIMIT)])
def test_only_who_may_add_policies_may_send_much(untouched: Rest, name: str, limit: int) -> None:
    answer = untouched("POST", "/paps/default/policies", name, content=b"#" * (limit + 1), headers=SPL)
    assert refused(answer) == (413, "TooLarge")
    assert answer.headers["connection"] == "close"


def test_only_policy_texts_may_be_long(untouched: Rest) -> None:
    answer = untouched("POST", "/paps/default/removals", json={"ids": ["x" * BODY_LIMIT]})
    assert refused(answer) == (413, "TooLarge")


def test_a_body_full_of_mistakes_is_refused_in_a_few_words(untouched: Rest) -> None:
    for body in ({"ids": [1] * 300_000}, {f"{number}": 0 for number in range(70_000)}):
        answer = untouched("POST", "/paps/default/removals", json=body)
        assert refused(answer) == (400, "MalformedRequest")
        assert len(answer.content) < 2_000


def test_a_long_body_without_a_length_is_not_read_to_its_end(untouched: Rest) -> None:
    read = 0

    async def body() -> Any:
        nonlocal read
        for _ in range(3 * TEXT_LIMIT >> 20):
            read += 1
            yield b"#" * (1 << 20)

    answer = untouched("POST", "/paps/default/policies", content=body(), headers=SPL)
    assert refused(answer) == (413, "TooLarge")
    assert read <= (TEXT_LIMIT >> 20) + 1


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_browser_sends_unasked_is_not_read(untouched: Rest, media_type: str) -> None:
    for path in ("/paps/default/policies", "/paps/default/bans", "/undos"):
        answer = untouched("POST", path, content=b'{"revision": 1}', headers={"Content-Type": media_type})
        assert refused(answer) == (415, "WrongMediaType")


def test_a_policy_text_is_not_taken_from_json(untouched: Rest) -> None:
    assert refused(untouched("POST", "/paps/default/policies", json=ONE)) == (415, "WrongMediaType")


def test_everybody_may_ping_and_read_the_description(untouched: Rest) -> None:
    assert untouched("GET", "/ping", None).json()["service"] == "Argus PAP"
    assert untouched("GET", "/openapi.json", None).json()["openapi"].startswith("3.1")


def test_answers_have_the_revision_as_their_tag(rest: Rest) -> None:
    rest.add()
    answer = rest("GET", "/listing")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == ('"3"', "private, no-cache")
    assert rest("GET", "/ping").headers.keys() & {"etag"} == set()
    assert rest("GET", "/copies").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("known", ['"3"', '"1", W/"3"', "*"])
def test_what_the_caller_has_is_not_sent_again(rest: Rest, known: str) -> None:
    rest.add()
    answer = rest("GET", "/paps/default/policies", headers={"If-None-Match": known})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"3"')
    assert rest("GET", "/copies", headers={"If-None-Match": known}).status_code == 200


def test_what_has_changed_is_sent(rest: Rest) -> None:
    rest.add()
    assert rest("GET", "/listing", headers={"If-None-Match": '"2"'}).status_code == 200


def test_who_may_not_read_does_not_learn_that_nothing_has_changed(untouched: Rest) -> None:
    answer = untouched("GET", "/listing", "watcher", headers={"If-None-Match": '"2"'})
    assert refused(answer) == (403, "ActNotPermitted")


def test_a_change_answers_with_the_revision_it_made(rest: Rest) -> None:
    answer = rest("POST", "/paps/default/bans", json=BAN)
    assert (answer.status_code, answer.headers["etag"], answer.json()["revision"]) == (200, '"3"', 3)
    again = rest("POST", "/paps/default/bans", json=BAN)
    assert (again.headers["etag"], again.json()["changed"], again.json()["result"]) == ('"3"', False, None)


def test_a_change_on_a_condition_is_made_at_that_revision_alone(rest: Rest) -> None:
    ban = {"attribute": {"name": "vo", "value": "y"}}
    assert rest("POST", "/paps/default/bans", json=BAN, headers={"If-Match": '"2"'}).status_code == 200
    late = rest("POST", "/paps/default/bans", json=ban, headers={"If-Match": '"2"'})
    assert refused(late) == (412, "RevisionChanged")
    (change,) = late.json()["changes"]
    assert (change["revision"], change["author"], change["command"]) == (3, "CN=admin", "ban vo x")
    assert rest.policies.revision() == 3
    assert rest("POST", "/paps/default/bans", json=ban, headers={"If-Match": "*"}).status_code == 200


def test_who_may_not_read_the_history_is_not_told_of_it(rest: Rest) -> None:
    rest("POST", "/acl/entries", json={"kind": "dn", "name": "/CN=writer", "permissions": ["POLICY_WRITE"]})
    answer = rest("POST", "/paps/default/bans", "writer", json=BAN, headers={"If-Match": '"2"'})
    assert refused(answer) == (412, "RevisionChanged")
    assert answer.json()["changes"] == []


@pytest.mark.parametrize("tag", ["2", 'W/"2"', '"2", "3"', '"two"', '""', f'"{10**20}"'])
def test_a_condition_that_is_none_of_our_tags_is_refused(untouched: Rest, tag: str) -> None:
    answer = untouched("POST", "/paps/default/bans", json=BAN, headers={"If-Match": tag})
    assert refused(answer) == (400, "BadPrecondition")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "NoSuchPath")),
        ("GET", "/listing/", (404, "NoSuchPath")),
        ("PATCH", "/paps", (405, "NoSuchMethod")),
    ],
)
def test_what_does_not_exist_is_said_with_problem_details(
    untouched: Rest, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert refused(untouched(method, path)) == expected


class BrokenPolicies(MemoryPolicies):
    """Once ``broken`` they cannot be read."""

    broken = False

    @contextmanager
    def read(self, revision: int | None = None) -> Iterator[Any]:
        if self.broken:
            raise StoreUnavailable(URL.create("sqlite", database="/x"), "disk I/O error")
        with super().read(revision) as reader:
            yield reader


def test_a_store_that_is_away_is_503() -> None:
    policies = BrokenPolicies()
    set_up(policies)
    rest = Rest(policies)
    policies.broken = True
    answer = rest("GET", "/listing")
    assert refused(answer) == (503, "StoreUnavailable")
    assert answer.headers["retry-after"] == "5"


class BuggyPolicies(MemoryPolicies):
    """Have a bug in their history."""

    def changes(self, before: int | None = None, limit: int = 50) -> Any:
        raise ZeroDivisionError("a secret")


def test_a_bug_shows_nothing_of_itself() -> None:
    policies = BuggyPolicies()
    set_up(policies)
    rest = Rest(policies, raises=False)
    answer = rest("GET", "/changes")
    assert refused(answer) == (500, "InternalError")
    assert "secret" not in answer.text


def test_a_change_of_another_process_is_seen(rest: Rest) -> None:
    with rest.policies.change(Note("somebody else", "something")) as writer:
        writer.set_ordering(("central",))
    assert rest("GET", "/ordering").json() == {"aliases": ["central"]}
