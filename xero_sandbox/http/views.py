"""Views of records: which fields a list, a page or a single read shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resources import RESOURCES, SINGLE, Resource, View
from ..state.organisation import Organisation

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
_NOT_IN_PAYMENTS = frozenset({"HasAttachments", "Attachments", "InvoiceAddresses"})


def shown(
    record: dict[str, Any], resource: Resource, view_name: str, organisation: Organisation
) -> dict[str, Any]:
    """``record`` as this view shows it: still Python values, in a new dict; nested parts may be shared."""
    view = resource.view(view_name)
    out = _fields(record, view)
    if view.contact == "members":
        out["Contacts"] = [named(one, organisation) for one in record.get("Contacts") or []]
    elif "Contact" in out and view.contact:
        out["Contact"] = _contact(out["Contact"], view.contact, organisation)
    _show_document(out, view, by_hand=str(record.get(resource.id)) not in organisation.creators)
    for path, more in view.within.items():
        _add_within(out, path.split("."), more)
    if resource.id_twice:
        out["ID"] = record.get(resource.id)
    if resource.path == "Payments":
        _show_payment(out, organisation, whole=view_name == SINGLE)
    elif resource.path == "Quotes" and isinstance(out.get("LineAmountTypes"), str):
        out["LineAmountTypes"] = out["LineAmountTypes"].upper()
    if view_name == SINGLE and "HasAttachments" in resource.names:
        out["Attachments"] = organisation.attachments(str(record.get(resource.id)))
    return out


def _show_document(out: dict[str, Any], view: View, *, by_hand: bool) -> None:
    """The rate and the lines of a document."""
    if view.no_base_rate and by_hand and out.get("CurrencyRate") == 1:
        del out["CurrencyRate"]
    if out.get("LineItems") and (view.lines or view.tracking or view.more_on_lines):
        out["LineItems"] = [_line(line, view, by_hand=by_hand) for line in out["LineItems"]]


def _fields(record: dict[str, Any], view: View) -> dict[str, Any]:
    """The fields of a record in a view."""
    kept = {name: value for name, value in record.items() if name not in view.drop and value is not None}
    out = {**view.more, **kept}
    for name in view.empty:
        out[name] = []
    for name in view.unless_true:
        if not out.get(name):
            out.pop(name, None)
    return out


def named(contact: dict[str, Any], organisation: Organisation) -> dict[str, Any]:
    """A contact as lists show it inside other records: its id, its present name and empty parts."""
    return _contact(contact, "name", organisation)


def _contact(contact: dict[str, Any], how: str, organisation: Organisation) -> dict[str, Any]:
    kept = organisation.table("Contacts").rows.get(contact.get("ContactID", ""), contact)
    id_and_name = {"ContactID": contact.get("ContactID"), "Name": kept.get("Name")}
    if how == "name":
        return {**id_and_name, **_EMPTY_PARTS}
    if how == "short":
        return {**id_and_name, "ContactPersons": [], "HasValidationErrors": False}
    if how == "quote":
        return {name: kept.get(name) for name in ("ContactID", "Name", "EmailAddress")}
    if how == "order":
        known = {name: kept[name] for name in _ORDER_CONTACT if kept.get(name) is not None}
        return {**_EMPTY_PARTS, **_with_used_slots(known)}
    whole = {name: value for name, value in kept.items() if name not in _NOT_IN_DOCUMENTS}
    if how == "whole order":
        whole = {**_EMPTY_PARTS, **_with_used_slots(whole)}
    return {**whole, "HasValidationErrors": False}


def _with_used_slots(contact: dict[str, Any]) -> dict[str, Any]:
    """The contact without empty phones and addresses, which orders omit."""
    used = {
        name: [slot for slot in contact[name] if any(text for key, text in slot.items() if key != kind)]
        for name, kind in (("Phones", "PhoneType"), ("Addresses", "AddressType"))
        if name in contact
    }
    return {**contact, **used}


def _line(line: dict[str, Any], view: View, *, by_hand: bool) -> dict[str, Any]:
    """A line as the view shows it; ``by_hand``: its document was entered in Xero itself, not by an app."""
    out = {name: value for name, value in line.items() if name not in view.lines}
    if view.tracking and out.get("Tracking"):
        out["Tracking"] = [_tracking(one, listed=view.tracking == "listed") for one in out["Tracking"]]
    if "ItemID" in view.more_on_lines and line.get("Item"):
        out["ItemID"] = line["Item"]["ItemID"]
    if "DiscountEnteredAsPercent" in view.more_on_lines and by_hand and "UnitAmount" in line:
        out["DiscountEnteredAsPercent"] = not line.get("DiscountAmount")
    if "ValidationErrors" in view.more_on_lines:
        out["ValidationErrors"] = []
    return out


def _tracking(one: dict[str, Any], *, listed: bool) -> dict[str, Any]:
    without = "TrackingOptionID" if listed else "Options"
    kept = {name: value for name, value in one.items() if name != without}
    return {**kept, "Options": []} if listed else kept


def _add_within(record: dict[str, Any], path: list[str], more: Mapping[str, Any]) -> None:
    """Add default fields to the nested record at a path, or to each record of a list there."""
    name, *rest = path
    value = record.get(name)

    def changed(part: dict[str, Any]) -> dict[str, Any]:
        if not rest:
            return {**more, **part}
        part = dict(part)
        _add_within(part, rest, more)
        return part

    if isinstance(value, list):
        record[name] = [changed(one) for one in value]
    elif isinstance(value, dict):
        record[name] = changed(value)


def _show_payment(payment: dict[str, Any], organisation: Organisation, *, whole: bool) -> None:
    """What a payment shows of its invoice, account and batch: alone, the whole invoice and the account's name."""
    batch, account, paid = (payment.get(name) for name in ("BatchPayment", "Account", "Invoice"))
    if batch and "Account" in batch:
        payment["BatchPayment"] = {**batch, "Account": {"AccountID": batch["Account"].get("AccountID")}}
    if paid and "Contact" in paid:
        payment["Invoice"] = {**paid, "Contact": named(paid["Contact"], organisation)}
    if not whole:
        return
    if account:
        kept = organisation.table("Accounts").rows.get(account.get("AccountID", ""), {})
        named_too = {name: kept[name] for name in ("Name", "CurrencyCode") if kept.get(name)}
        payment["Account"] = {**account, **named_too}
    invoice = organisation.table("Invoices").rows.get((paid or {}).get("InvoiceID", ""))
    if invoice is not None:
        found = shown(invoice, RESOURCES["Invoices"], SINGLE, organisation)
        found["Contact"] = _contact(invoice["Contact"], "short", organisation)
        payment["Invoice"] = {name: one for name, one in found.items() if name not in _NOT_IN_PAYMENTS}
