"""Key pairs for TLS contexts; what peers send is covered by real handshakes in ``tests/e2e``."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from argus_py.credentials import tls
from argus_py.errors import ConfigurationError

HOSTS = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid" / "hosts"
CERTIFICATE, KEY = HOSTS / "localhost.pem", HOSTS / "localhost.key"


@pytest.fixture
def context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture
def encrypted_key(tmp_path: Path) -> Path:
    """With the password ``secret``."""
    key = load_pem_private_key(KEY.read_bytes(), None)
    encryption = BestAvailableEncryption(b"secret")
    file = tmp_path / "encrypted.key"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return file


def test_a_key_may_be_in_the_file_of_its_certificate(context: ssl.SSLContext, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(CERTIFICATE.read_bytes() + KEY.read_bytes())
    tls.load_key_pair(context, both, both, None)


def test_an_encrypted_key_needs_its_password(context: ssl.SSLContext, encrypted_key: Path) -> None:
    tls.load_key_pair(context, CERTIFICATE, encrypted_key, "secret")


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_without_the_password_nobody_is_asked_for_it(
    context: ssl.SSLContext, encrypted_key: Path, password: str | None
) -> None:
    with pytest.raises(ConfigurationError, match=r"^Unable to read service credential information: .*encrypted\.key: "):
        tls.load_key_pair(context, CERTIFICATE, encrypted_key, password)


@pytest.mark.parametrize("key", [HOSTS / "ce01.key", HOSTS / "missing.key", CERTIFICATE, HOSTS])
def test_files_that_are_no_pair_are_named(context: ssl.SSLContext, key: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tls.load_key_pair(context, CERTIFICATE, key, None)
    assert f"{CERTIFICATE} with {key}: " in str(caught.value)
