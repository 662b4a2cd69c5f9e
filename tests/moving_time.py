"""Clocks for a client of the sandbox, whose time passes in sleeps only."""

from __future__ import annotations

import threading
from collections.abc import Callable

from xero_sandbox import AdminClient


class Time:
    """The client's clock and the sandbox's, which differ by years and move together."""

    def __init__(self, admin: AdminClient) -> None:
        admin.freeze()
        self._admin = admin
        self._lock = threading.Lock()
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self._admin.advance(seconds)


class OverlappingTime:
    """A clock for clients with calls in several threads, whose sleeps overlap as in real time.

    A thread has its own time, which begins at the latest time of all and passes in its own sleeps only: what another
    thread sleeps meanwhile is not added. `advance` moves Xero's clock, which shows the latest time.
    """

    def __init__(self, advance: Callable[[float], object]) -> None:
        self._advance = advance
        self._lock = threading.Lock()
        self._own = threading.local()
        self.now = 0.0

    def __call__(self) -> float:
        with self._lock:
            return self._time_of_thread()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._own.now = self._time_of_thread() + seconds
            if self._own.now > self.now:
                self._advance(self._own.now - self.now)
                self.now = self._own.now

    def _time_of_thread(self) -> float:
        if not hasattr(self._own, "now"):
            self._own.now = self.now
        return float(self._own.now)
