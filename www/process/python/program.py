"""Runs a program as `python3 file.py` would."""

import atexit
import os
import random
import sys
import threading
import types

from . import loops, threads

# What a shell reports of a program that Ctrl-C has ended: 128 and the signal's number.
INTERRUPTED = 130


def main(path, args):
    """Run the program at `path` to its end. The result is the exit status, and whether Ctrl-C has ended it."""
    import _socketpad_host as host

    threads.begin(host)
    loops.begin()
    _settle(host, path, args)
    status = _run(_execute, path)
    # The program's last breath: threads that are no daemons, what it has registered, what it has not flushed.
    for last in (threading._shutdown, atexit._run_exitfuncs, _flush):
        later = _run(last)
        status = later if status == 0 else status
    threads._cell[0] = 0
    return [status, status == INTERRUPTED]


def _settle(host, path, args):
    """Make the interpreter look freshly started, on Linux, in the program's folder."""
    folder = os.path.dirname(path)
    os.chdir(folder)
    sys.path[0:0] = [folder]
    sys.argv = [os.path.basename(path), *args]
    sys.orig_argv = ["python3", *sys.argv]
    sys.platform = "linux"
    os.getpid = lambda: host.pid
    # The snapshot has frozen the generator's state.
    random.seed()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)


def _execute(path):
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    with open(path, "rb") as file:
        source = file.read()
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)


def _run(function, *args):
    """Call a function and turn how it ends into an exit status."""
    try:
        function(*args)
    except SystemExit as error:
        return _exit_status(error.code)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_status(code):
    """What `sys.exit(code)` makes the exit status (sys.exit)."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _flush():
    sys.stdout.flush()
    sys.stderr.flush()
