"""Is this signed by that key? RSA (PKCS #1 v1.5 and PSS), ECDSA and Edwards curves.

The algorithm named in the signed object and the type of the key must belong together; anything unknown counts as not
signed, MD5 too. Java takes DSA as well; no CA of the grid has issued with it for many years.

BETTER: RSA keys that can be factored have signed nothing; Java takes the 512 bits that old Globus proxies had.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

MIN_RSA_BITS = 1024  # what proxies have had since 2010; 512 bits are factored within hours, less than a proxy lives


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """``padding`` is set for RSA alone, ``digest`` is missing for Edwards curves."""

    digest: hashes.HashAlgorithm | None
    padding: PKCS1v15 | PSS | None = None


_RSA, _ECDSA = "1.2.840.113549.1.1.", "1.2.840.10045.4."
# RFC 8017 appendix C, RFC 5758 section 3.2, RFC 8410 section 3: what attribute certificates may be signed with.
BY_OID = {
    _RSA + "5": SignatureAlgorithm(hashes.SHA1(), PKCS1v15()),  # noqa: S303  # VOMS servers before 2014
    _RSA + "11": SignatureAlgorithm(hashes.SHA256(), PKCS1v15()),
    _RSA + "12": SignatureAlgorithm(hashes.SHA384(), PKCS1v15()),
    _RSA + "13": SignatureAlgorithm(hashes.SHA512(), PKCS1v15()),
    _ECDSA + "1": SignatureAlgorithm(hashes.SHA1()),  # noqa: S303
    _ECDSA + "3.2": SignatureAlgorithm(hashes.SHA256()),
    _ECDSA + "3.3": SignatureAlgorithm(hashes.SHA384()),
    _ECDSA + "3.4": SignatureAlgorithm(hashes.SHA512()),
    "1.3.101.112": SignatureAlgorithm(None),
    "1.3.101.113": SignatureAlgorithm(None),
}


def algorithm_of(signed: x509.Certificate | x509.CertificateRevocationList) -> SignatureAlgorithm | None:
    """What a certificate or CRL says it is signed with; None if that is unknown here."""
    try:
        parameters = signed.signature_algorithm_parameters
        digest = signed.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        return None
    if isinstance(parameters, PKCS1v15 | PSS):
        return SignatureAlgorithm(digest, parameters)
    return SignatureAlgorithm(digest)


def is_signed(
    data: bytes, signature: bytes, algorithm: SignatureAlgorithm | None, key: CertificatePublicKeyTypes | None
) -> bool:
    """True if ``signature`` over ``data`` verifies with the key; False in every other case, unknown ones included."""
    if algorithm is None:
        return False
    digest, rsa_padding = algorithm.digest, algorithm.padding
    try:
        match key:
            case rsa.RSAPublicKey() if digest and rsa_padding and key.key_size >= MIN_RSA_BITS:
                key.verify(signature, data, rsa_padding, digest)
            case ec.EllipticCurvePublicKey() if digest and not rsa_padding:
                key.verify(signature, data, ec.ECDSA(digest))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey() if not digest:
                key.verify(signature, data)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
