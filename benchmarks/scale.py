"""What one machine does for thousands of organisations in a night: partly measured, the rest worked out from it.

    python -m benchmarks.scale                  # measures with 50 and 350 organisations, and simulates 3,000
    python -m benchmarks.scale --measure 3000   # measures that many as well: minutes of CPU

Measured: CPU, memory and STATE of the tap over a server on loopback that holds empty lists and a few invoices for each
organisation, without waiting for any limit. Simulated: the waiting. A night is played through call by call with the
tap's own windows (`singer_xero.api.limits`) on one side and the sandbox's limits and clock on the other; lists are
read in the order of `tap_xero.reads.prefetch`, by as many threads and through as large a spool.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import contenders, measure
from benchmarks.server import tenant
from benchmarks.tables import titled
from singer_xero.api import limits as client_limits
from singer_xero.objects import OBJECTS
from tap_xero.reads import prefetch
from xero_sandbox import apps
from xero_sandbox.limits import Exceeded, Limits
from xero_sandbox.state.clock import Clock

ROOT = Path(__file__).resolve().parent.parent
LISTS = [name for name, xero in OBJECTS.items() if xero.selected and "/" not in xero.path]
"""The streams that are read by default, but for what isn't a list of its own."""
STREAMS = len(LISTS)
SEEN = "2023-12-31T23:58:50.000000Z"
"""The bookmarks, which must lie before the time of the server: the tap checks later ones with a second call."""
PAGE_BYTES = 330_000
"""A page of a thousand invoices, packed."""

# The tap as it is, but that it doesn't keep the app's ten thousand a minute: here its CPU is looked at.
TAP = (
    "import singer_xero.api.limits as l; l.APP_PER_MINUTE = 10**9; from tap_xero.__main__ import main; main()"
)


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
            "replication_key": OBJECTS[stream].cursor,
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


def cost_of(
    few: list[Measured], many: list[Measured], most: list[Measured], with_records: list[Measured]
) -> Cost:
    """What the runs come to, by the cheapest of each kind: whatever else the machine does makes them dearer.

    `with_records` has as many organisations as `many`; calls and memory go by `few` and `most`.
    """

    def least(of: Callable[[Measured], float], runs: list[Measured]) -> float:
        return min(map(of, runs))

    def cpu(one: Measured) -> float:
        return one.cpu

    def memory(one: Measured) -> float:
        return one.memory

    calls = most[0].calls - few[0].calls
    organisations = most[0].organisations - few[0].organisations
    call = (least(cpu, most) - least(cpu, few)) / calls
    records = with_records[0].records * with_records[0].organisations
    record = (least(cpu, with_records) - least(cpu, many)) / records
    each = (least(memory, most) - least(memory, few)) / organisations
    base = least(memory, few) - each * few[0].organisations
    return Cost(least(cpu, few) - call * few[0].calls, call, record, base, each)


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
    todo: int = 0
    """Pages that nobody has been told to fetch."""
    flying: int = 0
    answered: int = 0
    """Answers that wait for room."""
    put: int = 0
    ready: int = 0
    """Bytes that lie ready."""


@dataclass
class _Process:
    lists: Iterator[tuple[int, int]]
    app: client_limits.Window
    idle: int
    """Threads for lists that have nothing to do."""
    free: int
    """The same for calls that one list makes at once."""
    order: list[_List] = field(default_factory=list)
    at: int = 0
    lying: int = 0
    flying: int = 0
    queue: deque[_List] = field(default_factory=deque)
    stuck: list[_List] = field(default_factory=list)
    busy_until: float = 0.0
    cpu: float = 0.0
    held_until: float = 0.0

    @property
    def consumed(self) -> _List | None:
        """The list that is being passed on."""
        return self.order[self.at] if self.at < len(self.order) else None


class Simulation:
    """A night, played through with a clock that jumps from event to event.

    `latency`: seconds between a call and its answer. `spool`: bytes that may lie ready in each process.
    """

    def __init__(self, night: Night, cost: Cost, processes: int, latency: float, spool: int = prefetch.SPOOL):
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
        self._waiting: list[deque[Callable[[], None]]] = [deque() for _ in range(night.organisations)]
        shares = [
            range(first * night.organisations // processes, (first + 1) * night.organisations // processes)
            for first in range(processes)
        ]
        self.processes = [
            _Process(
                night.lists(share),
                client_limits.Window(client_limits.APP_PER_MINUTE),
                *[prefetch.threads_for(len(share))] * 2,
            )
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
        if self.sent != self.night.calls:
            raise RuntimeError(f"{self.sent:,} of {self.night.calls:,} calls were made")
        return max(self.now, *(process.busy_until for process in self.processes))

    def _at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._turn), event))

    def _begin(self, process: _Process) -> None:
        """Threads that are free take the next lists."""
        while process.idle and len(process.order) - process.at < prefetch.LANES:
            following = next(process.lists, None)
            if following is None:
                return
            process.idle -= 1
            lane = _List(*following, todo=following[1] - 1)
            process.order.append(lane)
            self._call(process, lane, pooled=False)

    def _call(self, process: _Process, lane: _List, *, pooled: bool) -> None:
        """Make a call as soon as the tap's windows allow it."""
        organisation = lane.organisation
        again = partial(self._call, process, lane, pooled=pooled)
        if self._flying[organisation] >= client_limits.AT_ONCE:
            self._waiting[organisation].append(again)
            return
        windows = (self._windows[organisation], process.app)
        delay = max(process.held_until - self.now, *(window.delay(self.now) for window in windows))
        if delay > 0:
            self._at(self.now + delay, again)
            return
        self._clock.set(self._began + timedelta(seconds=self.now))
        try:
            self._server.enter(apps.WEB_APP, tenant(organisation))
        except Exceeded as refusal:  # another process has used up the app's minute
            self.refused += 1
            process.held_until = self.now + (refusal.retry_after or 1)
            again()
            return
        for window in windows:
            window.begin()
        self._flying[organisation] += 1
        self.sent += 1
        self._at(self.now + self.latency, partial(self._answer, process, lane, pooled=pooled))

    def _answer(self, process: _Process, lane: _List, *, pooled: bool) -> None:
        """An answer has come: it takes CPU, one after another within a process."""
        organisation = lane.organisation
        self._clock.set(self._began + timedelta(seconds=self.now))
        self._server.leave(apps.WEB_APP, tenant(organisation))
        self._flying[organisation] -= 1
        self._windows[organisation].end(self.now)
        process.app.end(self.now)
        headers = self._server.headers(apps.WEB_APP, tenant(organisation))
        process.app.note_left(int(headers["X-AppMinLimit-Remaining"]), self.now)
        if self._waiting[organisation]:
            self._waiting[organisation].popleft()()
        seconds = self._call_cpu if lane.calls == 1 else self._page_cpu
        process.cpu += seconds
        process.busy_until = max(process.busy_until, self.now) + seconds
        self._at(process.busy_until, partial(self._landed, process, lane, pooled=pooled))

    def _landed(self, process: _Process, lane: _List, *, pooled: bool) -> None:
        lane.answered += 1
        if pooled:
            lane.flying -= 1
            process.flying -= 1
            process.free += 1
            if process.queue:
                self._fetch(process, process.queue.popleft())
        self._put(process, lane)

    def _fetch(self, process: _Process, lane: _List) -> None:
        process.free -= 1
        self._call(process, lane, pooled=True)

    def _ask(self, process: _Process, lane: _List) -> None:
        """Order the next pages: as many as may be under way, and the one that is wanted next."""
        while lane.todo and (lane.flying < self._width(process, lane) or not lane.flying + lane.answered):
            lane.todo -= 1
            lane.flying += 1
            process.flying += 1
            if process.free:
                self._fetch(process, lane)
            else:
                process.queue.append(lane)

    def _width(self, process: _Process, lane: _List) -> int:
        if lane is process.consumed:
            return prefetch.WINDOW - 2 * lane.answered
        room = self._room(process, lane) - process.lying - process.flying * PAGE_BYTES
        return (prefetch.WINDOW if room >= prefetch.WINDOW * PAGE_BYTES else 1) - lane.answered

    def _room(self, process: _Process, lane: _List) -> int:
        near = process.order[process.at + 1 : process.at + 1 + prefetch.NEAR]
        return self.spool if any(lane is one for one in near) else self.spool // prefetch.NEAR

    def _put(self, process: _Process, lane: _List) -> None:
        """Lay answers ready, as far as there is room or their list is the one being consumed."""
        size = PAGE_BYTES if lane.calls > 1 else 300
        while lane.answered:
            if lane is not process.consumed:
                if process.lying + size > self._room(process, lane):
                    process.stuck.append(lane)
                    return
                process.lying += size
                lane.ready += size
                self.most = max(self.most, process.lying)
            lane.answered -= 1
            lane.put += 1
        self._ask(process, lane)
        if lane.put == lane.calls:
            process.idle += 1
            self._consume(process)
            self._begin(process)

    def _consume(self, process: _Process) -> None:
        """Pass on what is ready, in order; what had no room may come."""
        lain, at = process.lying, process.at
        while (lane := process.consumed) is not None:
            process.lying -= lane.ready
            lane.ready = 0
            if lane.put < lane.calls:
                if process.at > at:
                    self._ask(process, lane)
                break
            process.at += 1
        if process.lying < lain or process.at > at:
            stuck, process.stuck = process.stuck, []
            for one in stuck:
                self._at(self.now, partial(self._put, process, one))


# --- said -----------------------------------------------------------------------------------------------


def measured_rows(runs: list[Measured]) -> list[list[str]]:
    """A line for each kind of run, by the cheapest of them."""
    kinds: dict[tuple[int, int], list[Measured]] = {}
    for one in runs:
        kinds.setdefault((one.organisations, one.records), []).append(one)
    return [
        [
            f"{organisations:,}",
            f"{records:,}",
            f"{found[0].calls:,}",
            f"{(cpu := min(one.cpu for one in found)):.1f}",
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
            with_records.append(run(place, folder, 350, 900))
        more = [run(place, folder, organisations, 0) for organisations in options.measure]
    most = max([many, *([one] for one in more)], key=lambda runs: runs[0].organisations)
    cost = cost_of(few, many, most, with_records)
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
        (night, processes, latency, prefetch.SPOOL)
        for night in (idle, usual)
        for processes in (1, 2, 4)
        for latency in (0.3, 1.0)
    ]
    plans += [(first, processes, 0.6, prefetch.SPOOL) for processes in (1, 4, 20)]
    plans += [(first, 1, 0.6, endless)]
    head = ["night", "processes", "s per call", "calls", "minutes", "by the app's limit"]
    head += ["calls/minute", "CPU min", "cores", "MB", "refused"]
    rows = [simulated_row(*plan[:1], cost, *plan[1:]) for plan in plans]
    rows[-1][0] += ", endless spool"
    titled(f"Simulated: {options.organisations:,} organisations", head, rows)


if __name__ == "__main__":
    main()
