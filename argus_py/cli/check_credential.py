"""``argus check-credential``: would the daemons accept this credential, and if not, why?

The file may be what an administrator has at hand: a proxy with its private key, which is skipped and never printed; a
certificate with its CAs in any order; the DER of one certificate. The verdict is the one a PEP daemon reaches with the
same directories, except that a daemon refuses a private key in a request.

The exit code tells the class of the refusal; docs/check-credential.md lists them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

from cryptography import x509

from argus_py.cli import credential_report as report
from argus_py.credentials import chain, pem, rejections
from argus_py.credentials.certificate import load_certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.explanation import ExplainedAttributes, explain_attributes, explain_chain
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes
from argus_py.run.parts import trust_anchors, voms_trust

EXIT_CODES: Final = MappingProxyType(
    {
        rejections.UnreadableCredential: 10,
        rejections.NoTrustAnchor: 11,
        rejections.BrokenChain: 12,
        rejections.BadSignature: 13,
        rejections.NotValidNow: 14,
        rejections.Revoked: 15,
        rejections.RevocationUnknown: 16,
        rejections.NamespaceViolation: 17,
        rejections.UnknownCriticalExtension: 18,
        rejections.NameConstraintViolation: 19,
        rejections.BadProxy: 20,
        rejections.ProxyPathTooLong: 21,
        rejections.ProxyEscalation: 22,
        rejections.BadAttributeCertificate: 30,
        rejections.AcNotValidNow: 31,
        rejections.AcIssuerNotTrusted: 32,
        rejections.AcBadSignature: 33,
        rejections.AcWrongHolder: 34,
        rejections.AcWrongTarget: 35,
        rejections.AcExtension: 36,
    }
)

_DER_SEQUENCE = 0x30
_LONG_LENGTH = 0x80


@dataclass(frozen=True, slots=True)
class Settings:
    """``vomsdir`` None: the chain alone is judged. ``hostnames``: for attribute certificates with targets."""

    trust_dir: Path
    vomsdir: Path | None
    hostnames: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    exit_code: int
    text: str


def check_credential(file: str, settings: Settings, now: datetime, stdin: BinaryIO) -> Outcome:
    """Judge a file, or with "-" what comes from ``stdin``.

    Raises OSError: the file cannot be read; ConfigurationError: one of the directories cannot.
    """
    octets = _read(file, stdin)
    trust = trust_anchors(settings.trust_dir).current.value
    sections, refusals = _judge(octets, settings, trust, now)
    heading = report.heading(file, settings.trust_dir, now)
    exit_code = EXIT_CODES[type(refusals[0])] if refusals else 0
    return Outcome(exit_code, "\n\n".join("\n".join(section) for section in ([heading], *sections)) + "\n")


def _read(file: str, stdin: BinaryIO) -> bytes:
    """One octet more than allowed, which the parser then refuses."""
    limit = pem.MAX_TEXT_LENGTH + 1
    if file == "-":
        return stdin.read(limit)
    with Path(file).open("rb") as opened:
        return opened.read(limit)


def _judge(
    octets: bytes, settings: Settings, trust: TrustAnchors, now: datetime
) -> tuple[list[Iterable[str]], list[Rejection]]:
    """The sections of the report, and every refusal."""
    try:
        sent = chain.order(_certificates(octets))
        _check_named(sent)
    except Rejection as refusal:
        return [report.refusal_lines("the file", refusal)], [refusal]
    explained = explain_chain(sent, trust, now)
    sections: list[Iterable[str]] = list(report.chain_sections(explained, trust, now))
    verified = explained.verdict
    if isinstance(verified, Rejection):
        return [*sections, report.refusal_lines("the chain", verified)], [verified]
    acs = _attributes(verified, settings, trust, now)
    sections += (report.attribute_lines(number, ac, now) for number, ac in enumerate(acs, start=1))
    refused = {
        f"attribute certificate {number}": ac.verdict
        for number, ac in enumerate(acs, start=1)
        if isinstance(ac.verdict, Rejection)
    }
    sections += (report.refusal_lines(what, refusal) for what, refusal in refused.items())
    if not refused:
        proven = tuple(ac.verdict for ac in acs if isinstance(ac.verdict, VomsAttributes))
        sections.append(report.good_lines(verified, None if settings.vomsdir is None else proven, now))
    return sections, list(refused.values())


def _attributes(
    verified: VerifiedChain, settings: Settings, trust: TrustAnchors, now: datetime
) -> tuple[ExplainedAttributes, ...]:
    """Only a proxy carries any, so that a host certificate can be judged where there is no vomsdir."""
    if settings.vomsdir is None or not verified.proxy_count:
        return ()
    voms = voms_trust(settings.vomsdir).current.value
    return explain_attributes(verified, voms, trust, now, settings.hostnames)


def _check_named(sent: UnverifiedChain) -> None:
    """Raises UnreadableCredential: for a name, without which there is no report and no verdict either."""
    for link in sent.links:
        _ = link.subject, link.issuer


def _certificates(octets: bytes) -> tuple[x509.Certificate, ...]:
    """PEM, or the DER of one certificate: no text begins with a SEQUENCE whose length takes several octets."""
    if len(octets) > 1 and octets[0] == _DER_SEQUENCE and octets[1] >= _LONG_LENGTH:
        return (load_certificate(octets),)
    return pem.parse_certificates_of_owner(octets.decode("latin-1"))
