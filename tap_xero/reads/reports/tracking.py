"""The tracking categories and options by which a report is split or restricted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from singer_xero.api.errors import CallError


class NoSuchTracking(CallError):
    """A setting names a tracking category or option that the organisation does not have."""

    remedy = "Correct report_tracking_categories or report_tracking_options."


@dataclass(frozen=True)
class Option:
    """An option of a tracking category."""

    id: str
    name: str
    category: str


UNASSIGNED = Option("", "Unassigned", "")
"""Xero's column for amounts without an option of a category."""


def chosen_tracking(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], chosen: Sequence[str]
) -> tuple[dict[str, list[Option]], list[Option]]:
    """The categories with a column for each option, by id, and the options to which to restrict the report.

    `rows` are the organisation's tracking categories, `names` and `chosen` the settings for categories and options.
    Raises `NoSuchTracking` for a name that is unknown or ambiguous.
    """
    every = {row["TrackingCategoryID"]: _options_in(row) for row in rows}
    category = {row["TrackingCategoryID"]: row.get("Name") or "" for row in rows}
    known = [
        (option, (option.id, option.name, f"{category[option.category]}: {option.name}"))
        for of in every.values()
        for option in of
    ]
    options = [_named("tracking option", name, known) for name in chosen]
    ids = [_named("tracking category", name, [(i, (i, n)) for i, n in category.items()]) for name in names]
    ids += [option.category for option in options]
    found = {one: every[one] for one in dict.fromkeys(ids)}
    if len(found) > 2 or len({option.category for option in options}) < len(options):
        raise NoSuchTracking("Xero accepts at most two tracking categories, and one option of each")
    return found, options


def _options_in(category: Mapping[str, Any]) -> list[Option]:
    """The options of a category, as far as they have an id and a name."""
    return [
        Option(option["TrackingOptionID"], option["Name"], category["TrackingCategoryID"])
        for option in category.get("Options") or ()
        if option and option.get("TrackingOptionID") and option.get("Name")
    ]


def tracked(
    amount: Mapping[str, Any], split: bool, categories: Mapping[str, list[Option]], options: Sequence[Option]
) -> dict[str, Any]:
    """The tracking options of an amount: those in its column's title, or those of the restriction."""
    found = _options_of(str(amount.get("ColumnTitle") or ""), list(categories.values())) if split else options
    chosen: dict[str, Any] = {}
    for ending, one in zip(("", "2"), found, strict=False):
        chosen |= {f"TrackingOptionID{ending}": one.id or None, f"TrackingOption{ending}": one.name}
    return chosen


def _options_of(title: str, categories: Sequence[Sequence[Option]]) -> Sequence[Option]:
    """The options in the title of a column: of one category, or of two with a separator."""
    first, second = [[*options, UNASSIGNED] for options in [*categories, ()][:2]]
    for one in first:
        if len(categories) == 1 and one.name == title.strip():
            return [one]
        for other in second if len(categories) == 2 else ():
            between = title.removeprefix(one.name).removesuffix(other.name)
            if title == f"{one.name}{between}{other.name}" and not any(map(str.isalnum, between)):
                return [one, other]
    return []


def _named(what: str, name: str, known: Sequence[tuple[Any, tuple[str, ...]]]) -> Any:
    matches = [one for one, names in known if name.lower() in {each.lower() for each in names}]
    if len(matches) != 1:
        several = "several are called" if matches else "none is called"
        listing = ", ".join(names[-1] for _, names in known)
        raise NoSuchTracking(f"{what}: {several} {name!r}; the organisation has {listing}")
    return matches[0]
