"""What the probes of nagios-plugins-argus make of our daemons: their rules, put into Python of today.

Source: argus-authz/nagios-plugins-argus:src/framework/{StatusProbe,MemoryProbe,TrafficProbe}.py, PAP.policies (rules)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

OK, WARNING, CRITICAL = 0, 1, 2
WARNING_MEGABYTES, CRITICAL_MEGABYTES = 224, 256  # the defaults of the memory probes
Status = dict[str, str]


def status_of(page: str) -> Status:
    """A line that has not exactly one ": " in it ends a probe with an exception."""
    pairs = [line.split(": ") for line in page.splitlines()]
    assert all(len(pair) == 2 for pair in pairs), page
    return {pair[0]: pair[1] for pair in pairs}


def status_probe(status: Status, service: str) -> tuple[int, str]:
    if status["Service"] != service:
        return CRITICAL, f"the answering service is not a {service}"
    if status["Status"] != "OK":
        return CRITICAL, '"Status: OK" not found.'
    return OK, f"{service} {status['ServiceVersion']}: OK (Started: {status['ServiceStartupTime']})"


def memory_probe(status: Status, service: str) -> tuple[int, str]:
    megabytes = int(status["UsedMemory"].split()[0]) // 1048576
    if status["Service"] != service:
        return CRITICAL, f"the answering service is not a {service}"
    if megabytes <= WARNING_MEGABYTES:
        return OK, f"MemoryUsage={megabytes}MB;{WARNING_MEGABYTES};{CRITICAL_MEGABYTES}"
    return (WARNING if megabytes <= CRITICAL_MEGABYTES else CRITICAL), f"used memory ({megabytes}MB)"


def policies_probe(status: Status) -> tuple[int, str]:
    told = status["NumberOfPolicies"], status["PolicyLastModificationTime"]
    return OK, f"Nr. of policies: {told[0]} (Policies Modified on: {told[1]})"


@dataclass
class TrafficProbe:
    """Remembers the counters of the last time; ``seconds`` pass from one time to the next."""

    seconds: float
    last: tuple[int, int, int] | None = None

    def rates(self, status: Status) -> tuple[float, ...]:
        names = ("TotalRequests", "TotalCompletedRequests", "TotalRequestErrors")
        requests, completed, errors = (int(status[name]) for name in names)
        before, self.last = self.last, (requests, completed, errors)
        return tuple(
            round((new - old) / self.seconds, 2) for new, old in zip(self.last, before or self.last, strict=True)
        )


SERVICES = {
    "PAP": ("Argus PAP", "/pap/status"),
    "PDP": ("Argus PDP", "/status"),
    "PEP": ("Argus PEP Server", "/status"),
}


@pytest.fixture(scope="module")
def argus(shared_grid: "Grid") -> "Argus":
    argus = shared_grid.serve()
    shared_grid.load_policy(argus)
    return argus


@pytest.fixture
def page(shared_grid: "Grid", argus: "Argus") -> Callable[[str], Status]:
    def fetch(port: str) -> Status:
        with shared_grid.https(shared_grid.site.host) as client:
            answer = client.get(f"{argus.urls[port]}{SERVICES[port][1]}")
        assert answer.status_code == 200
        return status_of(answer.text)

    return fetch


@pytest.mark.parametrize("port", SERVICES)
def test_the_status_probes_find_their_service(page: Callable[[str], Status], port: str) -> None:
    code, text = status_probe(page(port), SERVICES[port][0])
    assert (code, text.startswith(f"{SERVICES[port][0]} ")) == (OK, True)


@pytest.mark.parametrize("port", SERVICES)
def test_a_probe_at_the_wrong_port_is_told_so(page: Callable[[str], Status], port: str) -> None:
    for other, (service, _) in SERVICES.items():
        assert (status_probe(page(port), service)[0] == OK) is (other == port)
        assert memory_probe(page(port), service)[0] == (OK if other == port else CRITICAL)


@pytest.mark.parametrize("port", SERVICES)
def test_memory_stays_below_the_thresholds_that_the_probes_have(page: Callable[[str], Status], port: str) -> None:
    assert memory_probe(page(port), SERVICES[port][0])[0] == OK  # all three daemons are in this one process


def test_the_policies_probe_finds_number_and_time(page: Callable[[str], Status]) -> None:
    code, text = policies_probe(page("PAP"))
    assert (code, text.startswith("Nr. of policies: 2 (Policies Modified on: 20")) == (OK, True)


def test_the_traffic_probe_counts_requests_of_both_wires_and_errors(
    shared_grid: "Grid", argus: "Argus", page: Callable[[str], Status]
) -> None:
    probe = TrafficProbe(10.0)
    assert probe.rates(page("PEP")) == (0.0, 0.0, 0.0)
    chain = shared_grid.pilot("Alice Pilot")
    assert shared_grid.ask(argus, chain).decision == "Permit"
    assert shared_grid.ask(argus, "no certificate").decision == "Indeterminate"
    question = {"certificates": chain, "resource": "http://example.org/other", "action": "run"}
    with shared_grid.https(shared_grid.site.host) as client:
        told = client.post(f"{argus.urls['PEP']}/v1/authorize", json=question).raise_for_status().json()
    assert told["decision"] == "NotApplicable"
    assert probe.rates(page("PEP")) == (0.3, 0.2, 0.1)


def test_the_probes_read_daemons_apart(grid: "Grid") -> None:
    pdp = grid.start("pdp", grid.site.configuration / "pdp" / "pdp.ini")
    pepd = grid.start("pepd", grid.site.configuration / "pepd" / "pepd.ini")
    for process, port in ((pdp, "PDP"), (pepd, "PEP")):
        with grid.https(grid.site.host) as client:
            status = status_of(client.get(f"{process.urls[port]}/status").text)
        assert status_probe(status, SERVICES[port][0])[0] == OK
        assert memory_probe(status, SERVICES[port][0])[0] == OK
        assert TrafficProbe(10.0).rates(status) == (0.0, 0.0, 0.0)
