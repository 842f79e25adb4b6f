"""The rules between an end entity and its proxies, RFC 3820 section 4, for all three kinds of proxies.

A limited proxy is authorised like a full one, and so are independent and restricted ones, whose policy nobody reads: as
in Java. Proxies have five minutes of grace at both ends, for worker nodes whose clocks are off.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/helpers/pkipath/BCCertPathValidator.java
"""

from datetime import timedelta

from argus_py.credentials import certificate as extensions
from argus_py.credentials import proxy
from argus_py.credentials.budget import SignatureBudget
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.checks import Checks
from argus_py.credentials.moment import Moment
from argus_py.credentials.rejections import BadProxy, BadSignature, ProxyEscalation, ProxyPathTooLong
from argus_py.model.dn import DistinguishedName

PROXY_GRACE = timedelta(minutes=5)
KNOWN_EXTENSIONS = extensions.WITHOUT_RULES | {
    extensions.BASIC_CONSTRAINTS,
    extensions.KEY_USAGE,
    proxy.RFC_PROXY_CERT_INFO,
    proxy.DRAFT_PROXY_CERT_INFO,
}

_COMMON_NAME = "2.5.4.3"


def check(links: tuple[Certificate, ...], moment: Moment, budget: SignatureBudget, checks: Checks) -> None:
    """``links``: proxies leaf first, then the end entity.

    Raises one of ``credentials.rejections``: for the first broken rule, from the end entity to the leaf.
    """
    remaining: int | None = None  # how many more proxies may follow
    for position in range(len(links) - 1, 0, -1):
        issuer, certificate = links[position], links[position - 1]
        _check_proxy_form(certificate)
        checks.passed("no CA, no alternative names", certificate)
        _check_may_delegate(issuer)
        checks.passed("may issue proxies", issuer)
        _check_proxy_subject(certificate, issuer)
        checks.passed("name of its issuer with one CN more", certificate)
        certificate.check_valid(moment, PROXY_GRACE)
        checks.passed("valid now, with five minutes of grace", certificate)
        _check_same_kind(certificate, issuer)
        checks.passed("type and limits of a proxy above it kept", certificate)
        certificate.check_critical(KNOWN_EXTENSIONS)
        checks.passed("no unknown critical extension", certificate)
        if not budget.is_signed(certificate, issuer):
            raise BadSignature("signatureNotVerified", "Signature of a certificate is invalid", certificate.subject)
        checks.passed("signed by its issuer", certificate)
        if remaining == 0:
            raise ProxyPathTooLong(
                "proxyLength",
                "At the current position the proxy certificates chain exceeded its length limit.",
                certificate.subject,
            )
        checks.passed("no more proxies than allowed", certificate)
        remaining = None if remaining is None else remaining - 1
        own = certificate.proxy.path_length if certificate.proxy else None
        if own is not None and (remaining is None or own < remaining):
            remaining = own


def _check_proxy_form(certificate: Certificate) -> None:
    subject = certificate.subject
    if certificate.is_ca:
        raise BadProxy("proxyCASet", "Proxy certificate has the cA field set", subject)
    if extensions.ISSUER_ALT_NAME in certificate.extensions:
        raise BadProxy("proxyIssuerAltNameSet", "Proxy certificate has the IssuerAlternativeName set", subject)
    if extensions.SUBJECT_ALT_NAME in certificate.extensions:
        raise BadProxy("proxySubjectAltNameSet", "Proxy certificate has the SubjectAlternativeName set", subject)


def _check_may_delegate(issuer: Certificate) -> None:
    if issuer.is_ca:
        raise BadProxy("proxyIssuedByCa", "Proxy certificate issuer has the cA field set", issuer.subject)
    if issuer.key_usage is not None and not issuer.key_usage.digital_signature:
        raise BadProxy(
            "proxyIssuerNoDsig", "Proxy certificate issuer has no digital signature creation right", issuer.subject
        )


def _check_proxy_subject(certificate: Certificate, issuer: Certificate) -> None:
    """The subject is the issuer's with one RDN more, a single CN."""
    subject = certificate.subject
    if certificate.issuer != issuer.subject:
        raise BadProxy("proxySubjectInconsistent", "Issuer of the proxy is not the subject of its issuer", subject)
    if len(subject.rdns) < 2:
        raise BadProxy("proxySubjectOneRDN", "The proxy subject has less than two RDNs", subject)
    if len(subject.rdns[-1]) != 1:
        raise BadProxy("proxySubjectMultiLastRDN", "The last RDN in proxy subject name is multivalued", subject)
    if subject.rdns[-1][0].type != _COMMON_NAME:
        raise BadProxy("proxySubjectLastRDNNotCN", "The last RDN in proxy subject name is not a CN", subject)
    if DistinguishedName(subject.rdns[:-1]) != issuer.subject:
        raise BadProxy(
            "proxySubjectBaseWrong",
            "The proxy subject without its last CN component is not equal to its issuer name",
            subject,
        )


def _check_same_kind(certificate: Certificate, issuer: Certificate) -> None:
    """From the second proxy on: one type per chain, and limited stays limited."""
    assert certificate.proxy is not None, "chains are split by it"
    if issuer.proxy is None:
        return
    if certificate.proxy.type != issuer.proxy.type:
        raise ProxyEscalation(
            "proxyTypeInconsistent",
            "The proxy chain contains proxy certificates of different types "
            f"({issuer.proxy.type.value} and {certificate.proxy.type.value})",
            certificate.subject,
        )
    if issuer.proxy.limited and not certificate.proxy.limited:
        raise ProxyEscalation(
            "proxyInconsistentlyLimited",
            "The proxy chain contains an unlimited proxy certificate after a limited proxy certificate",
            certificate.subject,
        )
