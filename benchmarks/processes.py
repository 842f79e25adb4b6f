"""Servers as processes of their own: started, found by the URLs they print, stopped by their own handle."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """``urls`` by the names the process prints in front of them."""

    pid: int
    urls: dict[str, str]

    def port(self, name: str) -> int:
        port = urlsplit(self.urls[name]).port
        assert port is not None
        return port

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


@contextmanager
def serving(command: Sequence[str], urls: int) -> Iterator[Server]:
    """A process that prints this many lines ``NAME URL`` when it can be asked."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(urls)]
            if not all(lines):
                raise RuntimeError(f"{command[0]} does not start")
            yield Server(process.pid, dict(line.split() for line in lines))
        finally:
            process.terminate()
