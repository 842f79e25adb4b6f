"""The time of a judgement, and for how long the judgement stays what it is.

Rules compare dates through a ``Moment`` and see no clock otherwise, so that a judgement depends on the time by its
comparisons alone: until the first of them would come out differently, judging again gives the same.
"""

from datetime import datetime, timedelta

_NONE = timedelta(0)


class Moment:
    """For one judgement, by one thread.

    >>> from datetime import UTC
    >>> noon = Moment(datetime(2026, 1, 1, 12, tzinfo=UTC))
    >>> noon.is_after(datetime(2026, 1, 1, 13, tzinfo=UTC)), noon.is_before(datetime(2026, 1, 1, 11, tzinfo=UTC))
    (False, False)
    >>> noon.stays
    datetime.timedelta(seconds=3600)
    """

    __slots__ = ("now", "stays")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.stays = timedelta.max
        """INVARIANT: every comparison so far comes out the same at any time from ``now`` to before ``now + stays``."""

    @classmethod
    def of(cls, now: "datetime | Moment") -> "Moment":
        return now if isinstance(now, Moment) else cls(now)

    def is_after(self, end: datetime, grace: timedelta = _NONE) -> bool:
        """Whether the last moment of something has passed, and the grace behind it."""
        return self._left(end, grace) < _NONE

    def is_before(self, begin: datetime, grace: timedelta = _NONE) -> bool:
        """Whether the first moment of something is still to come, and the grace in front of it too."""
        return self._left(begin, -grace) > _NONE

    def _left(self, date: datetime, grace: timedelta) -> timedelta:
        left = date - self.now + grace  # not date + grace: the last minutes of the year 9999 cannot be moved
        if left >= _NONE:
            self.stays = min(self.stays, left)
        return left
