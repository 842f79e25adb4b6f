from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import crl
from argus_py.credentials.crl import read_crl
from argus_py.credentials.rejections import UnreadableCredential

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki


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
    assert read.serials == {user.certificate.serial_number}
    assert read.covers(user.view)
    assert read.covers(root.view)
    assert read.unusable is None
    assert read.revocation(1) is None


def test_an_extension_that_cannot_be_read_makes_it_unusable(pki: "Pki") -> None:
    odd = pki.crl(pki.ca(), extensions=[(pki.extension("2.5.29.28", b"\x05\x00"), True)])
    assert odd.unusable is not None
    assert "an extension cannot be read" in odd.unusable


def test_harmless_extensions_do_not(pki: "Pki") -> None:
    assert pki.crl(pki.ca(), extensions=[(x509.CRLNumber(7), False)]).unusable is None


@pytest.mark.parametrize("damaged", [b"", b"0\x00", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_what_is_no_crl_is_refused(damaged: bytes) -> None:
    with pytest.raises(UnreadableCredential, match="a CRL cannot be read"):
        read_crl(damaged)


def test_its_size_is_bounded() -> None:
    with pytest.raises(UnreadableCredential, match="octets"):
        read_crl(bytes(crl.MAX_OCTETS + 1))


def test_only_the_ca_with_the_key_has_signed_it(pki: "Pki") -> None:
    root = pki.ca()
    assert pki.crl(root).is_signed_by(root.view)
    assert not pki.crl(root).is_signed_by(pki.ca().view)
