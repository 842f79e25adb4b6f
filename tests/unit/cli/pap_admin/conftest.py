"""A PAP in this process, and pap-admin in front of it."""

import asyncio
import io
import uuid
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from argus_py.cli.pap_admin import run
from argus_py.clients.pap_rest import BASE_PATH, PapRest
from argus_py.model.dn import DistinguishedName
from argus_py.pap.administration import Administration, ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.provisioning import root
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap_rest import pap_rest
from argus_py.xacml.policy import PolicySet

URL = f"https://pap.example.org:8150{BASE_PATH}"


class InProcess(httpx.BaseTransport):
    """Requests go straight into an ASGI application."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        inside = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = await httpx.ASGITransport(self._app).handle_async_request(inside)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@dataclass(frozen=True, slots=True)
class Outcome:
    exit_code: int
    stdout: str = ""
    stderr: str = ""


class PapAdmin:
    """The command, with a PAP of its own that trusts it with everything."""

    def __init__(self, acl: Acl) -> None:
        self._policies = MemoryPolicies()
        ensure_default_pap(self._policies, new_id)
        service = Administration(self._policies, Gate(acl), DEFAULT_MAPPINGS, new_id)
        admin = Admin(DistinguishedName.parse_slash("/DC=org/DC=example/CN=Admin"))
        app = FastAPI()
        app.include_router(pap_rest(service, lambda _scope: admin), prefix=BASE_PATH.rstrip("/"))
        self._pap = PapRest(httpx.Client(base_url=URL, transport=InProcess(app)))

    def __call__(self, *argv: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        exit_code = run(argv, out, err, lambda _given: self._pap)
        return Outcome(exit_code, out.getvalue(), err.getvalue())

    def root(self) -> PolicySet:
        """What a PDP gets."""
        with self._policies.read() as reader:
            return root(reader)


def new_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def pap_admin() -> PapAdmin:
    return PapAdmin(Acl(((ANYONE, Permission.ALL),)))


@pytest.fixture
def unprivileged_pap_admin() -> PapAdmin:
    return PapAdmin(Acl())
