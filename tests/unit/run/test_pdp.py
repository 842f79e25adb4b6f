"""The PDP daemon as it is put together: what its status page tells beside the policy, and what its admin port does."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from argus_py.clients.changes import HttpChanges
from argus_py.clients.pap import HttpPolicySource
from argus_py.clients.transport import Timeouts, Transport
from argus_py.config.pdp import parse_pdp
from argus_py.errors import Unavailable
from argus_py.model import policy_news
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.parts import LOOK, trust_anchors
from argus_py.run.pdp import pap_follower, pdp
from argus_py.run.policy import PolicyRefresh
from argus_py.run.servers import Daemon, Periodic, Port
from argus_py.soap import saml
from argus_py.soap.saml import PolicyResponse
from argus_py.xacml.policy import Combining, PolicySet
from argus_py.xacml.policy_xml import read_policy_set, write_policy_set

CERTIFICATES = Path(__file__).parents[2] / "vectors" / "credentials" / "grid" / "certificates"


POLICIES = Path(__file__).parents[2] / "vectors" / "soap" / "pdp" / "policies"


ROOT = "root-default-00000001-0000-4000-8000-000000000001"


class Pap:
    """Has one policy after the other, or none."""

    def __init__(self) -> None:
        self.policies: list[str] = []

    def fetch(self) -> PolicySet:
        if not self.policies:
            raise Unavailable("no PAP")
        return read_policy_set((POLICIES / self.policies[-1]).read_bytes())


def clock() -> datetime:
    return datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def pap() -> Pap:
    return Pap()


@pytest.fixture
def daemon(pap: Pap) -> Daemon:
    return daemon_of(pap)


def daemon_of(pap: Pap, service: str = "", policy: str = "", clock: Callable[[], datetime] = clock) -> Daemon:
    """With lines more in two sections of its ini file."""
    settings = parse_pdp(
        f"""
        [SECURITY]
        trustInfoDir = {CERTIFICATES}
        [SERVICE]
        entityId = urn:pdp
        hostname = localhost
        bindAddress = 127.0.0.2
        adminPort = 18153
        {service}
        [POLICY]
        paps = http://localhost/pap
        {policy}
        """,
        "pdp.ini",
    )
    refresh = PolicyRefresh(policy_snapshot(pap, clock), clock=clock)
    return pdp(settings, refresh, (Periodic("policy", timedelta(hours=4), refresh),), trust_anchors)


def get(port: Port | None, path: str) -> str:
    assert port is not None

    async def ask() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(port.app), base_url="http://pdp") as client:
            return (await client.get(path)).raise_for_status().text

    return asyncio.run(ask())


def test_trust_anchors_are_watched_and_their_state_told(daemon: Daemon) -> None:
    assert [task.every for task in daemon.periodic] == [timedelta(hours=4), LOOK, timedelta(hours=1)]
    page = get(daemon.port, "/status")
    assert f"Contents: trust directory {CERTIFICATES}, 6 CA certificates, 5 CRLs, 14 namespace files\n" in page
    assert "NextCrlExpiryHours: " in page


def test_ports_are_where_the_file_says(daemon: Daemon) -> None:
    assert (daemon.port.host, daemon.port.number) == ("127.0.0.2", 8152)
    assert daemon.admin
    assert (daemon.admin.name, daemon.admin.host, daemon.admin.number) == ("PDP-admin", "localhost", 18153)


def test_the_operator_is_told_what_came_of_reloading_the_policy(daemon: Daemon, pap: Pap) -> None:
    assert get(daemon.admin, "/reloadPolicy") == "Policy NOT reloaded: no PAP\n"
    pap.policies.append("ce-site.xml")
    assert get(daemon.admin, "/reloadPolicy") == f"Policy reloaded: {ROOT}, in force since 2026-11-24T00:00:00.000Z\n"


def test_a_reload_of_all_fetches_the_policy_too_and_shows_the_status(daemon: Daemon, pap: Pap) -> None:
    pap.policies.append("ce-site.xml")
    page = get(daemon.admin, "/reload")
    assert page.startswith("Status: OK\nService: Argus PDP\n")
    assert f"CurrentPolicy: {ROOT}\n" in page
    pap.policies.clear()
    page = get(daemon.admin, "/reload")
    assert f"CurrentPolicy: {ROOT}\n" in page
    assert "LastRefreshError: no PAP\n" in page


def test_the_policy_in_force_is_explained_on_the_admin_port_alone(daemon: Daemon, pap: Pap) -> None:
    pap.policies.append("ce-site.xml")
    get(daemon.admin, "/reloadPolicy")
    question = {"subject": "/C=CH/CN=Alice", "resource": "wn", "action": "run"}
    assert daemon.admin

    async def ask(port: Port) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(port.app), base_url="http://pdp") as client:
            return await client.post("/explain", json=question)

    told = asyncio.run(ask(daemon.admin)).raise_for_status().json()
    assert (told["trace"]["id"], told["decision"]) == (ROOT, "NotApplicable")
    assert asyncio.run(ask(daemon.port)).status_code == 405


def post(daemon: Daemon, query: bytes) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(daemon.port.app), base_url="http://pdp") as client:
            return await client.post("/authz", content=query)

    return asyncio.run(ask())


QUERY = (POLICIES.parent / "query-permit.xml").read_bytes()


def test_without_a_policy_it_answers_in_the_way_that_is_configured(pap: Pap) -> None:
    assert b">Indeterminate<" in post(daemon_of(pap), QUERY).content
    assert b"No policy" not in post(daemon_of(pap), QUERY).content
    assert b"No policy" in post(daemon_of(pap, "reasonInStatusMessage = true"), QUERY).content
    assert post(daemon_of(pap, "faultWithoutPolicy = true"), QUERY).status_code == 500


def test_a_policy_older_than_it_may_be_is_none(pap: Pap) -> None:
    pap.policies.append("ce-site.xml")
    moments = [clock()]
    daemon = daemon_of(pap, "reasonInStatusMessage = true", "maximumPolicyAge = 300", lambda: moments[-1])
    get(daemon.admin, "/reloadPolicy")
    assert b">Permit<" in post(daemon, QUERY).content
    moments.append(clock() + timedelta(minutes=301))
    assert b"the policy is 301 minutes old, and may be used for 300" in post(daemon, QUERY).content


def test_it_is_known_by_the_names_that_are_configured(pap: Pap) -> None:
    pap.policies.append("ce-site.xml")
    query = QUERY.replace(b'Version="2.0"', b'Version="2.0" Destination="https://argus.example.org/authz"')
    for line, decision in (("", b">Indeterminate<"), ("endpointUrls = https://argus.example.org/authz", b">Permit<")):
        daemon = daemon_of(pap, line)
        get(daemon.admin, "/reloadPolicy")
        assert decision in post(daemon, query).content


def test_changes_of_the_policy_are_told_on_the_service_port(daemon: Daemon, pap: Pap) -> None:
    pap.policies.append("ce-site.xml")
    get(daemon.admin, "/reloadPolicy")
    (digest,) = (
        line.removeprefix("PolicyDigest: ") for line in get(daemon.port, "/status").splitlines() if "Dig" in line
    )
    assert get(daemon.port, "/v1/policy-changes?after=another") == f'{{"state": "{digest}", "age": null}}'


def streamed(status: int, content: bytes) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(content))


class TwoPaps(httpx.BaseTransport):
    """Each has a policy of its name and a feed; some do not give their policy."""

    first, second = "https://pap1.example.org/pap", "https://pap2.example.org/pap"

    def __init__(self) -> None:
        self.busy: set[str] = set()
        calls = Transport(Timeouts(), http=self)
        paps = (self.first, self.second)
        self.source = HttpPolicySource(paps, "urn:pdp", calls, clock, lambda: "_1")
        self.refresh = PolicyRefresh(policy_snapshot(self.source, clock), lambda: self.source.used or "-", clock=clock)
        self.followers = [pap_follower(HttpChanges(pap, calls), self.refresh, self.source, paps) for pap in paps]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if request.url.path == policy_news.PATH:
            known = request.url.params[policy_news.AFTER]
            return streamed(204, b"") if known else streamed(200, b'{"state": "1"}')
        if f"https://{host}/pap" in self.busy:
            return streamed(503, b"busy")
        policies = write_policy_set(PolicySet(host, Combining.POLICIES_FIRST_APPLICABLE))
        answer = PolicyResponse("_2", "_1", clock(), "_3", host, policies)
        return streamed(200, saml.write_policy_response(answer))

    @property
    def in_force(self) -> str:
        return self.refresh.policy.current.value.root.id


def test_the_policy_of_a_pap_that_stood_in_is_left_for_that_of_the_better_one_though_that_has_not_changed() -> None:
    paps = TwoPaps()
    first, second = paps.followers
    first.step()
    second.step()
    assert paps.in_force == "pap1.example.org"
    paps.busy = {paps.first}
    paps.refresh()
    assert paps.in_force == "pap2.example.org"
    first.step()
    second.step()
    assert paps.in_force == "pap2.example.org"
    paps.busy = set()
    second.step()
    assert paps.in_force == "pap2.example.org"
    first.step()
    assert paps.in_force == "pap1.example.org"
