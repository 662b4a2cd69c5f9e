"""Calls and waits: how few calls, and how much of the waiting is done side by side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import contenders, measure
from benchmarks.contenders import FIRST
from benchmarks.nights import Night
from benchmarks.reading import say
from benchmarks.tables import titled

SLOW = (0.3, 2.0)
"""Seconds that Xero takes for a page: usual, and on a bad day."""


def count(folder: Path, records: int = 100_000) -> None:
    """How many calls a full read takes, and a nightly run in which nothing has changed."""
    rows = []
    env = contenders.environment(folder)
    with contenders.prebuilt() as place:
        place.set(invoices=records)
        measure.run(FIRST.prepare(place, folder / "count"), env=env)
        counted = place.counted()
        lists = counted["paths"].get("GET Invoices", 0)
        rows.append([f"{records:,} invoices", str(counted["calls"]), f"{lists} of Invoices"])
    with contenders.sandbox() as place:
        night = Night(folder, place)
        for name in ("the demo company, all streams, first run", "the same, a night later, nothing changed"):
            place.forget_calls()
            streams = night.run()
            paths = Counter(
                call["path"].partition("/api.xro/2.0/")[2].partition("/")[0] for call in place.calls()
            )
            often = ", ".join(f"{path} {number}" for path, number in sorted(paths.items()) if number > 1)
            rows.append(
                [
                    name,
                    str(sum(paths.values())),
                    f"{len(streams)} streams; more than one call: {often or 'none'}",
                ]
            )
    titled("Calls", ["", "calls", "of which"], rows)


def waits(folder: Path, latencies: tuple[float, ...] = SLOW, pages: int = 55) -> None:
    """A run of fewer than 60 calls, one organisation and four, against the same calls one after another."""
    rows = []
    env = contenders.environment(folder)
    cases: list[tuple[str, dict[str, Any], bool]] = [
        (f"one organisation, {pages} pages of invoices", {"invoices": pages * 1000, "tenants": 1}, False),
        ("one organisation, all streams, 10 pages of invoices", {"invoices": 10_000, "tenants": 1}, True),
        ("four organisations, 10 pages of invoices each", {"invoices": 10_000, "tenants": 4}, False),
        ("four organisations, all streams, 1 page of invoices each", {"invoices": 1000, "tenants": 4}, True),
    ]
    with contenders.prebuilt() as place:
        for name, wish, everything in cases:
            for latency in (0.0, *latencies):
                place.set(**wish, latency=latency, limits=latency > 0)
                settings = {"client_secret": "secret", "refresh_token": "first"}
                command = FIRST.prepare(place, folder / "waits", **settings)
                if everything:
                    command = command[:-2]
                sample = measure.run(command, env=env)
                if not latency:  # once more, now that the server has its pages ready
                    place.set(**wish)
                    alone = measure.run(command, env=env).wall
                    continue
                counted = place.counted()
                serial = counted["waits"] + alone
                rows.append(
                    [f"{name}, {latency:g} s a page", str(counted["calls"]), f"{counted['waits']:.1f}", f"{serial:.1f}",
                     f"{sample.wall:.1f}", f"{serial / sample.wall:.1f}", str(counted["most_at_once"]),
                     f"{counted['refused']:.0f}"]
                )  # fmt: skip
                say(f"waits: {rows[-1]}")
    head = ["tap-xero", "calls", "waits s", "one by one s", "took s", "times faster", "at once", "refused"]
    note = "One by one: the server's waits one after another, and the same run without waits. Xero's limits hold."
    titled("Latency", head, rows, note)


def limit(folder: Path, pages: int = 150, latency: float = 0.5) -> None:
    """A backfill of more calls than a minute allows, against what the limit itself dictates."""
    with contenders.prebuilt() as place:
        place.set(invoices=pages * 1000, latency=latency, limits=True)
        sample = measure.run(FIRST.prepare(place, folder / "limit"), env=contenders.environment(folder))
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
