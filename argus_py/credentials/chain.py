"""Certificates as a peer sent them: nothing in here proves anything, see ``credentials.path``.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/impl/CertificateUtils.java (loadCertificateChain);
canl-java:src/main/java/eu/emi/security/authn/x509/helpers/CertificateHelpers.java (sortChain)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials.certificate import Certificate, load_certificate
from argus_py.credentials.pem import MAX_CERTIFICATES
from argus_py.credentials.rejections import BrokenChain, UnreadableCredential


@dataclass(frozen=True, slots=True)
class UnverifiedChain:
    """``links``: the leaf first, at least one; what follows may hold surplus certificates."""

    links: tuple[Certificate, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.links) <= MAX_CERTIFICATES:
            raise UnreadableCredential(
                "inputError", f"a chain of {len(self.links)} certificates; 1 to {MAX_CERTIFICATES} are allowed"
            )

    @classmethod
    def of(cls, certificates: Iterable[x509.Certificate]) -> "UnverifiedChain":
        """In the order given. Raises UnreadableCredential: none, or more than the limit."""
        return cls(tuple(map(Certificate, certificates)))

    @classmethod
    def from_der(cls, encoded: Iterable[bytes]) -> "UnverifiedChain":
        """In the order given, which is that of TLS. Raises UnreadableCredential: as above, or not a certificate."""
        return cls.of(map(load_certificate, encoded))

    def encoded(self) -> bytes:
        """The DER of the certificates, one after the other."""
        return b"".join(certificate.public_bytes(Encoding.DER) for certificate in self.certificates)

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        return tuple(link.x509 for link in self.links)


def order(certificates: Iterable[x509.Certificate]) -> UnverifiedChain:
    """One chain from certificates in any order: by names alone, leaf first, doubles dropped.

    Raises BrokenChain: they do not form one chain; UnreadableCredential: none, too many, an unreadable name.
    """
    first, *others = dict.fromkeys(UnverifiedChain.of(certificates).links)
    links = [first]
    while others:
        issuer = next((c for c in others if not links[-1].is_self_issued and c.subject == links[-1].issuer), None)
        issued = next((c for c in others if not c.is_self_issued and c.issuer == links[0].subject), None)
        if issuer is not None:
            links.append(issuer)
            others.remove(issuer)
        elif issued is not None:
            links.insert(0, issued)
            others.remove(issued)
        else:
            raise BrokenChain(
                "invalidCertificatePath",
                "The keystore is inconsistent as it contains certificates from different chains",
                others[0].subject,
            )
    return UnverifiedChain(tuple(links))
