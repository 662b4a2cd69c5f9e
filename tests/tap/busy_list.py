"""A list of Xero's in memory that changes while it is read, and checks for a reader of such a list."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from tap_xero.reads.paging import AtOnce, Chunk, Passed, moment, one_by_one
from tap_xero.records.reader import Page, Pagination, Row

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
Version = tuple[int, str]
Change = Callable[["BusyList"], None]
Reader = Callable[..., Iterator[Chunk]]


def text(time: datetime) -> str:
    """A time in the tap's form."""
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@dataclass
class BusyList:
    """Rows and the times of their change, listed in the order of these times.

    A change happens after each call whose number is in `changes`. `tick` is the number of seconds that the
    clock advances with a call. `inclusive`: whether If-Modified-Since includes its own second. `counted`:
    whether answers have a `pagination` block.
    """

    rows: dict[int, datetime]
    changes: Mapping[int, Change] = field(default_factory=dict)
    tick: timedelta = timedelta(0)
    inclusive: bool = True
    counted: bool = True
    now: datetime = NOON
    calls: int = 0

    def fetch(self, params: Mapping[str, str] | None, since: datetime | None) -> Page:
        """Answer one call."""
        self.calls += 1
        if self.calls > 3000:
            raise AssertionError("the reader never ends")
        params = params or {}
        floor = since and since.replace(microsecond=0)
        rows = sorted((time, key) for key, time in self.rows.items() if self._asked(time, floor))
        size, number = int(params.get("pageSize", 100)), int(params.get("page", 1))
        shown = [
            Row((key,), text(time), msgspec.Raw(b"{}"))
            for time, key in rows[(number - 1) * size : number * size]
        ]
        block = Pagination(number, size, math.ceil(len(rows) / size), len(rows)) if self.counted else None
        page = Page(shown, block, 100 * len(shown), text(self.now))
        self.now += self.tick
        if change := self.changes.get(self.calls):
            change(self)
        return page

    def _asked(self, time: datetime, floor: datetime | None) -> bool:
        if floor is None:
            return True
        return time >= floor if self.inclusive else time.replace(microsecond=0) > floor

    @property
    def versions(self) -> set[Version]:
        """The current rows of the list."""
        return {(key, text(time)) for key, time in self.rows.items()}


def edit(key: int) -> Change:
    """Edit a row."""

    def change(busy: BusyList) -> None:
        if key in busy.rows:
            busy.rows[key] = busy.now

    return change


def create(key: int) -> Change:
    """Add a row."""

    def change(busy: BusyList) -> None:
        busy.rows[key] = busy.now

    return change


def delete(key: int) -> Change:
    """Remove a row."""

    def change(busy: BusyList) -> None:
        busy.rows.pop(key, None)

    return change


def both(*changes: Change) -> Change:
    """Several changes at once."""

    def change(busy: BusyList) -> None:
        for one in changes:
            one(busy)

    return change


def backwards(call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
    """Concurrent calls that are answered in reverse order."""
    wanted = list(numbers)
    for start in range(0, len(wanted), 5):
        some = wanted[start : start + 5]
        pages = {number: call(number) for number in reversed(some)}
        yield from (pages[number] for number in some)


@dataclass
class Seen:
    """The rows that a run has emitted, its bookmark after each row, and its state at the end."""

    versions: list[Version] = field(default_factory=list)
    bookmarks: list[str] = field(default_factory=list)
    bookmark: str = ""
    passed: Passed = field(default_factory=dict)


def run(
    reader: Reader,
    busy: BusyList,
    page_size: int | None,
    since: str = "",
    passed: Passed | None = None,
    at_once: AtOnce = one_by_one,
    **more: Any,
) -> Seen:
    """Read as a stream does, with the bookmark of each chunk."""
    seen = Seen(bookmark=since, passed=dict(passed or {}))
    since_then = moment(since) if since else None
    for chunk in reader(busy.fetch, since_then, seen.passed, page_size, at_once, **more):
        for row in chunk.rows:
            seen.versions.append((row.key[0], row.time))
            seen.bookmarks.append(seen.bookmark)
        seen.bookmark = chunk.bookmark or seen.bookmark
    return seen


def faults_of(
    reader: Reader, busy: BusyList, page_size: int | None, since: str = "", at_once: AtOnce = one_by_one
) -> list[str]:
    """The faults of a reader of a list; empty if it has none.

    A run, and a second one from its bookmark, must emit every row in its last version, none of them twice. The
    same holds for a run that breaks off anywhere, with one from the bookmark at that point.
    """
    before = {version for version in busy.versions if since and version[1] < since}
    first = run(reader, busy, page_size, since, at_once=at_once)
    busy.changes = {}
    complaints = []
    twice = [version for version in set(first.versions) if first.versions.count(version) > 1]
    if twice:
        complaints.append(f"twice in one run: {twice}")
    second = run(reader, busy, page_size, first.bookmark, first.passed)
    if missing := busy.versions - before - {*first.versions, *second.versions}:
        complaints.append(f"lost: {missing} by a bookmark at {first.bookmark}")
    if again := {*first.versions} & {*second.versions}:
        complaints.append(f"again in the second run: {again}")
    reread: dict[str, set[Version]] = {}
    for count, mark in enumerate(first.bookmarks):
        if mark not in reread:
            reread[mark] = {*run(reader, busy, page_size, mark).versions}
        if missing := busy.versions - before - {*first.versions[: count + 1]} - reread[mark]:
            complaints.append(f"lost after a break at row {count + 1}: {missing} by a bookmark at {mark}")
            break
    return complaints


def rows_at(*seconds: float, until: datetime = NOON - timedelta(days=1)) -> dict[int, datetime]:
    """Rows numbered from 1, this number of seconds apart; the last one changed at `until`."""
    last = max(seconds)
    return {number: until - timedelta(seconds=last - second) for number, second in enumerate(seconds, 1)}


def page_by_number(
    fetch: Callable[..., Page], since: Any, passed: Passed, page_size: int, at_once: AtOnce = one_by_one
) -> Iterator[Chunk]:
    """The fault of another reader: page=1, 2, 3 and a bookmark at the newest row."""
    number = 1
    while True:
        page = fetch({"page": str(number), "pageSize": str(page_size)}, since)
        rows = [row for row in page.rows if passed.get(row.key) != row.time]
        yield Chunk(rows, bookmark=rows[-1].time if rows else None)
        passed.update((row.key, row.time) for row in page.rows)
        if len(page.rows) < page_size:
            return
        number += 1


def first_page_only(
    fetch: Callable[..., Page], since: Any, passed: Passed, page_size: int, at_once: AtOnce = one_by_one
) -> Iterator[Chunk]:
    """The fault of another reader: page 1 only."""
    rows = fetch({"page": "1", "pageSize": str(page_size)}, since).rows
    yield Chunk(rows, bookmark=rows[-1].time if rows else None)
