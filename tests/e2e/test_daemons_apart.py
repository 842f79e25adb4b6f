"""PAP, PDP and PEP as three processes that talk over mutual TLS, and what is left when one of them dies."""

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

HOST_DN = "/DC=org/DC=argus-demo/CN=localhost"


def start_pap(grid: "Grid") -> "Argus":
    """One that PDPs with the host certificate may fetch policies from."""
    grant = f'"{HOST_DN}" : POLICY_READ_LOCAL|POLICY_READ_REMOTE\n\n[fqan]'
    grid.configure("pap/pap_authorization.ini", "[fqan]", grant)
    return grid.start("pap", grid.site.configuration / "pap" / "pap_configuration.ini")


def start_pdp(grid: "Grid", pap: str) -> "Argus":
    return grid.start("pdp", grid.configure("pdp/pdp.ini", "https://localhost:8150", pap))


def start_pep(grid: "Grid", *pdps: str) -> "Argus":
    urls = " ".join(f"{pdp}/authz" for pdp in pdps)
    return grid.start("pepd", grid.configure("pepd/pepd.ini", "https://localhost:8152/authz", urls))


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_pilot_is_mapped_and_the_death_of_a_daemon_is_survived_or_told(grid: "Grid") -> None:
    pap = start_pap(grid)
    grid.load_policy(pap)
    pdp = start_pdp(grid, pap.urls["PAP"])
    pep = start_pep(grid, pdp.urls["PDP"])
    pilot = grid.pilot("Alice Pilot")
    permitted = grid.ask(pep, pilot)
    assert permitted.decision == "Permit"
    assert permitted.account in {"dtplt001", "dtplt002", "dtplt003"}
    _, _, query_id, _, response_id, *_ = pep.read("audit.log").split("|")
    assert f"|{query_id}|" in pdp.read("audit.log")
    assert pdp.read("audit.log").endswith(f"|Permit|{response_id}|\n")
    assert f"[{query_id}] - ACCOUNTMAP_OH: DN: " in pep.read("process.log")

    pap.kill()
    assert grid.ask(pep, grid.pilot("Bob Pilot")).decision == "Permit"

    pdp.kill()
    assert grid.ask(pep, pilot) == permitted  # decided a moment ago
    assert pep.read("audit.log").endswith("|null|PEPD cache|null|Permit|\n")
    answer = grid.ask(pep, grid.pilot("Carol Pilot"))
    assert (answer.decision, answer.account) == ("Indeterminate", None)
    assert answer.message == f"No response received from PDP: [{pdp.urls['PDP']}/authz]"
    assert pep.read("process.log").endswith(f"] - {answer.message}\n")
    status = grid.status(pep, "PEP")
    assert (status["TotalRequests"], status["TotalRequestErrors"]) == ("4", "1")
    assert status["PdpEndpoint"].startswith(f"{pdp.urls['PDP']}/authz down, last failure ")
    assert status["CachedDecisions"] == "2 of 500"
    assert (status["DecisionCacheHits"], status["DecisionCacheMisses"]) == ("1", "3")


def test_a_pdp_that_started_first_gets_its_policy_soon_after_the_pap_is_there(grid: "Grid") -> None:
    port = free_port()
    pdp = start_pdp(grid, f"https://localhost:{port}")
    assert grid.status(pdp, "PDP")["CurrentPolicy"] == "null"
    assert "Error refreshing policy from remote PAP" in pdp.read("process.log")
    grid.configure("pap/pap_configuration.ini", "\nport = 0", f"\nport = {port}")
    grid.load_policy(start_pap(grid))
    grid.eventually(lambda: grid.status(pdp, "PDP")["CurrentPolicy"] != "null")


def test_the_second_pdp_answers_when_the_first_one_is_dead(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    dead = f"https://localhost:{free_port()}"
    pep = start_pep(grid, dead, argus.urls["PDP"])
    assert grid.ask(pep, grid.pilot("Alice Pilot")).decision == "Permit"
    assert f"Error sending request to PDP: {dead}/authz" in pep.read("process.log")


def test_a_pdp_that_the_acl_does_not_name_gets_no_policy(grid: "Grid") -> None:
    pap = grid.start("pap", grid.site.configuration / "pap" / "pap_configuration.ini")
    grid.load_policy(pap)
    pdp = start_pdp(grid, pap.urls["PAP"])
    assert grid.status(pdp, "PDP")["CurrentPolicy"] == "null"
    refusal = "Insufficient privileges: CN=localhost,DC=argus-demo,DC=org may not fetch policies as a PDP"
    assert refusal in pap.read("process.log")
    assert grid.status(pap, "PAP", "/pap/status")["NumberOfPolicies"] == "2"
    assert "Recieved SOAP Fault Server.userException from PAP endpoint: " in pdp.read("process.log")
