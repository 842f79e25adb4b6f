"""The status pages of the daemons: ``Name: value`` lines that monitoring probes split at the first ": ".

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/http/StatusCommand.java; nagios-plugins-argus
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.responses import PlainTextResponse

_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class StatusPage:
    """``counts`` gives requests and errors; ``details`` what stands below the eleven lines that probes know."""

    service: str
    version: str
    started_at: datetime
    counts: Callable[[], tuple[int, int]]
    details: Callable[[], Iterable[tuple[str, str]]]

    def text(self) -> str:
        requests, errors = self.counts()
        return page(
            ("Status", "OK"),  # COMPAT: always; what is wrong stands in the details
            ("Service", self.service),
            ("ServiceVersion", self.version),
            ("ServiceStartupTime", java_time(self.started_at)),
            ("ServiceStartupTimeMillis", str(java_millis(self.started_at))),
            ("NumberOfProcessors", str(os.cpu_count())),
            *memory_lines(),
            ("TotalRequests", str(requests)),
            ("TotalCompletedRequests", str(requests - errors)),
            ("TotalRequestErrors", str(errors)),
            *self.details(),
        )

    def response(self) -> PlainTextResponse:
        return PlainTextResponse(self.text().encode("latin-1", "replace"), media_type="text/plain;charset=iso-8859-1")


def page(*lines: tuple[str, str]) -> str:
    return "".join(f"{name}: {_one_line(value)}\n" for name, value in lines)


def memory_lines() -> tuple[tuple[str, str], tuple[str, str]]:
    """Of the machine, and of this process."""
    total, resident = os.sysconf("SC_PHYS_PAGES"), int(_STATM.read_text().split()[1])
    return ("MaxMemory", f"{_PAGE * total} bytes"), ("UsedMemory", f"{_PAGE * resident} bytes")


def java_time(moment: datetime) -> str:
    """The time of status pages: UTC with milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat("T", "milliseconds") + "Z"


def java_millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _one_line(value: str) -> str:
    """Probes break on a second ": " in a line, and on lines without one."""
    return " ".join(value.split()).replace(": ", ":") or "-"
