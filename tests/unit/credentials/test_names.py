import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from argus_py.credentials import names
from argus_py.credentials.rejections import UnreadableCredential
from argus_py.model.dn import MAX_ATTRIBUTES

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "dn" / "names.json").read_text(encoding="utf-8")
)
CN = "0603550403"


def name(*rdns: str) -> bytes:
    """A Name from the hex of its attributes, each an RDN of its own."""
    sets = b"".join(wrap(0x31, bytes.fromhex(rdn)) for rdn in rdns)
    return wrap(0x30, sets)


def wrap(tag: int, octets: bytes) -> bytes:
    size = len(octets)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2)) + octets


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["what"])
def test_names_are_read_whatever_their_string_types(recorded: dict[str, Any]) -> None:
    read = names.read_name(base64.b64decode(recorded["der"]))
    assert read.rfc2253() == recorded["jdk_rfc2253"]
    assert read.slash() == recorded["canl_openssl"]


def test_a_decoded_name_reads_the_same(pki: "Pki") -> None:
    certificate = pki.issue("/DC=org/CN=Alice").certificate
    assert names.distinguished_name(certificate.subject).slash() == "/DC=org/CN=Alice"


def test_hashes_are_the_file_names_openssl_looks_for(grid: Path) -> None:
    for path in (grid / "certificates").glob("*.0"):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        assert path.name.removesuffix(".0") in names.hashes(certificate.subject.public_bytes())


def test_the_old_hash_is_the_first_one(grid: Path) -> None:
    ca = x509.load_pem_x509_certificate((grid / "ca" / "argus-test-ca.pem").read_bytes())
    assert names.hashes(ca.subject.public_bytes()) == ("b1d95bc4", "0f70aaec")


def test_the_new_hash_ignores_case_blanks_and_string_type() -> None:
    utf8, printable = name(f"300c{CN}0c05 41422063 64"), name(f"3010{CN}1309 20614220 20 43442020")
    assert names.hash_new(utf8) == names.hash_new(printable)
    assert names.hash_old(utf8) != names.hash_old(printable)


def test_the_new_hash_leaves_other_types_alone() -> None:
    assert names.hash_new(name(f"3009{CN}03020041")) != names.hash_new(name(f"3009{CN}03020061"))


def test_an_unsorted_multivalued_rdn_is_read_in_its_order() -> None:
    read = names.read_name(name(f"3008{CN}0c0162 3008{CN}0c0161"))
    assert [attribute.value for attribute in read.rdns[0]] == ["b", "a"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x31\x00",
        name(""),  # an empty RDN
        name("0500"),
        name("30020500"),
        name(f"3005{CN}"),
        wrap(0x30, b"\x30\x00"),  # an RDN that is no SET
        name(f"3008{CN}0c0161") + b"\x00",
        name("30060601800c0161"),
    ],
)
def test_damaged_names_are_refused(damaged: bytes) -> None:
    with pytest.raises(UnreadableCredential):
        names.read_name(damaged)


def test_names_are_bounded() -> None:
    attribute = f"3008{CN}0c0161"
    assert len(names.read_name(name(*[attribute] * MAX_ATTRIBUTES)).rdns) == MAX_ATTRIBUTES
    with pytest.raises(UnreadableCredential, match="more than 100 attributes"):
        names.read_name(name(*[attribute] * (MAX_ATTRIBUTES + 1)))
    with pytest.raises(UnreadableCredential, match="octets"):
        names.read_name(b"\x00" * (names.MAX_NAME_OCTETS + 1))


def test_a_string_that_cannot_be_decoded_has_no_new_hash() -> None:
    with pytest.raises(UnreadableCredential, match="cannot be decoded"):
        names.hashes(name(f"3008{CN}0c01ff"))
