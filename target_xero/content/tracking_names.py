"""The forms in which sources write a tracking category and the option chosen in it.

Xero itself has three: `{"Name": "Region", "Option": "Eastside"}` in documents, `TrackingCategoryName` and
`TrackingOptionName` in contacts, and `{"TrackingCategory": {…}}` in its XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.spelling import folded, is_blank

#: The field of a category that is known only by the name of a column or key: `cost_centre` may be `Cost centre`.
COLUMN = "Column"

_SPELLINGS = {
    "Name": "name category categoryname trackingname trackingcategory trackingcategoryname",
    "Option": "option optionname trackingoption trackingoptionname trackingcategoryoption",
    "TrackingCategoryID": "categoryid trackingcategoryid",
    "TrackingOptionID": "optionid trackingoptionid",
}
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
#: The other fields in Xero's answers.
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
            found = {**_unwrapped(name, value), **found}
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
        known = {
            "Option": known.get("Option", known.get("Name")),
            "TrackingOptionID": known.get("TrackingOptionID"),
        }
    else:
        _take_only_option(known, known)
    return {field: known[field] for field in _SPELLINGS if known.get(field) is not None}


def _take_only_option(found: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Take the option of a category that lists one only, as its whole record does."""
    options = next((value for raw, value in given.items() if folded(raw) == "options"), None)
    if not {"Option", "TrackingOptionID"} & found.keys() and isinstance(options, list) and len(options) == 1:
        (only,) = options
        if isinstance(only, Mapping):
            found |= _unwrapped("Option", only)
