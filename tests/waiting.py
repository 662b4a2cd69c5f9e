"""Waiting for another thread or process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest


def until(true: Callable[[], Any], *, seconds: float) -> None:
    """Wait until something is true; the test fails after so many seconds."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() >= end:
            pytest.fail(f"it was not true within {seconds} seconds")
        pause.wait(0.005)
