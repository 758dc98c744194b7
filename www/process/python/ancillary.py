"""What goes beside the data of `sendmsg` and `recvmsg`.

This interpreter is one of 32 bits, but programs know the lengths of 64. The kernel counts the room that they give so, too
(`web/src/kernel/ancillary.rs`).
"""

import errno
import operator
import socket

import _socket

_MOST = 0x7FFFFFFF
_HEADER = 16
_SCM_RIGHTS = 1
_WORD = 8

# What the kernel adds to the kinds of `SOL_SOCKET`.
_OWN = 0x53500000


def CMSG_LEN(length, /):
    """socket.CMSG_LEN"""
    return _HEADER + _checked(length, "CMSG_LEN", _MOST - _HEADER)


def CMSG_SPACE(length, /):
    """socket.CMSG_SPACE"""
    length = _checked(length, "CMSG_SPACE", _MOST - _HEADER - _WORD)
    return _HEADER + -(-length // _WORD) * _WORD


def _checked(length, name, most):
    length = operator.index(length)
    if not 0 <= length <= most:
        raise OverflowError(f"{name}() argument out of range")
    return length


def sendable(ancdata):
    """What a program sends beside the data, if it can be sent."""
    items = list(ancdata)
    for item in items:
        if isinstance(item, tuple) and len(item) == 3 and tuple(item[:2]) == (socket.SOL_SOCKET, _SCM_RIGHTS):
            raise OSError(errno.EOPNOTSUPP, "Descriptors cannot be sent: every process is a browser worker with files of its own")
    return items


def shown(ancdata):
    """What came beside the data as the program sees it."""
    return [
        (level, kind & ~_OWN if level == socket.SOL_SOCKET else kind, data)
        for level, kind, data in ancdata
    ]


def install():
    """Patch `_socket` and `socket`."""
    for function in (CMSG_LEN, CMSG_SPACE):
        setattr(_socket, function.__name__, function)
        setattr(socket, function.__name__, function)
