from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from argus_py.credentials import attribute_certificate as acs
from argus_py.credentials.der import encode
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import BadAttributeCertificate

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import AcFactory, Pki


@pytest.fixture
def factory(pki: "Pki", ac_factory: "type[AcFactory]") -> "AcFactory":
    root = pki.ca()
    return ac_factory(pki.issue("/DC=org/CN=voms.example.org", root), pki.issue("/DC=org/CN=Alice", root))


def test_every_field_is_read(factory: "AcFactory", now: datetime) -> None:
    ac = acs.read_attribute_certificate(factory.make(fqans=[b"/dteam/Role=NULL/Capability=NULL", b"/dteam/x"]))
    assert (ac.vo, ac.host, ac.port) == ("dteam", "voms.example.org", 15000)
    assert ac.fqans == ("/dteam/Role=NULL/Capability=NULL", "/dteam/x")
    assert ac.holder.slash() == "/DC=org/CN=Alice"
    assert ac.holder_serial == factory.user.certificate.serial_number
    assert ac.issuer.slash() == "/DC=org/CN=voms.example.org"
    assert (ac.not_before, ac.not_after) == (now - timedelta(hours=1), now + timedelta(hours=1))
    assert ac.certificates == (factory.server.certificate,)
    assert ac.key_identifier == factory.server_key_identifier()
    assert ac.algorithm == "1.2.840.10045.4.3.2"
    assert ac.targets is None


def test_certificates_and_key_identifier_may_be_missing(proven: Callable[[str], VerifiedChain]) -> None:
    for file, certificates, identified in (
        ("proxies/alice-pemvo-nocerts.pem", 0, True),
        ("bad/ac-no-akid.pem", 1, False),
    ):
        extension = proven(file).links[0].extensions[acs.VOMS_EXTENSION]
        (encoded,) = acs.read_extension(extension.value)
        ac = acs.read_attribute_certificate(encoded)
        assert len(ac.certificates) == certificates
        assert (ac.key_identifier is not None) is identified


def test_targets_are_read_with_and_without_the_sequence_voms_adds(factory: "AcFactory") -> None:
    target = factory.sequence(encode(0xA0, encode(0x86, b"a.example.org")))
    standard = factory.sequence(target, factory.sequence(encode(0xA0, encode(0x86, b"b.example.org"))))
    for encoded in (standard, factory.sequence(standard)):
        ac = acs.read_attribute_certificate(factory.make(targets=encoded))
        assert ac.targets == ("a.example.org", "b.example.org")
    assert acs.read_attribute_certificate(factory.make(targets=factory.sequence())).targets == ()


def nested(levels: int) -> bytes:
    encoded = encode(0x86, b"x")
    for _ in range(levels):
        encoded = encode(0x30, encoded)
    return encoded


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"version": 0}, "version 0 instead of 1"),
        ({"authority": b"dteam://voms.example.org"}, "not <vo>://<host>:<port>"),
        ({"authority": b"voms.example.org:15000"}, "not <vo>://<host>:<port>"),
        ({"authority": b"../x://voms.example.org:15000"}, "not <vo>://<host>:<port>"),
        ({"authority": "dteäm://voms.example.org:15000".encode()}, "ascii"),
        ({"fqans": [b"/dteam\n"]}, "control characters"),
        ({"fqans": [b""]}, "an FQAN is empty"),
        ({"fqans": ["/dteäm".encode()]}, "ascii"),
        ({"fqans": [b"/dteam"] * (acs.MAX_FQANS + 1)}, "1001 FQANs"),
        ({"inner_algorithm": bytes.fromhex("300a06082a8648ce3d040303")}, "the algorithm inside"),
        ({"targets": nested(acs.MAX_TARGET_NESTING + 1)}, "nested too deeply"),
        ({"targets": b"\x30\x05"}, "cut off"),
        ({"targets": encode(0x30, encode(0x86, b"a\nb"))}, "a target is empty or holds control characters"),
    ],
)
def test_what_breaks_the_syntax_is_refused(factory: "AcFactory", broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadAttributeCertificate, match=reason) as refused:
        acs.read_attribute_certificate(factory.make(**broken))
    assert refused.value.code == "parse"


def test_extensions_are_there_once(factory: "AcFactory") -> None:
    doubled = factory.extension(acs.NO_REVOCATION_AVAILABLE, b"\x05\x00")
    with pytest.raises(BadAttributeCertificate, match="an extension is there twice"):
        acs.read_attribute_certificate(factory.make(more_extensions=[doubled]))


def test_certificates_are_bounded(factory: "AcFactory") -> None:
    with pytest.raises(BadAttributeCertificate, match="11 certificates"):
        acs.read_attribute_certificate(factory.make(certificates=[factory.server.certificate] * 11))


def test_certificates_of_a_version_to_come_are_refused(factory: "AcFactory") -> None:
    encoded = factory.make()
    version_3, version_4 = bytes.fromhex("a003020102"), bytes.fromhex("a003020103")
    assert encoded.count(version_3) == 1
    with pytest.raises(BadAttributeCertificate, match="Can not parse"):
        acs.read_attribute_certificate(encoded.replace(version_3, version_4))


def test_one_attribute_holds_the_fqans(factory: "AcFactory") -> None:
    fqans, nothing_known = bytes.fromhex("060a2b06010401be45646404"), bytes.fromhex("060a2b06010401be45646409")
    encoded = factory.make()
    assert encoded.count(fqans) == 1
    with pytest.raises(BadAttributeCertificate, match="0 attributes with FQANs"):
        acs.read_attribute_certificate(encoded.replace(fqans, nothing_known))


def test_the_policy_authority_is_a_uri(factory: "AcFactory") -> None:
    uri = b"dteam://voms.example.org:15000"
    encoded = factory.make().replace(encode(0x86, uri), encode(0x82, uri))
    with pytest.raises(BadAttributeCertificate, match="not <vo>://<host>:<port>"):
        acs.read_attribute_certificate(encoded)


def test_the_holder_is_one_directory_name(factory: "AcFactory") -> None:
    encoded = factory.make(holder=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")]))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")]).public_bytes()
    assert encoded.count(encode(0xA4, name)) == 1
    with pytest.raises(BadAttributeCertificate, match="one directory name each"):
        acs.read_attribute_certificate(encoded.replace(encode(0xA4, name), encode(0xA5, name)))


def test_an_extension_is_a_list_of_lists(factory: "AcFactory") -> None:
    one, other = factory.make(), factory.make(vo="ops")
    sequence = factory.sequence
    assert acs.read_extension(sequence(sequence(one, other))) == (one, other)
    assert acs.read_extension(sequence(sequence(one), sequence(other))) == (one, other)
    assert acs.read_extension(sequence()) == ()
    assert acs.read_extension(sequence(sequence())) == ()


@pytest.mark.parametrize("damaged", ["", "0500", "30020500", "3005", "30003000"])
def test_a_damaged_extension_is_refused(damaged: str) -> None:
    with pytest.raises(BadAttributeCertificate, match="the VOMS extension cannot be read"):
        acs.read_extension(bytes.fromhex(damaged))


def test_attribute_certificates_are_bounded(factory: "AcFactory") -> None:
    limit = acs.MAX_ATTRIBUTE_CERTIFICATES
    assert len(acs.read_extension(factory.sequence(factory.sequence(*[b"\x05\x00"] * limit)))) == limit
    with pytest.raises(BadAttributeCertificate, match="17 attribute certificates"):
        acs.read_extension(factory.sequence(factory.sequence(*[b"\x05\x00"] * (limit + 1))))
