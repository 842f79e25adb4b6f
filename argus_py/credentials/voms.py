"""Which VO attributes a proven chain may claim: the attribute certificates in its proxies, judged one by one.

Only the proxy nearest to the leaf that carries any is looked at. A VOMS server is trusted by the LSC file of VO and
host; a certificate in the vomsdir counts only where there is no such file, and only for its VO.

BETTER: the serial number of the holder, the VO of every FQAN and the mandatory extensions are checked; Java looks at
none of them, so a server trusted for one VO could speak for all. Servers of the field satisfy every rule. Attribute
certificates get the five minutes of grace that proxies get.

Source: voms-api-java:src/main/java/org/italiangrid/voms/ac/impl/DefaultVOMSValidationStrategy.java;
voms:src/api/ccapi/realdata.cc, src/ac/newformat.c (C API) where it is the stricter one
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from cryptography import x509

from argus_py.credentials import attribute_certificate as acs
from argus_py.credentials import der, lsc, path, signatures
from argus_py.credentials.attribute_certificate import AttributeCertificate
from argus_py.credentials.certificate import SUBJECT_KEY_IDENTIFIER, Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.checks import UNRECORDED, Checks
from argus_py.credentials.delegation import PROXY_GRACE
from argus_py.credentials.der import DerError
from argus_py.credentials.lsc import LscChain
from argus_py.credentials.moment import Moment
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import (
    AcBadSignature,
    AcExtension,
    AcIssuerNotTrusted,
    AcNotValidNow,
    AcWrongHolder,
    AcWrongTarget,
    BadAttributeCertificate,
    Rejection,
)
from argus_py.credentials.trust import Problem, TrustAnchors
from argus_py.model.dn import DistinguishedName

_NAMES = {acs.AUTHORITY_KEY_IDENTIFIER: "AuthorityKeyIdentifier", acs.NO_REVOCATION_AVAILABLE: "NoRevAvail"}


@dataclass(frozen=True, slots=True)
class LscFile:
    """``problem``: why the file cannot be read; then nobody is trusted by it."""

    vo: str
    host: str
    chains: tuple[LscChain, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A VOMS server's certificate in the vomsdir; ``vo`` None: directly in it, for every VO."""

    vo: str | None
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class VomsTrust:
    """A vomsdir: which VOMS servers speak for which VO."""

    lsc_files: tuple[LscFile, ...] = ()
    certificates: tuple[ServerCertificate, ...] = ()
    problems: tuple[Problem, ...] = ()
    _by_server: Mapping[tuple[str, str], LscFile] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_by_server", MappingProxyType({(file.vo, file.host): file for file in self.lsc_files})
        )

    def contents(self) -> str:
        """For the log and the status page."""
        return f"{len(self.lsc_files)} LSC files, {len(self.certificates)} server certificates"

    def lsc_file(self, vo: str, host: str) -> LscFile | None:
        return self._by_server.get((vo, host))

    def certificates_for(self, ac: AttributeCertificate) -> tuple[Certificate, ...]:
        """Those with the name of the issuer, of its VO before those of every VO."""
        fitting = [c for c in self.certificates if c.vo in (ac.vo, None) and c.certificate.subject == ac.issuer]
        return tuple(c.certificate for c in sorted(fitting, key=lambda c: c.vo is None))


@dataclass(frozen=True, slots=True)
class VomsAttributes:
    """What one proven attribute certificate asserts; ``fqans`` as written in it, the primary one first.

    ``issuer`` is the VOMS server that signed it.
    """

    vo: str
    host: str
    port: int
    fqans: tuple[str, ...]
    not_after: datetime
    issuer: DistinguishedName


def verify(
    chain: VerifiedChain, voms: VomsTrust, trust: TrustAnchors, now: datetime | Moment, hostnames: frozenset[str]
) -> tuple[VomsAttributes, ...]:
    """The attributes of the valid attribute certificates, in their order; empty if the chain carries none.

    ``hostnames``: what this service is called, for attribute certificates with targets. A ``Moment`` tells afterwards
    for how long the verdicts hold.
    Raises one of ``credentials.rejections``: the first attribute certificate is not acceptable.
    """
    outcomes = examine(chain, voms, trust, now, hostnames)
    if outcomes and isinstance(outcomes[0], Rejection):
        raise outcomes[0]
    return tuple(outcome for outcome in outcomes if isinstance(outcome, VomsAttributes))


def examine(
    chain: VerifiedChain, voms: VomsTrust, trust: TrustAnchors, now: datetime | Moment, hostnames: frozenset[str]
) -> tuple[VomsAttributes | Rejection, ...]:
    """The verdict on each attribute certificate, in their order, for callers that want all or none."""
    moment = Moment.of(now)
    try:
        return tuple(judge(encoded, chain, voms, trust, moment, hostnames=hostnames) for encoded in carried(chain))
    except BadAttributeCertificate as error:
        return (error,)


def judge(
    encoded: bytes,
    chain: VerifiedChain,
    voms: VomsTrust,
    trust: TrustAnchors,
    now: datetime | Moment,
    *,
    hostnames: frozenset[str],
    checks: Checks = UNRECORDED,
) -> VomsAttributes | Rejection:
    """The verdict on one of the attribute certificates that the chain carries; ``checks`` is told of rules kept."""
    moment = Moment.of(now)
    try:
        ac = acs.read_attribute_certificate(encoded)
        checks.passed("readable")
        _check_validity(ac, moment)
        checks.passed("valid now, with five minutes of grace")
        _check_issuer(ac, voms, trust, moment, checks)
        _check_holder(ac, chain)
        checks.passed("issued to the end entity of the chain")
        _check_targets(ac, hostnames)
        checks.passed("meant for this host" if ac.targets is not None else "meant for every host")
        _check_extensions(ac)
        checks.passed("extensions as they must be")
        _check_fqans(ac)
        checks.passed(f"FQANs of VO {ac.vo} alone")
    except Rejection as error:
        return error
    return VomsAttributes(ac.vo, ac.host, ac.port, ac.fqans, ac.not_after, ac.issuer)


def carried(chain: VerifiedChain) -> tuple[bytes, ...]:
    """The attribute certificates that count, each as its DER. Raises BadAttributeCertificate: not to be read."""
    for proxy in chain.links[: chain.proxy_count]:
        extension = proxy.extensions.get(acs.VOMS_EXTENSION)
        if extension is not None and (found := acs.read_extension(extension.value)):
            return found
    return ()


def _check_validity(ac: AttributeCertificate, moment: Moment) -> None:
    if moment.is_before(ac.not_before, PROXY_GRACE) or moment.is_after(ac.not_after, PROXY_GRACE):
        raise AcNotValidNow(
            "acNotValidAtCurrentTime",
            "AC validity check failed: AC not valid at current time. "
            f"[AC start time: {ac.not_before:%Y-%m-%d %H:%M:%S}, AC end time: {ac.not_after:%Y-%m-%d %H:%M:%S}, "
            f"now: {moment.now:%Y-%m-%d %H:%M:%S}, all UTC]",
        )


# --- The VOMS server


def _check_issuer(
    ac: AttributeCertificate, voms: VomsTrust, trust: TrustAnchors, moment: Moment, checks: Checks
) -> None:
    file = voms.lsc_file(ac.vo, ac.host)
    if file is not None:
        server = _server_by_lsc(ac, file, trust, moment)
        checks.passed(f"VOMS server trusted by {ac.vo}/{ac.host}.lsc")
        _check_signed_by(ac, server)
        checks.passed("signed by the VOMS server")
        return
    candidates = voms.certificates_for(ac)
    if not candidates:
        raise AcIssuerNotTrusted(
            "lscFileNotFound",
            "LSC validation failed: LSC file matching VOMS attributes not found in store. "
            f"[VO {ac.vo}, host {ac.host}; no certificate of {ac.issuer.readable()} either]",
        )
    failure: Rejection | None = None
    for candidate in candidates:
        try:
            _check_server_chain((candidate,), "invalidAaCert", trust, moment)
            _check_signed_by(ac, candidate)
        except Rejection as error:
            failure = failure or error
        else:
            checks.passed(f"signed by a VOMS server whose certificate is trusted for VO {ac.vo}")
            return
    assert failure is not None, "each candidate returned or failed"
    raise failure


def _server_by_lsc(ac: AttributeCertificate, file: LscFile, trust: TrustAnchors, moment: Moment) -> Certificate:
    """The certificate in the attribute certificate, if its chain is the one of the LSC file and validates."""
    if file.problem is not None:
        raise AcIssuerNotTrusted("lscFileNotFound", f"LSC validation failed: {file.problem}")
    links = tuple(map(Certificate, ac.certificates))
    if not links:
        raise AcIssuerNotTrusted("emptyAcCertsExtension", "LSC validation failed: AC certs extension is empty.")
    shown = [(link.subject, link.issuer) for link in links]
    if not any(lsc.matches(chain, shown) for chain in file.chains):
        raise AcIssuerNotTrusted(
            "lscDescriptionDoesntMatchAcCert",
            "LSC validation failed: LSC chain description does not match AA certificate chain embedded in the VOMS AC! "
            f"[VO {ac.vo}, host {ac.host}, certificate of {links[0].subject.readable()}]",
        )
    _check_server_chain(links, "canlError", trust, moment)
    return links[0]


def _check_server_chain(links: tuple[Certificate, ...], code: str, trust: TrustAnchors, moment: Moment) -> None:
    try:
        path.verify(UnverifiedChain(links), trust, moment)
    except Rejection as error:
        raise AcIssuerNotTrusted(code, f"CAnL certificate validation error: {error}") from error


def _check_signed_by(ac: AttributeCertificate, server: Certificate) -> None:
    subject = server.subject
    if ac.key_identifier is None:
        raise BadAttributeCertificate("parse", "the VOMS attribute certificate names no key of its issuer")
    if ac.key_identifier not in _key_identifiers(server):
        raise AcBadSignature("other", f"Validation error: the AC names another key than that of {subject.readable()}")
    algorithm = signatures.BY_OID.get(ac.algorithm)
    if not signatures.is_signed(ac.signed, ac.signature, algorithm, server.public_key):
        raise AcBadSignature(
            "acCertFailsSignatureVerification",
            f"LSC signature validation failed: matching AA cert {subject.readable()} fails signature verification.",
        )


def _key_identifiers(server: Certificate) -> frozenset[bytes]:
    """What the server's certificate calls its key, and what RFC 5280 section 4.2.1.2 (1) would call it."""
    found: set[bytes] = set()
    if server.public_key is not None:
        found.add(x509.SubjectKeyIdentifier.from_public_key(server.public_key).digest)
    extension = server.extensions.get(SUBJECT_KEY_IDENTIFIER)
    if extension is not None:
        try:
            found.add(der.content(extension.value, der.OCTET_STRING))
        except DerError as error:
            raise BadAttributeCertificate(
                "parse", f"subjectKeyIdentifier of {server.subject.readable()}: {error}"
            ) from error
    return frozenset(found)


# --- Holder, targets, extensions, FQANs


def _check_holder(ac: AttributeCertificate, chain: VerifiedChain) -> None:
    if ac.holder not in (chain.subject, chain.issuer):
        raise AcWrongHolder(
            "acHolderDoesntMatchCertChain",
            f"AC holder check failed: AC holder {ac.holder.readable()} does not match certificate chain subject "
            f"{chain.subject.readable()}.",
        )
    if ac.holder_serial != chain.serial:
        raise AcWrongHolder(
            "holderSerial",
            f"AC holder check failed: the AC was issued for certificate {ac.holder_serial} of "
            f"{chain.subject.readable()}, the chain has {chain.serial}.",
        )


def _check_targets(ac: AttributeCertificate, hostnames: frozenset[str]) -> None:
    if ac.targets is None:
        return
    if not {target.lower() for target in ac.targets} & {hostname.lower() for hostname in hostnames}:
        raise AcWrongTarget(
            "localhostDoesntMatchAcTarget",
            f"AC target check failed: local host {', '.join(sorted(hostnames))} is not in the AC target list "
            f"[{', '.join(ac.targets)}].",
        )


def _check_extensions(ac: AttributeCertificate) -> None:
    for oid, extension in ac.extensions.items():
        if not extension.critical or oid == acs.TARGETS:
            continue
        if oid in _NAMES:
            raise AcExtension("other", f"Validation error: {_NAMES[oid]} AC extension cannot be critical!")
        raise AcExtension("other", f"Validation error: unknown critical extension found in VOMS AC: {oid}")
    if acs.NO_REVOCATION_AVAILABLE not in ac.extensions:
        raise AcExtension("other", "Validation error: the AC has no NoRevAvail extension")


def _check_fqans(ac: AttributeCertificate) -> None:
    if not ac.fqans:
        raise BadAttributeCertificate("noFqans", f"the VOMS attribute certificate of VO {ac.vo} holds no FQAN")
    for fqan in ac.fqans:
        if fqan != f"/{ac.vo}" and not fqan.startswith(f"/{ac.vo}/"):
            raise BadAttributeCertificate(
                "foreignFqan", f"the VOMS server {ac.host} of VO {ac.vo} asserts the FQAN {fqan} of another VO"
            )
