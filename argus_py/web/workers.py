"""Body in, worker thread, body out: how an application answers messages that are worked on by synchronous code.

A body is never looked at before it is complete and within its limit.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from argus_py.web.answers import busy

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests are worked on at once, and how many more may wait; beyond that the answer is 503."""

    working: int = 200
    waiting: int = 500


class Workers:
    """The threads of one application."""

    def __init__(self, load: Load, max_body: int) -> None:
        self._most = load.working + load.waiting
        self._threads = anyio.CapacityLimiter(load.working)
        self._max_body = max_body
        self._inside = 0

    async def serve(
        self, request: Request, answer: Callable[[bytes], Response], too_large: Callable[[int], Response]
    ) -> Response:
        """What ``answer`` makes of the body, or ``too_large`` of the limit, as soon as that is known to be exceeded."""
        if self._inside >= self._most:
            _log.warning("request from %s refused: %d others are waiting or worked on", _sender(request), self._inside)
            return busy()
        self._inside += 1
        try:
            body = await self._body(request)
            if body is None:
                _log.warning("request from %s refused: larger than %d octets", _sender(request), self._max_body)
                return too_large(self._max_body)
            return await anyio.to_thread.run_sync(answer, body, limiter=self._threads)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        finally:
            self._inside -= 1

    async def _body(self, request: Request) -> bytes | None:
        """All of it; None when it is too long, the rest then stays unread."""
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > self._max_body:
                return None
        return bytes(body)


def _sender(request: Request) -> str:
    return request.client.host if request.client else "-"
