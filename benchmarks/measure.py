"""Runs and measures programs. Servers and measured programs are pinned to different cores if the system allows it."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


class Failed(Exception):
    """A measured program failed; the text includes the end of its log."""


@dataclass(frozen=True)
class Sample:
    """One run: `cpu` (user and system time) and `wall` in seconds, peak `rss` in bytes, and the log."""

    cpu: float
    wall: float
    rss: int
    log: str = ""


@dataclass(frozen=True)
class Spread:
    """The median of several measurements, with the lowest and the highest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Summarise the values."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found))

    def text(self, digits: int = 1, factor: float = 1.0) -> str:
        """The values multiplied by `factor`, such as `12.3 (11.9–13.0)`."""
        middle, low, high = (f"{value * factor:,.{digits}f}" for value in (self.middle, self.low, self.high))
        return middle if low == high else f"{middle} ({low}–{high})"


def say(text: str) -> None:
    """Print progress to stderr."""
    print(text, file=sys.stderr, flush=True)


def peak_mb(samples: Iterable[Sample]) -> str:
    """The highest peak memory of several runs in MB, as text."""
    return f"{max(sample.rss for sample in samples) / 2**20:.0f}"


def pinned(place: int) -> Sequence[int]:
    """The core for servers (0) or for the measured program (1); empty if cores cannot be chosen."""
    return [CORES[0] if place == 0 else CORES[-1]] if len(CORES) > 1 else []


def on_core(place: int) -> None:
    """Pin this process, and those that it starts from now on, to a core."""
    if pinned(place):
        os.sched_setaffinity(0, pinned(place))


def start(command: Sequence[str | Path], place: int, **options: Any) -> subprocess.Popen[bytes]:
    """Start a program on a core. This process stays on the core of the servers."""
    on_core(place)
    try:
        return subprocess.Popen([str(part) for part in command], **options)
    finally:
        on_core(0)


def run(
    command: Sequence[str | Path],
    *,
    env: dict[str, str] | None = None,
    source: Path | None = None,
    out: Path | None = None,
    pipe: bool = False,
    ok: Sequence[int] = (0,),
) -> Sample:
    """Run a program and measure it. Raises Failed if its exit code is not in `ok`.

    stdin is the file `source`. stdout goes to the file `out`, else to /dev/null, with `pipe` through `cat`. CPU time
    and memory are those of the program itself, which the kernel reports for an ended child.
    """
    with tempfile.TemporaryFile() as log, open(source or os.devnull, "rb") as given:  # noqa: PTH123
        cat = None
        target: IO[bytes] | int = subprocess.DEVNULL
        if pipe:
            cat = start(["cat"], 0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            target = cat.stdin  # type: ignore[assignment]
        elif out:
            target = out.open("wb")
        began = time.perf_counter()
        # Not in the checkout, whose packages Python would import instead of those of an environment.
        process = start(
            command, 1, stdin=given, stdout=target, stderr=log, env=env, cwd=tempfile.gettempdir()
        )
        if not isinstance(target, int):
            target.close()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if cat:
            cat.wait()
        log.seek(0)
        words = log.read().decode(errors="replace")
    if process.returncode not in ok:
        raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{words[-3000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit, words)


def machine() -> str:
    """A description of this machine in one line."""
    model = platform.processor() or platform.machine()
    with_model = Path("/proc/cpuinfo")
    if with_model.exists():
        names = [line for line in with_model.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    cores = len(CORES) or os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}{load}"
