"""OpenSSL as a second opinion on chains nobody has seen before: CAs, an end entity and RFC 3820 proxies.

A chain is first planned, certificate by certificate, then broken in one place, then built and shown to both. OpenSSL is
asked with every switch that brings it closer to the rules of the grid: proxies allowed, a CRL for every CA.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from OpenSSL import crypto

from argus_py.credentials import chain, der, path
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.crl import read_crl
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.trust import TrustAnchors

Name = tuple[tuple[ObjectIdentifier, str], ...]
Extensions = tuple[tuple[x509.ExtensionType, bool], ...]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CRL_CHECK, CRL_CHECK_ALL, ALLOW_PROXY_CERTS = 0x4, 0x8, 0x40  # X509_V_FLAG_...
KEYS: tuple[CertificateIssuerPrivateKeyTypes, ...] = (
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP384R1()),
    ed25519.Ed25519PrivateKey.generate(),
    rsa.generate_private_key(65537, 2048),
    rsa.generate_private_key(65537, 1024),
)
STRANGER = ec.generate_private_key(ec.SECP256R1())
PROXY_CERT_INFO = ObjectIdentifier("1.3.6.1.5.5.7.1.14")
INHERIT_ALL = bytes.fromhex("06082b06010505071501")
LIMITED = bytes.fromhex("060b2b060104019b5001010109")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


@dataclass(frozen=True)
class Plan:
    """One certificate to be; ``signer`` None: the key of the one above, ``info`` None: no proxy."""

    subject: Name
    issuer: Name
    key: CertificateIssuerPrivateKeyTypes
    signer: CertificateIssuerPrivateKeyTypes | None = None
    not_before: datetime = NOW - timedelta(days=1)
    not_after: datetime = NOW + timedelta(days=1)
    basic: x509.BasicConstraints | None = None
    usage: str = "digital_signature"
    info: bytes | None = None
    info_critical: bool = True
    more: Extensions = ()
    revoked: bool = False
    missing: bool = False


Plans = tuple[Plan, ...]  # the root first


def cn(text: str) -> tuple[ObjectIdentifier, str]:
    return NameOID.COMMON_NAME, text


def proxy_info(*, limited: bool = False, path_length: int | None = None) -> bytes:
    language = LIMITED if limited else INHERIT_ALL
    length = b"" if path_length is None else bytes((2, 1, path_length))
    policy = bytes((0x30, len(language))) + language
    return bytes((0x30, len(length) + len(policy))) + length + policy


def planned(
    cas: int,
    proxies: int,
    keys: Sequence[CertificateIssuerPrivateKeyTypes],
    *,
    ca_lengths: Sequence[int | None] = (),
    infos: Sequence[bytes] = (),
) -> Plans:
    """A good chain: ``cas`` counts the root, ``keys`` go round."""
    authority = x509.BasicConstraints(ca=True, path_length=None)
    names: list[Name] = [(cn("Root"),), *((cn("Root"), cn(f"Sub {n}")) for n in range(1, cas)), (cn("U"), cn("User"))]
    for number in range(proxies):
        names.append((*names[-1], cn(f"4711{number}")))
    plans = []
    for position, (issuer, subject) in enumerate(zip([names[0], *names], names, strict=False)):
        plan = Plan(subject, issuer, keys[position % len(keys)])
        if position < cas:
            length = ca_lengths[position] if ca_lengths else None
            basic = authority if length is None else x509.BasicConstraints(ca=True, path_length=length)
            plan = replace(plan, basic=basic, usage="key_cert_sign")
        elif position > cas:
            plan = replace(plan, info=infos[position - cas - 1] if infos else proxy_info())
        plans.append(plan)
    return tuple(plans)


def key_usage(bit: str) -> x509.KeyUsage:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign"
    bits = dict.fromkeys([*names.split(), "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(**bits | {bit: True}, crl_sign=bit == "key_cert_sign")


def x500(name: Name) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in name])


def digest_for(key: CertificateIssuerPrivateKeyTypes) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def built(plans: Plans) -> list[x509.Certificate]:
    certificates = []
    above: Plan | None = None
    for serial, plan in enumerate(plans, start=1):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x500(plan.subject))
            .issuer_name(x500(plan.issuer))
            .public_key(plan.key.public_key())
            .serial_number(serial)
            .not_valid_before(plan.not_before)
            .not_valid_after(plan.not_after)
            .add_extension(key_usage(plan.usage), critical=True)
        )
        if plan.basic is not None:
            builder = builder.add_extension(plan.basic, critical=True)
        if plan.info is not None:
            info = x509.UnrecognizedExtension(PROXY_CERT_INFO, plan.info)
            builder = builder.add_extension(info, plan.info_critical)
        for extension, critical in plan.more:
            builder = builder.add_extension(extension, critical)
        signer = plan.signer or (above or plan).key
        certificates.append(builder.sign(signer, digest_for(signer)))
        above = plan
    return certificates


def revocation_lists(plans: Plans) -> list[x509.CertificateRevocationList]:
    """One for every CA, so that OpenSSL finds what it insists on."""
    lists = []
    for position, ca in enumerate(plans):
        if ca.usage != "key_cert_sign":
            continue
        builder = x509.CertificateRevocationListBuilder(x500(ca.subject), NOW - timedelta(1), NOW + timedelta(1))
        for serial, plan in enumerate(plans[position + 1 : position + 2], start=position + 2):
            if plan.revoked:
                entry = x509.RevokedCertificateBuilder(serial, NOW - timedelta(hours=1)).build()
                builder = builder.add_revoked_certificate(entry)
        lists.append(builder.sign(ca.key, digest_for(ca.key)))
    return lists


@dataclass(frozen=True)
class Case:
    """What is shown to both: the leaf first, the root not sent."""

    root: x509.Certificate
    sent: tuple[x509.Certificate, ...]
    crls: tuple[x509.CertificateRevocationList, ...]

    @classmethod
    def of(cls, plans: Plans) -> "Case":
        root, *below = built(plans)
        sent = tuple(c for c, plan in zip(below, plans[1:], strict=True) if not plan.missing)
        return cls(root, sent[::-1], tuple(revocation_lists(plans)))

    def trust(self) -> TrustAnchors:
        crls = tuple(read_crl(crl.public_bytes(Encoding.DER)) for crl in self.crls)
        return TrustAnchors((Certificate(self.root),), crls)

    def verified(self) -> VerifiedChain | Rejection:
        try:
            return path.verify(UnverifiedChain.of(self.sent), self.trust(), NOW)
        except Rejection as error:
            return error

    def accepted_here(self) -> bool:
        return isinstance(self.verified(), VerifiedChain)

    def accepted_by_openssl(self) -> bool:
        store = crypto.X509Store()
        store.set_time(NOW)
        store.set_flags(CRL_CHECK | CRL_CHECK_ALL | ALLOW_PROXY_CERTS)
        store.add_cert(crypto.X509.from_cryptography(self.root))
        for crl in self.crls:
            store.add_crl(crl)
        try:
            leaf, *untrusted = (crypto.X509.from_cryptography(certificate) for certificate in self.sent)
            crypto.X509StoreContext(store, leaf, untrusted).verify_certificate()
        except (crypto.X509StoreContextError, crypto.Error):
            return False
        return True


# --- Ways to break one certificate, and who notices on a chain of three CAs, a user and three proxies


Breaking = Callable[[Plan], Plan]


def set_to(**changes: object) -> Breaking:
    return lambda plan: replace(plan, **changes)  # type: ignore[arg-type]  # names of fields, checked when it runs


def expired(minutes: int) -> Breaking:
    return set_to(not_before=NOW - timedelta(days=1), not_after=NOW - timedelta(minutes=minutes))


def future(minutes: int) -> Breaking:
    return set_to(not_before=NOW + timedelta(minutes=minutes), not_after=NOW + timedelta(days=1))


def with_extension(extension: x509.ExtensionType, *, critical: bool = False) -> Breaking:
    """In place of one of the same kind."""
    return lambda plan: replace(
        plan, more=(*(old for old in plan.more if old[0].oid != extension.oid), (extension, critical))
    )


def elsewhere(text: str) -> x509.DirectoryName:
    return x509.DirectoryName(x500((cn(text),)))


UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
ALTERNATIVE = [x509.DNSName("localhost")]
FOR_SERVERS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
CRL_ADDRESS = x509.CRLDistributionPoints(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("http://ca.example.org/crl")], None, None, None)]
)
ROOT, UPPER_CA, LOWER_CA, USER, UPPER_PROXY, PROXY, LEAF = range(7)

# name: (the certificate, what is done to it, accepted here, accepted by OpenSSL)
BREAKINGS: dict[str, tuple[int, Breaking, bool, bool]] = {
    "nothing": (ROOT, set_to(), True, True),
    "expired CA": (LOWER_CA, expired(1), False, False),
    "expired user": (USER, expired(1), False, False),
    "expired proxy": (PROXY, expired(6), False, False),
    "future CA": (LOWER_CA, future(1), False, False),
    "future user": (USER, future(1), False, False),
    "future proxy": (LEAF, future(6), False, False),
    "CA of a stranger": (UPPER_CA, set_to(signer=STRANGER), False, False),
    "user of a stranger": (USER, set_to(signer=STRANGER), False, False),
    "proxy of a stranger": (PROXY, set_to(signer=STRANGER), False, False),
    "leaf of a stranger": (LEAF, set_to(signer=STRANGER), False, False),
    "CA with another issuer": (UPPER_CA, set_to(issuer=(cn("Other"),)), False, False),
    "user with another issuer": (USER, set_to(issuer=(cn("Other"),)), False, False),
    "proxy with another issuer": (PROXY, set_to(issuer=(cn("U"), cn("Other"))), False, False),
    "missing CA": (LOWER_CA, set_to(missing=True), False, False),
    "missing user": (USER, set_to(missing=True), False, False),
    "missing proxy": (PROXY, set_to(missing=True), False, False),
    "CA without basicConstraints": (LOWER_CA, set_to(basic=None), False, False),
    "CA that is none": (LOWER_CA, set_to(basic=x509.BasicConstraints(ca=False, path_length=None)), False, False),
    "CA that may not sign": (LOWER_CA, set_to(usage="digital_signature"), False, False),
    "CA that allows no sub CA": (UPPER_CA, set_to(basic=x509.BasicConstraints(ca=True, path_length=0)), False, False),
    "CA with an unknown extension": (LOWER_CA, with_extension(UNKNOWN, critical=True), False, False),
    "user with an unknown extension": (USER, with_extension(UNKNOWN, critical=True), False, False),
    "proxy with an unknown extension": (LEAF, with_extension(UNKNOWN, critical=True), False, False),
    "excluded name": (
        LOWER_CA,
        with_extension(x509.NameConstraints(None, [elsewhere("U")]), critical=True),
        False,
        False,
    ),
    "name not permitted": (
        UPPER_CA,
        with_extension(x509.NameConstraints([elsewhere("V")], None), critical=True),
        False,
        False,
    ),
    "root that does not permit the name": (
        ROOT,
        with_extension(x509.NameConstraints([elsewhere("V")], None)),
        False,
        False,
    ),
    "revoked user": (USER, set_to(revoked=True), False, False),
    "revoked CA": (LOWER_CA, set_to(revoked=True), False, False),
    "user that may not sign": (USER, set_to(usage="key_encipherment"), False, False),
    "proxy that may not sign": (UPPER_PROXY, set_to(usage="key_encipherment"), False, False),
    "proxy that is a CA": (LEAF, set_to(basic=x509.BasicConstraints(ca=True, path_length=None)), False, False),
    "proxy with another name": (
        LEAF,
        set_to(subject=(cn("U"), cn("Root"), cn("4711"), cn("1"), cn("2"))),
        False,
        False,
    ),
    "proxy without CN": (
        LEAF,
        lambda plan: replace(plan, subject=(*plan.issuer, (NameOID.ORGANIZATIONAL_UNIT_NAME, "1"))),
        False,
        False,
    ),
    "proxy with two CNs": (LEAF, lambda plan: replace(plan, subject=(*plan.issuer, cn("1"), cn("2"))), False, False),
    "proxy with its issuer's name": (LEAF, lambda plan: replace(plan, subject=plan.issuer), False, False),
    "proxy with subjectAltName": (LEAF, with_extension(x509.SubjectAlternativeName(ALTERNATIVE)), False, False),
    "proxy with issuerAltName": (LEAF, with_extension(x509.IssuerAlternativeName(ALTERNATIVE)), False, False),
    "proxy that says nothing about it": (LEAF, set_to(info=None), False, False),
    "proxy that cannot be read": (LEAF, set_to(info=b"\x30\x03\x02\x01\x00"), False, False),
    "proxy that allows no other": (PROXY, set_to(info=proxy_info(path_length=0)), False, False),
    "upper proxy that allows no other": (UPPER_PROXY, set_to(info=proxy_info(path_length=0)), False, False),
    "user that calls itself a proxy": (USER, set_to(info=proxy_info()), False, False),
    # What both let pass.
    "proxy whose information is not critical": (PROXY, set_to(info_critical=False), True, True),
    "CA that inhibits any policy": (LOWER_CA, with_extension(x509.InhibitAnyPolicy(0), critical=True), True, True),
    "user for one purpose": (USER, with_extension(FOR_SERVERS, critical=True), True, True),
    "proxy for one purpose": (LEAF, with_extension(FOR_SERVERS, critical=True), True, True),
    # What OpenSSL alone lets pass.
    "CA that asks for a policy": (
        LOWER_CA,
        with_extension(x509.PolicyConstraints(0, None), critical=True),
        False,
        True,
    ),
    "user with critical CRL addresses": (USER, with_extension(CRL_ADDRESS, critical=True), False, True),
    "user that is a CA": (USER, set_to(basic=x509.BasicConstraints(ca=True, path_length=None)), False, True),
    "full proxy of a limited one": (PROXY, set_to(info=proxy_info(limited=True)), False, True),
    # What we alone let pass.
    "proxy expired within the grace": (PROXY, expired(4), True, False),
    "future proxy within the grace": (LEAF, future(4), True, False),
    "expired root": (ROOT, expired(1), True, False),
    "root with an unknown extension": (ROOT, with_extension(UNKNOWN, critical=True), True, False),
    "root with another issuer": (ROOT, set_to(issuer=(cn("Other"),)), True, False),
    "user that excludes itself": (USER, with_extension(x509.NameConstraints(None, [elsewhere("U")])), True, False),
}
ACCEPTED_BY_OPENSSL_ALONE = {
    "CA that asks for a policy": "policies are not implemented here, so a critical demand for one refuses",
    "user with critical CRL addresses": "nobody here fetches CRLs, so addresses that must be understood are not",
    "user that is a CA": "canl's proxyIssuedByCa",
    "full proxy of a limited one": "OpenSSL does not read the policy language",
}
ACCEPTED_HERE_ALONE = {
    "proxy expired within the grace": "canl's five minutes, for worker nodes whose clocks are off",
    "future proxy within the grace": "the same",
    "expired root": "RFC 5280 section 6.1.1: an anchor is a name and a key, the directory vouches for it",
    "root with an unknown extension": "the same",
    "root with another issuer": "every certificate of the trust directory is an anchor, whoever issued it",
    "user that excludes itself": "RFC 5280 section 4.2.1.10: name constraints have a meaning in CAs alone",
}


def broken(plans: Plans, position: int, breaking: Breaking) -> Plans:
    return tuple(breaking(plan) if at == position else plan for at, plan in enumerate(plans))


@pytest.mark.parametrize("name", BREAKINGS)
def test_each_breaking_has_its_verdict_in_both(name: str) -> None:
    position, breaking, here, openssl = BREAKINGS[name]
    case = Case.of(broken(planned(3, 3, KEYS), position, breaking))
    assert (case.accepted_here(), case.accepted_by_openssl()) == (here, openssl), case.verified()


def test_every_difference_has_its_reason() -> None:
    differences = {name for name, (_, _, here, openssl) in BREAKINGS.items() if here is not openssl}
    assert differences == set(ACCEPTED_HERE_ALONE) | set(ACCEPTED_BY_OPENSSL_ALONE)


def test_openssl_takes_a_stated_path_length_for_one_that_is_used() -> None:
    """The lower one counts (RFC 3820 section 4.1.3), so a proxy may state more than is left; voms-proxy-fake does."""
    infos = [proxy_info(path_length=1), proxy_info(path_length=1)]
    case = Case.of(planned(1, 2, KEYS, infos=infos))
    assert (case.accepted_here(), case.accepted_by_openssl()) == (True, False)


# --- Random chains


@st.composite
def good_plans(draw: st.DrawFn) -> Plans:
    """Any number of CAs and proxies, path lengths that suffice, limited proxies below full ones."""
    cas, proxies = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=5))
    lengths = [draw(st.none() | st.integers(cas - 1 - position, 9)) for position in range(cas)]
    first_limited = draw(st.integers(0, proxies))
    infos: list[bytes] = []
    enough = 0
    for position in reversed(range(proxies)):
        length = draw(st.none() | st.integers(enough, enough + 2))
        infos.insert(0, proxy_info(limited=position >= first_limited, path_length=length))
        enough = (enough if length is None else length) + 1  # less than RFC 3820 allows, see the test of path lengths
    return planned(cas, proxies, keys, ca_lengths=lengths, infos=infos)


def counterparts(plans: Plans, position: int) -> list[int]:
    """Where in this chain the certificates stand that are what ``position`` is in the chain of the table."""
    user = next(at for at, plan in enumerate(plans) if plan.subject[0] == cn("U"))
    if position == ROOT:
        return [0]
    if position < USER:
        return list(range(1, user))
    return [user] if position == USER else list(range(user + 1, len(plans)))


@st.composite
def broken_plans(draw: st.DrawFn) -> Plans:
    """A chain broken in one or two of the ways that nobody excuses."""
    plans = draw(good_plans())
    ways = [way for name, way in BREAKINGS.items() if name not in ACCEPTED_HERE_ALONE and counterparts(plans, way[0])]
    for position, breaking, _, _ in draw(st.lists(st.sampled_from(ways), min_size=1, max_size=2)):
        plans = broken(plans, draw(st.sampled_from(counterparts(plans, position))), breaking)
    return plans


@settings(max_examples=150, deadline=None)
@given(good_plans(), st.randoms(use_true_random=False))
def test_both_accept_good_chains_and_the_order_is_free(plans: Plans, random: Random) -> None:
    case = Case.of(plans)
    assert case.accepted_here(), case.verified()
    assert case.accepted_by_openssl()
    shuffled = list(case.sent)
    random.shuffle(shuffled)
    assert chain.order(shuffled).certificates == case.sent


@settings(max_examples=300, deadline=None)
@given(broken_plans())
def test_what_openssl_refuses_is_refused_here(plans: Plans) -> None:
    case = Case.of(plans)
    assume(case.sent)
    assert case.accepted_by_openssl() or not case.accepted_here()


# --- Odd encodings that a signer has signed


ENCODED_FIELDS = ["version", "serial", "algorithm", "issuer", "validity", "subject", "key", "extensions"]
# Accepted here alone: names with wrong tags or broken UTF-8, which are read as the field wrote them, and leaves whose
# key nobody can use, since nobody here uses it.
LEFT_ALONE = {"issuer", "subject", "key"}


def oddly_encoded(sound: x509.Certificate) -> Iterator[tuple[str, x509.Certificate]]:
    """With every bit turned over in turn, where that still is a certificate; its issuer has signed what came out."""
    fields = [encoded for _, _, encoded in der.elements(der.content(sound.tbs_certificate_bytes, der.SEQUENCE))]
    for at, name in enumerate(ENCODED_FIELDS):
        for bit in range(0 if name in LEFT_ALONE else 8 * len(fields[at])):
            octets = bytearray(fields[at])
            octets[bit // 8] ^= 1 << bit % 8
            tbs = der.encode(der.SEQUENCE, b"".join((*fields[:at], octets, *fields[at + 1 :])))
            try:
                yield f"bit {bit} of {name}", x509.load_der_x509_certificate(signed(tbs))
            except (ValueError, x509.InvalidVersion):
                continue


def signed(tbs: bytes) -> bytes:
    key = KEYS[0]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return der.encode(der.SEQUENCE, tbs + ECDSA_SHA256 + der.encode(der.BIT_STRING, b"\0" + signature))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # odd serial numbers
@pytest.mark.parametrize("position", range(4), ids=["proxy of proxy", "proxy", "user", "CA"])
def test_odd_encodings_that_openssl_refuses_are_refused_here(position: int) -> None:
    case = Case.of(planned(2, 2, KEYS[:1]))
    agreed = 0
    for what, odd in oddly_encoded(case.sent[position]):
        changed = replace(case, sent=(*case.sent[:position], odd, *case.sent[position + 1 :]))
        openssl = changed.accepted_by_openssl()
        assert openssl or not changed.accepted_here(), what
        agreed += not openssl
    assert agreed > 50
