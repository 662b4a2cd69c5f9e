"""The general ledger that reports read: its entries and the date arithmetic of reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from ..values import Record


class Books(Protocol):
    """The records from which reports are computed."""

    def records(self, resource: str) -> Iterable[Record]:
        """All records of a resource."""

    def now(self) -> datetime:
        """The current time as an aware datetime."""


class Entry(NamedTuple):
    """A line of the ledger: a debit is positive, amounts in base currency."""

    day: date
    account: str
    net: Decimal
    options: frozenset[str]
    source: str


def entries(journals: Iterable[Record]) -> Iterable[Entry]:
    """Every line of every journal."""
    for journal in journals:
        day, source = journal["JournalDate"], journal.get("SourceID", "")
        for line in journal["JournalLines"]:
            tracking = line.get("TrackingCategories") or ()
            options = frozenset(one["TrackingOptionID"] for one in tracking if "TrackingOptionID" in one)
            yield Entry(day, line["AccountID"], line["NetAmount"], options, source)


def month_end(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def shifted(day: date, months: int) -> date:
    """The same day of the month `months` later; the last day of a month stays the last day."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    last = month_end(first)
    return last if day == month_end(day) else first.replace(day=min(day.day, last.day))
