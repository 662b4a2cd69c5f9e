"""Fetches the next lists while the current list is emitted.

Xero allows five concurrent calls for each organisation, and most lists take one or two calls, so sequential reading
mostly waits. A few threads fetch lists of all organisations concurrently, and one consumer gets the chunks of each list
in order. The bytes held are limited, and compressed beyond a part of that limit. Chunks of later lists never delay the
list that is consumed.
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
"""Calls of an organisation to request ahead: the five that Xero allows at once, and three that wait. With more, the
calls of the current list would wait behind lists that haven't begun."""

MOST_THREADS = 60
"""The most threads, for any number of organisations: sixty calls of a third of a second use what Xero allows an app."""

SPOOL = 16 * 2**20
"""The most bytes of answers held for later lists."""

UNPACKED = 4 * 2**20
"""Bytes up to which those answers are not compressed: decompressing one costs a third of reading it."""

DUE = 16 * 2**20
"""The most uncompressed bytes held for the list that is consumed."""

LANES = 500
"""The most lists that have begun and are not consumed yet; thousands of organisations have too many to begin all."""

NEAR = 4
"""Lists that come next. All others share a quarter of the spool, so that the next ones get most of it."""

ROW = 320
"""Bytes that a row takes in addition to its answer."""


Read = Callable[[AtOnce], Iterator[Chunk]]
"""Reads a list chunk by chunk, with the `AtOnce` that it gets."""


def threads_for(organisations: int) -> int:
    """How many lists to read at once, and how many concurrent calls to make for lists that allow several."""
    return min(WINDOW * organisations, MOST_THREADS)


class _Stopped(BaseException):
    """The consumer has ended, so that nothing more is read."""


class Abandoned(Exception):
    """The consumer does not wait for the rest of a list."""


class _Ready(NamedTuple):
    """A chunk that is held, its bytes, and the bytes that it takes compressed.

    If there is a `body`, the rows are found in it again.
    """

    chunk: Chunk
    size: int
    least: int
    body: Body | None = None

    @classmethod
    def of(cls, chunk: Chunk, *, packed: bool) -> _Ready:
        """Make one, compressed if wanted; its answers may be compressed already."""
        rows, bodies = chunk.rows, bodies_of(chunk.rows)
        if packed:
            for body in bodies:
                body.pack()
        least = sum(body.packed_size for body in bodies) or chunk.size
        if not any(body.is_packed for body in bodies):
            return cls(chunk, chunk.size, least)
        if packed and len(bodies) == 1 and [row.place for row in rows] == list(range(bodies[0].count)):
            return cls(replace(chunk, rows=[]), bodies[0].held, least, bodies[0])
        return cls(chunk, sum(body.held for body in bodies) + ROW * len(rows), least)

    def opened(self) -> Chunk:
        """The chunk with its rows."""
        return replace(self.chunk, rows=self.body.rows()) if self.body else self.chunk


class _Lane:
    """One list: its chunks that are held, and its concurrent calls."""

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
        """Calls without an answer yet."""
        self.answered = 0
        """Bytes of the answers that wait for earlier ones."""

    @property
    def waiting(self) -> int:
        """Answers that are held until earlier ones arrive. A call may go on although nothing waits for it any more."""
        return max(0, len(self.calls) - self.flying)


class Prefetch:
    """Reads lists in the background, in the order in which they will be consumed.

    `lists` yields a key and a function for each list; the function reads the list chunk by chunk. `consume` raises its
    errors. The consumer's thread takes the next list from `lists` when it has consumed one.
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
        """The most bytes that were held at once."""
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
        """Begin the next lists: as many as allowed, and all up to the one that is wanted."""
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
        """Yield the chunks of a list as they come. Each list can be consumed once."""
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
        """Make calls of a list, several of them concurrently, and yield their answers in order; see `paging.AtOnce`.

        The list that is consumed makes as many calls as allowed while its answers are consumed as fast as they come.
        Other lists do so while there is room for their answers, and make one call at a time otherwise.
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
        """Make the next calls of a list: as many as allowed, and always the one whose answer is needed next."""
        while not self._stopped and (lane.flying < self._width(lane) or not lane.calls):
            call = next(lane.todo, None)
            if call is None:
                return
            lane.flying += 1
            self._under_way += 1
            lane.calls.append(self._calls.submit(self._fetch, lane, call))

    def _width(self, lane: _Lane) -> int:
        """How many concurrent calls a list may make."""
        if lane is self._consumed:
            return WINDOW - 2 * (len(lane.chunks) + lane.waiting)
        room = self._room(lane) - self._lying - self._under_way * self._largest
        return (WINDOW if room >= WINDOW * self._largest else 1) - lane.waiting

    def _room(self, lane: _Lane) -> int:
        """How many bytes may be held when a list adds to them."""
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
        """Whether more bytes of a list have to be compressed."""
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
        """End the consumer's wait: it gets the chunks that are held, and then `Abandoned`."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stop reading, and wait for the calls that have begun."""
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
                # Answers beyond `UNPACKED` are compressed.
                self._largest = max(self._largest, ready.least)
            self._changed.wait_for(may)
            if self._stopped:
                raise _Stopped
            lane.chunks.append(ready)
            lane.lying += ready.size
            self._lying += ready.size
            self.most = max(self.most, self._lying)
            self._changed.notify_all()
