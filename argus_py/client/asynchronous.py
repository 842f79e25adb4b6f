"""Argus for asyncio: each question waits in a thread, so that there is one implementation of what happens to it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from argus_py.client.answer import Authorization
from argus_py.client.argus import Argus
from argus_py.client.question import Certificates, Profile, Subject


class AsyncArgus:
    """``at_once`` questions are asked at a time, others wait for their turn. To be used in an ``async with``."""

    def __init__(self, argus: Argus, at_once: int = 16) -> None:
        self._argus = argus
        self._threads = ThreadPoolExecutor(at_once, "argus-client")

    async def authorize(
        self,
        subject: Subject,
        resource: str,
        action: str,
        *,
        profile: Profile = "grid-wn",
        pilot: Certificates | None = None,
    ) -> Authorization:
        """As ``Argus.authorize``. Who is cancelled waits no longer; the question itself ends by its time limit."""
        ask = partial(self._argus.authorize, subject, resource, action, profile=profile, pilot=pilot)
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
