"""Descriptors: what `os` and `fcntl` lack of them.

CPython's C code never says that a descriptor is to be closed by exec(2); the worker's glue keeps that of each.
"""

import errno
import fcntl
import importlib
import os
import socket

from . import calls

# How much sendfile(2) moves at a time, in bytes.
_PIECE = 1 << 18

_ioctl = fcntl.ioctl
_fcntl = fcntl.fcntl
_pipe = os.pipe
_dup2 = os.dup2


def set_inheritable(fd, inheritable, /):
    """os.set_inheritable"""
    _ioctl(fd, calls.CLOSE_ON_EXEC, 0 if inheritable else 1)


def fcntl_(fd, cmd, arg=0, /):
    """fcntl.fcntl"""
    if cmd != fcntl.F_SETFD:
        return _fcntl(fd, cmd, arg)
    set_inheritable(fd, not arg & fcntl.FD_CLOEXEC)
    return 0


fcntl_.__name__ = fcntl_.__qualname__ = "fcntl"


def pipe():
    """os.pipe"""
    return pipe2(os.O_CLOEXEC)


def pipe2(flags, /):
    """os.pipe2"""
    if flags & ~(os.O_CLOEXEC | os.O_NONBLOCK):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    ends = _pipe()
    for end in ends:
        set_inheritable(end, not flags & os.O_CLOEXEC)
        if flags & os.O_NONBLOCK:
            os.set_blocking(end, False)
    return ends


def dup2(fd, fd2, inheritable=True):
    """os.dup2"""
    made = _dup2(fd, fd2)
    set_inheritable(made, inheritable)
    return made


def sendfile(out_fd, in_fd, offset, count):
    """os.sendfile"""
    piece = min(count, _PIECE)
    if offset is not None:
        data = os.pread(in_fd, piece, offset)
        return os.write(out_fd, data) if data else 0
    data = os.read(in_fd, piece)
    if not data:
        return 0
    try:
        sent = os.write(out_fd, data)
    except BaseException:
        os.lseek(in_fd, -len(data), os.SEEK_CUR)
        raise
    os.lseek(in_fd, sent - len(data), os.SEEK_CUR)
    return sent


def install():
    """Give `os` and `fcntl` what they have on Linux."""
    fcntl.fcntl = fcntl_
    for function in (set_inheritable, pipe, pipe2, dup2, sendfile):
        setattr(os, function.__name__, function)
    importlib.reload(socket)
