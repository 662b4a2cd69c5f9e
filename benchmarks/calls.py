"""The number of API calls, and the time that concurrent calls save."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.contenders import FIRST
from benchmarks.measure import say
from benchmarks.nights import Night
from benchmarks.tables import titled

SLOW = (0.3, 2.0)
"""Seconds for a page: usual, and when Xero is slow."""


def count(folder: Path, records: int = 100_000) -> None:
    """Count the calls of a full read, and of a nightly run in which nothing has changed."""
    rows = []
    with contenders.prebuilt() as place:
        place.set(invoices=records)
        FIRST.run(place, folder / "count")
        counted = place.counted()
        lists = counted["paths"].get("GET Invoices", 0)
        rows.append([f"{records:,} invoices", str(counted["calls"]), f"{lists} of Invoices"])
    with contenders.sandbox() as place:
        night = Night(folder, place)
        for name in ("the demo company, all streams, first run", "the same a night later, without changes"):
            place.forget_calls()
            streams = night.run()
            paths = Counter(
                call["path"].partition("/api.xro/2.0/")[2].partition("/")[0] for call in place.calls()
            )
            often = ", ".join(f"{path} {number}" for path, number in sorted(paths.items()) if number > 1)
            several = f"{len(streams)} streams; with more than one call: {often or 'none'}"
            rows.append([name, str(paths.total()), several])
    titled("Calls", ["", "calls", "of which"], rows)


def waits(folder: Path, latencies: tuple[float, ...] = SLOW, pages: int = 55) -> None:
    """Compare runs of fewer than 60 calls, for one organisation and four, with the same calls made sequentially."""
    rows = []
    invoices = ("invoices",)
    cases: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
        (f"one organisation, {pages} pages of invoices", {"invoices": pages * 1000, "tenants": 1}, invoices),
        ("one organisation, all streams, 10 pages of invoices", {"invoices": 10_000, "tenants": 1}, ()),
        ("four organisations, 10 pages of invoices each", {"invoices": 10_000, "tenants": 4}, invoices),
        ("four organisations, all streams, 1 page of invoices each", {"invoices": 1000, "tenants": 4}, ()),
    ]
    with contenders.prebuilt() as place:
        for name, content, streams in cases:
            for latency in (0.0, 0.0, *latencies):  # the server builds its pages during the first run
                place.set(**content, latency=latency, limits=latency > 0)
                wall = FIRST.run(place, folder / "waits", streams, refresh_token="first").wall
                if not latency:
                    alone = wall
                    continue
                counted = place.counted()
                serial = counted["waits"] + alone
                rows.append(
                    [f"{name}, {latency:g} s a page", str(counted["calls"]), f"{counted['waits']:.1f}", f"{serial:.1f}",
                     f"{wall:.1f}", f"{serial / wall:.1f}", str(counted["most_at_once"]), f"{counted['refused']:.0f}"]
                )  # fmt: skip
                say(f"waits: {rows[-1]}")
    head = [
        "tap-xero",
        "calls",
        "delays s",
        "sequential s",
        "took s",
        "times faster",
        "concurrent",
        "refused",
    ]
    note = "Sequential: the sum of the delays, plus the same run without delays. Xero's limits are on."
    titled("Latency", head, rows, note)


def limit(folder: Path, pages: int = 150, latency: float = 0.5) -> None:
    """Compare a backfill of more calls than a minute allows with the time that the limit dictates."""
    with contenders.prebuilt() as place:
        place.set(invoices=pages * 1000, latency=latency, limits=True)
        sample = FIRST.run(place, folder / "limit")
        counted = place.counted()
    calls = sum(n for path, n in counted["paths"].items() if path.startswith("GET "))
    dictated = (calls - 1) // 60 * 60 + -(-((calls - 1) % 60 + 1) // 5) * latency
    row = [f"{pages} pages, {latency:g} s a page", str(calls), f"{dictated:.0f}", f"{sample.wall:.0f}",
           f"{(sample.wall / dictated - 1) * 100:+.0f} %", f"{counted['refused']:.0f}"]  # fmt: skip
    titled(
        "A backfill under the limit of 60 calls a minute",
        ["", "calls", "dictated s", "took s", "more", "refused"],
        [row],
    )
