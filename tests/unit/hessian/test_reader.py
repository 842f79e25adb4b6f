"""The recorded requests, each token of the format, and the limits."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from argus_py.hessian import base64_lines, reader
from argus_py.hessian.values import HessianError, HessianList, HessianMap, Long, Value

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "pep" / "cases"
CASES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}

# Requests that are no Hessian; the Java daemon answers each with HTTP 500.
UNREADABLE = {
    "c-req-latin1-bytes",
    "srv-req-deep-nesting",
    "srv-req-empty-body",
    "srv-req-hessian-call",
    "srv-req-missing-closing",
    "srv-req-not-base64",
    "srv-req-ref-out-of-range",
    "srv-req-ref-self",
    "srv-req-truncated",
    "srv-req-utf8-lone-continuation",
}
# The program that wrote the recorded trees could not read these, Java can.
NOT_DECODED = {"srv-req-utf8-overlong", "srv-req-xml-string"}


def as_recorded(value: Value) -> Any:
    """The JSON form of a tree in the recordings; references stand there as what they refer to."""
    match value:
        case HessianMap(type_name, fields):
            return {"$type": type_name} | {key: as_recorded(item) for key, item in fields.items()}
        case HessianList(items, None):
            return [as_recorded(item) for item in items]
        case HessianList(items, type_name):
            return {"$listtype": type_name, "$items": [as_recorded(item) for item in items]}
        case Long():
            return {"$long": int(value)}
        case bytes():
            return {"$b64": base64.b64encode(value).decode()}
        case _:
            return value


def resolved(tree: Any, objects: list[Any]) -> Any:
    """A recorded tree with its ``$ref`` replaced; ``objects`` collects lists and maps by their number."""
    if isinstance(tree, dict) and "$ref" in tree:
        return objects[tree["$ref"]]
    if isinstance(tree, list):
        content: Any = []
        objects.append(content)
        content += [resolved(item, objects) for item in tree]
        return content
    if isinstance(tree, dict) and "$items" in tree:
        content = {"$listtype": tree["$listtype"]}
        objects.append(content)
        content["$items"] = [resolved(item, objects) for item in tree["$items"]]
        return content
    if isinstance(tree, dict) and not tree.keys() & {"$long", "$b64"}:
        content = {}
        objects.append(content)
        content.update((key, item if key == "$type" else resolved(item, objects)) for key, item in tree.items())
        return content
    return tree


def body(name: str) -> bytes:
    return base64_lines.decode(CASES[name]["request"].encode("latin-1"))


def string(text: bytes, characters: int, tag: bytes = b"S") -> bytes:
    return tag + characters.to_bytes(2) + text


@pytest.mark.parametrize("name", [name for name in CASES if "request" in CASES[name]])
def test_a_recorded_request_is_read_as_recorded(name: str) -> None:
    if name in UNREADABLE:
        with pytest.raises(HessianError):
            reader.read(body(name))
    elif name in NOT_DECODED:
        assert "decoded_request" not in CASES[name]
        reader.read(body(name))
    else:
        assert as_recorded(reader.read(body(name))) == resolved(CASES[name]["decoded_request"], [])


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_what_is_refused_here_is_refused_by_java(name: str) -> None:
    assert CASES[name]["java_daemon"]["status"] == 500


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"N", None),
        (b"T", True),
        (b"F", False),
        (b"I\xff\xff\xff\xfe", -2),
        (b"L\0\0\0\x01\xa1\x3b\x86\0", Long(7000000000)),
        (b"D\x3f\xf8\0\0\0\0\0\0", 1.5),
        (b"d\xff\xff\xff\xff\xff\xff\xff\xff", datetime(1970, 1, 1, tzinfo=UTC) - timedelta(milliseconds=1)),
        (b"S\0\0", ""),
        (b"X\0\x01a", "a"),
        (b"s\0\x01as\0\0S\0\x01b", "ab"),
        (b"x\0\x01aX\0\x01b", "ab"),
        (b"B\0\x02\0\xff", b"\0\xff"),
        (b"b\0\x01aB\0\x01b", b"ab"),
        (b"Vz", HessianList()),
        (b"Vt\0\x01cl\0\0\0\0z", HessianList((), "c")),
        (b"Vl\xff\xff\xff\xffNNz", HessianList((None, None))),
        (b"Mz", HessianMap()),
        (b"Mt\0\0S\0\x01kNz", HessianMap("", {"k": None})),
        (b"MS\0\x01kTS\0\x01kFz", HessianMap(None, {"k": False})),
        (b"VVzR\0\0\0\x01z", HessianList((HessianList(), HessianList()))),
        (b"N and more", None),
    ],
)
def test_each_token_has_its_value(octets: bytes, value: Value) -> None:
    read = reader.read(octets)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "characters", "expected"),
    [
        ("Müller €".encode(), 8, "Müller €"),
        ("Ж".encode() * 3, 3, "ЖЖЖ"),
        ("a\U0001f600b".encode(), 3, "a\U0001f600b"),  # the C library: one character
        (b"a\xed\xa0\xbd\xed\xb8\x80b", 4, "a\U0001f600b"),  # Java: two halves
        (b"\xc1\x81\xe0\x81\x81", 2, "AA"),  # overlong, as Java takes them
        (b"a\0b", 3, "a\0b"),
    ],
)
def test_characters_are_counted_as_either_client_counts_them(text: bytes, characters: int, expected: str) -> None:
    assert reader.read(b"V" + string(text, characters) + b"Nz") == HessianList((expected, None))


def test_a_surrogate_pair_may_be_split_over_two_chunks() -> None:
    assert reader.read(string(b"\xed\xa0\xbd", 1, b"s") + string(b"\xed\xb8\x80", 1)) == "\U0001f600"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"c",
        b"z",
        b"I\0\0",
        b"S\0",
        b"S\0\x02a",
        string(b"\xc3", 1),
        string(b"\x80", 1),
        b"V" + string(b"a\x80", 1) + b"z",
        string(b"\xff", 1),
        string(b"\xed\xa0\xbd", 1),  # half a pair
        b"s\0\x01aN",
        b"b\0\x01aS\0\0",
        b"B\0\x02a",
        b"V",
        b"VN",
        b"Vl\0\0",
        b"M",
        b"MNNz",
        b"MS\0\x01kz",
        b"R\0\0\0\0",
        b"VR\0\0\0\0z",
        b"VR\xff\xff\xff\xffz",
        b"d\x7f\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_what_is_not_hessian_is_refused(octets: bytes) -> None:
    with pytest.raises(HessianError):
        reader.read(octets)


def test_an_error_names_reason_and_offset() -> None:
    with pytest.raises(HessianError, match=r"unknown tag b'q' at octet 2$") as caught:
        reader.read(b"VNq")
    assert (caught.value.reason, caught.value.offset) == ("unknown tag b'q'", 2)


def test_nesting_is_limited() -> None:
    deepest = b"V" * reader.MAX_DEPTH + b"z" * reader.MAX_DEPTH
    assert isinstance(reader.read(deepest), HessianList)
    with pytest.raises(HessianError, match="levels"):
        reader.read(b"V" + deepest + b"z")


def test_the_number_of_values_is_limited() -> None:
    fits = b"V" + b"N" * (reader.MAX_VALUES - 1) + b"z"
    assert isinstance(reader.read(fits), HessianList)
    with pytest.raises(HessianError, match="values"):
        reader.read(b"V" + b"N" * reader.MAX_VALUES + b"z")


def test_the_number_of_chunks_is_limited() -> None:
    with pytest.raises(HessianError, match="values"):
        reader.read(b"s\0\0" * (reader.MAX_VALUES + 1) + b"S\0\0")


def test_the_size_is_limited() -> None:
    with pytest.raises(HessianError, match="octets"):
        reader.read(b"N" + bytes(reader.MAX_OCTETS))


def test_references_cost_the_values_they_stand_for() -> None:
    """Each list holds the one before twice: 14 levels would be 16384 lists and 32768 references."""
    doubling = b"".join(
        b"VR" + bytes(3) + bytes([level]) + b"R" + bytes(3) + bytes([level]) + b"z" for level in range(1, 15)
    )
    with pytest.raises(HessianError, match="values"):
        reader.read(b"VVNz" + doubling + b"z")


def test_references_cost_the_octets_they_stand_for() -> None:
    text = string(b"a" * 0xFFFF, 0xFFFF)
    references = b"R\0\0\0\x01" * 20
    with pytest.raises(HessianError, match="references that stand for"):
        reader.read(b"VV" + text + b"z" + references + b"z")
