"""Chains accepted a short while ago, so that a client that sends the same one again is not judged again.

INVARIANT: what comes from here is what a new judgement would give. A verdict is kept for as long as its ``Moment`` says
that the time changes nothing, and all of them go when the trust material changes. Ten minutes are the limit all the
same: little is gained by more, and a clock that was set wrong has then done its harm.

Refusals are not kept. Each costs as much as the first, which the limits on chains and ``SignatureBudget`` bound.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from argus_py.credentials.moment import Moment

MAX_CHAINS = 2000  # the proxies in use at a large site within some minutes
MAX_OCTETS = 16 * 1024  # of one chain, thrice the usual: users make proxies of any size, and all of them are kept
MAX_AGE = timedelta(minutes=10)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Verdict(Generic[T]):
    """The same from ``since`` to before ``until``."""

    value: T
    since: datetime
    until: datetime


class AcceptedChains(Generic[T]):
    """The verdicts of one judge, the least recently used going first. Safe to use from many threads."""

    def __init__(self, maximum: int = MAX_CHAINS) -> None:
        self._maximum = maximum
        self._verdicts: OrderedDict[bytes, _Verdict[T]] = OrderedDict()
        self._versions: tuple[int, ...] = ()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._verdicts)

    def verdict(self, sent: bytes, versions: tuple[int, ...], now: datetime, judge: Callable[[Moment], T]) -> T:
        """What ``judge`` says, or said a while ago, of the chain whose octets are ``sent``.

        ``versions``: the numbers of the snapshots that the judge reads. The judge refuses by raising, and sees no other
        time than that of the ``Moment``.
        """
        if len(sent) > MAX_OCTETS:
            return judge(Moment(now))
        key = hashlib.sha256(sent).digest()
        known = self._find(key, versions, now)
        if known is not None:
            return known.value
        moment = Moment(now)
        value = judge(moment)  # without the lock: others need not wait
        self._keep(key, versions, _Verdict(value, now, now + min(moment.stays, MAX_AGE)))
        return value

    def _find(self, key: bytes, versions: tuple[int, ...], now: datetime) -> _Verdict[T] | None:
        with self._lock:
            if versions != self._versions:
                self._verdicts.clear()
                self._versions = versions
            known = self._verdicts.get(key)
            if known is None or not known.since <= now < known.until:
                return None
            self._verdicts.move_to_end(key)
            return known

    def _keep(self, key: bytes, versions: tuple[int, ...], verdict: _Verdict[T]) -> None:
        with self._lock:
            if versions != self._versions:
                return  # the trust material changed meanwhile
            self._verdicts[key] = verdict
            self._verdicts.move_to_end(key)
            if len(self._verdicts) > self._maximum:
                self._verdicts.popitem(last=False)
