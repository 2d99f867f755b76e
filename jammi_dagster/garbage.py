"""Python's garbage collector, which walks through all objects again and again while many are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_MANY = 100_000  # objects that stay; fewer are left to the collector


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away meanwhile; objects without circles go as always.

    Where many objects stay, such as the trees of a code location, the collector takes them for old ones: it would walk
    through all of them, and all others, at once.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_count()[0] > _MANY and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()  # into the oldest generation
            gc.enable()


@contextlib.contextmanager
def left_alone() -> Iterator[None]:
    """Keep the garbage collector to objects that are made from here on; it does not walk through those of before.

    Does nothing where somebody has frozen objects: the end would thaw theirs.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
