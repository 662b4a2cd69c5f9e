"""The periods of reports: calendar months, and quarters and years of the organisation's financial year."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

MONTH, QUARTER, YEAR = "MONTH", "QUARTER", "YEAR"
MONTHS = {MONTH: 1, QUARTER: 3, YEAR: 12}


class Period(NamedTuple):
    """A period from its first to its last day, both included."""

    first: date
    last: date


def periods(timeframe: str, first: date, last: date, year_start: date) -> list[Period]:
    """The periods with a day between `first` and `last`, in order.

    Quarters and years are counted from `year_start`, the first day of any financial year. Months are calendar months.
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
    """The first day of a financial year, from the organisation's record.

    A year that ends on 28 February ends on the 29th in leap years. Raises ValueError if the record has no end of year.
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
    """The same day so many months later, or the last day of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
