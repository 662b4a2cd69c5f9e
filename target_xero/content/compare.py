"""Whether a record of Xero's has the content that was sent, although Xero changes the form of dates and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from singer_xero.api import dates

#: The fields that distinguish lines; Xero fills in or rounds the others.
LINE_FIELDS = ("Description", "Quantity", "UnitAmount", "LineAmount", "AccountCode", "ItemCode")
#: The fields that hold the lines of a document.
LINES = frozenset({"LineItems", "JournalLines"})
#: The longest text that is cached.
_LONGEST_NAME = 80
_EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


def folded(value: object) -> str:
    """Return a text as Xero compares names, without case and without blanks around and between words."""
    text = value if value.__class__ is str else str(value)
    return _folded_name(text) if len(text) <= _LONGEST_NAME else " ".join(text.split()).casefold()


@lru_cache(maxsize=4096)
def _folded_name(text: str) -> str:
    return " ".join(text.split()).casefold()


def same_name(one: object, other: object) -> bool:
    """Tell whether two names or numbers are the same for Xero."""
    return bool(one) and folded(one) == folded(other or "")


def matches(
    content: Mapping[str, Any], record: Mapping[str, Any], fields: Iterable[str] | None = None
) -> bool:
    """Tell whether a record of Xero's has all of the content, or those `fields` that are in it."""
    names = content.keys() if fields is None else [name for name in fields if name in content]
    return all(_alike(name, content[name], record.get(name)) for name in names)


def _alike(name: str, sent: Any, found: Any) -> bool:
    if isinstance(sent, Mapping):
        # Lists omit most fields of what a record refers to, so a missing field is no difference.
        return isinstance(found, Mapping) and all(
            _alike(inner, sent[inner], found[inner]) for inner in sent if inner in found
        )
    if isinstance(sent, list):
        if not isinstance(found, list) or len(sent) != len(found):
            return not sent and not found
        pairs = zip(sent, found, strict=True)
        return all(matches(*pair, LINE_FIELDS) if name in LINES else _alike(name, *pair) for pair in pairs)
    if found in _EMPTY or sent in _EMPTY:
        return sent in _EMPTY and found in _EMPTY
    return _is_same_value(sent, found)


def _is_same_value(sent: Any, found: Any) -> bool:
    if isinstance(sent, bool) or isinstance(found, bool):
        return bool(sent == found)
    if isinstance(sent, (int, Decimal)):
        return decimal(sent) == decimal(found)
    if isinstance(found, str) and found.startswith("/Date("):
        return dates.day(str(sent)) == dates.day(found)
    return same_name(sent, found)


def decimal(value: Any) -> Decimal | None:
    """Return a value as a number; None if it is not one."""
    if value.__class__ is Decimal:
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
