"""Whatever comes from outside gives a value or the typed error of its reader, and nothing else."""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials import attribute_certificate as acs
from argus_py.credentials import chain, der, names, path, pem, proxy
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.crl import read_crl
from argus_py.credentials.der import DerError
from argus_py.credentials.lsc import LscSyntaxError, parse_lsc
from argus_py.credentials.namespaces import NamespaceSyntaxError, parse_namespaces, parse_signing_policy
from argus_py.credentials.rejections import BadAttributeCertificate, Rejection, UnreadableCredential
from argus_py.store.trustdir import load_trust_anchors

GRID = Path(__file__).parents[1] / "vectors" / "credentials" / "grid"
TRUST = load_trust_anchors(GRID / "certificates")
PEM = re.sub(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n",
    "",
    (GRID / "proxies" / "alice-two-vos.pem").read_text(),
    flags=re.DOTALL,
)
CHAIN = pem.parse_certificates(PEM)
PROXY, USER = (certificate.public_bytes(Encoding.DER) for certificate in CHAIN)
EXTENSION = Certificate(CHAIN[0]).extensions[acs.VOMS_EXTENSION].value
ATTRIBUTE_CERTIFICATE = acs.read_extension(EXTENSION)[0]
CRL = x509.load_pem_x509_crl((GRID / "certificates" / "b1d95bc4.r0").read_bytes()).public_bytes(Encoding.DER)
NAME = Certificate(CHAIN[0]).subject_der
NOW = datetime(2026, 11, 24, tzinfo=UTC)
RFC_INFO = bytes.fromhex("3012020101300d060b2b060104019b5001010109")
DRAFT_INFO = bytes.fromhex("3011300a06082b06010505071501a103020101")

# Serial numbers below one and the like are a warning of the library, not an error.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
fuzz = settings(max_examples=300, deadline=None)


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """The good octets with a few changed, removed or put in."""
    octets = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, max(len(octets) - 1, 0)))
        change = draw(st.sampled_from(["change", "remove", "insert", "cut"]))
        if change == "insert":
            octets[position:position] = draw(st.binary(min_size=1, max_size=4))
        elif change == "cut" and draw(st.integers(0, 9)) == 0:
            del octets[position:]
        elif octets[position:]:
            octets[position : position + 1] = b"" if change == "remove" else draw(st.binary(min_size=1, max_size=1))
    return bytes(octets)


def gives_value_or(error: type[Exception], read: Callable[[bytes], object], octets: bytes) -> None:
    with contextlib.suppress(error):
        read(octets)


@fuzz
@given(st.binary(max_size=64) | damaged(NAME))
def test_names(octets: bytes) -> None:
    gives_value_or(UnreadableCredential, names.read_name, octets)
    gives_value_or(UnreadableCredential, names.hashes, octets)


@fuzz
@given(st.binary(max_size=64) | damaged(NAME))
def test_der(octets: bytes) -> None:
    try:
        found = der.elements(octets)
    except DerError:
        return
    assert b"".join(encoded for _, _, encoded in found) == octets
    assert all(der.encode(tag, content) == encoded for tag, content, encoded in found)


@fuzz
@given(st.binary(max_size=64) | damaged(RFC_INFO) | damaged(DRAFT_INFO))
def test_proxy_information(octets: bytes) -> None:
    gives_value_or(ValueError, proxy.read_rfc_info, octets)
    gives_value_or(ValueError, proxy.read_draft_info, octets)


@fuzz
@given(st.binary(max_size=64) | damaged(EXTENSION))
def test_voms_extension(octets: bytes) -> None:
    gives_value_or(BadAttributeCertificate, acs.read_extension, octets)


@fuzz
@given(st.binary(max_size=64) | damaged(ATTRIBUTE_CERTIFICATE))
def test_attribute_certificates(octets: bytes) -> None:
    gives_value_or(BadAttributeCertificate, acs.read_attribute_certificate, octets)


@fuzz
@given(st.binary(max_size=64) | damaged(CRL))
def test_crls(octets: bytes) -> None:
    gives_value_or(UnreadableCredential, read_crl, octets)


@fuzz
@given(st.text(max_size=200) | damaged(PEM.encode()).map(lambda octets: octets.decode("latin-1")))
def test_pem(text: str) -> None:
    with contextlib.suppress(UnreadableCredential):
        assert pem.parse_certificates(text)


@fuzz
@given(damaged(PROXY), damaged(USER) | st.just(USER))
def test_a_damaged_chain_is_refused_or_says_what_the_sound_one_said(leaf: bytes, user: bytes) -> None:
    """Octets outside of both signatures may change (an encoding of the same), names and keys may not."""
    try:
        verified = path.verify(UnverifiedChain.from_der([leaf, user]), TRUST, NOW)
    except Rejection:
        return
    assert verified.subject.slash() == "/DC=org/DC=argus-test/OU=People/CN=Alice Adams"


@fuzz
@given(st.lists(st.sampled_from(CHAIN + tuple(TRUST.certificates())), max_size=8))
def test_any_bag_of_certificates_is_ordered_or_refused(bag: list[x509.Certificate]) -> None:
    try:
        ordered = chain.order(bag)
    except Rejection:
        return
    assert set(ordered.certificates) == set(bag)


LINES = st.lists(
    st.sampled_from(
        [
            "/DC=org/CN=x",
            "/",
            "--- NEXT CHAIN ---",
            "#",
            "access_id_CA X509 '/CN=CA'",
            "pos_rights globus CA:sign",
            'cond_subjects globus \'"/CN=*" "?"\'',
            "cond_subjects globus '\"",
            'TO Issuer SELF PERMIT Subject "/CN=.*"',
            'TO Issuer "/CN=CA" DENY \\',
            'Subject "(" # x',
            "\\",
        ]
    )
    | st.text(max_size=20),
    max_size=8,
).map("\n".join)


@fuzz
@given(LINES)
def test_files_of_the_site(text: str) -> None:
    for parse, error in (
        (parse_namespaces, NamespaceSyntaxError),
        (parse_signing_policy, NamespaceSyntaxError),
        (parse_lsc, LscSyntaxError),
    ):
        with contextlib.suppress(error):
            parse(text)


@pytest.mark.parametrize("unit", ["\\\n", "\\", '"', "' ", '"a" ', "#\\", "(", "/e=", "\\\\\n", '"\\', "*"])
def test_reading_takes_linear_time(unit: str) -> None:
    """Texts at the limit that would take minutes if anything were quadratic."""
    text = unit * (250_000 // len(unit))
    head = "access_id_CA X509 'x'\npos_rights globus CA:sign\ncond_subjects globus "
    for parse in (parse_namespaces, lambda text: parse_signing_policy(head + text)):
        with contextlib.suppress(NamespaceSyntaxError):
            parse(text)
