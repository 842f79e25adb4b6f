"""Policy, trust material, clock and ports: what is missing is told, and nothing of what is in order."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from argus_py.cli.leases.maps import HandlerMaps, load_maps
from argus_py.cli.site.check_service import (
    Decide,
    Decided,
    NoAnswer,
    answering_ports,
    by_files,
    by_pdp,
    ops_identity,
    policy_for_all,
    revocation_lists,
    right_time,
    status_urls,
    voms_servers,
)
from argus_py.cli.site.clock import KernelClock, kernel_clock
from argus_py.cli.site.findings import Finding, Severity
from argus_py.config.daemon import AdminSettings
from argus_py.config.pepd import PepdSettings, load_pepd
from argus_py.errors import Unavailable
from argus_py.model.identifiers import Glite
from argus_py.model.response import Decision
from argus_py.pdp.question import Question
from argus_py.spl.group_map import WORKER_NODE
from argus_py.store.trustdir import load_trust_anchors

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import SiteHost

PERMIT = Decided(Decision.PERMIT, frozenset({Glite.LOCAL_ENVIRONMENT_MAP}))
ASKED = WORKER_NODE, Glite.ACTION_EXECUTE


@pytest.fixture
def made(host: "SiteHost") -> "SiteHost":
    host.made("--vo", "ops")
    return host


@pytest.fixture
def settings(made: "SiteHost") -> PepdSettings:
    return load_pepd(made.root / "argus" / "pepd" / "pepd.ini")


@pytest.fixture
def maps(settings: PepdSettings) -> list[HandlerMaps]:
    return [load_maps(handler, lambda: datetime.now(UTC)) for handler in settings.obligation_handlers]


def told(findings: Iterable[Finding]) -> list[tuple[Severity, str]]:
    found = list(findings)
    assert all(each.remedy for each in found)
    return [(each.severity, each.text) for each in found]


def always(decided: Decided) -> Decide:
    return lambda _: decided


def nobody(_: Question) -> Decided:
    raise Unavailable("the PDP does not answer")


def test_the_policy_that_init_makes_permits_all_of_each_vo(made: "SiteHost", maps: list[HandlerMaps]) -> None:
    decide = by_files([made.root / "policy.spl"], datetime.now(UTC))
    assert told(policy_for_all(maps, decide, *ASKED)) == []
    assert told(ops_identity(maps, decide, *ASKED)) == []


def test_a_policy_of_listed_roles_alone_is_told_what_it_leaves_out(
    made: "SiteHost", maps: list[HandlerMaps], tmp_path: Path
) -> None:
    policy = tmp_path / "listed.spl"
    policy.write_text(
        "\n".join(line for line in (made.root / "policy.spl").read_text().splitlines() if " fqan" not in line)
    )
    found = told(policy_for_all(maps, by_files([policy], datetime.now(UTC)), *ASKED))
    assert (
        Severity.ERROR,
        "the policy says NotApplicable to /dteam/Role=argus-site-check, a member of dteam",
    ) in found
    assert not any("to /dteam/Role=pilot," in text for _, text in found)


def test_a_permit_without_the_obligation_is_told(maps: list[HandlerMaps]) -> None:
    found = told(policy_for_all(maps, always(Decided(Decision.PERMIT, frozenset())), *ASKED))
    assert found
    assert all("without the obligation" in text for _, text in found)


def test_a_pdp_that_does_not_answer_is_told_once(maps: list[HandlerMaps]) -> None:
    for findings in (policy_for_all(maps, nobody, *ASKED), ops_identity(maps, nobody, *ASKED)):
        assert told(findings) == [(Severity.UNKNOWN, "the PDP does not answer")]


def test_a_site_that_does_not_know_ops_is_told(host: "SiteHost") -> None:
    host.made()
    settings = load_pepd(host.root / "argus" / "pepd" / "pepd.ini")
    maps = [load_maps(handler, lambda: datetime.now(UTC)) for handler in settings.obligation_handlers]
    ((severity, text),) = told(ops_identity(maps, always(PERMIT), *ASKED))
    assert (severity, "know nobody of ops" in text) == (Severity.ERROR, True)


def test_pilots_of_ops_that_are_refused_are_told(maps: list[HandlerMaps]) -> None:
    ((severity, text),) = told(ops_identity(maps, always(Decided(Decision.DENY, frozenset())), *ASKED))
    assert (severity, text) == (Severity.ERROR, "the policy says Deny to /ops/Role=pilot")


QUESTION = Question.parse("/CN=Jo", *ASKED, fqans=["/dteam"])


def ask_pdp(answer: httpx.Response | Exception) -> tuple[Decided, httpx.Request]:
    """What is understood, and what was asked."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with by_pdp(AdminSettings("::1", 8153, "secret"), httpx.MockTransport(handle)) as decide:
        return decide(QUESTION), asked[0]


def test_the_pdp_is_asked_by_its_admin_port() -> None:
    answer = {"decision": "Permit", "obligations": [{"id": Glite.LOCAL_ENVIRONMENT_MAP, "attributes": []}]}
    decided, asked = ask_pdp(httpx.Response(200, json=answer))
    assert decided == PERMIT
    assert str(asked.url) == "http://[::1]:8153/explain"
    assert asked.headers["X-Admin-Password"] == "secret"
    assert json.loads(asked.content)["fqans"] == ["/dteam"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.Response(401),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"decision": "Perhaps", "obligations": []}),
    ],
)
def test_what_is_no_answer_of_a_pdp_is_no_decision(answer: httpx.Response | Exception) -> None:
    with pytest.raises(NoAnswer):
        ask_pdp(answer)


def test_a_vo_without_voms_server_is_told(maps: list[HandlerMaps], settings: PepdSettings) -> None:
    ((severity, text),) = told(voms_servers(maps, settings.pips))
    assert (severity, "has no VOMS server of ops" in text) == (Severity.ERROR, True)


def test_crls_in_date_are_in_order(settings: PepdSettings) -> None:
    assert told(revocation_lists(settings.security, datetime.now(UTC))) == []


def test_a_crl_that_ends_soon_is_worth_a_look_and_one_that_has_ended_an_error(settings: PepdSettings) -> None:
    assert settings.security.trust_dir is not None
    end = load_trust_anchors(settings.security.trust_dir).next_crl_expiry(datetime.now(UTC))
    assert end is not None
    for hours, severities in ((-25, []), (-23, [Severity.WARNING]), (1, [Severity.ERROR])):
        found = told(revocation_lists(settings.security, end + timedelta(hours=hours)))
        assert [severity for severity, _ in found] == severities


def test_a_ca_without_crl_is_told(settings: PepdSettings, tmp_path: Path) -> None:
    assert settings.security.trust_dir is not None
    folder = shutil.copytree(settings.security.trust_dir, tmp_path / "cas")
    for crl in folder.glob("*.r0"):
        crl.unlink()
    found = told(revocation_lists(replace(settings.security, trust_dir=folder), datetime.now(UTC)))
    assert [severity for severity, _ in found] == [Severity.WARNING]


def test_crls_that_are_switched_off_are_told(settings: PepdSettings) -> None:
    ((severity, _),) = told(revocation_lists(replace(settings.security, check_crls=False), datetime.now(UTC)))
    assert severity is Severity.WARNING


@pytest.mark.parametrize("folder", [None, "empty", "none"])
def test_a_trust_directory_without_cas_is_told(settings: PepdSettings, tmp_path: Path, folder: str | None) -> None:
    (tmp_path / "empty").mkdir()
    trust_dir = None if folder is None else tmp_path / folder
    found = told(revocation_lists(replace(settings.security, trust_dir=trust_dir), datetime.now(UTC)))
    assert [severity for severity, _ in found] == [Severity.ERROR]


@pytest.mark.parametrize(
    ("clock", "severities"),
    [
        (KernelClock(True, timedelta(milliseconds=20)), []),
        (KernelClock(False, timedelta(seconds=16)), [Severity.WARNING]),
        (KernelClock(True, timedelta(minutes=2)), [Severity.WARNING]),
        (None, [Severity.UNKNOWN]),
    ],
)
def test_a_clock_that_nobody_keeps_right_is_told(clock: KernelClock | None, severities: list[Severity]) -> None:
    assert [severity for severity, _ in told(right_time(clock))] == severities


def test_the_kernel_tells_of_its_clock() -> None:
    clock = kernel_clock()
    assert clock is not None
    assert clock.error >= timedelta()


def test_the_ports_of_all_three_daemons_are_asked_by_the_names_in_their_certificates(settings: PepdSettings) -> None:
    service = replace(settings.service, hostname="argus.example.org", bind_address="0.0.0.0")
    assert status_urls(service, settings.pdp.urls, ["https://pap:8150/pap/services/X"]) == [
        "https://argus.example.org:8154/status",
        "https://localhost:8152/status",
        "https://pap:8150/pap/status",
    ]


def test_daemons_that_are_well_are_in_order() -> None:
    assert told(answering_ports(["https://a/status"], lambda _: "Status: OK\nx\n")) == []


def test_daemons_that_are_not_well_or_silent_are_told() -> None:
    def page_of(url: str) -> str:
        if url.endswith("a"):
            raise NoAnswer(url, "refused")
        return "Status: CRITICAL\n"

    found = told(answering_ports(["https://a", "https://b", "https://b"], page_of))
    assert found == [(Severity.ERROR, "https://a: refused"), (Severity.ERROR, "https://b: Status: CRITICAL")]
