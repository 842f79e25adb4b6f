from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials import crl
from argus_py.credentials.crl import Crl, read_crl
from argus_py.credentials.rejections import UnreadableCredential

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki

KEY = ec.generate_private_key(ec.SECP256R1())


def test_pem_and_der_are_read_alike(grid: Path) -> None:
    pem = (grid / "certificates" / "b1d95bc4.r0").read_bytes()
    der = x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER)
    assert read_crl(pem) == read_crl(der) == read_crl(b"fetched by fetch-crl\n" + pem)


def test_every_field_is_read(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    user = pki.issue("/DC=org/CN=U", root)
    read = pki.crl(root, user, this_update=now, next_update=now)
    assert read.issuer.slash() == "/DC=org/CN=CA"
    assert read.issuer_hashes == root.view.hashes
    assert read.this_update == read.next_update == now
    assert read.revocation(user.certificate.serial_number) is not None
    assert read.covers(user.view)
    assert read.covers(root.view)
    assert read.unusable is None
    assert read.revocation(1) is None


def test_an_extension_that_cannot_be_read_makes_it_unusable(pki: "Pki") -> None:
    odd = pki.crl(pki.ca(), extensions=[(pki.extension("2.5.29.28", b"\x05\x00"), True)])
    assert odd.unusable is not None
    assert "an extension cannot be read" in odd.unusable


def test_an_extension_that_is_there_twice_makes_it_unusable(pki: "Pki") -> None:
    two = [(pki.extension(f"1.2.3.{last}", b"\x05\x00"), False) for last in (4, 5)]
    encoded = pki.crl(pki.ca(), extensions=two).decoded.public_bytes(Encoding.DER)
    doubled = read_crl(encoded.replace(bytes.fromhex("2a0305"), bytes.fromhex("2a0304")))
    assert doubled.unusable is not None
    assert "Duplicate 1.2.3.4 extension" in doubled.unusable


def test_a_distribution_point_of_unknown_form_makes_it_unusable(pki: "Pki") -> None:
    x400_address = bytes.fromhex("3008 a006 a004 a302 3000")
    odd = pki.crl(pki.ca(), extensions=[(pki.extension("2.5.29.28", x400_address), True)])
    assert odd.unusable is not None
    assert "an extension cannot be read" in odd.unusable


def test_the_extensions_of_an_entry_may_be_nonsense(pki: "Pki", now: datetime) -> None:
    entry = x509.RevokedCertificateBuilder().serial_number(7).revocation_date(now)
    for last in (4, 5):
        entry = entry.add_extension(pki.extension(f"1.2.3.{last}", b"\x05\x00"), False)
    root = pki.ca()
    builder = x509.CertificateRevocationListBuilder().issuer_name(root.certificate.subject)
    builder = builder.last_update(now).next_update(now).add_revoked_certificate(entry.build())
    encoded = builder.sign(root.key, hashes.SHA256()).public_bytes(Encoding.DER)
    revocation = read_crl(encoded.replace(bytes.fromhex("2a0305"), bytes.fromhex("2a0304"))).revocation(7)
    assert revocation == "Certificate was revoked at: 2026-11-24 12:00:00 UTC"


SERIALS = st.one_of(st.integers(1, 300), st.integers(1, 2**159 - 1), st.integers(2**63, 2**65))


@settings(max_examples=100, deadline=None)
@given(listed=st.lists(SERIALS, max_size=20), asked=st.lists(SERIALS | st.integers(-(2**70), 0), max_size=20))
def test_exactly_the_serial_numbers_listed_are_revoked(listed: list[int], asked: list[int]) -> None:
    revoked = crl_of(*listed)
    assert all(revoked.revocation(serial) for serial in listed)
    assert [serial for serial in asked if revoked.revocation(serial)] == [s for s in asked if s in listed]


def test_octets_like_a_serial_number_elsewhere_in_the_list_revoke_nobody() -> None:
    times = crl_of(0x1234)
    assert bytes.fromhex("020101") in times.encoded  # its version
    assert times.revocation(1) is None


@pytest.mark.parametrize(("octets", "serial"), [("02028001", -32767), ("0202ff01", -255), ("0202ff7f", -129)])
def test_a_negative_serial_number_is_found_too(octets: str, serial: int) -> None:
    read = read_crl(crl_of(0x7F01).encoded.replace(bytes.fromhex("02027f01"), bytes.fromhex(octets)))
    assert read.revocation(serial) is not None
    assert read.revocation(-serial) is None


def test_a_serial_number_with_a_second_encoding_is_refused() -> None:
    with pytest.raises(UnreadableCredential, match="user_certificate"):
        read_crl(crl_of(0x7F01).encoded.replace(bytes.fromhex("02027f01"), bytes.fromhex("0202007f")))


def crl_of(*serials: int) -> Crl:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    entries = [
        x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build() for serial in serials
    ]
    builder = x509.CertificateRevocationListBuilder(x509.Name([]), moment, moment, [], entries)
    return read_crl(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))


def test_harmless_extensions_do_not(pki: "Pki") -> None:
    assert pki.crl(pki.ca(), extensions=[(x509.CRLNumber(7), False)]).unusable is None


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"0\x00",
        b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        b"-----BEGIN X509 CRL-----\nA*==\n-----END X509 CRL-----\n",
        b"-----BEGIN X509 CRL-----\nAAAA\n",
    ],
)
def test_what_is_no_crl_is_refused(damaged: bytes) -> None:
    with pytest.raises(UnreadableCredential, match="a CRL cannot be read"):
        read_crl(damaged)


def test_a_date_of_the_year_0_is_refused(pki: "Pki") -> None:
    late = datetime(2050, 1, 1, tzinfo=UTC)
    encoded = pki.crl(pki.ca(), next_update=late).decoded.public_bytes(Encoding.DER)
    with pytest.raises(UnreadableCredential, match="year 0 is out of range"):
        read_crl(encoded.replace(b"20500101", b"00000101"))


def test_its_size_is_bounded() -> None:
    with pytest.raises(UnreadableCredential, match="octets"):
        read_crl(bytes(crl.MAX_OCTETS + 1))


def test_only_the_ca_with_the_key_has_signed_it(pki: "Pki") -> None:
    root = pki.ca()
    assert pki.crl(root).is_signed_by(root.view)
    assert not pki.crl(root).is_signed_by(pki.ca().view)
