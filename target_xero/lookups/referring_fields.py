"""The fields of a record that refer to other records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_xero.content.compare import LINES
from target_xero.content.payload import REFERENCES, TRACKING

#: Fields with the name of a record, and Xero's field for its id.
RENAMED = {"BrandingThemeName": "BrandingThemeID"}
_CURRENCIES = frozenset({"CurrencyCode", "DefaultCurrency"})
#: The types of values that may refer to something.
_RESOLVED: frozenset[type] = frozenset({dict, list, str})


@dataclass(frozen=True, slots=True)
class ReferringFields:
    """The fields of a record that refer to something: those with `codes`, and `others`, each with its kind."""

    codes: Sequence[str]
    others: Sequence[tuple[str, str]]


#: The referring fields by the names of all fields: most records of an object have the same fields.
_known: dict[tuple[str, ...], ReferringFields] = {}
_MOST = 4_096


def referring_fields(content: Mapping[str, Any]) -> ReferringFields:
    """Return the fields that refer to something. The parser gives each field one type."""
    names = tuple(content)
    found = _known.get(names)
    if found is None:
        kinds = {name: _kind(name, value.__class__) for name, value in content.items()}
        found = ReferringFields(
            [name for name, kind in kinds.items() if kind == "code"],
            [(name, kind) for name, kind in kinds.items() if kind not in {"", "code"}],
        )
        if len(_known) >= _MOST:
            _known.clear()
        _known[names] = found
    return found


def _kind(name: str, of: type) -> str:
    """What a value of this name and type refers to; empty if it is sent unchanged."""
    if of not in _RESOLVED:
        return ""
    if name in TRACKING:
        return "tracking"
    if of is not str and name in REFERENCES:
        return "reference" if of is dict else ""
    if of is not str:
        return "object" if of is dict else "list"
    if name.endswith("LineItemID"):
        return "line" if name != "LineItemID" else ""
    if name in RENAMED:
        return "theme"
    if name in _CURRENCIES:
        return "currency"
    if name == "ItemCode" or name.endswith(("TaxType", "AccountCode")):
        return "code"
    return "id" if name.endswith("ID") else ""


def references_in(content: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield the references in a record and in what is nested in it; lines refer to no record by an id or a number."""
    for name, kind in referring_fields(content).others:
        if kind == "reference":
            yield name, content[name]
        elif kind == "list" and name not in LINES:
            for one in content[name]:
                if one.__class__ is dict:
                    yield from references_in(one)
