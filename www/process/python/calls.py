"""Requests to the kernel.

They travel as ioctl(2), because a system call is the only thing that can suspend a thread without a trace. Their
numbers stand in `imports.js` too.
"""

import fcntl
import time
from array import array

PARK = 0x53500001
UNPARK = 0x53500002
SLEEP = 0x53500003
SET_OPTION = 0x53500004
SOCKET = 0x53500005
NODE = 0x53500006
LIST = 0x53500007
CLOSE_ON_EXEC = 0x53500008
EPOLL_CREATE = 0x53500010
EPOLL_CONTROL = 0x53500011
EPOLL_WAIT = 0x53500012

READY, TIMED_OUT, INTERRUPTED = range(3)

# The longest limit of one request in microseconds: a signed 32-bit number.
LONGEST = 0x7FFFFFFF

# Two numbers that the worker's glue reads: the running thread's identity (zero between threads) and, if not zero, that
# signals and turns must wait. In wasm memory they keep their place, also across the snapshot.
cell = array("i", [0, 0])

_ioctl = fcntl.ioctl
_monotonic = time.monotonic


def masked(mask):
    """Hold signals and turns back (1) or let them through (0)."""
    cell[1] = mask


def park(limit=None):
    """Suspend the running thread until `unpark`, for at most `limit` seconds. Say whether the time is up."""
    end = None if limit is None else _monotonic() + limit
    while True:
        if end is None:
            why = _ioctl(0, PARK, -1)
        else:
            left = max(0.0, end - _monotonic())
            why = _ioctl(0, PARK, min(LONGEST, int(left * 1e6) + 1))
        if why == INTERRUPTED:
            check_signals()
        elif why == READY:
            return False
        elif end <= _monotonic():
            return True


def unpark(thread):
    """Let a parked thread go on, now or when it parks next."""
    _ioctl(0, UNPARK, thread)


def turn():
    """Let other threads, and the page's event loop, have a turn."""
    _ioctl(0, SLEEP, 0)


def sleep(seconds, /):
    """time.sleep"""
    try:
        left = float(seconds)
    except TypeError:
        raise TypeError(f"'{type(seconds).__name__}' object cannot be interpreted as an integer") from None
    if left != left:
        raise ValueError("Invalid value NaN (not a number)")
    if left < 0:
        raise ValueError("sleep length must be non-negative")
    end = _monotonic() + left
    while True:
        if _ioctl(0, SLEEP, min(LONGEST, int(left * 1e6))) == INTERRUPTED:
            check_signals()
        left = end - _monotonic()
        if left <= 0:
            return


def check_signals():
    """Run the handlers of signals that have arrived. `repr` looks for them before anything else."""
    repr(None)
