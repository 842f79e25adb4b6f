"""A worker node's request from bytes to bytes: real proxies, information points, account mapping and audit."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

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
from argus_py.pep.decision_cache import Cached
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.exchange import Exchange
from argus_py.pep.mapping.map_file import parse_map_file
from argus_py.pep.obligations.account_mapping import AccountMapping, MappingSettings
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.ports import Call, DecisionPoint, Lease
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

T = TypeVar("T")
GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
PDP = "https://argus.example.org:8152/authz"
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

    def lease(self, name: str, pool: str, other_names: Sequence[str] = ()) -> Lease:
        self.asked.append(name)
        if self.full:
            raise Unmapped(f"no free account in the pool {pool}")
        return Lease(f"{pool}001", name)


@dataclass
class Permitting:
    """A policy that permits the pilots of dteam, with the obligation to map them; keeps what it was asked."""

    permitted: frozenset[str] = frozenset({"/dteam/Role=pilot"})
    asked: list[Request] = field(default_factory=list)

    def decide(self, request: Request, call: Call) -> Response:
        self.asked.append(request)
        fqans = [value for a in request.subjects[0].attributes if a.id == Glite.FQAN for value in a.values]
        if not self.permitted.intersection(fqans):
            return Response((Result(Decision.NOT_APPLICABLE),))
        result = Result(Decision.PERMIT, obligations=(Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT),))
        return Response((result,), trail=Trail(("root", "pilots"), request_id=call.id, responder=PDP, response_id="_r"))


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
def judge() -> CertificateJudge:
    trust = loaded(lambda: load_trust_anchors(GRID / "certificates"))
    voms = loaded(lambda: load_voms_trust(GRID / "vomsdir"))
    return CertificateJudge(trust, voms, frozenset({"argus.argus-test.org"}))


def request(file: str, *claimed: Attribute) -> Request:
    pem = re.findall("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", (GRID / file).read_text(), re.DOTALL)
    return Request(
        (Subject((Attribute(AttributeId.KEY_INFO, ("".join(pem),)), *claimed)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, ("wn",)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (Glite.ACTION_EXECUTE,)),)),
        Environment((Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),)),
    )


class Daemon:
    """Everything between the octets of a request and those of its answer, at a time that tests set."""

    def __init__(
        self,
        judge: CertificateJudge,
        *,
        leases: Leases | None = None,
        policy: DecisionPoint | None = None,
        refuse_invalid_acs: bool = True,
    ) -> None:
        self.now = NOW
        self.leases = leases or Leases()
        self.counters, self.kept = Counters(), Kept()
        accounts = loaded(lambda: parse_map_file(ACCOUNTS, "grid-mapfile"))
        groups = loaded(lambda: parse_map_file(GROUPS, "groupmapfile"))
        mapping = AccountMapping("ACCOUNTMAP_OH", MappingSettings(), accounts, groups, self.leases)
        settings = ProfileSettings(frozenset({Glite.PROFILE_WORKER_NODE}), refuse_invalid_acs=refuse_invalid_acs)
        enforcer = Enforcer(
            (RequestValidator(), OpensslSubject(), GliteProfile(settings, judge)),
            policy or Permitting(),
            ObligationService((mapping,)),
            lambda: self.now,
            self.counters,
            monotonic=lambda: 0.0,
        )
        status = StatusPage("Argus PEP Server", "1.0", NOW, self.counters.read, lambda: ())
        ids = map("_{}".format, itertools.count(1))
        self.app = pep_app(
            enforcer,
            self.kept,
            status,
            lambda: self.now,
            Load(),
            monotonic=lambda: 0.0,
            new_id=ids.__next__,
        )

    def authorize(self, sent: Request) -> Response:
        """What the client reads."""

        async def post() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="https://argus") as http:
                return await http.post("/authz", content=base64_lines.encode(messages.write_request(sent)))

        reply = asyncio.run(post())
        assert reply.status_code == 200
        return messages.read_response(base64_lines.decode(reply.content))

    def audit(self) -> list[str]:
        return [audit_line(exchange) for exchange in self.kept.exchanges]

    def record(self) -> dict[str, Any]:
        """Of the last request."""
        told: dict[str, Any] = json.loads(audit_record(self.kept.exchanges[-1]))
        return told


def test_a_pilot_is_permitted_and_mapped(judge: CertificateJudge) -> None:
    daemon = Daemon(judge)
    assert daemon.authorize(request("proxies/alice-dteam-pilot.pem")).results == (MAPPED,)
    lease = "%2fdc%3dorg%2fdc%3dargus%2dtest%2fou%3dpeople%2fcn%3dalice%20adams:pilot:dteam"
    assert daemon.leases.asked == [lease]
    assert daemon.counters.read() == (1, 0)
    assert daemon.audit() == [f"_1|{PDP}|_r|Permit|"]
    record = daemon.record()
    assert {name: record[name] for name in ("subject", "vo", "fqan", "decision", "decided_by", "account", "lease")} == {
        "subject": "CN=Alice Adams,OU=People,DC=argus-test,DC=org",
        "vo": "dteam",
        "fqan": "/dteam/Role=pilot",
        "decision": "Permit",
        "decided_by": ["root", "pilots"],
        "account": "dtplt001",
        "lease": lease,
    }


def test_a_claimed_role_is_worth_nothing(judge: CertificateJudge) -> None:
    daemon = Daemon(judge)
    claimed = Attribute(Glite.FQAN, ("/dteam/Role=pilot",), DataType.FQAN)
    response = daemon.authorize(request("proxies/alice-plain.pem", claimed))
    assert response.results == (Result(Decision.NOT_APPLICABLE),)
    assert daemon.counters.read() == (1, 0)


def test_a_revoked_user_is_told_why_and_never_decided_upon(judge: CertificateJudge) -> None:
    daemon = Daemon(judge)
    (result,) = daemon.authorize(request("bad/proxy-of-revoked.pem")).results
    message = result.status.message
    assert message is not None
    assert message.startswith("PKIX validation failed: CN=Rita Revoked,OU=People,DC=argus-test,DC=org: ")
    assert (result,) == indeterminate(message).results
    assert daemon.audit() == [f"null|null|null|Error|Revoked: {message}"]
    assert daemon.counters.read() == (1, 1)


def test_a_full_pool_is_indeterminate_in_the_audit_log_too_and_both_decisions_are_on_record(
    judge: CertificateJudge,
) -> None:
    daemon = Daemon(judge, leases=Leases(full=True))
    (result,) = daemon.authorize(request("proxies/alice-dteam-pilot.pem")).results
    message = result.status.message
    assert message is not None
    assert message.endswith("to a POSIX login name")
    assert (result,) == indeterminate(message).results
    (line,) = daemon.audit()
    assert line.startswith(f"_1|{PDP}|_r|Error|")
    assert line.endswith(message)
    record = daemon.record()
    assert (record["decided"], record["decision"], record["account"]) == ("Permit", "Indeterminate", None)
    assert daemon.counters.read() == (1, 1)


def cached(policy: Permitting) -> DecisionPoint:
    """Behind a cache in which nothing grows old."""
    return Cached(policy, 10, timedelta(days=1), lambda: 0.0)


def test_who_asks_again_is_mapped_again_without_a_new_decision(judge: CertificateJudge) -> None:
    policy = Permitting()
    daemon = Daemon(judge, policy=cached(policy))
    for _ in range(2):
        assert daemon.authorize(request("proxies/alice-dteam-pilot.pem")).results == (MAPPED,)
    assert len(policy.asked) == 1
    assert len(daemon.leases.asked) == 2
    assert daemon.audit() == [f"_1|{PDP}|_r|Permit|", "null|PEPD cache|null|Permit|"]
    record = daemon.record()
    assert (record["request_id"], record["query_id"], record["cached"]) == ("_2", "_1", True)


def test_a_mapping_that_fails_leaves_the_decision_and_is_tried_again(judge: CertificateJudge) -> None:
    policy = Permitting()
    daemon = Daemon(judge, policy=cached(policy), leases=Leases(full=True))
    daemon.authorize(request("proxies/alice-dteam-pilot.pem"))
    daemon.leases.full = False
    assert daemon.authorize(request("proxies/alice-dteam-pilot.pem")).results == (MAPPED,)
    assert len(policy.asked) == 1


def test_no_permit_outlives_the_certificates(judge: CertificateJudge) -> None:
    daemon = Daemon(judge, policy=cached(Permitting()))
    daemon.authorize(request("proxies/alice-dteam-pilot.pem"))
    daemon.now = datetime(2046, 1, 1, tzinfo=UTC)
    (result,) = daemon.authorize(request("proxies/alice-dteam-pilot.pem")).results
    assert result.decision is Decision.INDETERMINATE
    assert "Certificate has expired" in str(result.status.message)


AC_IS_VALID = datetime(2021, 6, 1, 12, 30, tzinfo=UTC)
AC_IS_OVER = datetime(2021, 6, 1, 13, 30, tzinfo=UTC)  # and the proxy around it is good for years


@pytest.mark.parametrize(
    ("refuse_invalid_acs", "decision", "decided"),
    [(True, Decision.INDETERMINATE, 1), (False, Decision.NOT_APPLICABLE, 2)],
)
def test_no_permit_outlives_the_attribute_certificate(
    refuse_invalid_acs: bool, decision: Decision, decided: int, judge: CertificateJudge
) -> None:
    policy = Permitting(frozenset({"/dteam"}))
    daemon = Daemon(judge, policy=cached(policy), refuse_invalid_acs=refuse_invalid_acs)
    daemon.now = AC_IS_VALID
    for _ in range(2):
        assert daemon.authorize(request("bad/ac-expired.pem")).results[0].decision is Decision.PERMIT
    assert len(policy.asked) == 1
    daemon.now = AC_IS_OVER
    assert daemon.authorize(request("bad/ac-expired.pem")).results[0].decision is decision
    assert len(policy.asked) == decided
