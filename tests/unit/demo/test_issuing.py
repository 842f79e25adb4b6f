"""What the tour's CA issues is what grids use: our own verifier and OpenSSL agree on it."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import chain, path, pem, voms
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.crl import read_crl
from argus_py.credentials.lsc import parse_lsc
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import AcNotValidNow, AcWrongHolder, NoTrustAnchor, NotValidNow
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import LscFile, VomsAttributes, VomsTrust
from demo.issuing import CertificateAuthority, Credential, VomsServer, proxy_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FQANS = ("/dteam/Role=pilot/Capability=NULL", "/dteam/Role=NULL/Capability=NULL")
OpenSsl = Callable[..., str]


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority("Test CA", NOW)


@pytest.fixture(scope="module")
def alice(authority: CertificateAuthority) -> Credential:
    return authority.user("Alice")


@pytest.fixture(scope="module")
def server(authority: CertificateAuthority) -> VomsServer:
    return VomsServer("dteam", "voms.example.org", authority.host("voms.example.org"))


@pytest.fixture(scope="module")
def proxy(alice: Credential, server: VomsServer) -> Credential:
    return proxy_of(alice, NOW, [server.attribute_certificate(alice, FQANS, NOW)])


def trust_in(authority: CertificateAuthority) -> TrustAnchors:
    crl = x509.load_pem_x509_crl(authority.crl()).public_bytes(Encoding.DER)
    return TrustAnchors((Certificate(authority.certificate),), crls=(read_crl(crl),))


def verified(credential: Credential, authority: CertificateAuthority, now: datetime = NOW) -> VerifiedChain:
    certificates = pem.parse_certificates(credential.certificate_pem().decode())
    return path.verify(chain.order(certificates), trust_in(authority), now)


def attributes(
    proxy: Credential, server: VomsServer, authority: CertificateAuthority, now: datetime = NOW
) -> tuple[VomsAttributes, ...]:
    vomsdir = VomsTrust((LscFile(server.vo, server.host, parse_lsc(server.lsc())),))
    return voms.verify(verified(proxy, authority, now), vomsdir, trust_in(authority), now, frozenset())


@pytest.fixture
def openssl(tmp_path: Path, authority: CertificateAuthority) -> OpenSsl:
    """``openssl verify`` of a credential at NOW with these options; gives what it says to a refusal, "" if it is OK."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate.public_bytes(Encoding.PEM) + authority.crl())

    def verify(credential: Credential, *options: str) -> str:
        leaf, below = tmp_path / "leaf.pem", tmp_path / "below.pem"
        leaf.write_bytes(credential.certificate.public_bytes(Encoding.PEM))
        below.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in credential.chain))
        untrusted = ["-untrusted", str(below)] if credential.chain else []
        trusted = ["-CAfile", str(ca), "-attime", str(int(NOW.timestamp()))]
        command = ["openssl", "verify", *trusted, *untrusted, *options, str(leaf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == done.stdout.endswith(": OK\n")
        return done.stderr

    return verify


def test_a_user_is_verified_under_his_name(alice: Credential, authority: CertificateAuthority) -> None:
    chain = verified(alice, authority)
    assert chain.subject.slash() == "/DC=org/DC=argus-demo/CN=Alice"
    assert chain.issuer.slash() == "/DC=org/DC=argus-demo/CN=Test CA"
    assert not chain.proxies


def test_a_proxy_speaks_for_its_user(proxy: Credential, authority: CertificateAuthority) -> None:
    chain = verified(proxy, authority)
    assert chain.subject.slash() == "/DC=org/DC=argus-demo/CN=Alice"
    assert chain.proxies == (proxy.certificate,)
    assert chain.not_after == NOW + 12 * HOUR


def test_a_proxy_of_a_proxy_speaks_for_the_user_with_his_attributes(
    proxy: Credential, server: VomsServer, authority: CertificateAuthority
) -> None:
    delegated = proxy_of(proxy, NOW)
    assert len(verified(delegated, authority).proxies) == 2
    assert attributes(delegated, server, authority)[0].fqans == FQANS


def test_an_attribute_certificate_asserts_its_fqans_in_order(
    proxy: Credential, server: VomsServer, authority: CertificateAuthority
) -> None:
    issuer = Certificate(server.credential.certificate).subject
    expected = VomsAttributes("dteam", "voms.example.org", 15000, FQANS, NOW + 12 * HOUR, issuer)
    assert attributes(proxy, server, authority) == (expected,)


def test_attribute_certificates_of_any_length_can_be_read(
    alice: Credential, server: VomsServer, authority: CertificateAuthority
) -> None:
    """The lengths of DER take one octet, two and three."""
    for count in (1, 3, 60, 600):
        fqans = tuple(f"/dteam/group{number:03}" for number in range(count))
        issued = proxy_of(alice, NOW, [server.attribute_certificate(alice, fqans, NOW)])
        assert attributes(issued, server, authority)[0].fqans == fqans


def test_an_attribute_certificate_expires_before_its_proxy_if_told_so(
    alice: Credential, server: VomsServer, authority: CertificateAuthority
) -> None:
    ac = server.attribute_certificate(alice, FQANS, NOW - 2 * HOUR, lifetime=HOUR)
    with pytest.raises(AcNotValidNow):
        attributes(proxy_of(alice, NOW, [ac]), server, authority)


def test_an_attribute_certificate_is_of_its_owner_alone(
    alice: Credential, server: VomsServer, authority: CertificateAuthority
) -> None:
    mallory = authority.user("Mallory")
    stolen = proxy_of(mallory, NOW, [server.attribute_certificate(alice, FQANS, NOW)])
    with pytest.raises(AcWrongHolder):
        attributes(stolen, server, authority)


@pytest.mark.parametrize("moment", [NOW - HOUR, NOW + 13 * HOUR], ids=["too early", "too late"])
def test_a_proxy_is_valid_for_its_lifetime(
    proxy: Credential, authority: CertificateAuthority, moment: datetime
) -> None:
    with pytest.raises(NotValidNow):
        verified(proxy, authority, moment)


def test_another_ca_of_the_same_name_vouches_for_nobody_here(authority: CertificateAuthority) -> None:
    impostor = CertificateAuthority("Test CA", NOW)
    with pytest.raises(NoTrustAnchor):
        verified(impostor.user("Alice"), authority)


def test_a_proxy_file_holds_certificate_key_and_chain_in_this_order(proxy: Credential, alice: Credential) -> None:
    own, below = (each.certificate.public_bytes(Encoding.PEM) for each in (proxy, alice))
    assert proxy.proxy_file() == own + proxy.key_pem() + below


def test_openssl_accepts_users_and_hosts(alice: Credential, authority: CertificateAuthority, openssl: OpenSsl) -> None:
    host = authority.host("host.example.org", "127.0.0.1")
    strict = ("-x509_strict", "-crl_check")
    assert not openssl(alice, *strict, "-purpose", "sslclient")
    assert not openssl(host, *strict, "-purpose", "sslserver", "-verify_hostname", "host.example.org")
    assert not openssl(host, *strict, "-purpose", "sslserver", "-verify_ip", "127.0.0.1")
    assert "hostname mismatch" in openssl(host, "-verify_hostname", "other.example.org")


def test_openssl_accepts_proxies_where_they_are_allowed(proxy: Credential, openssl: OpenSsl) -> None:
    delegated = proxy_of(proxy, NOW)
    for credential in (proxy, delegated):
        assert not openssl(credential, "-allow_proxy_certs", "-crl_check", "-purpose", "sslclient")
    assert "proxy certificates not allowed" in openssl(proxy)
