"""Life of a daemon: bind, serve, refresh in the background, drain at SIGTERM.

All ports are bound before the first one answers, so a daemon is there whole or not at all. SIGTERM and SIGINT stop the
listeners, give requests in progress a limited time, and end the process with status 0 only if all of them finished.
"""

import asyncio
import contextlib
import functools
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import uvicorn
import uvloop
from starlette.types import ASGIApp

from argus_py.errors import ConfigurationError
from argus_py.web.tls import ServerTls, TlsProtocol

_log = logging.getLogger(__name__)
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Port:
    """One listener: ``tls`` None means plain HTTP; ``number`` 0 lets the system choose."""

    name: str
    host: str
    number: int
    app: ASGIApp
    tls: ServerTls | None
    idle_timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something that is looked at again and again, in a thread of its own; ``run`` must not raise."""

    name: str
    every: timedelta
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Daemon:
    port: Port
    periodic: tuple[Periodic, ...] = ()


class Servers:
    """The daemons of one process."""

    def __init__(self, daemons: Sequence[Daemon], drain: float = 10.0) -> None:
        """``drain``: seconds that requests in progress get at the end.

        Raises ConfigurationError: a port cannot be bound.
        """
        self._periodic = tuple(dict.fromkeys(task for daemon in daemons for task in daemon.periodic))
        self._drain = drain
        self._stopping = threading.Event()
        self._bound = [(daemon.port, _bind(daemon.port)) for daemon in daemons]

    @property
    def urls(self) -> dict[str, str]:
        """Where each port is reached, by its name."""
        return {
            port.name: f"{'https' if port.tls else 'http'}://{port.host}:{bound.getsockname()[1]}"
            for port, bound in self._bound
        }

    def run(self, on_ready: Callable[[], None] = lambda: None) -> bool:
        """Serve until SIGTERM or SIGINT; true if every request in progress was answered.

        ``on_ready`` is called when all ports answer.
        """
        threads = [threading.Thread(target=self._repeat, args=(task,), name=task.name) for task in self._periodic]
        for thread in threads:
            thread.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(self._serve(on_ready))
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    async def _serve(self, on_ready: Callable[[], None]) -> bool:
        servers = [_Server(_config(port, self._drain)) for port, _ in self._bound]

        def stop() -> None:
            for server in servers:
                server.should_exit = True

        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, stop)
        serving = [asyncio.create_task(s.serve([bound])) for s, (_, bound) in zip(servers, self._bound, strict=True)]
        while not all(server.started for server in servers) and not any(task.done() for task in serving):
            await asyncio.sleep(0.01)
        for name, url in self.urls.items():
            _log.info("%s listens on %s", name, url)
        on_ready()
        await asyncio.gather(*serving)
        unfinished = sum(len(server.server_state.tasks) for server in servers)
        if unfinished:
            _log.error("%d requests were still in progress after %.0f s and have been cut off", unfinished, self._drain)
        return not unfinished

    def _repeat(self, task: Periodic) -> None:
        while not self._stopping.wait(task.every.total_seconds()):
            task.run()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: several of them share a process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(port: Port, drain: float) -> uvicorn.Config:
    tls = port.tls
    return uvicorn.Config(
        port.app,
        http=functools.partial(TlsProtocol, tls=tls) if tls else "httptools",  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        ssl_context_factory=(lambda _config, _default: tls.listening_context()) if tls else None,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=int(port.idle_timeout.total_seconds()),
        timeout_graceful_shutdown=int(drain),
    )


def _bind(port: Port) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(port.host, port.number, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {port.host} port {port.number} ({port.name}): {error}") from error
