"""A port in clear and one with TLS, in a process that does nothing else.

Usage: open_port.py CERTIFICATE KEY CERTIFICATES. Says where they are as soon as they answer.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.responses import PlainTextResponse

from argus_py.run.servers import Daemon, Port, Servers
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import TrustDirectory
from argus_py.web.tls import ServerTls, TlsSettings

IDLE = timedelta(minutes=10)


def now() -> datetime:
    return datetime.now(UTC)


def main(certificate: Path, key: Path, certificates: Path) -> None:
    trust = Snapshot("trust directory", TrustDirectory(certificates).load, now)
    trust.refresh()
    app = PlainTextResponse("hello")
    clear = Port("CLEAR", "127.0.0.1", 0, app, None, IDLE)
    tls = Port("TLS", "127.0.0.1", 0, app, ServerTls(TlsSettings(certificate, key), trust, now), IDLE)
    servers = Servers([Daemon(clear), Daemon(tls)])

    def ready() -> None:
        for name, url in servers.urls.items():
            sys.stdout.write(f"{name} {url}\n")
        sys.stdout.flush()

    servers.run(ready)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
