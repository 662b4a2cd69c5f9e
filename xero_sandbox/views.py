"""How much of a record is shown, depending on how it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .resources import Resource, View
    from .store import Organisation

_EMPTY_PARTS: dict[str, Any] = {
    "Addresses": [],
    "Phones": [],
    "ContactGroups": [],
    "ContactPersons": [],
    "HasValidationErrors": False,
}
_ORDER_CONTACT = (
    "ContactID ContactStatus Name FirstName LastName Phones UpdatedDateUTC DefaultCurrency".split()
)
_NOT_IN_DOCUMENTS = frozenset(
    {"Balances", "HasAttachments", "Attachments", "PaymentTerms", "BatchPayments", "Discount"}
)


def shown(
    record: dict[str, Any], resource: Resource, view_name: str, organisation: Organisation
) -> dict[str, Any]:
    """``record`` as this view shows it: still Python values, in a new dict; nested parts may be shared."""
    view = resource.view(view_name)
    out = {name: value for name, value in record.items() if name not in view.drop and value is not None}
    for name in view.empty:
        out[name] = []
    for name in view.unless_true:
        if not out.get(name):
            out.pop(name, None)
    if view.contact == "members":
        out["Contacts"] = [named(one, organisation) for one in record.get("Contacts") or []]
    elif "Contact" in out and view.contact:
        out["Contact"] = _contact(out["Contact"], view.contact, organisation)
    if out.get("LineItems") and (view.lines or view.tracking):
        out["LineItems"] = [_line(line, view) for line in out["LineItems"]]
    if resource.id_twice:
        out["ID"] = record.get(resource.id)
    if resource.path == "Quotes" and isinstance(out.get("LineAmountTypes"), str):
        out["LineAmountTypes"] = out["LineAmountTypes"].upper()
    if view_name == "single" and "HasAttachments" in resource.fields.split():
        out["Attachments"] = organisation.attachments(str(record.get(resource.id)))
    return out


def named(contact: dict[str, Any], organisation: Organisation) -> dict[str, Any]:
    """A contact as lists show it inside other records: its id, its present name and empty parts."""
    kept = organisation.table("Contacts").rows.get(contact.get("ContactID", ""), contact)
    return {"ContactID": contact.get("ContactID"), "Name": kept.get("Name"), **_EMPTY_PARTS}


def _contact(contact: dict[str, Any], how: str, organisation: Organisation) -> dict[str, Any]:
    if how == "name":
        return named(contact, organisation)
    kept = organisation.table("Contacts").rows.get(contact.get("ContactID", ""), contact)
    if how == "quote":
        return {name: kept.get(name) for name in ("ContactID", "Name", "EmailAddress")}
    if how == "order":
        return {**_EMPTY_PARTS, **{name: kept[name] for name in _ORDER_CONTACT if kept.get(name) is not None}}
    return {
        **{name: value for name, value in kept.items() if name not in _NOT_IN_DOCUMENTS},
        "HasValidationErrors": False,
    }


def _line(line: dict[str, Any], view: View) -> dict[str, Any]:
    out = {name: value for name, value in line.items() if name not in view.lines}
    if view.tracking and out.get("Tracking"):
        listed = view.tracking == "listed"
        without = "TrackingOptionID" if listed else "Options"
        more: dict[str, Any] = {"Options": []} if listed else {}
        out["Tracking"] = [
            {**{name: value for name, value in one.items() if name != without}, **more}
            for one in out["Tracking"]
        ]
    return out
