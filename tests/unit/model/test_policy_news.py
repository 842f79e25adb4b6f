"""What daemons tell one another of changes."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.policy_news import MAX_OCTETS, News, NoNews, read_news, write_news

STATES = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=128)
AGES = st.none() | st.timedeltas(timedelta(), timedelta(days=3000))


@given(STATES, AGES)
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_as_the_same(state: str, age: timedelta | None) -> None:
    assert read_news(write_news(News(state, age))) == News(state, age)


@given(st.binary(max_size=MAX_OCTETS + 10) | st.text(max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_any_octets_are_news_or_a_typed_error(octets: bytes) -> None:
    with suppress(NoNews):
        assert read_news(octets).state


def test_what_a_later_version_adds_is_ignored() -> None:
    assert read_news(b'{"state": "1", "more": [1]}') == News("1")


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "Expecting value"),
        (b"<html/>", "Expecting value"),
        (b"[" * 1000, "recursion|Expecting"),
        (b"[]", "no state"),
        (b'{"age": 1}', "no state"),
        (b'{"state": ""}', "no state"),
        (b'{"state": 5}', "no state"),
        (b'{"state": "a\\nb"}', "no state"),
        (b'{"state": "%s"}' % (b"a" * 129), "no state"),
        (b'{"state": "1", "age": -1}', "an age that is none"),
        (b'{"state": "1", "age": true}', "an age that is none"),
        (b'{"state": "1", "age": "1"}', "an age that is none"),
        (b'{"state": "1", "age": NaN}', "an age that is none"),
        (b'{"state": "1", "age": 1e300}', "an age that is none"),
        (b'{"state": "1"}' + b" " * 1024, "more than 1024 octets"),
    ],
)
def test_what_is_no_news_is_refused_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(NoNews, match=f"^unreadable news: .*({reason})"):
        read_news(octets)
