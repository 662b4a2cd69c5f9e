"""Reading invoices: CPU for each record, wall time, memory, calls and bytes, side by side."""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import contenders, environments, journals, measure
from benchmarks.contenders import FIRST, READERS, Contender, Place, Prebuilt, only
from benchmarks.environments import CLASSIC, OURS, TEMPLATE
from benchmarks.equality import differences
from benchmarks.measure import Sample, Spread
from benchmarks.nights import Night
from benchmarks.tables import titled

SMALL = 1000
"""Invoices of the short run; what a long one takes beyond it is the cost of its further records, without the start."""

NESTED = {"nested_tables": True}
"""Settings with which journal lines are a stream of their own."""

PlaceOf = Callable[[int], Place]
"""A place that holds so many invoices."""


def say(text: str) -> None:
    """Tell what is going on, beside the tables."""
    print(text, file=sys.stderr, flush=True)


def records_in(path: Path) -> int:
    """How many records an output has."""
    with path.open("rb") as lines:
        return sum(json.loads(line)["type"] == "RECORD" for line in lines)


class Race:
    """Several contenders read the same invoices in turn, as often as wanted, so that what disturbs one disturbs all."""

    def __init__(
        self, folder: Path, place_of: PlaceOf, records: int, repeats: int, *, shares: bool = True
    ) -> None:
        self.folder, self.place_of, self.repeats = folder, place_of, repeats
        self.records, self.shares = records, shares
        self.small: dict[Contender, list[Sample]] = defaultdict(list)
        self.large: dict[Contender, list[Sample]] = defaultdict(list)
        self.counted: dict[Contender, dict[str, Any]] = {}

    def size(self, contender: Contender) -> int:
        """How many records are enough for a contender."""
        return max(2 * SMALL, int(self.records * contender.share)) if self.shares else self.records

    def run(self, field: Sequence[Contender], *, pipe: bool = False) -> None:
        """Read, with a run before that checks the number of records and warms up what can be warmed."""
        for turn in range(self.repeats + 1):
            for contender in field:
                for size, samples in ((SMALL, self.small), (self.size(contender), self.large)):
                    place = self.place_of(size)
                    command = contender.prepare(place, self.folder / str(READERS.index(contender)))
                    env = contenders.environment(self.folder)
                    if turn == 0:
                        out = self.folder / "out"
                        measure.run(command, env=env, out=out)
                        found = records_in(out)
                        if found != size:
                            raise measure.Failed(f"{contender.name} gave {found} of {size} records")
                        continue
                    samples[contender].append(measure.run(command, env=env, pipe=pipe))
                    if isinstance(place, Prebuilt):
                        self.counted[contender] = place.counted()
            say(f"reading: round {turn} of {self.repeats} done")

    def per_record(self, contender: Contender) -> list[float]:
        """CPU seconds for each further record, of each round: a long run less the short one just before it."""
        rounds = zip(self.small[contender], self.large[contender], strict=True)
        return [(large.cpu - small.cpu) / (self.size(contender) - SMALL) for small, large in rounds]

    def ratio(self, contender: Contender) -> Spread:
        """How many times the CPU of our tap a contender takes, round by round."""
        rounds = zip(self.per_record(contender), self.per_record(FIRST), strict=True)
        return Spread.of(theirs / ours for theirs, ours in rounds)

    def least(self, contender: Contender) -> float:
        """CPU seconds for each further record of the runs that were disturbed least."""
        small, large = (min(one.cpu for one in runs[contender]) for runs in (self.small, self.large))
        return (large - small) / (self.size(contender) - SMALL)

    def rows(self, field: Sequence[Contender]) -> list[list[str]]:
        """A line for each contender."""
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
                    f"{max(sample.rss for sample in large) / 2**20:.0f}",
                    f"{counted['calls']:,}" if counted else "",
                    f"{counted['bytes'] / 1e6:.1f}" if counted else "",
                ]
            )
        return found


HEAD = [
    "", "CPU µs/record", "times tap-xero's", "least µs", "times", f"CPU s, {SMALL:,} records", "records", "records/s",
    "peak MB", "calls", "MB received",
]  # fmt: skip


def from_pages(folder: Path, records: int, repeats: int) -> None:
    """From the server of pre-built pages, to /dev/null and through a pipe."""
    versions = [
        f"classic tap-xero {environments.version(CLASSIC, 'tap-xero')}",
        f"singer-sdk {environments.version(TEMPLATE, 'singer-sdk')} in the template's",
        f"{environments.version(OURS, 'singer-sdk')} in ours",
    ]
    with contenders.prebuilt() as place:

        def place_of(size: int) -> Place:
            place.set(invoices=size)
            return place

        race = Race(folder, place_of, records, repeats)
        race.run(READERS)
        titled(
            "Reading invoices, pre-built pages, to /dev/null",
            HEAD,
            race.rows(READERS),
            ", ".join(versions) + ".",
        )
        field = [one for one in READERS if one.page_size == 1000 or one.kind == "classic"]
        race = Race(folder, place_of, records, max(1, repeats // 2))
        race.run(field, pipe=True)
        titled("The same through a pipe to `cat`", HEAD, race.rows(field))


def varied(folder: Path, records: int, repeats: int) -> None:
    """Invoices as various as the demo company's, and whole processes of two sizes, start-up included."""
    with contenders.prebuilt() as place:

        def place_of(size: int) -> Place:
            place.set(invoices=size, varied=True)
            return place

        field = [one for one in READERS if one.page_size == 1000 or one.kind == "classic"]
        race = Race(folder, place_of, records, repeats)
        race.run(field)
        titled("Reading various invoices, to /dev/null", HEAD, race.rows(field))


def whole(folder: Path, sizes: Sequence[int]) -> None:
    """CPU seconds of whole processes, start-up included, against the classic tap."""
    (classic,) = [one for one in READERS if one.kind == "classic"]
    rows = []
    with contenders.prebuilt() as place:
        for size in sizes:
            place.set(invoices=size)
            taken = {}
            for one in (FIRST, classic):
                command = one.prepare(place, folder / one.kind)
                taken[one] = measure.run(command, env=contenders.environment(folder))
            ours, theirs = taken[FIRST], taken[classic]
            rows.append(
                [f"{size:,}", f"{ours.cpu:.2f}", f"{theirs.cpu:.2f}", f"{theirs.cpu / ours.cpu:.1f}",
                 f"{ours.wall:.1f}", f"{theirs.wall:.1f}"]
            )  # fmt: skip
            say(f"whole: {rows[-1]}")
    titled(
        "Whole processes, start-up included",
        ["invoices", "tap-xero, CPU s", "classic, CPU s", "times", "tap-xero, wall s", "classic, wall s"],
        rows,
    )


def rows(folder: Path, sizes: Sequence[int]) -> None:
    """Journal lines, each a record of its own: CPU and memory of three sizes, and the line through them."""
    found = []
    with contenders.prebuilt() as place:
        for size in sizes:
            place.set(journals=size // journals.LINES)
            command = FIRST.prepare(place, folder / "ours", **NESTED)
            command[command.index("--catalog") + 1] = only("journals", "journal_lines", **NESTED)
            found.append((size, measure.run(command, env=contenders.environment(folder))))
            say(f"rows: {size:,} lines, {found[-1][1].cpu:.1f} CPU s, {found[-1][1].rss / 2**20:.0f} MB")
    per_row, start = statistics.linear_regression([size for size, _ in found], [one.cpu for _, one in found])
    growth = statistics.linear_regression(
        [math.log(size) for size, _ in found], [math.log(one.cpu) for _, one in found]
    ).slope
    titled(
        "Journals with twenty lines each",
        ["lines", "CPU s", "CPU s by the line through all", "µs a line", "wall s", "peak MB"],
        [
            [f"{size:,}", f"{one.cpu:.1f}", f"{start + per_row * size:.1f}", f"{one.cpu / size * 1e6:.1f}",
             f"{one.wall:.1f}", f"{one.rss / 2**20:.0f}"]
            for size, one in found
        ],
        f"A line costs {per_row * 1e6:.1f} µs, the start {start:.1f} s. CPU grows with the rows to the power of "
        f"{growth:.3f}.",
    )  # fmt: skip
    if growth > 1.05:
        raise measure.Failed(f"the cost of a row grows: CPU is rows to the power of {growth:.3f}")
    if found[-1][1].rss > found[0][1].rss * 1.25:
        raise measure.Failed("memory grows with the rows")


def from_sandbox(folder: Path, records: int, repeats: int) -> None:
    """From the sandbox, whose invoices have one to five lines and more fields."""
    with ExitStack() as stack:
        places = {
            size: stack.enter_context(contenders.sandbox("--invoices", str(size)))
            for size in {SMALL, records}
        }
        field = [one for one in READERS if one.page_size == 1000 or one.kind == "classic"]
        race = Race(folder, places.__getitem__, records, repeats, shares=False)
        race.run(field)
        titled("Reading invoices from the sandbox", HEAD[:-2], [row[:-2] for row in race.rows(field)])


def equal(folder: Path, records: int) -> None:
    """Compare our records with those of the SDK's template, over both servers."""
    (template,) = [one for one in READERS if one.kind == "template" and one.page_size == 1000]
    rows = []
    with contenders.prebuilt() as pages, contenders.sandbox("--invoices", str(records)) as sandbox:
        pages.set(invoices=records)
        for name, place in (("pre-built pages", pages), ("sandbox", sandbox)):
            outs = []
            for one in (FIRST, template):
                outs.append(folder / f"{one.kind}.jsonl")
                measure.run(
                    one.prepare(place, folder / one.kind), env=contenders.environment(folder), out=outs[-1]
                )
            with outs[0].open("rb") as ours, outs[1].open("rb") as theirs:
                compared, found = differences(ours, theirs)
            rows.append([name, f"{compared:,}", f"{len(found):,}"])
            for difference in found[:5]:
                say(f"different: {difference}")
    titled("The same records as the SDK's slow path gives", ["", "compared", "different"], rows)


def start_up(folder: Path, repeats: int) -> None:
    """What a command costs before it does anything."""
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
        "classic tap-xero, import": [classic, "-c", "import tap_xero"],
    }
    samples: dict[str, list[Sample]] = defaultdict(list)
    with contenders.sandbox() as place:
        for name, streams in {"contacts": ("contacts",), "all streams": ()}.items():
            own = folder / name
            own.mkdir()
            night = Night(own, place, *streams)
            night.run()
            commands[f"tap-xero, an idle run of {name}"] = night.command
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
                f"{max(one.rss for one in taken) / 2**20:.0f}",
            ]
        )
    titled("Start-up", ["", "CPU ms", "times `import singer_sdk`", "wall ms", "peak MB"], rows)


def memory(folder: Path, sizes: Sequence[int]) -> None:
    """The most memory while many invoices are read, fast and with a slow server."""
    rows = []
    with contenders.prebuilt() as place:
        for size in sizes:
            for latency in (0.0, 0.3) if size <= 100_000 else (0.0,):
                place.set(invoices=size, latency=latency)
                sample = measure.run(
                    FIRST.prepare(place, folder / "ours"), env=contenders.environment(folder)
                )
                counted = place.counted()
                rows.append(
                    [f"{size:,} invoices, {latency:g} s a page", f"{sample.rss / 2**20:.0f}", f"{sample.cpu:.1f}",
                     f"{sample.wall:.1f}", f"{counted['calls']:,}", f"{counted['most_at_once']}"]
                )  # fmt: skip
                say(f"memory: {rows[-1]}")
    titled("Memory", ["tap-xero", "peak MB", "CPU s", "wall s", "calls", "at once"], rows)
