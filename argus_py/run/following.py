"""Listens to one PAP or PDP for changes of its policy, and has each taken up at once.

Whenever it is not certain that nothing was missed, at the start and after every interruption, what the peer has now
counts as a change. A peer that tells nothing, as one in Java, is asked again every few minutes: it may be replaced.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final, Protocol

from argus_py.clients.changes import ChangesRefused, NoChangeFeed
from argus_py.clients.transport import PeerUnreachable
from argus_py.model import policy_news
from argus_py.model.policy_news import News

_log = logging.getLogger(__name__)

GRACE: Final = policy_news.WAIT + timedelta(seconds=10)
"""For so long after the last answer, what is known from a peer is taken to be still true."""

_BREATH: Final = timedelta(milliseconds=50)
"""After a change: many at once become one, and peers that contradict each other behind one address keep nobody busy."""

_TOO_SOON: Final = timedelta(seconds=1)
"""Who says earlier that there is nothing new has no room for us, is about to stop, or is no peer but a proxy."""

_AGAIN: Final = timedelta(milliseconds=250)  # after the first failure; it doubles with each
_DOWN: Final = timedelta(seconds=1)  # at most; a peer that is started again shall be listened to within a second
_REFUSED: Final = timedelta(seconds=30)
_NOT_USABLE: Final = timedelta(seconds=5)  # at most; somebody else tries too, and with more patience
_NO_FEED: Final = timedelta(minutes=5)


class Changes(Protocol):
    """The change feed of a peer; see ``clients.changes.HttpChanges``."""

    @property
    def service(self) -> str:
        """The URL that the peer is known by."""
        ...

    def after(self, known: str | None) -> News | None: ...


TakeUp = Callable[[float | None], bool]
"""Acts upon a change that was made at this monotonic time, if that is known; False: it is to be told again."""


class Hearing(Enum):
    """How it is with a peer."""

    NOTHING_YET = "not heard from yet"
    FOLLOWED = "followed"
    LOST = "lost"
    NO_FEED = "none, asked at intervals"


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    pause: timedelta


class Follower:
    """One peer. ``step`` is for one thread, the rest for any."""

    def __init__(
        self,
        changes: Changes,
        take_up: TakeUp,
        monotonic: Callable[[], float],
        unchanged: Callable[[], None] = lambda: None,
    ) -> None:
        """``unchanged`` is called when the peer says that there is nothing new."""
        self.service = changes.service
        self.hearing = Hearing.NOTHING_YET
        self.propagation: timedelta | None = None  # from the last change of which the time was known to the end of it
        self._changes = changes
        self._take_up = take_up
        self._unchanged = unchanged
        self._monotonic = monotonic
        self._known: str | None = None
        self._heard_at = monotonic()
        self._failure: _Failure | None = None

    @property
    def is_reliable(self) -> bool:
        """A change would have been told, or is for the rules of a peer that tells of none."""
        return self.hearing is Hearing.NO_FEED or self._monotonic() < self._heard_at + GRACE.total_seconds()

    def step(self) -> timedelta:
        """Wait for one answer and act upon it; returns for how long to leave the peer alone."""
        asked_at = self._monotonic()
        try:
            news = self._changes.after(self._known)
        except NoChangeFeed as error:
            if self.hearing is not Hearing.NO_FEED:
                _log.info("%s: it is asked at intervals", error)
                self._take_up(None)
            self._known, self._failure, self.hearing = None, None, Hearing.NO_FEED
            return _NO_FEED
        except (PeerUnreachable, ChangesRefused) as error:
            if self.hearing is Hearing.NO_FEED:
                return _NO_FEED
            return self._lost(error.reason, _REFUSED if isinstance(error, ChangesRefused) else _DOWN)
        heard_at = self._monotonic()
        if news is None and self._known is not None:
            self._unchanged()
        elif not self._act_upon(news, heard_at):
            return self._lost("what it has now cannot be taken up", _NOT_USABLE)
        if self.hearing is not Hearing.FOLLOWED:
            _log.info("changes of %s are followed", self.service)
        # INVARIANT: relied on again only now that what was missed is taken up.
        self._heard_at, self._failure, self.hearing = heard_at, None, Hearing.FOLLOWED
        if news is not None:
            return _BREATH
        return timedelta() if heard_at - asked_at >= _TOO_SOON.total_seconds() else _TOO_SOON

    def line(self) -> str:
        """For the status page."""
        if self._failure is None:
            return f"{self.service} {self.hearing.value}"
        silent = self._monotonic() - self._heard_at
        return f"{self.service} {self.hearing.value} for {silent:.0f} s, {self._failure.reason}"

    def _act_upon(self, news: News | None, heard_at: float) -> bool:
        """The age of what is there after an interruption says nothing about how fast we are.

        None after an interruption: what the peer has is not known; what it had before is not to be relied on.
        """
        made = None
        if news is not None and news.age is not None and self._known is not None:
            made = heard_at - news.age.total_seconds()
        if not self._take_up(made):
            return False
        if made is not None:
            self.propagation = timedelta(seconds=self._monotonic() - made)
        self._known = news.state if news else None
        return True

    def _lost(self, reason: str, longest: timedelta) -> timedelta:
        """Tells it once for as long as the reason is the same."""
        if self._failure is None or self._failure.reason != reason:
            _log.warning("changes of %s are not heard of: %s", self.service, reason)
        pause = min(_AGAIN if self._failure is None else 2 * self._failure.pause, longest)
        self._failure = _Failure(reason, pause)
        self._known, self.hearing = None, Hearing.LOST
        return pause


def propagation_lines(followers: tuple[Follower, ...], name: str) -> list[tuple[str, str]]:
    """For the status page: how each of them is, and the time that the last change took from the PAP to here."""
    lines = [(name, follower.line()) for follower in followers]
    taken = [follower.propagation for follower in followers if follower.propagation is not None]
    if taken:
        lines.append(("PropagationMilliseconds", f"{max(taken) / timedelta(milliseconds=1):.0f}"))
    return lines
