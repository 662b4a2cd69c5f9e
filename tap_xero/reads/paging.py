"""Readers for the ways in which Xero returns a list. None loses or repeats a row while people edit records.

Each reader is a generator of chunks and makes calls with `fetch`. Nothing here knows of Singer.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from itertools import chain, count
from operator import itemgetter
from typing import Any, cast

from singer_xero.api.dates import moment
from singer_xero.api.errors import DayLimitReached
from tap_xero.records.reader import Page, Pagination, Row, UnexpectedAnswer

logger = logging.getLogger("tap-xero")

OVERLAP = timedelta(seconds=1)
"""If-Modified-Since has whole seconds, and Xero does not document whether it includes its own: ask one earlier."""

WALKS = 10
"""How often a list that is being edited is read before the stream fails."""


FIRST_BLOCK = 10
"""Pages of the first block if a bookmark follows the blocks; each next block has twice as many, up to `BLOCK`."""

BLOCK = 100
"""The most pages that are proved together, and so the most that a killed run has to read again."""

SKEW = timedelta(seconds=5)
"""The largest difference between the clocks of Xero's servers."""

COUNTS = 3
"""How often rows are counted to prove a block before it is read again."""

NUMBERS_AHEAD = 4
"""Concurrent calls for journals, after one and two: calls beyond the end are wasted."""

SHORT_PAGE = 100
"""The rows of a page if the list has no parameter for the size."""

Fetch = Callable[["Mapping[str, str] | None", "datetime | None"], Page]
"""Makes one call, with parameters and If-Modified-Since, and finds the rows in its answer."""

LastCalls = Callable[[], "AbstractContextManager[Fetch]"]
"""Reserves some of the daily calls, and yields a `Fetch` that may use them."""

Passed = dict[tuple[Any, ...], str]
"""Key and time of the last emitted rows before a bookmark, which the next answer may repeat."""


@dataclass(frozen=True)
class Chunk:
    """Rows to emit, the number of later rows (None if unknown), and the size of these rows in bytes."""

    rows: list[Row]
    remaining: int | None = None
    size: int = 0
    proven: bool = True
    """Whether everything up to here is known to be read."""
    bookmark: Any = None
    """The possible bookmark once these rows are emitted; None if it stays."""


AtOnce = Callable[[Callable[[int], Page], Iterable[int]], Iterator[Page]]
"""Makes several calls, some of them concurrently, and returns their answers in order."""


Reading = Generator[Chunk, None, "datetime | None"]
"""Chunks, and at the end the window from which to continue; None at the end of the list."""


def one_by_one(call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
    """The `AtOnce` that makes one call after another."""
    return map(call, numbers)


def read_whole(fetch: Fetch, since: datetime | None, passed: Passed, *, by_time: bool) -> Iterator[Chunk]:
    """Read a list that comes in one answer; `by_time`: in the order of its cursor, so that a bookmark can follow."""
    marks = _Marks(fetch, passed, since)
    page = marks.fetch(None, since and since - OVERLAP)
    if not by_time:
        yield Chunk(page.rows, 0, page.size)
        return
    yield from marks.follow([Chunk(marks.fresh(sorted(page.rows, key=_time)), 0, page.size)])


class _Marks:
    """Finds the possible bookmark: the newest emitted row, but never beyond Xero's own time.

    Xero stamps some records hours ahead, in organisations of New Zealand and Australia. A bookmark at such a stamp
    would hide edits before that hour. So the bookmark stays at the DateTimeUTC of the first answer with such a row, and
    the row is read again until its time has come.
    """

    def __init__(self, fetch: Fetch, passed: Passed, since: datetime | None = None) -> None:
        self.make_call = fetch
        self.passed = passed
        self._since = _text(since) if since else ""
        self._seen = self._latest = ""

    def fetch(self, params: Mapping[str, str] | None, since: datetime | None) -> Page:
        """Make a call, and note whether rows are ahead of its time."""
        page = self.make_call(params, since)
        if page.at and any(row.time > page.at for row in page.rows):
            self._latest = min(self._latest or page.at, page.at)
        return page

    def fresh(self, rows: list[Row]) -> list[Row]:
        """Leave out rows that were emitted before, and note those that the next answer may repeat."""
        passed = self.passed
        fresh = [row for row in rows if passed.get(row.key) != row.time] if passed else rows
        self._seen = max([self._seen, *map(_time, rows)])
        _keep_edge(passed, rows, min(self._seen, self._latest or self._seen), identify=_key)
        return fresh

    def aside(self) -> _Marks:
        """Make marks for the same list without emitted rows."""
        return _Marks(self.fetch, {})

    def join(self, aside: _Marks) -> None:
        """Add the emitted rows of other marks."""
        self.passed.update(aside.passed)
        self._seen = max(self._seen, aside._seen)

    def follow(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Set the possible bookmark of each chunk that is proven or has one."""
        for chunk in chunks:
            bookmark = self._seen if chunk.proven else chunk.bookmark
            if bookmark and self._latest:
                bookmark = min(bookmark, self._latest)
            yield replace(chunk, bookmark=max(bookmark, self._since) if bookmark else None)


def read_by_change(
    fetch: Fetch,
    since: datetime | None,
    passed: Passed,
    page_size: int | None,
    at_once: AtOnce = one_by_one,
    *,
    size_param: str = "pageSize",
    lasting: bool = True,
    last_calls: LastCalls | None = None,
) -> Iterator[Chunk]:
    """Read a paged list by time, in blocks of pages that are fetched concurrently and then proved complete.

    Lists are ordered by UpdatedDateUTC. A record that is edited between two pages moves to the end, and its successors
    move one position forward, so the next page skips a row, which a bookmark would hide forever (Xero-Net#241). Here a
    block is read by page numbers, and then one call asks for changes since it began. If there are none, the pages are
    consistent. If there are some, the number of unchanged rows must equal Xero's count; otherwise the block is read
    again from change to change (`_from_change_to_change`), which can't skip rows. Chunks are `proven` when a bookmark
    may follow them. A list without counts is always read from change to change, and so is a list that rows may leave
    while it is read (not `lasting`), since counts would not show that if others join it.

    With `last_calls` a bookmark follows: the first block is short and each next one is twice as long, and if a call
    fails, the pages before it are proved with the reserved calls before the error is raised.

    `passed` has the rows at the border of the last run, and at the end those of this one. `page_size` is None for a
    list without that parameter. Raises `UnexpectedAnswer` if a list changes faster than it can be read.
    """
    marks = _Marks(fetch, passed, since)
    sized = {} if page_size is None else {size_param: str(page_size)}
    window = since and since - OVERLAP
    yield from marks.follow(_by_blocks(marks, window, sized, at_once, lasting=lasting, last_calls=last_calls))


def _by_blocks(
    marks: _Marks,
    window: datetime | None,
    sized: Mapping[str, str],
    at_once: AtOnce,
    *,
    lasting: bool,
    last_calls: LastCalls | None,
) -> Iterator[Chunk]:
    pages = min(FIRST_BLOCK, BLOCK) if last_calls else BLOCK
    while True:
        first = marks.fetch({"page": "1", **sized}, window)
        counted = first.pagination is not None and first.pagination.pageCount > 1 and first.at
        if not counted or not lasting or not _in_order(first.rows, window):
            yield from _from_change_to_change(marks, window, sized, first=first)
            return
        block = _Block(marks, window, sized, first, pages)
        window = yield from _read_block(block, at_once, last_calls)
        if window is None:
            return
        pages = min(pages * 2, BLOCK)


def _read_block(block: _Block, at_once: AtOnce, last_calls: LastCalls | None) -> Reading:
    """Read a block and prove it; returns the window of the next one, None at the end of the list."""
    with ExitStack() as stack:
        last_fetch = stack.enter_context(last_calls()) if last_calls else None
        try:
            for page in block.pages(at_once):
                yield Chunk(block.marks.fresh(page.rows), block.remaining, page.size, proven=False)
            late = block.late()
            yield Chunk(block.marks.fresh(late), None if block.end else 0)
        except _Doubtful as doubt:
            logger.info("%s: the last %d pages are read again, from change to change.", doubt, block.read)
        except Exception as error:
            rows = block.cut_short(last_fetch) if last_fetch else None
            if rows is None:
                raise
            yield Chunk(block.marks.fresh(rows))
            if not isinstance(error, DayLimitReached):
                raise
            return block.end  # reserved calls that were not needed are free now
        else:
            return block.end
    marks = block.marks.aside()
    again = _from_change_to_change(marks, block.window, block.sized, until=block.end)
    window = yield from _without(block.known, again)
    block.marks.join(marks)
    yield Chunk(block.marks.fresh([]))
    return window


def _without(known: set[int], chunks: Reading) -> Reading:
    """Leave out the versions of rows that were emitted before."""
    while True:
        try:
            chunk = next(chunks)
        except StopIteration as end:
            return cast("datetime | None", end.value)
        rows = [row for row in chunk.rows if hash((row.key, row.time)) not in known]
        # Rows that were emitted before may be later than this chunk; the bookmark must not be.
        bookmark = _newest(chunk.rows) or None
        yield replace(chunk, rows=rows, proven=False, bookmark=bookmark)


class _Doubtful(Exception):
    """A block can't be proved complete; the text says why."""


class _Block:
    """Up to `pages` pages of a list, numbered from the beginning of a window.

    `end` is the beginning of the next block's window; None if this one reaches the end of the list.
    """

    def __init__(
        self,
        marks: _Marks,
        window: datetime | None,
        sized: Mapping[str, str],
        first: Page,
        pages: int,
    ) -> None:
        self.marks, self.window, self.sized, self.first = marks, window, sized, first
        self.counts = first.pagination or Pagination()
        self.last = min(self.counts.pageCount, pages)
        self.end: datetime | None = None
        self.read = self.most = 0
        self._newest = ""
        self._counts: list[tuple[str, int]] = []
        # The clocks of Xero's servers differ, so changes shortly before the block began are checked, too.
        since = moment(first.at).replace(microsecond=0) - SKEW
        self.cut = max(since, window) if window else since
        self._keys = array("q")
        self._versions = array("q", [hash(version) for version in marks.passed.items()])
        self._edge: Passed = {}
        self._recent: set[tuple[tuple[Any, ...], str]] = set()

    @property
    def remaining(self) -> int:
        """The number of rows that are still to be read, as of the first page."""
        return max(self.counts.itemCount - len(self._keys), 0)

    def pages(self, at_once: AtOnce) -> Iterator[Page]:
        """Fetch the pages concurrently and return them in order, without rows that two neighbours share."""
        before: list[Row] = []
        numbers = range(2, self.last + 1)
        rest = at_once(
            lambda number: self.marks.fetch({"page": str(number), **self.sized}, self.window), numbers
        )
        for page in chain([self.first], rest):
            # A row that moved between two answers may end one page and begin the next.
            begins = page.rows[0].time if page.rows else ""
            shared = {row.key: row.time for row in before if row.time >= begins}
            rows = [row for row in page.rows if shared.get(row.key) != row.time] if shared else page.rows
            oldest = next((row.time for row in rows if row.time), self._newest)
            if not _in_order(page.rows, self.window) or oldest < self._newest:
                raise _Doubtful("Xero's answer is not in order of change")
            before = page.rows
            self._newest = _newest(rows) or self._newest
            self._counts.append((page.at, page.pagination.itemCount if page.pagination else 0))
            self._note(rows)
            yield Page(rows, page.pagination, page.size)
        self._finish()

    def _finish(self) -> None:
        """Evaluate the counts of the pages, and find where the next block begins."""
        in_time = [count for _, count in sorted(self._counts, key=itemgetter(0))]
        self.most = in_time[-1]
        if in_time != sorted(in_time):
            raise _Doubtful("Rows left the list while it was read")
        if self.read < self.counts.pageCount:
            self.end = _window_after(self._newest)
            if self.window is not None and self.end <= self.window:
                self.end = self.window + OVERLAP
                raise _Doubtful(f"{self.read} pages lie within one second")

    def cut_short(self, fetch: Fetch) -> list[Row] | None:
        """Prove the pages read so far after the next one failed. Returns rows as `late` does, or None without a proof.

        Errors are ignored here: the bookmark stays.
        """
        if not self.read:
            return None
        usual, self.marks.make_call = self.marks.make_call, fetch
        try:
            self._finish()
            return self.late()
        except Exception:
            return None
        finally:
            self.marks.make_call = usual

    def _note(self, rows: list[Row]) -> None:
        self.read += 1
        self._keys.extend([hash(row.key) for row in rows])
        self._versions.extend([hash((row.key, row.time)) for row in rows])
        _keep_edge(self._edge, rows, self._newest, identify=_version)
        cut = self.cut.isoformat()[:19]
        self._recent.update([_version(row) for row in rows if row.time >= cut])

    def late(self) -> list[Row]:
        """Ask for changes since the block began, and prove that no row was skipped.

        Returns the changed rows if they end the list; otherwise the next block reads them. Raises `_Doubtful` without a
        proof. The order of the counts is safe: whatever happens in between can make a proof fail, but not succeed.
        """
        if not self._tail():
            return []
        if self.end is not None and self.end < self.cut:
            border, beyond = self.end, set(self._edge)
        else:  # the rest of the list is so new that the tail has all of it
            border, beyond, self.end = self.cut, self._recent, None
        # The rows read from before the border, each once, since changed rows move beyond it.
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
                return [] if self.end else self._changed(tail)
        raise _Doubtful("Rows were edited while they were read")

    def _tail(self) -> list[Row]:
        tail = _from_change_to_change(self.marks.aside(), self.cut, self.sized)
        return _latest(row for chunk in tail for row in chunk.rows)

    def _changed(self, tail: list[Row]) -> list[Row]:
        return [row for row in tail if (row.key, row.time) not in self._recent]

    def _count(self, window: datetime | None) -> int:
        one = dict.fromkeys(self.sized or ("pageSize",), "1")
        counts = self.marks.fetch({"page": "1", **one}, window).pagination
        if counts is None:
            raise _Doubtful("Xero gives no counts")
        return counts.itemCount

    @cached_property
    def known(self) -> set[int]:
        """The hashes of the versions of rows that were emitted before or are in the pages."""
        return set(self._versions)


def _from_change_to_change(
    marks: _Marks,
    window: datetime | None,
    sized: Mapping[str, str],
    *,
    first: Page | None = None,
    until: datetime | None = None,
) -> Reading:
    """Read a list without page numbers: after each page, ask again from the last time seen.

    Rows that the overlap repeats are left out by key and time. Only a page within one second is followed by further
    page numbers, which are read again if their rows moved. `first` is the first page if it was read before; `until`
    ends the reading. Returns the window from which to continue, or None.
    """
    while until is None or window is None or window < until:
        page, first = first or marks.fetch({"page": "1", **sized}, window), None
        if not _in_order(page.rows, window):
            logger.warning(
                "Xero's answer is not in order of change: the list is read page by page until it stops changing, and "
                "its rows are emitted at the end."
            )
            rows = _latest(_until_still(marks.fetch, window, [sized]))
            yield Chunk(marks.fresh(rows), 0, sum(len(bytes(row.raw)) for row in rows))
            return None
        yield Chunk(marks.fresh(page.rows), _remaining(page), page.size)
        if is_last(page, _rows_of(sized), 1):
            return None
        later = _window_after(_newest(page.rows))
        if window is not None and later <= window:
            rows = _latest(_until_still(marks.fetch, window, [sized], beyond=window))
            yield Chunk(marks.fresh(rows), None, page.size)
            later = _window_after(_newest(rows))
            if later <= window:  # the end of the list
                return None
        window = later
    return window


def _text(time: datetime) -> str:
    return time.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _window_after(time: str) -> datetime:
    return moment(time).replace(microsecond=0) - OVERLAP


def _time(row: Row) -> Any:
    return row.time


def _newest(rows: list[Row]) -> str:
    """The time of the last row that has one; "" if none has."""
    return next((str(row.time) for row in reversed(rows) if row.time), "")


def _in_order(rows: list[Row], window: datetime | None) -> bool:
    """Whether a page is in order of time and within the window."""
    if not rows:
        return True
    times = [row.time for row in rows if row.time]
    if not times:
        return False
    early = (window - OVERLAP).isoformat()[:19] if window else ""
    return times[0][:19] >= early and times == sorted(times)


def _key(row: Row) -> tuple[Any, ...]:
    return row.key


def _version(row: Row) -> tuple[Any, ...]:
    return row.key, row.time


def _keep_edge(
    edge: Passed, rows: Iterable[Row], newest: str, *, identify: Callable[[Row], tuple[Any, ...]]
) -> None:
    """Add keys and times to the edge, and keep those that an answer from the newest time on repeats."""
    if not newest:
        return
    border = _window_after(newest).isoformat()[:19]
    for key in [key for key, time in edge.items() if time < border]:
        del edge[key]
    edge.update([(identify(row), row.time) for row in rows if row.time >= border])


def _latest(rows: Iterable[Row]) -> list[Row]:
    """Keep the last version of each row, in order of time."""
    return sorted({row.key: row for row in rows}.values(), key=_time)


def is_last(page: Page, page_size: int, number: int) -> bool:
    """Whether a page ends its list.

    If Xero states the number of pages, that decides: a page can have fewer rows than requested and still have a
    successor. A list without that statement ends with a page that is not full.
    """
    if not page.rows:
        return True
    if page.pagination is not None and page.pagination.pageCount:
        return number >= page.pagination.pageCount
    return len(page.rows) < page_size


def _remaining(page: Page) -> int | None:
    return max(page.pagination.itemCount - len(page.rows), 0) if page.pagination else None


def read_until_still(fetch: Fetch, walks: Sequence[Mapping[str, str]] = ({},)) -> Iterator[Chunk]:
    """Read a paged list without times: read all its pages until two walks have the same rows.

    A list of one page needs no second walk. Rows are emitted as they are found; a later walk adds new and changed rows.
    `walks` are the parameters of the lists that make up the whole one. Raises `UnexpectedAnswer` if the list does not
    stop changing.
    """
    yield from (Chunk([row]) for row in _until_still(fetch, None, walks))


def _until_still(
    fetch: Fetch,
    window: datetime | None,
    walks: Sequence[Mapping[str, str]],
    *,
    beyond: datetime | None = None,
) -> Iterator[Row]:
    """Read the pages of a window, to its end or until they lead `beyond` a second, as often as rows move.

    Rows that are added meanwhile come after the newest row of the first walk, and do not count as movement.
    """
    found: Passed = {}
    before: Passed | None = None
    newest = ""
    for _ in range(WALKS):
        walk: Passed = {}
        pages = 0
        for page in chain.from_iterable(_pages(fetch, window, asked, beyond) for asked in walks):
            pages += 1
            for row in page.rows:
                walk[row.key] = row.time
                if found.get(row.key) != row.time:
                    found[row.key] = row.time
                    yield row
        if pages == 1 and beyond is None:
            return
        newest = newest or max(walk.values(), default="")
        settled = {key: time for key, time in walk.items() if time <= newest}
        if settled == before:
            return
        before = settled
    raise UnexpectedAnswer(
        f"the list changed during each of {WALKS} readings, so rows may be missing",
        advice="Run it again at a quieter time.",
    )


def _pages(
    fetch: Fetch, window: datetime | None, asked: Mapping[str, str], beyond: datetime | None
) -> Iterator[Page]:
    """The pages of a list, to its end or until they lead `beyond` a second."""
    shown: list[Any] = []
    for number in count(1):
        page = fetch({"page": str(number), **asked}, window)
        last, shown = shown, [(row.key, row.time) for row in page.rows]
        if shown and shown == last:  # Xero ignores `page`, and each answer has everything
            return
        yield page
        newest = _newest(page.rows)
        if is_last(page, _rows_of(asked), number):
            return
        if beyond is not None and newest and _window_after(newest) > beyond:
            return


def _rows_of(asked: Mapping[str, str]) -> int:
    """The rows of a full page: the number among the parameters, or the default."""
    return next((int(value) for value in asked.values() if value.isdigit()), SHORT_PAGE)


def read_by_number(fetch: Fetch, after: int, at_once: AtOnce = one_by_one) -> Iterator[Chunk]:
    """Read journals: `offset` means "with a greater JournalNumber", not a count of rows, and `page` is ignored.

    Recorded from Xero: offset 400 gives 401 to 500, and an offset after the last journal an empty list. Journals never
    change. A full answer reaches at least 100 numbers further, so the next offsets by hundreds can be requested
    concurrently without leaving a number out, as long as the answer before was full.

    Raises `UnexpectedAnswer` if Xero repeats journals, since the reading would never end.
    """
    ahead = 1
    while True:
        offsets = range(after, after + ahead * SHORT_PAGE, SHORT_PAGE)
        ahead = min(ahead * 2, NUMBERS_AHEAD)
        answers = at_once(lambda offset: fetch({"offset": str(offset)}, None), offsets)
        for offset, page in zip(offsets, answers, strict=False):
            if not page.rows:
                return
            fresh = _fresh_journals(page, offset, after)
            if fresh:
                after = fresh[-1].time
            odd = [row for row in page.rows if row.time == ""]
            if fresh or odd:
                yield Chunk([*odd, *fresh], None, page.size, bookmark=after)
            if len(page.rows) < SHORT_PAGE:
                # This is probably the end. Answers from beyond it may leave a gap.
                ahead = 1
                break


def _fresh_journals(page: Page, offset: int, after: int) -> list[Row]:
    """The journals of an answer that no earlier one had. Raises `UnexpectedAnswer` if Xero repeats journals."""
    numbered = [row for row in page.rows if row.time != ""]
    if all(row.time <= offset for row in numbered):
        raise UnexpectedAnswer(
            f"journals after number {offset} were requested, and Xero returned only earlier ones"
        )
    return sorted((row for row in numbered if row.time > after or row.time < max(offset, 1)), key=_time)
