"""``pepdctl`` and ``pdpctl``: start and stop a daemon in the background, and give commands to its admin port.

COMPAT: commands, messages, exit codes and environment variables of the Java scripts, so that unit files, init scripts
and the procedures of sites keep working; variables about Java (``PEPD_JOPTS`` ...) have no effect.

BETTER: the admin port is found as the daemon finds it, by section and whatever is in the password, which travels in a
header. The sysconfig file counts also when nobody sources it. ``start`` returns when the daemon answers, ``stop`` when
it is gone.

Source: argus-pep-server:src/main/scripts/sbin/pepdctl; argus-pdp:src/main/scripts/sbin/pdpctl;
argus-pdp-pep-common:src/main/java/org/glite/authz/common/http/JettyAdminServiceCLI.java
"""

import os
import shlex
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from argus_py import __version__
from argus_py.cli import background
from argus_py.config import pdp, pepd
from argus_py.config.daemon import AdminSettings, Reading, read_admin
from argus_py.config.ini import parse_ini
from argus_py.errors import ConfigurationError
from argus_py.web.admin import PASSWORD_HEADER

_ANSWER: Final = 60.0  # seconds of silence; a reload may mean thousands of CRLs, and a policy from a PAP far away
_GONE: Final = 30.0  # seconds; requests in progress get ten, and so do background tasks
_LOOK: Final = 0.05  # seconds between two looks whether a process is still there


class Exit(IntEnum):
    """Of the Java client; it defines 3 as well and never uses it."""

    DONE = 0
    BAD_ARGUMENTS = 1
    NO_CONNECTION = 2
    UNAUTHORIZED = 4
    UNKNOWN = 100


@dataclass(frozen=True, slots=True)
class Script:
    """``variables`` is what the names of its environment variables begin with, ``commands`` are for the admin port."""

    daemon: str
    title: str
    variables: str
    admin_port: int
    commands: frozenset[str]
    usage: str


PEPDCTL: Final = Script(
    daemon="pepd",
    title="Argus PEP Server",
    variables="PEPD",
    admin_port=pepd.ADMIN_PORT,
    commands=frozenset({"status", "clearResponseCache", "reload"}),
    usage="""\
PEP Server control script
Usage:
  {0} start   - to start the service
  {0} stop    - to stop the service
  {0} status  - print PEP daemon status
  {0} version - print PEP daemon version
  {0} clearResponseCache - clears the PEP Server PDP response cache
  {0} reload  - look at map files, trust anchors and all other files again
""",
)
PDPCTL: Final = Script(
    daemon="pdp",
    title="Argus PDP",
    variables="PDP",
    admin_port=pdp.ADMIN_PORT,
    commands=frozenset({"status", "reloadPolicy", "reload"}),
    usage="""\
PDP control script
Usage:
  {0} start   - start the PDP service
  {0} stop    - stop the PDP service
  {0} status  - print PDP status
  {0} version - print PDP version
  {0} reloadPolicy - reload the PDP policies from the PAP
  {0} reload  - reload the policies, and look at trust anchors and all other files again
""",
)


def pepdctl() -> int:
    return run(PEPDCTL, sys.argv, os.environ)


def pdpctl() -> int:
    return run(PDPCTL, sys.argv, os.environ)


def run(
    script: Script,
    argv: Sequence[str],
    environment: Mapping[str, str],
    sysconfig: Sequence[Path] = background.SYSCONFIG,
) -> Exit:
    """Carry out what ``argv`` says; ``sysconfig`` are the folders for a file with more of the environment."""
    name, *arguments = argv
    word = arguments[0] if arguments else ""
    if word == "version":
        print(f"{script.title} version {__version__}")
        return Exit.DONE
    if word not in {"start", "stop"} | script.commands:
        print(script.usage.format(name), end="")
        return Exit.BAD_ARGUMENTS
    try:
        installation = Installation.of(script, {**background.variables(script.daemon, sysconfig), **environment})
        if word == "start":
            return _start(script, installation)
        admin = _admin(script, installation.configuration)
        return _stop(admin, installation.pid_file) if word == "stop" else _ask(admin, word)
    except (ConfigurationError, OSError) as error:
        return _say(f"{name}: ERROR: {error}", Exit.BAD_ARGUMENTS)


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the files of a daemon are; ``options`` are more arguments for it."""

    configuration: Path
    log_dir: Path
    pid_file: Path
    options: tuple[str, ...]

    @classmethod
    def of(cls, script: Script, variables: Mapping[str, str]) -> "Installation":
        """COMPAT: ``conf`` and ``logs`` in the home folder, which the Java packages link to those below /etc and /var,
        come before these; sites set the home folder also where there are no such links.

        Raises ConfigurationError: the quotes of the options do not match.
        """

        def value(suffix: str) -> str | None:
            return variables.get(f"{script.variables}_{suffix}") or None

        def folder(suffix: str, at_home: str, default: str) -> Path:
            home = value("HOME")
            below = Path(home) / at_home if home else None
            return Path(value(suffix) or (below if below and below.is_dir() else Path(default) / script.daemon))

        try:
            options = shlex.split(value("OPTIONS") or "")
        except ValueError as error:
            raise ConfigurationError(f"{script.variables}_OPTIONS: {error}") from error
        configuration = value("CONF") or folder("CONFDIR", "conf", "/etc/argus") / f"{script.daemon}.ini"
        return cls(
            configuration=Path(configuration).absolute(),
            log_dir=folder("LOGDIR", "logs", "/var/log/argus").absolute(),
            pid_file=Path(value("PID") or f"/var/run/argus-{script.daemon}.pid"),
            options=tuple(options),
        )


def _admin(script: Script, configuration: Path) -> AdminSettings:
    """Raises ConfigurationError: the file has no such settings, or cannot be read."""
    reader = Reading(parse_ini(background.readable(configuration), str(configuration))).section("SERVICE")
    if reader is None:
        raise ConfigurationError(f"INI configuration {configuration} does not contain the required 'SERVICE' section")
    return read_admin(reader, script.admin_port)


def _start(script: Script, installation: Installation) -> Exit:
    started = background.start(
        script.daemon,
        installation.configuration,
        installation.log_dir,
        installation.options,
        installation.pid_file,
    )
    return Exit.DONE if started else Exit.BAD_ARGUMENTS


def _stop(admin: AdminSettings, pid_file: Path) -> Exit:
    pid = background.recorded_pid(pid_file)
    done = _ask(admin, "shutdown")
    if done is not Exit.DONE or pid is None:
        return done
    give_up = time.monotonic() + _GONE
    while background.is_running(pid):
        if time.monotonic() > give_up:
            return _say(f"process {pid} is still there {_GONE:g} seconds after it was told to stop", Exit.UNKNOWN)
        time.sleep(_LOOK)
    pid_file.unlink(missing_ok=True)
    return Exit.DONE


def _ask(admin: AdminSettings, command: str) -> Exit:
    try:
        socket.getaddrinfo(admin.host, admin.port)
    except (OSError, UnicodeError):
        return _say("The host argument is not a valid hostname or IP address", Exit.BAD_ARGUMENTS)
    if not admin.port:
        return _say("Port number is not valid", Exit.BAD_ARGUMENTS)
    try:
        status, body = _get(admin, f"/{command}")
    except ConnectionRefusedError:
        reason = f"Unable to connect to {admin.host}:{admin.port}, perhaps the service is not running"
        return _say(reason, Exit.NO_CONNECTION)
    except (OSError, HTTPException, ValueError, LookupError) as error:  # also no header for the password, no charset
        return _say(f"Error executing service command:\n{error}", Exit.NO_CONNECTION)
    if body:
        print(body)
    match status:
        case 200:
            return Exit.DONE
        case 401:
            return _say("you are not authorized to execute admin commands; invalid password", Exit.UNAUTHORIZED)
    return _say(f"Service returned unexpected HTTP status code; {status}", Exit.UNKNOWN)


def _get(admin: AdminSettings, path: str) -> tuple[int, str]:
    """Status and trimmed body."""
    headers = {} if admin.password is None else {PASSWORD_HEADER: admin.password.encode()}
    with closing(HTTPConnection(admin.host, admin.port, timeout=_ANSWER)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        charset = answer.headers.get_content_charset("iso-8859-1")
        return answer.status, answer.read().decode(charset, "replace").strip()


def _say(message: str, code: Exit) -> Exit:
    print(message, file=sys.stderr)
    return code
