"""Xero's call limits, by the sandbox's clock."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

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


class _Counter(NamedTuple):
    """A window with the value of X-Rate-Limit-Problem, the name in its header and the most calls in it."""

    problem: str
    header: str
    window: _Window
    most: int


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

    def _counters(self, app: App, tenant_id: str | None) -> list[_Counter]:
        """What counts a call, in the order in which Xero refuses; only the app's minute without a tenant."""
        allowed, key = self.allowance, app.client_id
        of_app = _Counter("appminute", "AppMin", self._window(MINUTE, "app", key), allowed.app_minute)
        if tenant_id is None:
            return [of_app]
        most = allowed.starter_day if app.tier == "starter" else allowed.day
        day = _Counter("day", "Day", self._window(DAY, "day", key, tenant_id), most)
        minute = _Counter("minute", "Min", self._window(MINUTE, "minute", key, tenant_id), allowed.minute)
        return [day, of_app, minute]

    def enter(self, app: App, tenant_id: str) -> None:
        """Count a call at its start; ``leave`` must follow. Raises ``Exceeded``."""
        with self._lock:
            now, key, counters = self._clock.now(), (app.client_id, tenant_id), self._counters(app, tenant_id)
            in_flight = self._in_flight.get(key, 0)
            if self.allowance.enabled:
                for one in counters:
                    if one.window.used >= one.most:
                        raise Exceeded(one.problem, one.window.wait(now), self.headers(app, tenant_id))
                if in_flight >= self.allowance.concurrent:
                    raise Exceeded("concurrent", None, self.headers(app, tenant_id))
            for one in counters:
                one.window.used += 1
            self._in_flight[key] = in_flight + 1
            self.most_in_flight[key] = max(self.most_in_flight.get(key, 0), in_flight + 1)

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
        return {
            f"X-{one.header}Limit-Remaining": str(max(0, one.most - one.window.used))
            for one in self._counters(app, tenant_id)
        }
