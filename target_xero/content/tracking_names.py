"""The ways in which sources write a tracking category and the option chosen in it.

Xero itself has three: `{"Name": "Region", "Option": "Eastside"}` in documents, `TrackingCategoryName` and
`TrackingOptionName` in contacts, and `{"TrackingCategory": {…}}` in its XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.spelling import folded, is_blank

#: A category whose name is that of a column or key, so that `cost_centre` stands for `Cost centre`.
COLUMN = "Column"

_NAMES: Mapping[str, str] = {
    "name": "Name",
    "category": "Name",
    "categoryname": "Name",
    "trackingname": "Name",
    "trackingcategory": "Name",
    "trackingcategoryname": "Name",
    "option": "Option",
    "optionname": "Option",
    "trackingoption": "Option",
    "trackingoptionname": "Option",
    "trackingcategoryoption": "Option",
    "categoryid": "TrackingCategoryID",
    "trackingcategoryid": "TrackingCategoryID",
    "optionid": "TrackingOptionID",
    "trackingoptionid": "TrackingOptionID",
}
#: What Xero's answers have beside these.
BESIDE = ("Options", "Status", "IsActive", "IsArchived", "IsDeleted")
_BESIDE = frozenset(folded(name) for name in BESIDE)


def tracking_name(raw: str) -> str:
    """Return Xero's name of an entry's field, or the name as it is."""
    return _NAMES.get(folded(raw), raw)


def tracking_entries(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the categories and options of one entry under Xero's names; unknown names are kept.

    An entry with a blank option is empty. Raises ValueError for an entry without an option or a category.
    """
    found: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    others: dict[str, Any] = {}
    blank = set()
    for raw, value in given.items():
        name = _NAMES.get(folded(raw))
        if folded(raw) in _BESIDE or raw.startswith("_"):
            beside[raw] = value
        elif is_blank(value):
            blank.add(name)
        elif name is None:
            others[raw] = value
        elif isinstance(value, Mapping):
            found |= {inner: one for inner, one in _unwrapped(name, value).items() if inner not in found}
        else:
            found.setdefault(name, value)
    _take_only_option(found, beside)
    if not found:
        return [{COLUMN: raw, "Option": value} for raw, value in others.items()]
    if not {"Option", "TrackingOptionID"} & found.keys():
        if {"Option", "TrackingOptionID"} & blank:
            return []
        raise ValueError("the category has no option")
    if not {"Name", "TrackingCategoryID"} & found.keys():
        raise ValueError("the option has no category")
    return [{**found, **beside, **others}]


def _unwrapped(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The category or option that an object in place of a name describes."""
    known = {_NAMES.get(folded(raw), raw): one for raw, one in value.items() if not is_blank(one)}
    if name == "Option":
        return {
            inner: known[outer]
            for outer, inner in (("Name", "Option"), ("Option", "Option"), ("TrackingOptionID",) * 2)
            if outer in known
        }
    _take_only_option(known, known)
    return {
        inner: known[inner] for inner in ("Name", "Option", "TrackingCategoryID", "TrackingOptionID")
        if inner in known
    }  # fmt: skip


def _take_only_option(found: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Take the option of a category that lists one only, as its whole record does."""
    options = next((value for raw, value in given.items() if folded(raw) == "options"), None)
    if not {"Option", "TrackingOptionID"} & found.keys() and isinstance(options, list) and len(options) == 1:
        (only,) = options
        if isinstance(only, Mapping):
            found |= _unwrapped("Option", only)
