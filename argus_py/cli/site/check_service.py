"""What can be missing around the daemons: the policy they decide by, trust material, the clock, the ports."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from argus_py.cli.leases.maps import HandlerMaps
from argus_py.cli.policy_files import read_policies
from argus_py.cli.site.check_mapping import OPS, SUBJECT, probes, vos_of
from argus_py.cli.site.clock import KernelClock
from argus_py.cli.site.findings import Finding, Topic, error, unknown, warning
from argus_py.clients.transport import ClientCredential, ClientTls
from argus_py.config.daemon import AdminSettings, SecuritySettings, ServiceSettings
from argus_py.config.pips import PipPart, ProfilePart
from argus_py.config.yaim_maps import PILOT
from argus_py.errors import ConfigurationError, Unavailable
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import Glite
from argus_py.model.response import Decision
from argus_py.pdp.explanation import explained
from argus_py.pdp.question import Question
from argus_py.run.parts import trust_anchors
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust
from argus_py.web.admin import PASSWORD_HEADER

_PATIENCE: Final = 4.0  # seconds, for each question to a daemon
_SOON: Final = timedelta(hours=24)  # a CRL that ends earlier has not been fetched for days
_CLOCK: Final = timedelta(seconds=30)  # wrong by more, and fresh proxies are not valid yet


class NoAnswer(Unavailable):
    """The daemon at ``url`` does not answer as it should; ``reason`` says how."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Decided:
    """What a PDP says; ``obligations`` are ids."""

    decision: Decision
    obligations: frozenset[str]


Decide = Callable[[Question], Decided]
"""Raises Unavailable: nobody can tell."""
PageOf = Callable[[str], str]
"""The text of a status page, by its URL. Raises NoAnswer."""


# --- The policy


def by_files(policies: Sequence[Path], now: datetime) -> Decide:
    """Raises FileRefused, PolicyTooLarge; OSError."""
    root = read_policies(policies).root

    def decide(question: Question) -> Decided:
        evaluation = explained(root, question.request(), now).evaluation
        return Decided(evaluation.decision, frozenset(each.id for each in evaluation.obligations))

    return decide


@contextmanager
def by_pdp(admin: AdminSettings, http: httpx.BaseTransport | None = None) -> Iterator[Decide]:
    """The PDP with this admin port, by the policy in force."""
    host = f"[{admin.host}]" if ":" in admin.host else admin.host
    url = f"http://{host}:{admin.port}/explain"
    headers = {} if admin.password is None else {PASSWORD_HEADER: admin.password}

    def decide(question: Question) -> Decided:
        body = {
            "subject": question.subject.slash(),
            "resource": question.resource,
            "action": question.action,
            "fqans": list(map(str, question.fqans)),
        }
        try:
            answer = client.post(url, json=body, headers=headers)
            if answer.status_code != httpx.codes.OK:
                raise NoAnswer(url, f"HTTP status {answer.status_code}")
            told = answer.json()
            return Decided(Decision(told["decision"]), frozenset(each["id"] for each in told["obligations"]))
        except httpx.HTTPError as problem:
            raise NoAnswer(url, str(problem) or type(problem).__name__) from problem
        except (KeyError, TypeError, ValueError) as problem:
            raise NoAnswer(url, "the answer is none of a PDP of argus_py") from problem

    with httpx.Client(timeout=_PATIENCE, trust_env=False, transport=http) as client:
        yield decide


def policy_for_all(maps: Sequence[HandlerMaps], decide: Decide, resource: str, action: str) -> Iterator[Finding]:
    """W6, the half of the policy: all groups and roles of a VO are permitted, with the obligation to map."""
    for vo in vos_of(maps):
        for fqans in probes(vo, maps):
            try:
                decided = decide(Question(SUBJECT, resource, action, fqans))
            except Unavailable as problem:
                yield unknown(
                    Topic.ALL_ROLES, str(problem), "start the PDP, or name the policy in a file with --policy"
                )
                return
            if decided.decision is not Decision.PERMIT:
                yield error(
                    Topic.ALL_ROLES,
                    f"the policy says {decided.decision.value} to {fqans[0]}, a member of {vo}",
                    f'permit {{ fqan = "/{vo}" }}: pap-admin add-policies-from-file with what '
                    "argus site policy-from-groupmapfile prints",
                )
            elif Glite.LOCAL_ENVIRONMENT_MAP not in decided.obligations:
                yield error(
                    Topic.ALL_ROLES,
                    f"the policy permits {fqans[0]} without the obligation to map to an account",
                    f"pap-admin add-obligation {Glite.LOCAL_ENVIRONMENT_MAP} to the resource",
                )


def ops_identity(maps: Sequence[HandlerMaps], decide: Decide, resource: str, action: str) -> Iterator[Finding]:
    """W9: the hourly test comes with the pilot role of ops."""
    if OPS not in vos_of(maps):
        yield error(
            Topic.OPS,
            "the map files know nobody of ops, and the test of the worker nodes comes as /ops/Role=pilot",
            "add the lines of ops, its pilot role first: argus site accounts, or argus site init --vo ops",
        )
        return
    pilot = Fqan(f"/{OPS}", PILOT)
    try:
        decided = decide(Question(SUBJECT, resource, action, (pilot, Fqan(f"/{OPS}"))))
    except Unavailable as problem:
        yield unknown(Topic.OPS, str(problem), "start the PDP, or name the policy in a file with --policy")
        return
    if decided.decision is not Decision.PERMIT:
        yield error(
            Topic.OPS, f"the policy says {decided.decision.value} to {pilot}", f'permit {{ pfqan = "{pilot}" }}'
        )


# --- Trust material


def voms_servers(maps: Sequence[HandlerMaps], points: Iterable[PipPart]) -> Iterator[Finding]:
    """Without an LSC file nobody can prove that he is of the VO."""
    folders = dict.fromkeys(
        point.voms_dir for point in points if isinstance(point, ProfilePart) and point.voms_dir is not None
    )
    for folder in folders:
        try:
            voms = load_voms_trust(folder)
        except ConfigurationError as problem:
            yield error(Topic.VOMSDIR, str(problem), "make it, readable for the user of the PEP daemon")
            continue
        for bad in voms.problems:
            yield error(Topic.VOMSDIR, f"{folder}: {bad}", "correct the file, as the VO publishes it")
        known = {file.vo for file in voms.lsc_files} | {server.vo for server in voms.certificates}
        for vo in vos_of(maps):
            if vo not in known and None not in known:
                yield error(
                    Topic.VOMSDIR,
                    f"{folder} has no VOMS server of {vo}: the FQANs of its members are not believed",
                    f"put the LSC file of its VOMS server into {folder / vo}",
                )


def revocation_lists(security: SecuritySettings, now: datetime) -> Iterator[Finding]:
    """All CRLs are there and in date."""
    remedy = "run fetch-crl, and see that it runs every few hours"
    if security.trust_dir is None:
        yield error(Topic.CRLS, "there is no trust directory", "name it with trustInfoDir in [SECURITY]")
        return
    try:
        trust = load_trust_anchors(security.trust_dir)
    except ConfigurationError as problem:
        yield error(Topic.CRLS, str(problem), "install the CA certificates of IGTF there")
        return
    if not trust.anchors:
        yield error(Topic.CRLS, f"{security.trust_dir} holds no CA certificate", "install those of IGTF there")
    if not security.check_crls:
        yield warning(Topic.CRLS, "CRLs are not looked at: stolen credentials stay in use", "remove enableCRL = false")
    for unreadable in trust.unreadable_crls:
        yield error(Topic.CRLS, str(unreadable.problem), remedy)
    for crl in trust.outdated_crls(now):
        yield error(
            Topic.CRLS,
            f"the CRL of {crl.issuer.readable()} ended on {crl.next_update:%Y-%m-%d %H:%M} UTC: "
            "all users of this CA are turned away",
            remedy,
        )
    for anchor in trust.anchors:
        if not trust.crls_of(anchor.subject) and trust.unreadable_crl(anchor) is None:
            yield warning(Topic.CRLS, f"there is no CRL of {anchor.subject.readable()}", remedy)
    expiry = trust.next_crl_expiry(now)
    if expiry is not None and expiry - now < _SOON:
        yield warning(Topic.CRLS, f"a CRL ends on {expiry:%Y-%m-%d %H:%M} UTC, within a day", remedy)


# --- This host


def right_time(clock: KernelClock | None) -> Iterator[Finding]:
    """Proxies and attribute certificates are valid from the second they were made."""
    remedy = "run chrony or another NTP client on this host and on the worker nodes"
    if clock is None:
        yield unknown(Topic.CLOCK, "the kernel does not tell whether the clock is kept right", remedy)
    elif not clock.synchronized:
        yield warning(Topic.CLOCK, "nobody tells the kernel that he keeps the clock right", remedy)
    elif clock.error > _CLOCK:
        yield warning(Topic.CLOCK, f"the clock may be wrong by {clock.error.total_seconds():.0f} seconds", remedy)


def answering_ports(urls: Iterable[str], page_of: PageOf) -> Iterator[Finding]:
    """W2, W14: the daemons answer, and say that they are well."""
    for url in dict.fromkeys(urls):
        try:
            page = page_of(url)
        except NoAnswer as problem:
            yield error(
                Topic.PORTS, str(problem), "start the daemon; open the port for worker nodes, CEs and monitoring"
            )
            continue
        first = page.partition("\n")[0]
        if first != "Status: OK":
            yield error(Topic.PORTS, f"{url}: {first[:200]}", "the page and the log of the daemon say why")


def status_urls(service: ServiceSettings, pdps: Iterable[str], paps: Iterable[str]) -> list[str]:
    """Of the PEP daemon of this host, the PDPs it asks, and the PAPs that they ask."""
    return [
        f"https://{service.hostname}:{service.port}/status",
        *(f"{_root(url)}/status" for url in pdps),
        *(f"{_root(url)}/pap/status" for url in paps),
    ]


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def status_pages(security: SecuritySettings, now: Callable[[], datetime]) -> PageOf:
    """As the host itself is shown them. Raises ConfigurationError: its credential or the anchors cannot be used."""
    credential = None
    if security.certificate is not None and security.private_key is not None:
        credential = ClientCredential(security.certificate, security.private_key, security.private_key_password)
    if security.trust_dir is None:
        raise ConfigurationError("no daemon can be asked without a trust directory")
    tls = ClientTls(credential, trust_anchors(security.trust_dir, security.check_crls), now)
    context = tls.context()

    def page_of(url: str) -> str:
        try:
            with httpx.Client(verify=context, timeout=_PATIENCE, trust_env=False) as client:
                page = client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise NoAnswer(url, str(problem) or type(problem).__name__) from problem
        if page.status_code != httpx.codes.OK:
            raise NoAnswer(url, f"HTTP status {page.status_code}")
        return page.text

    return page_of
