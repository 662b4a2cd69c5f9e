"""Reads ahead: while one list is passed on, those behind it are already being fetched.

Xero lets five calls of an organisation be under way at once, and most lists take one or two: read one after another,
a run is mostly waiting. Here a few threads fetch, the lists side by side and the organisations too, while the one
consumer gets each list's chunks in order, as if nothing else were going on. What lies ready is bounded in bytes; the
list that is being consumed is never held up by what was fetched for later ones.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice

from tap_xero.paging import AtOnce, Chunk
from tap_xero.records import Page

THREADS, MOST_THREADS = 20, 60
"""So many lists are read at once, and more for more organisations: sixty calls of a third of a second each are what
Xero allows an app. The client keeps each organisation to its five calls."""

WINDOW = 5
"""Pages of one list to have under way: as many as Xero lets an organisation's calls be."""

SPOOL = 16 * 2**20
"""Bytes of answers that may lie ready."""

LANES = 500
"""Lists that have been begun and not consumed; with thousands of organisations there are too many to begin them all."""


Read = Callable[[AtOnce], Iterator[Chunk]]
"""Reads a list chunk by chunk; may use the `AtOnce` it is given."""


def threads_for(organisations: int) -> int:
    """How many lists to read at once."""
    return min(max(THREADS, organisations), MOST_THREADS)


class _Stopped(Exception):
    """The consumer has gone; there is nobody to read for."""


class _Lane:
    """What was fetched of one list and not consumed yet."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.chunks: deque[Chunk] = deque()
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
        calls: int = THREADS,
        spool: int = SPOOL,
        lanes: int = LANES,
    ) -> None:
        self._spool = spool
        self._lying = 0
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
            self._lanes[key] = lane = _Lane(read)
            self._pool.submit(self._fill, key, lane)

    def __contains__(self, key: Hashable) -> bool:
        self._begin(key)
        return key in self._lanes

    def consume(self, key: Hashable) -> Iterator[Chunk]:
        """Give the chunks of a list as they come; each list can be consumed once."""
        self._begin(key)
        lane = self._lanes.pop(key)
        self._begin()
        with self._changed:
            self._consumed = key
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: lane.chunks or lane.ended)
                if not lane.chunks:
                    break
                chunk = lane.chunks.popleft()
                self._lying -= chunk.size
                self._changed.notify_all()
            yield chunk
        if lane.error:
            raise lane.error

    def at_once(self, key: Hashable, call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
        """Make calls of a list, a few of them at the same time, and give their answers in order (see `paging.AtOnce`).

        The list that is being consumed goes at full speed. The others use what it leaves free: while more lies ready
        than half the spool, they make one call at a time.
        """
        waiting: deque[Future[Page]] = deque()
        todo = iter(numbers)
        try:
            while True:
                width = WINDOW if key == self._consumed or self._lying * 2 < self._spool else 1
                waiting.extend(
                    self._calls.submit(call, number) for number in islice(todo, max(0, width - len(waiting)))
                )
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

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
        def may() -> bool:
            fits = self._lying + chunk.size <= self._spool
            # The list being consumed goes on with one chunk in hand even when later ones have filled the spool.
            return self._stopped or fits or (key == self._consumed and not lane.chunks)

        with self._changed:
            self._changed.wait_for(may)
            if self._stopped:
                raise _Stopped
            lane.chunks.append(chunk)
            self._lying += chunk.size
            self.most = max(self.most, self._lying)
            self._changed.notify_all()
