"""Life of a daemon: bind, serve, refresh in the background, drain at SIGTERM.

All ports are bound before the first one answers, so a daemon is there whole or not at all. SIGTERM and SIGINT stop the
listeners and give requests in progress a limited time; those that need more are cut off, and the process says so by
ending with status 1.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from argus_py.errors import ConfigurationError
from argus_py.web.connection import HttpConnection
from argus_py.web.tls import ServerTls, tls_connections

_log = logging.getLogger(__name__)
_BACKLOG = 2048
_FAREWELL = 1.0  # seconds to take the last octets and close; clients that pool connections may never read the good-bye


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
    """Something that is looked at again and again, in a thread of its own."""

    name: str
    every: timedelta
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Daemon:
    port: Port
    periodic: tuple[Periodic, ...] = ()


class Servers:
    """The daemons of one process."""

    def __init__(self, daemons: Sequence[Daemon], drain: timedelta = timedelta(seconds=10)) -> None:
        """``drain`` is what requests in progress get at the end.

        Raises ConfigurationError: a port cannot be bound.
        """
        self._periodic = tuple(dict.fromkeys(task for daemon in daemons for task in daemon.periodic))
        self._drain = drain.total_seconds()
        self._stopping = threading.Event()
        self._bound = [(daemon.port, _bind(daemon.port)) for daemon in daemons]

    @property
    def urls(self) -> dict[str, str]:
        """Where each port is reached, by its name."""
        return {
            port.name: f"{'https' if port.tls else 'http'}://{port.host}:{bound.getsockname()[1]}"
            for port, bound in self._bound
        }

    def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM or SIGINT, return when every request in progress was answered.

        If some were not, the process ends here with status 1. ``on_ready`` is called when all ports answer.
        """
        threads = [
            threading.Thread(target=repeat, args=(task, self._stopping.wait), name=task.name, daemon=True)
            for task in self._periodic
        ]
        for thread in threads:
            thread.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                unanswered = runner.run(self._serve(on_ready))
                if unanswered:
                    _log.error("%d requests took longer than %g s to finish and are cut off", unanswered, self._drain)
                    logging.shutdown()
                    os._exit(1)  # a thread cannot be stopped, and any other way out waits for it
        finally:
            self._stopping.set()
            self._join(threads)

    async def _serve(self, on_ready: Callable[[], None]) -> int:
        """How many requests were not answered in the end."""
        servers = [_Server(_config(port), self._drain) for port, _ in self._bound]

        def stop() -> None:
            self._stopping.set()
            for server in servers:
                server.should_exit = True

        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, stop)
        async with asyncio.TaskGroup() as serving:
            for server, (_, bound) in zip(servers, self._bound, strict=True):
                serving.create_task(server.serve([bound]))
            for server in servers:
                await server.listening.wait()
            for name, url in self.urls.items():
                _log.info("%s listens on %s", name, url)
            on_ready()
        return sum(len(server.server_state.tasks) for server in servers)

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        """Let what is under way come to its end; the interpreter does not wait for the threads that take too long."""
        deadline = time.monotonic() + self._drain
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                _log.warning("left in the middle: %s", thread.name)


def repeat(task: Periodic, stopped: Callable[[float], bool]) -> None:
    """Run a task again and again; ``stopped`` waits so many seconds and says whether that is the end."""
    while not stopped(task.every.total_seconds()):
        try:
            task.run()
        except Exception:  # noqa: BLE001
            # A process boundary: a bug of ours in one refresh must not be the end of all refreshes.
            _log.exception("%s: unexpected error, next attempt in %s", task.name, task.every)


class _Server(uvicorn.Server):
    """uvicorn as one of several in a process: without signal handlers, and with an end of its own."""

    def __init__(self, config: uvicorn.Config, drain: float) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._drain = drain

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Requests get the drain time, connections that have none only time to close."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await _until(lambda: not self.server_state.tasks, self._drain)
        await _until(lambda: not self.server_state.connections, _FAREWELL)


async def _until(done: Callable[[], bool], limit: float) -> None:
    deadline = time.monotonic() + limit
    while not done() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)


def _config(port: Port) -> uvicorn.Config:
    tls = port.tls
    return uvicorn.Config(
        port.app,
        http=tls_connections(tls) if tls else HttpConnection,  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=int(port.idle_timeout.total_seconds()),
    )


def _bind(port: Port) -> socket.socket:
    try:
        family, address = address_of(socket.getaddrinfo(port.host, port.number, type=socket.SOCK_STREAM))
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {port.host} port {port.number} ({port.name}): {error}") from error


def address_of(answers: Sequence[tuple[Any, ...]]) -> tuple[int, tuple[str, int]]:
    """Family and address to bind, from the answers of ``socket.getaddrinfo``.

    COMPAT: of a name with addresses of both kinds Java takes one of IPv4, and clients expect the service there.
    """
    family, *_, address = min(answers, key=lambda answer: answer[0] != socket.AF_INET)
    return family, address[:2]
