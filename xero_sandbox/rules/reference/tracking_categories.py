"""The rules for tracking categories and their options."""

from __future__ import annotations

from ...values import Record
from ..checks import check_lengths, check_status
from ..lines import tracked_by
from ..work import Work

_NOT_UNIQUE = "For each specified tracking option the name must be unique"


def save_category(work: Work, current: Record | None) -> Record:
    """Create, rename, archive or restore a tracking category: at most two active ones, four in all."""
    sent = work.sent
    category: Record = {
        "TrackingCategoryID": work.new_id(),
        "Status": "ACTIVE",
        "Options": [],
        **(current or {}),
    }
    category["Name"] = sent.get("Name", category.get("Name", ""))
    status = str(sent.get("Status", category["Status"]))
    category["Status"] = status
    if not category["Name"]:
        work.refuse("The tracking category Name must be specified")
    check_lengths(work, {"Name": 100})
    check_status(work, status, current, "ARCHIVED", "tracking categories")
    mine = category["TrackingCategoryID"]
    everything = work.organisation.records("TrackingCategories")
    others = [one for one in everything if one["TrackingCategoryID"] != mine and one["Status"] != "DELETED"]
    if any(one["Name"].casefold() == category["Name"].casefold() for one in others):
        work.refuse("The tracking category name must be unique")
    if status == "ACTIVE" and sum(one["Status"] == "ACTIVE" for one in others) >= 2:
        work.refuse("An organisation can have a maximum of 2 active tracking categories")
    if current is None and len(others) >= 4:
        work.refuse("An organisation can have a maximum of 4 tracking categories")
    work.stop()
    return work.put("TrackingCategories", category)


def delete_category(work: Work, found: Record) -> Record:
    """Delete a tracking category that no line has."""
    if tracked_by(work, "TrackingCategoryID", found["TrackingCategoryID"]):
        work.fail("The tracking category cannot be deleted because it is in use; archive it instead")
    work.remove("TrackingCategories", found["TrackingCategoryID"])
    return {**found, "Status": "DELETED"}


def _option(name: str, identifier: str, status: str = "ACTIVE") -> Record:
    return {
        "TrackingOptionID": identifier,
        "Name": name,
        "Status": status,
        "HasValidationErrors": False,
        "IsDeleted": status == "DELETED",
        "IsArchived": status == "ARCHIVED",
        "IsActive": status == "ACTIVE",
    }


def add_option(work: Work, category_id: str) -> Record:
    """Add an option to a tracking category; returns the option."""
    category = work.get("TrackingCategories", category_id) or {}
    name, options = work.sent["Name"], category["Options"]
    if any(one["Name"].casefold() == name.casefold() and not one["IsDeleted"] for one in options):
        work.fail(_NOT_UNIQUE)
    option = _option(name, work.new_id())
    work.put("TrackingCategories", {**category, "Options": [*options, option]})
    return option


def save_option(work: Work, category: Record, before: Record) -> Record:
    """Rename, archive or restore an option; returns the option."""
    name = str(work.sent.get("Name", before["Name"]))
    status = str(work.sent.get("Status", before.get("Status", "ACTIVE")))
    others = [one for one in category["Options"] if one is not before]
    if status not in {"ACTIVE", "ARCHIVED"}:
        work.echo = {**before, "Status": status}
        work.fail(f"The status '{status}' is not valid for tracking options")
    if not name or any(one["Name"].casefold() == name.casefold() for one in others):
        work.echo = {**before, "Name": name}
        work.fail(_NOT_UNIQUE)
    option = _option(name, before["TrackingOptionID"], status)
    now = [option if one is before else one for one in category["Options"]]
    work.put("TrackingCategories", {**category, "Options": now})
    return option


def delete_option(work: Work, category: Record, before: Record) -> Record:
    """Delete an option that no line has; returns the option."""
    work.echo = before
    if tracked_by(work, "TrackingOptionID", before["TrackingOptionID"]):
        work.fail("The tracking option cannot be deleted because it is in use")
    others = [one for one in category["Options"] if one is not before]
    work.put("TrackingCategories", {**category, "Options": others})
    return _option(before["Name"], before["TrackingOptionID"], "DELETED")
