"""Prefetching: while one list is passed on, the next ones are already being fetched.

Xero allows five calls of an organisation at once, and most lists take one or two calls: reading one list after another
is mostly waiting. A few threads fetch lists and organisations side by side, and the one consumer gets the chunks of
each list in order. What lies ready is bounded in bytes, and packed beyond a bound. The list that is being consumed is
never held up by what was fetched for later ones.
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

from tap_xero.reads.paging import AtOnce, Chunk
from tap_xero.records.reader import Body, Page, bodies_of

WINDOW = 8
"""Calls of an organisation to have ready: the five that Xero lets be under way, and three next in line. More would
only make a list that goes on wait behind those that haven't begun."""

MOST_THREADS = 60
"""For any number of organisations: sixty calls of a third of a second each are what Xero allows an app."""

SPOOL = 16 * 2**20
"""Bytes of answers that may lie ready for the lists whose turn comes later."""

UNPACKED = 6 * 2**20
"""Bytes up to which those answers stay unpacked: unpacking one again costs a third of what reading it costs."""

DUE = 16 * 2**20
"""Bytes that may lie ready, unpacked, for the list that is being consumed."""

LANES = 500
"""Lists that have been begun and not consumed; with thousands of organisations there are too many to begin them all."""

NEAR = 4
"""Lists whose turn comes next; the others have a quarter of the spool, so that it isn't spread over too many."""

ROW = 320
"""Bytes that a row takes beside its answer."""


Read = Callable[[AtOnce], Iterator[Chunk]]
"""Reads a list chunk by chunk; may use the `AtOnce` it is given."""


def threads_for(organisations: int) -> int:
    """How many lists to read at once, and how many calls to make beside them where a list allows several."""
    return min(WINDOW * organisations, MOST_THREADS)


class _Stopped(BaseException):
    """The consumer has gone; there is nobody to read for, and nothing to be saved of what was read."""


class Abandoned(Exception):
    """The rest of a list isn't waited for any more."""


class _Ready(NamedTuple):
    """A chunk that lies ready and the bytes that it takes; its rows are found anew where there is a `body`."""

    chunk: Chunk
    size: int
    body: Body | None = None

    @classmethod
    def of(cls, chunk: Chunk, *, packed: bool) -> _Ready:
        """Make one, packed if wanted; answers may be packed already."""
        rows, bodies = chunk.rows, bodies_of(chunk.rows)
        if packed:
            for body in bodies:
                body.pack()
        if not any(body.is_packed for body in bodies):
            return cls(chunk, chunk.size)
        if packed and len(bodies) == 1 and [row.place for row in rows] == list(range(bodies[0].count)):
            return cls(replace(chunk, rows=[]), bodies[0].held, bodies[0])
        return cls(chunk, sum(body.held for body in bodies) + ROW * len(rows))

    def opened(self) -> Chunk:
        """The chunk as it was."""
        return replace(self.chunk, rows=self.body.rows()) if self.body else self.chunk


class _Lane:
    """One list: the chunks of it that lie ready, and the calls of it that are made side by side."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.chunks: deque[_Ready] = deque()
        self.lying = 0
        """Bytes of the chunks."""
        self.ended = False
        self.error: BaseException | None = None
        self.todo: Iterator[Callable[[], Page]] = iter(())
        self.calls: deque[Future[Page]] = deque()
        self.flying = 0
        """Calls without an answer."""
        self.answered = 0
        """Bytes of those answers whose turn hasn't come."""

    @property
    def waiting(self) -> int:
        """Answers whose turn hasn't come; a call that nobody waits for any more may still be flying."""
        return max(0, len(self.calls) - self.flying)


class Prefetch:
    """Reads lists in the background, in the order in which they will be consumed.

    `lists` gives a key and a function for each, that reads it chunk by chunk; its errors come out at `consume`. It is
    asked for the next one by the consumer's thread, as the first ones are consumed.
    """

    def __init__(
        self,
        lists: Iterable[tuple[Hashable, Read]],
        threads: int = WINDOW,
        spool: int = SPOOL,
        lanes: int = LANES,
        due: int = DUE,
        unpacked: int = UNPACKED,
    ) -> None:
        self._spool, self._due, self._unpacked = spool, due, unpacked
        self._lying = 0
        self._under_way = self._largest = 0
        self.most = 0
        """The most bytes that lay ready at once."""
        self._changed = threading.Condition()
        self._consumed: _Lane | None = None
        self._stopped = self._abandoned = False
        self._lists = iter(lists)
        self._most_lanes = lanes
        self._lanes: dict[Hashable, _Lane] = {}
        self._pool = ThreadPoolExecutor(threads, "prefetch")
        # Calls of one list that are made at once have threads of their own: lists wait for them, they wait for nobody.
        self._calls = ThreadPoolExecutor(threads, "prefetch-call")
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
            self._pool.submit(self._fill, lane)

    def __contains__(self, key: Hashable) -> bool:
        self._begin(key)
        return key in self._lanes

    def consume(self, key: Hashable) -> Iterator[Chunk]:
        """Give the chunks of a list as they come; each list can be consumed once."""
        self._begin(key)
        with self._changed:
            lane = self._consumed = self._lanes.pop(key)
            self._ask(lane)
            self._changed.notify_all()
        self._begin()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: lane.chunks or lane.ended or self._abandoned)
                if not lane.chunks:
                    break
                ready = lane.chunks.popleft()
                lane.lying -= ready.size
                self._lying -= ready.size
                self._ask(lane)
                self._changed.notify_all()
            yield ready.opened()
        if lane.error:
            raise lane.error
        if not lane.ended:
            raise Abandoned

    def _at_once(self, lane: _Lane, call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
        """Make calls of a list, a few of them at the same time, and give their answers in order (see `paging.AtOnce`).

        The list that is being consumed goes at full speed, as long as its answers are wanted as fast as they come. The
        others do as long as there is room for their answers, and make one call at a time when there isn't.
        """
        lane.todo = (partial(call, number) for number in numbers)
        try:
            while True:
                with self._changed:
                    self._ask(lane)
                    if self._stopped:
                        raise _Stopped
                    if not lane.calls:
                        return
                    first = lane.calls[0]
                page = first.result()
                with self._changed:
                    lane.calls.popleft()
                    lane.answered -= page.held
                yield page
                del page, first
        finally:
            with self._changed:
                lane.todo = iter(())
                while lane.calls:
                    if lane.calls.popleft().cancel():
                        self._landed(lane)
                lane.answered = 0

    def _ask(self, lane: _Lane) -> None:
        """Make the next calls of a list: as many as may be under way, and the one whose answer is wanted next."""
        while not self._stopped and (lane.flying < self._width(lane) or not lane.calls):
            call = next(lane.todo, None)
            if call is None:
                return
            lane.flying += 1
            self._under_way += 1
            lane.calls.append(self._calls.submit(self._fetch, lane, call))

    def _width(self, lane: _Lane) -> int:
        """How many calls of a list may be under way."""
        if lane is self._consumed:
            return WINDOW - 2 * (len(lane.chunks) + lane.waiting)
        room = self._room(lane) - self._lying - self._under_way * self._largest
        return (WINDOW if room >= WINDOW * self._largest else 1) - lane.waiting

    def _room(self, lane: _Lane) -> int:
        """How many bytes may lie ready for a list to add to them."""
        return self._spool if lane in islice(self._lanes.values(), NEAR) else self._spool // NEAR

    def _fetch(self, lane: _Lane, call: Callable[[], Page]) -> Page:
        try:
            page = call()
            if self._is_to_pack(lane, page.size):
                page.pack()
            else:
                page.stay_unpacked()
            with self._changed:
                lane.answered += page.held
            return page
        finally:
            with self._changed:
                self._landed(lane)
                self._ask(lane)

    def _is_to_pack(self, lane: _Lane, size: int) -> bool:
        """Whether so many more bytes of a list are too many to be held unpacked."""
        with self._changed:
            if lane is self._consumed:
                return lane.lying + lane.answered + size > self._due
            consumed = self._consumed.lying if self._consumed else 0
            answered = sum(later.answered for later in self._lanes.values())
            return self._lying - consumed + answered + size > self._unpacked

    def _landed(self, lane: _Lane) -> None:
        lane.flying -= 1
        self._under_way -= 1

    def abandon(self) -> None:
        """Let the consumer wait no longer: it gets what lies ready, and then `Abandoned`."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stop reading; waits for the calls that are under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._pool.shutdown(cancel_futures=True)
        self._calls.shutdown(cancel_futures=True)

    def _fill(self, lane: _Lane) -> None:
        try:
            for chunk in lane.read(partial(self._at_once, lane)):
                self._put(lane, chunk)
        except _Stopped:
            pass
        except BaseException as error:
            lane.error = error
        finally:
            with self._changed:
                lane.ended = True
                self._changed.notify_all()

    def _put(self, lane: _Lane, chunk: Chunk) -> None:
        later = lane is not self._consumed
        ready = _Ready.of(chunk, packed=later and self._is_to_pack(lane, chunk.size))

        def may() -> bool:
            if self._stopped:
                return True
            if lane is self._consumed:
                # With one chunk in hand it goes on, even when later lists fill the spool.
                return not lane.chunks or lane.lying + ready.size <= self._due
            return self._lying + ready.size <= self._room(lane)

        with self._changed:
            if later:
                self._largest = max(self._largest, ready.size)
            self._changed.wait_for(may)
            if self._stopped:
                raise _Stopped
            lane.chunks.append(ready)
            lane.lying += ready.size
            self._lying += ready.size
            self.most = max(self.most, self._lying)
            self._changed.notify_all()
