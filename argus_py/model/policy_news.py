"""How daemons of this kind tell one another that the policy has changed: a long poll beside the protocols of Argus.

``GET /v1/policy-changes?after=STATE`` on the service port of a PAP or a PDP is answered with 200 and the news as soon
as the state of its policy is another one than that, else after ``WAIT`` with 204, or with 503 if no state is known.
A state is any short text, equal for equal policies, also between processes that serve the same ones. Java daemons
answer 404.
"""

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from argus_py.errors import MalformedInput

PATH: Final = "/v1/policy-changes"
AFTER: Final = "after"

WAIT: Final = timedelta(seconds=20)
"""Below the idle time of firewalls and of our own ports; and so soon a listener knows that its peer is gone."""

MEDIA_TYPE: Final = "application/json"
MAX_OCTETS: Final = 1024
_MAX_STATE: Final = 128  # a digest has 64
_MAX_AGE: Final = 100 * 365 * 86_400.0  # seconds; a store that was never changed says 1970


class NoNews(MalformedInput):
    """What should be news cannot be read; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"unreadable news: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class News:
    """``age``: how long ago the change was made, by the clock of the sender; None: that is not known."""

    state: str
    age: timedelta | None = None


def write_news(news: News) -> bytes:
    """
    >>> write_news(News("4-1700000000000", timedelta(milliseconds=12)))
    b'{"state": "4-1700000000000", "age": 0.012}'
    """
    return json.dumps({"state": news.state, "age": None if news.age is None else news.age.total_seconds()}).encode()


def read_news(octets: bytes) -> News:
    """Members that are not known are ignored. Raises NoNews."""
    if len(octets) > MAX_OCTETS:
        raise NoNews(f"more than {MAX_OCTETS} octets")
    try:
        read = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise NoNews(str(error)) from error
    state, age = (read.get("state"), read.get("age")) if isinstance(read, dict) else (None, None)
    if not isinstance(state, str) or not 0 < len(state) <= _MAX_STATE or not state.isprintable():
        raise NoNews("no state")
    if age is None:
        return News(state)
    if isinstance(age, bool) or not isinstance(age, int | float) or not math.isfinite(age) or not 0 <= age <= _MAX_AGE:
        raise NoNews("an age that is none")
    return News(state, timedelta(seconds=age))
