"""Linux's error numbers and texts.

The C code inside keeps Emscripten's numbers. What the program can see is translated: exceptions as they are made (the
worker's glue does that, see `exceptions.js`), and here the `errno` module, `os.strerror`, the classes that numbers stand
for, and every module that has copied a number.
"""

import errno
import gc
import json
import os
import socket
import sys
import types

# Emscripten's number to Linux's, and the names and texts of Linux.
_to_linux = {}
_texts = {}
_changed = {}


def to_linux(number):
    """Linux's number for one of Emscripten's."""
    return _to_linux.get(number, number)


def translated_types():
    """The exception types whose arguments are translated, as JSON for the worker's glue."""
    return json.dumps(
        [
            {"address": id(each), "size": each.__basicsize__, "name": each.__name__}
            for each in (OSError, socket.gaierror, socket.herror)
        ]
    )


def install(errors_json, names_json):
    """Take the kernel's tables: rows of (inside, text, number, text), and of (name, number, text)."""
    _to_linux.update({inside: number for inside, _, number, _ in json.loads(errors_json) if inside > 0})
    before = {name: value for name, value in vars(errno).items() if name.startswith("E") and isinstance(value, int)}
    after = {name: number for name, number, _ in json.loads(names_json)}
    after.update(EWOULDBLOCK=after["EAGAIN"], EDEADLOCK=after["EDEADLK"], ENOTSUP=after["EOPNOTSUPP"])
    _texts.update({number: text for _, number, text in json.loads(names_json)})
    _texts[0] = "Success"

    _remap_classes()
    for name in before:
        if name not in after:
            delattr(errno, name)
    for name, number in after.items():
        setattr(errno, name, number)
        _changed[name] = (before.get(name), number)
    errno.errorcode.clear()
    errno.errorcode.update({number: name for name, number, _ in json.loads(names_json)})
    # Of two names for one number CPython keeps these.
    for name in ("EDEADLOCK", "ENOTSUP"):
        errno.errorcode[after[name]] = name
    os.strerror = strerror
    refresh()


def refresh():
    """Give every module that has copied a number the new one."""
    for module in list(sys.modules.values()):
        if not isinstance(module, types.ModuleType) or module is errno:
            continue
        for name, (old, new) in _changed.items():
            if old != new and old is not None and vars(module).get(name) == old:
                setattr(module, name, new)
    socket._blocking_errnos = {errno.EAGAIN, errno.EWOULDBLOCK}


def strerror(code, /):
    """os.strerror"""
    return _texts.get(code, f"Unknown error {code}")


def _remap_classes():
    """The interpreter's table of which class a number stands for, keyed by Linux's numbers."""
    [table] = [
        each
        for each in gc.get_objects()
        if type(each) is dict and each.get(14) is ConnectionRefusedError and each.get(44) is FileNotFoundError
    ]
    classes = {to_linux(number): kind for number, kind in table.items()}
    table.clear()
    table.update(classes)
