"""Issues what a grid site is made of: a CA, hosts, users, VOMS servers, proxies with attribute certificates.

For tests and the tour only: keys are not protected and nothing is ever revoked. Attribute certificates are written with
a DER writer of their own, so that the reader under test is not checked against itself.

Source: RFC 3820 (proxies), RFC 5755 (attribute certificates), the VOMS profile of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_PROXY_CERT_INFO = ObjectIdentifier("1.3.6.1.5.5.7.1.14")
_INHERIT_ALL = bytes.fromhex("300c300a06082b06010505071501")
_VOMS_ACS = ObjectIdentifier("1.3.6.1.4.1.8005.100.100.5")
_SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
_CLOCK_SKEW = timedelta(minutes=5)


def name(*pairs: tuple[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def organisation(*common_names: str) -> x509.Name:
    """``/DC=org/DC=argus-demo`` followed by the given CNs."""
    domain = ((NameOID.DOMAIN_COMPONENT, "org"), (NameOID.DOMAIN_COMPONENT, "argus-demo"))
    return name(*domain, *((NameOID.COMMON_NAME, common_name) for common_name in common_names))


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its key; ``chain`` are the certificates below it, nearest first, without the root."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    def certificate_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain))

    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    def proxy_file(self) -> bytes:
        """The layout of ``/tmp/x509up_u*``: certificate, key, chain."""
        below = b"".join(each.public_bytes(Encoding.PEM) for each in self.chain)
        return self.certificate.public_bytes(Encoding.PEM) + self.key_pem() + below


class CertificateAuthority:
    """A root that signs end entities below ``/DC=org/DC=argus-demo``."""

    def __init__(self, common_name: str, now: datetime, lifetime: timedelta = timedelta(days=30)) -> None:
        self._now = now
        self._lifetime = lifetime
        self.key = _new_key()
        self.subject = organisation(common_name)
        builder = _builder(self.subject, self.subject, self.key, now, lifetime)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
        )
        self.certificate = builder.sign(self.key, hashes.SHA256())

    def host(self, host_name: str, *addresses: str) -> Credential:
        alternatives: list[x509.GeneralName] = [x509.DNSName(host_name)]
        alternatives += [x509.IPAddress(ip_address(address)) for address in addresses]
        return self._issue(organisation(host_name), x509.SubjectAlternativeName(alternatives))

    def user(self, common_name: str) -> Credential:
        return self._issue(organisation(common_name))

    def crl(self) -> bytes:
        """An empty list, valid as long as the CA."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject)
        builder = builder.last_update(self._now - _CLOCK_SKEW).next_update(self._now + self._lifetime)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _issue(self, subject: x509.Name, *extensions: x509.ExtensionType) -> Credential:
        key = _new_key()
        builder = _builder(subject, self.subject, key, self._now, self._lifetime)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(), critical=True)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return Credential(builder.sign(self.key, hashes.SHA256()), key)


def proxy_of(
    owner: Credential,
    now: datetime,
    attribute_certificates: Sequence[bytes] = (),
    lifetime: timedelta = timedelta(hours=12),
    key: rsa.RSAPrivateKey | None = None,
) -> Credential:
    """An RFC 3820 impersonation proxy of a user or of another proxy; without a ``key`` it gets one of its own."""
    key = key or _new_key()
    issuer = owner.certificate.subject
    number = str(x509.random_serial_number())
    subject = x509.Name([*issuer.rdns, x509.RelativeDistinguishedName([_common_name(number)])])
    builder = _builder(subject, issuer, key, now, lifetime)
    builder = builder.add_extension(x509.UnrecognizedExtension(_PROXY_CERT_INFO, _INHERIT_ALL), critical=True)
    builder = builder.add_extension(_key_usage(), critical=True)
    if attribute_certificates:
        value = _sequence(_sequence(*attribute_certificates))
        builder = builder.add_extension(x509.UnrecognizedExtension(_VOMS_ACS, value), critical=False)
    return Credential(builder.sign(owner.key, hashes.SHA256()), key, (owner.certificate, *owner.chain))


@dataclass(frozen=True, slots=True)
class VomsServer:
    """A VOMS server of one VO; ``credential`` is its host certificate."""

    vo: str
    host: str
    credential: Credential
    port: int = 15000

    def lsc(self) -> str:
        """The text of ``vomsdir/<vo>/<host>.lsc``."""
        certificate = self.credential.certificate
        return "".join(f"{_slash_form(each)}\n" for each in (certificate.subject, certificate.issuer))

    def attribute_certificate(
        self, owner: Credential, fqans: Sequence[str], now: datetime, lifetime: timedelta = timedelta(hours=12)
    ) -> bytes:
        """An AC in DER that asserts the FQANs, primary first, for the owner of an end-entity certificate."""
        server, holder = self.credential.certificate, owner.certificate
        authority = _tagged(0xA0, _tagged(0x86, f"{self.vo}://{self.host}:{self.port}".encode()))
        values = _sequence(*(_tagged(0x04, fqan.encode()) for fqan in fqans))
        attribute = _sequence(_oid("1.3.6.1.4.1.8005.100.100.4"), _tagged(0x31, _sequence(authority, values)))
        key_identifier = hashlib.sha1(
            self.credential.key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1), usedforsecurity=False
        ).digest()
        extensions = _sequence(
            _extension("1.3.6.1.4.1.8005.100.100.10", _sequence(_sequence(server.public_bytes(Encoding.DER)))),
            _extension("2.5.29.56", b"\x05\x00"),
            _extension("2.5.29.35", _sequence(_tagged(0x80, key_identifier))),
        )
        info = _sequence(
            _integer(1),
            # VOMS habit: the holder's "issuer" is the subject of the user's certificate
            _sequence(_tagged(0xA0, _sequence(_directory_name(holder.subject)), _integer(holder.serial_number))),
            _tagged(0xA0, _sequence(_directory_name(server.subject))),
            _SHA256_WITH_RSA,
            _integer(x509.random_serial_number() >> 96),
            _sequence(_generalized_time(now - _CLOCK_SKEW), _generalized_time(now + lifetime)),
            _sequence(attribute),
            extensions,
        )
        signature = self.credential.key.sign(info, padding.PKCS1v15(), hashes.SHA256())
        return _sequence(info, _SHA256_WITH_RSA, _tagged(0x03, b"\x00" + signature))


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _common_name(text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, text)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - _CLOCK_SKEW).not_valid_after(now + lifetime)


def _key_usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _slash_form(subject: x509.Name) -> str:
    return "".join(f"/{each.rfc4514_attribute_name}={each.value!s}" for each in subject)


def _tagged(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, *parts)


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    encoded = bytearray((first * 40 + second,))
    for part in rest:
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.insert(0, 0x80 | part & 0x7F)
        encoded += bytes(septets)
    return _tagged(0x06, bytes(encoded))


def _extension(oid: str, value: bytes) -> bytes:
    return _sequence(_oid(oid), _tagged(0x04, value))


def _directory_name(subject: x509.Name) -> bytes:
    return _tagged(0xA4, subject.public_bytes())


def _generalized_time(moment: datetime) -> bytes:
    return _tagged(0x18, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
