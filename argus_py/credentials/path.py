"""Proof that a chain leads from a trust anchor to its leaf: RFC 5280 up to the end entity, RFC 3820 below it.

The path ends at the first certificate of the trust directory, which may be a sub CA; an anchor's own dates do not
count, as in RFC 5280 section 6.1.1. Proxies have five minutes of grace at both ends, end entities and CAs none.
Revocation is looked at where there is a CRL; a CRL that cannot be relied on refuses.

BETTER: an anchor's own path length, key usage and name constraints are respected, and a revoked sub CA is refused even
when it lies in the trust directory; canl looks at nothing in an anchor but its key.
Policy constraints (RFC 5280 section 4.2.1.11) are not implemented: a certificate with critical ones is refused.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/helpers/pkipath/BCCertPathValidator.java
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from argus_py.credentials import certificate as extensions
from argus_py.credentials import constraints, delegation, revocation
from argus_py.credentials.budget import SignatureBudget
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.checks import UNRECORDED, Checks
from argus_py.credentials.moment import Moment
from argus_py.credentials.namespaces import NamespaceFormat, NamespacePolicy, comparable
from argus_py.credentials.rejections import (
    BadProxy,
    BadSignature,
    BrokenChain,
    NamespaceViolation,
    NoTrustAnchor,
    Rejection,
    UnreadableCredential,
)
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import CredentialRejected
from argus_py.model.dn import DistinguishedName

_KNOWN = extensions.WITHOUT_RULES | {
    extensions.BASIC_CONSTRAINTS,
    extensions.KEY_USAGE,
    extensions.NAME_CONSTRAINTS,
    extensions.SUBJECT_ALT_NAME,
    "2.5.29.33",  # policy mappings: no policy is required
    "2.5.29.54",  # inhibit any-policy: the same
}


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """Made by ``verify`` alone. ``links``: proxies leaf first, the end entity, CAs, the anchor."""

    links: tuple[Certificate, ...]
    proxy_count: int

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        return tuple(link.x509 for link in self.links)

    @property
    def proxies(self) -> tuple[x509.Certificate, ...]:
        return self.certificates[: self.proxy_count]

    @property
    def end_entity(self) -> x509.Certificate:
        return self._end_entity.x509

    @property
    def subject(self) -> DistinguishedName:
        """The identity everywhere: of policies, leases, access lists and logs."""
        return self._end_entity.subject

    @property
    def issuer(self) -> DistinguishedName:
        """Of the end entity."""
        return self._end_entity.issuer

    @property
    def issuers(self) -> tuple[DistinguishedName, ...]:
        """Of every certificate, leaf first, doubles dropped; with proxies the subject is among them."""
        return tuple(dict.fromkeys(link.issuer for link in self.links))

    @property
    def not_after(self) -> datetime:
        """When the first certificate below the anchor expires."""
        return min(link.not_after for link in self.links[:-1])

    @property
    def serial(self) -> int:
        """Of the end entity."""
        return self._end_entity.serial

    @property
    def _end_entity(self) -> Certificate:
        return self.links[self.proxy_count]


def verify(
    chain: UnverifiedChain, trust: TrustAnchors, now: datetime | Moment, checks: Checks = UNRECORDED
) -> VerifiedChain:
    """Judge a chain, leaf first; surplus certificates are ignored and missing CAs taken from the trust directory.

    A ``Moment`` tells afterwards for how long the verdict holds; ``checks`` is told of every rule that is kept.

    Raises one of ``credentials.rejections``: for the first rule that is broken, CAs first, the leaf last.
    """
    proxies, base = _split(chain.links)
    if not base:
        if not trust.named(proxies[-1].issuer):
            raise _no_anchor(proxies[-1])
        raise BadProxy(
            "proxyNoIssuer",
            "Issuing end entity certificate was not found in the chain with proxy certificates.",
            proxies[-1].subject,
        )
    if not base[0].subject.rdns:
        raise UnreadableCredential("inputError", "the end entity certificate names nobody")  # BETTER: Java lets it pass
    moment, budget = Moment.of(now), SignatureBudget()
    path = _valid_path(base, trust, moment, budget, checks)
    delegation.check((*proxies, path[0]), moment, budget, checks)
    _check_namespaces(path, trust, checks)
    return VerifiedChain(proxies + path, len(proxies))


def _split(links: tuple[Certificate, ...]) -> tuple[tuple[Certificate, ...], tuple[Certificate, ...]]:
    """The proxies, and what begins with the end entity."""
    count = next((position for position, link in enumerate(links) if link.proxy is None), len(links))
    return links[:count], links[count:]


# --- Building a path: by name and signature


def _valid_path(
    base: tuple[Certificate, ...], trust: TrustAnchors, moment: Moment, budget: SignatureBudget, checks: Checks
) -> tuple[Certificate, ...]:
    """The first path from the end entity to an anchor that keeps every rule."""
    failure: CredentialRejected | None = None
    search = _PathSearch(base, trust, budget, checks)
    for path in search.paths():
        try:
            _check_path(path, trust, moment, budget, checks)
        except Rejection as error:
            checks.refused(error)
            failure = failure or error
        else:
            return path
    raise failure or search.dead_end or _no_anchor(base[0])


class _PathSearch:
    """Depth first over issuers of the right name whose key fits; nearly always there is exactly one."""

    def __init__(
        self, base: tuple[Certificate, ...], trust: TrustAnchors, budget: SignatureBudget, checks: Checks
    ) -> None:
        self.dead_end: Rejection | None = None  # the first one
        self._base = base
        self._trust = trust
        self._budget = budget
        self._checks = checks

    def paths(self) -> Iterator[tuple[Certificate, ...]]:
        return self._extensions(self._base[:1])

    def _extensions(self, path: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        last = path[-1]
        found = False
        anchors = self._trust.named(last.issuer)
        for anchor in anchors:
            if self._budget.is_signed(last, anchor):
                found = True
                self._checks.passed("signed by a trust anchor", last)
                yield (*path, anchor)
        issuers = [link for link in self._base if link.subject == last.issuer and link not in (*path, *anchors)]
        for issuer in issuers:
            if self._budget.is_signed(last, issuer):
                found = True
                self._checks.passed("signed by its issuer", last)
                yield from self._extensions((*path, issuer))
        if not found and self.dead_end is None:
            self.dead_end = _dead_end(last, anchors, issuers)


def _dead_end(last: Certificate, anchors: Sequence[Certificate], issuers: Sequence[Certificate]) -> Rejection:
    if anchors:
        return NoTrustAnchor(
            "trustButInvalidCert",
            "Trusted CA certificate was found for the certificate chain but the certificate is not issued "
            "(correctly signed) by this CA certificate",
            last.subject,
        )
    if issuers:
        return BadSignature("signatureNotVerified", "Signature of a certificate is invalid", last.subject)
    return _no_anchor(last)


def _no_anchor(last: Certificate) -> NoTrustAnchor:
    return NoTrustAnchor(
        "noTrustAnchorFound",
        "No trusted CA certificate was found for the certificate chain: "
        f"its issuer {last.issuer.readable()} is unknown",
        last.subject,
    )


# --- RFC 5280 section 6.1, without policies


def _check_path(
    path: tuple[Certificate, ...], trust: TrustAnchors, moment: Moment, budget: SignatureBudget, checks: Checks
) -> None:
    """``path``: end entity to anchor, signatures proven."""
    anchor = path[-1]
    remaining: int | None = None  # how many more sub CAs may follow
    for position in range(len(path) - 1, 0, -1):
        issuer, certificate = path[position], path[position - 1]
        if issuer is not anchor and not issuer.is_self_issued and remaining is not None:
            if remaining == 0:
                raise BrokenChain("pathLenghtExtended", "a CA above allows no further sub CA", issuer.subject)
            remaining -= 1
        checks.passed("no more sub CAs than allowed", issuer)
        remaining = _shorter(remaining, issuer)
        _check_may_issue(issuer, is_anchor=issuer is anchor)
        checks.passed("a CA that may sign certificates", issuer)
        certificate.check_valid(moment)
        checks.passed("valid now", certificate)
        revocation.check(certificate, issuer, trust, moment, budget, checks=checks)
        if position == 1 or not certificate.is_self_issued:
            for ca in path[position:]:
                constraints.check(certificate, ca)
            checks.passed("name within the name constraints of the CAs", certificate)
        certificate.check_critical(_KNOWN)
        checks.passed("no unknown critical extension", certificate)
    revocation.check_anchor(anchor, trust, checks)


def _shorter(remaining: int | None, issuer: Certificate) -> int | None:
    own = issuer.basic_constraints.path_length if issuer.basic_constraints else None
    if own is None or (remaining is not None and remaining < own):
        return remaining
    return own


def _check_may_issue(issuer: Certificate, *, is_anchor: bool) -> None:
    """Anchors without basicConstraints are the version 1 roots of old; the directory vouches for them."""
    if not issuer.is_ca and not (is_anchor and issuer.basic_constraints is None):
        raise BrokenChain("noCACert", "The certificate is no CA certificate but used as one", issuer.subject)
    if issuer.key_usage is not None and not issuer.key_usage.key_cert_sign:
        raise BrokenChain(
            "noCertSign", "The certificate's key usage does not allow it to sign certificates", issuer.subject
        )


# --- Namespaces


def _check_namespaces(path: tuple[Certificate, ...], trust: TrustAnchors, checks: Checks) -> None:
    """Every certificate that is not self-issued, against the first file with rules about its issuer."""
    for position, certificate in enumerate(path[:-1]):
        if certificate.is_self_issued:
            continue
        file_name, policies = _policies(path[position + 1 :], trust, certificate)
        if not policies:
            checks.passed("no namespace file about its issuer", certificate)
            continue
        subject = comparable(certificate.subject)
        matching = [policy for policy in policies if policy.matches(subject)]
        denying = next((policy for policy in matching if not policy.permit), None)
        if denying is not None:
            raise NamespaceViolation(
                "nsDeny",
                f"The certificate subject {certificate.subject.readable()} is denied by {file_name}:{denying.line}",
                certificate.subject,
            )
        if not matching:
            raise NamespaceViolation(
                "nsNotAccepted",
                f"The certificate subject {certificate.subject.readable()} is not accepted by any rule of "
                f"the relevant namespace policies: {file_name}",
                certificate.subject,
            )
        checks.passed(f"name permitted by {file_name}:{matching[0].line}", certificate)


def _policies(
    cas: tuple[Certificate, ...], trust: TrustAnchors, certificate: Certificate
) -> tuple[str, tuple[NamespacePolicy, ...]]:
    """File name and rules about the first of ``cas``, from its own files, then those of the CAs above.

    ``.namespaces`` files go before ``.signing_policy`` files: the first format that knows the issuer decides alone.
    Raises NamespaceViolation: a file that would have to be looked at is unreadable.
    """
    issuer = cas[0]
    for format_ in NamespaceFormat:
        for ca in cas:
            file = trust.namespace_file(ca, format_)
            if file is None:
                continue
            if file.problem is not None:
                raise NamespaceViolation(
                    "nsUnreadable",
                    f"The namespace file {file.name} cannot be read: {file.problem}",
                    certificate.subject,
                )
            policies = file.about(issuer.subject, issuer.hashes)
            if policies:
                return file.name, policies
    return "", ()
