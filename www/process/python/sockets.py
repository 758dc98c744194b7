"""The gaps of `socket` and `select`.

CPython's own C modules do everything else; their system calls reach the kernel. What this build cannot do there is done
here: setsockopt(2) is a stub in C, and `select.select` loses the error number (emscripten's select(2) is written on
poll(2) and forgets it). `addresses.py` has the other families, `names.py` the look-ups.
"""

import errno
import fcntl
import os
import select
import selectors
import socket
import struct

import _socket

from . import addresses, ancillary, calls, constants, errors, names, unix

SOMAXCONN = 4096

_base = _socket.socket
_readable = select.POLLIN | select.POLLHUP | select.POLLERR
_writable = select.POLLOUT | select.POLLERR
_urgent = select.POLLPRI


def setsockopt(self, level, optname, value, optlen=None):
    """socket.setsockopt"""
    if optlen is not None:
        if value is not None:
            raise TypeError("setsockopt() argument 3 must be None when there is an argument 4")
        value = bytes(optlen)
    elif isinstance(value, int):
        value = struct.pack("i", value)
    elif isinstance(value, str) or value is None:
        raise TypeError(f"a bytes-like object is required, not '{type(value).__name__}'")
    _require_open(self)
    import _socketpad_host as host

    host.layOption(level, optname, bytes(value))
    fcntl.ioctl(self.fileno(), calls.SET_OPTION, 0)


def getsockopt(self, level, optname, buflen=0):
    """socket.getsockopt"""
    value = _base.getsockopt(self, level, optname, buflen)
    if (level, optname) == (socket.SOL_SOCKET, socket.SO_ERROR) and isinstance(value, int):
        return errors.to_linux(value)
    return value


def connect_ex(self, address, /):
    """socket.connect_ex"""
    return errors.to_linux(_base.connect_ex(self, addresses.laid(self, address, "connect_ex")))


def _require_open(sock):
    if sock.fileno() < 0:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def wait_for(rlist, wlist, xlist, timeout=None, /):
    """select.select"""
    if timeout is not None:
        if not isinstance(timeout, (int, float)):
            raise TypeError("timeout must be a float or None")
        if timeout < 0:
            raise ValueError("timeout must be non-negative")
    poll = select.poll()
    asked = {}
    watched = []
    for objects, events in zip((rlist, wlist, xlist), (select.POLLIN, select.POLLOUT, select.POLLPRI)):
        pairs = [(each, _descriptor(each)) for each in _sequence(objects)]
        watched.append(pairs)
        for _, fd in pairs:
            asked[fd] = asked.get(fd, 0) | events
    for fd, events in asked.items():
        poll.register(fd, events)
    milliseconds = None if timeout is None else -(-timeout * 1000 // 1)
    ready = dict(poll.poll(milliseconds))
    if any(events & select.POLLNVAL for events in ready.values()):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return tuple(
        [each for each, fd in pairs if ready.get(fd, 0) & events]
        for pairs, events in zip(watched, (_readable, _writable, _urgent))
    )


def _sequence(objects):
    # A list is looked at while it lasts: a `fileno` may change it.
    if isinstance(objects, (list, tuple)):
        return objects
    try:
        return list(objects)
    except TypeError:
        raise TypeError("arguments 1-3 must be sequences") from None


def _descriptor(each):
    fd = each if isinstance(each, int) else getattr(each, "fileno", None)
    if fd is None:
        raise TypeError("argument must be an int, or have a fileno() method")
    if callable(fd):
        fd = fd()
    if fd < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
    return fd




def install():
    """Patch `_socket`, `socket` and `select`."""
    constants.install()
    _socket.SOMAXCONN = socket.SOMAXCONN = SOMAXCONN
    _socket.has_ipv6 = socket.has_ipv6 = True
    names.install()
    ancillary.install()
    addresses.install()
    unix.install()
    for method in (setsockopt, getsockopt, connect_ex):
        setattr(socket.socket, method.__name__, method)
    wait_for.__name__ = wait_for.__qualname__ = "select"
    select.select = wait_for
    selectors.SelectSelector._select = staticmethod(wait_for)
