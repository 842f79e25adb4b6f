"""``papctl``: start and stop the PAP in the background.

COMPAT: commands, messages, exit codes and environment variables of the Java script; variables about Java have no
effect.

BETTER: ``start`` returns when the daemon answers; a process that has got the number in the pid file is left alone.

Source: argus-pap:src/main/bash/papctl
"""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from argus_py.cli import background
from argus_py.config.pap import PapSettings, load_pap
from argus_py.errors import ConfigurationError
from argus_py.web.pap_loopback import COMMAND_HEADER

_USAGE: Final = "Usage: papctl {start|stop|status}"
_DEFAULT_PID_FILE: Final = Path("/var/run/argus-pap.pid")
_ANSWER: Final = 10.0  # seconds
_GONE: Final = 15.0  # seconds; requests in progress get ten
_LOOK: Final = 0.05  # seconds between two looks whether the process is still there


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the files of the PAP are."""

    configuration: Path
    log_dir: Path
    pid_file: Path

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Installation":
        """COMPAT: below PAP_HOME, where the Java packages have links to the folders below /etc and /var."""
        home = Path(variables["PAP_HOME"]) if variables.get("PAP_HOME") else None

        def folder(name: str, default: str) -> Path:
            return home / name if home and (home / name).is_dir() else Path(default)

        pid_file = variables.get("PAP_RUN_FILE")
        return cls(
            (folder("conf", "/etc/argus/pap") / "pap_configuration.ini").absolute(),
            folder("logs", "/var/log/argus/pap").absolute(),
            Path(pid_file) if pid_file else home / ".argus-pap.pid" if home else _DEFAULT_PID_FILE,
        )


def main() -> int:
    return run(sys.argv[1:], os.environ, os.geteuid())


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    user_id: int,
    sysconfig: Sequence[Path] = background.SYSCONFIG,
) -> int:
    """The exit code."""
    commands = {"start": (_start,), "stop": (_stop,), "restart": (_stop, _start), "status": (_status,)}
    steps = commands.get(arguments[0]) if arguments else None
    if steps is None:
        print(_USAGE)
        return 1
    if arguments[0] != "status" and user_id != 0:
        print("ERROR: You need root privileges to run this command")
        return 1
    try:
        installation = Installation.of({**background.variables("pap", sysconfig), **environment})
        # COMPAT: a restart starts what was not running; what counts is the last step.
        return [step(installation) for step in steps][-1]
    except (ConfigurationError, OSError) as error:
        print(f"papctl: {error}", file=sys.stderr)
        return 1


def _start(installation: Installation) -> int:
    if _running(installation) is not None:
        print("PAP already running...")
        return 1
    configuration, pid_file = installation.configuration, installation.pid_file
    return 0 if background.start("pap", configuration, installation.log_dir, (), pid_file) else 1


def _stop(installation: Installation) -> int:
    pid = _running(installation)
    if pid is None:
        print("PAP  server is not running!\nError killing PAP process!")
        return 1
    settings = load_pap(installation.configuration, installation.configuration.parent.parent)
    if not _ask_to_stop(settings) or not _gone(pid):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(pid, signal.SIGTERM)
            if not _gone(pid):
                os.kill(pid, signal.SIGKILL)
    installation.pid_file.unlink(missing_ok=True)
    print("Ok.")
    return 0


def _status(installation: Installation) -> int:
    pid_file = installation.pid_file
    recorded = background.recorded_pid(pid_file)
    if recorded is not None and not background.is_daemon("pap", recorded):
        print("PAP not running...removing stale pid file")
        pid_file.unlink(missing_ok=True)
        return 1
    pid = _running(installation)
    if pid is None:
        print("PAP not running!")
        return 1
    if recorded is None:
        print("A PAP is running, but no pid file found! Will recreate the pid file")
        pid_file.write_text(f"{pid}\n")
    print("PAP running!")
    return 0


def _running(installation: Installation) -> int | None:
    pid = background.recorded_pid(installation.pid_file)
    if pid is not None and background.is_daemon("pap", pid):
        return pid
    return background.find("pap", installation.configuration)


def _ask_to_stop(settings: PapSettings) -> bool:
    """False if nobody heard it; whether it will stop does not follow from the answer."""
    if not settings.shutdown_port:
        return False
    headers = {COMMAND_HEADER: settings.shutdown_command.encode()} if settings.shutdown_command else {}
    try:
        with closing(HTTPConnection("localhost", settings.shutdown_port, timeout=_ANSWER)) as connection:
            connection.request("GET", "/shutdown", headers=headers)
            connection.getresponse().read()
            return True
    except (OSError, HTTPException) as error:
        print(f"papctl: port {settings.shutdown_port}: {error}", file=sys.stderr)
        return False


def _gone(pid: int) -> bool:
    give_up = time.monotonic() + _GONE
    while background.is_running(pid):
        if time.monotonic() > give_up:
            return False
        time.sleep(_LOOK)
    return True
