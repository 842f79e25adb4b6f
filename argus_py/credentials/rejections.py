"""Why a credential is refused: one class per cause, each with the code of the library operators know it from.

``code`` is the name of the Java error (canl ``ValidationErrorCode``, VOMS ``VOMSValidationErrorCode``) or, for checks
Java does not make, a name in the same style. The class goes into the audit line, the text to the operator. ``clause``
says where the rule is written: that of the class, unless the code has one of its own.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/ValidationErrorCode.java;
voms-api-java:src/main/java/org/italiangrid/voms/error/VOMSValidationErrorCode.java
"""

from typing import ClassVar, Final

from argus_py.errors import CredentialRejected
from argus_py.model.dn import DistinguishedName

_NAMESPACES: Final = "EUGridPMA namespaces 1.0 (.namespaces), Globus EACL (.signing_policy)"
_VOMS: Final = "GFD.182"  # The VOMS Attribute Certificate Format
_CLAUSE_OF_CODE: Final = {
    "pathLenghtExtended": "RFC 5280 section 6.1.4 (l)",
    "noCACert": "RFC 5280 section 6.1.4 (k)",
    "noCertSign": "RFC 5280 section 6.1.4 (n)",
    "trustButInvalidCert": "RFC 5280 section 6.1.3 (a)(1)",
    "ncExtError": "RFC 5280 section 4.2.1.10",
    "excludedDN": "RFC 5280 section 6.1.3 (c)",
    "notPermittedDN": "RFC 5280 section 6.1.3 (b)",
    "proxyIssuerAltNameSet": "RFC 3820 section 3.2",
    "proxySubjectOneRDN": "RFC 3820 section 3.4",
    "proxySubjectMultiLastRDN": "RFC 3820 section 3.4",
    "proxySubjectLastRDNNotCN": "RFC 3820 section 3.4",
    "proxySubjectBaseWrong": "RFC 3820 section 3.4",
    "proxySubjectAltNameSet": "RFC 3820 section 3.5",
    "proxyCASet": "RFC 3820 section 3.7",
    "noFqans": f"{_VOMS}: an attribute certificate asserts FQANs",
    "foreignFqan": f"{_VOMS}: every FQAN begins with the name of the VO",
}


class Rejection(CredentialRejected):
    """``subject`` is the name of the certificate at fault, None when the whole input is."""

    CLAUSE: ClassVar[str] = "a rule of this service"  # until a class says which standard has it

    def __init__(self, code: str, reason: str, subject: DistinguishedName | None = None) -> None:
        super().__init__(f"{subject.readable()}: {reason}" if subject else reason)
        self.code = code
        self.reason = reason
        self.subject = subject

    @property
    def clause(self) -> str:
        return _CLAUSE_OF_CODE.get(self.code, self.CLAUSE)


class UnreadableCredential(Rejection):
    """No PEM, no certificate, a private key where none belongs, or more than the limits."""

    CLAUSE = "RFC 5280 section 4.1, RFC 7468 section 5"


class NoTrustAnchor(Rejection):
    """No trust anchor of the issuer's name, or only one with another key."""

    CLAUSE = "RFC 5280 section 6.1.1 (d)"


class BrokenChain(Rejection):
    """The certificates are no path: two chains, an issuer that is no CA, a path that is too long."""

    CLAUSE = "RFC 5280 section 6.1"


class BadSignature(Rejection):
    """A certificate is not signed by its issuer's key."""

    CLAUSE = "RFC 5280 section 6.1.3 (a)(1)"


class NotValidNow(Rejection):
    """A certificate has expired or is not valid yet."""

    CLAUSE = "RFC 5280 section 6.1.3 (a)(2)"


class Revoked(Rejection):
    """The issuer's CRL lists the certificate."""

    CLAUSE = "RFC 5280 section 6.1.3 (a)(3)"


class RevocationUnknown(Rejection):
    """There is a CRL of the issuer, but it cannot be relied on: outdated, badly signed, unreadable."""

    CLAUSE = "RFC 5280 section 6.3.3"


class NamespaceViolation(Rejection):
    """The CA may not sign this name, or its namespace file cannot be read."""

    CLAUSE = _NAMESPACES


class UnknownCriticalExtension(Rejection):
    """A certificate carries a critical extension that nobody here understands."""

    CLAUSE = "RFC 5280 section 4.2"


class NameConstraintViolation(Rejection):
    """A CA above excludes the name, or does not permit it."""

    CLAUSE = "RFC 5280 section 4.2.1.10"


class BadProxy(Rejection):
    """A proxy breaks a rule of RFC 3820, or has no end entity."""

    CLAUSE = "RFC 3820 section 3.1"


class ProxyPathTooLong(Rejection):
    """More proxies than a proxy above allows."""

    CLAUSE = "RFC 3820 section 3.8.1"


class ProxyEscalation(Rejection):
    """A proxy claims more than its issuer: full below limited, or another type."""

    CLAUSE = "Globus: the proxies of a chain are of one type, and limited ones issue limited ones"


class BadAttributeCertificate(Rejection):
    """An attribute certificate that cannot be read, or that asserts nothing usable."""

    CLAUSE = f"RFC 5755 section 4, {_VOMS}"


class AcNotValidNow(Rejection):
    """An attribute certificate has expired or is not valid yet."""

    CLAUSE = "RFC 5755 section 5 (5)"


class AcIssuerNotTrusted(Rejection):
    """No LSC file or local certificate vouches for the VOMS server, or its certificate does not validate."""

    CLAUSE = "RFC 5755 section 5 (4)"


class AcBadSignature(Rejection):
    """An attribute certificate is not signed by the key of its VOMS server."""

    CLAUSE = "RFC 5755 section 5 (2)"


class AcWrongHolder(Rejection):
    """An attribute certificate was issued to somebody else."""

    CLAUSE = "RFC 5755 section 4.2.2"


class AcWrongTarget(Rejection):
    """An attribute certificate is meant for other hosts."""

    CLAUSE = "RFC 5755 section 4.3.2"


class AcExtension(Rejection):
    """An extension of an attribute certificate is critical and must not be, or is missing."""

    CLAUSE = "RFC 5755 section 4.3"
