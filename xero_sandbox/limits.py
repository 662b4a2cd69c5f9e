"""Xero's call limits, by the sandbox's clock."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .apps import App
from .state.clock import Clock

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
_PLENTY = 1_000_000


@dataclass
class Allowance:
    """The limits of Xero's guide; ``enabled`` switches all of them.

    ``high_volume`` is the number of records above which un-paged and un-optimised calls are refused, ``body``
    the largest request in bytes.
    """

    enabled: bool = True
    concurrent: int = 5
    minute: int = 60
    day: int = 5_000
    starter_day: int = 1_000
    app_minute: int = 10_000
    high_volume: int = 100_000
    body: int = 10_000_000


@dataclass
class _Window:
    length: timedelta
    until: datetime | None = None
    used: int = 0

    def refresh(self, now: datetime) -> None:
        if self.until is None or now >= self.until or now < self.until - self.length:
            self.until, self.used = now + self.length, 0

    def wait(self, now: datetime) -> int:
        return max(1, math.ceil(((self.until or now) - now).total_seconds()))


@dataclass
class Exceeded(Exception):
    """A limit is exceeded: the value of X-Rate-Limit-Problem, and the seconds to wait if Xero gives them."""

    problem: str
    retry_after: int | None
    headers: dict[str, str] = field(default_factory=dict)


class Limits:
    """Counts calls per app and tenant; windows start with their first call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.allowance = Allowance()
        self._lock = threading.RLock()
        self.start_afresh()

    def start_afresh(self) -> None:
        """Reset all counters."""
        self._windows: dict[tuple[str, ...], _Window] = {}
        self._in_flight: dict[tuple[str, str], int] = {}
        self.most_in_flight: dict[tuple[str, str], int] = {}

    def _window(self, length: timedelta, *key: str) -> _Window:
        with self._lock:
            window = self._windows.setdefault(key, _Window(length))
            window.refresh(self._clock.now())
            return window

    def _windows_of(self, app: App, tenant_id: str) -> tuple[_Window, _Window, _Window]:
        return (
            self._window(DAY, "day", app.client_id, tenant_id),
            self._window(MINUTE, "minute", app.client_id, tenant_id),
            self._window(MINUTE, "app", app.client_id),
        )

    def _day(self, app: App) -> int:
        return self.allowance.starter_day if app.tier == "starter" else self.allowance.day

    def enter(self, app: App, tenant_id: str) -> None:
        """Count a call at its start; ``leave`` must follow. Raises ``Exceeded``."""
        with self._lock:
            self._enter(app, tenant_id)

    def _enter(self, app: App, tenant_id: str) -> None:
        now, key = self._clock.now(), (app.client_id, tenant_id)
        day, minute, of_app = self._windows_of(app, tenant_id)
        if self.allowance.enabled:
            for problem, window, most in (
                ("day", day, self._day(app)),
                ("appminute", of_app, self.allowance.app_minute),
                ("minute", minute, self.allowance.minute),
            ):
                if window.used >= most:
                    raise Exceeded(problem, window.wait(now), self.headers(app, tenant_id))
            if self._in_flight.get(key, 0) >= self.allowance.concurrent:
                raise Exceeded("concurrent", None, self.headers(app, tenant_id))
        for window in (day, minute, of_app):
            window.used += 1
        self._in_flight[key] = self._in_flight.get(key, 0) + 1
        self.most_in_flight[key] = max(self.most_in_flight.get(key, 0), self._in_flight[key])

    def count(self, app: App) -> None:
        """Count a call without a tenant, which only the limit of the app covers."""
        with self._lock:
            self._window(MINUTE, "app", app.client_id).used += 1

    def leave(self, app: App, tenant_id: str) -> None:
        """The call has been answered."""
        key = (app.client_id, tenant_id)
        with self._lock:
            self._in_flight[key] = max(0, self._in_flight.get(key, 0) - 1)

    def headers(self, app: App, tenant_id: str | None) -> dict[str, str]:
        """The headers with the remaining calls; without a tenant, only the app's.

        If the limits are switched off, the numbers are large and the day's is missing, so that no client waits.
        """
        if not self.allowance.enabled:
            names = ("AppMin",) if tenant_id is None else ("Min", "AppMin")
            return {f"X-{name}Limit-Remaining": str(_PLENTY) for name in names}
        if tenant_id is None:
            of_app = self._window(MINUTE, "app", app.client_id)
            return {"X-AppMinLimit-Remaining": str(max(0, self.allowance.app_minute - of_app.used))}
        day, minute, of_app = self._windows_of(app, tenant_id)
        return {
            "X-DayLimit-Remaining": str(max(0, self._day(app) - day.used)),
            "X-MinLimit-Remaining": str(max(0, self.allowance.minute - minute.used)),
            "X-AppMinLimit-Remaining": str(max(0, self.allowance.app_minute - of_app.used)),
        }
