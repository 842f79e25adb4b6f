"""A service port in a process of its own, with an application that says who asks and can be kept busy.

Run with settings in JSON as the only argument; says where it is as soon as it answers.
"""

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from argus_py.errors import ArgusError
from argus_py.run.credential import KeyPairWatch
from argus_py.run.servers import Daemon, Periodic, Port, Servers
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import TrustDirectory
from argus_py.web.answers import too_large
from argus_py.web.openssl import JudgingContext, NotPossible
from argus_py.web.tls import ServerTls, TlsSettings, peer_chain
from argus_py.web.workers import Load, Workers


def application(tls: ServerTls, workers: Workers) -> Starlette:
    """``/authz``: the caller as the application sees him; ``/wait?file=``: an answer as soon as that file exists;
    ``/failures``: of handshakes, as on status pages.
    """
    served: list[str] = []

    async def authz(request: Request) -> Response:
        served.append(request.url.path)
        chain = peer_chain(request.scope)
        caller = {"subject": chain.subject.slash(), "proxies": len(chain.proxies)} if chain else None

        def answer(body: bytes) -> Response:
            return JSONResponse({"caller": caller, "octets": len(body), "served": len(served)})

        return await workers.serve(request, answer, too_large)

    async def wait(request: Request) -> Response:
        file = Path(request.query_params["file"])

        def answer(_body: bytes) -> Response:
            file.with_suffix(".begun").touch()
            while not file.exists():
                time.sleep(0.01)
            return PlainTextResponse("done")

        return await workers.serve(request, answer, too_large)

    async def failures(_request: Request) -> Response:
        return JSONResponse(dict(tls.failures.lines()))

    return Starlette(
        routes=[
            Route("/authz", authz, methods=["GET", "POST"]),
            Route("/wait", wait, methods=["POST"]),
            Route("/failures", failures, methods=["GET"]),
        ]
    )


def servers(settings: dict[str, Any]) -> Servers:
    if settings["files"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, tuple(settings["files"]))
    trust = Snapshot("trust directory", TrustDirectory(Path(settings["trust"])).load, now)
    trust.refresh()
    tls = TlsSettings(
        Path(settings["certificate"]),
        Path(settings["key"]),
        require_client_certificate=settings["require"],
        protocols=tuple(settings["protocols"]),
    )
    idle = timedelta(seconds=settings["idle"])
    server_tls = ServerTls(tls, trust, now, JudgingContext.judge_clients if settings["judging"] else judge_nobody)
    app = application(server_tls, Workers(Load(settings["working"], settings["waiting"]), max_body=1_000_000))
    port = Port("TEST", settings["host"], settings["port"], app, server_tls, idle)
    often = timedelta(seconds=settings["look"])
    follow_trust = Periodic(trust.name, often, trust.refresh)
    follow_certificate = Periodic("host certificate", often, KeyPairWatch(server_tls.files, server_tls.reload))
    return Servers([Daemon(port, (follow_trust, follow_certificate))], timedelta(seconds=settings["drain"]))


def judge_nobody(*_: object) -> None:
    """As with a Python whose OpenSSL cannot be reached."""
    raise NotPossible("this is a test")


def now() -> datetime:
    return datetime.now(UTC)


def main(settings: dict[str, Any]) -> None:
    try:
        running = servers(settings)
    except ArgusError as error:
        sys.exit(str(error))

    def ready() -> None:
        sys.stdout.write(f"{running.urls['TEST']}\n")
        sys.stdout.flush()

    running.run(ready)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
