"""A worker node's request from bytes to bytes: real proxies, information points, account mapping and audit."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from argus_py.errors import Unmapped
from argus_py.hessian import base64_lines, messages
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import (
    AttributeAssignment,
    Decision,
    Effect,
    Obligation,
    Response,
    Result,
    indeterminate,
)
from argus_py.model.trail import Trail
from argus_py.observe.audit import audit_line, audit_record
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.mapping.map_file import parse_map_file
from argus_py.pep.obligations.account_mapping import AccountMapping, MappingSettings
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.pips.glite_profile import GliteProfile, GliteProfileSettings
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

T = TypeVar("T")
GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ACCOUNTS = '"/dteam/Role=pilot" .dtplt\n"/dteam" .dteam\n'
GROUPS = '"/dteam/Role=pilot" pilot\n"/dteam/*" dteam\n'
MAPPED = Result(
    Decision.PERMIT,
    obligations=(
        Obligation(
            Glite.LOCAL_ENVIRONMENT_MAP_POSIX,
            Effect.PERMIT,
            (
                AttributeAssignment(Glite.USER_ID, "dtplt001"),
                AttributeAssignment(Glite.PRIMARY_GROUP_ID, "pilot"),
                AttributeAssignment(Glite.GROUP_ID, "pilot"),
                AttributeAssignment(Glite.GROUP_ID, "dteam"),
            ),
        ),
    ),
)


@dataclass
class Leases:
    """Leases of one account per pool; keeps what it was asked for."""

    full: bool = False
    asked: list[str] = field(default_factory=list)

    def lease(self, name: str, pool: str) -> str:
        self.asked.append(name)
        if self.full:
            raise Unmapped(f"no free account in the pool {pool}")
        return f"{pool}001"


@dataclass
class Permitting:
    """A policy that permits the pilots of dteam, with the obligation to map them."""

    def decide(self, request: Request) -> Response:
        fqans = [value for a in request.subjects[0].attributes if a.id == Glite.FQAN for value in a.values]
        if "/dteam/Role=pilot" not in fqans:
            return Response((Result(Decision.NOT_APPLICABLE),))
        result = Result(Decision.PERMIT, obligations=(Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT),))
        return Response((result,), trail=Trail(decided_by=("root", "pilots")))


@dataclass
class Kept:
    exchanges: list[Exchange] = field(default_factory=list)

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def loaded(load: Callable[[], T]) -> Snapshot[T]:
    snapshot = Snapshot("test data", load, lambda: NOW)
    assert snapshot.refresh()
    return snapshot


@pytest.fixture(scope="module")
def profile() -> GliteProfile:
    trust = loaded(lambda: load_trust_anchors(GRID / "certificates"))
    voms = loaded(lambda: load_voms_trust(GRID / "vomsdir"))
    accepted = frozenset({Glite.PROFILE_WORKER_NODE})
    return GliteProfile(GliteProfileSettings(accepted), trust, voms, frozenset({"argus.argus-test.org"}))


def request(file: str, *claimed: Attribute) -> Request:
    pem = re.findall("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", (GRID / file).read_text(), re.DOTALL)
    return Request(
        (Subject((Attribute(AttributeId.KEY_INFO, ("".join(pem),)), *claimed)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (Glite.ACTION_EXECUTE,)),)),
        Environment((Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),)),
    )


def authorize(profile: GliteProfile, sent: Request, leases: Leases) -> tuple[Response, Exchange, tuple[int, int]]:
    """What the client reads, what the journal got, and the counters."""
    accounts = loaded(lambda: parse_map_file(ACCOUNTS, "grid-mapfile"))
    groups = loaded(lambda: parse_map_file(GROUPS, "groupmapfile"))
    mapping = AccountMapping("ACCOUNTMAP_OH", MappingSettings(), accounts, groups, leases)
    counters, kept = Counters(), Kept()
    pips = (RequestValidator(), OpensslSubject(), profile)
    enforcer = Enforcer(pips, Permitting(), ObligationService((mapping,)), lambda: NOW, counters)
    status = StatusPage("Argus PEP Server", "1.0", NOW, counters.read, lambda: ())
    app = pep_app(enforcer, kept, status, lambda: NOW, Load())

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://argus") as http:
            return await http.post("/authz", content=base64_lines.encode(messages.write_request(sent)))

    reply = asyncio.run(post())
    assert reply.status_code == 200
    return messages.read_response(base64_lines.decode(reply.content)), kept.exchanges[0], counters.read()


def test_a_pilot_is_permitted_and_mapped(profile: GliteProfile) -> None:
    leases = Leases()
    response, exchange, counts = authorize(profile, request("proxies/alice-dteam-pilot.pem"), leases)
    assert response.results == (MAPPED,)
    assert leases.asked == ["%2fdc%3dorg%2fdc%3dargus%2dtest%2fou%3dpeople%2fcn%3dalice%20adams:pilot:dteam"]
    assert counts == (1, 0)
    record = json.loads(audit_record(exchange))
    assert {name: record[name] for name in ("subject", "vo", "fqan", "decision", "decided_by", "account", "lease")} == {
        "subject": "CN=Alice Adams,OU=People,DC=argus-test,DC=org",
        "vo": "dteam",
        "fqan": "/dteam/Role=pilot",
        "decision": "Permit",
        "decided_by": ["root", "pilots"],
        "account": "dtplt001",
        "lease": leases.asked[0],
    }


def test_a_claimed_role_is_worth_nothing(profile: GliteProfile) -> None:
    claimed = Attribute(Glite.FQAN, ("/dteam/Role=pilot",), DataType.FQAN)
    response, _, counts = authorize(profile, request("proxies/alice-plain.pem", claimed), Leases())
    assert response.results == (Result(Decision.NOT_APPLICABLE),)
    assert counts == (1, 0)


def test_a_revoked_user_is_told_why_and_never_decided_upon(profile: GliteProfile) -> None:
    response, exchange, counts = authorize(profile, request("bad/proxy-of-revoked.pem"), Leases())
    message = response.results[0].status.message
    assert message is not None
    assert message.startswith("PKIX validation failed: CN=Rita Revoked,OU=People,DC=argus-test,DC=org: ")
    assert response.results == indeterminate(message).results
    assert audit_line(exchange) == f"null|null|null|Error|Revoked: {message}"
    assert counts == (1, 1)


def test_a_full_pool_is_indeterminate_and_both_decisions_are_on_record(profile: GliteProfile) -> None:
    response, exchange, counts = authorize(profile, request("proxies/alice-dteam-pilot.pem"), Leases(full=True))
    message = response.results[0].status.message
    assert message is not None
    assert message.endswith("to a POSIX login name")
    assert response.results == indeterminate(message).results
    assert audit_line(exchange) == "null|null|null|Permit|"
    record = json.loads(audit_record(exchange))
    assert (record["decided"], record["decision"], record["account"]) == ("Permit", "Indeterminate", None)
    assert counts == (1, 1)
