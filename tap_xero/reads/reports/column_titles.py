"""Reads the period in the title of a report's column: a day, a month or a year.

Xero writes `30 Apr 2019`, `31 Mar 24`, `Apr 30, 2019` and `Jan-20`. Other languages and layouts have titles such as
`30 Sept 2023`, `30/09/2023` and `2023`. Names of months are English, whatever the locale of the machine.
"""

from __future__ import annotations

import re
from datetime import date

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

_GAP = r"[\s.,/-]+"
_WORD = r"(?P<word>[A-Za-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_ORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_DAY}{_GAP}{_WORD}{_GAP}{_YEAR}",
        rf"{_WORD}{_GAP}{_DAY},?\s+{_YEAR}",
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:T[\d:.]+Z?)?",
    )
)
_NUMBERS = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})")
_MONTH_ORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_WORD}{_GAP}{_YEAR}",
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})",
        r"(?P<month>\d{1,2})[-/](?P<year>\d{4})",
    )
)
_YEARS = re.compile(r"(?:FY|Year)?\s*(?P<year>(?:19|20)\d{2})(?:\s*[/-]\s*(?:20)?\d{2})?", re.IGNORECASE)


def day_of(title: str) -> date | None:
    """The day that a title names; None if it names none.

    Of numbers, the first is the day, as outside the United States, unless only the second can be.
    """
    if found := _first(_ORDERS, title):
        parts = found.groupdict()
        return _date(parts["year"], _month(parts), parts["day"])
    if numbers := _NUMBERS.fullmatch(title.strip()):
        one, other, year = numbers.groups()
        return _date(year, int(other), one) or _date(year, int(one), other)
    return None


def month_of(title: str) -> date | None:
    """The first day of the month that a title names, such as `Jan-20`; None if it names none."""
    found = _first(_MONTH_ORDERS, title)
    return _date(found["year"], _month(found.groupdict()), "1") if found else None


def year_of(title: str) -> int | None:
    """The year that a title names, such as `2023`, `FY2023` or `2022/23`; None if it names none."""
    found = _YEARS.fullmatch(title.strip())
    return int(found["year"]) if found else None


def names_a_period(title: str) -> bool:
    """Whether a title names a day, a month or a year."""
    return bool(day_of(title) or month_of(title) or year_of(title))


def _first(patterns: tuple[re.Pattern[str], ...], title: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.fullmatch(title.strip()) for pattern in patterns)), None)


def _month(parts: dict[str, str | None]) -> int:
    """The number of a month, from its number or its (shortened) name; 0 if it is not a month."""
    word = (parts.get("word") or "").lower()
    if not word:
        return int(parts.get("month") or 0)
    names = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(word)]
    return names[0] if len(names) == 1 else 0


def _date(year: str | None, month: int, day: str | None) -> date | None:
    number = int(year or 0)
    if number < 100:
        number += 1900 if number >= 69 else 2000
    try:
        return date(number, month, int(day or 0))
    except ValueError:
        return None
