"""Bodies of both clients and of none."""

import json
from pathlib import Path
from typing import Any

import pytest

from argus_py.hessian import base64_lines

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "pep" / "cases"
CASES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("java-resp-*.json"))}


@pytest.mark.parametrize("name", CASES)
def test_lines_are_those_of_the_java_daemon(name: str) -> None:
    body = CASES[name]["response"].encode("latin-1")
    assert base64_lines.encode(base64_lines.decode(body)) == body


@pytest.mark.parametrize("length", [0, 1, 56, 57, 58, 114, 115])
def test_a_line_feed_ends_full_lines_only(length: int) -> None:
    lines = base64_lines.encode(bytes(length)).split(b"\n")
    assert all(len(line) == 76 for line in lines[:-1])
    assert len(lines[-1]) <= 76
    assert (lines[-1] == b"") == (length % 57 == 0)


@pytest.mark.parametrize(
    "body",
    [
        b"YWJjZA==",
        b"YWJjZA",
        b"YWJj\r\nZA==\r\n",
        b"\n\n Y W\tJ j Z A = =",
        b"<YW!Jj>Z-A_==",
        b"YWJj\xc3ZA\x7f==",
        b"YW\0JjZA==",
    ],
)
def test_what_is_not_in_the_alphabet_is_dropped_and_padding_is_not_needed(body: bytes) -> None:
    assert base64_lines.decode(body) == b"abcd"


def test_a_last_group_of_one_symbol_holds_no_octet() -> None:
    assert base64_lines.decode(b"YWJjZ") == b"abc"


def test_the_size_is_limited() -> None:
    assert base64_lines.decode(b"\n" * base64_lines.MAX_BODY) == b""
    with pytest.raises(base64_lines.BodyTooLarge):
        base64_lines.decode(b"\n" * (base64_lines.MAX_BODY + 1))
