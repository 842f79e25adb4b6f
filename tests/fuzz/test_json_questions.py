"""Questions made by the rules of the OpenAPI document, and near them: no failure of ours, never an unearned Permit."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.ports import Call
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.v1 import openapi
from argus_py.web.workers import Load

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SCHEMAS = openapi()["components"]["schemas"]
JSON = {"content-type": "application/json"}
ALICE = "CN=Alice"


class PermitsAlice:
    """A policy that permits one name; anything else is not applicable."""

    def decide(self, request: Request, call: Call) -> Response:
        named = [
            value
            for subject in request.subjects
            for attribute in subject.attributes
            if attribute.id == AttributeId.SUBJECT_ID
            for value in attribute.values
        ]
        return Response((Result(Decision.PERMIT if named == [ALICE] else Decision.NOT_APPLICABLE),))

    def record(self, exchange: Exchange) -> None: ...


def app() -> Any:
    counts, decisions = Counters(), PermitsAlice()
    pips = (RequestValidator(),)
    enforcer = Enforcer(pips, decisions, ObligationService(()), lambda: NOW, counts, monotonic=lambda: 0.0)
    status = StatusPage("Argus PEP Server", "1.0", NOW, counts.read, lambda: ())
    return pep_app(enforcer, decisions, status, lambda: NOW, Load(working=2), monotonic=lambda: 0.0)


APP = app()


def post(body: bytes) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="https://argus") as http:
            return await http.post("/v1/authorize", content=body, headers=JSON)

    return asyncio.run(send())


def fits(value: object, schema: dict[str, Any]) -> bool:
    """The part of JSON Schema that the document uses."""
    if "$ref" in schema:
        return fits(value, SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    kinds: dict[str, Callable[[Any], bool]] = {
        "null": lambda value: value is None,
        "string": lambda value: isinstance(value, str),
        "integer": lambda value: type(value) is int,
        "array": lambda value: isinstance(value, list) and all(fits(each, schema["items"]) for each in value),
        "object": lambda value: (
            isinstance(value, dict)
            and set(schema["required"]) <= set(value)
            and all(
                fits(each, schema["properties"][name]) for name, each in value.items() if name in schema["properties"]
            )
        ),
    }
    return kinds[schema["type"]](value) and value in schema.get("enum", [value])


texts = st.text(min_size=1, max_size=30).filter(lambda text: "PRIVATE KEY-----" not in text)
common = {
    "resource": texts,
    "action": texts,
    "profile": st.sampled_from(SCHEMAS["QuestionBody"]["properties"]["profile"]["enum"]),
}
pilot = {"pilot_certificates": texts}
questions = st.one_of(
    st.fixed_dictionaries(common | {"certificates": texts}, optional=pilot),
    st.fixed_dictionaries(
        common | {"subject": texts | st.sampled_from([ALICE, "/O=Example/CN=Bob"])},
        optional=pilot | {"fqans": st.lists(texts | st.sampled_from(["/dteam", "/dteam/Role=pilot"]), max_size=3)},
    ),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def check(reply: httpx.Response, asked: object) -> None:
    if reply.status_code != 200:
        assert reply.status_code == 400
        assert fits(reply.json(), SCHEMAS["ProblemBody"])
        return
    told = reply.json()
    assert fits(told, SCHEMAS["AnswerBody"])
    if told["decision"] == "Permit":
        assert isinstance(asked, dict)
        assert asked["subject"].strip() in (ALICE, f"/{ALICE}")


@settings(max_examples=150, deadline=None)
@given(questions)
def test_a_question_of_the_document_gets_an_answer_or_a_reason(question: dict[str, object]) -> None:
    check(post(json.dumps(question).encode("utf-8", "surrogatepass")), question)


@settings(max_examples=150, deadline=None)
@given(questions, st.dictionaries(st.sampled_from([*SCHEMAS["QuestionBody"]["properties"], "x"]), values, min_size=1))
def test_a_question_with_wrong_values_is_never_permitted_for_another(
    question: dict[str, object], wrong: dict[str, object]
) -> None:
    asked = question | wrong
    check(post(json.dumps(asked).encode("utf-8", "surrogatepass")), asked)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_a_bad_request(body: bytes) -> None:
    reply = post(body)
    assert reply.status_code == 400
    assert fits(reply.json(), SCHEMAS["ProblemBody"])


@settings(max_examples=100, deadline=None)
@given(questions, st.data())
def test_a_cut_or_changed_body_is_refused_or_answered(question: dict[str, object], data: st.DataObject) -> None:
    body = bytearray(json.dumps(question).encode())
    place = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        del body[place:]
    else:
        body[place] = data.draw(st.integers(0, 255))
    assert post(bytes(body)).status_code in (200, 400)
