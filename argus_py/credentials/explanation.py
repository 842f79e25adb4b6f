"""A judgement with the way to it, for people: the very judges of the daemons, told to take notes.

A refused chain is shown as it was sent, with the CAs of fitting names from the trust directory above it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from argus_py.credentials import attribute_certificate as acs
from argus_py.credentials import path, voms
from argus_py.credentials.attribute_certificate import AttributeCertificate
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.checks import Check, CheckList
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import BadAttributeCertificate, Rejection
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes, VomsTrust


@dataclass(frozen=True, slots=True)
class ExplainedChain:
    """``links``: leaf first; the last one is no trust anchor if none of the name of its issuer is known."""

    links: tuple[Certificate, ...]
    checks: tuple[Check, ...]
    verdict: VerifiedChain | Rejection


@dataclass(frozen=True, slots=True)
class ExplainedAttributes:
    """``content`` is what the attribute certificate asserts, proven or not; None: it cannot be read."""

    content: AttributeCertificate | None
    checks: tuple[Check, ...]
    verdict: VomsAttributes | Rejection


def explain_chain(chain: UnverifiedChain, trust: TrustAnchors, now: datetime) -> ExplainedChain:
    """The verdict of ``path.verify``."""
    checks = CheckList()
    try:
        verified = path.verify(chain, trust, now, checks)
    except Rejection as refusal:
        checks.refused(refusal)
        return ExplainedChain((*chain.links, *_cas_above(chain.links[-1], trust)), tuple(checks.made), refusal)
    return ExplainedChain(verified.links, tuple(checks.made), verified)


def explain_attributes(
    chain: VerifiedChain, voms_trust: VomsTrust, trust: TrustAnchors, now: datetime, hostnames: frozenset[str]
) -> tuple[ExplainedAttributes, ...]:
    """The verdicts of ``voms.examine``."""
    try:
        carried = voms.carried(chain)
    except BadAttributeCertificate as refusal:
        return (ExplainedAttributes(None, (Check(refusal.reason, refusal=refusal),), refusal),)
    return tuple(_explain_one(encoded, chain, voms_trust, trust, now, hostnames=hostnames) for encoded in carried)


def _explain_one(
    encoded: bytes,
    chain: VerifiedChain,
    voms_trust: VomsTrust,
    trust: TrustAnchors,
    now: datetime,
    *,
    hostnames: frozenset[str],
) -> ExplainedAttributes:
    checks = CheckList()
    verdict = voms.judge(encoded, chain, voms_trust, trust, now, hostnames=hostnames, checks=checks)
    if isinstance(verdict, Rejection):
        checks.refused(verdict)
    try:
        content = acs.read_attribute_certificate(encoded)
    except BadAttributeCertificate:
        content = None
    return ExplainedAttributes(content, tuple(checks.made), verdict)


def _cas_above(top: Certificate, trust: TrustAnchors) -> Iterator[Certificate]:
    """By names alone; the chain ends at the first trust anchor, as a good one does."""
    if top not in trust.anchors:
        yield from trust.named(top.issuer)[:1]
