"""Measures the tap with many organisations in one run, and simulates a night of thousands of them.

    python -m benchmarks.scale                  # measures 50 and 350 organisations, and simulates 3,000
    python -m benchmarks.scale --measure 3000   # also measures 3,000, which takes minutes of CPU

Measured: CPU, memory and STATE messages of the tap. It reads from a server on loopback that returns empty lists and a
few invoices for each organisation, and waits for no rate limit.

Simulated: the waiting. The simulation makes each call of the night. A call is sent when the tap's windows
(`singer_xero.api.limits`) allow it, and the sandbox's limits accept or refuse it. Lists are read in the order of
`tap_xero.reads.prefetch`, with as many threads and the same spool.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import sys
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count, pairwise
from pathlib import Path

from benchmarks import contenders, measure
from benchmarks.environments import ROOT
from benchmarks.server import tenant
from benchmarks.tables import titled
from singer_xero.api import limits
from singer_xero.objects import OBJECTS
from tap_xero.reads import prefetch
from xero_sandbox import apps
from xero_sandbox.limits import Exceeded, Limits
from xero_sandbox.state.clock import Clock

LISTS = [name for name, xero in OBJECTS.items() if xero.selected and "/" not in xero.path]
"""The streams that are selected by default and take one call."""

SEEN = "2023-12-31T23:58:50.000000Z"
"""The bookmarks, which must lie before the time of the server: the tap checks later ones with a second call."""

PAGE_BYTES = 330_000
"""A page of a thousand invoices, compressed."""

LIST_BYTES = 300
"""The answer of a list without changes."""

# The tap without the app's limit of 10,000 calls a minute.
TAP = (
    "import singer_xero.api.limits as l; l.APP_PER_MINUTE = 10**9; from tap_xero.__main__ import main; main()"
)


# --- measured -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A run over `organisations` with `records` in each: calls, CPU seconds, peak memory and STATEs in bytes."""

    organisations: int
    records: int
    calls: int
    cpu: float
    memory: int
    states: tuple[int, ...]


Runs = Mapping[tuple[int, int], list[Measured]]
"""Runs by their number of organisations and of records in each."""


def state_of(organisations: int) -> dict[str, object]:
    """The state after an earlier night: a bookmark and the row at it, in each incremental stream of an organisation."""

    def partition(stream: str, number: int) -> dict[str, object]:
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
        "bookmarks": {
            name: {"partitions": [partition(name, n) for n in range(organisations)]} for name in streams
        }
    }


def catalog() -> dict[str, object]:
    """A catalog of `LISTS`, all selected."""
    selected = [{"breadcrumb": [], "metadata": {"selected": True}}]
    return {
        "streams": [
            {"tap_stream_id": name, "schema": OBJECTS[name].schema(with_tenant=True), "metadata": selected}
            for name in LISTS
        ]
    }


def run(place: contenders.Prebuilt, folder: Path, organisations: int, records: int) -> Measured:
    """Run the tap once."""
    place.set(tenants=organisations, invoices=records)
    folder = folder / f"{organisations}-{records}"
    folder.mkdir(exist_ok=True)
    config = {**place.settings(folder), "refresh_token": "first", "tenant_ids": list(place.tenants)}
    command: list[str | Path] = [sys.executable, "-c", TAP]
    for name, content in (("config", config), ("state", state_of(organisations)), ("catalog", catalog())):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        command += [f"--{name}", path]
    out = folder / "out"
    sample = measure.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, out=out)
    with out.open("rb") as lines:
        states = tuple(len(line) for line in lines if line.startswith(b'{"type":"STATE"'))
    return Measured(organisations, records, place.counted()["calls"], sample.cpu, sample.rss, states)


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the start, of a call and of a record; bytes of memory, and more for each organisation."""

    start: float
    call: float
    record: float
    memory: float
    memory_each: float

    @classmethod
    def of(cls, runs: Runs) -> Cost:
        """Calculate the costs from the cheapest run of each kind, which other programs disturbed least.

        Calls and memory are from the first runs without records and those with the most organisations. `runs` with
        records must be of a number of organisations that was also measured without.
        """
        cpu = {kind: min(one.cpu for one in found) for kind, found in runs.items()}
        memory = {kind: min(one.memory for one in found) for kind, found in runs.items()}
        calls = {kind: found[0].calls for kind, found in runs.items()}
        without = [kind for kind in runs if not kind[1]]
        few, most = without[0], max(without)
        full = next(kind for kind in runs if kind[1])
        call = (cpu[most] - cpu[few]) / (calls[most] - calls[few])
        record = (cpu[full] - cpu[full[0], 0]) / (full[0] * full[1])
        each = (memory[most] - memory[few]) / (most[0] - few[0])
        return cls(cpu[few] - call * calls[few], call, record, memory[few] - each * few[0], each)


# --- simulated ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Night:
    """The work of a night: in each organisation, one call for each list and `pages` calls of 1,000 records."""

    name: str
    organisations: int
    records: int = 0
    pages: int = 0

    @property
    def calls(self) -> int:
        return self.organisations * (len(LISTS) + self.pages)

    def lists(self, share: range) -> Iterator[tuple[int, int]]:
        """The organisation and the calls of each list, in the tap's order; the stream in the middle has the pages."""
        for stream in range(len(LISTS)):
            for organisation in share:
                yield organisation, 1 + (self.pages if stream == len(LISTS) // 2 else 0)


@dataclass
class _List:
    organisation: int
    calls: int
    unsent: int = 0
    """Pages that are not requested yet."""
    in_flight: int = 0
    answered: int = 0
    """Answers that wait for room in the spool."""
    done: int = 0
    """Answers that were put into the spool or consumed."""
    held: int = 0
    """Bytes in the spool."""


@dataclass
class _Process:
    lists: Iterator[tuple[int, int]]
    list_threads: int
    """Idle threads that read lists."""
    page_threads: int
    """Idle threads for the concurrent calls of a list."""
    app: limits.Window = field(default_factory=lambda: limits.Window(limits.APP_PER_MINUTE))
    order: list[_List] = field(default_factory=list)
    at: int = 0
    held: int = 0
    """Bytes in the spool."""
    in_flight: int = 0
    queue: deque[_List] = field(default_factory=deque)
    blocked: list[_List] = field(default_factory=list)
    """Lists whose answers have no room in the spool."""
    busy_until: float = 0.0
    cpu: float = 0.0
    held_until: float = 0.0
    """The end of the wait after a refusal."""

    @property
    def consumed(self) -> _List | None:
        """The list that is written to the output."""
        return self.order[self.at] if self.at < len(self.order) else None


class Simulation:
    """A night on a clock that jumps from event to event.

    `latency` is in seconds for each call. `spool` is the most bytes that a process holds for later lists.
    """

    def __init__(
        self, night: Night, cost: Cost, processes: int, latency: float, spool: int = prefetch.SPOOL
    ) -> None:
        self.night, self.cost, self.latency, self.spool = night, cost, latency, spool
        self.now, self.refused, self.sent, self.most = 0.0, 0, 0, 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._clock = Clock()
        self._clock.freeze()
        self._began = self._clock.now()
        self._server = Limits(self._clock)
        organisations = night.organisations
        self._windows = [limits.Window(limits.PER_MINUTE) for _ in range(organisations)]
        self._in_flight = [0] * organisations
        self._waiting: list[deque[Callable[[], None]]] = [deque() for _ in range(organisations)]
        bounds = [number * organisations // processes for number in range(processes + 1)]
        self.processes = []
        for first, end in pairwise(bounds):
            threads = prefetch.threads_for(end - first)
            self.processes.append(_Process(night.lists(range(first, end)), threads, threads))
        self._call_cpu = cost.call + cost.record * night.records / len(LISTS)
        self._page_cpu = cost.call + cost.record * 1000

    def play(self) -> float:
        """Simulate the night. Returns its length in seconds."""
        for process in self.processes:
            process.busy_until = process.cpu = self.cost.start
            self._begin(process)
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            self._clock.set(self._began + timedelta(seconds=self.now))
            event()
        if self.sent != self.night.calls:
            raise RuntimeError(f"{self.sent:,} of {self.night.calls:,} calls were made")
        return max(self.now, *(process.busy_until for process in self.processes))

    def _at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._number), event))

    def _begin(self, process: _Process) -> None:
        """Begin the next lists on idle threads."""
        while process.list_threads and len(process.order) - process.at < prefetch.LANES:
            following = next(process.lists, None)
            if following is None:
                return
            process.list_threads -= 1
            lane = _List(*following, unsent=following[1] - 1)
            process.order.append(lane)
            self._call(process, lane, is_page=False)

    def _call(self, process: _Process, lane: _List, *, is_page: bool) -> None:
        """Make a call as soon as the tap's windows allow it."""
        organisation = lane.organisation
        again = partial(self._call, process, lane, is_page=is_page)
        if self._in_flight[organisation] >= limits.AT_ONCE:
            self._waiting[organisation].append(again)
            return
        windows = (self._windows[organisation], process.app)
        delay = max(process.held_until - self.now, *(window.delay(self.now) for window in windows))
        if delay > 0:
            self._at(self.now + delay, again)
            return
        try:
            self._server.enter(apps.WEB_APP, tenant(organisation))
        except Exceeded as refusal:  # another process has used the app's minute
            self.refused += 1
            process.held_until = self.now + (refusal.retry_after or 1)
            again()
            return
        for window in windows:
            window.begin()
        self._in_flight[organisation] += 1
        self.sent += 1
        self._at(self.now + self.latency, partial(self._answer, process, lane, is_page=is_page))

    def _answer(self, process: _Process, lane: _List, *, is_page: bool) -> None:
        """Receive an answer, which the process handles after those that came before."""
        organisation = lane.organisation
        self._server.leave(apps.WEB_APP, tenant(organisation))
        self._in_flight[organisation] -= 1
        self._windows[organisation].end(self.now)
        process.app.end(self.now)
        headers = self._server.headers(apps.WEB_APP, tenant(organisation))
        process.app.note_left(int(headers["X-AppMinLimit-Remaining"]), self.now)
        if self._waiting[organisation]:
            self._waiting[organisation].popleft()()
        seconds = self._call_cpu if lane.calls == 1 else self._page_cpu
        process.cpu += seconds
        process.busy_until = max(process.busy_until, self.now) + seconds
        self._at(process.busy_until, partial(self._handled, process, lane, is_page=is_page))

    def _handled(self, process: _Process, lane: _List, *, is_page: bool) -> None:
        lane.answered += 1
        if is_page:
            lane.in_flight -= 1
            process.in_flight -= 1
            process.page_threads += 1
            if process.queue:
                self._fetch(process, process.queue.popleft())
        self._put(process, lane)

    def _fetch(self, process: _Process, lane: _List) -> None:
        process.page_threads -= 1
        self._call(process, lane, is_page=True)

    def _request(self, process: _Process, lane: _List) -> None:
        """Request the next pages: as many as allowed, and always the one that is needed next."""
        while lane.unsent and (
            lane.in_flight < self._width(process, lane) or not lane.in_flight + lane.answered
        ):
            lane.unsent -= 1
            lane.in_flight += 1
            process.in_flight += 1
            if process.page_threads:
                self._fetch(process, lane)
            else:
                process.queue.append(lane)

    def _width(self, process: _Process, lane: _List) -> int:
        """How many concurrent calls a list may make."""
        if lane is process.consumed:
            return prefetch.WINDOW - 2 * lane.answered
        room = self._room(process, lane) - process.held - process.in_flight * PAGE_BYTES
        return (prefetch.WINDOW if room >= prefetch.WINDOW * PAGE_BYTES else 1) - lane.answered

    def _room(self, process: _Process, lane: _List) -> int:
        """How many bytes the spool may hold when a list adds to it."""
        near = process.order[process.at + 1 : process.at + 1 + prefetch.NEAR]
        return self.spool if any(lane is one for one in near) else self.spool // prefetch.NEAR

    def _put(self, process: _Process, lane: _List) -> None:
        """Put answers into the spool as far as there is room. Those of the consumed list need none."""
        size = PAGE_BYTES if lane.calls > 1 else LIST_BYTES
        while lane.answered:
            if lane is not process.consumed:
                if process.held + size > self._room(process, lane):
                    process.blocked.append(lane)
                    return
                process.held += size
                lane.held += size
                self.most = max(self.most, process.held)
            lane.answered -= 1
            lane.done += 1
        self._request(process, lane)
        if lane.done == lane.calls:
            process.list_threads += 1
            self._consume(process)
            self._begin(process)

    def _consume(self, process: _Process) -> None:
        """Consume the lists in order as far as they are read, and let blocked ones use the room."""
        held, at = process.held, process.at
        while (lane := process.consumed) is not None:
            process.held -= lane.held
            lane.held = 0
            if lane.done < lane.calls:
                if process.at > at:
                    self._request(process, lane)
                break
            process.at += 1
        if process.held < held or process.at > at:
            blocked, process.blocked = process.blocked, []
            for one in blocked:
                self._at(self.now, partial(self._put, process, one))


# --- printed --------------------------------------------------------------------------------------------


def measured_rows(runs: Runs) -> list[list[str]]:
    """A row for each kind of run: the CPU of the cheapest one, and the highest memory."""
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
        for (organisations, records), found in runs.items()
    ]


def simulated_row(
    night: Night, cost: Cost, processes: int, latency: float, spool: int = prefetch.SPOOL
) -> list[str]:
    """Simulate a night. Returns its row."""
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
        f"{night.calls / limits.APP_PER_MINUTE:.1f}",
        f"{night.calls / seconds * 60:,.0f}",
        f"{cpu / 60:.1f}",
        f"{cpu / seconds:.2f}",
        f"{memory * processes / 1e6:.0f}",
        f"{simulation.refused}",
    ]


def main() -> None:
    """Measure, simulate, and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--organisations", type=int, default=3000, help="how many to simulate (default: 3,000)"
    )
    parser.add_argument("--measure", type=int, action="append", default=[], help="also measure this many")
    parser.add_argument("--repeats", type=int, default=3, help="repetitions of the measurement (default: 3)")
    options = parser.parse_args()
    print(f"{measure.machine()}\n")
    kinds = [(50, 0), (350, 0), (350, 900)] * options.repeats + [(number, 0) for number in options.measure]
    runs: dict[tuple[int, int], list[Measured]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, contenders.prebuilt() as place:
        for organisations, records in kinds:
            runs[organisations, records].append(run(place, Path(folder), organisations, records))
    cost = Cost.of(runs)
    head = [
        "organisations",
        "records each",
        "calls",
        "CPU s",
        "CPU ms each",
        "peak MB",
        "STATEs",
        "longest, MB",
    ]
    titled(
        f"Measured: one process, {len(LISTS)} lists of each organisation",
        head,
        measured_rows(runs),
        f"From these: {cost.start:.2f} s of CPU to start, {cost.call * 1000:.2f} ms for a call, "
        f"{cost.record * 1e6:.0f} µs for a record; {cost.memory / 1e6:.0f} MB and {cost.memory_each / 1e3:.0f} KB for "
        "each organisation.",
    )
    tenth = max(1, options.organisations // 10)
    first = Night(f"first, {tenth:,} of 100,000 rows", tenth, pages=100)
    usual = [
        Night("nothing new", options.organisations),
        Night("200 records each", options.organisations, records=200),
    ]
    rows = [
        simulated_row(night, cost, processes, latency)
        for night in usual
        for processes in (1, 2, 4)
        for latency in (0.3, 1.0)
    ]
    rows += [simulated_row(first, cost, processes, 0.6) for processes in (1, 4, 20)]
    rows.append(
        simulated_row(replace(first, name=f"{first.name}, unlimited spool"), cost, 1, 0.6, spool=10**12)
    )
    head = ["night", "processes", "seconds a call", "calls", "minutes", "dictated by the app's limit"]
    head += ["calls a minute", "CPU minutes", "cores used", "MB, all processes", "refused calls"]
    titled(f"Simulated: {options.organisations:,} organisations", head, rows)


if __name__ == "__main__":
    main()
