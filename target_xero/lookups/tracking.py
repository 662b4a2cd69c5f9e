"""Resolves tracking categories and options by their names or ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.spelling import folded
from target_xero.content.tracking_names import COLUMN
from target_xero.content.values import InvalidRecord
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
        self._known: dict[tuple[str, str, bool], dict[str, Any]] = {}

    def forget(self) -> None:
        """Forget the names, because categories may have been written."""
        self._known.clear()

    def resolve(self, given: Mapping[str, Any], foreign: bool, *, with_ids: bool) -> dict[str, Any]:
        """Return a category and an option: by their names, which people know, or by ids where Xero requires those.

        `foreign` says that ids are another organisation's. Raises `InvalidRecord` for unknown tracking.
        """
        if COLUMN in given:
            given = {"Name": self._category_of_column(given[COLUMN]), "Option": given["Option"]}
        name, option = given.get("Name"), given.get("Option")
        if name and option and not with_ids:
            return self._named(name, option, with_ids=False)
        ids = self._ids(given, foreign)
        if name and option and (ids is None or len(ids) < len(_IDS)):
            return self._named(name, option, with_ids=True)
        if ids is None:
            raise InvalidRecord(
                "it has tracking ids of another organisation: send tracking_categories as well", "Tracking"
            )
        # Xero judges a category or an option alone.
        return ids if len(ids) == len(_IDS) else {**given, **ids}

    def _ids(self, given: Mapping[str, Any], foreign: bool) -> dict[str, Any] | None:
        """Xero's ids for those in `given`; None if one of them is unknown."""
        ids = {field: given[field] for field in _IDS if given.get(field)}
        mapped = {field: self._log.id_of(value) for field, value in ids.items()}
        if foreign and not all(mapped.values()):
            return None
        return {field: mapped[field] or value for field, value in ids.items()}

    def _named(self, name: str, option: str, *, with_ids: bool) -> dict[str, Any]:
        """The category and option with these names; results are remembered until `forget`."""
        asked = (name, option, with_ids)
        if asked not in self._known:
            self._known[asked] = self._by_name(name, option, with_ids=with_ids)
        return dict(self._known[asked])

    def _by_name(self, name: str, option: str, *, with_ids: bool) -> dict[str, Any]:
        categories = self._lookups.permitted("tracking_categories")
        if categories is None and not with_ids:
            return {"Name": name.strip(), "Option": option.strip()}
        category = found_by(categories, name, ("Name",)) or {}
        one = found_by(category.get("Options"), option, ("Name",)) or {}
        ids = [category.get("TrackingCategoryID"), one.get("TrackingOptionID")]
        if not one:
            # In a dry run the log has the categories and options that would have been created.
            ids[0] = ids[0] or self._log.by_name("tracking_categories", "Name", name)
            ids[1] = self._log.by_name("tracking_options", "Name", option)
        if not all(ids):
            raise self._unknown(name, f"option {option!r} of a tracking category {name!r}")
        if with_ids:
            return dict(zip(_IDS, ids, strict=True))
        return {"Name": category.get("Name", name.strip()), "Option": one.get("Name", option.strip())}

    def _category_of_column(self, column: str) -> str:
        """The tracking category that a column is named after: `cost_centre` stands for `Cost centre`."""
        for category in self._lookups.whole("tracking_categories"):
            if folded(str(category.get("Name") or "")) == folded(column):
                return str(category["Name"])
        raise self._unknown(column, f"tracking category {column!r}")

    def _unknown(self, category: str, what: str) -> InvalidRecord:
        rejected = self._rejected.why("tracking_categories", [("Name", category)])
        return InvalidRecord(rejected or f"Xero has no {what}", "Tracking")
