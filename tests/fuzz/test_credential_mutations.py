"""Every good proxy of the recorded grid, damaged in every way we can think of: refused, or what was signed is intact.

A certificate has one signed part; the algorithm and the signature behind it are not signed. So damaged credentials may
be accepted only if each signed part is, octet for octet, one that a sound file had in the same place, and if user and
attributes are the same. Whatever is damaged, the work stays bounded: function calls are counted, not seconds.
"""

import base64
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials import attribute_certificate as acs
from argus_py.credentials import chain, der, path, pem, voms
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.der import DerError
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.voms import VomsAttributes
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

GRID = Path(__file__).parents[1] / "vectors" / "credentials" / "grid"
TRUST = load_trust_anchors(GRID / "certificates")
VOMS = load_voms_trust(GRID / "vomsdir")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTNAMES = frozenset({"localhost"})
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n", re.DOTALL)

# Serial numbers below one and the like are a warning of the library, not an error.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
fuzz = settings(max_examples=250, deadline=None)


@dataclass(frozen=True)
class Proven:
    """What a verdict rests on: the signed part of every certificate, leaf first, and the attributes they carry."""

    signed: tuple[bytes, ...]
    attributes: tuple[VomsAttributes, ...]


def judged(read: Callable[[], tuple[x509.Certificate, ...]]) -> Proven | None:
    """None: refused. Anything but a typed rejection fails the test."""
    try:
        verified = path.verify(chain.order(read()), TRUST, NOW)
        verdicts = voms.examine(verified, VOMS, TRUST, NOW, HOSTNAMES)
    except Rejection:
        return None
    return Proven(
        tuple(link.x509.tbs_certificate_bytes for link in verified.links),
        tuple(verdict for verdict in verdicts if isinstance(verdict, VomsAttributes)),
    )


def judged_text(text: str) -> Proven | None:
    return judged(lambda: pem.parse_certificates(text))


def as_pem(*encoded: bytes) -> str:
    return "".join(pem_block(octets) for octets in encoded)


def pem_block(octets: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(octets).decode()}-----END CERTIFICATE-----\n"


def load(file: str) -> tuple[bytes, ...]:
    text = _PRIVATE_KEY.sub("", (GRID / file).read_text(encoding="latin-1"))
    ordered = chain.order(pem.parse_certificates(text)).certificates
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in ordered)


FILES = [
    entry["file"]
    for entry in json.loads((GRID / "index.json").read_text(encoding="utf-8"))["credentials"]
    if entry["kind"] == "proxy"
]
CHAINS = {file: load(file) for file in FILES}  # leaf first
SOUND = {file: judged_text(as_pem(*encoded)) for file, encoded in CHAINS.items()}
files = st.sampled_from(FILES)


def test_the_sound_proxies_are_accepted() -> None:
    assert len(FILES) > 40
    assert all(SOUND.values())


# --- Structure: a tree of elements, changed at one place and encoded anew with the right lengths


@dataclass(frozen=True)
class Node:
    """``prefix``: what comes before the inner elements of a BIT STRING or OCTET STRING; ``inner`` None: a leaf."""

    tag: int
    content: bytes
    inner: tuple["Node", ...] | None = None

    def encoded(self) -> bytes:
        return der.encode(self.tag, self.content if self.inner is None else b"".join(n.encoded() for n in self.inner))


_CONSTRUCTED = 0x20


def tree(octets: bytes) -> tuple[Node, ...]:
    """The elements in ``octets``, with those inside of OCTET STRINGs that hold some, as extensions do."""
    nodes = []
    for tag, content, _ in der.elements(octets):
        inner = None
        if tag & _CONSTRUCTED or tag == der.OCTET_STRING:
            try:
                inner = tree(content) or None
            except DerError:
                inner = None
        nodes.append(Node(tag, content, inner))
    return tuple(nodes)


def paths(nodes: tuple[Node, ...], above: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for position, node in enumerate(nodes):
        yield (*above, position)
        yield from paths(node.inner or (), (*above, position))


def at(nodes: tuple[Node, ...], where: tuple[int, ...]) -> Node:
    node = nodes[where[0]]
    return node if len(where) == 1 else at(node.inner or (), where[1:])


def replaced(nodes: tuple[Node, ...], where: tuple[int, ...], by: tuple[Node, ...]) -> tuple[Node, ...]:
    position, *below = where
    node = nodes[position]
    if below:
        by = (Node(node.tag, node.content, replaced(node.inner or (), tuple(below), by)),)
    return (*nodes[:position], *by, *nodes[position + 1 :])


@st.composite
def restructured(draw: st.DrawFn, sound: bytes, donor: bytes) -> bytes:
    """One element removed, doubled, moved to another place, retagged, emptied, or taken from another certificate."""
    nodes = tree(sound)
    where = draw(st.sampled_from(list(paths(nodes))))
    node = at(nodes, where)
    others = tree(donor)
    foreign = at(others, draw(st.sampled_from(list(paths(others)))))
    own = at(nodes, draw(st.sampled_from(list(paths(nodes)))))
    tag = draw(st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F))
    by = draw(
        st.sampled_from(
            [(), (node, node), (own,), (own, node), (foreign,), (node, foreign), (Node(tag, node.content, node.inner),)]
        )
        | st.binary(max_size=8).map(lambda content: (Node(node.tag, content),))
    )
    return b"".join(n.encoded() for n in replaced(nodes, where, by))


def changed_at(position: int, sound: bytes) -> bytes:
    return sound[:position] + bytes((sound[position] ^ 0x55,)) + sound[position + 1 :]


@st.composite
def flipped(draw: st.DrawFn, sound: bytes) -> bytes:
    bit = draw(st.integers(0, 8 * len(sound) - 1))
    return sound[: bit // 8] + bytes((sound[bit // 8] ^ 1 << bit % 8,)) + sound[bit // 8 + 1 :]


@st.composite
def cut(draw: st.DrawFn, sound: bytes) -> bytes:
    """Cut off at the end, or a piece taken out of the middle."""
    start = draw(st.integers(0, len(sound) - 1))
    end = draw(st.just(len(sound)) | st.integers(start + 1, len(sound)))
    return sound[:start] + sound[end:]


def damaged(sound: bytes, donor: bytes) -> st.SearchStrategy[bytes]:
    return flipped(sound) | cut(sound) | restructured(sound, donor)


# --- Chains


@st.composite
def damaged_chains(draw: st.DrawFn) -> tuple[str, tuple[bytes, ...]]:
    """A file and its certificates, one of them damaged."""
    file = draw(files)
    encoded = CHAINS[file]
    position = draw(st.integers(0, len(encoded) - 1))
    donor = draw(st.sampled_from(CHAINS[draw(files)]))
    changed = draw(damaged(encoded[position], donor))
    return file, (*encoded[:position], changed, *encoded[position + 1 :])


def is_part_of(proven: Proven, sound: Proven | None) -> bool:
    """The same certificates in the same order, perhaps without the lower ones.

    The anchor may differ: a sub CA of the trust directory that is sent alone is a leaf below its root.
    """
    assert sound is not None, "a recorded proxy is refused"
    below_anchor = proven.signed[:-1]
    return any(sound.signed[start : start + len(below_anchor)] == below_anchor for start in range(len(sound.signed)))


@fuzz
@given(damaged_chains())
def test_a_damaged_chain_is_refused_or_what_is_signed_is_intact(case: tuple[str, tuple[bytes, ...]]) -> None:
    file, encoded = case
    proven = judged_text(as_pem(*encoded))
    assert proven in (None, SOUND[file])


def test_every_octet_of_a_proxy_chain_counts() -> None:
    """The unsigned ones too: the outer algorithm must be the inner one, and RSA has one signature for a text."""
    leaf, user = CHAINS["proxies/alice-two-vos.pem"]
    for position in range(len(leaf)):
        assert judged_text(as_pem(changed_at(position, leaf), user)) is None, position
    for position in range(len(user)):
        assert judged_text(as_pem(leaf, changed_at(position, user))) is None, position


@fuzz
@given(st.lists(files.flatmap(lambda file: st.sampled_from(CHAINS[file])), max_size=6))
def test_certificates_of_many_files_prove_only_what_one_of_them_proves(bag: list[bytes]) -> None:
    proven = judged_text(as_pem(*bag))
    if proven is not None:
        assert any(is_part_of(proven, sound) for sound in SOUND.values())


@fuzz
@given(files, files, st.data())
def test_spliced_texts_prove_only_what_one_of_them_proves(one: str, other: str, data: st.DataObject) -> None:
    first, second = as_pem(*CHAINS[one]), as_pem(*CHAINS[other])
    text = first[: data.draw(st.integers(0, len(first)))] + second[data.draw(st.integers(0, len(second))) :]
    proven = judged_text(text)
    if proven is not None:
        assert is_part_of(proven, SOUND[one]) or is_part_of(proven, SOUND[other])


# --- Attribute certificates: damaged in a proxy that its user has duly signed


KEY = load_pem_private_key((GRID / "users" / "alice.key").read_bytes(), None)
USER = x509.load_der_x509_certificate(CHAINS["proxies/alice-plain.pem"][1])
PROXY_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
RFC_INFO = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14"), bytes.fromhex("300c300a06082b06010505071501")
)


def proxy_with(extension: bytes) -> tuple[x509.Certificate, ...]:
    assert isinstance(KEY, rsa.RSAPrivateKey)
    subject = x509.Name(
        [*USER.subject.rdns, x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "1")])]
    )
    proxy = (
        x509.CertificateBuilder(USER.subject, subject, PROXY_KEY, 1)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(hours=1))
        .add_extension(RFC_INFO, critical=True)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(acs.VOMS_EXTENSION), extension), critical=False)
    )
    return proxy.sign(KEY, hashes.SHA256()), USER


def attributes_of(extension: bytes) -> tuple[VomsAttributes, ...]:
    """Of a proxy that itself is good: the chain must be proven whatever the extension holds."""
    proven = judged(lambda: proxy_with(extension))
    assert proven is not None
    return proven.attributes


def extension_of(file: str) -> bytes:
    return Certificate(x509.load_der_x509_certificate(CHAINS[file][0])).extensions[acs.VOMS_EXTENSION].value


ALICES = [
    f"proxies/{name}.pem"
    for name in (
        "alice-two-vos",
        "alice-dteam-pilot",
        "alice-generic-attributes",
        "alice-target",
        "alice-pemvo-nocerts",
    )
]
EXTENSIONS = {file: extension_of(file) for file in ALICES}
KNOWN_ATTRIBUTES = {attributes for file in ALICES for attributes in attributes_of(EXTENSIONS[file])}


def test_the_sound_attribute_certificates_are_accepted() -> None:
    assert len(KNOWN_ATTRIBUTES) == len(ALICES) + 1


@fuzz
@given(st.data())
def test_a_damaged_attribute_certificate_asserts_nothing_new(data: st.DataObject) -> None:
    sound, donor = (EXTENSIONS[data.draw(st.sampled_from(ALICES))] for _ in range(2))
    assert KNOWN_ATTRIBUTES.issuperset(attributes_of(data.draw(damaged(sound, donor))))


def test_every_octet_of_an_attribute_certificate_counts() -> None:
    sound = EXTENSIONS["proxies/alice-dteam-pilot.pem"]
    for position in range(len(sound)):
        assert attributes_of(changed_at(position, sound)) == (), position


# --- Work


def calls(run: Callable[[], object]) -> int:
    """How many functions were called, of Python and C."""
    count = 0

    def counting(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


WORK = max(calls(lambda encoded=encoded: judged_text(as_pem(*encoded))) for encoded in CHAINS.values())  # type: ignore[misc]


@settings(max_examples=100, deadline=None)
@given(damaged_chains())
def test_damage_does_not_make_work(case: tuple[str, tuple[bytes, ...]]) -> None:
    _, encoded = case
    assert calls(lambda: judged_text(as_pem(*encoded))) < 3 * WORK
