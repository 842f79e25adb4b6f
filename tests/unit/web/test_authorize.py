"""The JSON wire of the service port, from bytes to bytes with a real enforcer behind it."""

import asyncio
import itertools
import json
import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from argus_py.errors import Unmapped
from argus_py.hessian import base64_lines
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Request
from argus_py.model.response import (
    AttributeAssignment,
    Decision,
    Effect,
    Obligation,
    Response,
    Result,
    Status,
    StatusCode,
)
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.ports import Call, NameService
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

CHAIN = (Path(__file__).parents[2] / "vectors" / "pep" / "certs" / "user.pem").read_text()
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ASKED = {"certificates": CHAIN, "resource": "wn", "action": "run"}
NAMED = {"subject": "CN=Alice,O=Example", "fqans": ["/dteam/Role=pilot", "/dteam"], "resource": "wn", "action": "run"}


@dataclass
class Kept:
    """A decision point and a journal that keep what reaches them."""

    answer: Response
    asked: list[Request] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def decide(self, request: Request, call: Call) -> Response:
        self.asked.append(request)
        return self.answer

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


class Numbers:
    """A machine that knows one account and two of its groups."""

    def uid(self, login: str) -> int | None:
        return {"dtplt001": 41001}.get(login)

    def gid(self, group: str) -> int | None:
        return {"dtplt": 30001, "dteam": 30000}.get(group)


@dataclass(frozen=True)
class NoAccountLeft:
    obligation_id: str = Glite.LOCAL_ENVIRONMENT_MAP

    def fulfil(self, request: Request, response: Response) -> Response:
        raise Unmapped("no free account in the pool dtplt")


def posix(*named: tuple[str, str]) -> Obligation:
    assignments = tuple(AttributeAssignment(attribute_id, value) for attribute_id, value in named)
    return Obligation(Glite.LOCAL_ENVIRONMENT_MAP_POSIX, Effect.PERMIT, assignments)


MAPPED = posix(
    (Glite.USER_ID, "dtplt001"),
    (Glite.PRIMARY_GROUP_ID, "dtplt"),
    (Glite.GROUP_ID, "dtplt"),
    (Glite.GROUP_ID, "dteam"),
    (Glite.GROUP_ID, "unknown"),
)
PERMIT = Response((Result(Decision.PERMIT, obligations=(MAPPED,)),))


def app(
    kept: Kept,
    names: NameService | None = None,
    handlers: tuple[NoAccountLeft, ...] = (),
    load: Load | None = None,
    counts: Counters | None = None,
) -> ASGIApp:
    counts = counts or Counters()
    enforcer = Enforcer((), kept, ObligationService(handlers), lambda: START, counts, monotonic=lambda: 0.0)
    status = StatusPage("Argus PEP Server", "1.0", START, counts.read, lambda: ())
    return pep_app(
        enforcer,
        kept,
        status,
        lambda: START,
        load or Load(),
        monotonic=lambda: 0.0,
        names=names,
        new_id=map("_{}".format, itertools.count(1)).__next__,
    )


def send(asgi: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(asgi, raise_app_exceptions=False, client=("192.0.2.7", 40000))
        async with httpx.AsyncClient(transport=transport, base_url="https://argus:8154") as http:
            return await http.request(method, path, **options)

    return asyncio.run(exchange())


def ask(asgi: ASGIApp, question: object) -> httpx.Response:
    return send(asgi, "POST", "/v1/authorize", json=question)


def problem_of(reply: httpx.Response) -> dict[str, Any]:
    assert reply.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = reply.json()
    assert told["status"] == reply.status_code
    assert {"type", "title", "detail"} <= set(told)
    return told


# Questions


def test_certificates_become_the_request_of_a_worker_node() -> None:
    kept = Kept(PERMIT)
    assert ask(app(kept), ASKED | {"pilot_certificates": "PILOT"}).status_code == 200
    (request,) = kept.asked
    assert request.subjects[0].attributes == (Attribute(AttributeId.KEY_INFO, (CHAIN,)),)
    assert request.resources[0].attributes == (Attribute(AttributeId.RESOURCE_ID, ("wn",)),)
    assert request.action
    assert request.action.attributes == (Attribute(AttributeId.ACTION_ID, ("run",)),)
    assert request.environment
    assert request.environment.attributes == (
        Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),
        Attribute(AttributeId.KEY_INFO, ("PILOT",)),
    )


def test_the_common_profile_has_each_certificate_as_der() -> None:
    kept = Kept(PERMIT)
    assert ask(app(kept), ASKED | {"certificates": CHAIN * 2, "profile": "common"}).status_code == 200
    (request,) = kept.asked
    (key_info,) = request.subjects[0].attributes
    assert (key_info.datatype, len(key_info.values)) == (DataType.BASE64_BINARY, 2)
    assert request.environment
    assert request.environment.attributes[0].id == DciSec.PROFILE_ID


def test_a_name_with_fqans_becomes_what_certificates_would_prove() -> None:
    kept = Kept(PERMIT)
    assert ask(app(kept), NAMED | {"profile": "grid-ce"}).status_code == 200
    values = {attribute.id: attribute.values for attribute in kept.asked[0].subjects[0].attributes}
    assert values[AttributeId.SUBJECT_ID] == ("CN=Alice,O=Example",)
    assert values[Glite.PRIMARY_FQAN] == ("/dteam/Role=pilot",)
    assert values[Glite.FQAN] == ("/dteam/Role=pilot", "/dteam")


@pytest.mark.parametrize(
    ("question", "detail"),
    [
        ({}, "resource: Field required"),
        ({"resource": "wn", "action": "run"}, "give one of certificates and subject"),
        (ASKED | {"subject": "CN=Alice"}, "give one of certificates and subject"),
        (ASKED | {"fqans": ["/dteam"]}, "fqans go with subject"),
        (ASKED | {"profile": "grid-xx"}, "profile: Input should be 'grid-wn', 'grid-ce' or 'common'"),
        (ASKED | {"resource": ""}, "resource: String should have at least 1 character"),
        (ASKED | {"action": "x" * 5000}, "action: String should have at most 4096 characters"),
        (ASKED | {"resource": 7}, "resource: Input should be a valid string"),
        (ASKED | {"decision": "Permit"}, "decision: Extra inputs are not permitted"),
        (ASKED | {"certificates": "no PEM", "profile": "common"}, "certificates: "),
        (NAMED | {"subject": "no name"}, "no name"),
        (NAMED | {"fqans": ["dteam"]}, "dteam"),
        (NAMED | {"fqans": ["/dteam"] * 501}, "fqans: List should have at most 500 items"),
        ([], "question: Input should be an object"),
        ("Permit", "question: Input should be an object"),
    ],
)
def test_what_is_no_question_is_told_by_field(question: object, detail: str) -> None:
    kept, counts = Kept(PERMIT), Counters()
    reply = ask(app(kept, counts=counts), question)
    told = problem_of(reply)
    assert (reply.status_code, told["type"]) == (400, "urn:argus:problem:unreadable-question")
    assert detail in told["detail"]
    assert told["request_id"] == "_1"
    assert (kept.asked, kept.exchanges, counts.read()) == ([], [], (0, 0))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"resource":"\\ud800"}', b"[" * 100_000, b"null", base64_lines.encode(b"N")],
    ids=lambda body: repr(body[:9]),
)
def test_a_body_that_is_no_json_is_a_bad_request(body: bytes) -> None:
    kept = Kept(PERMIT)
    reply = send(app(kept), "POST", "/v1/authorize", content=body, headers={"content-type": "application/json"})
    assert problem_of(reply)["status"] == 400
    assert kept.asked == []


@pytest.mark.parametrize("kind", ["PRIVATE", "RSA PRIVATE", "EC PRIVATE", "ENCRYPTED PRIVATE", "OPENSSH PRIVATE"])
@pytest.mark.parametrize("place", ["certificates", "pilot_certificates", "resource", "unknown"])
def test_a_private_key_is_refused_wherever_it_stands_and_not_logged(
    kind: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = f"-----BEGIN {kind} KEY-----\nc2VjcmV0\n-----END {kind} KEY-----\n"
    kept = Kept(PERMIT)
    with caplog.at_level(logging.DEBUG):
        reply = ask(app(kept), ASKED | {place: CHAIN + key})
    told = problem_of(reply)
    assert (reply.status_code, told["type"]) == (400, "urn:argus:problem:private-key")
    assert "regard the key as lost" in told["detail"]
    assert "c2VjcmV0" not in reply.text + caplog.text
    assert (kept.asked, kept.exchanges) == ([], [])


def test_the_name_of_a_field_that_does_not_exist_is_cut() -> None:
    reply = ask(app(Kept(PERMIT)), ASKED | {"x" * 10_000: 1})
    assert len(problem_of(reply)["detail"]) < 200


# Answers


def test_an_answer_names_account_groups_and_their_numbers() -> None:
    reply = ask(app(Kept(PERMIT), Numbers()), NAMED)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == {
        "request_id": "_1",
        "decision": "Permit",
        "reason": "permitted",
        "status": "urn:oasis:names:tc:xacml:1.0:status:ok",
        "message": None,
        "subject": "CN=Alice,O=Example",
        "fqans": ["/dteam/Role=pilot", "/dteam"],
        "account": "dtplt001",
        "uid": 41001,
        "gid": 30001,
        "groups": [
            {"name": "dtplt", "gid": 30001},
            {"name": "dteam", "gid": 30000},
            {"name": "unknown", "gid": None},
        ],
        "obligations": [
            {
                "id": MAPPED.id,
                "fulfill_on": "Permit",
                "assignments": [
                    {"id": each.attribute_id, "value": each.value, "datatype": DataType.STRING}
                    for each in MAPPED.assignments
                ],
            }
        ],
    }


def test_numbers_are_null_on_a_machine_without_the_accounts() -> None:
    told = ask(app(Kept(PERMIT)), NAMED).json()
    assert (told["account"], told["uid"], told["gid"]) == ("dtplt001", None, None)


def test_a_permit_without_obligation_has_no_account() -> None:
    told = ask(app(Kept(Response((Result(Decision.PERMIT),))), Numbers()), NAMED).json()
    assert (told["decision"], told["account"], told["uid"], told["groups"]) == ("Permit", None, None, [])


def test_two_accounts_are_none() -> None:
    two = Response((Result(Decision.PERMIT, obligations=(MAPPED, posix((Glite.USER_ID, "other")))),))
    told = ask(app(Kept(two), Numbers()), NAMED).json()
    assert (told["account"], told["groups"], len(told["obligations"])) == (None, [], 2)


def test_two_primary_groups_are_no_account_and_no_other_group_is_taken_for_one() -> None:
    login, group = (Glite.USER_ID, "dtplt001"), (Glite.PRIMARY_GROUP_ID, "dtplt")
    for named, expected in (
        ((login, group, (Glite.PRIMARY_GROUP_ID, "root")), (None, [], None)),
        ((login, (Glite.GROUP_ID, "dtplt")), ("dtplt001", [], None)),
        ((login, (Glite.GROUP_ID, "dteam"), group), ("dtplt001", ["dtplt", "dteam"], 30001)),
    ):
        answer = Response((Result(Decision.PERMIT, obligations=(posix(*named),)),))
        told = ask(app(Kept(answer), Numbers()), NAMED).json()
        assert (told["account"], [each["name"] for each in told["groups"]], told["gid"]) == expected


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (Decision.DENY, "denied"),
        (Decision.NOT_APPLICABLE, "not-applicable"),
        (Decision.INDETERMINATE, "indeterminate"),
    ],
)
def test_a_refusal_names_no_account_whatever_comes_with_it(decision: Decision, reason: str) -> None:
    status = Status(StatusCode("urn:some:code"), "some \ud800 text")
    told = ask(app(Kept(Response((Result(decision, status, (MAPPED,)),))), Numbers()), NAMED).json()
    assert (told["decision"], told["reason"]) == (decision.value, reason)
    assert (told["status"], told["message"]) == ("urn:some:code", "some \ud800 text")
    assert (told["account"], told["uid"], told["groups"], told["obligations"]) == (None, None, [], [])


def test_who_is_permitted_without_an_account_left_is_told_so() -> None:
    wanted = Result(Decision.PERMIT, obligations=(Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT),))
    told = ask(app(Kept(Response((wanted,))), handlers=(NoAccountLeft(),)), NAMED).json()
    assert (told["decision"], told["reason"], told["account"]) == ("Indeterminate", "unmapped", None)
    assert told["message"] == "no free account in the pool dtplt"


@pytest.mark.parametrize("other", [Decision.DENY, Decision.NOT_APPLICABLE, Decision.INDETERMINATE])
def test_of_several_results_all_have_to_permit(other: Decision) -> None:
    for results in ((PERMIT.results[0], Result(other)), (Result(other), PERMIT.results[0])):
        assert ask(app(Kept(Response(results))), NAMED).json()["decision"] == other.value


def test_the_journal_gets_what_it_gets_of_the_other_wire() -> None:
    kept = Kept(PERMIT)
    ask(app(kept), NAMED)
    (exchange,) = kept.exchanges
    assert (exchange.id, exchange.address, exchange.received_at) == ("_1", "192.0.2.7", START)
    assert (exchange.request, exchange.response.results) == (kept.asked[0], PERMIT.results)


def test_answers_are_dated_and_not_to_be_kept() -> None:
    for reply in (ask(app(Kept(PERMIT)), NAMED), ask(app(Kept(PERMIT)), {}), send(app(Kept(PERMIT)), "GET", "/v1/x")):
        assert reply.headers["date"] == "Tue, 24 Nov 2026 12:00:00 GMT"
        assert reply.headers["cache-control"] == "no-store"


# What cannot be served


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_must_be_declared_as_json(media_type: str | None) -> None:
    kept = Kept(PERMIT)
    headers = {"content-type": media_type} if media_type else {}
    reply = send(app(kept), "POST", "/v1/authorize", content=json.dumps(NAMED), headers=headers)
    assert (reply.status_code, reply.headers["accept-post"]) == (415, "application/json")
    assert problem_of(reply)["type"] == "about:blank"
    assert kept.asked == []


def test_a_parameter_of_the_media_type_does_no_harm() -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    reply = send(app(Kept(PERMIT)), "POST", "/v1/authorize", content=json.dumps(NAMED), headers=headers)
    assert reply.status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused_with_the_one_that_there_is(method: str) -> None:
    reply = send(app(Kept(PERMIT)), method, "/v1/authorize")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    problem_of(reply)


@pytest.mark.parametrize("path", ["/v1/", "/v1/authorize/", "/v1/authorise", "/v1/docs"])
def test_other_paths_do_not_exist(path: str) -> None:
    assert problem_of(send(app(Kept(PERMIT)), "GET", path))["status"] == 404


def test_the_limit_of_the_body_is_that_of_the_other_wire() -> None:
    padded = json.dumps(NAMED).encode().ljust(base64_lines.MAX_BODY)
    headers = {"content-type": "application/json"}
    assert send(app(Kept(PERMIT)), "POST", "/v1/authorize", content=padded, headers=headers).status_code == 200
    reply = send(app(Kept(PERMIT)), "POST", "/v1/authorize", content=padded + b" ", headers=headers)
    assert problem_of(reply)["status"] == 413
    assert reply.headers["connection"] == "close"


def test_beyond_the_load_questions_are_told_to_come_back() -> None:
    entered, release = threading.Semaphore(0), threading.Event()

    class Waiting(Kept):
        def decide(self, request: Request, call: Call) -> Response:
            entered.release()
            assert release.wait(10)
            return self.answer

    async def two(asgi: ASGIApp) -> tuple[int, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="https://argus") as http:
            first = asyncio.create_task(http.post("/v1/authorize", json=NAMED))
            await asyncio.to_thread(entered.acquire)
            second = await http.post("/v1/authorize", json=NAMED)
            release.set()
            return (await first).status_code, second

    first, second = asyncio.run(two(app(Waiting(PERMIT), load=Load(working=1, waiting=0))))
    assert (first, problem_of(second)["status"], second.headers["retry-after"]) == (200, 503, "5")


def test_a_failure_of_ours_shows_nothing_of_itself() -> None:
    class Broken(Kept):
        def record(self, exchange: Exchange) -> None:
            raise KeyError("secret")

    reply = ask(app(Broken(PERMIT)), NAMED)
    assert (reply.status_code, problem_of(reply)["detail"]) == (500, "internal error")
    assert "secret" not in reply.text


# The document


def resolved(document: dict[str, Any], reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [each for value in node.values() for each in references(value)]
    return [each for value in node for each in references(value)] if isinstance(node, list) else []


def test_the_openapi_document_describes_questions_answers_and_problems() -> None:
    reply = send(app(Kept(PERMIT)), "GET", "/v1/openapi.json")
    assert reply.headers["content-type"] == "application/json"
    document = reply.json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {"/v1/authorize"}
    operation = document["paths"]["/v1/authorize"]["post"]
    assert set(operation["responses"]) == {"200", "400", "403", "413", "415", "500", "503"}
    assert all(resolved(document, reference) for reference in references(document))
    answer = resolved(document, "#/components/schemas/AnswerBody")
    assert set(answer["required"]) == set(ask(app(Kept(PERMIT)), NAMED).json()) == set(answer["properties"])
    question = resolved(document, "#/components/schemas/QuestionBody")
    assert set(question["required"]) == {"resource", "action"}
    assert question["additionalProperties"] is False


@pytest.mark.parametrize("question", [ASKED, NAMED])
def test_the_examples_of_the_tests_fit_the_document(question: dict[str, object]) -> None:
    schemas = send(app(Kept(PERMIT)), "GET", "/v1/openapi.json").json()["components"]["schemas"]
    assert set(question) <= set(schemas["QuestionBody"]["properties"])
