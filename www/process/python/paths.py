"""Paths of UNIX sockets.

The file system of a process is its own, but the paths of UNIX sockets are the host's. So what looks at a path asks the
relay when there is no file of that name here, and what looks into a directory asks it for more names.
"""

import errno
import fcntl
import os
import shutil
import stat

from . import calls, unix

_LOOK, _UNLINK, _MODE, _RENAME = range(4)

# The device that they seem to lie on: none that Emscripten's file systems have.
_DEVICE = 0x5350

_stat, _lstat, _unlink, _remove, _chmod, _access = os.stat, os.lstat, os.unlink, os.remove, os.chmod, os.access
_rename, _replace, _rmdir, _listdir, _scandir = os.rename, os.replace, os.rmdir, os.listdir, os.scandir


def _lay(path, act=_LOOK, mode=0, to=b""):
    """Lay down what the next request is about. The interpreter looks at files before anybody can be asked: then None."""
    try:
        import _socketpad_host as host
    except ModuleNotFoundError:
        return None
    name, to = os.fsencode(path), os.fsencode(to)
    if not name.startswith(b"/") or not to.startswith(b"/"):
        unix.tell_directory()
    host.layPath(name, act, mode, to)
    return host


def _node(path, act=_LOOK, mode=0, to=b""):
    """Number, permission bits and time of the UNIX socket at a path, as they were before; None if there is none."""
    if isinstance(path, int):
        return None
    host = _lay(path, act, mode, to)
    if host is None:
        return None
    try:
        fcntl.ioctl(0, calls.NODE, 0)
    except OSError:
        if act == _RENAME:
            raise
        return None
    return [int(number) for number in host.foundNode().to_py()]


def _names(path):
    """The UNIX sockets in a directory, as bytes."""
    host = _lay(path)
    if host is None:
        return []
    try:
        fcntl.ioctl(0, calls.LIST, 0)
    except OSError:
        # The relay is gone, and the host's paths with it.
        return []
    names = host.entries().encode("latin-1")
    return names.split(b"/") if names else []


def _as_stat(node):
    inode, mode, made = node
    return os.stat_result((stat.S_IFSOCK | mode, inode, _DEVICE, 1, 0, 0, 0, made, made, made))


def _posing_as(original, function):
    """The function, which shows as the original."""
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = original.__doc__
    function.__module__ = original.__module__
    return function


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

    return _posing_as(original, function)


def _at_stat(path, **_):
    node = _node(path)
    return node and [_as_stat(node)]


def _at_unlink(path, **_):
    return _node(path, _UNLINK) and [None]


def _at_chmod(path, mode, **_):
    return _node(path, _MODE, mode & 0o7777) and [None]


def _moving(original):
    """rename(2): whatever lies at the new path, a file or a UNIX socket, is replaced."""

    def function(src, dst, *, src_dir_fd=None, dst_dir_fd=None):
        try:
            original(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        except FileNotFoundError as missing:
            if src_dir_fd is not None or dst_dir_fd is not None or _node(src) is None:
                raise
            _make_room(src, dst, missing)
            _node(src, _RENAME, to=dst)
        else:
            if src_dir_fd is None and dst_dir_fd is None:
                _node(dst, _UNLINK)

    return _posing_as(original, function)


def _make_room(src, dst, missing):
    """Take away the file that a UNIX socket is to replace, after a look at whether it may."""
    try:
        found = _lstat(dst)
    except FileNotFoundError:
        directory = os.path.dirname(os.fsencode(dst)) or b"."
        if not os.path.isdir(directory):
            raise missing from None
        return
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), src, None, dst)
    _unlink(dst)


def _entered(original, path, **named):
    """What a function says that takes directories only. A UNIX socket is none."""
    try:
        return original(path, **named)
    except FileNotFoundError:
        if named.get("dir_fd") is not None or path is None or _node(path) is None:
            raise
    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


def rmdir(path, *, dir_fd=None):
    """os.rmdir"""
    if dir_fd is None and os.path.isdir(path) and _names(path):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
    _entered(_rmdir, path, dir_fd=dir_fd)


def listdir(path=None):
    """os.listdir"""
    found = _entered(_listdir, path)
    if isinstance(path, int):
        return found
    path = os.fspath("." if path is None else path)
    return found + [_like(path, name) for name in _names(path)]


def _like(path, name):
    """A name as bytes, or as a text if the path is one."""
    return name if isinstance(path, bytes) else os.fsdecode(name)


class DirEntry:
    """os.DirEntry of a UNIX socket."""

    __slots__ = ("name", "path")

    def __init__(self, directory, name):
        self.name = _like(directory, name)
        self.path = os.path.join(directory, self.name)

    def is_dir(self, *, follow_symlinks=True):
        """Whether it is a directory."""
        return False

    is_file = is_dir

    def is_symlink(self):
        """Whether it is a symbolic link."""
        return False

    is_junction = is_symlink

    def stat(self, *, follow_symlinks=True):
        """What os.stat tells of it."""
        return os.stat(self.path)

    def inode(self):
        """Its number."""
        return self.stat().st_ino

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return f"<DirEntry {self.name!r}>"


class _Scan:
    """What os.scandir gives: the files of a directory, and then its UNIX sockets."""

    def __init__(self, files, sockets):
        self._files, self._sockets = files, iter(sockets)

    def __iter__(self):
        return self

    def __next__(self):
        for each in self._files:
            return each
        return next(self._sockets)

    def close(self):
        """Give the directory up."""
        self._files.close()
        self._sockets = iter(())

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def scandir(path=None):
    """os.scandir"""
    files = _entered(_scandir, path)
    if isinstance(path, int):
        return files
    path = os.fspath("." if path is None else path)
    sockets = [DirEntry(path, name) for name in _names(path)]
    return _Scan(files, sockets) if sockets else files


def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    """os.access"""
    if _access(path, mode, dir_fd=dir_fd, effective_ids=effective_ids, follow_symlinks=follow_symlinks):
        return True
    # Every process runs as root, which may do anything with a socket.
    return dir_fd is None and not _access(path, os.F_OK) and _node(path) is not None


def install():
    """Patch `os`."""
    patches = {
        "stat": _with_nodes(_stat, _at_stat),
        "lstat": _with_nodes(_lstat, _at_stat),
        "unlink": _with_nodes(_unlink, _at_unlink),
        "remove": _with_nodes(_remove, _at_unlink),
        "chmod": _with_nodes(_chmod, _at_chmod),
        "rename": _moving(_rename),
        "replace": _moving(_replace),
        "rmdir": _posing_as(_rmdir, rmdir),
        "listdir": _posing_as(_listdir, listdir),
        "scandir": _posing_as(_scandir, scandir),
        "access": _posing_as(_access, access),
    }
    for name, changed in patches.items():
        original = getattr(os, name)
        setattr(os, name, changed)
        for supported in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
            if original in supported:
                supported.add(changed)
    # By names within open directories it would not find UNIX sockets.
    shutil._rmtree_impl = shutil._rmtree_unsafe
    shutil._use_fd_functions = shutil.rmtree.avoids_symlink_attacks = False
