"""The yardstick of the servers: uvicorn that says hello over mutual TLS.

Usage: python -m benchmarks.hello {uvicorn|listener} {tls|clear} CERTIFICATE KEY CERTIFICATES

With uvicorn the TLS context is that of the daemons, but OpenSSL judges the clients and uvloop does TLS. With the
listener all is done as the daemons do it.
"""

import asyncio
import socket
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from argus_py.run.parts import now, trust_anchors
from argus_py.web.fairness import Places
from argus_py.web.listener import BACKLOG, Listener
from argus_py.web.openssl import NotPossible
from argus_py.web.tls import ServerTls, TlsSettings

ANSWER = b"Hello, world!"
_IDLE = timedelta(minutes=2)


async def hello(_scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, which the daemons have to do too."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def leave_it_to_openssl(*_: object) -> None:
    raise NotPossible("this is the yardstick")


async def serve_with_uvicorn(settings: TlsSettings | None, certificates: Path, bound: socket.socket) -> None:
    tls = ServerTls(settings, trust_anchors(certificates), now, leave_it_to_openssl) if settings else None
    config = uvicorn.Config(
        hello,
        http="httptools",
        ws="none",
        lifespan="off",
        ssl_context_factory=(lambda _config, _default: tls.context) if tls else None,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=int(_IDLE.total_seconds()),
    )
    await uvicorn.Server(config).serve([bound])


async def serve_with_listener(settings: TlsSettings | None, certificates: Path, bound: socket.socket) -> None:
    tls = ServerTls(settings, trust_anchors(certificates), now) if settings else None
    await Listener(hello, tls, _IDLE, Places(20_000)).open(bound)
    await asyncio.Event().wait()  # until the process is ended


def main(server: str, transport: str, certificate: str, key: str, certificates: str) -> None:
    serve = {"uvicorn": serve_with_uvicorn, "listener": serve_with_listener}[server]
    settings = {"tls": TlsSettings(Path(certificate), Path(key)), "clear": None}[transport]
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as bound:
        scheme = "https" if settings else "http"
        print(f"hello {scheme}://localhost:{bound.getsockname()[1]}", flush=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, Path(certificates), bound))


if __name__ == "__main__":
    main(*sys.argv[1:])
