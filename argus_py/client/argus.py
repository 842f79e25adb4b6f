"""Argus behind one or more endpoints: asks one after the other until one answers.

The next one is asked when there is no answer: no connection, no trust, nothing in time, an HTTP status of 500 or more,
or something unreadable. A Deny is an answer and ends the search. So does an Indeterminate, unless the caller wants it
otherwise. Who has failed is asked last for a minute. The time for all of it is limited, and whoever is asked gets an
equal share of what is left, so that one that hangs leaves time for the others.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

from argus_py.client.answer import Authorization, UnreadableAnswer, read_answer
from argus_py.client.exchange import Deadlines, Endpoint, NoExchange, Reply, UnusableEndpoint, exchange
from argus_py.client.question import Certificates, Profile, Subject, write_question
from argus_py.client.tls import GRID_CERTIFICATES, Contexts, Credential, Judge, Trust
from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.response import Decision

CONNECT_TIMEOUT: Final = timedelta(seconds=5)
TIMEOUT: Final = timedelta(seconds=30)  # as LCMAPS; the daemon gives up after 25
_AVOIDED: Final = 60.0  # seconds
_SERVER_ERROR: Final = 500

Exchange: TypeAlias = Callable[[Endpoint, bytes, Contexts | None, Deadlines], Reply]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Why ``endpoint`` did not help."""

    endpoint: str
    reason: str


class NoAnswer(Unavailable):
    """Nobody has answered; ``attempts`` are those who were asked, and why that was in vain."""

    def __init__(self, attempts: tuple[Attempt, ...]) -> None:
        super().__init__("; ".join(f"{attempt.endpoint}: {attempt.reason}" for attempt in attempts))
        self.attempts = attempts


class QuestionRefused(MalformedInput):
    """``endpoint`` does not take the question, and nobody else would: ``status`` of HTTP, ``detail`` for people."""

    def __init__(self, endpoint: str, status: int, detail: str) -> None:
        super().__init__(f"{endpoint}: HTTP status {status}{f': {detail}' if detail else ''}")
        self.endpoint = endpoint
        self.status = status
        self.detail = detail


class Argus:
    """Safe to use from many threads; each question has a connection of its own."""

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        credential: Credential | None,
        ca_directory: Path | None = GRID_CERTIFICATES,
        ca_file: Path | None = None,
        connect_timeout: timedelta = CONNECT_TIMEOUT,
        timeout: timedelta = TIMEOUT,
        ask_on_if_indeterminate: bool = False,
        judge: Judge | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        exchange: Exchange = exchange,
    ) -> None:
        """``endpoints``: such as https://argus.example.org:8154, in the order they are to be asked in.

        ``credential`` None: no certificate is shown. ``connect_timeout`` is for each endpoint, ``timeout`` for a whole
        question. ``judge`` has a say in whom to trust, after TLS has. ``monotonic`` and ``exchange`` are clock and
        network, to be replaced together.

        Raises UnusableEndpoint: one of them is no such URL, or there is none.
        """
        if not endpoints:
            raise UnusableEndpoint("", "no endpoint is given")
        self._endpoints = tuple(dict.fromkeys(map(Endpoint.parse, endpoints)))
        self._trust = Trust(ca_directory, ca_file)
        self._credential = credential
        self._judge = judge
        self._connect_seconds = connect_timeout.total_seconds()
        self._seconds = timeout.total_seconds()
        self._ask_on_if_indeterminate = ask_on_if_indeterminate
        self._monotonic = monotonic
        self._exchange = exchange
        self._avoided: dict[Endpoint, float] = {}  # until when; each access is one atomic operation

    def authorize(
        self,
        subject: Subject,
        resource: str,
        action: str,
        *,
        profile: Profile = "grid-wn",
        pilot: Certificates | None = None,
    ) -> Authorization:
        """The answer, whatever it decides. ``pilot``: who asks on behalf of the subject.

        Raises NoAnswer; QuestionRefused; UnusableCredential: the files for TLS cannot be used.
        """
        give_up = self._monotonic() + self._seconds
        question = write_question(subject, resource, action, profile, pilot)
        tls = any(endpoint.tls for endpoint in self._endpoints)
        contexts = Contexts.of(self._trust, self._credential, self._judge) if tls else None
        attempts: list[Attempt] = []
        undecided: Authorization | None = None
        for endpoint, deadlines in self._turns(give_up):
            try:
                reply = self._exchange(endpoint, question, contexts if endpoint.tls else None, deadlines)
                answer = _answer(endpoint, reply)
            except (NoExchange, UnreadableAnswer) as error:
                self._avoided[endpoint] = self._monotonic() + _AVOIDED
                attempts.append(Attempt(endpoint.url, str(error)))
                continue
            self._avoided.pop(endpoint, None)
            if answer.decision is not Decision.INDETERMINATE or not self._ask_on_if_indeterminate:
                return answer
            undecided = undecided or answer
        if undecided is not None:
            return undecided
        raise NoAnswer(tuple(attempts))

    def _turns(self, give_up: float) -> Iterator[tuple[Endpoint, Deadlines]]:
        now = self._monotonic()
        ordered = sorted(self._endpoints, key=lambda endpoint: self._avoided.get(endpoint, now) > now)
        for number, endpoint in enumerate(ordered):
            now = self._monotonic()
            answered = now + max(0.0, give_up - now) / (len(ordered) - number)
            yield endpoint, Deadlines(min(now + self._connect_seconds, answered), answered)


def _answer(endpoint: Endpoint, reply: Reply) -> Authorization:
    """Raises NoExchange, UnreadableAnswer: another one may do better; QuestionRefused: nobody would."""
    if reply.status >= _SERVER_ERROR:
        raise NoExchange(f"HTTP status {reply.status}")
    if reply.status != 200:
        raise QuestionRefused(endpoint.url, reply.status, _detail(reply))
    if reply.media_type != "application/json":
        raise UnreadableAnswer(f"the answer is {reply.media_type or 'of no type'}, not JSON")
    return read_answer(reply.body, endpoint.url)


def _detail(reply: Reply) -> str:
    """What problem details say."""
    if reply.media_type != "application/problem+json":
        return ""
    try:
        told = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    detail = told.get("detail") if isinstance(told, dict) else None
    return detail[:200] if isinstance(detail, str) else ""
