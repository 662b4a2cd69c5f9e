"""Reads single values by the type of their field, such as a number that Xero sends as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from singer_xero.api.dates import day, instant, readable_day, readable_instant
from singer_xero.objects import Field
from tap_xero.records.types import INTEGERS, is_number

DIGITS = 308
"""The most digits before the decimal point: those of a double, which every target can hold."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII).fullmatch
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}
_LOOKS_LIKE_A_DATE = re.compile(r"/Date\(-?\d+([+-]\d{4})?\)/", re.ASCII).fullmatch


class Unfit(ValueError):
    """A value that its field can't hold. The text describes it and never repeats it."""


def number(value: Any) -> Decimal | int | None:
    """Read a number, digit for digit; None for empty text."""
    found: Any = value
    if type(value) is str:
        text = value.strip()
        if not text:
            return None
        if not _NUMBER(text):
            raise Unfit("text that is not a number")
        try:
            found = Decimal(text)
        except InvalidOperation:
            raise Unfit("a number out of range") from None
    if type(found) is int:
        if abs(found) >= 10 ** (DIGITS + 1):
            raise Unfit("a number out of range")
        return found
    if type(found) is not Decimal:
        raise Unfit(f"{_kind(value)} instead of a number")
    if found and abs(found.adjusted()) > DIGITS:
        raise Unfit("a number out of range")
    return found


def whole(value: Any) -> int | None:
    """Read a whole number that fits a database's integer."""
    found = number(value)
    if found is None:
        return None
    if found != int(found):
        raise Unfit("a number with decimals instead of a whole one")
    if not INTEGERS[0] <= found <= INTEGERS[1]:
        raise Unfit("a whole number out of range")
    return int(found)


def flag(value: Any) -> bool | None:
    """Read true or false."""
    if type(value) is bool:
        return value
    if type(value) is str:
        text = value.strip().lower()
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if not text:
            return None
        raise Unfit("text that is neither true nor false")
    raise Unfit(f"{_kind(value)} instead of true or false")


def text(value: Any) -> str:
    """Read text. A number becomes its digits, and true and false become words."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    raise Unfit(f"{_kind(value)} instead of text")


def dated(read: Callable[[str], str | None]) -> Callable[[Any], str | None]:
    """Make the reader of dates from a function that returns None for text that is not a date."""

    def fit(value: Any) -> str | None:
        if type(value) is not str:
            raise Unfit(f"{_kind(value)} instead of a date")
        found = read(value)
        if found is None and value:
            raise Unfit("text that is not a date")
        return found

    return fit


READERS: Mapping[str, Callable[[Any], Any]] = {
    "whole": whole,
    "flag": flag,
    "day": dated(readable_day),
    "instant": dated(readable_instant),
}
"""The readers of fields that are neither numbers nor text, by the kind of the field."""


def reader_of(word: Field) -> Callable[[Any], Any]:
    """The reader of a plain field's values other than null. It raises `Unfit`."""
    if is_number(word):
        return number
    plain = READERS.get(word.kind, text)
    if plain is not text or word.length is None:
        return plain
    most = word.length

    def limited(value: Any) -> str:
        found = text(value)
        if len(found) > most:
            raise Unfit(f"text of {len(found):,} characters, where {most} are allowed")
        return found

    return limited


def fitting(word: Field, value: Any) -> Any:
    """Read a plain field's value; None if the field can't hold it."""
    try:
        return None if value is None else reader_of(word)(value)
    except Unfit:
        return None


def by_look(value: Any, name: str = "") -> Any:
    """Convert the dates in the value of an unknown field: text of the form `/Date(…)/` is a date.

    Fields whose names end in UTC are instants, as everywhere in Xero.
    """
    if isinstance(value, dict):
        return {inner: by_look(one, inner) for inner, one in value.items()}
    if isinstance(value, list):
        return [by_look(one, name) for one in value]
    if isinstance(value, str) and _LOOKS_LIKE_A_DATE(value):
        return instant(value) if name.endswith("UTC") else day(value)
    return value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, Decimal)):
        return "a number"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "text"
