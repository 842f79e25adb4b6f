"""Whose handshake goes on, and what is told of those that fail; the handshakes are in ``tests/e2e/port``."""

import asyncio

import pytest

from argus_py.web.handshake import HandshakeFailures, HandshakeTurns


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def failures(clock: Clock, log: list[str]) -> HandshakeFailures:
    return HandshakeFailures(log.append, clock)


def test_nothing_has_failed_at_first(failures: HandshakeFailures) -> None:
    assert failures.lines() == [("TlsHandshakeFailures", "0"), ("TlsHandshakeFailureCauses", "")]


def test_failures_are_counted_by_cause(failures: HandshakeFailures) -> None:
    for cause in ("unknown_ca", "closed", "unknown_ca"):
        failures.add("192.0.2.1", cause, "text")
    assert failures.lines() == [("TlsHandshakeFailures", "3"), ("TlsHandshakeFailureCauses", "closed 1, unknown_ca 2")]


def test_the_same_failure_of_a_client_is_told_once_a_minute_with_the_number_of_the_others(
    failures: HandshakeFailures, clock: Clock, log: list[str]
) -> None:
    for _ in range(3):
        failures.add("192.0.2.1", "closed", "it has closed the connection")
    clock.seconds += 60
    failures.add("192.0.2.1", "closed", "it has closed the connection")
    told = "TLS handshake with 192.0.2.1 failed: it has closed the connection"
    assert log == [told, f"{told} (2 times more since it was last told)"]


def test_other_clients_and_other_failures_are_told_at_once(failures: HandshakeFailures, log: list[str]) -> None:
    for address, cause in (("192.0.2.1", "closed"), ("192.0.2.2", "closed"), ("192.0.2.1", "timeout")):
        failures.add(address, cause, cause)
    assert len(log) == 3


def test_clients_without_number_do_not_fill_the_memory(failures: HandshakeFailures, log: list[str]) -> None:
    for number in range(1001):
        failures.add(f"2001:db8::{number:x}", "closed", "text")
    failures.add("2001:db8::3e8", "closed", "text")  # the last one is remembered
    assert len(log) == 1001
    failures.add("2001:db8::0", "closed", "text")  # the first one is not
    assert len(log) == 1002


# --- Turns


class Step:
    """Stands for an arrival."""

    def __init__(self, name: str, done: list[str]) -> None:
        self._name = name
        self._done = done

    def go_on(self) -> None:
        self._done.append(self._name)
        if "bug" in self._name:
            raise KeyError(self._name)


def steps_of(*names: str, others: int) -> list[str]:
    """What happens when these want to go on, the first letter being the owner, and others have to be served too."""
    done: list[str] = []

    async def scenario() -> None:
        turns, loop = HandshakeTurns(), asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: done.append(repr(context["exception"])))
        for name in names:
            turns.join(name[0], Step(name, done))  # type: ignore[arg-type]
        for _ in range(others):
            await asyncio.sleep(0)
            done.append("-")

    asyncio.run(scenario())
    return done


def test_others_are_served_between_a_few_steps() -> None:
    assert steps_of(*(f"a{number}" for number in range(10)), others=3) == [
        *("a0", "a1", "a2", "a3", "-"),
        *("a4", "a5", "a6", "a7", "-"),
        *("a8", "a9", "-"),
    ]


def test_who_comes_with_one_does_not_wait_for_all_of_who_comes_with_many() -> None:
    assert steps_of(*(f"a{number}" for number in range(10)), "b0", others=1)[:5] == ["a0", "b0", "a1", "a2", "-"]


def test_a_step_that_fails_is_not_the_end_of_the_others() -> None:
    assert steps_of("a-bug", "a1", "a2", others=2) == ["a-bug", "KeyError('a-bug')", "-", "a1", "a2", "-"]
