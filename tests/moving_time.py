"""A clock for a client of the sandbox, whose time passes in sleeps only."""

from __future__ import annotations

import threading

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
