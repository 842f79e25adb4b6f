"""Making a large policy while requests are answered: without long pauses, and without keeping what it was made from.

Collecting cycles takes longer the more objects there are, and everything waits meanwhile: half a second with 100,000
rules. The C library keeps the pieces of an XML tree, five times the memory of its policy, until it is asked for them.
"""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LARGE: Final = 100_000  # new objects, those of some 10,000 rules; with fewer, no pause can be noticed


@contextmanager
def no_collections() -> Iterator[None]:
    """For the time in which a policy is made, which has no cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _LARGE:
            gc.freeze()  # and back: what is new counts as old at once, and is not looked through for it
            gc.unfreeze()
        if collecting:
            gc.enable()


def _no_trim(_: int) -> int:
    """For a C library that has none."""
    return 0


_malloc_trim: Final[Callable[[int], int]] = getattr(ctypes.CDLL(None), "malloc_trim", _no_trim)


def give_memory_back() -> None:
    """What has been freed, to the system; other threads go on, unlike when the C library does it by itself."""
    _malloc_trim(0)
