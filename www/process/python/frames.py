"""Tracebacks without this package.

What is done in C natively is done in Python here, and must not show. CPython prints every traceback through the
`traceback` module, also from C, so its two walks over frames leave ours out.
"""

import os
import traceback

_HERE = os.path.dirname(__file__)


def is_ours(frame):
    """Whether a frame belongs to this package."""
    return os.path.dirname(frame.f_code.co_filename) == _HERE


def install():
    """Patch the walks."""
    walk_tb = traceback.walk_tb
    walk_stack = traceback.walk_stack
    positions = traceback._walk_tb_with_full_positions

    def filtered(walk):
        def walker(start):
            return (item for item in walk(start) if not is_ours(item[0]))

        return walker

    traceback.walk_tb = filtered(walk_tb)
    traceback.walk_stack = filtered(walk_stack)
    traceback._walk_tb_with_full_positions = filtered(positions)
