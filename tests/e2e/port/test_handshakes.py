"""Handshakes that end badly, what the operator learns of them, and what a certificate is worth without its key."""

import json
import shutil
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from tests.e2e.port.conftest import Serve, ServedPort

    Eventually = Callable[[Callable[[], bool]], None]

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VECTORS = Path(__file__).resolve().parents[2] / "vectors"
GRID = VECTORS / "credentials" / "grid"
ALICE = GRID / "users" / "alice.pem"
PROXY_CERT_INFO = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14")
FULL_PROXY = bytes.fromhex("300c300a06082b06010505071501")


def failures(port: "ServedPort") -> dict[str, str]:
    with port.connect() as connection:
        lines: dict[str, str] = json.loads(connection.ask("GET /failures HTTP/1.1").text)
        return lines


# --- Possession of the key


def rsa_key(file: Path) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize("version", [V12, V13])
def test_a_certificate_without_its_key_is_worth_nothing(
    port: "ServedPort", tmp_path: Path, version: ssl.TLSVersion
) -> None:
    alice = rsa_key(GRID / "users" / "alice.key").private_numbers()
    d, dmp1, dmq1 = (secret + 2 for secret in (alice.d, alice.dmp1, alice.dmq1))
    forged = rsa.RSAPrivateNumbers(alice.p, alice.q, d, dmp1, dmq1, alice.iqmp, alice.public_numbers)
    thief = tmp_path / "thief.pem"
    thief.write_bytes(ALICE.read_bytes() + private_pem(forged.private_key(unsafe_skip_rsa_key_validation=True)))
    with pytest.raises(ssl.SSLError, match="alert decrypt error"):
        port.ask(str(thief), version)


def proxy_with(key: rsa.RSAPrivateKey, file: Path) -> str:
    """One of Alice after RFC 3820."""
    user = x509.load_pem_x509_certificate(ALICE.read_bytes())
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=user.subject,
        subject_name=x509.Name([*user.subject, x509.NameAttribute(NameOID.COMMON_NAME, "1")]),
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(hours=1),
    ).add_extension(x509.UnrecognizedExtension(PROXY_CERT_INFO, FULL_PROXY), critical=True)
    proxy = builder.sign(rsa_key(ALICE.with_suffix(".key")), hashes.SHA256())
    file.write_bytes(proxy.public_bytes(Encoding.PEM) + private_pem(key) + ALICE.read_bytes())
    return str(file)


@pytest.mark.parametrize("version", [V12, V13])
def test_short_keys_of_old_tools_are_taken(port: "ServedPort", tmp_path: Path, version: ssl.TLSVersion) -> None:
    proxy = proxy_with(rsa.generate_private_key(65537, 1024), tmp_path / "proxy.pem")
    assert port.ask(proxy, version, "DEFAULT:@SECLEVEL=0").caller["proxies"] == 1


@pytest.mark.parametrize("version", [V12, V13])
def test_keys_that_can_be_factored_are_not(port: "ServedPort", tmp_path: Path, version: ssl.TLSVersion) -> None:
    proxy = proxy_with(rsa_key(VECTORS / "tls" / "rsa-768.key"), tmp_path / "proxy.pem")
    with pytest.raises(ssl.SSLError, match="bad certificate"):
        port.ask(proxy, version, "DEFAULT:@SECLEVEL=0")
    assert "not a key of 1024 bits RSA" in port.log


# --- What is told


def test_failures_are_counted_by_cause(serve: "Serve") -> None:
    port = serve(protocols=["TLSv1.3"])
    for credential in ("bad/user-revoked.pem", "bad/user-revoked.pem", None):
        with pytest.raises(ssl.SSLError):
            port.ask(credential, V13)
    with pytest.raises(ssl.SSLError):
        port.ask(version=V12)
    assert failures(port) == {
        "TlsHandshakeFailures": "4",
        "TlsHandshakeFailureCauses": ", ".join(
            ("certificate_revoked 2", "peer_did_not_return_a_certificate 1", "unsupported_protocol 1")
        ),
    }


def test_a_failure_that_comes_again_and_again_is_logged_once(serve: "Serve") -> None:
    port = serve()
    for _ in range(5):
        with pytest.raises(ssl.SSLError):
            port.ask("bad/user-revoked.pem")
    assert port.log.count("certificate_revoked") == 1


def test_a_client_that_does_not_like_our_certificate_is_told(serve: "Serve") -> None:
    port = serve()
    with socket.create_connection(("127.0.0.1", port.number)) as raw, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
    assert failures(port)["TlsHandshakeFailureCauses"] == "unknown_ca 1"
    assert "TLS handshake with 127.0.0.1 failed: the client sent the alert unknown_ca" in port.log


@pytest.mark.parametrize(
    ("octets", "cause"),
    [
        (b"GET /status HTTP/1.0\r\n\r\n", "http_request"),
        (b"\x00" * 100, "wrong_version_number"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "closed"),  # the beginning of a ClientHello
    ],
)
def test_what_is_no_handshake_is_told(serve: "Serve", eventually: "Eventually", octets: bytes, cause: str) -> None:
    port = serve()
    with socket.create_connection(("127.0.0.1", port.number)) as raw:
        raw.sendall(octets)
    eventually(lambda: failures(port)["TlsHandshakeFailureCauses"] == f"{cause} 1")


def test_a_probe_that_comes_and_goes_without_a_word_is_no_failure(serve: "Serve") -> None:
    port = serve()
    for _ in range(3):
        socket.create_connection(("127.0.0.1", port.number)).close()
    assert failures(port)["TlsHandshakeFailures"] == "0"
    assert "handshake" not in port.log


def test_a_handshake_gets_the_idle_time(serve: "Serve") -> None:
    port = serve(idle=1)
    with socket.create_connection(("127.0.0.1", port.number)) as silent:
        assert silent.recv(1) == b""
    assert failures(port)["TlsHandshakeFailureCauses"] == "timeout 1"
    assert "TLS handshake with 127.0.0.1 failed: it takes more than 1 seconds" in port.log


def test_a_refused_client_that_stays_is_left(port: "ServedPort") -> None:
    with port.connect("bad/user-revoked.pem", V13) as connection:
        connection.tls.sendall(b"x" * 100_000)
        with pytest.raises(ssl.SSLError, match="revoked"):
            connection.answer()
        assert connection.is_closed()


# --- Where the handshake cannot be judged


OPENSSL_IS_CONTENT = {
    "bad/user-revoked.pem": "Certificate was revoked",
    "bad/proxy-of-revoked.pem": "Certificate was revoked",
    "bad/proxy-of-outside.pem": "not accepted by any rule of the relevant namespace policies",
    "bad/proxy-escalation.pem": "limited",
    "bad/user-oldcrl.pem": "CRL",
    "users/cnproxy.pem": "cA field set",
}


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(("credential", "reason"), OPENSSL_IS_CONTENT.items())
def test_who_only_openssl_lets_pass_is_refused_all_the_same(
    unjudging: "ServedPort", credential: str, reason: str, version: ssl.TLSVersion
) -> None:
    before = unjudging.ask().served
    with unjudging.connect(credential, version) as connection:
        connection.tls.sendall(b"GET /authz HTTP/1.1\r\n\r\n" * 2)
        refusal = connection.answer()
        assert refusal.status == 403
        assert reason in refusal.text
        assert connection.is_closed()
    assert unjudging.ask().served == before + 1


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(
    "credential", [None, "bad/user-untrusted-ca.pem", "bad/proxy-expired.pem", "proxies/alice-legacy.pem"]
)
def test_openssl_refuses_as_well(unjudging: "ServedPort", credential: str | None, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match="alert"):
        unjudging.ask(credential, version)


def test_others_come_in_and_the_log_says_what_is_missing(unjudging: "ServedPort") -> None:
    assert unjudging.ask("proxies/alice-plain.pem").caller["proxies"] == 1
    assert "legacy and draft proxies cannot connect, OpenSSL refuses them: this is a test" in unjudging.log


# --- A new host certificate


def shown(port: "ServedPort") -> bytes | None:
    with port.connect() as connection:
        return connection.tls.getpeercert(binary_form=True)


def der(name: str) -> bytes:
    return x509.load_pem_x509_certificate((GRID / "hosts" / f"{name}.pem").read_bytes()).public_bytes(Encoding.DER)


def test_a_renewed_certificate_is_shown_once_it_has_its_key(
    serve: "Serve", eventually: "Eventually", tmp_path: Path
) -> None:
    certificate, key = tmp_path / "hostcert.pem", tmp_path / "hostkey.pem"

    def put(file: Path, name: str) -> None:
        aside = file.with_suffix(".new")
        shutil.copy(GRID / "hosts" / name, aside)
        aside.rename(file)

    put(certificate, "localhost.pem")
    put(key, "localhost.key")
    port = serve(certificate=str(certificate), key=str(key))
    with port.connect() as kept:
        put(certificate, "ce01.pem")
        eventually(lambda: "the host certificate in force stays: " in port.log)
        assert shown(port) == der("localhost")
        put(key, "ce01.key")
        eventually(lambda: refuses_name(port))
        assert kept.ask().status == 200
        put(key, "localhost.key")
        put(certificate, "localhost.pem")
        eventually(lambda: not refuses_name(port))
        assert port.ask("proxies/alice-draft.pem").caller["proxies"] == 1


def refuses_name(port: "ServedPort") -> bool:
    try:
        port.connect().tls.close()
    except ssl.SSLCertVerificationError:
        return True
    return False
