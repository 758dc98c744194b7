"""Paths of UNIX sockets.

The file system of a process is its own, but the paths of UNIX sockets are the host's. So what looks at a path asks the
relay when there is no file of that name here.
"""

import fcntl
import os
import stat

from . import calls, unix

_LOOK, _UNLINK, _MODE = range(3)

# The device that they seem to lie on: none that Emscripten's file systems have.
_DEVICE = 0x5350

_stat, _lstat, _unlink, _remove, _chmod, _access = os.stat, os.lstat, os.unlink, os.remove, os.chmod, os.access


def _node(path, act=_LOOK, mode=0):
    """Number, permission bits and time of the UNIX socket at a path, as they were before; None if there is none."""
    import _socketpad_host as host

    if isinstance(path, int):
        return None
    name = os.fsencode(path)
    if not name.startswith(b"/"):
        unix.tell_directory()
    host.layPath(name, act, mode)
    try:
        fcntl.ioctl(0, calls.NODE, 0)
    except OSError:
        return None
    return [int(number) for number in host.foundNode().to_py()]


def _as_stat(node):
    inode, mode, made = node
    return os.stat_result((stat.S_IFSOCK | mode, inode, _DEVICE, 1, 0, 0, 0, made, made, made))


def _with_nodes(original, at_node):
    """A function that looks at a file and, if there is none, at a UNIX socket."""

    def function(path, *args, **named):
        try:
            return original(path, *args, **named)
        except FileNotFoundError:
            # A name within an open directory is a file's.
            found = None if named.get("dir_fd") is not None else at_node(path, *args, **named)
            if found is None:
                raise
        return found[0]

    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = original.__doc__
    function.__module__ = original.__module__
    return function


def _at_stat(path, **_):
    node = _node(path)
    return node and [_as_stat(node)]


def _at_unlink(path, **_):
    return _node(path, _UNLINK) and [None]


def _at_chmod(path, mode, **_):
    return _node(path, _MODE, mode & 0o7777) and [None]


def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    """os.access"""
    if _access(path, mode, dir_fd=dir_fd, effective_ids=effective_ids, follow_symlinks=follow_symlinks):
        return True
    # Every process runs as root, which may do anything with a socket.
    return dir_fd is None and not _access(path, os.F_OK) and _node(path) is not None


def install():
    """Patch `os`."""
    os.stat = _with_nodes(_stat, _at_stat)
    os.lstat = _with_nodes(_lstat, _at_stat)
    os.unlink = _with_nodes(_unlink, _at_unlink)
    os.remove = _with_nodes(_remove, _at_unlink)
    os.chmod = _with_nodes(_chmod, _at_chmod)
    os.access = access
    for changed, original in ((os.stat, _stat), (os.unlink, _unlink), (os.chmod, _chmod), (os.access, _access)):
        for supported in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
            if original in supported:
                supported.add(changed)
