import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from argus_py.credentials import pem
from argus_py.credentials.rejections import UnreadableCredential

SECRET = base64.b64encode(b"the octets of a private key").decode()


@pytest.fixture
def alice(pem_of: Callable[[str], str]) -> str:
    text = pem_of("users/alice.pem")
    return text[text.index("-----BEGIN") :]


def test_text_around_the_blocks_is_ignored(alice: str) -> None:
    assert len(pem.parse_certificates(f"subject=/CN=x\n{alice}\n\n{alice}the end")) == 2


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_are_free(alice: str, line_end: str) -> None:
    assert pem.parse_certificates(alice.replace("\n", line_end)) == pem.parse_certificates(alice)


def test_header_lines_and_blanks_are_skipped(alice: str) -> None:
    begin, *lines = alice.splitlines()
    padded = "\n".join([begin, "Proc-Type: 4,CLEAR", "Note: x", *(f"  {line}\t" for line in lines[:-1]), lines[-1]])
    assert pem.parse_certificates(padded) == pem.parse_certificates(alice)


def test_three_dashes_and_the_old_label_will_do(alice: str) -> None:
    assert pem.parse_certificates(alice.replace("-----", "---").replace("CERTIFICATE", "X509 CERTIFICATE"))


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
def test_a_private_key_refuses_the_text_and_is_not_repeated(alice: str, label: str) -> None:
    with pytest.raises(UnreadableCredential, match="found: a private key") as refused:
        pem.parse_certificates(f"{alice}-----BEGIN {label}-----\n{SECRET}\n-----END {label}-----\n")
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "PEM data not found"),
        ("plain text", "PEM data not found"),
        ("-----BEGIN CERTIFICATE----- AAAA -----END CERTIFICATE-----", "PEM data not found"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "no ending line"),
        ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "before getting any contents"),
        ("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n", "not base64"),
        ("-----BEGIN CERTIFICATE-----\nÄÄÄÄ\n-----END CERTIFICATE-----\n", "not base64"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "Can not parse"),
        ("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "found: something else"),
    ],
)
def test_what_is_no_certificate_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableCredential, match=reason):
        pem.parse_certificates(text)


def test_input_is_bounded(alice: str) -> None:
    assert len(pem.parse_certificates(alice * pem.MAX_CERTIFICATES)) == pem.MAX_CERTIFICATES
    with pytest.raises(UnreadableCredential, match="more than 20 certificates"):
        pem.parse_certificates(alice * (pem.MAX_CERTIFICATES + 1))
    with pytest.raises(UnreadableCredential, match="characters of PEM"):
        pem.parse_certificates(alice.ljust(pem.MAX_TEXT_LENGTH + 1))


def test_a_proxy_file_as_it_lies_on_disk_is_refused(grid: Path) -> None:
    with pytest.raises(UnreadableCredential, match="private key"):
        pem.parse_certificates((grid / "proxies" / "alice-plain.pem").read_text())


@pytest.mark.parametrize("label", ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PARAMETERS"])
def test_its_owner_may_show_the_file_with_the_key_in_it(alice: str, label: str) -> None:
    key = f"-----BEGIN {label}-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END {label}-----\n"
    assert pem.parse_certificates_of_owner(key + alice + key) == pem.parse_certificates(alice)


def test_the_key_alone_is_no_credential() -> None:
    with pytest.raises(UnreadableCredential, match="PEM data not found"):
        pem.parse_certificates_of_owner("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def test_to_its_owner_a_block_of_another_kind_is_refused_all_the_same(alice: str) -> None:
    with pytest.raises(UnreadableCredential, match="found: something else"):
        pem.parse_certificates_of_owner(alice + "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n")
