"""Signals: alarms, and those that a program sends to itself.

CPython's own C code keeps the handlers and calls them; what is missing is who sends.
"""

import _signal
import errno
import operator
import os
import signal

ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = range(3)

_set_handler = _signal.signal


class itimer_error(OSError):
    """signal.ItimerError"""


itimer_error.__module__ = "signal"


def alarm(seconds, /):
    """signal.alarm"""
    left = setitimer(ITIMER_REAL, operator.index(seconds))[0]
    # A whole second is told of what is left of it, and never zero (alarm(2)).
    return max(1, round(left)) if left else 0


def setitimer(which, seconds, interval=0.0, /):
    """signal.setitimer"""
    import _socketpad_host as host

    before = getitimer(which)
    if seconds < 0 or interval < 0:
        _fail(errno.EINVAL)
    host.setAlarm(float(seconds), float(interval))
    return before


def getitimer(which, /):
    """signal.getitimer"""
    import _socketpad_host as host

    # The other two count the processor's time, which a worker cannot be told.
    if which != ITIMER_REAL:
        _fail(errno.EINVAL)
    return (float(host.alarmLeft()), float(host.alarmInterval()))


def kill(pid, number, /):
    """os.kill"""
    import _socketpad_host as host

    if pid not in (host.pid, 0, -host.pid):
        raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
    if number != 0:
        signal.raise_signal(number)


def set_handler(number, handler, /):
    """_signal.signal"""
    before = _set_handler(number, handler)
    if number == signal.SIGALRM:
        import _socketpad_host as host

        actions = {signal.SIG_DFL: "default", signal.SIG_IGN: "ignored"}
        host.setAlarmAction(actions.get(handler, "handled") if isinstance(handler, int) else "handled")
    return before


def _fail(number):
    raise itimer_error(number, os.strerror(number))


def install():
    """Give `signal` and `os` what they have on Linux."""
    _signal.signal = set_handler
    _signal.ItimerError = signal.ItimerError = itimer_error
    for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF", "alarm", "setitimer", "getitimer"):
        value = globals()[name]
        setattr(_signal, name, value)
        setattr(signal, name, value)
    os.kill = kill
