"""Xero's dates, to ISO and back.

The Accounting API writes `/Date(1777032244663+0000)/`: milliseconds since 1970 in UTC, negative before it. The offset
is often absent and never changes the instant. Fields whose name ends in `UTC` are instants (`instant`). The others are
days of the organisation's calendar, written as midnight UTC (`day`), and no time zone may shift them
(xero-php-oauth2#294, xero-node#746). Other APIs write ISO text, which is read as well.

`instant` and `day` run once for each date of each record, so they remember the days they have seen and calculate with
whole numbers only. Text that is not a date as a whole is returned unchanged.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1)
_DAY_MS = 86_400_000
_LAST_DAY = (datetime.max - _EPOCH).days

# The usual form: at least a second after 1970. Group 1 has the seconds, group 2 the milliseconds.
_usual = re.compile(r"/Date\((\d{1,12})(\d{3})(?:[+-]\d{4})?\)/", re.ASCII).fullmatch
# Every form: also before 1970, in its first second, or with escaped slashes.
_any = re.compile(r"\\?/Date\((-?\d{1,18})(?:[+-]\d{4})?\)\\?/", re.ASCII).fullmatch
_iso = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
).fullmatch


class _Days(dict[int, str]):
    """Days since 1970 as `2026-04-24T`, made on first use."""

    def __missing__(self, days: int) -> str:
        text = self[days] = (_EPOCH + timedelta(days=days)).isoformat()[:11]
        return text


_DAYS = _Days()
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
_SECONDS = [f"{second:02}." for second in range(60)]


def instant(text: str) -> str:
    """A moment as `2026-04-24T12:04:04.663000Z`.

    It always has 27 characters, so that text order is time order. Takes `/Date(...)/` and ISO text, without a zone in
    UTC, with any number of decimals; those beyond microseconds are cut off. Other text, and dates outside the years 1
    to 9999, are returned unchanged.
    """
    found = _usual(text)
    if found:
        minute, second = divmod(int(found[1]), 60)
        days, minute = divmod(minute, 1440)
        if days <= _LAST_DAY:
            return f"{_DAYS[days]}{_MINUTES[minute]}{_SECONDS[second]}{found[2]}000Z"
    other = _read(text)
    return text if other is None else _fixed_width(other)


def day(text: str) -> str:
    """A calendar day as `2026-04-24`: the date part in UTC for `/Date(...)/`, the date as written for ISO text.

    Other text, and dates outside the years 1 to 9999, are returned unchanged.
    """
    return _day(text)


def readable_instant(text: str) -> str | None:
    """The same as `instant`, but None for text that is not a date."""
    found = instant(text)
    return found if found != text or _read(text) is not None else None


def readable_day(text: str) -> str | None:
    """The same as `day`, but None for text that is not a date."""
    found = day(text)
    return found if found != text or _read(text) is not None else None


def moment(text: str) -> datetime:
    """The text of an instant or a day as an aware datetime in UTC; raises ValueError for other text."""
    found = _read(text)
    if found is None:
        raise ValueError(f"not a date: {text[:40]!r}")
    return found.replace(tzinfo=timezone.utc)


def if_modified_since(value: datetime | str) -> str:
    """The value of the header, `yyyy-mm-ddThh:mm:ss` in UTC, rounded down: Xero ignores fractions of a second.

    Takes a datetime (a naive one is UTC) or text that `instant` understands; raises ValueError for other text.
    """
    found = _in_utc(value if isinstance(value, datetime) else moment(value))
    return _fixed_width(found)[:19]


@lru_cache(maxsize=16_384)
def _day(text: str) -> str:
    found = _any(text)
    if found:
        try:
            return (_EPOCH + timedelta(days=int(found[1]) // _DAY_MS)).date().isoformat()
        except OverflowError:
            return text
    found = _iso(text)
    return found[1] if found and _read(text) is not None else text


def _read(text: str) -> datetime | None:
    try:
        found = _any(text)
        if found:
            return _EPOCH + timedelta(milliseconds=int(found[1]))
        found = _iso(text)
        if found:
            days, clock, zone = found.groups()
            return _in_utc(datetime.fromisoformat(f"{days}T{clock or '00:00'}{zone or ''}"))
    except (OverflowError, ValueError):
        return None
    return None


def _fixed_width(value: datetime) -> str:
    return value.isoformat(timespec="microseconds") + "Z"


def _in_utc(value: datetime) -> datetime:
    """The same moment without a zone; a moment without a zone is in UTC."""
    return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value


def moment_of(text: str) -> datetime:
    """Read a `start_date` or a bookmark: a day or a moment, in UTC unless it names a zone; or raise ValueError."""
    if _iso(text) and (read := _read(text)):
        return read.replace(tzinfo=timezone.utc)
    # Imported here: a bookmark has the form above, and the import takes a tenth of a run without changes.
    import pendulum

    found: object = pendulum.parse(text, tz="UTC")
    if not isinstance(found, datetime):
        raise ValueError(f"no moment: {text!r}")  # noqa: TRY004 - the text is wrong, not its type
    return found
