"""Reading and writing values: dates, instants and exact numbers in JSON, and tables in CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import msgspec

from .fields import COUNTS, DATES, DATES_READ_ONLY

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.date()
OFFSET = "+0000"
CENT, TEN_THOUSANDTH = Decimal("0.01"), Decimal("0.0001")
ZERO, ONE = Decimal("0.00"), Decimal(1)

Record = dict[str, Any]
"""A record by Xero's names: decimals for numbers, dates for calendar days, aware UTC datetimes for instants."""

encode = msgspec.json.Encoder(decimal_format="number").encode
_decoder = msgspec.json.Decoder(float_hook=Decimal)

_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")


def picked(record: Mapping[str, Any], names: Iterable[str]) -> Record:
    """The fields with these names that the record has."""
    return {name: record[name] for name in names if name in record}


def money(value: Decimal) -> Decimal:
    """Round to cents, halves away from zero; never a negative zero."""
    return value.quantize(CENT, ROUND_HALF_UP) + ZERO


def negated(value: Decimal) -> Decimal:
    """The negated amount; never a negative zero."""
    return ZERO - value


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970, negative before."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def ms_date(value: datetime | date, offset: str = OFFSET) -> str:
    """``/Date(ms+0000)/``; a plain date is written as midnight UTC."""
    if isinstance(value, datetime):
        return f"/Date({milliseconds(value)}{offset})/"
    return f"/Date({(value - EPOCH_DAY).days * 86_400_000}{offset})/"


def plain_string(value: datetime | date) -> str:
    """A date as text: ``2026-11-20T00:00:00``, without a zone."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{value.isoformat()}T00:00:00"


def decoded(body: bytes) -> Any:
    """JSON text as Python values, numbers with a point as exact decimals. Raises ``ValueError``."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def understood(value: Any, name: str = "") -> Any:
    """JSON values in the types of a record: instants, dates and decimals by the name of their field.

    Dates may be written ``2026-11-20``, ``2026-11-20T09:00:00`` (with or without Z) or ``/Date(ms)/``.
    """
    if isinstance(value, Mapping):
        return {key: understood(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [understood(inner, name) for inner in value]
    if isinstance(value, str) and value:
        if name.endswith("UTC"):
            return instant(value)
        if name in DATES or name in DATES_READ_ONLY:
            return instant(value).date()
    if isinstance(value, int) and not isinstance(value, bool) and name not in COUNTS:
        return Decimal(value)
    return value


def instant(text: str) -> datetime:
    """A point in time in a form that Xero accepts: ISO 8601, ``/Date(ms)/`` or an HTTP date. Raises ``ValueError``."""
    if found := _MS_DATE.match(text):
        return EPOCH + timedelta(milliseconds=int(found[1]))
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            raise ValueError(f"{text!r} is not a date in a form that Xero accepts") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names in its first line."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
