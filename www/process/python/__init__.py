"""Socketpad's Python layer: what CPython's own modules lack in a browser.

Everything here is installed once, before the memory snapshot is made, and finds the machine it runs on
(`_socketpad_host`, the worker's glue) only when a program starts. Frames of this package never show in a traceback.

calls     requests to the kernel, and the cell that says which thread is running
errors    Linux's error numbers and texts
frames    tracebacks without this package
threads   green threads: `_thread`, `threading`, `queue`, `time.sleep`
constants numbers that `socket` lacks
addresses sockets of the families that C code does not know
ancillary what goes beside the data
names     look-ups with both families
readiness `select.epoll`
sockets   the gaps of `socket` and `select`
signals   alarms, and signals to oneself
descriptors  what `os` and `fcntl` lack
unix      UNIX sockets
paths     paths of UNIX sockets
loops     the real asyncio event loop
program   runs a program as `python3 file.py` would
"""


def install(errors_json, names_json):
    """Patch the interpreter. `errors_json` and `names_json` are the kernel's tables of error numbers."""
    from . import descriptors

    # Before anything that builds on `socket`, which looks whether `os.sendfile` is there when it is imported.
    descriptors.install()

    from . import errors, frames, signals, threads, unix

    frames.install()
    errors.install(errors_json, names_json)
    threads.install()
    unix.announce()
    signals.install()

    # Imported here so that they are in the snapshot, after the threads they build on are real.
    import asyncio, concurrent.futures, http.client, http.server, json, logging, random  # noqa: E401, F401
    import queue, selectors, socketserver, struct, sysconfig, urllib.request  # noqa: E401, F401

    # Looked up by a name that has Emscripten's in it, which `sys.platform` will no longer say.
    sysconfig.get_config_vars()

    from . import loops, paths, program, readiness, sockets  # noqa: F401

    threads.adopt()
    readiness.install()
    sockets.install()
    paths.install()
    loops.install()
    errors.refresh()
