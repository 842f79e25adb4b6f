"""The management services against whatever is sent to them: an answer or a fault, and no change by a fault."""

import asyncio
import itertools
import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from argus_py.model.dn import DistinguishedName
from argus_py.pap.access import StoredAcl
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap_services import Callers, management_routes
from argus_py.web.workers import Load

EXCHANGES: list[dict[str, Any]] = [
    each
    for each in json.loads((Path(__file__).parents[1] / "vectors" / "pap-soap" / "exchanges.json").read_text())
    if each["service"] not in ("ProvisioningService", "NoSuchService")
]
ADMIN = Admin(DistinguishedName.parse_slash("/CN=admin"))
PIECES = (
    b"default",
    b"far",
    b"nope",
    b"",
    b"-1",
    b"true",
    b"9" * 400,
    b"\xff",
    b"<a>",
    b"</",
    b"&lt;",
    b"\x00",
    b"CN=",
)


@cache
def services() -> tuple[MemoryPolicies, Starlette]:
    store, numbers = MemoryPolicies(), itertools.count()

    def new_id() -> str:
        return f"00000000-0000-4000-8000-{next(numbers):012}"

    ensure_default_pap(store, new_id)
    with store.change(Note("test", "set up")) as writer:
        writer.set_acl(Acl(((ANYONE, Permission.ALL),)))
        writer.add_pap(Pap("far-1", "far", remote=Remote("far.example.org")))
    gate = Gate(StoredAcl(store))
    use_cases = UseCases.of(store, gate, DEFAULT_MAPPINGS, new_id, lambda pap: None)
    return store, Starlette(routes=management_routes(use_cases, Callers(lambda _: ADMIN, gate), "pap", Load(2)))


def send(service: str, body: bytes) -> httpx.Response:
    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(services()[1])  # an exception in there is one here
        async with httpx.AsyncClient(transport=transport, base_url="https://pap") as client:
            return await client.post(f"/{service}", content=body, headers={"SOAPAction": ""})

    return asyncio.run(exchange())


def check(service: str, body: bytes) -> None:
    store = services()[0]
    before = store.revision()
    answer = send(service, body)
    assert answer.status_code in (200, 500)
    assert b"internal error" not in answer.content
    if answer.status_code == 500:
        assert b"Fault>" in answer.content
        assert store.revision() == before


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXCHANGES), st.data())
def test_recorded_messages_with_pieces_exchanged(exchange: dict[str, Any], data: st.DataObject) -> None:
    body = bytearray(exchange["request"].encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = min(len(body), start + data.draw(st.integers(0, 40)))
        body[start:end] = data.draw(st.sampled_from(PIECES))
    check(exchange["service"], bytes(body))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(EXCHANGES), st.data())
def test_values_in_the_places_of_others(exchange: dict[str, Any], data: st.DataObject) -> None:
    texts = exchange["request"].split(">")
    place = data.draw(st.integers(0, len(texts) - 1))
    texts[place] = data.draw(st.text(max_size=20)).replace("<", "") + "<" + texts[place].rpartition("<")[2]
    check(exchange["service"], ">".join(texts).encode("utf-8", "surrogatepass"))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(EXCHANGES), st.binary(max_size=200))
def test_noise(exchange: dict[str, Any], body: bytes) -> None:
    check(exchange["service"], body)
