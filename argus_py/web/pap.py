"""The service port of the PAP daemon: REST for administrators, SOAP for other daemons, the status page for probes.

Source: argus-pap:src/main/java/org/glite/authz/pap/monitoring/MonitoredProperties.java (status)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from argus_py.errors import Unavailable
from argus_py.pap.ports import PolicyRepository
from argus_py.web.access import AccessLog
from argus_py.web.answers import answer
from argus_py.web.pap_rest import MOUNTED
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

    def response(self) -> Response:
        try:
            return PlainTextResponse(self.text())
        except Unavailable as error:
            return answer(error)


def pap_app(rest: FastAPI, services: Starlette, status: PapStatus, *others: Route) -> Starlette:
    """The application of one service port."""

    def show_status(_request: Request) -> Response:
        return status.response()

    app = Starlette(
        routes=[
            *others,  # first: the feed of changes is below what is mounted
            Mount(MOUNTED, rest),
            Mount("/pap/services", services),
            Route("/pap/status", show_status),
        ],
        middleware=[Middleware(AccessLog)],
    )
    app.router.redirect_slashes = False
    return app
