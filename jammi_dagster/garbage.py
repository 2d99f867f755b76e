"""Python's garbage collector, which walks through all objects again and again while many are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away meanwhile; objects without circles go as always."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
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
