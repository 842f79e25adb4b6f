"""What goes wrong at a site: each has its answer, its line in the log, and nobody is permitted by it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from argus_py.hessian import base64_lines
from demo.issuing import CertificateAuthority, Credential, VomsServer, proxy_of
from demo.site import PILOT_FQANS, VO, Site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Argus, Grid

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def argus(shared_grid: "Grid") -> "Argus":
    """A service with the policy of the tour."""
    argus = shared_grid.serve()
    shared_grid.load_policy(argus)
    return argus


def counts(grid: "Grid", argus: "Argus") -> tuple[int, int]:
    """Requests, and those that failed."""
    status = grid.status(argus, "PEP")
    return int(status["TotalRequests"]), int(status["TotalRequestErrors"])


def test_a_body_that_is_no_request_is_told_and_not_counted(shared_grid: "Grid", argus: "Argus") -> None:
    before = counts(shared_grid, argus)
    truncated = shared_grid.body("a chain")[:400]
    with shared_grid.https(shared_grid.site.host) as client:
        for body in (truncated, b"", b"<Envelope/>"):
            answer = client.post(f"{argus.urls['PEP']}/authz", content=body)
            assert answer.status_code == 400
            assert answer.text.startswith("not a readable Hessian message: ")
            logged = argus.read("process.log").splitlines(keepends=True)[-1]
            assert " - WARN [pep] [_" in logged
            assert logged.endswith(f"] - unreadable request from 127.0.0.1: {answer.text}")
    assert counts(shared_grid, argus) == before


def test_a_body_that_is_too_large_is_told_and_not_counted(shared_grid: "Grid", argus: "Argus") -> None:
    before = counts(shared_grid, argus)
    with shared_grid.https(shared_grid.site.host) as client:
        answer = client.post(f"{argus.urls['PEP']}/authz", content=b"A" * (base64_lines.MAX_BODY + 1))
    assert (answer.status_code, answer.text) == (413, "the request is larger than 1048576 octets\n")
    logged = "WARN [workers] - request from 127.0.0.1 refused: larger than 1048576 octets\n"
    assert argus.read("process.log").endswith(logged)
    assert counts(shared_grid, argus) == before


def test_ten_megabytes_to_the_pdp_are_a_fault(shared_grid: "Grid", argus: "Argus") -> None:
    with shared_grid.https(shared_grid.site.host) as client:
        for body in (b"<" * 10_000_000, (b"<" * 100_000 for _ in range(100))):
            answer = client.post(f"{argus.urls['PDP']}/authz", content=body)
            assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/xml;charset=utf-8")
            assert "<faultstring>the message is longer than 1048576 octets</faultstring>" in answer.text
    assert "WARN [workers] - request from 127.0.0.1 refused: larger than 1048576 octets\n" in argus.read("process.log")


def not_pem(_site: Site) -> str:
    return "-----BEGIN CERTIFICATE-----\nnobody\n-----END CERTIFICATE-----\n"


def of_an_unknown_ca(site: Site) -> str:
    stranger = CertificateAuthority("Unknown CA", NOW).user("Alice Pilot")
    return pem(proxy_of(stranger, NOW, [site.voms.attribute_certificate(stranger, PILOT_FQANS, NOW)]))


def expired_proxy(site: Site) -> str:
    return pem(proxy_of(site.authority.user("Alice Pilot"), NOW - DAY, lifetime=timedelta(hours=12)))


def expired_ac(site: Site) -> str:
    user = site.authority.user("Alice Pilot")
    ac = site.voms.attribute_certificate(user, PILOT_FQANS, NOW - DAY, lifetime=timedelta(hours=12))
    return pem(proxy_of(user, NOW, [ac]))


def ac_of_somebody_else(site: Site) -> str:
    user, other = site.authority.user("Alice Pilot"), site.authority.user("Bob")
    return pem(proxy_of(user, NOW, [site.voms.attribute_certificate(other, PILOT_FQANS, NOW)]))


def ac_of_an_unknown_voms_server(site: Site) -> str:
    user = site.authority.user("Alice Pilot")
    server = VomsServer(VO, "voms.example.net", site.authority.host("voms.example.net"))
    return pem(proxy_of(user, NOW, [server.attribute_certificate(user, PILOT_FQANS, NOW)]))


def pem(credential: Credential) -> str:
    return credential.certificate_pem().decode()


BAD_CREDENTIALS: tuple[tuple[Callable[[Site], str], str], ...] = (
    (not_pem, "Failed to load certificate chain from Subject: "),
    (of_an_unknown_ca, "PKIX validation failed: CN=Alice Pilot,DC=argus-demo,DC=org: No trusted CA certificate"),
    (expired_proxy, "PKIX validation failed: CN="),
    (expired_ac, "AC validity check failed: AC not valid at current time."),
    (ac_of_somebody_else, "AC holder check failed: "),
    (ac_of_an_unknown_voms_server, "LSC validation failed: LSC file matching VOMS attributes not found in store."),
)


@pytest.mark.parametrize(("make", "text"), BAD_CREDENTIALS, ids=[make.__name__ for make, _ in BAD_CREDENTIALS])
def test_a_credential_that_does_not_hold_is_indeterminate_and_says_why(
    shared_grid: "Grid", argus: "Argus", make: Callable[[Site], str], text: str
) -> None:
    requests, errors = counts(shared_grid, argus)
    answer = shared_grid.ask(argus, make(shared_grid.site))
    assert (answer.decision, answer.account) == ("Indeterminate", None)
    assert answer.message is not None
    assert answer.message.startswith(text)
    request_id = json.loads(argus.read("audit.jsonl").splitlines()[-1])["request_id"]
    logged = f"ERROR [enforcer] [{request_id}] - Error processing PIP: {answer.message}\n"
    assert argus.read("process.log").endswith(logged)
    assert argus.read("audit.log").splitlines()[-1].endswith(answer.message)
    assert counts(shared_grid, argus) == (requests + 1, errors + 1)
    assert not list(shared_grid.site.gridmapdir.glob("%*"))


def test_a_policy_with_a_mistake_is_refused_with_file_line_and_column(
    shared_grid: "Grid", argus: "Argus", tmp_path: "Path"
) -> None:
    before = shared_grid.policies(argus)
    policy = tmp_path / "mistake.spl"
    policy.write_text('resource "a" {\n    action "b" {\n        rule permitt { vo="dteam" }\n    }\n}\n')
    refused = shared_grid.pap_admin(argus, "add-policies-from-file", str(policy))
    assert refused.returncode == 2
    assert refused.stdout.startswith(f"Syntax error no policies has been added from file:{policy}\nReason:\n")
    assert "line 3, column 14" in refused.stdout
    logged = argus.read("process.log").splitlines()[-1]
    assert re.search(r"WARN \[pap_rest\] \[[0-9a-f-]{36}\] - POST /v1/paps/default/policies refused: ", logged)
    assert "line 3, column 14" in logged
    assert shared_grid.policies(argus) == before


def test_a_full_pool_refuses_the_next_pilot_and_keeps_the_others(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    pilots = [grid.pilot(f"Pilot {number}") for number in range(1, 5)]
    mapped = [grid.ask(argus, pilot) for pilot in pilots[:3]]
    assert {answer.account for answer in mapped} == {"dtplt001", "dtplt002", "dtplt003"}
    refused = grid.ask(argus, pilots[3])
    assert (refused.decision, refused.account) == ("Indeterminate", None)
    assert refused.message == (
        "Failed to map subject DN CN=Pilot 4,DC=argus-demo,DC=org, primary FQAN /dteam/Role=pilot, "
        "secondary FQANs [/dteam/Role=pilot, /dteam] to a POSIX login name"
    )
    log = argus.read("process.log")
    assert f"no free account in the pool 'dtplt' of {grid.site.gridmapdir}: all 3 are leased or damaged" in log
    assert f"Error processing obligation handlers: {refused.message}" in log
    assert counts(grid, argus) == (4, 1)
    assert [grid.ask(argus, pilot) for pilot in pilots[:3]] == mapped


def test_a_gridmapdir_that_vanishes_is_told_and_used_again_when_it_is_back(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    pilot = grid.pilot("Alice Pilot")
    mapped = grid.ask(argus, pilot)
    aside = grid.site.gridmapdir.rename(grid.site.gridmapdir.with_name("unmounted"))
    refused = grid.ask(argus, pilot)
    assert (refused.decision, refused.account) == ("Indeterminate", None)
    assert refused.message is not None
    assert refused.message.endswith("to a POSIX login name")
    assert f"in {grid.site.gridmapdir}: No such file or directory" in argus.read("process.log")
    aside.rename(grid.site.gridmapdir)
    assert grid.ask(argus, pilot) == mapped


def test_a_missing_gridmapdir_keeps_the_service_from_starting(grid: "Grid") -> None:
    grid.site.gridmapdir.rename(grid.site.gridmapdir.with_name("elsewhere"))
    argus = grid.serve()
    assert argus.exit_code() == 1
    reason = f"Grid map directory {grid.site.gridmapdir} does not exist\n"
    assert argus.read("stdout") == ""
    assert argus.read("stderr") == f"argus: {reason}"
    assert argus.read("process.log").endswith(f"ERROR [argus] - Unable to start service, shutting down: {reason}")
