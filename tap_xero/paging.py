"""The ways Xero hands out a list, each read so that no row is lost or repeated while people go on working.

Each reader here is a generator of pages, fed by `fetch`, which makes one call. They know nothing of Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_xero.records import Page, Row, UnexpectedAnswer

logger = logging.getLogger("tap-xero")

OVERLAP = timedelta(seconds=1)
"""If-Modified-Since counts whole seconds, and whether it includes its own second isn't documented: ask one earlier."""

WALKS = 10
"""How often a list that is being edited is walked again before the stream gives up and says so."""


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


def moment(text: str) -> datetime:
    """Read a timestamp as the tap writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def read_whole(fetch: Fetch, since: datetime | None, passed: Passed, *, by_time: bool) -> Iterator[Chunk]:
    """Read a list that Xero gives in one answer; `by_time`: in the order of its marker, for a bookmark to follow."""
    page = fetch(None, since and since - OVERLAP)
    yield Chunk(_fresh(sorted(page.rows, key=_time), passed) if by_time else page.rows, 0, page.size)


def read_by_change(
    fetch: Fetch, since: datetime | None, passed: Passed, page_size: int | None
) -> Iterator[Chunk]:
    """Read a paged list by time instead of by page number.

    Lists come ordered by UpdatedDateUTC, so a record edited while we page moves to the end and its successors move one
    place forward: the next page number then skips a row, and a bookmark would pass it for good (Xero-Net#241). So
    after each page the question is asked anew from the last time seen, and what the overlap repeats is dropped by key
    and time. Only a page that lies wholly within one second is followed by its next page numbers, and those are walked
    again if anything among them moved.

    `passed` holds the rows at the border of the run before, and at the end those of this one. `page_size` None: the
    list takes no size and gives 100. Raises `UnexpectedAnswer` when a list changes faster than it can be read.
    """
    sized = {} if page_size is None else {"pageSize": str(page_size)}
    window = since and since - OVERLAP
    while True:
        page = fetch({"page": "1", **sized}, window)
        if not _in_order(page.rows, window):
            logger.warning(
                "Xero's answer is not in order of change: the list is walked page by page until it holds still, and "
                "its rows are passed on at the end."
            )
            rows = _latest(_until_still(fetch, window, sized))
            yield Chunk(_fresh(rows, passed), 0, sum(len(bytes(row.raw)) for row in rows))
            return
        yield Chunk(_fresh(page.rows, passed), _remaining(page), page.size)
        if is_last(page, page_size or SHORT_PAGE, 1):
            return
        later = _window_after(page.rows[-1].time)
        if window is not None and later <= window:
            rows = _latest(_until_still(fetch, window, sized, beyond=window))
            yield Chunk(_fresh(rows, passed), None, page.size)
            later = _window_after(rows[-1].time)
            if later <= window:  # the walk met the end of the list
                return
        window = later


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
    if not rows:
        return rows
    fresh = [row for row in rows if passed.get(row.key) != row.time] if passed else rows
    newest = max([*map(_time, rows), *passed.values()])
    border = _window_after(newest).isoformat()[:19] if newest else ""
    for key in [key for key, time in passed.items() if time[:19] < border]:
        del passed[key]
    passed.update((row.key, row.time) for row in rows if row.time[:19] >= border)
    return fresh


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
        while True:
            page = fetch({"page": str(number), **sized}, window)
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


def read_by_number(fetch: Fetch, after: int) -> Iterator[Chunk]:
    """Read journals: `offset` means "with a greater JournalNumber", not a count of rows, and `page` is ignored.

    Recorded from Xero: offset 400 gives 401 to 500, and past the last an empty list. Journals never change.

    Raises `UnexpectedAnswer` when Xero doesn't move on, which would otherwise never end.
    """
    while True:
        page = fetch({"offset": str(after)}, None)
        if not page.rows:
            return
        fresh = sorted((row for row in page.rows if row.time > after), key=_time)
        if not fresh:
            raise UnexpectedAnswer(
                f"journals after number {after} were asked for, and Xero gave only earlier ones"
            )
        yield Chunk(fresh, None, page.size)
        after = fresh[-1].time
