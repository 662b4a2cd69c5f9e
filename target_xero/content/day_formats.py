"""Dates as people and spreadsheets write them: 31/12/2026, 12/31/2026, 31 Dec 2026.

The setting `date_format` states whether day or month comes first; otherwise the organisation's country decides, as in
Xero's own file import. If neither decides, an ambiguous date is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum


class Order(Enum):
    """What comes first; the values are those of the setting `date_format`."""

    DAY = "dd/mm/yyyy"
    MONTH = "mm/dd/yyyy"


#: The countries of Xero's editions. Elsewhere both orders occur.
_ORDERS = {
    "US": Order.MONTH,
    **dict.fromkeys(("AU", "GB", "HK", "IE", "IN", "MY", "NZ", "SG", "ZA"), Order.DAY),
}

_TIME = r"(?:[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?)?"
_numbers = re.compile(rf"(\d\d?)([/.-])(\d\d?)\2(\d{{4}}){_TIME}", re.ASCII).fullmatch
_year_first = re.compile(rf"(\d{{4}})([/.])(\d\d?)\2(\d\d?){_TIME}", re.ASCII).fullmatch
_day_and_name = re.compile(rf"(\d\d?)[ -]([A-Za-z]{{3,9}})\.?,?[ -](\d{{4}}){_TIME}", re.ASCII).fullmatch
_name_and_day = re.compile(rf"([A-Za-z]{{3,9}})\.? (\d\d?),? (\d{{4}}){_TIME}", re.ASCII).fullmatch
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True)
class DayOrder:
    """Whether day or month comes first, None if that is unknown; `because` names the reason, for messages."""

    order: Order | None
    because: str


def no_order() -> DayOrder:
    """Return an unknown order."""
    return DayOrder(None, "")


def of_country(country: str) -> DayOrder:
    """Return the order in which a country writes dates; `country` is its two letters, or empty."""
    order = _ORDERS.get(country)
    return DayOrder(order, f"the organisation's country, {country}") if order else no_order()


def read(text: str, order: Callable[[], DayOrder]) -> str | None:
    """Return the date as `2026-12-31`; None for a text in another format. Raises ValueError with the reason.

    `order` is only called for a numeric date that begins with the day or the month.
    """
    text = text.strip()
    if found := _numbers(text):
        return _ordered(text, int(found[1]), int(found[3]), int(found[4]), order())
    if found := _year_first(text):
        return _day(text, int(found[1]), int(found[3]), int(found[4]))
    if found := _day_and_name(text):
        return _day(text, int(found[3]), _month(text, found[2]), int(found[1]))
    if found := _name_and_day(text):
        return _day(text, int(found[3]), _month(text, found[1]), int(found[2]))
    return None


def _ordered(text: str, first: int, second: int, year: int, known: DayOrder) -> str:
    if known.order is Order.DAY:
        return _day(text, year, second, first, known)
    if known.order is Order.MONTH:
        return _day(text, year, first, second, known)
    if first <= 12 and second <= 12 and first != second:
        raise ValueError(
            f"{text} is ambiguous: set date_format to {Order.DAY.value} or {Order.MONTH.value}, or send dates as "
            f"{year}-12-31"
        )
    return _day(text, year, min(first, second), max(first, second))


def _month(text: str, name: str) -> int:
    """The number of a month by its English name or an abbreviation."""
    found = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    if len(found) != 1:
        raise ValueError(f"{text} has no known month")
    return found[0]


def _day(text: str, year: int, month: int, day: int, known: DayOrder | None = None) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        order = f" in the format {known.order.value} (from {known.because})" if known and known.order else ""
        raise ValueError(f"{text} is not a date{order}") from None
