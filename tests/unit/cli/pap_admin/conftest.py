"""A PAP in this process, with a REST interface or without, as the Java one; and pap-admin in front of it."""

import asyncio
import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from argus_py.cli.pap_admin import Site, Told, run
from argus_py.cli.pap_admin.address import rest_url
from argus_py.cli.pap_admin.arguments import Arguments
from argus_py.cli.pap_admin.command import Console
from argus_py.cli.pap_admin.connection import service
from argus_py.cli.pap_admin.service import PapService
from argus_py.model.dn import DistinguishedName
from argus_py.pap.access import StoredAcl
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap
from argus_py.pap.provisioning import root
from argus_py.pap.take_up import POLL_INTERVAL
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap_rest import pap_rest
from argus_py.web.pap_services import Callers, management_routes
from argus_py.web.workers import Load
from argus_py.xacml.policy import PolicySet

URL = "https://localhost:8150/pap/services/"
EVERYTHING = Acl(((ANYONE, Permission.ALL),))
ADMIN = Admin(DistinguishedName.parse_slash("/DC=org/DC=example/CN=Admin"))


class InProcess(httpx.BaseTransport):
    """Requests go straight into an ASGI application."""

    def __init__(self, app: Starlette) -> None:
        self.requests: list[httpx.Request] = []
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        inside = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = await httpx.ASGITransport(self._app).handle_async_request(inside)
        stream = httpx.ByteStream(await answer.aread())  # as from the network: not read yet
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)


@dataclass(frozen=True, slots=True)
class Outcome:
    exit_code: int
    stdout: str = ""
    stderr: str = ""


@dataclass
class PapAdmin:
    """The command, with a PAP of its own. ``user`` answers its questions, None: there is nobody."""

    acl: Acl = EVERYTHING
    speaks: str = "rest"
    user: Callable[[str], str] | None = None
    refreshed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._store = MemoryPolicies()
        ensure_default_pap(self._store, new_id)
        with self._store.change(Note("test", "set up")) as writer:
            writer.set_acl(self.acl)
            writer.set_setting(POLL_INTERVAL, "600")  # as the recorded PAP was configured
        gate = Gate(StoredAcl(self._store))
        use_cases = UseCases.of(self._store, gate, DEFAULT_MAPPINGS, new_id, self._refresh)
        callers = Callers(lambda _scope: ADMIN, gate)
        services = management_routes(use_cases, callers, "pap.example.org", Load(4))
        routes = [Mount("/pap/services", routes=services)]
        if self.speaks == "rest":
            routes.append(Mount("/v1", pap_rest(use_cases, callers, DEFAULT_MAPPINGS, new_id)))
        self.http = InProcess(Starlette(routes=routes))

    def __call__(self, *argv: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        exit_code = run(argv, Console(out, err, self.user), Site(lambda _given: URL, self._pap_at))
        return Outcome(exit_code, out.getvalue(), err.getvalue())

    def _pap_at(self, _given: Arguments, url: str, dry_run: Told | None) -> PapService:
        return service(url, rest_url(url), self.http, dry_run)

    def _refresh(self, pap: Pap) -> None:
        self.refreshed.append(pap.alias)

    def root(self) -> PolicySet:
        """What a PDP gets."""
        with self._store.read() as reader:
            return root(reader)


def new_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture(params=["rest", "soap"])
def pap_admin(request: pytest.FixtureRequest) -> PapAdmin:
    return PapAdmin(speaks=request.param)


@pytest.fixture
def make_pap_admin() -> type[PapAdmin]:
    return PapAdmin
