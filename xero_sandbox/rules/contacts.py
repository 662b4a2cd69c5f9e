"""The rules for contacts and contact groups."""

from __future__ import annotations

import re

from ..values import Record, picked
from .checks import check_currency, check_lengths, check_status, check_tax_type, too_long
from .work import Work

_TEXTS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "EmailAddress": 255,
    "BankAccountDetails": 255,
    "TaxNumber": 50,
    "TaxNumberType": 10,
    "AccountsReceivableTaxType": 50,
    "AccountsPayableTaxType": 50,
    "DefaultCurrency": 3,
    "XeroNetworkKey": 255,
    "SalesDefaultAccountCode": 10,
    "PurchasesDefaultAccountCode": 10,
    "SalesDefaultLineAmountType": 10,
    "PurchasesDefaultLineAmountType": 10,
    "TrackingCategoryName": 100,
    "TrackingCategoryOption": 100,
}
"""The text fields that can be written, and their maximum lengths."""

_OTHER = ("PaymentTerms", "SalesTrackingCategories", "PurchasesTrackingCategories", "BatchPayments")
_BY_HAND = ("Website", "Discount", "BrandingTheme")
"""Fields that cannot be written through the API."""

_PHONE = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
_ADDRESS = {
    **{f"AddressLine{number}": 500 for number in (1, 2, 3, 4)},
    "City": 255,
    "Region": 255,
    "PostalCode": 50,
    "Country": 50,
    "AttentionTo": 255,
}
_EMPTY_ADDRESS = ("City", "Region", "PostalCode", "Country")
_PHONES = ("DEFAULT", "DDI", "FAX", "MOBILE")
_ADDRESSES = ("STREET", "POBOX")
_SLOTS = {"Phones": ("PhoneType", _PHONES, _PHONE), "Addresses": ("AddressType", _ADDRESSES, _ADDRESS)}
"""The field with the type of a phone or an address, its values, and the other fields with their maximum lengths."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

ARCHIVED = (
    "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via"
    " the API."
)
IN_DOCUMENT_ARCHIVED = (
    "The contact with the specified contact details has been archived. The contact must be un-archived before"
    " creating new invoices or credit notes."
)
UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID,"
    " ContactNumber"
)


# --- contacts --------------------------------------------------------------------------------------------


def match_contact(work: Work, sent: Record | None = None) -> Record | None:
    """By ContactNumber, else by Name: an active contact, or an archived one if there is no other."""
    sent = work.sent if sent is None else sent
    for field in ("ContactNumber", "Name"):
        if found := work.matching("Contacts", field, sent.get(field)):
            return min(found, key=lambda one: one["ContactStatus"] != "ACTIVE")
    return None


def save_contact(work: Work, current: Record | None) -> Record:
    """Check and store a contact."""
    if current is not None and current["ContactStatus"] == "ARCHIVED":
        work.fail(ARCHIVED)
    contact = _merged(work, work.sent, current)
    work.stop()
    return work.put("Contacts", contact)


def _merged(work: Work, sent: Record, current: Record | None) -> Record:
    contact = dict(current or _new_contact(work))
    contact.update(picked(sent, (*_TEXTS, *_OTHER, *(_BY_HAND if work.by_hand else ()))))
    check_lengths(work, _TEXTS, sent)
    _unique(work, contact, sent, current)
    status = sent.get("ContactStatus", contact["ContactStatus"])
    check_status(work, status, current, "ARCHIVED", "contacts")
    contact["ContactStatus"] = status
    _check_references(work, sent)
    for name in _SLOTS:
        contact[name] = _slots(work, sent.get(name, []), contact[name], name)
    if "ContactPersons" in sent:
        contact["ContactPersons"] = _persons(work, sent["ContactPersons"])
    return contact


def _check_references(work: Work, sent: Record) -> None:
    """Check the tax types, the currency and the email address of a contact."""
    if sent.get("EmailAddress") and not _EMAIL.fullmatch(sent["EmailAddress"]):
        work.refuse("Email address must be valid.")
    for name in ("AccountsReceivableTaxType", "AccountsPayableTaxType"):
        check_tax_type(work, sent.get(name))
    if sent.get("DefaultCurrency"):
        check_currency(work, sent["DefaultCurrency"])


def _persons(work: Work, sent: list[Record]) -> list[Record]:
    if len(sent) > 5:
        work.refuse("A contact can have a maximum of 5 contact persons.")
    names = ("FirstName", "LastName", "EmailAddress", "IncludeInEmails")
    return [{"IncludeInEmails": False, **picked(one, names)} for one in sent]


def _new_contact(work: Work) -> Record:
    """A new contact. Its empty addresses and phones have empty texts if an app creates it, else only their type."""
    contact: Record = {
        "ContactID": work.new_id("" if work.path == "Contacts" else "contact"),
        "ContactStatus": "ACTIVE",
        "BankAccountDetails": "",
        "Addresses": _slots_of(work, "AddressType", _ADDRESSES, _EMPTY_ADDRESS),
        "Phones": _slots_of(work, "PhoneType", _PHONES, tuple(_PHONE)),
        "ContactGroups": [],
        "IsSupplier": False,
        "IsCustomer": False,
        "ContactPersons": [],
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    if not work.by_hand:
        contact.update(SalesTrackingCategories=[], PurchasesTrackingCategories=[])
    return contact


def _slots_of(work: Work, key: str, kinds: tuple[str, ...], fields: tuple[str, ...]) -> list[Record]:
    if work.by_hand:
        return [{key: kind} for kind in sorted(kinds)]
    return [{key: kind, **dict.fromkeys(fields, "")} for kind in kinds]


def _unique(work: Work, contact: Record, sent: Record, current: Record | None) -> None:
    """Names are unique among active contacts; numbers among all, because archived ones keep theirs."""
    name = contact.get("Name", "")
    if not name.strip():
        work.refuse("The contact name must be specified.")
    others = work.others("Contacts", "Name", name, contact) if "Name" in sent or current is None else []
    if any(one["ContactStatus"] == "ACTIVE" for one in others):
        work.refuse(
            f"The contact name {name} is already assigned to another contact. The contact name must be unique"
            " across all active contacts."
        )
    for field, words in (("ContactNumber", "contact number"), ("AccountNumber", "account number")):
        if work.others("Contacts", field, sent.get(field), contact):
            work.refuse(
                f"The {words} {sent[field]} is already assigned to another contact. The {words} must be unique"
                " across all contacts."
            )


def _slots(work: Work, sent: list[Record], before: list[Record], name: str) -> list[Record]:
    """Phones and addresses by type: those sent replace the one of their type, the others stay.

    Errors are noted on the phone or address inside the refused element, as in Xero.
    """
    key, kinds, fields = _SLOTS[name]
    slots = {one[key]: one for one in before}
    echo: list[Record] = []
    for one in sent:
        kind, errors = one.get(key, ""), []
        if kind not in slots and kind not in kinds:
            errors.append(f"The {key} '{kind}' is not valid")
        for field, longest in fields.items():
            if len(one.get(field, "")) > longest:
                errors.append(too_long(field, longest))
        echo.append({**one, "ValidationErrors": [{"Message": error} for error in errors]})
        if errors:
            work.broken = True
        else:
            slots[kind] = {**slots.get(kind, {key: kind}), **picked(one, fields)}
    if echo:
        work.echo[name] = echo
    return list(slots.values())


def contact_of(work: Work, *, make: bool = True) -> Record:
    """The contact that a document names by ContactID, ContactNumber or Name, as the document stores it.

    An unknown name creates a contact (``make``); further fields edit the contact, as Xero warns. Returns an
    empty record after an error.
    """
    sent: Record = work.sent.get("Contact") or {}
    if not any(sent.get(name) for name in ("ContactID", "ContactNumber", "Name")):
        missing = not sent and work.path != "BankTransactions"
        work.refuse("A Contact must be specified for this type of transaction" if missing else UNIDENTIFIED)
        return {}
    known = sent.get("ContactID")
    found = work.get("Contacts", known) if known else match_contact(work, sent)
    if found is None and (known or not sent.get("Name") or not make):
        work.refuse("The contact with the specified contact details could not be found.")
        return {}
    if found is not None and found["ContactStatus"] != "ACTIVE":
        work.refuse(IN_DOCUMENT_ARCHIVED)
        return {}
    kept = _with_edits(work, sent, found)
    return {"ContactID": kept["ContactID"], "Name": kept.get("Name", "")}


def _with_edits(work: Work, sent: Record, found: Record | None) -> Record:
    """The contact with the fields that a document sends; a new one if there is none."""
    ignored = {"ContactStatus"}
    if found is not None and str(sent.get("Name", "")).casefold() == found["Name"].casefold():
        ignored.add("Name")
    sent = {name: one for name, one in sent.items() if name not in ignored}
    if found is not None and not _edits(sent, found):
        return found
    merged = _merged(work, sent, found)
    return merged if work.errors else work.put("Contacts", merged)


def _edits(sent: Record, found: Record) -> bool:
    fields = (*_TEXTS, *_OTHER, "Phones", "Addresses", "ContactPersons")
    return any(name in sent and sent[name] != found.get(name) for name in fields)


def met(work: Work, contact_id: str, role: str) -> None:
    """Mark a contact as customer or supplier; its UpdatedDateUTC stays (Xero's change notes)."""
    contact = work.get("Contacts", contact_id)
    if contact is not None and not contact.get(role):
        work.put("Contacts", {**contact, role: True}, touch=False)


def merge(work: Work, contact: Record, into: Record) -> Record:
    """Merge a contact into another one: it is archived, and the other one gets all its documents."""
    named = {"ContactID": into["ContactID"], "Name": into["Name"]}
    for path, table in work.organisation.tables.items():
        for record in table.matching("Contact.ContactID", str(contact["ContactID"])):
            work.put(path, {**record, "Contact": {**record["Contact"], **named}}, touch=False)
    for group in work.organisation.records("ContactGroups"):
        others = [one for one in group["Contacts"] if one["ContactID"] != contact["ContactID"]]
        if len(others) < len(group["Contacts"]):
            work.put("ContactGroups", {**group, "Contacts": others}, touch=False)
    merged = {"ContactStatus": "ARCHIVED", "MergedToContactID": into["ContactID"], "ContactGroups": []}
    return work.put("Contacts", {**contact, **merged})


# --- groups ----------------------------------------------------------------------------------------------


def save_group(work: Work, current: Record | None) -> Record:
    """Create, rename or delete a group; its members have an endpoint of their own."""
    before = current or {}
    name, status = work.sent.get("Name", before.get("Name", "")), work.sent.get("Status", "ACTIVE")
    if not name:
        work.refuse("The contact group name must be specified.")
    live = [one for one in work.matching("ContactGroups", "Name", name) if one["Status"] == "ACTIVE"]
    if any(one is not current for one in live):
        work.refuse("A Contact Group already exists with this name")
    check_status(work, status, current, "DELETED", "contact groups")
    if before.get("Status") == "DELETED":
        work.refuse("Deleted contact groups cannot be edited")
    if current is None and len(work.matching("ContactGroups", "Status", "ACTIVE")) >= 100:
        work.refuse("You’ve reached the limit of 100 contact groups.")
    work.stop()
    group = {"Contacts": [], **before, "Name": name, "Status": status, "HasValidationErrors": False}
    kept = work.put("ContactGroups", group)
    if before and (kept["Name"], kept["Status"]) != (before["Name"], before["Status"]):
        _in_contacts(work, kept, [one["ContactID"] for one in kept["Contacts"]], member=status == "ACTIVE")
    return kept


def _in_contacts(work: Work, group: Record, contacts: list[str], *, member: bool) -> None:
    """Show or hide the group in its members' own records."""
    key, own = group["ContactGroupID"], picked(group, ("ContactGroupID", "Name", "Status"))
    thin = {**own, "Contacts": [], "HasValidationErrors": False}
    for identifier in contacts:
        contact = work.get("Contacts", identifier)
        if contact is not None:
            others = [one for one in contact["ContactGroups"] if one["ContactGroupID"] != key]
            now = [*others, thin] if member else others
            work.put("Contacts", {**contact, "ContactGroups": now}, touch=False)


def add_members(work: Work, group: Record, contacts: list[Record]) -> Record:
    """Add contacts to a group; existing members stay. Returns the group."""
    members = {one["ContactID"]: one for one in group["Contacts"]}
    for contact in contacts:
        if contact["ContactStatus"] == "ARCHIVED":
            work.echo = {"ContactID": contact["ContactID"], "HasValidationErrors": True}
            work.fail(ARCHIVED)
        members[contact["ContactID"]] = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
    kept = work.put("ContactGroups", {**group, "Contacts": list(members.values())})
    _in_contacts(work, group, [one["ContactID"] for one in contacts], member=True)
    return kept


def remove_members(work: Work, group: Record, contacts: list[str]) -> Record:
    """Remove contacts from a group. Returns the group."""
    others = [one for one in group["Contacts"] if one["ContactID"] not in contacts]
    kept = work.put("ContactGroups", {**group, "Contacts": others})
    _in_contacts(work, group, contacts, member=False)
    return kept
