"""Life of a daemon: bind, serve, refresh in the background, look again at SIGHUP, drain at SIGTERM.

All ports are bound before the first one answers, so a daemon is there whole or not at all. SIGTERM and SIGINT stop the
listeners and give requests in progress a limited time; those that need more are cut off, and the process says so by
ending with status 1. SIGHUP does now what is otherwise done at intervals: look at every file and fetch the policy.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvloop
from starlette.types import ASGIApp

from argus_py.errors import ConfigurationError
from argus_py.web.fairness import Places
from argus_py.web.listener import BACKLOG, Listener
from argus_py.web.tls import ServerTls

_log = logging.getLogger(__name__)
_CONNECTIONS = 20_000  # at once in all, which take some 40 KiB each with TLS
_OTHER_FILES = 1024  # descriptors for all else: lease files of the worker threads, calls to PDPs, the database, logs
_AFTER_A_BUG = timedelta(minutes=1)
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
class Steady:
    """Something that is done all the time, in a thread of its own: ``step`` returns how long to pause before the next.

    A step may take long, and nothing is lost when the process ends in the middle of one.
    """

    name: str
    step: Callable[[], timedelta]


@dataclass(frozen=True, slots=True)
class Daemon:
    """``admin``: the port for commands, of a daemon that has one; ``identifier``: what its log calls it.

    ``on_stop`` lets go of requests that would else be answered much later.
    """

    port: Port
    periodic: tuple[Periodic, ...] = ()
    admin: Port | None = None
    identifier: str = "Argus"
    steady: tuple[Steady, ...] = ()
    on_stop: Callable[[], None] = lambda: None


class Servers:
    """The daemons of one process."""

    def __init__(self, daemons: Sequence[Daemon], drain: timedelta = timedelta(seconds=10)) -> None:
        """``drain`` is what requests in progress get at the end.

        Raises ConfigurationError: a port cannot be bound.
        """
        self._identifiers = tuple(daemon.identifier for daemon in daemons)
        self._periodic = tuple(dict.fromkeys(task for daemon in daemons for task in daemon.periodic))
        self._steady = tuple(task for daemon in daemons for task in daemon.steady)
        self._on_stop = tuple(daemon.on_stop for daemon in daemons)
        self._drain = drain.total_seconds()
        self._stopping = threading.Event()
        admin_ports = [daemon.admin for daemon in daemons if daemon.admin is not None]
        self._bound = [(port, _bind(port)) for port in [*(daemon.port for daemon in daemons), *admin_ports]]

    @property
    def urls(self) -> dict[str, str]:
        """Where each port is reached, by its name; the admin ports come last."""
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
        for steady in self._steady:  # not waited for at the end: each of them may wait for a peer
            keep_on = threading.Thread(target=go_on, args=(steady, self._stopping.wait), name=steady.name, daemon=True)
            keep_on.start()
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
        places, stopped = Places(_room_for_connections()), asyncio.Event()
        listeners = [Listener(port.app, port.tls, port.idle_timeout, places) for port, _ in self._bound]

        def stop() -> None:
            self._stopping.set()
            stopped.set()

        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, stop)
        loop.add_signal_handler(signal.SIGHUP, self._look_again)
        for listener, (_, bound) in zip(listeners, self._bound, strict=True):
            await listener.open(bound)
        for name, url in self.urls.items():
            _log.info("%s listens on %s", name, url)
        for identifier in self._identifiers:
            _log.info("%s started", identifier)
        on_ready()
        await stopped.wait()
        for listener in listeners:
            listener.close()
        for let_go in self._on_stop:
            let_go()
        await _until(lambda: not any(listener.unanswered for listener in listeners), self._drain)
        await _until(lambda: not any(listener.connections for listener in listeners), _FAREWELL)
        return sum(listener.unanswered for listener in listeners)

    def _look_again(self) -> None:
        _log.info("SIGHUP: everything is looked at again")
        threading.Thread(target=run_now, args=(self._periodic,), name="SIGHUP", daemon=True).start()

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
        run_now((task,))


def go_on(task: Steady, stopped: Callable[[float], bool]) -> None:
    """One step after the other; ``stopped`` waits so many seconds and says whether that is the end."""
    pause = timedelta()
    while not stopped(pause.total_seconds()):
        try:
            pause = task.step()
        except Exception:  # noqa: BLE001
            # A process boundary, as in ``run_now``.
            pause = _AFTER_A_BUG
            _log.exception("%s: unexpected error, next attempt in %s", task.name, pause)


def run_now(tasks: Iterable[Periodic]) -> None:
    """Each of them once, one after the other, in this thread."""
    for task in tasks:
        try:
            task.run()
        except Exception:  # noqa: BLE001
            # A process boundary: a bug of ours in one refresh must not be the end of all refreshes.
            _log.exception("%s: unexpected error, next attempt in %s", task.name, task.every)


async def _until(done: Callable[[], bool], limit: float) -> None:
    deadline = time.monotonic() + limit
    while not done() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)


def _room_for_connections() -> int:
    """How many there can be, so that there is always a file descriptor for what they ask for.

    The limit of the process is raised as far as that takes; systemd and shells give 1024, and the right to more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _OTHER_FILES
    granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return granted - min(_OTHER_FILES, granted // 2)


def _bind(port: Port) -> socket.socket:
    try:
        family, address = address_of(socket.getaddrinfo(port.host, port.number, type=socket.SOCK_STREAM))
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
        raise ConfigurationError(f"cannot listen on {port.host} port {port.number} ({port.name}): {error}") from error


def address_of(answers: Sequence[tuple[Any, ...]]) -> tuple[int, tuple[str, int]]:
    """Family and address to bind, from the answers of ``socket.getaddrinfo``.

    COMPAT: of a name with addresses of both kinds Java takes one of IPv4, and clients expect the service there.
    """
    family, *_, address = min(answers, key=lambda answer: answer[0] != socket.AF_INET)
    return family, address[:2]
