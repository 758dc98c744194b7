"""Sockets of the families that CPython's C half was built without.

The C half believes that such a socket is an `AF_INET` one, so that it does everything else: time-outs, signals, buffers.
What it takes for an IPv4 address is a *handle*, the kernel's number for the address that was laid down before the call;
and what it hands on, of a family that it does not know, is a handle too (`web/src/kernel/sockaddr.rs`). The family is
kept in the upper half of the C half's type, where it outlives the descriptor.

A family is an object with `family`, `lay(address, caller)`, which gives a handle, and `shown(handle)`.
"""

import fcntl
import os
import socket
import struct
from functools import lru_cache

import _socket

from . import ancillary, calls

_base = _socket.socket
_type = _base.type.__get__
_family = _base.family.__get__

# Where the family lies in the C half's type: above SOCK_CLOEXEC, which the C half takes out.
_SHIFT = 20
_TYPE = (1 << _SHIFT) - 1

# It changes nothing here.
_CLOEXEC = 0o2000000


class Inet6:
    """AF_INET6: addresses are (host, port, flow label, scope)."""

    family = socket.AF_INET6

    @staticmethod
    def lay(address, caller):
        """Lay an address down, after its host was looked up if it is a name."""
        import _socketpad_host as host

        if not isinstance(address, tuple):
            raise TypeError(f"{caller}(): AF_INET6 address must be tuple, not {type(address).__name__}")
        if not 2 <= len(address) <= 4:
            raise TypeError("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
        name, port, flow, scope = *address, *(0, 0)[len(address) - 2 :]
        for number in (port, flow, scope):
            if not hasattr(number, "__index__"):
                raise TypeError(f"'{type(number).__name__}' object cannot be interpreted as an integer")
        if not 0 <= port <= 0xFFFF:
            raise OverflowError(f"{caller}(): port must be 0-65535.")
        if not 0 <= flow <= 0xFFFFF:
            raise OverflowError(f"{caller}(): flowinfo must be 0-1048575.")
        if isinstance(name, (bytes, bytearray)):
            name = bytes(name).decode("ascii")
        elif not isinstance(name, str):
            raise TypeError(f"str, bytes or bytearray expected, not {type(name).__name__}")
        handle = host.layInet6(name or "::", int(port), int(flow), int(scope) & 0xFFFFFFFF)
        if handle == 0:
            [found, *_] = _socket.getaddrinfo(name, None, socket.AF_INET6, socket.SOCK_DGRAM)
            handle = host.layInet6(found[4][0], int(port), int(flow), int(scope) & 0xFFFFFFFF)
        return handle

    @staticmethod
    def shown(handle):
        """What the program sees."""
        import _socketpad_host as host

        ip, *numbers = host.inet6Of(handle).split()
        return (ip, *map(int, numbers))


FAMILIES = {Inet6.family: Inet6}


@lru_cache(1024)
def _shown(family, data):
    return FAMILIES[family].shown(*struct.unpack_from("<I", data))


def shown(address):
    """An address as the program sees it: C code hands on those of other families as their family and bytes."""
    if type(address) is tuple and len(address) == 2 and type(address[1]) is bytes and address[0] in FAMILIES:
        return _shown(*address)
    return address


def laid(sock, address, caller):
    """What the C half is given for an address."""
    kind = FAMILIES.get(_type(sock) >> _SHIFT)
    if kind is None:
        return address
    handle = kind.lay(address, caller)
    return (socket.inet_ntoa(handle.to_bytes(4)), 0)


class Methods:
    """The methods of `socket.socket` that have addresses in them, and what tells the family."""

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        if fileno is None:
            family = socket.AF_INET if family == -1 else family
            type = socket.SOCK_STREAM if type == -1 else type
            proto = 0 if proto == -1 else proto
        elif isinstance(fileno, int) and (family == -1 or type == -1):
            family, type = _asked(fileno, family, type)
        if family not in FAMILIES:
            _base.__init__(self, family, type, proto, fileno)
        elif fileno is None:
            type &= ~_CLOEXEC
            fileno = fcntl.ioctl(0, calls.SOCKET, family | proto << 8 | type << 16)
            try:
                _base.__init__(self, socket.AF_INET, type | family << _SHIFT, proto, fileno)
            except BaseException:
                os.close(fileno)
                raise
        else:
            _base.__init__(self, socket.AF_INET, type & ~_CLOEXEC | family << _SHIFT, proto, fileno)
        self._io_refs = 0
        self._closed = False

    @property
    def family(self):
        """The family, as the program knows it."""
        return socket._intenum_converter(_type(self) >> _SHIFT or _family(self), socket.AddressFamily)

    @property
    def type(self):
        """The type."""
        return socket._intenum_converter(_type(self) & _TYPE, socket.SocketKind)

    def bind(self, address, /):
        """socket.bind"""
        return _base.bind(self, laid(self, address, "bind"))

    def connect(self, address, /):
        """socket.connect"""
        return _base.connect(self, laid(self, address, "connect"))

    def _accept(self):
        """socket._accept"""
        fd, address = _base._accept(self)
        return fd, shown(address)

    def getsockname(self):
        """socket.getsockname"""
        return shown(_base.getsockname(self))

    def getpeername(self):
        """socket.getpeername"""
        return shown(_base.getpeername(self))

    def sendto(self, *args):
        """socket.sendto"""
        if 2 <= len(args) <= 3:
            args = *args[:-1], laid(self, args[-1], "sendto")
        return _base.sendto(self, *args)

    def recvfrom(self, *args):
        """socket.recvfrom"""
        data, address = _base.recvfrom(self, *args)
        return data, shown(address)

    def recvfrom_into(self, *args, **named):
        """socket.recvfrom_into"""
        count, address = _base.recvfrom_into(self, *args, **named)
        return count, shown(address)

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None, /):
        """socket.sendmsg"""
        if address is not None:
            address = laid(self, address, "sendmsg")
        return _base.sendmsg(self, buffers, ancillary.sendable(ancdata), flags, address)

    def recvmsg(self, *args):
        """socket.recvmsg"""
        data, beside, flags, address = _base.recvmsg(self, *args)
        return data, ancillary.shown(beside), flags, shown(address)

    def recvmsg_into(self, *args):
        """socket.recvmsg_into"""
        count, beside, flags, address = _base.recvmsg_into(self, *args)
        return count, ancillary.shown(beside), flags, shown(address)


def _asked(fileno, family, kind):
    """What the kernel knows of a descriptor, for what was not said."""
    import _socketpad_host as host

    known = host.kindOf(fileno)
    if known is None:
        return family, kind
    return (known[0] if family == -1 else family), (known[1] if kind == -1 else kind)


def install():
    """Patch `socket.socket`."""
    for name, method in vars(Methods).items():
        if name == "__init__" or not name.startswith("__"):
            if name not in ("family", "type"):
                method.__qualname__ = f"socket.{name}"
            setattr(socket.socket, name, method)
