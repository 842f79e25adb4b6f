"""The REST interface over a PAP in memory; requests name their sender in a header."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Scope

from argus_py.errors import CredentialRejected
from argus_py.model.dn import DistinguishedName
from argus_py.pap.access import StoredAcl
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import Acl, Admin, Gate, parse_acl
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap_rest import MOUNTED, pap_rest
from argus_py.web.pap_services import Callers

ACL = parse_acl(
    '[dn]\n"/CN=admin" : ALL\n"/CN=reader" : POLICY_READ_LOCAL\n"/CN=watcher" : CONFIGURATION_READ\n', "acl"
)
SPL = {"Content-Type": "application/vnd.argus.spl"}
ONE = 'resource "r" { action "a" { rule permit { vo="atlas" } } }'
BAN = {"attribute": {"name": "vo", "value": "x"}}


def admin_of(scope: Scope) -> Admin:
    name = dict(scope["headers"]).get(b"x-name")
    if name is None:
        raise CredentialRejected("no client certificate")
    return Admin(DistinguishedName.parse_slash(f"/CN={name.decode()}"))


def new_id() -> str:
    return str(uuid.uuid4())


def set_up(policies: PolicyRepository, acl: Acl = ACL) -> None:
    """With the pap ``default``, and a copy of one elsewhere."""
    ensure_default_pap(policies, lambda: "1")
    with policies.change(Note("test", "set up")) as writer:
        writer.add_pap(Pap("central-1", "central", remote=Remote("pap.example.org")))
        writer.set_acl(acl)


class Rest:
    """The interface, spoken to by somebody: ``admin`` unless told otherwise.

    ``raises``: what is a bug there is an error here.
    """

    def __init__(self, policies: PolicyRepository, *, raises: bool = True) -> None:
        self.policies = policies
        self._raises = raises
        self.refreshed: list[str] = []
        gate = Gate(StoredAcl(policies))
        use_cases = UseCases.of(policies, gate, DEFAULT_MAPPINGS, new_id, lambda pap: self.refreshed.append(pap.alias))
        app = pap_rest(use_cases, Callers(admin_of, gate), DEFAULT_MAPPINGS)
        self.app = Starlette(routes=[Mount(MOUNTED, app)])

    def __call__(self, method: str, path: str, name: str | None = "admin", **request: Any) -> httpx.Response:
        """``path`` is that behind /v1."""
        return asyncio.run(self._send(method, f"{MOUNTED}{path}", name, request))

    async def _send(self, method: str, path: str, name: str | None, request: dict[str, Any]) -> httpx.Response:
        headers = ({"X-Name": name} if name else {}) | request.pop("headers", {})
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=self._raises)
        async with httpx.AsyncClient(transport=transport, base_url="https://pap") as client:
            return await client.request(method, path, headers=headers, **request)

    def add(self, text: str = ONE, **params: str) -> httpx.Response:
        return self("POST", "/paps/default/policies", content=text, headers=SPL, params=params)

    def text(self) -> str:
        return self("GET", "/listing").text


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and cause of what is problem details in every respect."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:argus:problem:{body['title'].lower().replace(' ', '-')}"
    assert uuid.UUID(body["instance"].removeprefix("urn:uuid:"))
    assert body["detail"]
    return answer.status_code, body["error"]


@pytest.fixture
def rest() -> Rest:
    policies = MemoryPolicies()
    set_up(policies)
    return Rest(policies)


@pytest.fixture(scope="session")
def untouched() -> Iterator[Rest]:
    """For tests of what changes nothing; that is checked in the end."""
    policies = MemoryPolicies()
    set_up(policies)
    yield Rest(policies)
    assert policies.changes(limit=1)[0].note.command == "set up"
