"""Outgoing TLS against a real server on the loopback: whom a daemon talks to, and what it sends before it knows."""

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree

from argus_py.clients.transport import ClientCredential, ClientTls, PeerUnreachable, Timeouts, Transport
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.crl import read_crl
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.snapshot import Snapshot
from argus_py.soap import envelope

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ANSWER = envelope.write(etree.Element("answer"), "soap11")


def name(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Grid"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Ca:
    """An authority with a certificate, a CRL and whatever it has issued as PEM of certificate and key."""

    def __init__(self, common_name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name(common_name)
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            issuer_name=self.name,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=NOW - DAY,
            not_valid_after=NOW + DAY,
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, common_name: str) -> tuple[x509.Certificate, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        host = x509.SubjectAlternativeName([x509.DNSName(common_name)])
        certificate = self._sign(name(common_name), key, host)
        return certificate, pem(certificate, key)

    def crl(self, *revoked: x509.Certificate) -> bytes:
        builder = x509.CertificateRevocationListBuilder(self.name, NOW - DAY, NOW + DAY)
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder(certificate.serial_number, NOW - DAY).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


CA = Ca("Test CA")
HOST, HOST_PEM = CA.issue("localhost")
TRUST = TrustAnchors((Certificate(CA.certificate),))


@dataclass
class Server:
    port: int
    peers: list[Any]  # the client certificate of each request


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[bytes], Server]]:
    """Starts a server with a certificate and key in PEM, which asks for client certificates of the test CA."""
    running: list[tuple[HTTPServer, threading.Thread]] = []

    def start(credential: bytes) -> Server:
        peers: list[Any] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                peers.append(self.connection.getpeercert())
                self.send_response(200)
                self.send_header("Content-Length", str(len(ANSWER)))
                self.end_headers()
                self.wfile.write(ANSWER)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Quiet(HTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A handshake that the client breaks off is what these tests are about."""

        file = tmp_path / "server.pem"
        file.write_bytes(credential)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=CA.certificate.public_bytes(serialization.Encoding.DER))
        server = Quiet(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        return Server(server.server_port, peers)

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


class Trust:
    """Trust anchors that the test can replace."""

    def __init__(self, anchors: TrustAnchors) -> None:
        self.anchors = anchors
        self.snapshot = Snapshot("trust anchors", lambda: self.anchors, lambda: NOW)
        self.snapshot.refresh()

    def replace(self, anchors: TrustAnchors) -> None:
        self.anchors = anchors
        assert self.snapshot.refresh()


def call(
    server: Server, trust: Trust | None, credential: ClientCredential | None = None, host: str = "localhost"
) -> str:
    transport = Transport(Timeouts(), ClientTls(credential, trust.snapshot, lambda: NOW) if trust else None)
    try:
        return str(transport.call(f"https://{host}:{server.port}/", etree.Element("query"), 10_000).tag)
    finally:
        transport.close()


def refusal(server: Server, trust: Trust | None, host: str = "localhost") -> str:
    with pytest.raises(PeerUnreachable) as caught:
        call(server, trust, host=host)
    assert server.peers == []
    return caught.value.reason


def test_a_host_of_a_trusted_ca_is_talked_to(serve: Callable[[bytes], Server]) -> None:
    assert call(serve(HOST_PEM), Trust(TRUST)) == "answer"


def test_the_service_certificate_is_shown(serve: Callable[[bytes], Server], tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(CA.issue("pep.example.org")[1])
    server = serve(HOST_PEM)
    call(server, Trust(TRUST), ClientCredential(own, own))
    assert ((("commonName", "pep.example.org"),)) in server.peers[0]["subject"]


def test_a_host_of_another_name_is_refused(serve: Callable[[bytes], Server]) -> None:
    assert "not valid for '127.0.0.1'" in refusal(serve(HOST_PEM), Trust(TRUST), host="127.0.0.1")


def called_by_name(server: Server, peer: DistinguishedName, host: str) -> str:
    tls = ClientTls(None, Trust(TRUST).snapshot, lambda: NOW, peer)
    transport = Transport(Timeouts(), tls)
    try:
        return str(transport.call(f"https://{host}:{server.port}/", etree.Element("query"), 10_000).tag)
    finally:
        transport.close()


def test_a_peer_whose_dn_was_given_is_known_by_it_instead_of_the_name_of_its_host(
    serve: Callable[[bytes], Server],
) -> None:
    server = serve(HOST_PEM)
    assert called_by_name(server, Certificate(HOST).subject, "127.0.0.1") == "answer"
    server.peers.clear()
    with pytest.raises(PeerUnreachable, match=r"/: it shows the certificate of CN=localhost,O=Grid, not of CN=other$"):
        called_by_name(server, DistinguishedName.parse_slash("/CN=other"), "localhost")
    assert server.peers == []


def test_a_host_of_an_unknown_ca_is_refused(serve: Callable[[bytes], Server]) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(serve(Ca("Other CA").issue("localhost")[1]), Trust(TRUST))


def test_nobody_is_trusted_without_trust_anchors(serve: Callable[[bytes], Server]) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(serve(HOST_PEM), Trust(TrustAnchors()))
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(serve(HOST_PEM), None)


def test_a_revoked_host_is_refused_before_anything_is_sent(serve: Callable[[bytes], Server]) -> None:
    crl = read_crl(CA.crl(HOST))
    assert "revoked" in refusal(serve(HOST_PEM), Trust(TrustAnchors(TRUST.anchors, (crl,))))


def test_new_trust_anchors_are_followed(serve: Callable[[bytes], Server]) -> None:
    trust = Trust(TrustAnchors())
    server = serve(HOST_PEM)
    transport = Transport(Timeouts(), ClientTls(None, trust.snapshot, lambda: NOW))
    url = f"https://localhost:{server.port}/"
    with pytest.raises(PeerUnreachable):
        transport.call(url, etree.Element("query"), 10_000)
    trust.replace(TRUST)
    assert transport.call(url, etree.Element("query"), 10_000).tag == "answer"
    trust.replace(TrustAnchors())
    with pytest.raises(PeerUnreachable):
        transport.call(url, etree.Element("query"), 10_000)
    transport.close()


def test_a_credential_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(ConfigurationError, match=r"Unable to read service credential information: .*missing"):
        ClientTls(ClientCredential(missing, missing), Trust(TRUST).snapshot, lambda: NOW)


def test_a_renewed_certificate_is_shown_on_new_connections(serve: Callable[[bytes], Server], tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(CA.issue("old.example.org")[1])
    server = serve(HOST_PEM)
    tls = ClientTls(ClientCredential(own, own), Trust(TRUST).snapshot, lambda: NOW)
    transport = Transport(Timeouts(), tls)
    url = f"https://localhost:{server.port}/"

    def shown() -> str:
        transport.call(url, etree.Element("query"), 10_000)
        return str(server.peers[-1]["subject"][-1][0][1])

    assert shown() == "old.example.org"
    own.write_bytes(CA.issue("new.example.org")[1])
    tls.reload()
    assert shown() == "new.example.org"
    own.write_bytes(b"half a file")
    with pytest.raises(ConfigurationError):
        tls.reload()
    assert shown() == "new.example.org"
    transport.close()
