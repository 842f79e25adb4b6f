import pytest
from cryptography import x509

from argus_py.credentials import der
from argus_py.credentials.der import DerError


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 70_000])
def test_what_is_encoded_is_read_back(length: int) -> None:
    octets = b"x" * length
    encoded = der.encode(der.OCTET_STRING, octets)
    assert der.content(encoded, der.OCTET_STRING) == octets
    assert der.elements(encoded + encoded) == [(der.OCTET_STRING, octets, encoded)] * 2


@pytest.mark.parametrize(
    "damaged",
    [
        "04",  # no length
        "0402 61",  # cut off
        "0480 61 0000",  # indefinite
        "048101 61",  # a short length in the long form
        "04820080" + "61" * 128,  # a leading zero
        "0485 0000000001 61",  # more than four octets
        "0482 01",  # the length itself is cut off
        "1f8101 01 61",  # a tag of several octets
    ],
)
def test_what_is_not_der_is_refused(damaged: str) -> None:
    with pytest.raises(DerError):
        der.elements(bytes.fromhex(damaged))


def test_content_is_exactly_one_element_of_the_tag() -> None:
    for encoded in (b"", b"\x04\x00\x04\x00", b"\x05\x00"):
        with pytest.raises(DerError):
            der.content(encoded, der.OCTET_STRING)


@pytest.mark.parametrize("dotted", ["0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1", "2.5.4.3", "2.999.1"])
def test_object_identifiers_are_read(dotted: str) -> None:
    name = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(dotted), "x", _validate=False)]).public_bytes()
    attribute = der.content(der.content(der.content(name, der.SEQUENCE), der.SET), der.SEQUENCE)
    ((_, octets, _), _) = der.elements(attribute)
    assert der.object_identifier(octets) == dotted


@pytest.mark.parametrize("damaged", ["", "5504 83", "55 8003", "55" + "ff" * 3000 + "7f"])
def test_damaged_object_identifiers_are_refused(damaged: str) -> None:
    with pytest.raises(DerError):
        der.object_identifier(bytes.fromhex(damaged))
