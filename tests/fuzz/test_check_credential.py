"""argus check-credential: whatever the file holds, there is a report and an exit code, and the terminal is safe."""

import base64
import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.cli.check_credential import EXIT_CODES, Outcome, Settings, check_credential

GRID = Path(__file__).parents[1] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DIRECTORIES = Settings(GRID / "certificates", GRID / "vomsdir", frozenset())
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----\n", re.DOTALL)

# Serial numbers below one are a warning of the library, not an error.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


def blocks(file: str) -> list[bytes]:
    text = (GRID / file).read_text(encoding="ascii")
    return [base64.b64decode(match[1]) for match in CERTIFICATE.finditer(text)]


PROXY = blocks("proxies/alice-dteam-delegated.pem")


def pem(encoded: list[bytes]) -> bytes:
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(each) + b"-----END CERTIFICATE-----\n" for each in encoded
    )


def checked(octets: bytes) -> Outcome:
    outcome = check_credential("-", DIRECTORIES, NOW, BytesIO(octets))
    assert outcome.exit_code in {0, *EXIT_CODES.values()}
    assert ("\nREFUSED: " in outcome.text) is (outcome.exit_code != 0)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", outcome.text)
    return outcome


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda octets: b"0\x82" + octets))
def test_octets_of_any_kind_are_refused(octets: bytes) -> None:
    assert checked(octets).exit_code != 0


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(PROXY) - 1), st.data())
def test_a_damaged_chain_gets_its_report(link: int, data: st.DataObject) -> None:
    encoded = bytearray(PROXY[link])
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    damaged = [*PROXY[:link], bytes(encoded), *PROXY[link + 1 :]]
    checked(pem(damaged))
    checked(bytes(encoded))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PROXY), min_size=1, max_size=25))
def test_certificates_in_any_order_and_number_get_their_report(encoded: list[bytes]) -> None:
    checked(pem(encoded))


@pytest.mark.parametrize("link", range(len(PROXY)))
def test_a_link_alone_gets_its_report(link: int) -> None:
    checked(PROXY[link])
