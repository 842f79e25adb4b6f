"""What is written is read back the same, whichever layout."""

from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.hessian import base64_lines, messages
from argus_py.hessian.reader import read
from argus_py.hessian.values import HessianList, HessianMap, Long, Value
from argus_py.hessian.writer import JAVA, C, Layout, write
from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request, Resource, Subject

INT32, INT64 = (1 << 31) - 1, (1 << 63) - 1
LAYOUTS = st.sampled_from([JAVA, C])
LONG_TEXTS = st.builds(
    lambda n, text: text * n, st.integers(32760, 32775), st.sampled_from(["a", "é", "€", "\U0001f600"])
)
TEXTS = st.text() | LONG_TEXTS
NAMES = st.none() | st.text(max_size=20)
DATES = st.datetimes(timezones=st.just(UTC)).map(lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000))
SCALARS: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-INT32 - 1, INT32),
    st.integers(-INT64 - 1, INT64).map(Long),
    st.floats(allow_nan=False),
    TEXTS,
    st.binary(max_size=70000),
    DATES,
)
TREES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(HessianList, st.lists(inner, max_size=4).map(tuple), NAMES)
        | st.builds(HessianMap, NAMES, st.dictionaries(st.text(max_size=8), inner, max_size=4))
    ),
    max_leaves=12,
)

# As they come out of a request: trimmed, nothing blank, nothing twice.
WORDS = st.from_regex(r"[!-~é€\U0001F600]([ -~]{0,20}[!-~])?", fullmatch=True)
ATTRIBUTES = st.lists(
    st.builds(Attribute, WORDS, st.lists(WORDS, unique=True, max_size=3).map(tuple), WORDS, st.none() | WORDS),
    unique_by=lambda attribute: attribute.id,
    max_size=3,
).map(tuple)
REQUESTS = st.builds(
    Request,
    st.lists(st.builds(Subject, ATTRIBUTES, st.none() | WORDS), unique=True, max_size=2).map(tuple),
    st.lists(st.builds(Resource, ATTRIBUTES, st.none() | WORDS), unique=True, max_size=2).map(tuple),
    st.none() | st.builds(Action, ATTRIBUTES),
    st.none() | st.builds(Environment, ATTRIBUTES),
)


@settings(max_examples=200, deadline=None)
@given(TREES, LAYOUTS)
def test_a_value_written_is_read_back(value: Value, layout: Layout) -> None:
    assert read(write(value, layout)) == value


@settings(max_examples=100, deadline=None)
@given(REQUESTS)
def test_a_request_written_is_read_back(request: Request) -> None:
    assert messages.read_request(messages.write_request(request)) == request


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\n", b"\r\n", b" -_<\xff"]))
def test_base64_is_read_back_with_anything_between(data: bytes, between: bytes) -> None:
    body = between.join(bytes([octet]) for octet in base64_lines.encode(data))
    assert base64_lines.decode(body) == data
    assert base64_lines.decode(body.rstrip(b"=" + between)) == data


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=6), LAYOUTS)
def test_a_string_in_chunks_is_the_whole_string(texts: list[str], layout: Layout) -> None:
    *chunks, last = [write(text, layout) for text in texts]
    assert read(b"".join(b"s" + chunk[1:] for chunk in chunks) + last) == "".join(texts)
