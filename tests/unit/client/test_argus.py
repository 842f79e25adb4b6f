"""Who is asked, in which order and for how long; clock and network are made up."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from argus_py.client import (
    Account,
    Argus,
    Attempt,
    Certificates,
    Group,
    Named,
    NoAccount,
    NoAnswer,
    NotAuthorized,
    QuestionRefused,
    UnusableEndpoint,
)
from argus_py.client.asynchronous import AsyncArgus
from argus_py.client.exchange import Deadlines, Endpoint, NoExchange, Reply
from argus_py.client.tls import Contexts
from argus_py.model.response import Decision

FIRST, SECOND, THIRD = (f"http://127.0.0.{number}:8154" for number in (1, 2, 3))
ANSWER: dict[str, Any] = {
    "request_id": "_1",
    "decision": "Permit",
    "reason": "permitted",
    "status": "urn:oasis:names:tc:xacml:1.0:status:ok",
    "message": None,
    "subject": "CN=Alice",
    "fqans": ["/dteam"],
    "account": "dteam001",
    "uid": 41001,
    "gid": 30000,
    "groups": [{"name": "dteam", "gid": 30000}],
    "obligations": [],
}


def told(**fields: object) -> Reply:
    return Reply(200, "application/json", json.dumps(ANSWER | fields).encode())


def refused(status: int, detail: object = "why") -> Reply:
    return Reply(status, "application/problem+json", json.dumps({"detail": detail}).encode())


PERMIT = told()
DENY = told(decision="Deny", reason="denied", account=None, groups=[])
INDETERMINATE = told(decision="Indeterminate", reason="indeterminate", account=None, groups=[])


@dataclass
class Network:
    """What each endpoint answers, and how long that takes on the clock of this world."""

    replies: dict[str, Reply | NoExchange]
    takes: float = 0.0
    now: float = 100.0
    asked: list[str] = field(default_factory=list)
    deadlines: list[Deadlines] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def exchange(self, endpoint: Endpoint, question: bytes, contexts: Contexts | None, deadlines: Deadlines) -> Reply:
        assert contexts is None
        self.asked.append(endpoint.url)
        self.deadlines.append(deadlines)
        self.questions.append(json.loads(question))
        self.now += self.takes
        reply = self.replies[endpoint.url]
        if isinstance(reply, NoExchange):
            raise reply
        return reply


def argus(network: Network, **options: Any) -> Argus:
    return Argus(
        list(network.replies),
        credential=None,
        monotonic=network.monotonic,
        exchange=network.exchange,
        **options,
    )


def ask(asking: Argus) -> Any:
    return asking.authorize(Certificates("PEM"), "wn", "run")


FAILURES: dict[str, Reply | NoExchange] = {
    "no connection": NoExchange("Connection refused"),
    "500": refused(500),
    "503": refused(503),
    "not JSON": Reply(200, "application/json", b"<html>"),
    "too deep": Reply(200, "application/json", b"[" * 100_000),
    "an array": Reply(200, "application/json", b"[]"),
    "another type": Reply(200, "text/html", PERMIT.body),
    "no decision": told(decision=None),
    "another decision": told(decision="permit"),
    "a list for a decision": told(decision=["Permit"]),
    "no id": told(request_id=""),
    "a number for an account": told(account=0),
    "true for a uid": told(uid=True),
    "a negative uid": told(uid=-1),
    "the uid that is none": told(uid=4294967295),
    "text for a uid": told(uid="0"),
    "a group without name": told(groups=[{"gid": 1}]),
    "no groups": told(groups=None),
    "an obligation for nothing": told(obligations=[{"id": "x", "fulfill_on": "", "assignments": []}]),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_the_next_one_is_asked_when_there_is_no_answer(failure: Reply | NoExchange) -> None:
    network = Network({FIRST: failure, SECOND: PERMIT})
    answer = ask(argus(network))
    assert (network.asked, answer.endpoint, answer.permitted) == ([FIRST, SECOND], SECOND, True)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_nobody_who_fails_permits(failure: Reply | NoExchange) -> None:
    with pytest.raises(NoAnswer) as caught:
        ask(argus(Network({FIRST: failure, SECOND: failure})))
    assert [attempt.endpoint for attempt in caught.value.attempts] == [FIRST, SECOND]
    assert all(attempt.reason for attempt in caught.value.attempts)


@pytest.mark.parametrize("reply", [DENY, told(decision="NotApplicable", reason="not-applicable"), INDETERMINATE])
def test_an_answer_ends_the_search_whatever_it_is(reply: Reply) -> None:
    network = Network({FIRST: reply, SECOND: PERMIT})
    answer = ask(argus(network))
    assert (network.asked, answer.permitted) == ([FIRST], False)
    with pytest.raises(NotAuthorized, match="_1"):
        answer.mapped()


def test_indeterminate_makes_the_search_go_on_if_wanted() -> None:
    network = Network({FIRST: INDETERMINATE, SECOND: DENY, THIRD: PERMIT})
    assert ask(argus(network, ask_on_if_indeterminate=True)).decision is Decision.DENY
    assert network.asked == [FIRST, SECOND]
    network = Network({FIRST: INDETERMINATE, SECOND: NoExchange("down")})
    assert ask(argus(network, ask_on_if_indeterminate=True)).endpoint == FIRST


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 403, 404, 413, 415])
def test_a_question_that_is_refused_is_put_to_nobody_else(status: int) -> None:
    network = Network({FIRST: refused(status), SECOND: PERMIT})
    with pytest.raises(QuestionRefused, match=f"HTTP status {status}: why") as caught:
        ask(argus(network))
    assert (caught.value.endpoint, caught.value.status, network.asked) == (FIRST, status, [FIRST])


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"detail": 7}', b"[" * 100_000])
def test_problem_details_that_are_none_are_passed_over(body: bytes) -> None:
    with pytest.raises(QuestionRefused) as caught:
        ask(argus(Network({FIRST: Reply(400, "application/problem+json", body)})))
    assert caught.value.detail == ""


def test_who_has_failed_is_asked_last_for_a_minute() -> None:
    network = Network({FIRST: NoExchange("down"), SECOND: PERMIT})
    asking = argus(network)
    ask(asking)
    network.asked.clear()
    network.now += 59
    ask(asking)
    assert network.asked == [SECOND]
    network.now += 2
    ask(asking)
    assert network.asked == [SECOND, FIRST, SECOND]


def test_who_has_failed_is_asked_when_nobody_else_answers() -> None:
    network = Network({FIRST: NoExchange("down"), SECOND: PERMIT})
    asking = argus(network)
    ask(asking)
    network.replies = {FIRST: PERMIT, SECOND: NoExchange("down")}
    assert ask(asking).endpoint == FIRST
    network.asked.clear()
    assert ask(asking).endpoint == FIRST
    assert network.asked == [FIRST]


def test_all_share_the_time_and_connections_have_their_own_limit() -> None:
    network = Network({url: NoExchange("slow") for url in (FIRST, SECOND, THIRD)}, takes=10.0)
    with pytest.raises(NoAnswer):
        ask(argus(network, timeout=timedelta(seconds=30), connect_timeout=timedelta(seconds=4)))
    assert network.deadlines == [Deadlines(104.0, 110.0), Deadlines(114.0, 120.0), Deadlines(124.0, 130.0)]


def test_no_time_is_left_after_the_total() -> None:
    network = Network({url: NoExchange("slow") for url in (FIRST, SECOND)}, takes=50.0)
    with pytest.raises(NoAnswer):
        ask(argus(network, timeout=timedelta(seconds=30)))
    assert network.deadlines[1] == Deadlines(150.0, 150.0)


def test_what_is_asked() -> None:
    network = Network({FIRST: PERMIT})
    asking = argus(network)
    asking.authorize(Certificates("PEM"), "wn", "run", pilot=Certificates("PILOT"))
    asking.authorize(Named("CN=Alice", ("/dteam",)), "ce", "submit", profile="grid-ce")
    assert network.questions == [
        {"certificates": "PEM", "resource": "wn", "action": "run", "profile": "grid-wn", "pilot_certificates": "PILOT"},
        {"subject": "CN=Alice", "fqans": ["/dteam"], "resource": "ce", "action": "submit", "profile": "grid-ce"},
    ]


def test_the_account_of_a_permit() -> None:
    answer = ask(argus(Network({FIRST: PERMIT})))
    assert answer.mapped() == Account("dteam001", 41001, (Group("dteam", 30000),))
    assert (answer.mapped().gid, answer.subject, answer.fqans) == (30000, "CN=Alice", ("/dteam",))


def test_a_permit_without_account_gives_none() -> None:
    answer = ask(argus(Network({FIRST: told(account=None, groups=[])})))
    assert (answer.permitted, answer.account) == (True, None)
    with pytest.raises(NoAccount, match="_1"):
        answer.mapped()


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert ask(argus(Network({FIRST: told(later=["x"])}))).permitted


@pytest.mark.parametrize(
    "url",
    [
        "",
        "argus.example.org:8154",
        "ftp://argus.example.org",
        "https://",
        "https://[",
        "https://host:port",
        "https://user:secret@host",
        "https://host/?x",
        "https://host/#x",
        "https://host/a b",
        "https://host/\r\nX: y",
        "https://bücher.example",
        "http://argus.example.org:8154",
    ],
)
def test_an_endpoint_is_a_url_of_https(url: str) -> None:
    with pytest.raises(UnusableEndpoint):
        Argus([url], credential=None)


def test_no_endpoint_is_an_error() -> None:
    with pytest.raises(UnusableEndpoint):
        Argus([], credential=None)


@pytest.mark.parametrize(
    ("url", "port", "path"),
    [
        ("https://argus.example.org:8154", 8154, "/v1/authorize"),
        ("https://argus.example.org/", 443, "/v1/authorize"),
        ("https://[2001:db8::1]:8154/other", 8154, "/other"),
        ("http://localhost", 80, "/v1/authorize"),
    ],
)
def test_a_url_without_path_is_that_of_a_port(url: str, port: int, path: str) -> None:
    endpoint = Endpoint.parse(url)
    assert (endpoint.port, endpoint.path, endpoint.tls) == (port, path, url.startswith("https"))


def test_asyncio_has_the_same_answers_and_errors() -> None:
    async def authorize(network: Network) -> Any:
        async with AsyncArgus(argus(network)) as asking:
            return await asking.authorize(Certificates("PEM"), "wn", "run")

    assert asyncio.run(authorize(Network({FIRST: PERMIT}))).permitted
    with pytest.raises(NoAnswer) as caught:
        asyncio.run(authorize(Network({FIRST: NoExchange("down")})))
    assert caught.value.attempts == (Attempt(FIRST, "down"),)


def test_a_failure_names_all_who_were_asked() -> None:
    assert str(NoAnswer((Attempt("a", "b"), Attempt("c", "d")))) == "a: b; c: d"
