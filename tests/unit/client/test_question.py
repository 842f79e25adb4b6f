"""What is taken from a proxy file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.client.question import MAX_FILE, Certificates, PrivateKeyGiven, UnusableSubject, _blocks

PROXY = Path(__file__).parents[2] / "vectors" / "pep" / "certs" / "proxy.pem"
BLOCK = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n"


def test_certificates_are_taken_and_the_key_is_left() -> None:
    text = PROXY.read_text()
    assert "PRIVATE KEY" in text
    pem = Certificates.from_file(PROXY).pem
    assert pem.count("-----BEGIN CERTIFICATE-----") == text.count("-----BEGIN CERTIFICATE-----") > 1
    assert "PRIVATE KEY" not in pem


def test_a_private_key_does_not_come_into_a_question_in_any_other_way() -> None:
    with pytest.raises(PrivateKeyGiven) as refusal:
        Certificates(PROXY.read_text())
    assert "-----" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (BLOCK + KEY + BLOCK, BLOCK * 2),
        ("subject=/CN=Alice\n" + BLOCK + "text\n", BLOCK),
        (BLOCK.replace("\n", "\r\n"), BLOCK),
        (BLOCK[:35] + KEY + BLOCK, BLOCK),  # a block that is cut, before a key
        (BLOCK + BLOCK[:35], BLOCK),
        (BLOCK.rstrip() + KEY + BLOCK, BLOCK),  # a file of two that were put together without a line end
    ],
)
def test_only_whole_certificate_blocks_are_taken(content: str, taken: str, tmp_path: Path) -> None:
    file = tmp_path / "proxy"
    file.write_bytes(content.encode())
    assert Certificates.from_file(file).pem == taken


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no certificate"),
        (KEY.encode(), "no certificate"),
        (BLOCK[:40].encode(), "no certificate"),
        (b"x" * (MAX_FILE + 1), "more than 65536 octets"),
        (BLOCK.replace("AAAA", "A\xe4A").encode("latin-1"), "no PEM"),
    ],
)
def test_a_file_without_usable_certificates_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "proxy"
    file.write_bytes(content)
    with pytest.raises(UnusableSubject, match=reason) as caught:
        Certificates.from_file(file)
    assert caught.value.file == file


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableSubject, match="No such file"):
        Certificates.from_file(tmp_path / "none")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([BLOCK, KEY, BLOCK[:30], KEY[:40], "text\n", "\n"])))
def test_no_part_of_a_key_is_ever_taken(parts: list[str]) -> None:
    taken = _blocks("".join(parts))
    assert "c2VjcmV0" not in taken
    assert "PRIVATE KEY" not in taken
    assert taken.count("\n-----END CERTIFICATE-----\n") == taken.count("-----BEGIN CERTIFICATE-----\n")
