from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from argus_py.credentials import der, signatures
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.signatures import SignatureAlgorithm

DATA = b"signed"
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(
    key: CertificateIssuerPrivateKeyTypes,
    digest: hashes.SHA256 | None,
    rsa_padding: padding.PSS | padding.PKCS1v15 | None = None,
) -> Certificate:
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return Certificate(builder.sign(key, digest, rsa_padding=rsa_padding))


def test_certificates_of_every_algorithm_in_use_verify(rsa_key: rsa.RSAPrivateKey) -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    for signed in (
        certificate(rsa_key, hashes.SHA256()),
        certificate(rsa_key, hashes.SHA256(), pss),
        certificate(ec.generate_private_key(ec.SECP384R1()), hashes.SHA256()),
        certificate(ed25519.Ed25519PrivateKey.generate(), None),
        certificate(ed448.Ed448PrivateKey.generate(), None),
    ):
        assert signed.is_signed_by(signed)
        assert not signed.is_signed_by(certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()))


def test_an_algorithm_nobody_knows_is_no_signature() -> None:
    signed = certificate(dsa.generate_private_key(1024), hashes.SHA256())
    assert not signed.is_signed_by(signed)


def test_md5_is_no_signature(rsa_key: rsa.RSAPrivateKey) -> None:
    def signed_with(digest: hashes.HashAlgorithm, algorithm: str) -> Certificate:
        own, sha256 = bytes.fromhex(f"2a864886f70d0101{algorithm}"), bytes.fromhex("2a864886f70d01010b")
        tbs = certificate(rsa_key, hashes.SHA256()).x509.tbs_certificate_bytes.replace(sha256, own)
        signature = rsa_key.sign(tbs, padding.PKCS1v15(), digest)
        identifier = der.encode(der.SEQUENCE, der.encode(der.OBJECT_IDENTIFIER, own) + b"\x05\x00")
        content = tbs + identifier + der.encode(der.BIT_STRING, b"\x00" + signature)
        return Certificate(x509.load_der_x509_certificate(der.encode(der.SEQUENCE, content)))

    md5, sha1 = signed_with(hashes.MD5(), "04"), signed_with(hashes.SHA1(), "05")
    assert sha1.is_signed_by(sha1)
    assert not md5.is_signed_by(md5)


def test_an_rsa_key_that_can_be_factored_has_signed_nothing() -> None:
    """512 bits; ``openssl genrsa`` made the key, which cryptography refuses to make."""
    modulus = bytes.fromhex(
        "c46bf246c456ee934b3820b21c8ea2bf6a143062b93649f4edad476a0a9eab4e"
        "e256246daa10bba3faad335452637f1cd214dc79896dc1d146d98fd11ceea379"
    )
    signature = bytes.fromhex(
        "97239d8c2a19159704dac20888dabf37f74f64df2fcd081733dba95efc10df9b"
        "c6fdc516c56a6d5453e9e9d296f75277ecddc5f2244b3665f06689fc6a7664bc"
    )
    key = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus)).public_key()
    key.verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    assert not signatures.is_signed(DATA, signature, SignatureAlgorithm(hashes.SHA256(), padding.PKCS1v15()), key)


def test_attribute_certificates_may_be_signed_with_rsa_ecdsa_and_edwards_curves(rsa_key: rsa.RSAPrivateKey) -> None:
    ec_key, ed_key = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    digests = {"5": hashes.SHA1(), "11": hashes.SHA256(), "12": hashes.SHA384(), "13": hashes.SHA512()}
    for suffix, digest in digests.items():
        signature = rsa_key.sign(DATA, padding.PKCS1v15(), digest)
        algorithm = signatures.BY_OID[f"1.2.840.113549.1.1.{suffix}"]
        assert signatures.is_signed(DATA, signature, algorithm, rsa_key.public_key())
        assert not signatures.is_signed(b"other", signature, algorithm, rsa_key.public_key())
    digests = {"1": hashes.SHA1(), "3.2": hashes.SHA256(), "3.3": hashes.SHA384(), "3.4": hashes.SHA512()}
    for suffix, digest in digests.items():
        signature = ec_key.sign(DATA, ec.ECDSA(digest))
        algorithm = signatures.BY_OID[f"1.2.840.10045.4.{suffix}"]
        assert signatures.is_signed(DATA, signature, algorithm, ec_key.public_key())
    assert signatures.is_signed(DATA, ed_key.sign(DATA), signatures.BY_OID["1.3.101.112"], ed_key.public_key())


def test_key_and_algorithm_belong_together(rsa_key: rsa.RSAPrivateKey) -> None:
    ec_key = ec.generate_private_key(ec.SECP256R1())
    by_rsa = rsa_key.sign(DATA, padding.PKCS1v15(), hashes.SHA256())
    by_ec = ec_key.sign(DATA, ec.ECDSA(hashes.SHA256()))
    for_rsa, for_ec = SignatureAlgorithm(hashes.SHA256(), padding.PKCS1v15()), SignatureAlgorithm(hashes.SHA256())
    assert not signatures.is_signed(DATA, by_rsa, for_ec, rsa_key.public_key())
    assert not signatures.is_signed(DATA, by_ec, for_rsa, ec_key.public_key())
    assert not signatures.is_signed(DATA, by_rsa, SignatureAlgorithm(None), rsa_key.public_key())
    assert not signatures.is_signed(DATA, by_rsa, None, rsa_key.public_key())
    assert not signatures.is_signed(DATA, by_rsa, for_rsa, None)


def test_damaged_signatures_are_none(rsa_key: rsa.RSAPrivateKey) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert not signatures.is_signed(DATA, b"", SignatureAlgorithm(hashes.SHA256()), key)
    assert not signatures.is_signed(DATA, b"\x30\x00", SignatureAlgorithm(hashes.SHA256()), key)
    pkcs = SignatureAlgorithm(hashes.SHA256(), padding.PKCS1v15())
    assert not signatures.is_signed(DATA, b"x", pkcs, rsa_key.public_key())
