"""Any text is a profile, a vo-ca-ap file, a list of CAs, or the typed error of their readers.

Good ones survive what Java ignores.
"""

import contextlib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials.ca_policies import parse_info_file
from argus_py.credentials.igtf import IgtfSyntaxError, parse_accepted_profiles, parse_profile
from argus_py.credentials.properties import PropertiesSyntaxError, parse_properties

GRID = Path(__file__).parents[1] / "vectors" / "credentials" / "grid"
PROFILE = (GRID / "certificates" / "policy-igtf-classic.info").read_text()
ACCEPTED = (GRID / "vo-ca-ap-file").read_text()
PIECES = st.sampled_from(['"', "\\", "\n", ",", "=", ":", " ", "#", "/", "*", "-", "file:", ".info", "/CN=", "\\u00"])

fuzz = settings(max_examples=300, deadline=None)


@st.composite
def damaged(draw: st.DrawFn, good: str) -> str:
    """The good text with a few pieces put in or taken out."""
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(good)))
        good = good[:position] + draw(PIECES | st.text(max_size=2)) + good[position + draw(st.integers(0, 3)) :]
    return good


@fuzz
@given(st.text() | st.lists(PIECES | st.text(max_size=3)).map("".join))
def test_properties(text: str) -> None:
    with contextlib.suppress(PropertiesSyntaxError):
        lines = len(text.splitlines())
        assert all(1 <= found.line <= lines for found in parse_properties(text).values())


@fuzz
@given(st.text() | damaged(PROFILE))
def test_profiles(text: str) -> None:
    with contextlib.suppress(IgtfSyntaxError):
        assert parse_profile(text).alias


@fuzz
@given(st.text() | damaged(PROFILE) | damaged('subjectdn = file:a.info, "/CN=%2Fa", # rest'))
def test_files_that_name_cas(text: str) -> None:
    with contextlib.suppress(IgtfSyntaxError):
        assert all(file.isascii() and file.isprintable() for file in parse_info_file(text).files)


@fuzz
@given(st.text() | damaged(ACCEPTED))
def test_accepted_profiles(text: str) -> None:
    with contextlib.suppress(IgtfSyntaxError):
        accepted = parse_accepted_profiles(text)
        assert all(accepted.for_vo(vo) for vo in accepted.by_vo)


@fuzz
@given(st.dictionaries(st.text(), st.text()))
def test_what_is_escaped_is_read_back(entries: dict[str, str]) -> None:
    lines = (f"{escaped(key)}={escaped(value)}" for key, value in entries.items())
    assert {key: found.value for key, found in parse_properties("\n".join(lines)).items()} == entries


def escaped(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
