"""What the certificates that a subject shows prove: its chain validated, its attribute certificates judged.

A chain stands in an attribute of the subject, as PEM in one value or as one value of base64 DER per certificate. Who
sends the same chain again within minutes is not judged again, whichever of the points asks.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/{AbstractX509PIP,
CommonXACMLAuthorizationProfilePIP}.java
"""

import base64
import binascii
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from argus_py.credentials import chain, path, pem, voms
from argus_py.credentials.accepted import AcceptedChains
from argus_py.credentials.certificate import load_certificate
from argus_py.credentials.moment import Moment
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes, VomsTrust
from argus_py.errors import ArgusError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType
from argus_py.model.request import Subject
from argus_py.pep.attributes import find
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot

_log = logging.getLogger(__name__)


class UnusableChain(ArgusError):
    """A chain that is passed over as if it were not there; says why."""


@dataclass(frozen=True, slots=True)
class SentChain:
    """``octets`` tell it from every other one, ``certificates`` reads it and may refuse by PipError."""

    octets: bytes
    certificates: Callable[[], Iterable[x509.Certificate]]


@dataclass(frozen=True, slots=True)
class ChainSource:
    """Where a subject shows its chain: identifier and data type of the attributes, and who reads them."""

    attribute_id: str
    datatype: str
    read: Callable[[tuple[Attribute, ...]], SentChain | None]

    def sent_by(self, subject: Subject) -> SentChain | None:
        """None: the subject shows none. Raises PipError: it shows too much."""
        attributes = find(subject.attributes, self.attribute_id, self.datatype)
        return self.read(attributes) if attributes else None


@dataclass(frozen=True, slots=True)
class Proof:
    """A chain that validates, and the verdict on each attribute certificate in it, where they are looked at.

    ``subject``, ``issuer`` and ``issuers`` are those of the chain, as requests and policies write names.
    """

    chain: VerifiedChain
    attribute_certificates: tuple[VomsAttributes | Rejection, ...]
    subject: str
    issuer: str
    issuers: tuple[str, ...]

    @classmethod
    def of(cls, chain: VerifiedChain, verdicts: tuple[VomsAttributes | Rejection, ...] = ()) -> "Proof":
        issuers = tuple(issuer.rfc2253() for issuer in chain.issuers)
        return cls(chain, tuple(map(_bare, verdicts)), chain.subject.rfc2253(), chain.issuer.rfc2253(), issuers)


class CertificateJudge:
    """Judges the chains of requests; one for all points with the same trust anchors and the same vomsdir."""

    def __init__(
        self, trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust] | None, hostnames: frozenset[str]
    ) -> None:
        """``voms_trust`` None: attribute certificates are not looked at. ``hostnames`` are ours, for AC targets."""
        self._trust = trust
        self._voms_trust = voms_trust
        self._hostnames = hostnames
        self._accepted = AcceptedChains[Proof]()

    def proof(self, sent: SentChain, now: datetime) -> Proof:
        """Raises PipError: no readable or acceptable chain; UnusableChain: one of certificates of old."""
        trust = self._trust.current
        vomsdir = self._voms_trust.current if self._voms_trust is not None else None
        versions = (trust.number, vomsdir.number if vomsdir else 0)

        def judge(moment: Moment) -> Proof:
            verified = _verified_chain(sent, trust.value, moment)
            if vomsdir is None:
                return Proof.of(verified)
            verdicts = voms.examine(verified, vomsdir.value, trust.value, moment, self._hostnames)
            if not verdicts:
                _log.warning("no VOMS attribute certificate in the chain of %s", verified.subject.readable())
            return Proof.of(verified, verdicts)

        return self._accepted.verdict(sent.octets, versions, now, judge)


def _verified_chain(sent: SentChain, trust: TrustAnchors, moment: Moment) -> VerifiedChain:
    certificates = tuple(sent.certificates())
    if any(certificate.version is not x509.Version.v3 for certificate in certificates):
        raise UnusableChain("not all of its certificates are of X.509 version 3")
    try:
        ordered = chain.order(certificates)
    except ArgusError as error:
        raise PipError(f"Error sorting certificate chain: {error}") from error
    try:
        return path.verify(ordered, trust, moment)
    except ArgusError as error:
        raise PipError(f"PKIX validation failed: {error}") from error


def _bare(verdict: VomsAttributes | Rejection) -> VomsAttributes | Rejection:
    """Without the frames that a raised error holds on to: verdicts are kept."""
    return type(verdict)(verdict.code, verdict.reason, verdict.subject) if isinstance(verdict, Rejection) else verdict


# --- PEM: the chain in one value


def _read_pem(attributes: tuple[Attribute, ...]) -> SentChain | None:
    """COMPAT: several values are none, several attributes are refused."""
    if len(attributes) > 1 or not attributes[0].values:
        raise PipError("Subject contains more than one X509 certificate chain.")
    if len(attributes[0].values) > 1:
        return None
    text = attributes[0].values[0]
    return SentChain(b"PEM " + _octets(text), lambda: _from_pem(text))


def _from_pem(text: str) -> Iterable[x509.Certificate]:
    try:
        return pem.parse_certificates(text)
    except ArgusError as error:
        raise PipError(f"Failed to load certificate chain from Subject: {error}") from error


# --- Base64 DER: a value per certificate, in any order and in any number of attributes


def _read_der(attributes: tuple[Attribute, ...]) -> SentChain | None:
    blocks = sorted("".join(value.split()) for attribute in attributes for value in attribute.values)
    if not blocks:
        return None
    if len(blocks) > pem.MAX_CERTIFICATES:
        raise PipError(f"Subject contains {len(blocks)} certificates; {pem.MAX_CERTIFICATES} are allowed")
    return SentChain(b"DER " + _octets(" ".join(blocks)), lambda: map(_from_der, blocks))


def _from_der(block: str) -> x509.Certificate:
    if len(block) > pem.MAX_TEXT_LENGTH:
        raise PipError(f"a certificate of {len(block)} characters; {pem.MAX_TEXT_LENGTH} are allowed")
    try:
        encoded = base64.b64decode(block, validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        raise PipError("Fails to decode base64 encoded DER certificate block") from None
    try:
        return load_certificate(encoded)
    except ArgusError as error:
        raise PipError(f"Fails to generate the X.509 certificate: {error}") from error


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # keeps different texts different


PEM_KEY_INFO: Final = ChainSource(AttributeId.KEY_INFO, DataType.STRING, _read_pem)
DER_KEY_INFO: Final = ChainSource(AttributeId.KEY_INFO, DataType.BASE64_BINARY, _read_der)
PEM_CERT_CHAIN: Final = ChainSource(AuthzInterop.CERT_CHAIN, DataType.BASE64_BINARY, _read_pem)
