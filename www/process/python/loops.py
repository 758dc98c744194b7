"""The real asyncio event loop.

Pyodide replaces asyncio's loop by one that runs on the browser's. A program here has real sockets and a real poll, so
it gets what Linux would give it.
"""

import asyncio
import importlib
import sys

import pyodide.webloop


def install():
    """Undo what Pyodide has replaced, as far as it outlives the snapshot."""
    asyncio.run = pyodide.webloop._orig_run
    asyncio.runners.run = pyodide.webloop._orig_run
    asyncio.events._set_event_loop_policy(None)
    # It was imported before `socket` knew UNIX sockets, and has left out what is for them.
    streams = importlib.reload(asyncio.streams)
    for name in streams.__all__:
        setattr(asyncio, name, getattr(streams, name))
    asyncio.__all__ = tuple(dict.fromkeys((*asyncio.__all__, *streams.__all__)))


def begin():
    """Make the program's task forget the browser's loop, which it was started from."""
    asyncio.events._set_event_loop_policy(None)
    asyncio.events._set_running_loop(None)
    sys.set_asyncgen_hooks(None, None)
