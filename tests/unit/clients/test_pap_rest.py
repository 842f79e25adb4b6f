"""The client of the REST interface: what is sent, and what is made of answers that are none."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from argus_py.clients.pap_rest import BASE_PATH, Conditions, NotAPap, PapRest, PapUnreachable, Refused

URL = f"https://pap.example.org:8150{BASE_PATH}"
CHANGED = {"revision": 8, "changed": True, "dry_run": False, "result": None, "difference": None}


class Answers:
    """A PAP that answers always the same, and remembers what it was asked."""

    def __init__(self, status: int = 200, body: Any = CHANGED) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = status, body if isinstance(body, bytes) else json.dumps(body).encode()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, content = self._answer
        return httpx.Response(status, content=content)


def client(answer: Callable[[httpx.Request], httpx.Response]) -> PapRest:
    return PapRest(httpx.Client(base_url=URL, transport=httpx.MockTransport(answer)))


def test_conditions_go_with_a_change() -> None:
    answers = Answers()
    change = client(answers).remove_pap("a/b", Conditions(expected_revision=7, dry_run=True))
    (request,) = answers.requests
    assert (request.method, request.url.raw_path) == ("DELETE", b"/v1/paps/a%2Fb?dry_run=true")
    assert request.headers["if-match"] == '"7"'
    assert (change.revision, change.changed, change.difference) == (8, True, None)


def test_without_conditions_there_are_none() -> None:
    answers = Answers()
    client(answers).set_ordering(["a", "b"])
    (request,) = answers.requests
    assert (request.url.query, json.loads(request.content)) == (b"", {"aliases": ["a", "b"]})
    assert "if-match" not in request.headers


def test_a_policy_text_is_sent_as_one() -> None:
    answers = Answers(body=CHANGED | {"result": [{"action": "a", "id": "1"}]})
    added = client(answers).add_policies("default", 'action "å" {}', {"resource_id": "r", "before": None})
    (request,) = answers.requests
    assert request.headers["content-type"] == "application/vnd.argus.spl"
    assert (request.content.decode(), request.url.query) == ('action "å" {}', b"resource_id=r")
    assert [each.id for each in added.result] == ["1"]


def test_a_refusal_keeps_all_that_was_said() -> None:
    change = {"revision": 9, "made_at": "2026-11-24T12:00:00Z", "author": "CN=B", "command": "ban vo x", "pap": None}
    problems = [{"line": 1, "column": 2, "text": "Encountered x"}]
    body = {
        "error": "RevisionChanged",
        "detail": "it is at 9",
        "problems": problems,
        "changes": [change],
        "status": 412,
    }
    with pytest.raises(Refused, match=r"^it is at 9$") as refused:
        client(Answers(412, body)).remove_all("default")
    error = refused.value
    assert (error.status, error.error) == (412, "RevisionChanged")
    assert (error.problems[0].column, error.changes[0].author) == (2, "CN=B")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"\xff"),
        (200, b"[" * 100_000),
        (200, {"service": "Another PAP", "version": "1"}),
        (200, {"service": "Argus PAP"}),
        (204, b""),
        (302, b""),
        (404, b"<h1>Error 404</h1>"),
        (403, {"error": "NoDetail"}),
        (500, b""),
    ],
)
def test_what_does_not_answer_as_a_pap_is_none(status: int, body: Any) -> None:
    with pytest.raises(NotAPap) as error:
        client(Answers(status, body)).ping()
    assert (error.value.url, error.value.status) == (URL, status)


def test_what_a_newer_pap_says_in_addition_is_ignored() -> None:
    assert client(Answers(body={"service": "Argus PAP", "version": "9", "more": 1})).ping() == "9"


def test_a_pap_that_cannot_be_reached_says_why() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    with pytest.raises(PapUnreachable) as error:
        client(refuse).ping()
    assert (error.value.url, error.value.reason) == (URL, "Connection refused")
