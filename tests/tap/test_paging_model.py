"""Lists are read completely while they are edited at any moment: a test with a model of Xero's lists.

The model answers like Xero's paged lists: ordered by UpdatedDateUTC, filtered by If-Modified-Since in whole
seconds, with or without counts. Edits and creations happen before any answer, and concurrent pages are answered
in any order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from tap_xero.reads import paging
from tap_xero.records.reader import Page, Pagination, Row, UnexpectedAnswer

SEEDS = 25
START = datetime(2026, 3, 1, tzinfo=timezone.utc)


class ListOfXero:
    """Rows that change while they are read."""

    def __init__(
        self, seed: int, rows: int, *, edits: float, counts: bool = True, crowd: bool = False
    ) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.counts = counts
        self.edits = edits
        self.calls = 0
        self.times: dict[str, datetime] = {}
        for _ in range(rows):
            self.now += timedelta(
                milliseconds=self.random.choice([0, 1, 2] if crowd else [0, 300, 1500, 40_000])
            )
            self.times[f"row {len(self.times)}"] = self.now
        self.now += timedelta(seconds=self.random.choice([0, 2, 3600]))

    def live(self) -> None:
        """Let some time pass, with edits and new rows."""
        self.now += timedelta(milliseconds=self.random.choice([0, 40, 700]))
        while self.random.random() < self.edits:
            self.now += timedelta(milliseconds=1)
            name = self.random.choice([*self.times, f"row {len(self.times)}"])
            self.times[name] = self.now

    def fetch(self, params: Mapping[str, str] | None, since: datetime | None) -> Page:
        self.live()
        self.calls += 1
        size, number = int((params or {}).get("pageSize", 100)), int((params or {})["page"])
        rows = sorted((time, name) for name, time in self.times.items() if since is None or time >= since)
        part = rows[(number - 1) * size : number * size]
        block = Pagination(number, size, -(-len(rows) // size), len(rows)) if self.counts else None
        text = [(name, time.isoformat(timespec="microseconds").replace("+00:00", "Z")) for time, name in part]
        at = self.now.isoformat(timespec="microseconds").replace("+00:00", "Z")
        return Page([Row((name,), time, msgspec.Raw(b"{}")) for name, time in text], block, 100, at)

    def at_once(self, call: Callable[[int], Page], numbers: Iterable[int]) -> Iterator[Page]:
        """Answer up to five calls in any order, and return the answers in the order of the calls."""
        wanted = list(numbers)
        while wanted:
            group, wanted = wanted[:5], wanted[5:]
            answers = {number: call(number) for number in self.random.sample(group, len(group))}
            yield from (answers[number] for number in group)


def read(
    xero: ListOfXero, size: int, passed: paging.Passed | None = None
) -> tuple[list[tuple[str, str]], bool]:
    """Read the list; returns key and time of all emitted rows, and whether every bookmark was safe."""
    seen: list[tuple[str, str]] = []
    safe = True
    before = dict(xero.times)
    at_once = xero.at_once
    for chunk in paging.read_by_change(xero.fetch, None, passed if passed is not None else {}, size, at_once):
        seen += [(row.key[0], row.time) for row in chunk.rows]
        if chunk.proven and seen:
            # The time from which a run with this bookmark reads.
            newest = paging.moment(max(time for _, time in seen))
            asked_from = (newest.replace(microsecond=0) - paging.OVERLAP).isoformat()
            versions = set(seen)
            # A row that did not change since the start and is older than that must have been emitted.
            for name, time in before.items():
                text = time.isoformat(timespec="microseconds").replace("+00:00", "Z")
                if xero.times[name] == time and text < asked_from and (name, text) not in versions:
                    safe = False
    return seen, safe


@pytest.mark.parametrize("counts", [True, False], ids=["with counts", "without counts"])
@pytest.mark.parametrize("edits", [0.0, 0.02, 0.3], ids=["quiet", "now and then", "busy"])
@pytest.mark.parametrize("crowd", [True, False], ids=["crowded seconds", "spread"])
def test_no_row_is_lost_or_repeated_whenever_it_is_edited(counts, edits, crowd, monkeypatch):
    monkeypatch.setattr(paging, "BLOCK", 6)
    gave_up = 0
    for seed in range(SEEDS):
        xero = ListOfXero(seed, rows=260, edits=edits, counts=counts, crowd=crowd)
        size = xero.random.choice([7, 20, 100])
        try:
            seen, safe = read(xero, size)
        except UnexpectedAnswer:  # it raised an error instead of losing a row silently
            gave_up += 1
            continue
        assert len(seen) == len(set(seen)), f"seed {seed}: a version of a row was passed on twice"
        newest = dict(seen)
        ended = max(newest.values())
        for name, time in xero.times.items():
            text = time.isoformat(timespec="microseconds").replace("+00:00", "Z")
            # The next run reads the changes after the last answer.
            assert text > ended or newest.get(name) == text, f"seed {seed}: {name} was lost"
        assert safe, f"seed {seed}: a bookmark ran ahead of a row"
    assert gave_up == 0 or (crowd and edits), "only a crowd that never holds still may defeat the reading"


def test_a_quiet_list_costs_one_call_more_than_its_pages():
    xero = ListOfXero(1, rows=2000, edits=0.0)
    xero.now += timedelta(hours=1)
    read(xero, 100)
    assert xero.calls == 21


def test_plain_page_numbers_would_lose_rows_here():
    """The model finds the fault that it is made for."""

    def plainly(xero: ListOfXero, size: int) -> set[str]:
        names: set[str] = set()
        number = 1
        while True:
            page = xero.fetch({"page": str(number), "pageSize": str(size)}, None)
            names |= {row.key[0] for row in page.rows}
            if paging.is_last(page, size, number):
                return names
            number += 1

    lost = 0
    for seed in range(20):
        xero = ListOfXero(seed, rows=260, edits=0.3)
        before = set(xero.times)
        lost += len(before - plainly(xero, 20))
    assert lost > 0
