"""The readers of paged lists alone, while rows are edited, added and removed between any two calls."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tap_xero.reads import paging
from tap_xero.reads.paging import read_by_change

from .busy_list import (
    NOON,
    BusyList,
    Change,
    backwards,
    both,
    create,
    delete,
    edit,
    faults_of,
    first_page_only,
    one_by_one,
    page_by_number,
    rows_at,
    run,
    text,
)

AGES = {"long ago": NOON - timedelta(days=1), "just now": NOON - timedelta(milliseconds=200)}
#: The seconds between seven rows.
SPREADS = {
    "apart": (0, 10, 20, 30, 40, 50, 60),
    "within two seconds": (0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8),
    "within a second": (0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
    "at one moment": (0, 0, 0, 0, 0, 0, 0),
    "crowded in the middle": (0, 5, 5, 5, 5, 5, 9),
}
CHANGES: dict[str, Change] = {
    **{f"edit row {row}": edit(row) for row in range(1, 8)},
    "edit two": both(edit(1), edit(2)),
    "edit the first and the last": both(edit(1), edit(7)),
    "create": create(99),
    "create and edit": both(create(99), edit(1)),
    "remove row 1": delete(1),
    "remove row 4": delete(4),
}


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "logger", paging.logging.getLogger("quiet"))
    paging.logger.setLevel("CRITICAL")


def busy_lists(spread: tuple[float, ...], every: int = 1, **more: Any) -> Iterator[tuple[str, BusyList]]:
    """Lists of such rows with each change after each of the first calls; `every` selects some of them."""
    lists = itertools.product(AGES, CHANGES.items(), range(1, 7), (0, 0.4))
    for age, (name, change), call, tick in itertools.islice(lists, 0, None, every):
        rows = rows_at(*spread, until=AGES[age])
        what = f"{name} of {age} after call {call}, clock {tick}"
        yield what, BusyList(rows, {call: change}, timedelta(seconds=tick), **more)


def complaints(reader: Callable[..., Any], lists: Iterator[tuple[str, BusyList]], *given: Any) -> list[str]:
    """The faults of a reader with lists."""
    return [f"{what}: {fault}" for what, busy in lists for fault in faults_of(reader, busy, 2, *given)]


@pytest.mark.parametrize("at_once", [one_by_one, backwards])
@pytest.mark.parametrize("spread", SPREADS)
def test_a_change_at_any_page_border_loses_nothing_and_repeats_nothing(spread: str, at_once: Any) -> None:
    every = 1 if at_once is one_by_one else 3
    assert complaints(read_by_change, busy_lists(SPREADS[spread], every), "", at_once)[:3] == []


@pytest.mark.parametrize("spread", ["apart", "within two seconds", "crowded in the middle"])
def test_a_change_loses_and_repeats_nothing_in_a_list_of_several_blocks(
    spread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "BLOCK", 2)
    assert complaints(read_by_change, busy_lists(SPREADS[spread], 3))[:3] == []


@pytest.mark.parametrize("spread", ["apart", "within a second"])
def test_a_change_loses_and_repeats_nothing_without_counts(spread: str) -> None:
    assert complaints(read_by_change, busy_lists(SPREADS[spread], 5, counted=False))[:3] == []


@pytest.mark.parametrize("spread", ["apart", "crowded in the middle"])
def test_a_change_loses_and_repeats_nothing_if_if_modified_since_excludes_its_own_second(spread: str) -> None:
    assert complaints(read_by_change, busy_lists(SPREADS[spread], 5, inclusive=False))[:3] == []


def test_a_change_loses_and_repeats_nothing_from_a_bookmark_in_the_middle() -> None:
    since = text(rows_at(*SPREADS["apart"])[3])
    lists = (
        (what, busy)
        for what, busy in busy_lists(SPREADS["apart"])
        if busy.rows[3] < NOON - timedelta(hours=1)
    )
    assert complaints(read_by_change, lists, since)[:3] == []


def test_many_changes_in_a_row_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    for attempt in range(150):
        monkeypatch.setattr(paging, "BLOCK", chance.choice([2, 3, 100]))
        seconds = sorted(
            chance.choice([0, 0.2, 1, 3, 30, 31, 32, 33, 60]) + chance.random() for _ in range(12)
        )
        rows = rows_at(*seconds, until=chance.choice(list(AGES.values())))
        kinds = [edit(chance.randint(1, 12)) for _ in range(6)] + [create(100 + n) for n in range(2)]
        changes = {chance.randint(1, 14): chance.choice(kinds) for _ in range(3)}
        busy = BusyList(
            rows, changes, timedelta(seconds=chance.choice([0, 0.1, 0.7])), inclusive=chance.random() < 0.8
        )
        size, at_once = chance.choice([1, 2, 3, 5]), chance.choice([one_by_one, backwards])
        assert faults_of(read_by_change, busy, size, at_once=at_once) == [], attempt


def test_a_quiet_list_costs_one_call_more_than_it_has_pages() -> None:
    busy = BusyList(rows_at(*range(0, 200, 10)))
    seen = run(read_by_change, busy, 5)
    assert [key for key, _ in seen.versions] == list(range(1, 21))
    assert busy.calls == 5


def test_a_list_that_never_stops_changing_fails_with_an_error() -> None:
    restless = {call: edit(call // 8) for call in range(8, 320, 8)}
    busy = BusyList(dict.fromkeys(range(1, 41), NOON), restless, timedelta(milliseconds=1), counted=False)
    with pytest.raises(paging.UnexpectedAnswer, match="changed during each of"):
        run(read_by_change, busy, 2)


# A test of the tests: they find the faults of other readers.


def test_these_tests_notice_that_page_numbers_skip_rows() -> None:
    found = complaints(page_by_number, busy_lists(SPREADS["apart"], 5))
    assert any("edit row 1" in one and "lost:" in one for one in found)


def test_these_tests_notice_that_only_page_1_is_read() -> None:
    assert any("lost:" in one for one in complaints(first_page_only, busy_lists(SPREADS["apart"], 5)))


def test_these_tests_notice_that_the_overlap_is_repeated() -> None:
    def forgetful(fetch: Any, since: Any, passed: Any, page_size: int, at_once: Any) -> Any:
        return read_by_change(fetch, since, {}, page_size, at_once)

    found = complaints(forgetful, busy_lists(SPREADS["within a second"], 5))
    assert any("again in the second run" in one for one in found)


def test_these_tests_notice_a_bookmark_that_runs_ahead() -> None:
    def hasty(*given: Any) -> Any:
        for chunk in paging.read_by_change(*given):
            yield paging.replace(chunk, bookmark=max((row.time for row in chunk.rows), default=None))

    found = complaints(hasty, busy_lists(SPREADS["apart"], 5))
    assert any("lost after a break" in one for one in found)
