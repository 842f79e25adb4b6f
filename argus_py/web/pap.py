"""The service port of the PAP daemon: REST for administrators, SOAP for other daemons, the status page for probes.

Source: argus-pap:src/main/java/org/glite/authz/pap/monitoring/MonitoredProperties.java (status)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from argus_py.errors import Unavailable
from argus_py.pap.ports import PolicyRepository
from argus_py.web.access import AccessLog
from argus_py.web.answers import answer
from argus_py.web.status import java_millis, java_time, memory_lines, page


@dataclass(frozen=True, slots=True)
class PapStatus:
    """The page that ``nagios-plugins-argus`` and the BDII provider read; ``details`` stand below what they know."""

    repository: PolicyRepository
    version: str
    started_at: datetime
    details: Callable[[], Iterable[tuple[str, str]]] = tuple

    def text(self) -> str:
        """Policies are counted as rules. Raises Unavailable: the store cannot be reached."""
        with self.repository.read() as reader:
            paps = reader.paps()
            changed_at = reader.changed_at
            rules = {pap: sum(len(p.rules) for r in reader.resources(pap) for p in r.policies()) for pap in paps}
        local = sum(count for pap, count in rules.items() if pap.is_local)
        return page(
            ("Status", "OK"),
            ("Service", "Argus PAP"),
            ("ServiceVersion", self.version),
            ("ServiceStartupTime", java_time(self.started_at)),
            ("ServiceStartupTimeMillis", str(java_millis(self.started_at))),
            *memory_lines(),
            ("PolicyLastModificationTime", java_time(changed_at)),
            ("PolicyLastModificationTimeMillis", str(java_millis(changed_at))),
            ("NumberOfPolicies", str(sum(rules.values()))),
            ("NumberOfLocalPolicies", str(local)),
            ("NumberOfRemotePolicies", str(sum(rules.values()) - local)),
            *self.details(),
        )


def pap_app(rest: APIRouter, services: Starlette, status: PapStatus, *others: Route) -> FastAPI:
    """The application of one service port."""
    app = FastAPI(title="Argus PAP", version=status.version, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(rest, prefix="/pap/rest/v1")
    app.mount("/pap/services", services)
    app.routes.extend(others)

    @app.get("/pap/status", include_in_schema=False)
    @app.head("/pap/status", include_in_schema=False)
    def show_status() -> Response:
        try:
            return PlainTextResponse(status.text())
        except Unavailable as error:
            return answer(error)

    app.add_middleware(AccessLog)
    return app
