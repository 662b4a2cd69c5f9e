"""Tracking categories and options by their names or ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.payload import InvalidRecord
from target_xero.content.spelling import folded
from target_xero.content.tracking_names import COLUMN
from target_xero.lookups.codes import found_by
from target_xero.lookups.lookups import Lookups
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.write_log.log import WriteLog

_IDS = ("TrackingCategoryID", "TrackingOptionID")


class Tracking:
    """Resolves the tracking of one organisation's records."""

    def __init__(self, log: WriteLog, lookups: Lookups, rejected: RejectedNames) -> None:
        self._log = log
        self._lookups = lookups
        self._rejected = rejected
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def forget(self) -> None:
        """Look for all names afresh, because categories may have been written."""
        self._known.clear()

    def resolve(self, given: Mapping[str, Any], foreign: bool, *, with_ids: bool) -> dict[str, Any]:
        """Return a category and an option: by name as people know them, by id where Xero takes nothing else.

        `foreign` says that ids are another organisation's. Raises `InvalidRecord` for unknown tracking.
        """
        if COLUMN in given:
            given = {"Name": self._category_of_column(given[COLUMN]), "Option": given["Option"]}
        name, option = given.get("Name"), given.get("Option")
        if name and option and not with_ids:
            return self._named(name, option)
        by_ids = self._by_ids(given, foreign)
        if by_ids or not (name and option):
            return by_ids or self._in_part(given, foreign)
        return self._by_name(name, option, with_ids=True)

    def _by_ids(self, given: Mapping[str, Any], foreign: bool) -> dict[str, Any]:
        """Xero's ids of a category and an option; empty if they are not known."""
        ids = [given.get(field) for field in _IDS]
        mapped = [self._log.id_of(one) if one else None for one in ids]
        is_known = all(ids) and (all(mapped) or not foreign)
        return (
            {field: to or one for field, one, to in zip(_IDS, ids, mapped, strict=True)} if is_known else {}
        )

    def _in_part(self, given: Mapping[str, Any], foreign: bool) -> dict[str, Any]:
        """Tracking that names a category or an option alone, which Xero judges."""
        ids = {field: given[field] for field in _IDS if given.get(field)}
        mapped = {field: self._log.id_of(value) for field, value in ids.items()}
        if foreign and not all(mapped.values()):
            raise InvalidRecord(
                "it names tracking by ids of another organisation: send tracking_categories as well",
                "Tracking",
            )
        return {**given, **{field: mapped[field] or value for field, value in ids.items()}}

    def _named(self, name: str, option: str) -> dict[str, Any]:
        found = self._known.get((name, option))
        if found is None:
            found = self._known[name, option] = self._by_name(name, option, with_ids=False)
        return dict(found)

    def _by_name(self, name: str, option: str, *, with_ids: bool) -> dict[str, Any]:
        categories = self._lookups.permitted("tracking_categories")
        if categories is None and not with_ids:
            return {"Name": name.strip(), "Option": option.strip()}
        category = found_by(categories, name, ("Name",)) or {}
        one = found_by(category.get("Options"), option, ("Name",))
        ids = (category.get("TrackingCategoryID"), one and one.get("TrackingOptionID"))
        if one is None:
            # In a dry run the log knows what would have been made by now.
            ids = (
                ids[0] or self._log.by_name("tracking_categories", "Name", name),
                self._log.by_name("tracking_options", "Name", option),
            )
        if not all(ids):
            rejected = self._rejected.why("tracking_categories", [("Name", name)])
            raise InvalidRecord(
                rejected or f"Xero has no option {option!r} of a tracking category {name!r}", "Tracking"
            )
        if with_ids:
            return {"TrackingCategoryID": ids[0], "TrackingOptionID": ids[1]}
        return {"Name": category.get("Name", name.strip()), "Option": (one or {}).get("Name", option.strip())}

    def _category_of_column(self, column: str) -> str:
        """The tracking category that a column is named after: `cost_centre` stands for `Cost centre`."""
        for category in self._lookups.whole("tracking_categories"):
            if folded(str(category.get("Name") or "")) == folded(column):
                return str(category["Name"])
        rejected = self._rejected.why("tracking_categories", [("Name", column)])
        raise InvalidRecord(rejected or f"Xero has no tracking category {column!r}", "Tracking")
