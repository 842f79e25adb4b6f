"""Body in, worker thread, body out: how an application answers messages that are worked on by synchronous code.

A body is never looked at before it is complete and within its limit. Who sends so much that others would have to wait
for it shares the threads with them all the same, and is the first to be told that there is too much.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from argus_py.web.answers import busy
from argus_py.web.fairness import Places, Turns, neighbourhood

_log = logging.getLogger(__name__)

PATIENCE: Final = 20.0
"""Seconds until work on a request must have begun. The C client gives up after 30, and what needs a PDP takes time."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests are worked on at once, and how many more may wait; beyond that the answer is 503."""

    working: int = 200
    waiting: int = 500


class _TooLong(Exception):
    """Work on a request has not begun in time."""


class Workers:
    """The threads of one application; for one event loop."""

    def __init__(self, load: Load, max_body: int, patience: float = PATIENCE) -> None:
        self._threads = ThreadPoolExecutor(load.working, "worker")
        self._free = load.working
        self._turns = Turns[asyncio.Future[None]]()  # INVARIANT: nobody waits while a thread is free
        self._places = Places(load.working + load.waiting)
        self._max_body = max_body
        self._patience = patience

    async def serve(
        self,
        request: Request,
        answer: Callable[[bytes], Response],
        too_large: Callable[[int], Response],
        full: Callable[[], Response] = busy,
        *,
        max_body: int | None = None,
    ) -> Response:
        """What ``answer`` makes of the body, or ``too_large`` of the limit, as soon as that is known to be exceeded.

        ``max_body``: the limit of this request, where it is another one than usual.

        ``full`` is the answer where there is no place for the request, or its turn does not come in time.

        ``answer`` runs in a copy of the context of the caller.
        """
        limit = self._max_body if max_body is None else max_body
        owner, waiting = neighbourhood(_sender(request)), asyncio.timeout(self._patience)
        place = self._places.take(owner, lambda: _end(waiting))
        if place is None:
            return _refuse(request, "all threads are busy, and nobody waits who could make room", full())
        try:
            body = await self._body_and_thread(request, waiting, owner, limit)
            if body is None:
                return _refuse(request, f"larger than {limit} octets", too_large(limit))
            place.work()
            return await self._work(answer, body)
        except _TooLong:
            return _refuse(request, "it takes too long, or others need its place", full())
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        finally:
            place.leave()

    async def _body_and_thread(
        self, request: Request, waiting: asyncio.Timeout, owner: str, limit: int
    ) -> bytes | None:
        """No thread is taken when the body is too long."""
        try:
            async with waiting:
                body = await _body(request, limit)
                if body is not None:
                    await self._take_thread(owner)
                return body
        except TimeoutError as error:
            raise _TooLong from error

    async def _work(self, answer: Callable[[bytes], Response], body: bytes) -> Response:
        context = contextvars.copy_context()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, answer, body)
        finally:
            self._hand_on_thread()

    async def _take_thread(self, owner: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.join(owner, turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._turns.leave(owner, turn)
            if not turn.cancelled():
                self._hand_on_thread()
            raise

    def _hand_on_thread(self) -> None:
        while self._turns:
            turn = self._turns.next()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


async def _body(request: Request, limit: int) -> bytes | None:
    """All of it; None when it is too long, the rest then stays unread."""
    if int(request.headers.get("content-length", 0)) > limit:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _end(waiting: asyncio.Timeout) -> None:
    if not waiting.expired():
        waiting.reschedule(0)


def _sender(request: Request) -> str:
    return request.client.host if request.client else "-"


def _refuse(request: Request, why: str, response: Response) -> Response:
    _log.warning("request from %s refused: %s", _sender(request), why)
    return response
