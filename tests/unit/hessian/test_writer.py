"""What was recorded from the two originals is written back octet for octet."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.hessian import base64_lines
from argus_py.hessian.reader import read
from argus_py.hessian.values import HessianList, HessianMap, Long, Value
from argus_py.hessian.writer import JAVA, C, Layout, write

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "pep" / "cases"
CASES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}

NOT_WRITTEN_BACK = {
    "c-req-latin1-bytes",  # not UTF-8, hence not read
    "java-req-shared-attribute",  # references are never written
    "java-resp-shared-status",
}
C_BODIES = [n for n in CASES if n.startswith(("c-req", "c-lib", "c-cli")) and "request" in CASES[n]]
JAVA_BODIES = [(n, "request") for n in CASES if n.startswith("java-req")]
JAVA_BODIES += [(n, "response") for n in CASES if n.startswith("java-resp")]


def octets(name: str, side: str) -> bytes:
    return base64_lines.decode(CASES[name][side].encode("latin-1"))


@pytest.mark.parametrize("name", [name for name in C_BODIES if name not in NOT_WRITTEN_BACK])
def test_a_request_of_the_c_library_is_written_back(name: str) -> None:
    assert write(read(octets(name, "request")), C) == octets(name, "request")


@pytest.mark.parametrize(("name", "side"), [body for body in JAVA_BODIES if body[0] not in NOT_WRITTEN_BACK])
def test_a_body_of_the_java_serialiser_is_written_back(name: str, side: str) -> None:
    assert write(read(octets(name, side)), JAVA) == octets(name, side)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (None, b"N"),
        (True, b"T"),
        (False, b"F"),
        (-2, b"I\xff\xff\xff\xfe"),
        (Long(1), b"L\0\0\0\0\0\0\0\x01"),
        (1.5, b"D\x3f\xf8\0\0\0\0\0\0"),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), b"d\0\0\0\0\0\0\x03\xe8"),
        ("", b"S\0\0"),
        (b"\0\xff", b"B\0\x02\0\xff"),
        (b"a" * 0x8001, b"b\x80\0" + b"a" * 0x8000 + b"B\0\x01a"),
        (HessianMap("c", {"k": None}), b"Mt\0\x01cS\0\x01kNz"),
        (HessianMap(None, {}), b"Mz"),
    ],
)
def test_each_value_has_its_token(value: Value, octets: bytes) -> None:
    assert write(value) == octets


def test_an_empty_list_has_a_length_in_java_only() -> None:
    assert write(HessianList(), JAVA) == b"Vl\0\0\0\0z"
    assert write(HessianList(), C) == b"Vz"


@pytest.mark.parametrize(("layout", "longest"), [(JAVA, 32768), (C, 32767)])
def test_a_string_is_cut_where_the_original_cuts_it(layout: Layout, longest: int) -> None:
    assert write("a" * longest, layout)[:1] == b"S"
    cut = write("a" * longest + "b", layout)
    assert cut == b"s" + longest.to_bytes(2) + b"a" * longest + b"S\0\x01b"


def test_java_does_not_cut_a_surrogate_pair() -> None:
    cut = write("a" * 32767 + "\U0001f600", JAVA)
    assert cut == b"s\x7f\xff" + b"a" * 32767 + b"S\0\x02\xed\xa0\xbd\xed\xb8\x80"


def test_a_character_above_the_bmp_counts_two_in_java_and_one_in_c() -> None:
    assert write("\U0001f600", JAVA) == b"S\0\x02\xed\xa0\xbd\xed\xb8\x80"
    assert write("\U0001f600", C) == b"S\0\x01\xf0\x9f\x98\x80"


def test_undecodable_octets_are_sent_as_they_came_and_counted_as_the_c_library_counts() -> None:
    text = b"M\xfcller \x80".decode("utf-8", "surrogateescape")
    assert write(text, C) == b"S\0\x07M\xfcller \x80"


@pytest.mark.parametrize("number", [1 << 31, Long(1 << 63)])
def test_a_number_too_large_for_its_type_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write(number)
