"""Why a credential is refused: one class per cause, each with the code of the library operators know it from.

``code`` is the name of the Java error (canl ``ValidationErrorCode``, VOMS ``VOMSValidationErrorCode``) or, for checks
Java does not make, a name in the same style. The class goes into the audit line, the text to the operator.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/ValidationErrorCode.java;
voms-api-java:src/main/java/org/italiangrid/voms/error/VOMSValidationErrorCode.java
"""

from argus_py.errors import CredentialRejected
from argus_py.model.dn import DistinguishedName


class Rejection(CredentialRejected):
    """``subject`` is the name of the certificate at fault, None when the whole input is."""

    def __init__(self, code: str, reason: str, subject: DistinguishedName | None = None) -> None:
        super().__init__(f"{subject.readable()}: {reason}" if subject else reason)
        self.code = code
        self.reason = reason
        self.subject = subject


class UnreadableCredential(Rejection):
    """No PEM, no certificate, a private key where none belongs, or more than the limits."""


class NoTrustAnchor(Rejection):
    """No trust anchor of the issuer's name, or only one with another key."""


class BrokenChain(Rejection):
    """The certificates are no path: two chains, an issuer that is no CA, a path that is too long."""


class BadSignature(Rejection):
    """A certificate is not signed by its issuer's key."""


class NotValidNow(Rejection):
    """A certificate has expired or is not valid yet."""


class Revoked(Rejection):
    """The issuer's CRL lists the certificate."""


class RevocationUnknown(Rejection):
    """There is a CRL of the issuer, but it cannot be relied on: outdated, badly signed, unreadable."""


class NamespaceViolation(Rejection):
    """The CA may not sign this name, or its namespace file cannot be read."""


class UnknownCriticalExtension(Rejection):
    """A certificate carries a critical extension that nobody here understands."""


class NameConstraintViolation(Rejection):
    """A CA above excludes the name, or does not permit it."""


class BadProxy(Rejection):
    """A proxy breaks a rule of RFC 3820, or has no end entity."""


class ProxyPathTooLong(Rejection):
    """More proxies than a proxy above allows."""


class ProxyEscalation(Rejection):
    """A proxy claims more than its issuer: full below limited, or another type."""


class BadAttributeCertificate(Rejection):
    """An attribute certificate that cannot be read, or that asserts nothing usable."""


class AcNotValidNow(Rejection):
    """An attribute certificate has expired or is not valid yet."""


class AcIssuerNotTrusted(Rejection):
    """No LSC file or local certificate vouches for the VOMS server, or its certificate does not validate."""


class AcBadSignature(Rejection):
    """An attribute certificate is not signed by the key of its VOMS server."""


class AcWrongHolder(Rejection):
    """An attribute certificate was issued to somebody else."""


class AcWrongTarget(Rejection):
    """An attribute certificate is meant for other hosts."""


class AcExtension(Rejection):
    """An extension of an attribute certificate is critical and must not be, or is missing."""
