"""Output to the terminal: steps with their time, and tables."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIVE = sys.stdout.isatty()
COLOUR = LIVE and "NO_COLOR" not in os.environ
UNICODE = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
DONE, FAILED, LINE, DOTS = ("✓", "✗", "─", "…") if UNICODE else ("ok", "x", "-", "...")
TITLE_WIDTH = 22


def say(text: str = "") -> None:
    """Print a line without buffering; characters that the terminal's encoding lacks become `?`."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def bold(text: str) -> str:
    """Return the text, in bold if the terminal can show it."""
    return f"\x1b[1m{text}\x1b[0m" if COLOUR else text


def heading(text: str) -> None:
    """Print the heading of a part of the output."""
    say()
    say(bold(text))


class Step:
    """A running step; `note` describes its progress and, at the end, its result."""

    def __init__(self, title: str, began: float | None = None) -> None:
        self.title = title
        self.note = ""
        self.began = began or time.time()
        self._told = 0.0

    def line(self, mark: str) -> str:
        """Return the step as one line: mark, title, note, seconds."""
        room = max(shutil.get_terminal_size((120, 24)).columns, 80) - TITLE_WIDTH - 15
        note = self.note if len(self.note) <= room or not LIVE else f"{self.note[: room - 3]}{DOTS}"
        took = time.time() - self.began
        return f" {mark:<2} {self.title:<{TITLE_WIDTH}} {note:<{min(room, 62)}} {took:5.1f} s"

    def progress(self, note: str) -> None:
        """Show the progress; in a pipe, as a line at most every two seconds."""
        if not LIVE and note != self.note and time.time() - self._told > 2:
            self._told = time.time()
            say(f"      {note}")
        self.note = note


@contextmanager
def step(title: str, note: str = "", began: float | None = None) -> Iterator[Step]:
    """Show a step with its running time, and whether it succeeded or raised an error."""
    current = Step(title, began)
    current.note = note
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.1):
            sys.stdout.write(f"\r\x1b[2K{current.line(DOTS)}")
            sys.stdout.flush()

    ticker = threading.Thread(target=tick, daemon=True)
    if LIVE:
        ticker.start()
    mark = FAILED
    try:
        yield current
        mark = DONE
    finally:
        stop.set()
        if LIVE:
            ticker.join()
            sys.stdout.write("\r\x1b[2K")
        say(current.line(mark))


def table(heads: Sequence[str], blocks: Sequence[Sequence[Sequence[str]]], left: int = 1) -> None:
    """Print blocks of rows under a heading, with a rule before each; the first `left` columns are left-aligned."""
    rows = [heads, *(row for block in blocks for row in block)]
    widths = [max(_width(row[at]) for row in rows) for at in range(len(heads))]

    def show(row: Sequence[str]) -> None:
        cells = []
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _width(cell))
            cells.append(cell + space if at < left else space + cell)
        say(f"  {'  '.join(cells).rstrip()}")

    show(heads)
    for block in blocks:
        say(f"  {LINE * (sum(widths) + 2 * (len(widths) - 1))}")
        for row in block:
            show(row)


def _width(text: str) -> int:
    """The columns in a terminal: Chinese and Japanese letters take two, combining accents none."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "FW" else 1
        for letter in text
    )
