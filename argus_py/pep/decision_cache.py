"""Decisions given a short while ago, for clients that ask the same again.

INVARIANT: a hit is what the policy decides about this very request, as the information points have completed it *now*.
They judge certificates and attribute certificates of every request before the look-up, so one that has expired, was
revoked or lost an attribute ends the request or changes its key: no Permit outlives its credentials, and an entry needs
no end of life of its own beside the time to live. Obligations are fulfilled by whoever asks, on every hit.

What may be out of date is the policy, and for a policy that looks at the clock the time: for an engine in this process
never; behind a remote PDP that tells of changes for the moment that it takes to hear of one, or for half a minute if it
cannot be heard; behind another one for as long as the time to live (a ban bites within it). Sites whose remote PDPs
look at the clock have the environment time point send them the time, which defeats the cache.

BETTER: the time to live is in seconds, as configured and documented; the Java daemon keeps decisions a thousand times
as long, and changes those it keeps.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/PEPDaemonRequestHandler.java
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from argus_py.model.attribute import Attribute
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response
from argus_py.pep.ports import Call, DecisionPoint

_KEPT = frozenset({Decision.PERMIT, Decision.DENY})
_State = tuple[int | None, int]  # version of the policy, and how often the cache was cleared


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Figures of one moment; ``hits`` and ``misses`` since the start."""

    entries: int
    size: int
    hits: int
    misses: int


class Cached:
    """A decision point around another; safe to call from many threads if that one is.

    Equal requests that come at once before the first decision are each decided: to let them wait for one another would
    make one slow answer slow for all.
    """

    def __init__(
        self,
        decisions: DecisionPoint,
        size: int,
        ttl: timedelta,
        monotonic: Callable[[], float],
        policy_version: Callable[[], int | None] = lambda: 0,
        *,
        is_reliable: Callable[[str | None], bool] = lambda _responder: True,
    ) -> None:
        """``size`` decisions at most, the least recently used going first.

        ``policy_version`` of an engine in this process: what was decided by another version is never given; None: what
        is decided depends on more than the request, and is not kept. ``is_reliable`` of the responder in a trail: the
        cache would have been cleared if he had another policy now.
        """
        self._decisions = decisions
        self._size = size
        self._ttl = ttl.total_seconds()
        self._monotonic = monotonic
        self._policy_version = policy_version
        self._is_reliable = is_reliable
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._clears = 0
        self._state: _State = (None, 0)
        self._hits = self._misses = 0

    def decide(self, request: Request, call: Call) -> Response:
        """The trail of a hit is that of the decision, marked as ``cached``. Raises what the other one raises."""
        key = canonical_key(request)
        known, state = self._find(key)
        if known is not None:
            return replace(known, request=request, trail=replace(known.trail, cached=True))
        response = self._decisions.decide(request, call)
        if response.results and all(result.decision in _KEPT for result in response.results):
            self._keep(key, replace(response, request=None), state)
        return response

    def clear(self) -> None:
        """Nothing decided or asked before this is given after it."""
        with self._lock:
            self._clears += 1
            self._entries.clear()

    @property
    def use(self) -> CacheUse:
        with self._lock:
            return CacheUse(len(self._entries), self._size, self._hits, self._misses)

    def _find(self, key: bytes) -> tuple[Response | None, _State]:
        """The decision, if there is one; and the state of things that a new one has to be made in to be kept."""
        with self._lock:
            state = self._state_now()
            if state != self._state:
                self._entries.clear()
                self._state = state
            entry = self._entries.get(key)
            if entry is None or not self._is_usable(entry):
                self._misses += 1
                return None, state
            self._hits += 1
            self._entries.move_to_end(key)
            return entry.response, state

    def _keep(self, key: bytes, response: Response, state: _State) -> None:
        policy, _ = state
        with self._lock:
            if policy is None or state != self._state_now() or not self._is_reliable(response.trail.responder):
                return  # the second: cleared, or a new policy, while it was decided
            self._entries[key] = _Entry(response, self._monotonic() + self._ttl)
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def _is_usable(self, entry: "_Entry") -> bool:
        return self._monotonic() < entry.until and self._is_reliable(entry.response.trail.responder)

    def _state_now(self) -> _State:
        return self._policy_version(), self._clears


@dataclass(frozen=True, slots=True)
class _Entry:
    response: Response
    until: float


def canonical_key(request: Request) -> bytes:
    """Equal for requests with the same content, in whatever order clients send it; short, whatever they send.

    The order of resources and what they hold counts: a result names the first one.
    """
    action, environment = request.action, request.environment
    parts = (
        _list(sorted([_text(subject.category) + _set(subject.attributes) for subject in request.subjects])),
        _list([_text(each.content) + _text(each.markup) + _sequence(each.attributes) for each in request.resources]),
        _NONE if action is None else _set(action.attributes),
        _NONE if environment is None else _set(environment.attributes),
    )
    return hashlib.sha256("".join(parts).encode(errors="surrogatepass")).digest()


# What these write begins with its length or number: different content is never written alike.

_NONE = "-"


def _set(attributes: tuple[Attribute, ...]) -> str:
    return _list(sorted([_name(a) + _list(sorted(map(_text, a.values))) for a in attributes]))


def _sequence(attributes: tuple[Attribute, ...]) -> str:
    return _list([_name(a) + _list(list(map(_text, a.values))) for a in attributes])


def _name(attribute: Attribute) -> str:
    return f"{_text(attribute.id)}{_text(attribute.datatype)}{_text(attribute.issuer)}"


def _list(items: list[str]) -> str:
    return f"{len(items)}[{''.join(items)}"


def _text(text: str | None) -> str:
    return _NONE if text is None else f"{len(text)}:{text}"
