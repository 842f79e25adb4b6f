from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from argus_py.worker.payload_proxy import MAX_OCTETS, UnusableProxy, read_payload_proxy
from demo.issuing import CertificateAuthority, Credential, proxy_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def user() -> Credential:
    return CertificateAuthority("CA", NOW).user("Alice Adams")


@pytest.fixture(scope="module")
def proxy(user: Credential) -> Credential:
    return proxy_of(user, NOW)


def test_key_never_leaves_the_file(proxy: Credential) -> None:
    found = read_payload_proxy(proxy.proxy_file(), "u", NOW, key_may_be_missing=False)
    assert found.has_key
    assert "PRIVATE" not in found.certificates
    assert found.certificates.count("BEGIN CERTIFICATE") == 2
    assert found.subject.oneline(escaped=False) == "/DC=org/DC=argus-demo/CN=Alice Adams"


def test_certificates_are_handed_on_leaf_first(proxy: Credential) -> None:
    blocks = [certificate.public_bytes(Encoding.PEM) for certificate in (*proxy.chain, proxy.certificate)]
    found = read_payload_proxy(b"".join(blocks), "u", NOW, key_may_be_missing=True)
    assert found.certificates.encode() == blocks[1] + blocks[0]


def refused(octets: bytes, reason: str, now: datetime = NOW) -> None:
    with pytest.raises(UnusableProxy, match=reason):
        read_payload_proxy(octets, "/tmp/u", now, key_may_be_missing=False)


def test_what_cannot_be_used_is_refused(user: Credential, proxy: Credential) -> None:
    refused(proxy.proxy_file(), "has expired", NOW + timedelta(hours=13))
    refused(proxy.proxy_file(), "not yet valid", NOW - timedelta(days=1))
    refused(proxy.certificate_pem(), "it holds no private key")
    refused(proxy.certificate_pem() + user.key_pem(), "does not belong to its first certificate")
    encrypted = proxy.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    refused(proxy.certificate_pem() + encrypted, "is encrypted")
    damaged = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    refused(proxy.certificate_pem() + damaged, "private key cannot be read")
    refused(b"", "PEM")
    refused(b"x" * (MAX_OCTETS + 1), "longer than")
    other = CertificateAuthority("Other", NOW).user("Bob").certificate_pem()
    refused(proxy.proxy_file() + other, "different chains")


def test_first_key_counts_wherever_it_stands(user: Credential, proxy: Credential) -> None:
    key, certificates = proxy.key_pem(), proxy.certificate_pem()
    assert read_payload_proxy(key + certificates + user.key_pem(), "u", NOW, key_may_be_missing=False).has_key
    refused(user.key_pem() + key + certificates, "does not belong")
    refused(
        certificates + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "holds no private key"
    )


def test_proxy_has_five_minutes_of_grace_and_the_user_none(user: Credential, proxy: Credential) -> None:
    read_payload_proxy(proxy.proxy_file(), "u", NOW + timedelta(hours=12, minutes=4), key_may_be_missing=False)
    refused(user.proxy_file(), "has expired", NOW + timedelta(days=30, minutes=1))


def test_encrypted_key_is_named_in_its_old_form_too(proxy: Credential) -> None:
    old = proxy.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x"))
    refused(proxy.certificate_pem() + old, "is encrypted")
