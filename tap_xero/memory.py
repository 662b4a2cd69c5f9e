"""Keeps the memory of a long run small."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's names, of mallopt(3)


def stay_small() -> None:
    """Set up the allocator and the garbage collector; call it before threads are started.

    glibc keeps freed memory for the thread that freed it, including blocks as large as answers. With eight threads that
    is half of the tap's memory. The garbage collector need not look at what lives as long as the run.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            for setting, value in (
                (_ARENA_MAX, 1),
                (_MMAP_THRESHOLD, 128 * 1024),
                (_TRIM_THRESHOLD, 128 * 1024),
            ):
                mallopt(setting, value)
    # Records have no reference cycles.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
