"""What of the life of a daemon needs no port; the rest is in ``tests/e2e/port/test_stopping.py``."""

import socket
from datetime import timedelta

import pytest

from argus_py.errors import ConfigurationError
from argus_py.run.servers import Daemon, Periodic, Port, Servers, Steady, address_of, go_on, repeat, run_now

IPV6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 8154, 0, 0))
IPV4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 8154))
OTHER_IPV4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.2", 8154))


def test_a_name_with_addresses_of_both_kinds_stands_for_the_first_of_ipv4() -> None:
    assert address_of([IPV6, IPV4, OTHER_IPV4]) == (socket.AF_INET, ("192.0.2.1", 8154))


def test_a_name_with_addresses_of_ipv6_only_stands_for_the_first() -> None:
    assert address_of([IPV6]) == (socket.AF_INET6, ("2001:db8::1", 8154))


def test_an_address_that_is_not_of_this_host_is_named() -> None:
    async def app(*_: object) -> None:
        """Never asked."""

    with pytest.raises(ConfigurationError, match=r"^cannot listen on 192\.0\.2\.1 port 8154 \(PEP\): "):
        Servers([Daemon(Port("PEP", "192.0.2.1", 8154, app, None))])


def test_a_task_that_fails_is_run_again(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[float] = []
    runs: list[int] = []

    def stopped(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 3

    def run() -> None:
        runs.append(len(waits))
        raise KeyError("a bug")

    repeat(Periodic("policy", timedelta(seconds=5), run), stopped)
    assert (waits, runs) == ([5.0] * 4, [1, 2, 3])
    assert caplog.messages == ["policy: unexpected error, next attempt in 0:00:05"] * 3


def test_one_task_that_fails_keeps_no_other_from_being_run_now(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []

    def bug() -> None:
        raise KeyError("a bug")

    hour = timedelta(hours=1)
    run_now([Periodic("policy", hour, bug), Periodic("trust", hour, lambda: runs.append("trust"))])
    assert runs == ["trust"]
    assert caplog.messages == ["policy: unexpected error, next attempt in 1:00:00"]


def test_what_is_done_all_the_time_pauses_for_as_long_as_each_step_says(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[float] = []
    pauses = iter([5.0, 0.25])

    def stopped(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 4

    def step() -> timedelta:
        pause = next(pauses, None)
        if pause is None:
            raise KeyError("a bug")
        return timedelta(seconds=pause)

    go_on(Steady("changes", step), stopped)
    assert waits == [0, 5, 0.25, 60, 60]
    assert caplog.messages == ["changes: unexpected error, next attempt in 0:01:00"] * 2
