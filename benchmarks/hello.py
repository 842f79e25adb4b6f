"""The yardstick of the servers: uvicorn that says hello over mutual TLS.

Usage: python -m benchmarks.hello CERTIFICATE KEY CERTIFICATES [--judge]

The TLS context is that of the daemons, but OpenSSL judges the clients. With ``--judge`` the daemons' way is taken.
"""

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from argus_py.run.parts import now, trust_anchors
from argus_py.web.openssl import JudgingContext, NotPossible
from argus_py.web.tls import ServerTls, TlsSettings, tls_connections

ANSWER = b"Hello, world!"
_BACKLOG = 2048


async def hello(_scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, which the daemons have to do too."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def leave_it_to_openssl(*_: object) -> None:
    raise NotPossible("this is the yardstick")


def main(certificate: Path, key: Path, certificates: Path, judge: bool) -> None:
    judge_clients = JudgingContext.judge_clients if judge else leave_it_to_openssl
    tls = ServerTls(TlsSettings(certificate, key), trust_anchors(certificates), now, judge_clients)
    config = uvicorn.Config(
        hello,
        http=tls_connections(tls) if judge else "httptools",  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        ssl_context_factory=None if judge else lambda _config, _default: tls.context,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) as bound:
        print(f"hello https://localhost:{bound.getsockname()[1]}", flush=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(uvicorn.Server(config).serve([bound]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), judge="--judge" in sys.argv[4:])
