"""Callers that wait for the policy to change; the waiting side is ``model/policy_news.py``.

Those who wait hold a connection each, and no thread. There is room for a thousand; then the host with most of them is
told at once that there is nothing new.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from argus_py.errors import ArgusError, Unavailable
from argus_py.model import policy_news
from argus_py.model.policy_news import News
from argus_py.web.answers import answer
from argus_py.web.fairness import Places, neighbourhood

MAX_WAITING: Final = 1000
_UNCACHED: Final = {"Cache-Control": "no-store"}


class NoState(Unavailable):
    """There is no policy, or it is not known what has become of it."""

    def __init__(self) -> None:
        super().__init__("the state of the policy is not known")


@dataclass(frozen=True, slots=True)
class _State:
    name: str
    made: float | None  # monotonic time of the change, where it is known


class ChangeFeed:
    """The state of a policy, and those who wait for another one; its callers belong to one event loop."""

    def __init__(
        self, monotonic: Callable[[], float], wait: timedelta = policy_news.WAIT, most: int = MAX_WAITING
    ) -> None:
        self._monotonic = monotonic
        self._wait = wait.total_seconds()
        self._places = Places(most)
        self._state: _State | None = None
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def announce(self, state: str, made: float | None = None) -> None:
        """May be called from any thread; the state that is known is no news.

        ``made``: when the change was made, in monotonic time.
        """
        if self._state is None or self._state.name != state:
            self._state = _State(state, made)
            self._wake()

    def lose_sight(self) -> None:
        """Nothing is known any more until the next announcement: nobody must take silence for no change."""
        self._state = None

    def close(self) -> None:
        """Let nobody wait any more: the ports are about to close."""
        self._closed = True
        self._wake()

    async def after(self, known: str, owner: str = "-") -> News | None:
        """What differs from the state ``known``, as soon as there is something; None after a while without.

        ``owner`` is who takes a place among those who wait. Raises NoState: after a while without a state.
        """
        loop = self._loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wait) as limit:
                place = self._places.take(owner, lambda: None if limit.expired() else limit.reschedule(loop.time()))
                try:
                    while not self._closed and self._news(known) is None:
                        await self._next_change(loop)
                finally:
                    if place is not None:
                        place.leave()
        if self._state is None:
            raise NoState
        return self._news(known)

    def _news(self, known: str) -> News | None:
        state = self._state  # replaced by other threads
        if state is None or state.name == known:
            return None
        return News(state.name, None if state.made is None else timedelta(seconds=self._monotonic() - state.made))

    async def _next_change(self, loop: asyncio.AbstractEventLoop) -> None:
        change: asyncio.Future[None] = loop.create_future()
        self._waiting.add(change)
        try:
            await change
        finally:
            self._waiting.discard(change)

    def _wake(self) -> None:
        """INVARIANT: who begins to wait sets the loop and then looks; here it is changed first and then woken."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and with it all who waited
                self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)


def changes_route(feed: ChangeFeed, permit: Callable[[Scope], None] = lambda _scope: None) -> Route:
    """``permit`` raises an ArgusError for a caller who may not listen; it is asked at every call, in a thread."""

    async def tell(request: Request) -> Response:
        try:
            await run_in_threadpool(permit, request.scope)
            owner = neighbourhood(request.client.host) if request.client else "-"
            news = await feed.after(request.query_params.get(policy_news.AFTER, ""), owner)
        except ArgusError as error:
            return answer(error)
        if news is None:
            return Response(status_code=204, headers=_UNCACHED)
        return Response(policy_news.write_news(news), headers=_UNCACHED, media_type=policy_news.MEDIA_TYPE)

    return Route(policy_news.PATH, tell, methods=["GET"])
