"""What open connections cost that nobody uses: memory of each, and processor time of all of them.

Each has had a request of 8,000 octets with a short answer. The yardstick is uvicorn on uvloop, with the same TLS
context.
"""

import socket
import ssl
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import ask, connect, http
from benchmarks.processes import Server, serving
from benchmarks.tables import Row, show
from demo.site import Site, make_site

_CONNECTIONS = 2000
_FIRST = 200  # connections that come and go before, so that what is needed once is there
_IDLE = 5.0  # seconds
_BODY = b"x" * 8000


@dataclass(frozen=True, slots=True)
class Idle:
    """``kib`` of one connection."""

    name: str
    server: Server
    kib: float


def main(root: Path) -> None:
    site = make_site(root)
    with ExitStack() as stack:
        ports = [_opened(stack, site, how, server) for how in ("clear", "tls") for server in ("listener", "uvicorn")]
        before = [port.server.cpu_seconds() for port in ports]
        time.sleep(_IDLE)
        seconds = [port.server.cpu_seconds() - begin for port, begin in zip(ports, before, strict=True)]
    rows = []
    for ours, theirs in ((0, 1), (2, 3)):
        name = ports[ours].name
        rows += [
            Row(f"{name}: memory of a connection, KiB", ports[ours].kib, ports[theirs].kib),
            Row(f"{name}: processor time of {_IDLE:g} s, ms", seconds[ours] * 1e3, seconds[theirs] * 1e3),
        ]
    show(f"{_CONNECTIONS:,} idle connections", "argus", "uvicorn hello", rows)


def _opened(stack: ExitStack, site: Site, how: str, kind: str) -> Idle:
    files = map(str, (*site.host, site.certificates))
    server = stack.enter_context(serving([sys.executable, "-m", "benchmarks.hello", kind, how, *files], urls=1))
    port = server.port("hello")
    tls = _client(site) if how == "tls" else None
    request = http(port, _BODY, "keep-alive")

    def open_one() -> socket.socket:
        connection = connect(port, tls)
        ask(connection, request)
        return connection

    for _ in range(_FIRST):
        open_one().close()
    before = server.resident_mib()
    for _ in range(_CONNECTIONS):
        stack.enter_context(open_one())
    kib = (server.resident_mib() - before) * 1024 / _CONNECTIONS
    return Idle("with TLS" if tls else "in clear", server, kib)


def _client(site: Site) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(capath=site.certificates)
    context.load_cert_chain(site.add_pilot("Idle User"))
    return context
