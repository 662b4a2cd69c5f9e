"""The states of the input, and which of them may be passed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any


class StateQueue:
    """A state may be passed on once everything before it is settled; `emit` gets the newest such state."""

    def __init__(self, emit: Callable[[Any], None]) -> None:
        self._emit = emit
        self._values: list[Any] = []
        self._open: Counter[int] = Counter()
        self._covered = 0

    @property
    def epoch(self) -> int:
        """How many states have come; a record that comes now is held by the next."""
        return len(self._values)

    def received(self, value: Any) -> None:
        """A state came."""
        self._values.append(value)

    def opened(self, epoch: int) -> None:
        """A record came, or has more to be done."""
        self._open[epoch] += 1

    def settled(self, epoch: int) -> None:
        """A record is written, left alone, or safely put aside."""
        self._open[epoch] -= 1
        if self._open[epoch] <= 0:
            del self._open[epoch]

    def flush(self) -> None:
        """Pass on the newest state that everything before is settled for, unless it was passed on already."""
        covered = min(self._open, default=len(self._values))
        if covered > self._covered:
            self._emit(self._values[covered - 1])
            self._values[:covered] = [None] * covered
            self._covered = covered
