"""Timing of things by turns, and the tables they are shown in: Markdown, as in docs/performance.md."""

import statistics
import time
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Work = Callable[[], object]
_ROUNDS = 15
_ROUND = 0.02  # seconds; far above the resolution of the clock, short enough to share the weather of the machine


@dataclass(frozen=True, slots=True)
class Row:
    """``figure`` and ``yardstick`` have the unit that ``name`` tells."""

    name: str
    figure: float
    yardstick: float


def microseconds(*works: Work, rounds: int = _ROUNDS) -> tuple[float, ...]:
    """Median processor time of one call of each. The rounds alternate, so that a busy machine slows all of them."""
    timers = [timeit.Timer(work, timer=time.process_time) for work in works]
    calls = [_calls(timer) for timer in timers]
    measured = [
        [timer.timeit(number) / number * 1e6 for timer, number in zip(timers, calls, strict=True)]
        for _ in range(rounds)
    ]
    return tuple(map(statistics.median, zip(*measured, strict=True)))


def _calls(timer: timeit.Timer) -> int:
    """How many calls fill a round."""
    calls = 1
    while (seconds := timer.timeit(calls)) < _ROUND / 2:
        calls *= 2
    return max(1, round(calls * _ROUND / seconds))


def show(title: str, figure: str, yardstick: str, rows: Sequence[Row]) -> None:
    """Print the table; ``figure`` and ``yardstick`` head their columns."""
    cells: list[tuple[str, ...]] = [("", figure, yardstick, "ratio")]
    for row in rows:
        ratio = _number(row.figure / row.yardstick) if row.yardstick else "-"
        cells.append((row.name, _number(row.figure), _number(row.yardstick), ratio))
    show_cells(title, cells, words=1)


def show_cells(title: str, cells: Sequence[tuple[str, ...]], words: int) -> None:
    """Print the table; its first row has the heads, its first ``words`` columns no numbers."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [f"{'-' * (width - 1)}{'-' if place < words else ':'}" for place, width in enumerate(widths)]
    print(f"\n{title} ({time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC)\n")
    for row in (cells[0], rule, *cells[1:]):
        columns = enumerate(zip(row, widths, strict=True))
        print(f"| {' | '.join(c.ljust(w) if place < words else c.rjust(w) for place, (c, w) in columns)} |", flush=True)


def _number(value: float) -> str:
    """Three digits that count, two of small ones."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
