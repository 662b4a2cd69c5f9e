"""Compares contenders that read invoices: CPU for each record, wall time, memory, calls and bytes."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import contenders, environments, journals, measure
from benchmarks.contenders import CLASSIC_TAP, FASTEST, FIRST, READERS, SDK, Contender, Place, Prebuilt
from benchmarks.environments import CLASSIC, OURS, TEMPLATE
from benchmarks.equality import differences
from benchmarks.measure import Sample, Spread, peak_mb, say
from benchmarks.nights import Night
from benchmarks.tables import titled

SMALL = 1000
"""Invoices of a short run. The cost of a record is what a long run takes beyond a short one, without start-up."""

ONCE = 50_000
"""A longer run is not repeated to compare whole processes: the classic tap takes minutes."""

PlaceOf = Callable[[int], Place]
"""Returns a server that has this many invoices."""


def records_in(path: Path) -> int:
    """The number of records in an output."""
    with path.open("rb") as lines:
        return sum(json.loads(line)["type"] == "RECORD" for line in lines)


class Race:
    """Contenders that read the same invoices in turn, for several rounds, so that a disturbance affects all of them."""

    def __init__(
        self, folder: Path, place_of: PlaceOf, records: int, repeats: int, *, shares: bool = True
    ) -> None:
        self.folder, self.place_of, self.repeats = folder, place_of, repeats
        self.records, self.shares = records, shares
        self.small: dict[Contender, list[Sample]] = defaultdict(list)
        self.large: dict[Contender, list[Sample]] = defaultdict(list)
        self.counted: dict[Contender, dict[str, Any]] = {}

    def size(self, contender: Contender) -> int:
        """The number of records that a contender reads in a long run."""
        return max(2 * SMALL, int(self.records * contender.share)) if self.shares else self.records

    def run(self, field: Sequence[Contender], *, pipe: bool = False) -> None:
        """Run all rounds, after one that warms up and checks that each contender returns all records."""
        for turn in range(self.repeats + 1):
            for contender in field:
                for size, samples in ((SMALL, self.small), (self.size(contender), self.large)):
                    place = self.place_of(size)
                    folder = self.folder / str(READERS.index(contender))
                    if turn == 0:
                        out = self.folder / "out"
                        contender.run(place, folder, out=out)
                        found = records_in(out)
                        if found != size:
                            raise measure.Failed(f"{contender.name} returned {found} of {size} records")
                        continue
                    samples[contender].append(contender.run(place, folder, pipe=pipe))
                    if isinstance(place, Prebuilt):
                        self.counted[contender] = place.counted()
            say(f"reading: round {turn} of {self.repeats} done")

    def per_record(self, contender: Contender) -> list[float]:
        """CPU seconds for each additional record: in each round, the long run less the short run before it."""
        rounds = zip(self.small[contender], self.large[contender], strict=True)
        return [(large.cpu - small.cpu) / (self.size(contender) - SMALL) for small, large in rounds]

    def ratio(self, contender: Contender) -> Spread:
        """The CPU of a contender as a multiple of tap-xero's, by round."""
        rounds = zip(self.per_record(contender), self.per_record(FIRST), strict=True)
        return Spread.of(theirs / ours for theirs, ours in rounds)

    def least(self, contender: Contender) -> float:
        """CPU seconds for each additional record, from the cheapest long and the cheapest short run."""
        small, large = (min(one.cpu for one in runs[contender]) for runs in (self.small, self.large))
        return (large - small) / (self.size(contender) - SMALL)

    def rows(self, field: Sequence[Contender]) -> list[list[str]]:
        """The table's row of each contender."""
        found = []
        for contender in field:
            size, large = self.size(contender), self.large[contender]
            counted = self.counted.get(contender)
            rate = Spread.of(size / sample.wall for sample in large)
            found.append(
                [
                    contender.name,
                    Spread.of(self.per_record(contender)).text(1, 1e6),
                    self.ratio(contender).text(1) if contender != FIRST else "1",
                    f"{self.least(contender) * 1e6:.1f}",
                    f"{self.least(contender) / self.least(FIRST):.2f}" if contender != FIRST else "1",
                    Spread.of(sample.cpu for sample in self.small[contender]).text(2),
                    f"{size:,}",
                    rate.text(0),
                    peak_mb(large),
                    f"{counted['calls']:,}" if counted else "",
                    f"{counted['bytes'] / 1e6:.1f}" if counted else "",
                ]
            )
        return found


HEAD = [
    "", "CPU µs/record", "times tap-xero's", "least µs", "times", f"CPU s, {SMALL:,} records", "records", "records/s",
    "peak MB", "calls", "MB received",
]  # fmt: skip


def _serving(place: Prebuilt, **options: Any) -> PlaceOf:
    def place_of(size: int) -> Place:
        place.set(invoices=size, **options)
        return place

    return place_of


def from_pages(folder: Path, records: int, repeats: int) -> None:
    """Read from the server of pre-built pages, to /dev/null and through a pipe."""
    versions = [
        f"classic tap-xero {environments.version(CLASSIC, 'tap-xero')}",
        f"singer-sdk {environments.version(TEMPLATE, 'singer-sdk')} for the template",
        f"{environments.version(OURS, 'singer-sdk')} for tap-xero",
    ]
    with contenders.prebuilt() as place:
        race = Race(folder, _serving(place), records, repeats)
        race.run(READERS)
        note = ", ".join(versions) + "."
        titled("Reading invoices from pre-built pages to /dev/null", HEAD, race.rows(READERS), note)
        race = Race(folder, _serving(place), records, max(1, repeats // 2))
        race.run(FASTEST, pipe=True)
        titled("The same through a pipe to `cat`", HEAD, race.rows(FASTEST))


def varied(folder: Path, records: int, repeats: int) -> None:
    """Read the invoices of the demo company from pre-built pages."""
    with contenders.prebuilt() as place:
        race = Race(folder, _serving(place, varied=True), records, repeats)
        race.run(FASTEST)
        titled("Reading the invoices of the demo company to /dev/null", HEAD, race.rows(FASTEST))


def whole(folder: Path, sizes: Sequence[int], repeats: int) -> None:
    """Compare the CPU time of whole processes, start-up included, with the classic tap.

    Each run of tap-xero is followed by one of the classic tap. A size above `ONCE` is read once.
    """
    rows = []
    with contenders.prebuilt() as place:
        for size in sizes:
            place.set(invoices=size)
            turns = [
                (FIRST.run(place, folder / FIRST.kind), CLASSIC_TAP.run(place, folder / CLASSIC_TAP.kind))
                for _ in range(1 if size > ONCE else repeats)
            ]
            spreads = [
                Spread.of(ours.cpu for ours, _ in turns).text(2),
                Spread.of(theirs.cpu for _, theirs in turns).text(2),
                Spread.of(theirs.cpu / ours.cpu for ours, theirs in turns).text(1),
                Spread.of(ours.wall for ours, _ in turns).text(1),
                Spread.of(theirs.wall for _, theirs in turns).text(1),
            ]
            rows.append([f"{size:,}", *spreads])
            say(f"whole: {rows[-1]}")
    titled(
        "Whole processes, start-up included",
        ["invoices", "CPU s: tap-xero", "classic tap", "times", "wall s: tap-xero", "classic tap"],
        rows,
    )


def rows(folder: Path, sizes: Sequence[int]) -> None:
    """Read journal lines as records of their own; raise Failed if the CPU for a line or the memory grows with them."""
    found = []
    with contenders.prebuilt() as place:
        for size in sizes:
            place.set(journals=size // journals.LINES)
            sample = FIRST.run(place, folder, ("journals", "journal_lines"), nested_tables=True)
            found.append((size, sample))
            say(f"rows: {size:,} lines, {sample.cpu:.1f} CPU s, {peak_mb([sample])} MB")
    per_row, start = statistics.linear_regression([size for size, _ in found], [one.cpu for _, one in found])
    growth = statistics.linear_regression(
        [math.log(size) for size, _ in found], [math.log(one.cpu) for _, one in found]
    ).slope
    titled(
        "Journals with twenty lines each",
        ["lines", "CPU s", "CPU s by linear regression", "µs a line", "wall s", "peak MB"],
        [
            [f"{size:,}", f"{one.cpu:.1f}", f"{start + per_row * size:.1f}", f"{one.cpu / size * 1e6:.1f}",
             f"{one.wall:.1f}", peak_mb([one])]
            for size, one in found
        ],
        f"A line takes {per_row * 1e6:.1f} µs, the start {start:.1f} s. CPU grows with the rows to the power of "
        f"{growth:.3f}.",
    )  # fmt: skip
    if growth > 1.05:
        raise measure.Failed(f"the CPU for a row grows: CPU is the rows to the power of {growth:.3f}")
    if found[-1][1].rss > found[0][1].rss * 1.25:
        raise measure.Failed("memory grows with the rows")


def from_sandbox(folder: Path, records: int, repeats: int) -> None:
    """Read from the sandbox, whose invoices have one to five lines and more fields."""
    with ExitStack() as stack:
        places = {
            size: stack.enter_context(contenders.sandbox("--invoices", str(size)))
            for size in {SMALL, records}
        }
        race = Race(folder, places.__getitem__, records, repeats, shares=False)
        race.run(FASTEST)
        titled("Reading invoices from the sandbox", HEAD[:-2], [row[:-2] for row in race.rows(FASTEST)])


def equal(folder: Path, records: int) -> None:
    """Compare tap-xero's records with those of the SDK's template, on both servers."""
    rows, different = [], 0
    with contenders.prebuilt() as pages, contenders.sandbox("--invoices", str(records)) as sandbox:
        pages.set(invoices=records)
        for name, place in (("pre-built pages", pages), ("sandbox", sandbox)):
            outs = []
            for one in (FIRST, SDK):
                outs.append(folder / f"{one.kind}.jsonl")
                one.run(place, folder / one.kind, out=outs[-1])
            with outs[0].open("rb") as ours, outs[1].open("rb") as theirs:
                compared, found = differences(ours, theirs)
            different += len(found)
            rows.append([name, f"{compared:,}", f"{len(found):,}"])
            for difference in found[:5]:
                say(f"different: {difference}")
    titled("Records compared with those of the SDK's slow path", ["", "compared", "different"], rows)
    if different:
        raise measure.Failed(f"{different} records differ from those of the SDK's slow path")


def start_up(folder: Path, repeats: int) -> None:
    """Measure the start-up of commands, and runs without changes."""
    ours, template, classic = (environments.python_of(name) for name in (OURS, TEMPLATE, CLASSIC))
    commands: dict[str, list[str | Path]] = {
        "python -c pass": [ours, "-c", "pass"],
        "python -c 'import singer_sdk'": [ours, "-c", "import singer_sdk"],
        "python -c 'from singer_sdk import Tap'": [ours, "-c", "from singer_sdk import Tap"],
        "tap-xero --version": [environments.program(OURS, "tap-xero"), "--version"],
        "tap-xero --discover": [environments.program(OURS, "tap-xero"), "--discover"],
        "target-xero --version": [environments.program(OURS, "target-xero"), "--version"],
        "xero-login --help": [environments.program(OURS, "xero-login"), "--help"],
        "SDK template --version": [template, contenders.HERE / "template_tap.py", "--version"],
        "import of the classic tap-xero": [classic, "-c", "import tap_xero"],
    }
    samples: dict[str, list[Sample]] = defaultdict(list)
    with contenders.sandbox() as place:
        for name, streams in {"contacts": ("contacts",), "all streams": ()}.items():
            own = folder / name
            own.mkdir()
            night = Night(own, place, *streams)
            night.run()
            commands[f"tap-xero, a run of {name} without changes"] = night.command
        for turn in range(repeats + 1):
            for name, command in commands.items():
                sample = measure.run(command, env=contenders.environment(folder))
                if turn:
                    samples[name].append(sample)
    bare = samples["python -c 'import singer_sdk'"]
    rows = []
    for name, taken in samples.items():
        ratio = Spread.of(one.cpu / base.cpu for one, base in zip(taken, bare, strict=True))
        wall = Spread.of(one.wall for one in taken)
        rows.append(
            [
                name,
                Spread.of(one.cpu for one in taken).text(0, 1000),
                ratio.text(2),
                wall.text(0, 1000),
                peak_mb(taken),
            ]
        )
    titled("Start-up", ["", "CPU ms", "times `import singer_sdk`", "wall ms", "peak MB"], rows)


def memory(folder: Path, sizes: Sequence[int]) -> None:
    """Measure the peak memory of reads of many invoices, from a fast and a slow server."""
    rows = []
    with contenders.prebuilt() as place:
        for size in sizes:
            for latency in (0.0, 0.3) if size <= 100_000 else (0.0,):
                place.set(invoices=size, latency=latency)
                sample = FIRST.run(place, folder)
                counted = place.counted()
                rows.append(
                    [f"{size:,} invoices, {latency:g} s a page", peak_mb([sample]), f"{sample.cpu:.1f}",
                     f"{sample.wall:.1f}", f"{counted['calls']:,}", f"{counted['most_at_once']}"]
                )  # fmt: skip
                say(f"memory: {rows[-1]}")
    titled("Memory", ["tap-xero", "peak MB", "CPU s", "wall s", "calls", "concurrent"], rows)
