"""The progress of a list in the log."""

from __future__ import annotations

import time
from collections.abc import Callable

from tap_xero.reads.list_read import ListRead


class Progress:
    """Logs the progress of a list: rows, calls, calls left today, and the remaining time."""

    EVERY = 10.0
    """Seconds between two lines."""

    def __init__(self, read: ListRead, clock: Callable[[], float] = time.monotonic) -> None:
        self.read, self.clock = read, clock
        self.rows = 0
        self.started = self.logged_at = clock()

    def tell(self, rows: int, remaining: int | None) -> None:
        """Count emitted rows, and log a line if the last one is long ago."""
        self.rows += rows
        now = self.clock()
        if now - self.logged_at < self.EVERY or remaining == 0:  # the last line says the same
            return
        self.logged_at = now
        to_do, to_go = "", ""
        if remaining:
            import pendulum

            seconds = (now - self.started) * remaining / max(self.rows, 1)
            to_do = f" of {self.rows + remaining:,}"
            to_go = f", about {pendulum.duration(seconds=int(seconds)).in_words()} to go"
        self._log(f"{self.rows:,}{to_do} rows{to_go}")

    def done(self) -> None:
        """Log the last line."""
        self._log(f"{self.rows:,} row{'' if self.rows == 1 else 's'}")

    def _log(self, text: str) -> None:
        read = self.read
        usage = read.source.client.usage(read.organisation.header)
        left = "" if usage.day_left is None else f", {usage.day_left:,} left today"
        cost = f"{read.calls} call{'' if read.calls == 1 else 's'}{left}"
        read.logger.info("%s of %s: %s (%s)", read.row.name, read.organisation.name, text, cost)
