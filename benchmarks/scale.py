"""What one machine does for thousands of organisations in a night: partly measured, the rest worked out from it.

    python -m benchmarks.scale                  # measures with 50 and 350 organisations, and simulates 3,000
    python -m benchmarks.scale --measure 3000   # measures that many as well: minutes of CPU

Measured: CPU, memory and STATE of the tap over a server on loopback that holds empty lists and a few invoices for each
organisation, without waiting for any limit. Simulated: the waiting. A night is played through call by call with the
tap's own windows (`tap_xero.api.limits`) on one side and the sandbox's limits and clock on the other; lists are read in
the order of `tap_xero.ahead`, by as many threads and through as large a spool.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import contenders, measure
from benchmarks.server import tenant
from benchmarks.tables import titled
from tap_xero import ahead
from tap_xero.api import limits as client_limits
from tap_xero.objects import OBJECTS
from tap_xero.sandbox import apps
from tap_xero.sandbox.clock import Clock
from tap_xero.sandbox.limits import Exceeded, Limits

ROOT = Path(__file__).resolve().parent.parent
LISTS = [name for name, xero in OBJECTS.items() if xero.selected and "/" not in xero.path]
"""The streams that are read by default, but for what isn't a list of its own."""
STREAMS = len(LISTS)
SEEN = "2026-11-01T00:01:10.000000Z"
PAGE_BYTES = 2_000_000
"""A page of a thousand invoices, unpacked."""

# The tap as it is, but that it doesn't keep the app's ten thousand a minute: here its CPU is looked at.
TAP = "import tap_xero.api.limits as l; l.APP_PER_MINUTE = 10**9; from tap_xero.__main__ import main; main()"


# --- measured -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A run over so many organisations, with so many records in each: CPU seconds, bytes of memory and of STATE."""

    organisations: int
    records: int
    calls: int
    cpu: float
    memory: int
    states: tuple[int, ...]


def state_of(organisations: int) -> dict[str, object]:
    """The state that an earlier night has left: a bookmark in each incremental stream, and the row at its border."""

    def part(stream: str, number: int) -> dict[str, object]:
        found: dict[str, object] = {
            "context": {"tenant_id": tenant(number)},
            "replication_key": OBJECTS[stream].marker,
            "replication_key_value": 7 if stream == "journals" else SEEN,
        }
        if stream != "journals":
            found["border"] = {"at": SEEN, "rows": [[tenant(number), SEEN]]}
        return found

    streams = [name for name in LISTS if OBJECTS[name].incremental]
    return {
        "bookmarks": {name: {"partitions": [part(name, n) for n in range(organisations)]} for name in streams}
    }


def catalog() -> dict[str, object]:
    """A catalogue of these lists."""
    chosen = [{"breadcrumb": [], "metadata": {"selected": True}}]
    return {
        "streams": [
            {"tap_stream_id": name, "schema": OBJECTS[name].schema(with_tenant=True), "metadata": chosen}
            for name in LISTS
        ]
    }


def run(place: contenders.Prebuilt, folder: Path, organisations: int, records: int) -> Measured:
    """Run the tap once."""
    place.set(tenants=organisations, invoices=records)
    config = {
        "client_id": place.client_id,
        "client_secret": place.client_secret,
        "refresh_token": "first",
        "token_path": str(folder / f"tokens-{organisations}-{records}.json"),
        "api_url": place.url,
        "identity_url": place.url,
        "tenant_ids": list(place.tenants),
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "state.json").write_text(json.dumps(state_of(organisations)))
    (folder / "catalog.json").write_text(json.dumps(catalog()))
    out = folder / "out"
    files = [
        word
        for name in ("config", "state", "catalog")
        for word in (f"--{name}", str(folder / f"{name}.json"))
    ]
    sample = measure.run(
        [sys.executable, "-c", TAP, *files], env={**os.environ, "PYTHONPATH": str(ROOT)}, out=out
    )
    with out.open("rb") as lines:
        states = tuple(len(line) for line in lines if line.startswith(b'{"type":"STATE"'))
    return Measured(organisations, records, place.counted()["calls"], sample.cpu, sample.rss, states)


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a run's start, of each call and of each record; bytes of memory, alone and per organisation."""

    start: float
    call: float
    record: float
    memory: float
    memory_each: float


def cost_of(few: list[Measured], many: list[Measured], with_records: list[Measured]) -> Cost:
    """What the runs come to, by the middle of each kind."""

    def middle(of: Callable[[Measured], float], runs: list[Measured]) -> float:
        return statistics.median(map(of, runs))

    def cpu(one: Measured) -> float:
        return one.cpu

    def memory(one: Measured) -> float:
        return one.memory

    calls = many[0].calls - few[0].calls
    organisations = many[0].organisations - few[0].organisations
    call = (middle(cpu, many) - middle(cpu, few)) / calls
    records = with_records[0].records * with_records[0].organisations
    record = (middle(cpu, with_records) - middle(cpu, many)) / records
    each = (middle(memory, many) - middle(memory, few)) / organisations
    base = middle(memory, few) - each * few[0].organisations
    return Cost(middle(cpu, few) - call * few[0].calls, call, record, base, each)


# --- simulated ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Night:
    """What is to be read: `pages` calls of a full page in each organisation beside a call for each list."""

    name: str
    organisations: int
    records: int = 0
    pages: int = 0

    @property
    def calls(self) -> int:
        return self.organisations * (STREAMS + self.pages)

    def lists(self, mine: range) -> Iterator[tuple[int, int]]:
        """(organisation, calls) of each list, stream by stream as the tap reads them; one stream has the pages."""
        for stream in range(STREAMS):
            for organisation in mine:
                yield organisation, 1 + (self.pages if stream == STREAMS // 2 else 0)


@dataclass
class _List:
    organisation: int
    calls: int
    ready: int = 0
    ended: bool = False
    blocked: Callable[[], None] | None = None


@dataclass
class _Process:
    lists: Iterator[tuple[int, int]]
    app: client_limits.Window
    order: list[_List] = field(default_factory=list)
    at: int = 0
    lying: int = 0
    idle: int = 0
    begun: int = 0
    busy_until: float = 0.0
    cpu: float = 0.0
    held_until: float = 0.0


class Simulation:
    """A night, played through with a clock that jumps from event to event.

    `latency`: seconds between a call and its answer. `spool`: bytes that may lie ready in each process.
    """

    def __init__(self, night: Night, cost: Cost, processes: int, latency: float, spool: int = ahead.SPOOL):
        self.night, self.cost, self.latency, self.spool = night, cost, latency, spool
        self.now, self.refused, self.sent, self.most = 0.0, 0, 0, 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._turn = count()
        self._clock = Clock()
        self._clock.freeze()
        self._began = self._clock.now()
        self._server = Limits(self._clock)
        self._windows = [client_limits.Window(client_limits.PER_MINUTE) for _ in range(night.organisations)]
        self._flying = [0] * night.organisations
        shares = [
            range(first * night.organisations // processes, (first + 1) * night.organisations // processes)
            for first in range(processes)
        ]
        self.processes = [
            _Process(night.lists(share), client_limits.Window(client_limits.APP_PER_MINUTE))
            for share in shares
        ]
        self._call_cpu = cost.call + cost.record * night.records / STREAMS
        self._page_cpu = cost.call + cost.record * 1000

    def play(self) -> float:
        """Seconds that the night takes."""
        for process in self.processes:
            process.busy_until = process.cpu = self.cost.start
            self._begin(process)
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()
        assert self.sent == self.night.calls
        return max(self.now, *(process.busy_until for process in self.processes))

    def _at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._turn), event))

    def _begin(self, process: _Process) -> None:
        """Threads that are free take the next lists."""
        while process.idle and process.begun - process.at < ahead.LANES:
            following = next(process.lists, None)
            if following is None:
                return
            process.idle -= 1
            process.begun += 1
            process.order.append(_List(*following))
            self._call(process, process.order[-1], process.order[-1].calls)

    def _call(self, process: _Process, lane: _List, left: int) -> None:
        """Make a call as soon as the tap's windows allow it."""
        organisation = lane.organisation
        delay = max(
            process.held_until - self.now,
            self._windows[organisation].delay(self.now),
            process.app.delay(self.now),
            0.01 if self._flying[organisation] >= client_limits.AT_ONCE else 0.0,
        )
        if delay > 0:
            self._at(self.now + delay, lambda: self._call(process, lane, left))
            return
        self._clock.set(self._began + timedelta(seconds=self.now))
        try:
            self._server.enter(apps.WEB_APP, tenant(organisation))
        except Exceeded as refusal:  # another process has used up the app's minute
            self.refused += 1
            process.held_until = self.now + (refusal.retry_after or 1)
            self._call(process, lane, left)
            return
        self._windows[organisation].begin()
        process.app.begin()
        self._flying[organisation] += 1
        self.sent += 1
        self._at(self.now + self.latency, lambda: self._answer(process, lane, left))

    def _answer(self, process: _Process, lane: _List, left: int) -> None:
        """An answer has come: it takes CPU, one after another within a process."""
        self._clock.set(self._began + timedelta(seconds=self.now))
        self._server.leave(apps.WEB_APP, tenant(lane.organisation))
        self._flying[lane.organisation] -= 1
        self._windows[lane.organisation].end(self.now)
        process.app.end(self.now)
        headers = self._server.headers(apps.WEB_APP, tenant(lane.organisation))
        process.app.heard(int(headers["X-AppMinLimit-Remaining"]), self.now)
        seconds = self._call_cpu if lane.calls == 1 else self._page_cpu
        process.cpu += seconds
        process.busy_until = max(process.busy_until, self.now) + seconds
        self._at(process.busy_until, lambda: self._put(process, lane, left))

    def _put(self, process: _Process, lane: _List, left: int) -> None:
        """Lay the answer ready, if there is room or its list is the one being consumed."""
        size = PAGE_BYTES if lane.calls > 1 else 300
        consumed = process.order[process.at] is lane
        if not consumed and process.lying + size > self.spool:
            lane.blocked = lambda: self._put(process, lane, left)
            return
        if not consumed:
            process.lying += size
            lane.ready += size
            self.most = max(self.most, process.lying)
        lane.ended = left == 1
        if lane.ended:
            process.idle += 1
            self._consume(process)
            self._begin(process)
        else:
            self._call(process, lane, left - 1)

    def _consume(self, process: _Process) -> None:
        """Pass on what is ready, in order; what was blocked may come."""
        while process.at < len(process.order):
            lane = process.order[process.at]
            process.lying -= lane.ready
            lane.ready = 0
            if not lane.ended:
                break
            process.at += 1
        for lane in process.order[process.at : process.at + ahead.LANES]:
            if lane.blocked:
                go, lane.blocked = lane.blocked, None
                self._at(self.now, go)


# --- said -----------------------------------------------------------------------------------------------


def measured_rows(runs: list[Measured]) -> list[list[str]]:
    """A line for each kind of run, by its middle."""
    kinds: dict[tuple[int, int], list[Measured]] = {}
    for one in runs:
        kinds.setdefault((one.organisations, one.records), []).append(one)
    return [
        [
            f"{organisations:,}",
            f"{records:,}",
            f"{found[0].calls:,}",
            f"{(cpu := statistics.median(one.cpu for one in found)):.1f}",
            f"{cpu / organisations * 1000:.0f}",
            f"{max(one.memory for one in found) / 1e6:.0f}",
            f"{len(found[0].states)}",
            f"{max(found[0].states) / 1e6:.2f}",
        ]
        for (organisations, records), found in kinds.items()
    ]


def simulated_row(night: Night, cost: Cost, processes: int, latency: float, spool: int) -> list[str]:
    """A night in a line."""
    simulation = Simulation(night, cost, processes, latency, spool)
    seconds = simulation.play()
    cpu = sum(process.cpu for process in simulation.processes)
    memory = cost.memory + cost.memory_each * night.organisations / processes + min(spool, simulation.most)
    return [
        night.name,
        f"{processes}",
        f"{latency:g}",
        f"{night.calls:,}",
        f"{seconds / 60:.1f}",
        f"{night.calls / client_limits.APP_PER_MINUTE:.1f}",
        f"{night.calls / seconds * 60:,.0f}",
        f"{cpu / 60:.1f}",
        f"{cpu / seconds:.2f}",
        f"{memory * processes / 1e6:.0f}",
        f"{simulation.refused}",
    ]


def main() -> None:
    """Measure, simulate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--organisations", type=int, default=3000, help="to simulate (default: 3,000)")
    parser.add_argument("--measure", type=int, action="append", default=[], help="measure so many as well")
    parser.add_argument("--repeats", type=int, default=3, help="how often to measure (default: 3)")
    options = parser.parse_args()
    print(f"{measure.machine()}\n")
    few, many, with_records, more = [], [], [], []
    with tempfile.TemporaryDirectory() as name, contenders.prebuilt() as place:
        folder = Path(name)
        for _ in range(options.repeats):
            few.append(run(place, folder, 50, 0))
            many.append(run(place, folder, 350, 0))
            with_records.append(run(place, folder, 350, 300))
        more = [run(place, folder, organisations, 0) for organisations in options.measure]
    cost = cost_of(few, many, with_records)
    titled(
        f"Measured: one process, {STREAMS} lists of each organisation",
        [
            "organisations",
            "records each",
            "calls",
            "CPU s",
            "CPU ms each",
            "peak MB",
            "STATEs",
            "longest, MB",
        ],
        measured_rows([*few, *many, *with_records, *more]),
        f"From these: {cost.start:.2f} s of CPU to start, {cost.call * 1000:.2f} ms for a call, "
        f"{cost.record * 1e6:.0f} µs for a record; {cost.memory / 1e6:.0f} MB and {cost.memory_each / 1e3:.0f} KB for "
        "each organisation.",
    )
    idle = Night("nothing new", options.organisations)
    usual = Night("200 records each", options.organisations, records=200)
    tenth = max(1, options.organisations // 10)
    first = Night(f"first, {tenth:,} of 100,000 rows", tenth, pages=100)
    endless = 10**12
    plans = [
        (night, processes, latency, ahead.SPOOL)
        for night in (idle, usual)
        for processes in (1, 2, 4)
        for latency in (0.3, 1.0)
    ]
    plans += [(first, processes, 0.6, ahead.SPOOL) for processes in (1, 4, 20)]
    plans += [(first, 1, 0.6, endless)]
    head = ["night", "processes", "s per call", "calls", "minutes", "by the app's limit"]
    head += ["calls/minute", "CPU min", "cores", "MB", "refused"]
    rows = [simulated_row(*plan[:1], cost, *plan[1:]) for plan in plans]
    rows[-1][0] += ", endless spool"
    titled(f"Simulated: {options.organisations:,} organisations", head, rows)


if __name__ == "__main__":
    main()
