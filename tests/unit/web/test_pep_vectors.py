"""Odd requests at the service port: each ends as at the Java daemon, or in the better way that the tables below give.

What a request that is read means in detail is compared in ``tests/unit/hessian/test_messages.py``.
"""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from argus_py.hessian import base64_lines, messages
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response, Result
from argus_py.observe.metrics import Counters
from argus_py.pep.attributes import without_empty_values
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.ports import Call
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

VECTORS = Path(__file__).parents[2] / "vectors" / "pep" / "cases"
CASES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("srv-req-*.json"))}
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

SERVED_HERE_REFUSED_BY_JAVA = {
    "srv-req-attribute-values-null": "a null collection is an empty one",
    "srv-req-attributes-null": "a null collection is an empty one",
    "srv-req-b64-high-bytes": "an octet outside the base64 alphabet is dropped, whatever it is",
    "srv-req-b64-no-padding-needed": "padding is not needed",
    "srv-req-subjects-null": "a null collection is an empty one",
    "srv-req-utf8-4byte": "what the C library makes of characters above U+FFFF is UTF-8",
}
REFUSED_HERE_READ_BY_JAVA = {
    "srv-req-attribute-id-missing": "an attribute without id, which no PDP can be asked about",
    "srv-req-value-null": "null for a value: the Java daemon reads it and fails at the query, with Indeterminate",
    "srv-req-value-types": "a binary value: a Java policy compares with the address of an object",
}


@dataclass
class Recording:
    """A decision point and a journal that keep what reaches them."""

    asked: list[Request] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def decide(self, request: Request, call: Call) -> Response:
        self.asked.append(request)
        return Response((Result(Decision.NOT_APPLICABLE),))

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def post(body: bytes) -> tuple[httpx.Response, Recording, tuple[int, int]]:
    recording, counts = Recording(), Counters()
    enforcer = Enforcer((), recording, ObligationService(()), lambda: NOW, counts, monotonic=lambda: 0.0)
    status = StatusPage("Argus PEP Server", "1.0", NOW, counts.read, lambda: ())
    app = pep_app(enforcer, recording, status, lambda: NOW, Load(), monotonic=lambda: 0.0)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://argus") as http:
            return await http.post("/authz", content=body)

    return asyncio.run(send()), recording, counts.read()


def is_served(name: str) -> bool:
    if name in SERVED_HERE_REFUSED_BY_JAVA or name in REFUSED_HERE_READ_BY_JAVA:
        return name in SERVED_HERE_REFUSED_BY_JAVA
    return bool(CASES[name]["java_daemon"]["status"] == 200)


def body_of(name: str) -> bytes:
    return str(CASES[name]["request"]).encode("latin-1")


def test_every_case_is_here_and_every_difference_is_one() -> None:
    assert len(CASES) == 54
    java = {name: case["java_daemon"]["status"] for name, case in CASES.items()}
    assert set(java.values()) == {200, 500}
    assert {java[name] for name in SERVED_HERE_REFUSED_BY_JAVA} == {500}
    assert {java[name] for name in REFUSED_HERE_READ_BY_JAVA} == {200}


@pytest.mark.parametrize("name", [name for name in CASES if is_served(name)])
def test_a_request_that_is_read_is_decided_upon_and_answered(name: str) -> None:
    reply, recording, counts = post(body_of(name))
    request = without_empty_values(messages.read_request(base64_lines.decode(body_of(name))))
    assert (reply.status_code, recording.asked, counts) == (200, [request], (1, 0))
    assert [exchange.response.request for exchange in recording.exchanges] == [request]
    assert messages.read_response(base64_lines.decode(reply.content)).results == (Result(Decision.NOT_APPLICABLE),)


@pytest.mark.parametrize("name", [name for name in CASES if not is_served(name)])
def test_a_body_that_is_no_request_reaches_nobody(name: str) -> None:
    """BETTER: 400 and a sentence, where Java answers 500 and a stack trace; clients do not tell the two apart."""
    reply, recording, counts = post(body_of(name))
    assert (reply.status_code, recording, counts) == (400, Recording(), (0, 0))
    assert len(reply.text.splitlines()) == 1
    assert "Traceback" not in reply.text
