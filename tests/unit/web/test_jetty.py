"""Requests that nothing is made for, beside the recorded answers of the Java daemon."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from argus_py.web.jetty import SERVICE_PORT, UnservedRequests, refusal

RECORDED = json.loads((Path(__file__).parents[2] / "vectors" / "http" / "java-daemon-http.json").read_text())
DEVIATIONS = {
    "allow": "Java sets it after the answer was sent",
    "content-length": "of the page, which names neither the servlet nor the path here",
    "transfer-encoding": "a body of known length is sent with its length",
}


async def served(_request: Request) -> Response:
    return PlainTextResponse("served")


PORT = UnservedRequests(
    Starlette(routes=[Route(path, served, methods=["GET", "POST"]) for path in SERVICE_PORT]), SERVICE_PORT
)


def ask(method: str, path: str, port: UnservedRequests = PORT) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(port), base_url="http://pep") as client:
            return await client.request(method, path)

    return asyncio.run(send())


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['method']}-{case['path']}")
def test_statuses_are_those_of_java_and_headers_too_with_listed_exceptions(case: dict[str, Any]) -> None:
    answer = ask(case["method"], case["path"])
    assert answer.status_code == case["status"]
    if case["status"] == 200:
        return
    recorded = {name.lower(): value for name, value in case["headers"].items()}
    differing = {name for name, _ in answer.headers.items() ^ recorded.items()}
    assert differing <= set(DEVIATIONS)
    assert (answer.headers["content-length"] == "0") == (recorded["content-length"] == "0")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_status_page_is_there_for_get_and_head(method: str) -> None:
    assert ask(method, "/status").status_code == 200


def test_the_page_has_the_sentence_of_java() -> None:
    answer = ask("GET", "/authz")
    assert "HTTP method GET is not supported by this URL" in answer.text
    assert answer.headers["allow"] == "POST"


def test_what_a_client_sends_is_not_in_the_page() -> None:
    assert "script" not in ask("GET", "/<script>").text


@pytest.mark.parametrize(
    ("method", "allowed", "status"),
    [
        ("GET", (), 404),
        ("HEAD", (), 404),
        ("POST", (), 405),
        ("PUT", (), 405),
        ("TRACE", ("GET",), 405),
        ("PATCH", (), 501),
        ("CONNECT", ("GET",), 501),
        ("get", ("GET",), 501),
    ],
)
def test_words_that_java_does_not_know_are_not_implemented(method: str, allowed: tuple[str, ...], status: int) -> None:
    assert refusal(method, allowed).status_code == status


@pytest.mark.parametrize(("path", "status"), [("/v1/x", 200), ("/v1/", 200), ("/v1", 404), ("/v10/x", 404)])
def test_what_is_mounted_answers_for_itself(path: str, status: int) -> None:
    everything = Starlette(routes=[Route("/{path:path}", served, methods=["GET"])])
    assert ask("GET", path, UnservedRequests(everything, SERVICE_PORT, mounted="/v1")).status_code == status
