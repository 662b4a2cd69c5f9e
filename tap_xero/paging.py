"""The ways Xero hands out a list, each read so that no row is lost or repeated while people go on working.

Each reader here is a generator of pages, fed by `fetch`, which makes one call. They know nothing of Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_xero.records import Page, Record, UnexpectedAnswer

logger = logging.getLogger("tap-xero")

OVERLAP = timedelta(seconds=1)
"""If-Modified-Since counts whole seconds, and whether it includes its own second isn't documented: ask one earlier."""

WALKS = 10
"""How often a list that is being edited is walked again before the stream gives up and says so."""


SHORT_PAGE = 100
"""The rows of a page where the list takes no size."""

Fetch = Callable[["Mapping[str, str] | None", "datetime | None"], Page]
"""Makes one call of a list, with these parameters and If-Modified-Since, and reads its answer."""


@dataclass(frozen=True)
class Chunk:
    """Records to pass on, and how many are known to lie before and after them (None: Xero doesn't say)."""

    records: list[Record]
    remaining: int | None = None


def moment(text: str) -> datetime:
    """Read a timestamp as the tap writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def key_of(names: Sequence[str]) -> Callable[[Record], tuple[Any, ...]]:
    """Make the function that gives a record's key."""

    def key(record: Record) -> tuple[Any, ...]:
        return tuple([record.get(name) for name in names])

    return key


Passed = dict[tuple[Any, ...], str]
"""Key and time of the rows that the next question may repeat: the last that was passed on before a bookmark."""


def read_whole(
    fetch: Fetch, key: Sequence[str], marker: str | None, since: datetime | None, passed: Passed
) -> Iterator[Chunk]:
    """Read a list that Xero gives in one answer, in order of its marker so that a bookmark can follow it."""
    records = fetch(None, since and since - OVERLAP).records
    if marker:
        records = _fresh(sorted(records, key=time_in(marker)), key, marker, passed)
    yield Chunk(records, 0)


def read_by_change(
    fetch: Fetch,
    key: Sequence[str],
    marker: str,
    since: datetime | None,
    passed: Passed,
    page_size: int | None,
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
    size = page_size or SHORT_PAGE
    window = since and since - OVERLAP
    while True:
        page = fetch({"page": "1", **sized}, window)
        if not _in_order(page.records, marker, window):
            logger.warning(
                "Xero's answer is not in order of %s: the list is walked page by page until it holds still, and its "
                "rows are passed on at the end.", marker,
            )  # fmt: skip
            rows = list(_until_still(fetch, key, marker, window, sized))
            yield Chunk(_fresh(_latest(rows, key, marker), key, marker, passed), 0)
            return
        yield Chunk(_fresh(page.records, key, marker, passed), _remaining(page))
        if is_last(page, size, 1):
            return
        later = _window_after(page.records[-1][marker])
        if window is not None and later <= window:
            crowd = list(_until_still(fetch, key, marker, window, sized, beyond=window))
            rows = _latest(crowd, key, marker)
            yield Chunk(_fresh(rows, key, marker, passed))
            later = _window_after(rows[-1][marker])
            if later <= window:  # the walk met the end of the list
                return
        window = later


def _window_after(time: str) -> datetime:
    return moment(time).replace(microsecond=0) - OVERLAP


def time_in(marker: str) -> Callable[[Record], str]:
    """Make the function that gives a record's time, as text that sorts."""
    return lambda record: record.get(marker) or ""


def _in_order(records: list[Record], marker: str, window: datetime | None) -> bool:
    """Tell whether a page is what was asked for: by time, and nothing from before the window."""
    times = [record.get(marker) or "" for record in records]
    if not times:
        return True
    early = (window - OVERLAP).isoformat()[:19] if window else ""
    return bool(times[0]) and times[0][:19] >= early and times == sorted(times)


def _fresh(records: list[Record], key: Sequence[str], marker: str, passed: Passed) -> list[Record]:
    """Leave out what was passed on before, and remember what the next question may repeat."""
    if not records:
        return records
    identity, time = key_of(key), time_in(marker)
    fresh = [record for record in records if passed.get(identity(record)) != time(record)]
    newest = max([*map(time, records), *passed.values()])
    border = _window_after(newest).isoformat()[:19] if newest else ""
    for row in [row for row, at in passed.items() if at[:19] < border]:
        del passed[row]
    passed.update((identity(record), time(record)) for record in records if time(record)[:19] >= border)
    return fresh


def _latest(records: list[Record], key: Sequence[str], marker: str) -> list[Record]:
    """Keep each row as it was last seen, by time: a bookmark never runs ahead of a row."""
    identity = key_of(key)
    return sorted({identity(record): record for record in records}.values(), key=time_in(marker))


def is_last(page: Page, page_size: int, number: int) -> bool:
    """Tell whether a page ends its list.

    Where Xero says how many pages there are, that counts: a page may hold fewer rows than asked for and still have a
    successor. A list without that block ends with a page that isn't full.
    """
    if not page.records:
        return True
    if page.pagination is not None and page.pagination.pageCount:
        return number >= page.pagination.pageCount
    return len(page.records) < page_size


def _remaining(page: Page) -> int | None:
    return max(page.pagination.itemCount - len(page.records), 0) if page.pagination else None


def read_until_still(fetch: Fetch, key: Sequence[str], marker: str) -> Iterator[Chunk]:
    """Read a paged list that can't be asked by time: walk its pages until two walks give the same rows.

    A list of one page needs no second walk. Rows are passed on as they are found; a later walk adds what it finds new
    or changed. Raises `UnexpectedAnswer` when the list doesn't hold still.
    """
    yield from (Chunk([record]) for record in _until_still(fetch, key, marker, None, {}))


def _until_still(
    fetch: Fetch,
    key: Sequence[str],
    marker: str,
    window: datetime | None,
    sized: Mapping[str, str],
    *,
    beyond: datetime | None = None,
) -> Iterator[Record]:
    """Walk the pages of a window, to its end or until they lead `beyond` a crowded second, as often as they move.

    What comes in while we walk lands behind the newest row of the first walk, and so doesn't count as movement.
    """
    identity, time = key_of(key), time_in(marker)
    found: Passed = {}
    before: Passed | None = None
    newest = ""
    for _ in range(WALKS):
        walk: Passed = {}
        number = 1
        while True:
            page = fetch({"page": str(number), **sized}, window)
            for record in page.records:
                row, at = identity(record), time(record)
                walk[row] = at
                if found.get(row) != at:
                    found[row] = at
                    yield record
            if is_last(page, int(sized.get("pageSize", SHORT_PAGE)), number):
                break
            if beyond is not None and _window_after(time(page.records[-1])) > beyond:
                break
            number += 1
        if number == 1 and beyond is None:
            return
        newest = newest or max(walk.values(), default="")
        settled = {row: at for row, at in walk.items() if at <= newest}
        if settled == before:
            return
        before = settled
    raise UnexpectedAnswer(
        f"the list changed during each of {WALKS} readings, so it can't be told whether all rows were seen",
        advice="Run it again at a quieter time.",
    )


def read_by_number(fetch: Fetch, number: str, after: int) -> Iterator[Chunk]:
    """Read journals: `offset` means "with a greater JournalNumber", not a count of rows, and `page` is ignored.

    Recorded from Xero: offset 400 gives 401 to 500, and past the last an empty list. Journals never change.

    Raises `UnexpectedAnswer` when Xero doesn't move on, which would otherwise never end.
    """
    while True:
        page = fetch({"offset": str(after)}, None)
        if not page.records:
            return
        fresh = sorted((r for r in page.records if r[number] > after), key=lambda record: record[number])
        if not fresh:
            raise UnexpectedAnswer(
                f"journals after number {after} were asked for, and Xero gave only earlier ones"
            )
        yield Chunk(fresh)
        after = fresh[-1][number]
