"""The payload as a process: takes on its identity, proves that there is no way back, and is executed.

Lingering, this process stays as its parent, hands on signals and the exit code; else it becomes the payload.
"""

import fcntl
import os
import signal
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final, NoReturn

from argus_py.cli.glexec.log import Level, Log
from argus_py.errors import ArgusError, ConfigurationError
from argus_py.worker.errors import EXIT_AMBIGUOUS, EXIT_CLIENT, EXIT_EXEC, EXIT_INTERNAL, EXIT_REFUSED
from argus_py.worker.identity import Identity

_FORWARDED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
)
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)
_MAX_TOLD: Final = 4096  # octets; a pipe takes them at once
_OF_SIGNAL: Final = 128  # and its number: the exit code of shells for a command that a signal ended
_OUR_CODES: Final = frozenset({EXIT_CLIENT, EXIT_INTERNAL, EXIT_REFUSED, EXIT_AMBIGUOUS})


class IdentityNotTaken(ConfigurationError):
    """The system has not done what it was asked for; nothing runs then."""


class _NotStarted(ArgusError):
    """Carries ``code``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Payload:
    """``identity`` None: it stays in the caller's account. ``directory`` None: it stays here."""

    command: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    identity: Identity | None
    directory: str | None
    umask: int


def become(payload: Payload, log: Log) -> int:
    """Executes the payload in the place of this process; returns an exit code if that fails."""
    try:
        _execute(payload)
    except (_NotStarted, IdentityNotTaken) as error:
        log.write(Level.ERROR, str(error))
        return error.code if isinstance(error, _NotStarted) else EXIT_INTERNAL


def linger(payload: Payload, log: Log) -> int:
    """The exit code of the payload, or 204 if it is one of gLExec's own; 128 + n if the signal n ended it."""
    begin = time.monotonic()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a caller that ignores it would have the exit code thrown away
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)  # none is lost between the fork and the handlers
    reading, writing = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        _run_child(payload, writing)
    os.close(writing)
    with signals_handed_on(child):
        with os.fdopen(reading, "rb") as pipe:
            failure = pipe.read()  # ends with the exec, which closes the other end
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    _, status = os.waitpid(child, 0)
    if failure:
        code, _, reason = failure.decode("utf-8", "replace").partition(" ")
        log.write(Level.ERROR, reason)
        return int(code)
    return _exit_code(child, status, time.monotonic() - begin, log)


def _exit_code(child: int, status: int, seconds: float, log: Log) -> int:
    code = os.waitstatus_to_exitcode(status)
    how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
    with suppress(ConfigurationError):  # it has run, and its exit code is what the caller waits for
        log.write(Level.NOTICE, f"payload process {child} ended {how} after {seconds:.0f} seconds")
    if code < 0:
        return _OF_SIGNAL - code
    return EXIT_AMBIGUOUS if code in _OUR_CODES else code


@contextmanager
def signals_handed_on(child: int) -> Iterator[None]:
    """INVARIANT: it ends before the child is reaped. Then its number may be a stranger's, and root may signal anybody.

    Begins with these signals blocked, and leaves them blocked.
    """

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(PermissionError):  # in the caller's account, the payload may have become a setuid program
            os.kill(child, number)

    for each in _FORWARDED:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    yield
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)


def _run_child(payload: Payload, writing: int) -> NoReturn:
    """INVARIANT: nothing in the child returns; whatever happens before the exec is told to the parent."""
    told = f"{EXIT_INTERNAL} the payload's process failed before it began"
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        _execute(payload)
    except _NotStarted as error:
        told = f"{error.code} {error}"
    except IdentityNotTaken as error:
        told = f"{EXIT_INTERNAL} {error}"
    finally:
        try:
            os.write(writing, told.encode("utf-8", "backslashreplace")[:_MAX_TOLD])
        finally:  # the parent may be gone
            os._exit(EXIT_INTERNAL)


def _execute(payload: Payload) -> NoReturn:
    """Raises _NotStarted, IdentityNotTaken."""
    if payload.identity is not None:
        _leave_terminal()
        take_identity(payload.identity)
    os.umask(payload.umask)
    if payload.directory is not None:
        try:
            os.chdir(payload.directory)
        except OSError as error:
            raise _NotStarted(EXIT_CLIENT, f"no way into {payload.directory}: {error.strerror}") from error
    for each in _IGNORED_BY_PYTHON:
        signal.signal(each, signal.SIG_DFL)
    try:
        os.execve(payload.command, [payload.command, *payload.arguments], payload.environment)  # noqa: S606 - its purpose
    except (OSError, ValueError) as error:
        raise _NotStarted(EXIT_EXEC, f"{payload.command} cannot be executed: {error}") from error


def _leave_terminal() -> None:
    """Of another account, nobody types into the terminal of whoever has called (TIOCSTI).

    The group of processes stays, by which batch systems signal a whole job. A process that leads its session, which it
    does without linger alone, has a terminal that ends with it.
    """
    if os.getsid(0) == os.getpid():
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return  # there is none
    try:
        fcntl.ioctl(terminal, termios.TIOCNOTTY)
    finally:
        os.close(terminal)


def take_identity(identity: Identity) -> None:
    """For good: real, effective and saved ids, groups before them, since without root nobody may set groups.

    Raises IdentityNotTaken: the system did not do it, or leaves a way back to root.
    """
    uid, gid = identity.user.uid, identity.gid
    try:
        os.setgroups(identity.groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise IdentityNotTaken(f"the identity of {identity.user.name} cannot be taken: {error.strerror}") from error
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise IdentityNotTaken(f"the ids of {identity.user.name} were not all taken")
    if set(os.getgroups()) != set(identity.groups):
        raise IdentityNotTaken(f"the groups of {identity.user.name} were not all taken")
    for back in (os.setuid, os.seteuid, os.setgid, os.setegid):
        try:
            back(0)
        except PermissionError:
            continue
        raise IdentityNotTaken("there is a way back to root")
