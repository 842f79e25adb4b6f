"""Rounds of requests by several clients to several servers in turns, and what comes out of them."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from argus_py.hessian import base64_lines, messages
from argus_py.model.identifiers import Glite
from argus_py.model.response import Decision
from benchmarks.load import Client, Measured, Order
from benchmarks.processes import Server
from benchmarks.tables import Row


@dataclass(frozen=True, slots=True)
class Case:
    """``requests`` of all clients together in one round."""

    name: str
    kept: bool
    clients: int
    requests: int


@dataclass(frozen=True, slots=True)
class Target:
    """A server and what all its answers must be."""

    server: Server
    port: int
    check: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Round:
    """Times in seconds: of the whole round, of the server's processors, of each request."""

    elapsed: float
    cpu: float
    requests: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one server in one case; milliseconds."""

    per_second: float
    p50: float
    p95: float
    cpu: float

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> "Figures":
        seconds = sorted(each for one in rounds for each in one.requests)
        return cls(
            statistics.median(len(one.requests) / one.elapsed for one in rounds),
            statistics.median(seconds) * 1e3,
            seconds[len(seconds) * 95 // 100] * 1e3,
            sum(one.cpu for one in rounds) / len(seconds) * 1e3,
        )


def rows(case: Case, figures: Figures, yardstick: Figures) -> Iterator[Row]:
    yield Row(f"{case.name}: requests/s", figures.per_second, yardstick.per_second)
    yield Row(f"{case.name}: p50, ms", figures.p50, yardstick.p50)
    yield Row(f"{case.name}: p95, ms", figures.p95, yardstick.p95)
    yield Row(f"{case.name}: server CPU per request, ms", figures.cpu, yardstick.cpu)


def measure(case: Case, targets: Sequence[Target], crew: Sequence[Client], rounds: int) -> list[Figures]:
    """Of each target. The targets take turns; a first round of each does not count."""
    measured = [[_round(case, target, crew) for target in targets] for _ in range(rounds + 1)][1:]
    return [Figures.of(of_target) for of_target in zip(*measured, strict=True)]


def _round(case: Case, target: Target, crew: Sequence[Client]) -> Round:
    working = crew[: case.clients]
    for client in working:
        client.prepare(Order(target.port, case.requests // case.clients, case.kept))
    for client in working:
        client.wait_until_ready()
    cpu, begin = target.server.cpu_seconds(), time.perf_counter()
    for client in working:
        client.go()
    measured = [client.result() for client in working]
    elapsed = time.perf_counter() - begin
    cpu = target.server.cpu_seconds() - cpu
    _check(measured, target)
    return Round(elapsed, cpu, tuple(seconds for one in measured for seconds in one.seconds))


def _check(measured: Sequence[Measured], target: Target) -> None:
    for answer in frozenset[bytes]().union(*(one.answers for one in measured)):
        if not target.check(answer):
            raise AssertionError(f"unexpected answer: {answer!r}")


def is_permit(answer: bytes) -> bool:
    """A Permit with an account; nothing else is worth measuring."""
    (result,) = messages.read_response(base64_lines.decode(answer)).results
    posix = [each for each in result.obligations if each.id == Glite.LOCAL_ENVIRONMENT_MAP_POSIX]
    return result.decision is Decision.PERMIT and len(posix) == 1
