"""Converts the values of records to the kinds that the registry names, or raises the rule that they break.

A converter gets neither null nor blank text. It returns None for a value that stands for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec

from singer_xero.api import dates
from target_xero.content import day_formats
from target_xero.content.day_formats import DayOrder
from target_xero.content.json_text import decode
from target_xero.content.spelling import folded, is_blank

NOBODY = "00000000-0000-0000-0000-000000000000"
_guid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_day = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch


class InvalidRecord(Exception):
    """A value breaks a rule. `field` is its path within the record, such as `LineItems[2].Quantity`."""

    def __init__(self, rule: str, field: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}" if self.field else self.rule

    def within(self, place: str) -> InvalidRecord:
        """Put a place in front of the path, and return the same problem, now of the record around it."""
        self.field = place + self.field
        return self


def _from_json(value: Any) -> Any:
    """A value, parsed if it is JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return decode(value)
    except msgspec.DecodeError:
        raise InvalidRecord(f"expected an object or a list, or its JSON text, got {_shown(value)}") from None


def json_object(value: Any, expected: str) -> Mapping[str, Any] | None:
    """Return an object, which may be JSON text; None for null. `expected` is what it should be, for messages."""
    found = _from_json(value)
    if found is not None and not isinstance(found, Mapping):
        raise InvalidRecord(f"expected {expected}, got {_shown(found)}")
    return found


def listed(one: Callable[[Any], Any]) -> Callable[[Any], list[Any] | None]:
    """Return a converter of lists; `one` converts each element."""

    def many(value: Any) -> list[Any] | None:
        if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
            value = _from_json(value)
        taken = []
        for index, entry in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            try:
                if entry is not None and not (isinstance(entry, str) and not entry.strip()):
                    taken.append(one(entry))
            except InvalidRecord as invalid:
                raise invalid.within(f"[{index}]") from None
        return [each for each in taken if each is not None] or None

    return many


#: A float has 15 reliable digits and is written with up to 17.
_SURE_DIGITS = 15
_NOISE, _MOST_NOISE = Decimal("1e-12"), Decimal("1e-6")


def without_noise(exact: Decimal) -> Decimal:
    """Return a number without the rounding noise of binary arithmetic: 0.30000000000000004 is 0.3.

    Xero's prices have up to 4 decimals and its rates up to 10. A number with as many digits as only a float has, and
    very close to a number with so few decimals, is replaced by it; any other number is unchanged.
    """
    _, digits, exponent = exact.as_tuple()
    if len(digits) < _SURE_DIGITS or not isinstance(exponent, int) or exponent >= -4:
        return exact
    tolerance = min(max(abs(exact), Decimal(1)) * _NOISE, _MOST_NOISE)
    for places in (4, 10):
        rounded = round(exact, places)
        if abs(exact - rounded) <= tolerance:
            return rounded
    return exact


def number(value: Any) -> int | Decimal:
    """Return an exact number in its shortest form, so that `1.50` and `1.5` are the same content."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise InvalidRecord(f"expected a number, got {_shown(value)}")
    if isinstance(value, int):
        return value
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise InvalidRecord(f"expected a number such as 1234.50, got {_shown(value)}") from None
    if not exact.is_finite() or exact.adjusted() > 30:
        raise InvalidRecord(f"expected a number, got {_shown(value)}")
    if not isinstance(value, str) or len(value) >= _SURE_DIGITS:
        exact = without_noise(exact)
    if exact == exact.to_integral_value():
        return int(exact)
    return exact.normalize()


def _whole(value: Any) -> int:
    found = number(value)
    if not isinstance(found, int):
        raise InvalidRecord(f"expected a whole number, got {_shown(value)}")
    return found


def _text(value: Any) -> str:
    """Return a text. Whole numbers get no decimals, because a column of floats has 200.0 for 200."""
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidRecord(f"expected text, got {_shown(value)}")
    exact = number(value)
    return str(exact) if isinstance(exact, int) else f"{without_noise(Decimal(str(value))):f}"


def code_of(item: Any) -> str | None:
    """Return the code of an item, which is given by itself or in a record."""
    if isinstance(item, Mapping):
        item = next((value for name, value in item.items() if folded(name) == "code"), None)
    return _text(item) if item and not is_blank(item) else None


def _written(value: Any) -> str:
    """A value as text; a whole number in a float has no decimals."""
    return str(number(value) if isinstance(value, (float, Decimal)) else value).strip()


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _flag(value: Any) -> bool:
    found = value if isinstance(value, bool) else _FLAGS.get(_written(value).lower())
    if found is None:
        raise InvalidRecord(f"expected true or false, got {_shown(value)}")
    return found


@lru_cache(maxsize=4096)
def is_id(text: str) -> bool:
    """Tell whether a text is one of Xero's ids, in lower case."""
    return bool(_guid(text))


def id_or_key(value: Any) -> str | None:
    """Return an id of Xero's, or a key of the source's own."""
    if isinstance(value, (dict, list, bool)):
        raise InvalidRecord(f"expected an id, got {_shown(value)}")
    found = _written(value)
    if is_id(found.lower()):
        found = found.lower()
    return None if found == NOBODY else found


def _id(value: Any) -> str | None:
    found = id_or_key(value)
    if found and not is_id(found):
        raise InvalidRecord(f"expected a GUID, got {_shown(value)}")
    return found


def day_of(value: Any, order: Callable[[], DayOrder]) -> str:
    """Return a day as 2026-12-31; `order` returns whether the day or the month comes first in a numeric date."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, str):
        found = dates.day(value.strip())
        is_iso = _day(found)
        try:
            day = date.fromisoformat(found).isoformat() if is_iso else day_formats.read(value, order)
        except ValueError as error:
            raise InvalidRecord(f"{found} is not a date" if is_iso else str(error)) from None
        if day:
            return day
    raise InvalidRecord(f"expected a date such as 2026-12-31, got {_shown(value)}")


#: The converters of values by the kinds of the registry. All nested fields that can be written have components.
CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "guid": _id,
    "text": _text,
    "instant": _text,
    **dict.fromkeys(("money", "rate", "quantity", "percent", "number"), number),
    "flag": _flag,
    "whole": _whole,
    **dict.fromkeys(("one", "many"), _from_json),
}


def _shown(value: Any) -> str:
    """A value as messages show it: shortened, and without the content of objects and lists."""
    text = repr(value) if isinstance(value, (str, int, float, bool)) else str(value)
    if isinstance(value, (dict, list)):
        text = "an object" if isinstance(value, dict) else "a list"
    return text if len(text) <= 40 else f"{text[:37]}…'"
