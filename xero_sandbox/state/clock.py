"""The sandbox's clock, which runs with real time and can be moved and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

UTC = timezone.utc
DEMO_DAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Clock:
    """A time that advances with the ``real`` clock unless it is frozen."""

    def __init__(self, start: datetime = DEMO_DAY, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self.frozen = False
        self.set(start)

    def now(self) -> datetime:
        """The sandbox's current time, an aware UTC datetime."""
        if self.frozen:
            return self._base
        return self._base + timedelta(seconds=self._real() - self._since)

    def set(self, instant: datetime) -> None:
        """Set the clock to ``instant`` (aware)."""
        self._base, self._since = instant.astimezone(UTC), self._real()

    def advance(self, seconds: float) -> None:
        """Move the clock by ``seconds``; negative numbers move it back."""
        self.set(self.now() + timedelta(seconds=seconds))

    def freeze(self, frozen: bool = True) -> None:
        """Stop the clock, or start it again."""
        self.set(self.now())
        self.frozen = frozen

    def state(self) -> dict[str, object]:
        """The state for ``restore`` in another process."""
        return {"base": self._base.isoformat(), "since": self._since, "frozen": self.frozen}

    def restore(self, state: dict[str, object]) -> None:
        """Restore the state that ``state`` returned."""
        self._base = datetime.fromisoformat(str(state["base"]))
        self._since, self.frozen = float(str(state["since"])), bool(state["frozen"])


def sql_stamp(instant: datetime) -> datetime:
    """``instant`` in the precision of Xero's database, 1/300 second: milliseconds end in 0, 3 or 7."""
    ticks = instant.microsecond * 300 // 1_000_000
    return instant.replace(microsecond=round(ticks * 1000 / 300) * 1000)
