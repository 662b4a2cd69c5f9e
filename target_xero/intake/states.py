"""Decides when the states of the input may be passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class StateQueue:
    """Passes a state on once all records before it are settled; `emit` gets the newest such state.

    `save` is called before, so that the outcomes of these records are on disk.
    """

    def __init__(self, emit: Callable[[Any], None]) -> None:
        self._emit = emit
        self.save: Callable[[], None] = lambda: None
        self._values: list[Any] = []
        self._open: dict[int, int] = {}
        self._covered = 0

    @property
    def epoch(self) -> int:
        """The number of states so far. A record that comes now holds back the next state."""
        return len(self._values)

    def received(self, value: Any) -> None:
        """Take in a state."""
        self._values.append(value)

    def opened(self, epoch: int) -> None:
        """Note a record that is not settled yet."""
        self._open[epoch] = self._open.get(epoch, 0) + 1

    def settled(self, epoch: int) -> None:
        """Note that a record is written, skipped, or in the rejects file."""
        left = self._open.get(epoch, 0) - 1
        if left > 0:
            self._open[epoch] = left
        else:
            self._open.pop(epoch, None)

    def flush(self) -> None:
        """Pass on the newest state whose records are all settled, unless it was passed on already."""
        covered = min(self._open, default=len(self._values))
        if covered > self._covered:
            self.save()
            self._emit(self._values[covered - 1])
            self._values[:covered] = [None] * covered
            self._covered = covered
