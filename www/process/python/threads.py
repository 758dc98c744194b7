"""Green threads.

A thread is a task of its own on a WebAssembly stack of its own; it parks in a suspending system call. The C halves of
`_thread` cannot tell such threads apart, so the parts that block or ask for an identity are replaced here, and
`threading` and `queue`, which are Python, work on these unchanged.

Straight-line code is atomic between threads: turns and signals come only where CPython looks for them, at calls and
backward jumps. Where a critical section has calls in it, it masks them.
"""

import _thread
import _threading_local
import itertools
import queue
import signal
import sys
import threading
import time
import types
from collections import deque

from . import calls, frames

# The signal by which the worker asks for a turn; `machine.js` has the number too.
TURN = 63

MAIN = threading.main_thread().ident

_identities = itertools.count(MAIN + 1)
_cell = calls.cell
_alive = {}


def get_ident():
    """_thread.get_ident"""
    return _cell[0] or MAIN


class lock:
    """_thread.lock"""

    __slots__ = ("_is_locked", "_waiters", "__weakref__")

    def __init__(self):
        self._is_locked = False
        self._waiters = deque()

    def acquire(self, blocking=True, timeout=-1):
        """Lock it, after waiting for at most `timeout` seconds; -1 means without limit."""
        if timeout is None or isinstance(timeout, str):
            raise TypeError(f"'{type(timeout).__name__}' object cannot be interpreted as an integer or float")
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if timeout > threading.TIMEOUT_MAX:
            raise OverflowError("timestamp out of range for platform time_t")
        if not self._is_locked:
            self._is_locked = True
            return True
        if not blocking or timeout == 0:
            return False
        return self._wait(None if timeout == -1 else timeout)

    def _wait(self, timeout):
        # The lock is handed over: whoever releases it marks the first waiter's ticket.
        ticket = [get_ident(), False]
        self._waiters.append(ticket)
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while not ticket[1]:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    break
                calls.park(left)
        except BaseException:
            calls.masked(1)
            if ticket[1]:
                self.release()
            else:
                self._waiters.remove(ticket)
            calls.masked(0)
            raise
        calls.masked(1)
        if not ticket[1]:
            self._waiters.remove(ticket)
        calls.masked(0)
        return ticket[1]

    def release(self):
        """Unlock it, or hand it to the thread that has waited longest."""
        if not self._is_locked:
            raise RuntimeError("release unlocked lock")
        if not self._waiters:
            self._is_locked = False
            return
        ticket = self._waiters.popleft()
        ticket[1] = True
        calls.unpark(ticket[0])

    def locked(self):
        """Whether it is locked."""
        return self._is_locked

    def __enter__(self):
        self.acquire()
        return True

    def __exit__(self, *exception):
        self.release()

    def __repr__(self):
        state = "locked" if self._is_locked else "unlocked"
        return f"<{state} _thread.lock object at {hex(id(self))}>"

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def _at_fork_reinit(self):
        self.__init__()


lock.__module__ = "_thread"


class _ThreadHandle:
    """_thread._ThreadHandle"""

    def __init__(self):
        self.ident = 0
        self._is_started = False
        self._is_done = False
        self._done = lock()
        self._done.acquire()

    def is_done(self):
        """Whether the thread has ended."""
        return self._is_done

    def _set_done(self):
        if not self._is_started:
            raise RuntimeError("thread not started")
        if not self._is_done:
            self._is_done = True
            self._done.release()

    def join(self, timeout=None):
        """Wait until the thread has ended."""
        if not self._is_started:
            raise RuntimeError("thread not started")
        if self._is_done:
            return
        if self.ident == get_ident():
            raise RuntimeError("Cannot join current thread")
        if self._done.acquire(timeout=-1 if timeout is None or timeout < 0 else timeout):
            self._done.release()


def start_joinable_thread(function, handle=None, daemon=True):
    """_thread.start_joinable_thread"""
    import _socketpad_host as host

    if handle is None:
        handle = _ThreadHandle()
    elif handle._is_started:
        raise RuntimeError("thread already started")
    ident = next(_identities)
    handle.ident = ident
    handle._is_started = True
    _alive[ident] = (handle, daemon)

    def run():
        _cell[0] = ident
        try:
            function()
        except SystemExit:
            pass
        except BaseException as error:
            report_ignored(error, function)
        finally:
            _alive.pop(ident, None)
            handle._set_done()
            host.forgetThread(ident)
            _cell[0] = 0

    host.spawn(run)
    return handle


def report_ignored(error, function):
    """What CPython does about an exception that a thread of `_thread` does not catch."""
    if sys.unraisablehook is not sys.__unraisablehook__:
        # The hook's own type cannot be made here.
        sys.unraisablehook(
            types.SimpleNamespace(
                exc_type=type(error),
                exc_value=error,
                exc_traceback=error.__traceback__,
                err_msg=f"Exception ignored in thread started by {function!r}",
                object=None,
            )
        )
        return
    print(f"Exception ignored in thread started by {function!r}:", file=sys.stderr)
    sys.excepthook(type(error), error, error.__traceback__)


def start_new_thread(function, args, kwargs={}, /):
    """_thread.start_new_thread"""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    if not isinstance(kwargs, dict):
        raise TypeError("optional 3rd arg must be a dictionary")
    return start_joinable_thread(_Call(function, args, kwargs)).ident


class _Call:
    """A function with its arguments, which shows as the function."""

    def __init__(self, function, args, kwargs):
        self._function, self._args, self._kwargs = function, args, kwargs

    def __call__(self):
        self._function(*self._args, **self._kwargs)

    def __repr__(self):
        return repr(self._function)


def shutdown():
    """_thread._shutdown: wait for every thread that is no daemon."""
    while waiting := [handle for handle, daemon in list(_alive.values()) if not daemon]:
        waiting[0].join()


def _on_turn(number, frame):
    """Let the others have a turn, unless this layer is just in the middle of something."""
    if frame is not None and frames.is_ours(frame):
        return
    try:
        calls.turn()
    except OSError:
        # A callback from JavaScript is on the stack, which cannot be suspended: the turn comes later.
        pass


def install():
    """Patch `_thread`, `threading` and `queue`, which are imported already."""
    # Replaced before `threading`'s classes are used, in the modules that have copied them.
    replaced = {
        "allocate": lock,
        "allocate_lock": lock,
        "lock": lock,
        "LockType": lock,
        "get_ident": get_ident,
        "get_native_id": get_ident,
        "start_joinable_thread": start_joinable_thread,
        "start_new_thread": start_new_thread,
        "start_new": start_new_thread,
        "_ThreadHandle": _ThreadHandle,
        "_count": lambda: len(_alive),
        "_shutdown": shutdown,
        "RLock": threading._PyRLock,
        "_local": _threading_local.local,
    }
    for name, value in replaced.items():
        setattr(_thread, name, value)
    threading._start_joinable_thread = start_joinable_thread
    threading._allocate_lock = threading.Lock = threading._LockType = lock
    threading.get_ident = get_ident
    threading.get_native_id = get_ident
    threading._ThreadHandle = _ThreadHandle
    threading._thread_shutdown = shutdown
    threading._CRLock = None
    threading.RLock = threading._PyRLock
    threading._active_limbo_lock = threading._PyRLock()
    threading.local = _threading_local.local
    queue.SimpleQueue = queue._PySimpleQueue
    time.sleep = calls.sleep
    signal.signal(TURN, _on_turn)


def adopt():
    """Replace the C locks of modules that were imported before."""
    import logging

    logging._lock = threading.RLock()
    for handler in [reference() for reference in logging._handlerList]:
        handler.createLock()


def begin(host):
    """The program begins: this task is the main thread."""
    host.setThreads(_cell.buffer_info()[0], MAIN)
    _cell[0] = MAIN
