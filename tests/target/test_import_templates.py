"""Xero's own import templates as tap-csv passes them on: every cell is text, and every column keeps its heading."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api import dates

from .conftest import DATA, Wiring, record, schema

TEMPLATES = DATA / "templates"
REGION = [
    schema("tracking_categories", "id"),
    record("tracking_categories", id=1, Name="Region", Options=[{"Name": "Eastside"}, {"Name": "Westside"}]),
]
PEOPLE = [
    schema("contacts", "id"),
    *(record("contacts", id=n, Name=n) for n in ("Bay Kayaks", "Rata Street Studio", "Harbour Paint")),
]
#: What a template says of the contact of an invoice, which is the contact's own to say.
OF_THE_CONTACT = {"EmailAddress", "POAddressLine1", "POCity", "POPostalCode", "POCountry"}


def from_csv(path: Path, stream: str, *keys: str) -> list[dict[str, Any]]:
    """The messages that tap-csv makes of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    columns = {name: {"type": ["string", "null"]} for name in head}
    described = {**schema(stream, *keys), "schema": {"type": "object", "properties": columns}}
    return [described, *(record(stream, **dict(zip(head, row, strict=False))) for row in rows)]


@pytest.mark.parametrize("keys", [(), ("*InvoiceNumber",)])
def test_sales_invoices(wiring: Wiring, keys: tuple[str, ...]):
    template = from_csv(TEMPLATES / "SalesInvoiceTemplate.csv", "sales_invoices", *keys)
    run = wiring.write(REGION, PEOPLE, template)
    assert run.rejected == []
    assert run.count("invoices") == {"created": 2}
    one, two = sorted(wiring.records("Invoices"), key=lambda invoice: invoice["InvoiceNumber"])
    assert (one["Type"], one["Status"], one["Contact"]["Name"]) == ("ACCREC", "DRAFT", "Bay Kayaks")
    assert (one["InvoiceNumber"], one["Reference"], one["CurrencyCode"]) == ("INV-0901", "Deal 904", "NZD")
    assert [dates.day(one[name]) for name in ("Date", "DueDate")] == ["2026-11-20", "2026-12-20"]
    (theme,) = wiring.records("BrandingThemes")
    assert one["BrandingThemeID"] == theme["BrandingThemeID"]
    kayak, paddle = one["LineItems"]
    assert (kayak["Description"], kayak["Quantity"], kayak["UnitAmount"]) == ("Double kayak", 2, 1890)
    assert (kayak["AccountCode"], kayak["TaxType"], kayak["LineAmount"]) == ("200", "OUTPUT2", 3780)
    assert [t["Option"] for line in (kayak, paddle) for t in line["Tracking"]] == ["Eastside", "Westside"]
    assert (paddle["Description"], paddle["LineAmount"]) == ("Paddle", 499)
    assert one["Total"] == pytest.approx((3780 + 499) * 1.15)
    (website,) = two["LineItems"]
    assert (website["DiscountRate"], website["LineAmount"], website["TaxType"]) == (10, 4320, "NONE")
    assert [dates.day(two[name]) for name in ("Date", "DueDate")] == ["2026-12-05", "2027-01-04"]
    named = [message for message in run.messages if "no field of Xero's invoices" in message]
    assert len(named) == 1
    assert all(name in named[0] for name in OF_THE_CONTACT)
    assert wiring.write(template).count("invoices") == {"unchanged": 2}


@pytest.mark.parametrize("keys", [(), ("*ContactName", "*InvoiceNumber")])
def test_bills(wiring: Wiring, keys: tuple[str, ...]):
    template = from_csv(TEMPLATES / "BillTemplate.csv", "bills", *keys)
    run = wiring.write(PEOPLE, template)
    assert run.rejected == []
    bills = {bill["Contact"]["Name"]: bill for bill in wiring.records("Invoices")}
    assert {bill["Type"] for bill in bills.values()} == {"ACCPAY"}
    paint = bills["Harbour Paint"]
    assert [(line["Description"], line["LineAmount"]) for line in paint["LineItems"]] == [
        ("Antifouling", 135.75),
        ("Brushes", 47.88),
    ]
    assert dates.day(paint["Date"]) == "2026-11-01"
    assert bills["Bay Kayaks"]["Total"] == 80
    assert wiring.write(template).count("invoices") == {"unchanged": 2}


@pytest.mark.parametrize("keys", [(), ("*Narration", "*Date")])
def test_manual_journals(wiring: Wiring, keys: tuple[str, ...]):
    template = from_csv(TEMPLATES / "ManualJournalTemplate.csv", "manual_journals", *keys)
    run = wiring.write(REGION, template)
    assert run.rejected == []
    (journal,) = wiring.records("ManualJournals")
    assert (journal["Narration"], dates.day(journal["Date"])) == ("Payroll November 2026", "2026-11-30")
    lines = [(line["AccountCode"], line["LineAmount"], line["TaxType"]) for line in journal["JournalLines"]]
    assert lines == [("477", 15400, "NONE"), ("825", -3388, "NONE"), ("803", -12012, "NONE")]
    assert [t["Option"] for t in journal["JournalLines"][0]["Tracking"]] == ["Eastside"]
    assert wiring.write(template).count("manual_journals") == {"unchanged": 1}


def test_contacts(wiring: Wiring):
    template = from_csv(TEMPLATES / "ContactsTemplate.csv", "contacts", "*ContactName")
    run = wiring.write(REGION, template)
    assert run.rejected == []
    kayaks, paint = sorted(wiring.records("Contacts"), key=lambda contact: contact["Name"])
    plain = {
        "Name": "Bay Kayaks", "AccountNumber": "K-17", "EmailAddress": "office@bay.example", "FirstName": "Ana",
        "LastName": "Reti", "BankAccountDetails": "12-3456-0000017-00", "TaxNumber": "123-456-789",
        "CompanyNumber": "9429000000017", "AccountsReceivableTaxType": "OUTPUT2", "AccountsPayableTaxType": "INPUT2",
        "SalesDefaultAccountCode": "200", "PurchasesDefaultAccountCode": "400",
        "SalesDefaultLineAmountType": "INCLUSIVE", "PurchasesDefaultLineAmountType": "EXCLUSIVE",
    }  # fmt: skip
    assert {name: kayaks.get(name) for name in plain} == plain
    addresses = {one["AddressType"]: one for one in kayaks["Addresses"]}
    assert (addresses["POBOX"]["AddressLine1"], addresses["POBOX"]["AttentionTo"]) == (
        "PO Box 17",
        "Accounts",
    )
    assert (addresses["STREET"]["AddressLine1"], addresses["STREET"]["PostalCode"]) == (
        "12 Quay Street",
        "7010",
    )
    phones = {one["PhoneType"]: one["PhoneNumber"] for one in kayaks["Phones"] if one["PhoneNumber"]}
    assert phones == {"DEFAULT": "03 555 0117", "MOBILE": "021 555 017"}
    assert kayaks["PaymentTerms"] == {
        "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
        "Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"},
    }
    assert kayaks["SalesTrackingCategories"] == [
        {"TrackingCategoryName": "Region", "TrackingOptionName": "Eastside"}
    ]
    assert not kayaks.get("PurchasesTrackingCategories")
    (person,) = kayaks["ContactPersons"]
    assert (person["FirstName"], person["EmailAddress"], person["IncludeInEmails"]) == (
        "Tui",
        "tui@bay.example",
        True,
    )
    assert paint["Name"] == "Harbour Paint"
    assert wiring.write(template).count("contacts") == {"unchanged": 2}


def test_items(wiring: Wiring):
    template = from_csv(TEMPLATES / "InventoryItemsTemplate.csv", "items", "*ItemCode")
    run = wiring.write(template)
    assert run.rejected == []
    items = {one["Code"]: one for one in wiring.records("Items")}
    kayak = items["KAYAK-2"]
    assert (kayak["Name"], kayak["Description"]) == ("Double kayak", "Double kayak with two seats")
    assert kayak["PurchaseDescription"] == "Kayak from the yard"
    assert kayak["PurchaseDetails"] == {"UnitPrice": 1200.505, "AccountCode": "400", "TaxType": "INPUT2"}
    assert kayak["SalesDetails"] == {"UnitPrice": 1890, "AccountCode": "200", "TaxType": "OUTPUT2"}
    assert items["PADDLE"]["SalesDetails"]["UnitPrice"] == 249.5
    assert items["ANCHOR"]["InventoryAssetAccountCode"] == "630"
    assert items["ANCHOR"]["PurchaseDetails"]["COGSAccountCode"] == "310"
    assert wiring.write(template).count("items") == {"unchanged": 3}


def test_the_templates_can_be_sent_in_one_run(wiring: Wiring):
    run = wiring.write(
        from_csv(TEMPLATES / "SalesInvoiceTemplate.csv", "Sales Invoice Template", "*InvoiceNumber"),
        from_csv(TEMPLATES / "ContactsTemplate.csv", "ContactsTemplate", "*ContactName"),
        PEOPLE[0],
        PEOPLE[2],
        REGION,
    )
    assert run.rejected == []
    assert run.count("invoices") == {"created": 2}


def test_a_missing_contact_is_a_reject_or_created_by_name(
    wiring: Wiring,
):
    template = from_csv(TEMPLATES / "BillTemplate.csv", "bills", "*ContactName", "*InvoiceNumber")
    run = wiring.write(template)
    assert run.count("invoices") == {"rejected": 2}
    assert "or set missing_contacts to create" in run.rejected[0][1]
    assert wiring.records("Contacts") == []
    run = wiring.write(template, missing_contacts="create")
    assert run.count("invoices") == {"created": 2}
    assert sorted(one["Name"] for one in wiring.records("Contacts")) == ["Bay Kayaks", "Harbour Paint"]
    assert wiring.write(template, missing_contacts="create").count("invoices") == {"unchanged": 2}


def test_one_missing_contact_of_many_documents_is_created_once(wiring: Wiring):
    line = {"Description": "Hull", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    bills = [record("bills", id=n, contact_name=f"New {n % 3}", line_items=[line]) for n in range(60)]
    run = wiring.write(schema("bills", "id"), bills, missing_contacts="create", batch_size=5)
    assert run.count("invoices") == {"created": 60}
    assert sorted(one["Name"] for one in wiring.records("Contacts")) == ["New 0", "New 1", "New 2"]


def test_a_document_does_not_create_a_rejected_contact(wiring: Wiring):
    bad = [schema("contacts", "id"), record("contacts", id=1, Name="Harbour Paint", EmailAddress="nowhere")]
    template = from_csv(TEMPLATES / "BillTemplate.csv", "bills", "*ContactName", "*InvoiceNumber")
    run = wiring.write(bad, template, missing_contacts="create")
    assert run.count("invoices") == {"created": 1, "rejected": 1}
    assert [one["Name"] for one in wiring.records("Contacts")] == ["Bay Kayaks"]


def test_an_archived_contact_is_not_created_again(wiring: Wiring):
    gone = record("contacts", id=1, Name="Harbour Paint", ContactStatus="ARCHIVED")
    wiring.write(schema("contacts", "id"), record("contacts", id=1, Name="Harbour Paint"))
    wiring.write(schema("contacts", "id"), gone, deletes=True)
    template = from_csv(TEMPLATES / "BillTemplate.csv", "bills", "*ContactName", "*InvoiceNumber")
    run = wiring.write(template, missing_contacts="create", write_log_path=str(wiring.folder / "other.db"))
    assert run.count("invoices") == {"created": 1, "rejected": 1}
    assert "only one with the status ARCHIVED: restore it in Xero" in run.rejected[0][1]
