"""Whether somebody keeps the clock of this host right: what the kernel was told by chrony, ntpd or timesyncd.

Source: adjtimex(2), which anybody may ask without changing anything.
"""

import ctypes
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_UNSYNCHRONIZED: Final = 0x40  # STA_UNSYNC
_SIZE: Final = 256  # octets; struct timex has 208 on 64 bit


class _Timex(ctypes.Structure):
    """The beginning of struct timex; ``modes`` 0 asks only."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * _SIZE),
    ]


@dataclass(frozen=True, slots=True)
class KernelClock:
    """``error``: the most that the clock can be wrong by, if it is synchronized."""

    synchronized: bool
    error: timedelta


def kernel_clock() -> KernelClock | None:
    """None: the kernel does not tell."""
    asked = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return None
    if answer < 0:
        return None
    return KernelClock(not asked.status & _UNSYNCHRONIZED, timedelta(microseconds=max(asked.maxerror, 0)))
