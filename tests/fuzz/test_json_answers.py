"""Answers of a daemon that is none, as our client reads them: an answer of the interface or a typed error."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.client.answer import Authorization, UnreadableAnswer, read_answer

ANSWER: dict[str, Any] = {
    "request_id": "_1",
    "decision": "Deny",
    "reason": "denied",
    "status": "urn:oasis:names:tc:xacml:1.0:status:ok",
    "message": None,
    "subject": "CN=Alice",
    "fqans": ["/dteam"],
    "account": None,
    "uid": None,
    "gid": None,
    "groups": [],
    "obligations": [{"id": "x", "fulfill_on": "Deny", "assignments": [{"id": "a", "value": "1", "datatype": None}]}],
}
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["Permit", "Deny"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ANSWER, "name"]), inner, max_size=3),
    max_leaves=6,
)


def read(body: bytes) -> Authorization | None:
    try:
        return read_answer(body, "https://argus")
    except UnreadableAnswer:
        return None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | values.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_answer_is_unreadable(body: bytes) -> None:
    read(body)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(ANSWER)), values, min_size=1, max_size=3))
def test_only_the_word_permit_permits(changed: dict[str, Any]) -> None:
    answer = read(json.dumps(ANSWER | changed).encode())
    if answer is not None:
        assert answer.permitted is (changed.get("decision") == "Permit")
        assert answer.account is None or answer.account.uid != 2**32 - 1


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_cut_answer_is_unreadable(data: st.DataObject) -> None:
    body = json.dumps(ANSWER).encode()
    assert read(body[: data.draw(st.integers(0, len(body) - 1))]) is None
