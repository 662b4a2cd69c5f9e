"""Keeps a long run small: what was freed goes back to the system, and what stays isn't looked through again."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's names, of mallopt(3)


def stay_small() -> None:
    """Set up memory for a run that reads page after page in several threads; call it before there are threads.

    glibc keeps what each thread frees for that thread, and once it has seen an answer of two megabytes go, it keeps
    blocks of that size too: with pages read by eight threads that is half of all that the tap takes. Elsewhere than
    on glibc nothing is changed.
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
    # Records leave no cycles behind.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
