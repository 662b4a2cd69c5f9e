"""The ways Xero hands out a list, each read so that no row is lost or repeated while people go on working.

Each reader here is a generator of pages, fed by `fetch`, which makes one call. They know nothing of Singer.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, cast

from singer_xero.api.dates import moment
from tap_xero.records import Page, Pagination, Row, UnexpectedAnswer

logger = logging.getLogger("tap-xero")

OVERLAP = timedelta(seconds=1)
"""If-Modified-Since counts whole seconds, and whether it includes its own second isn't documented: ask one earlier."""

WALKS = 10
"""How often a list that is being edited is walked again before the stream gives up and says so."""


BLOCK = 100
"""Pages that are proved together: a run that breaks off has to read so many again."""

SKEW = timedelta(seconds=5)
"""How far the clocks of Xero's servers may be apart."""

COUNTS = 3
"""How often rows are counted to prove a block whole before it is read again."""

NUMBERS_AHEAD = 64
"""Answers of a hundred journals to plan for; one, two, four at first, so that a short list costs no call too many."""

SHORT_PAGE = 100
"""The rows of a page where the list takes no size."""

Fetch = Callable[["Mapping[str, str] | None", "datetime | None"], Page]
"""Makes one call of a list, with these parameters and If-Modified-Since, and finds the rows of its answer."""

Passed = dict[tuple[Any, ...], str]
"""Key and time of the rows that the next question may repeat: the last that were passed on before a bookmark."""


@dataclass(frozen=True)
class Chunk:
    """Rows to pass on, how many are known to come after them (None: Xero doesn't say), and their size in bytes."""

    rows: list[Row]
    remaining: int | None = None
    size: int = 0
    proven: bool = True
    """Whether everything up to here has been read for sure, so that a bookmark may follow."""


AtOnce = Callable[[Callable[[int], Page], Iterable[int]], Iterator[Page]]
"""Makes several calls, some of them at the same time, and gives their answers in order."""


Reading = Generator[Chunk, None, "datetime | None"]
"""Chunks, and at the end the window from which to go on; None at the end of the list."""


def one_by_one(call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
    """The `AtOnce` that makes one call after another."""
    return map(call, numbers)


def read_whole(fetch: Fetch, since: datetime | None, passed: Passed, *, by_time: bool) -> Iterator[Chunk]:
    """Read a list that Xero gives in one answer; `by_time`: in the order of its marker, for a bookmark to follow."""
    page = fetch(None, since and since - OVERLAP)
    yield Chunk(_fresh(sorted(page.rows, key=_time), passed) if by_time else page.rows, 0, page.size)


def read_by_change(
    fetch: Fetch,
    since: datetime | None,
    passed: Passed,
    page_size: int | None,
    at_once: AtOnce = one_by_one,
    *,
    lasting: bool = True,
) -> Iterator[Chunk]:
    """Read a paged list by time, in blocks of pages that are fetched at once and then proved to be whole.

    Lists come ordered by UpdatedDateUTC, so a record edited while we page moves to the end and its successors move one
    place forward: the next page number then skips a row, and a bookmark would pass it for good (Xero-Net#241). Here a
    block is asked for by page numbers, and at its end one question tells what has changed since it began. If nothing
    has, its pages were one picture. If something has, the rows read that are still unchanged must be as many as Xero
    counts; where they aren't, the block is read again from change to change (`_from_change_to_change`), which can't
    skip. Chunks are `proven` when a bookmark may follow them. A list that comes without counts is read from change to
    change at once, and so is one that rows may leave while it is read (not `lasting`), which no count would show if
    others join it meanwhile.

    `passed` holds the rows at the border of the run before, and at the end those of this one. `page_size` None: the
    list takes no size and gives 100. Raises `UnexpectedAnswer` when a list changes faster than it can be read.
    """
    sized = {} if page_size is None else {"pageSize": str(page_size)}
    window = since and since - OVERLAP
    while True:
        first = fetch({"page": "1", **sized}, window)
        counted = first.pagination is not None and first.pagination.pageCount > 1 and first.at
        if not counted or not lasting or not _in_order(first.rows, window):
            yield from _from_change_to_change(fetch, window, passed, sized, first=first)
            return
        block = _Block(fetch, window, sized, first, passed)
        try:
            for page in block.pages(at_once):
                yield Chunk(_fresh(page.rows, passed), block.remaining, page.size, proven=False)
            late = block.late()
            yield Chunk(_fresh(late, passed) if block.end is None else [], None if block.end else 0)
            window = block.end
        except _Doubtful as doubt:
            logger.info("%s: the last %d pages are read again, from change to change.", doubt, block.read)
            read: Passed = {}
            again = _from_change_to_change(fetch, window, read, sized, until=block.end)
            window = yield from _without(block.known, again)
            passed.update(read)
            yield Chunk(_fresh([], passed))
        if window is None:
            return


def _without(known: set[int], chunks: Reading) -> Reading:
    """Leave out the versions of rows that were passed on already."""
    while True:
        try:
            chunk = next(chunks)
        except StopIteration as end:
            return cast("datetime | None", end.value)
        rows = [row for row in chunk.rows if hash((row.key, row.time)) not in known]
        yield replace(chunk, rows=rows, proven=False)


class _Doubtful(Exception):
    """A block can't be proved to be whole; the text says why."""


class _Block:
    """Up to `BLOCK` pages of a list, numbered from the beginning of a window.

    `end` is where the next block's window begins, None when this one reaches the end of the list.
    """

    def __init__(
        self, fetch: Fetch, window: datetime | None, sized: Mapping[str, str], first: Page, passed: Passed
    ) -> None:
        self.fetch, self.window, self.sized, self.first = fetch, window, sized, first
        self.counts = first.pagination or Pagination()
        self.last = min(self.counts.pageCount, BLOCK)
        self.end: datetime | None = None
        self.read = self.most = 0
        # Xero's servers needn't agree to the second: what changed shortly before the block began is looked at too.
        since = moment(first.at).replace(microsecond=0) - SKEW
        self.cut = max(since, window) if window else since
        self._keys = array("q")
        self._versions = array("q", [hash(version) for version in passed.items()])
        self._edge: Passed = {}
        self._recent: set[tuple[tuple[Any, ...], str]] = set()

    @property
    def remaining(self) -> int:
        """How many rows of the list are still to be read, as of the first page."""
        return max(self.counts.itemCount - len(self._keys), 0)

    def pages(self, at_once: AtOnce) -> Iterator[Page]:
        """Fetch the pages, several at once, and give them in order, without what two neighbours share."""
        before: Passed = {}
        newest = ""
        numbers = range(2, self.last + 1)
        counts: list[tuple[str, int]] = []
        rest = at_once(lambda number: self.fetch({"page": str(number), **self.sized}, self.window), numbers)
        for page in chain([self.first], rest):
            # A row that moved forward between two answers ends one page and begins the next.
            rows = [row for row in page.rows if before.get(row.key) != row.time]
            if not _in_order(page.rows, self.window) or (rows and rows[0].time < newest):
                raise _Doubtful("Xero's answer is not in order of change")
            before = {row.key: row.time for row in page.rows}
            newest = rows[-1].time if rows else newest
            counts.append((page.at, page.pagination.itemCount if page.pagination else 0))
            self._note(rows)
            yield Page(rows, page.pagination, page.size)
        in_time = [count for _, count in sorted(counts, key=itemgetter(0))]
        self.most = in_time[-1]
        if in_time != sorted(in_time):
            raise _Doubtful("Rows left the list while it was read")
        if self.last < self.counts.pageCount:
            self.end = _window_after(newest)
            if self.window is not None and self.end <= self.window:
                self.end = self.window + OVERLAP
                raise _Doubtful(f"{self.read} pages lie within one second")

    def _note(self, rows: list[Row]) -> None:
        self.read += 1
        self._keys.extend([hash(row.key) for row in rows])
        self._versions.extend([hash((row.key, row.time)) for row in rows])
        _keep_edge(self._edge, [row._replace(key=(row.key, row.time)) for row in rows])
        cut = self.cut.isoformat()[:19]
        self._recent.update((row.key, row.time) for row in rows if row.time[:19] >= cut)

    def late(self) -> list[Row]:
        """Ask what has changed since the block began, and prove by it that no row was skipped.

        Returns the rows that changed; raises `_Doubtful` without a proof. What is counted first and last leans to the
        safe side: whatever happens in between can make a proof fail, and never succeed.
        """
        if not self._tail():
            return []
        if self.end is not None and self.end < self.cut:
            border, beyond = self.end, set(self._edge)
        else:  # what is left of the list is so new that the tail holds it all
            border, beyond, self.end = self.cut, self._recent, None
        # What was read from before the border: each row once, for what changes meanwhile goes beyond it.
        read = len(self._keys) - len(beyond)
        beyond_of = Counter(key for key, _ in beyond)
        for _ in range(COUNTS):
            later = self._count(border)
            whole = self._count(self.window)
            if whole < self.most:
                break
            counted = whole - later
            tail = self._tail()
            moved = sum(self._keys.count(hash(row.key)) > beyond_of[row.key] for row in tail)
            if read - moved >= counted:
                return self._changed(tail)
        raise _Doubtful("Rows were edited while they were read")

    def _tail(self) -> list[Row]:
        tail = _from_change_to_change(self.fetch, self.cut, {}, self.sized)
        return _latest(row for chunk in tail for row in chunk.rows)

    def _changed(self, tail: list[Row]) -> list[Row]:
        return [row for row in tail if (row.key, row.time) not in self._recent]

    def _count(self, window: datetime | None) -> int:
        counts = self.fetch({"page": "1", "pageSize": "1"}, window).pagination
        if counts is None:
            raise _Doubtful("Xero gives no counts")
        return counts.itemCount

    @cached_property
    def known(self) -> set[int]:
        """The versions of rows that were passed on before or were among the pages, by their hashes."""
        return set(self._versions)


def _from_change_to_change(
    fetch: Fetch,
    window: datetime | None,
    passed: Passed,
    sized: Mapping[str, str],
    *,
    first: Page | None = None,
    until: datetime | None = None,
) -> Reading:
    """Read a list without page numbers: after each page ask anew from the last time seen.

    What the overlap repeats is dropped by key and time. Only a page that lies wholly within one second is followed by
    its next page numbers, and those are walked again if anything among them moved. `first` is the first page where it
    has been read already; `until` ends the reading once it is reached. Returns the window to go on from, or None.
    """
    while until is None or window is None or window < until:
        page, first = first or fetch({"page": "1", **sized}, window), None
        if not _in_order(page.rows, window):
            logger.warning(
                "Xero's answer is not in order of change: the list is walked page by page until it holds still, and "
                "its rows are passed on at the end."
            )
            rows = _latest(_until_still(fetch, window, sized))
            yield Chunk(_fresh(rows, passed), 0, sum(len(bytes(row.raw)) for row in rows))
            return None
        yield Chunk(_fresh(page.rows, passed), _remaining(page), page.size)
        if is_last(page, int(sized.get("pageSize", SHORT_PAGE)), 1):
            return None
        later = _window_after(page.rows[-1].time)
        if window is not None and later <= window:
            rows = _latest(_until_still(fetch, window, sized, beyond=window))
            yield Chunk(_fresh(rows, passed), None, page.size)
            later = _window_after(rows[-1].time)
            if later <= window:  # the walk met the end of the list
                return None
        window = later
    return window


def _window_after(time: str) -> datetime:
    return moment(time).replace(microsecond=0) - OVERLAP


def _time(row: Row) -> Any:
    return row.time


def _in_order(rows: list[Row], window: datetime | None) -> bool:
    """Tell whether a page is what was asked for: by time, and nothing from before the window."""
    times = [row.time for row in rows]
    if not times:
        return True
    early = (window - OVERLAP).isoformat()[:19] if window else ""
    return bool(times[0]) and times[0][:19] >= early and times == sorted(times)


def _fresh(rows: list[Row], passed: Passed) -> list[Row]:
    """Leave out what was passed on before, and remember what the next question may repeat."""
    fresh = [row for row in rows if passed.get(row.key) != row.time] if passed else rows
    _keep_edge(passed, rows)
    return fresh


def _keep_edge(edge: Passed, rows: list[Row]) -> None:
    """Keep of the rows those so near to the newest that a question asked from there repeats them."""
    newest = max([*map(_time, rows), *edge.values()], default="")
    if not newest:
        return
    border = _window_after(newest).isoformat()[:19]
    for key in [key for key, time in edge.items() if time[:19] < border]:
        del edge[key]
    edge.update((row.key, row.time) for row in rows if row.time[:19] >= border)


def _latest(rows: Iterable[Row]) -> list[Row]:
    """Keep each row as it was last seen, by time: a bookmark never runs ahead of a row."""
    return sorted({row.key: row for row in rows}.values(), key=_time)


def is_last(page: Page, page_size: int, number: int) -> bool:
    """Tell whether a page ends its list.

    Where Xero says how many pages there are, that counts: a page may hold fewer rows than asked for and still have a
    successor. A list without that block ends with a page that isn't full.
    """
    if not page.rows:
        return True
    if page.pagination is not None and page.pagination.pageCount:
        return number >= page.pagination.pageCount
    return len(page.rows) < page_size


def _remaining(page: Page) -> int | None:
    return max(page.pagination.itemCount - len(page.rows), 0) if page.pagination else None


def read_until_still(fetch: Fetch) -> Iterator[Chunk]:
    """Read a paged list that can't be asked by time: walk its pages until two walks give the same rows.

    A list of one page needs no second walk. Rows are passed on as they are found; a later walk adds what it finds new
    or changed. Raises `UnexpectedAnswer` when the list doesn't hold still.
    """
    yield from (Chunk([row]) for row in _until_still(fetch, None, {}))


def _until_still(
    fetch: Fetch, window: datetime | None, sized: Mapping[str, str], *, beyond: datetime | None = None
) -> Iterator[Row]:
    """Walk the pages of a window, to its end or until they lead `beyond` a crowded second, as often as they move.

    What comes in while we walk lands behind the newest row of the first walk, and so doesn't count as movement.
    """
    found: Passed = {}
    before: Passed | None = None
    newest = ""
    for _ in range(WALKS):
        walk: Passed = {}
        number = 1
        shown: list[Any] = []
        while True:
            page = fetch({"page": str(number), **sized}, window)
            last, shown = shown, [(row.key, row.time) for row in page.rows]
            if shown and shown == last:  # `page` isn't heeded, and each answer holds everything
                break
            for row in page.rows:
                walk[row.key] = row.time
                if found.get(row.key) != row.time:
                    found[row.key] = row.time
                    yield row
            if is_last(page, int(sized.get("pageSize", SHORT_PAGE)), number):
                break
            if beyond is not None and _window_after(page.rows[-1].time) > beyond:
                break
            number += 1
        if number == 1 and beyond is None:
            return
        newest = newest or max(walk.values(), default="")
        settled = {key: time for key, time in walk.items() if time <= newest}
        if settled == before:
            return
        before = settled
    raise UnexpectedAnswer(
        f"the list changed during each of {WALKS} readings, so it can't be told whether all rows were seen",
        advice="Run it again at a quieter time.",
    )


def read_by_number(fetch: Fetch, after: int, at_once: AtOnce = one_by_one) -> Iterator[Chunk]:
    """Read journals: `offset` means "with a greater JournalNumber", not a count of rows, and `page` is ignored.

    Recorded from Xero: offset 400 gives 401 to 500, and past the last an empty list. Journals never change. A full
    answer reaches at least 100 numbers further, so the offsets that follow by hundreds can be asked for at the same
    time without leaving a number out, as long as the answer before was full.

    Raises `UnexpectedAnswer` when Xero doesn't move on, which would otherwise never end.
    """
    ahead = 1
    while True:
        offsets = range(after, after + ahead * SHORT_PAGE, SHORT_PAGE)
        ahead = min(ahead * 2, NUMBERS_AHEAD)
        answers = at_once(lambda offset: fetch({"offset": str(offset)}, None), offsets)
        for offset, page in zip(offsets, answers, strict=False):
            if not page.rows:
                return
            if all(row.time <= offset for row in page.rows):
                raise UnexpectedAnswer(
                    f"journals after number {offset} were asked for, and Xero gave only earlier ones"
                )
            fresh = sorted((row for row in page.rows if row.time > after), key=_time)
            if fresh:
                yield Chunk(fresh, None, page.size)
                after = fresh[-1].time
            if len(page.rows) < SHORT_PAGE:
                # The end, most likely: what was asked for beyond it may leave a gap to it.
                ahead = 1
                break
