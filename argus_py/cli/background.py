"""Daemons in the background, as the control scripts start and find them: environment, process, pid file."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from argus_py.config.files import read_text
from argus_py.errors import ConfigurationError

SYSCONFIG: Final = (Path("/etc/sysconfig"), Path("/etc/default"))  # of Red Hat and of Debian
_MODULE: Final = "argus_py.cli.argus"


def variables(daemon: str, folders: Sequence[Path] = SYSCONFIG) -> dict[str, str]:
    """Those of the first sysconfig file there is: lines ``NAME="value"`` of a shell.

    Raises ConfigurationError: the quotes of a line do not match.
    """
    files = [folder / f"argus-{daemon}" for folder in folders]
    file = next((file for file in files if os.access(file, os.R_OK)), None)
    if file is None:
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise ConfigurationError(f"{file}:{number}: {error}") from error
        for name, separator, value in (word.partition("=") for word in words):
            if separator:
                found[name] = value
    return found


def readable(configuration: Path) -> str:
    """Its text. Raises ConfigurationError."""
    if not os.access(configuration, os.R_OK):
        raise ConfigurationError(f"config file {configuration} not readable")
    return read_text(configuration)


def start(daemon: str, configuration: Path, log_dir: Path, options: Sequence[str], pid_file: Path) -> bool:
    """True when it answers; what it says of a start that fails is on standard error, which is also its own.

    Raises ConfigurationError: no such configuration; OSError: the pid file cannot be written.
    """
    readable(configuration)
    arguments = [daemon, str(configuration), "--log-dir", str(log_dir), *options]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-P", "-m", _MODULE, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdout is not None
    if not process.stdout.readline():  # it says where it listens as soon as it does
        process.wait()
        return False
    try:
        pid_file.write_text(f"{process.pid}\n")
    except OSError:
        process.terminate()  # nobody could stop by its file what is running without one
        process.wait()
        raise
    return True


def recorded_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None  # started by something else


def is_running(pid: int) -> bool:
    """A process that has ended stays in the table until its parent takes note."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def is_daemon(daemon: str, pid: int, configuration: Path | None = None) -> bool:
    """Whether a process is one of ours, of this ``configuration`` if that is given, however it was started."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    for program, name, file in zip(words, words[1:], words[2:], strict=False):
        if name == daemon and (program == _MODULE or Path(program).name == "argus"):
            return (configuration is None or file == str(configuration)) and is_running(pid)
    return False


def find(daemon: str, configuration: Path) -> int | None:
    """The process that serves a configuration file."""
    processes = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return next((pid for pid in processes if is_daemon(daemon, pid, configuration)), None)
