"""epoll: `select.epoll`, and the selectors and event loops on it.

The kernel keeps what is watched and decides what is ready; an instance has a descriptor of its own.
"""

import fcntl
import importlib
import math
import os
import select
import selectors
import struct
import time

from . import calls

# Linux's numbers (epoll_ctl(2), poll(2)).
CONSTANTS = {
    "EPOLLIN": 0x001,
    "EPOLLPRI": 0x002,
    "EPOLLOUT": 0x004,
    "EPOLLERR": 0x008,
    "EPOLLHUP": 0x010,
    "EPOLLRDNORM": 0x040,
    "EPOLLRDBAND": 0x080,
    "EPOLLWRNORM": 0x100,
    "EPOLLWRBAND": 0x200,
    "EPOLLMSG": 0x400,
    "EPOLLRDHUP": 0x2000,
    "EPOLLEXCLUSIVE": 1 << 28,
    "EPOLLWAKEUP": 1 << 29,
    "EPOLLONESHOT": 1 << 30,
    "EPOLLET": 1 << 31,
    "EPOLL_CLOEXEC": 0o2000000,
    "POLLRDHUP": 0x2000,
    "POLLMSG": 0x400,
}

_ADD, _DELETE, _MODIFY = 1, 2, 3

# FD_SETSIZE, less one: how many descriptors are told of at a time if the program does not say (select(2)).
_MOST = 1023

_INT_MAX = 0x7FFFFFFF

_ioctl = fcntl.ioctl
_monotonic = time.monotonic
_pair = struct.Struct("iI")


class epoll:
    """select.epoll"""

    __slots__ = ("_fd", "__weakref__")

    def __init__(self, sizehint=-1, flags=0):
        self._fd = -1
        for number in (sizehint, flags):
            if not hasattr(number, "__index__"):
                raise TypeError(f"'{type(number).__name__}' object cannot be interpreted as an integer")
        if sizehint != -1 and sizehint <= 0:
            raise ValueError("sizehint must be positive or -1")
        if flags and flags != CONSTANTS["EPOLL_CLOEXEC"]:
            raise OSError("invalid flags")
        self._fd = _ioctl(0, calls.EPOLL_CREATE, 0)

    @classmethod
    def fromfd(cls, fd, /):
        """An instance from its descriptor."""
        self = cls.__new__(cls)
        self._fd = fd
        return self

    def close(self):
        """Close the descriptor."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    @property
    def closed(self):
        """Whether it was closed."""
        return self._fd < 0

    def fileno(self):
        """The descriptor."""
        self._require_open()
        return self._fd

    def register(self, fd, eventmask=CONSTANTS["EPOLLIN"] | CONSTANTS["EPOLLPRI"] | CONSTANTS["EPOLLOUT"]):
        """Watch a descriptor."""
        self._control(_ADD, fd, eventmask)

    def modify(self, fd, eventmask):
        """Watch a descriptor for something else."""
        self._control(_MODIFY, fd, eventmask)

    def unregister(self, fd):
        """Watch a descriptor no more."""
        self._control(_DELETE, fd, 0)

    def poll(self, timeout=None, maxevents=-1):
        """Wait until something is ready: a list of descriptors and their events."""
        self._require_open()
        end = None
        milliseconds = -1
        if timeout is not None:
            if not isinstance(timeout, (int, float)):
                raise TypeError("timeout must be an integer or None")
            if timeout >= 0:
                milliseconds = math.ceil(timeout * 1000)
                if milliseconds > _INT_MAX:
                    raise OverflowError("timeout is too large")
                end = _monotonic() + timeout
        if maxevents == -1:
            maxevents = _MOST
        elif maxevents < 1:
            raise ValueError(f"maxevents must be greater than 0, got {maxevents}")
        buffer = bytearray(8 * maxevents)
        while True:
            struct.pack_into("ii", buffer, 0, milliseconds, maxevents)
            try:
                count = _ioctl(self._fd, calls.EPOLL_WAIT, buffer, True)
            except InterruptedError:
                calls.check_signals()
                if end is not None:
                    milliseconds = max(0, math.ceil((end - _monotonic()) * 1000))
                continue
            return list(_pair.iter_unpack(memoryview(buffer)[: 8 * count]))

    def __enter__(self):
        self._require_open()
        return self

    def __exit__(self, exc_type=None, exc_value=None, exc_tb=None, /):
        self.close()

    def __del__(self):
        self.close()

    def _control(self, operation, fd, events):
        self._require_open()
        if not isinstance(fd, int):
            fileno = getattr(fd, "fileno", None)
            if fileno is None:
                raise TypeError("argument must be an int, or have a fileno() method")
            fd = fileno()
        if fd < 0:
            raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
        _ioctl(self._fd, calls.EPOLL_CONTROL, struct.pack("iiI", operation, fd, events & 0xFFFFFFFF))

    def _require_open(self):
        if self._fd < 0:
            raise ValueError("I/O operation on closed epoll object")


epoll.__module__ = "select"


def install():
    """Give `select` what it has on Linux, and have `selectors` look at it anew."""
    for name, number in CONSTANTS.items():
        if not hasattr(select, name):
            setattr(select, name, number)
    select.epoll = epoll
    importlib.reload(selectors)
