"""Distinguished names from DER, for tests of a ring that has no ASN.1 library."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argus_py.model.dn import AttributeTypeAndValue, DistinguishedName, Rdn

NamedVector = dict[str, Any]
NAMES: list[NamedVector] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "dn" / "names.json").read_text(encoding="utf-8")
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" in metafunc.fixturenames:
        metafunc.parametrize("vector", NAMES, ids=lambda vector: vector["what"])


def _elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Tag, content and whole encoding of each element; names of the vectors are short."""
    while data:
        length, start = data[1], 2
        assert length < 0x80
        yield data[0], data[start : start + length], data[: start + length]
        data = data[start + length :]


def _dotted(content: bytes) -> str:
    arcs, arc = [], 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _rdn(content: bytes) -> Rdn:
    attributes = []
    for _, attribute, _ in _elements(content):
        (_, oid, _), (_, _, value) = _elements(attribute)
        attributes.append(AttributeTypeAndValue.of_der(_dotted(oid), value))
    return tuple(attributes)


@pytest.fixture
def all_vectors() -> list[NamedVector]:
    return NAMES


@pytest.fixture
def read_name() -> Callable[[bytes], DistinguishedName]:
    def read(der: bytes) -> DistinguishedName:
        start = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
        return DistinguishedName(tuple(_rdn(rdn) for _, rdn, _ in _elements(der[start:])))

    return read
