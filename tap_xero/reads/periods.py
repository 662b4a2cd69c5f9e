"""The periods that reports are read for: real months, and quarters and years as the organisation counts them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

MONTH, QUARTER, YEAR = "MONTH", "QUARTER", "YEAR"
MONTHS = {MONTH: 1, QUARTER: 3, YEAR: 12}


class Period(NamedTuple):
    """From its first day to its last, both included."""

    first: date
    last: date


def periods(timeframe: str, first: date, last: date, year_start: date) -> list[Period]:
    """All periods that have a day between `first` and `last`, in order.

    `year_start` is the first day of any financial year: quarters and years are counted from there. Months are those of
    the calendar, whatever it says.
    """
    step = MONTHS[timeframe]
    anchor = first.replace(day=1) if timeframe == MONTH else _last_before(year_start, first)
    found: list[Period] = []
    number = 0
    while True:
        begin, after = later(anchor, number * step), later(anchor, (number + 1) * step)
        if begin > last:
            return found
        if after > first:
            found.append(Period(begin, after - timedelta(days=1)))
        number += 1


def year_start(organisation: Mapping[str, Any]) -> date:
    """The first day of a financial year, by the organisation's record.

    A year that ends on the last day of a month ends there in leap years too (28 or 29 February). Raises ValueError
    where the record doesn't say when it ends.
    """
    month, day = (organisation.get(f"FinancialYearEnd{part}") or 0 for part in ("Month", "Day"))
    if month not in range(1, 13) or day not in range(1, 32):
        raise ValueError("Xero doesn't say when the organisation's financial year ends")
    month, day = int(month), int(day)
    if day >= monthrange(2023, month)[1]:
        return date(2024 if month == 12 else 2023, month % 12 + 1, 1)
    return date(2023, month, day + 1)


def month_end(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def _last_before(start: date, day: date) -> date:
    years = day.year - start.year
    found = later(start, 12 * years)
    return found if found <= day else later(start, 12 * (years - 1))


def later(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
