"""Any octets give a value or a typed error, in time proportional to their number."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from argus_py.errors import MalformedInput
from argus_py.hessian import base64_lines, messages, reader
from argus_py.hessian.values import HessianError, HessianList, HessianMap, Value

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "pep" / "cases"


def recorded(name: str, side: str) -> bytes:
    return base64_lines.decode(json.loads((VECTORS / f"{name}.json").read_text())[side].encode())


REQUEST = recorded("c-lib-full-model", "request")
RESPONSE = recorded("java-resp-permit-posix", "response")
TOKENS = st.sampled_from([bytes([octet]) for octet in b"NTFILDdSsXxBbVMzRrtl"]) | st.binary(max_size=4)
OCTETS = st.binary(max_size=200) | st.lists(TOKENS, max_size=60).map(b"".join)


def damaged(message: bytes) -> st.SearchStrategy[bytes]:
    """The message with one stretch replaced."""

    def replace(place: tuple[int, int], octets: bytes) -> bytes:
        start, length = place
        return message[:start] + octets + message[start + length :]

    places = st.tuples(st.integers(0, len(message)), st.integers(0, 40))
    return st.builds(replace, places, st.binary(max_size=8) | TOKENS)


def size(value: Value) -> int:
    """Nodes of the tree as a reader of it meets them."""
    match value:
        case HessianList(items):
            return 1 + sum(map(size, items))
        case HessianMap(_, fields):
            return 1 + sum(map(size, fields.values()))
        case _:
            return 1


@settings(max_examples=300, deadline=None)
@given(OCTETS)
@example(b"V" * 10000)
@example(b"s\xff\xff" + b"\x80" * 100)
def test_any_octets_are_a_value_of_limited_size_or_an_error(data: bytes) -> None:
    with contextlib.suppress(HessianError):
        assert size(reader.read(data)) <= reader.MAX_VALUES


@settings(max_examples=200, deadline=None)
@given(OCTETS | damaged(REQUEST))
def test_any_octets_are_a_request_or_an_error(data: bytes) -> None:
    try:
        request = messages.read_request(data)
    except MalformedInput:
        return
    assert messages.read_request(messages.write_request(request)) == request


@settings(max_examples=200, deadline=None)
@given(OCTETS | damaged(RESPONSE))
def test_any_octets_are_a_response_or_an_error(data: bytes) -> None:
    try:
        response = messages.read_response(data)
    except MalformedInput:
        return
    assert messages.read_response(messages.write_response(response)).results


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_body_is_some_octets(body: bytes) -> None:
    assert len(base64_lines.decode(body)) <= len(body)


@pytest.mark.parametrize(
    "data",
    [
        b"S\xff\xff" + b"\xc3\xa9" * 0xFFFF,
        b"s\0\x01\xc3" * 10000,
        b"V" + b"S\xff\xff" + b"\x80" * 0xFFFF + b"z",
        b"V" + b"R\0\0\0\0" * 100000,
        b"M" + b"S\0\0N" * 9000 + b"z",
        b"b\0\0" * 19000 + b"B\0\0",
    ],
    ids=["non-ascii", "broken chunks", "continuations", "cycles", "one key", "empty chunks"],
)
def test_a_large_message_of_one_token_ends_soon(data: bytes) -> None:
    """Each would take minutes if any of them took quadratic time."""
    with contextlib.suppress(HessianError):
        assert size(reader.read(data)) <= reader.MAX_VALUES
