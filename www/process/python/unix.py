"""UNIX sockets.

They are one of the families that C code does not know (`addresses.py`). Their paths belong to the host, which the relay
keeps; `paths.py` shows them to whoever looks at files.
"""

import errno
import os
import socket
import stat

import _socket

from . import addresses

AF_UNIX = 1

# The size of `sun_path` (unix(7)).
_LONGEST = 108

_lstat, _stat = os.lstat, os.stat
_told = [b"/"]


def _fail(number):
    raise OSError(number, os.strerror(number))


class Unix:
    """AF_UNIX: an address is a path, or an abstract name after a zero byte."""

    family = AF_UNIX

    @staticmethod
    def lay(address, caller):
        """Lay an address down."""
        import _socketpad_host as host

        name = _encoded(address)
        if name[:1] not in (b"", b"\0"):
            # The kernel takes a path to end at its first zero byte.
            name = name.split(b"\0", 1)[0]
            if not name.startswith(b"/"):
                tell_directory()
            if caller == "bind":
                _check_place(name)
        return host.layUnix(name)

    @staticmethod
    def shown(handle):
        """What the program sees."""
        import _socketpad_host as host

        name = host.unixOf(handle).encode("latin-1")
        return name if name[:1] == b"\0" else os.fsdecode(name)


def _encoded(address):
    """A path or an abstract name as bytes, or CPython's own complaint about it."""
    if isinstance(address, str):
        name = os.fsencode(address)
    elif isinstance(address, (bytes, bytearray, memoryview)):
        name = bytes(address)
    else:
        raise TypeError(f"a bytes-like object is required, not '{type(address).__name__}'")
    if len(name) > _LONGEST - (name[:1] != b"\0"):
        raise OSError("AF_UNIX path too long")
    return name


def tell_directory():
    """Tell the relay the working directory, if it has changed."""
    import _socketpad_host as host

    here = os.getcwdb()
    if here != _told[0]:
        _told[0] = here
        host.changeDirectory(here)


def _check_place(name):
    """A path must not be there yet, and its directory must. The relay has no files, so this is looked up here."""
    try:
        _lstat(name)
    except OSError:
        pass
    else:
        _fail(errno.EADDRINUSE)
    try:
        mode = _stat(os.path.dirname(name) or b".").st_mode
    except OSError as error:
        _fail(error.errno)
    if not stat.S_ISDIR(mode):
        _fail(errno.ENOTDIR)


def socketpair(family=None, type=socket.SOCK_STREAM, proto=0):
    """socket.socketpair"""
    import _socketpad_host as host

    if family not in (None, AF_UNIX):
        # Linux makes pairs of UNIX sockets only.
        _fail(errno.EAFNOSUPPORT if family not in (socket.AF_INET, socket.AF_INET6) else errno.EOPNOTSUPP)
    if proto not in (0, AF_UNIX):
        _fail(errno.EPROTONOSUPPORT)
    pair = host.pair(int(type)).to_py()
    if len(pair) == 1:
        _fail(errno.ESOCKTNOSUPPORT)
    return tuple(socket.socket(socket.AF_UNIX, type, proto, fileno) for fileno in pair)


def announce():
    """Let `socket` know the family, before modules are imported that ask whether it does."""
    kind = socket.AddressFamily
    member = int.__new__(kind, AF_UNIX)
    member._name_, member._value_, member._sort_order_ = "AF_UNIX", AF_UNIX, len(kind)
    member.__objclass__ = kind
    kind._member_names_.append("AF_UNIX")
    kind._member_map_["AF_UNIX"] = member
    kind._value2member_map_[AF_UNIX] = member
    type.__setattr__(kind, "AF_UNIX", member)
    _socket.AF_UNIX = AF_UNIX
    socket.AF_UNIX = member
    socket.__all__.append("AF_UNIX")


def install():
    """Make the family one that `socket.socket` takes."""
    addresses.FAMILIES[AF_UNIX] = Unix
    _socket.socketpair = socket.socketpair = socketpair
    if "socketpair" not in socket.__all__:
        socket.__all__.append("socketpair")
