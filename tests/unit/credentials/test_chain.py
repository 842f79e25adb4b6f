import itertools
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import chain
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.pem import MAX_CERTIFICATES
from argus_py.credentials.rejections import BrokenChain, UnreadableCredential

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki


def test_any_order_of_one_chain_is_put_right(pki: "Pki") -> None:
    root = pki.ca()
    sub = pki.ca("/DC=org/CN=Sub", root)
    user = pki.issue("/DC=org/CN=U", sub)
    proxy = pki.proxy(user)
    expected = tuple(issued.certificate for issued in (proxy, user, sub, root))
    for shuffled in itertools.permutations(expected):
        assert chain.order(shuffled).certificates == expected


def test_doubles_are_dropped(pki: "Pki") -> None:
    user = pki.issue("/DC=org/CN=U", pki.ca()).certificate
    assert chain.order([user, user]).certificates == (user,)


def test_two_chains_are_refused_naming_the_surplus(pki: "Pki") -> None:
    one, other = pki.issue("/DC=org/CN=U", pki.ca()), pki.issue("/DC=org/CN=V", pki.ca("/DC=org/CN=Other"))
    with pytest.raises(BrokenChain, match="CN=V,DC=org: The keystore is inconsistent") as refused:
        chain.order([one.certificate, other.certificate])
    assert refused.value.code == "invalidCertificatePath"


def test_tls_order_is_kept_and_surplus_certificates_stay(pki: "Pki") -> None:
    user, other = pki.issue("/DC=org/CN=U", pki.ca()), pki.ca("/DC=org/CN=Other")
    assert pki.chain(user, other).certificates == (user.certificate, other.certificate)


def test_chains_are_bounded(pki: "Pki") -> None:
    root = pki.ca().certificate
    with pytest.raises(UnreadableCredential, match="a chain of 0 certificates"):
        chain.order([])
    with pytest.raises(UnreadableCredential, match="a chain of 21 certificates"):
        UnverifiedChain.of([root] * (MAX_CERTIFICATES + 1))


def test_der_that_is_no_certificate_is_refused(pki: "Pki") -> None:
    good = pki.ca().certificate.public_bytes(Encoding.DER)
    version_3, version_4 = bytes.fromhex("a003020102"), bytes.fromhex("a003020103")
    assert UnverifiedChain.from_der([good])
    for bad in (b"", b"\x30\x00", good + b"\x00", good.replace(version_3, version_4, 1)):
        with pytest.raises(UnreadableCredential, match="Can not parse"):
            UnverifiedChain.from_der([bad])
