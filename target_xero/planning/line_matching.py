"""Decides which lines of a changed document are lines that Xero has already.

If a line is sent with its LineItemID, Xero keeps every field that is not sent. A line without an id gets a new one and
is put above the others (Xero-NetStandard#374, xero-python#111), and lines that are not sent are deleted. So a line is
sent with its id only if three conditions hold:

* it is recognisably the same line: it has the same description or item, or only its description has changed;
* it still has every field that it had before, and no field that Xero filled in depends on a changed one;
* no new line is below it, and the kept lines stay in their order, because Xero would reorder them otherwise.

All other lines are sent as new ones, with exactly the content of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

from target_xero.content.amounts import agrees
from target_xero.content.compare import folded
from target_xero.content.json_text import encode_sorted
from target_xero.content.values import number
from target_xero.write_log.lines import LoggedLines

#: The content of a line: a fingerprint of each field.
LineContent = Mapping[str, str]
_ID = "LineItemID"
#: The fields of a line in Xero, without those that Xero calculates (line and tax amounts) or that repeat another one.
_KEPT = (
    "Description", "Quantity", "UnitAmount", "DiscountRate", "DiscountAmount", "TaxType", "ItemCode", "AccountCode",
)  # fmt: skip
#: The fields that Xero fills in by another one. If that one changes, they must be sent, or they stay unchanged.
_FILLED_IN: Mapping[str, frozenset[str]] = {
    "ItemCode": frozenset({"Description", "UnitAmount", "AccountCode", "TaxType"}),
    "AccountCode": frozenset({"TaxType"}),
    "AccountID": frozenset({"TaxType"}),
    "LineAmountTypes": frozenset({"TaxType"}),
}
#: What a line need not repeat: its amount follows from the other fields, and a document keeps what an update omits.
_OPTIONAL = frozenset({"LineAmount", "LineAmountTypes"})
#: Xero calculates the one of these, and of the discount, that is missing.
_PRICE = frozenset({"Quantity", "UnitAmount", "LineAmount"})
_DISCOUNTS = ("DiscountRate", "DiscountAmount")
_PRICED_BY = _PRICE | {*_DISCOUNTS}


@dataclass(frozen=True)
class KnownLine:
    """A line that Xero has; `content` is what was last written, None if that is unknown."""

    id: str
    content: LineContent | None = None


def content_of(line: Mapping[str, Any], document: Mapping[str, Any]) -> LineContent:
    """Return a fingerprint of each field of a line; each tracking category is a field of its own."""
    types = document.get("LineAmountTypes")
    found = {"LineAmountTypes": _print(folded(types))} if types else {}
    for name, value in line.items():
        if name == "Tracking":
            for one in value:
                category = one.get("Name") or one.get("TrackingCategoryID")
                option = one.get("Option") or one.get("TrackingOptionID")
                found[f"Tracking {_print(folded(category))}"] = _print(folded(option))
        elif name != _ID:
            found[name] = _print(value)
    return found


def in_xero(
    document: Mapping[str, Any], fills_in: Callable[[Mapping[str, Any]], str | None]
) -> list[KnownLine]:
    """Return the lines that a document has in Xero, as if the source had sent all of their content.

    `fills_in` returns the tax type that Xero gives to a line without one. The source may have omitted this tax type, as
    it may have omitted a quantity of one.
    """
    return [
        KnownLine(
            str(line[_ID]),
            None if _hides_discount(line) else content_of(_sent(line, fills_in(line)), document),
        )
        for line in document.get("LineItems") or []
        if line.get(_ID)
    ]


def _sent(line: Mapping[str, Any], filled_in: str | None) -> dict[str, Any]:
    """What the source must have sent for a line that Xero has."""
    content = {name: line[name] for name in _KEPT if line.get(name)}
    if line.get("DiscountRate") and line.get("DiscountAmount"):
        # Single reads have both; one follows from the other.
        content.pop("DiscountRate" if line.get("DiscountEnteredAsPercent") is False else "DiscountAmount")
    for name in ("Quantity", "UnitAmount", *_DISCOUNTS):
        if name in content:
            content[name] = number(content[name])
    if content.get("Quantity") == 1:
        del content["Quantity"]
    if content.get("TaxType") == filled_in:
        content.pop("TaxType", None)
    if line.get("AccountID") and not line.get("AccountCode"):
        content["AccountID"] = line["AccountID"]
    return {**content, **({"Tracking": line["Tracking"]} if line.get("Tracking") else {})}


def _hides_discount(line: Mapping[str, Any]) -> bool:
    """Whether the amount of a line differs from its price: single reads of quotes omit discounts."""
    price, amount = line.get("UnitAmount"), line.get("LineAmount")
    if price is None or amount is None:
        return False
    of = [None if value is None else number(value) for value in map(line.get, ("Quantity", *_DISCOUNTS))]
    return not agrees(number(amount), of[0], number(price), *of[1:])


# In the log of writes


def known(stored: bytes | None) -> list[KnownLine]:
    """Return the lines that the log of writes has stored."""
    lines = LoggedLines.of(stored)
    contents: Iterable[LineContent] = [dict(field.split("=") for field in one) for one in lines.prints]
    if lines.written:
        contents = [content_of(line, lines.written) for line in lines.written["LineItems"]]
    return [KnownLine(one, content or None) for one, content in zip_longest(lines.ids, contents)]


# What is sent


def for_update(
    document: Mapping[str, Any], there: Sequence[KnownLine], id_of: Callable[[str], str | None]
) -> list[dict[str, Any]]:
    """Return the lines of a changed document, with the ids of those that Xero shall keep.

    `there` are the lines that Xero has, in their order; `id_of` returns Xero's id for a line's id in the source. If the
    source has ids, lines are matched only by them.
    """
    lines = document["LineItems"]
    sent = [{name: value for name, value in line.items() if name != _ID} for line in lines]
    by_id = any(_ID in line for line in lines)
    places = {line.id: place for place, line in enumerate(there)}
    below = len(there)
    for index in range(len(lines) - 1, -1, -1):
        content = content_of(lines[index], document)
        if by_id:
            source = lines[index].get(_ID)
            place = places.get((id_of(source) if source else None) or "", -1)
        else:
            place = _most_alike(content, there[:below])
        if not 0 <= place < below or not _may_keep(there[place].content, content):
            break
        sent[index][_ID] = there[place].id
        below = place
    return sent


def _most_alike(line: LineContent, there: Sequence[KnownLine]) -> int:
    """The place of the line that this one most probably is, the last of several; -1 if it is a new line."""
    best, found = 0, -1
    for place in range(len(there) - 1, -1, -1):
        before = there[place].content or {}
        if before == line:
            return place
        likeness = _likeness(before, line)
        if likeness > best:
            best, found = likeness, place
    return found


def _likeness(before: LineContent, line: LineContent) -> int:
    """How many fields two lines have in common; 0 if they are not recognisably the same line."""
    same = [name for name, value in line.items() if before.get(name) == value]
    if "Description" in same or "ItemCode" in same:
        return len(same)
    others = (before.keys() | line.keys()) - {"Description"}
    return len(same) if len(others) > 1 and len(same) == len(others) else 0


def _may_keep(before: LineContent | None, line: LineContent) -> bool:
    """Whether a line that is sent with its id has exactly the content that is sent."""
    if before is None or before.keys() - _OPTIONAL - line.keys():
        return False
    changed = {name for name, value in line.items() if before.get(name) != value}
    if any(name in changed and not fields <= line.keys() for name, fields in _FILLED_IN.items()):
        return False
    return not ("LineAmount" in line and changed & _PRICED_BY and not line.keys() >= _PRICE)


def _print(value: Any) -> str:
    return blake2b(encode_sorted(value), digest_size=6).hexdigest()
