"""Reads ahead: while one list is passed on, those behind it are already being fetched.

Xero lets five calls of an organisation be under way at once, and most lists take one or two: read one after another,
a run is mostly waiting. Here a few threads fetch, the lists side by side and the organisations too, while the one
consumer gets each list's chunks in order, as if nothing else were going on. What lies ready is packed and bounded in
bytes; the list that is being consumed is never held up by what was fetched for later ones.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from tap_xero.paging import AtOnce, Chunk
from tap_xero.records import Body, Page, bodies_of

THREADS, MOST_THREADS = 20, 60
"""So many lists are read at once, and more for more organisations: sixty calls of a third of a second each are what
Xero allows an app. The client keeps each organisation to its five calls."""

WINDOW = 8
"""Pages of one list to ask for: the five calls that Xero lets an organisation have, and three next in line."""

SPOOL = 16 * 2**20
"""Bytes of answers that may lie ready, packed, for the lists whose turn comes later."""

DUE = 4 * 2**20
"""Bytes that may lie ready for the list that is being consumed; they aren't packed, for they are wanted at once."""

NEAR = 4
"""Lists whose turn comes next; the others have a quarter of the spool, so that it isn't spread over too many."""

ROW = 320
"""Bytes that a row takes beside its answer."""

LANES = 500
"""Lists that have been begun and not consumed; with thousands of organisations there are too many to begin them all."""


Read = Callable[[AtOnce], Iterator[Chunk]]
"""Reads a list chunk by chunk; may use the `AtOnce` it is given."""


def threads_for(organisations: int) -> tuple[int, int]:
    """How many lists to read at once, and how many calls to make beside them where a list allows several."""
    return min(max(THREADS, organisations), MOST_THREADS), min(WINDOW * organisations, MOST_THREADS)


class _Stopped(Exception):
    """The consumer has gone; there is nobody to read for."""


class _Ready(NamedTuple):
    """A chunk that lies ready and the bytes that it takes; its rows are found anew where there is a `body`."""

    chunk: Chunk
    size: int
    body: Body | None = None

    @classmethod
    def packed(cls, chunk: Chunk) -> _Ready:
        """Pack a chunk."""
        rows, bodies = chunk.rows, bodies_of(chunk.rows)
        for body in bodies:
            body.pack()
        if not any(body.is_packed for body in bodies):
            return cls(chunk, chunk.size)
        if len(bodies) == 1 and [row.place for row in rows] == list(range(bodies[0].count)):
            return cls(replace(chunk, rows=[]), bodies[0].held, bodies[0])
        return cls(chunk, sum(body.held for body in bodies) + ROW * len(rows))

    def opened(self) -> Chunk:
        """The chunk as it was."""
        return replace(self.chunk, rows=self.body.rows()) if self.body else self.chunk


class _Lane:
    """What was fetched of one list and not consumed yet; `lying` are the bytes of it."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.chunks: deque[_Ready] = deque()
        self.lying = 0
        self.ended = False
        self.error: BaseException | None = None


class ReadAhead:
    """Reads lists in the background, in the order in which they will be consumed.

    `lists` gives a key and a function for each, that reads it chunk by chunk; its errors come out at `consume`. It is
    asked for the next one by the consumer's thread, as the first ones are consumed.
    """

    def __init__(
        self,
        lists: Iterable[tuple[Hashable, Read]],
        threads: int = THREADS,
        calls: int = WINDOW,
        spool: int = SPOOL,
        lanes: int = LANES,
        due: int = DUE,
    ) -> None:
        self._spool, self._due = spool, due
        self._lying = 0
        self._under_way = self._largest = 0
        self.most = 0
        """The most bytes that lay ready at once."""
        self._changed = threading.Condition()
        self._consumed: Hashable = None
        self._stopped = False
        self._lists = iter(lists)
        self._most_lanes = lanes
        self._lanes: dict[Hashable, _Lane] = {}
        self._pool = ThreadPoolExecutor(threads, "read-ahead")
        # Calls of one list that are made at once have threads of their own: lists wait for them, they wait for nobody.
        self._calls = ThreadPoolExecutor(calls, "read-ahead-call")
        self._begin()

    def _begin(self, wanted: Hashable = None) -> None:
        """Begin the next lists: as many as may be under way, and all up to the one that is wanted."""
        while len(self._lanes) < self._most_lanes or (wanted is not None and wanted not in self._lanes):
            key, read = next(self._lists, (None, None))
            if read is None:
                return
            lane = _Lane(read)
            with self._changed:
                self._lanes[key] = lane
            self._pool.submit(self._fill, key, lane)

    def __contains__(self, key: Hashable) -> bool:
        self._begin(key)
        return key in self._lanes

    def consume(self, key: Hashable) -> Iterator[Chunk]:
        """Give the chunks of a list as they come; each list can be consumed once."""
        self._begin(key)
        with self._changed:
            lane = self._lanes.pop(key)
            self._consumed = key
            self._changed.notify_all()
        self._begin()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: lane.chunks or lane.ended)
                if not lane.chunks:
                    break
                ready = lane.chunks.popleft()
                lane.lying -= ready.size
                self._lying -= ready.size
                self._changed.notify_all()
            yield ready.opened()
        if lane.error:
            raise lane.error

    def at_once(self, key: Hashable, call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
        """Make calls of a list, a few of them at the same time, and give their answers in order (see `paging.AtOnce`).

        The list that is being consumed goes at full speed. The others do as long as there is room for their answers,
        and make one call at a time when there isn't.
        """
        waiting: deque[Future[Page]] = deque()
        todo = iter(numbers)

        def fetch(number: int) -> Page:
            page = call(number)
            if key != self._consumed:
                page.pack()
            return page

        try:
            while True:
                with self._changed:
                    wanted = islice(todo, max(0, self._width(key) - len(waiting)))
                    begun = [self._calls.submit(fetch, number) for number in wanted]
                    self._under_way += len(begun)
                waiting.extend(begun)
                if not waiting:
                    return
                page = waiting.popleft().result()
                self._ended()
                yield page
                del page
        finally:
            for future in waiting:
                future.cancel()
            self._ended(len(waiting))

    def _width(self, key: Hashable) -> int:
        """How many calls of a list may be under way."""
        room = self._room(key) - self._lying - self._under_way * self._largest
        return WINDOW if key == self._consumed or room >= WINDOW * self._largest else 1

    def _room(self, key: Hashable) -> int:
        """How many bytes may lie ready for a list to add to them."""
        return self._spool if key in islice(self._lanes, NEAR) else self._spool // NEAR

    def _ended(self, calls: int = 1) -> None:
        with self._changed:
            self._under_way -= calls

    def close(self) -> None:
        """Stop reading; waits for the calls that are under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._pool.shutdown(cancel_futures=True)
        self._calls.shutdown(cancel_futures=True)

    def _fill(self, key: Hashable, lane: _Lane) -> None:
        try:
            for chunk in lane.read(partial(self.at_once, key)):
                self._put(key, lane, chunk)
        except _Stopped:
            pass
        except BaseException as error:
            lane.error = error
        finally:
            with self._changed:
                lane.ended = True
                self._changed.notify_all()

    def _put(self, key: Hashable, lane: _Lane, chunk: Chunk) -> None:
        ready = _Ready(chunk, chunk.size) if key == self._consumed else _Ready.packed(chunk)
        size = ready.size

        def may() -> bool:
            if self._stopped:
                return True
            if (
                key == self._consumed
            ):  # it goes on with one chunk in hand, even when later lists have filled the spool
                return not lane.chunks or lane.lying + size <= self._due
            return self._lying + size <= self._room(key)

        with self._changed:
            if ready.chunk is not chunk or key != self._consumed:
                self._largest = max(self._largest, size)
            self._changed.wait_for(may)
            if self._stopped:
                raise _Stopped
            lane.chunks.append(ready)
            lane.lying += size
            self._lying += size
            self.most = max(self.most, self._lying)
            self._changed.notify_all()
