"""Changes made in Xero make no reject of a valid record: ended records, merged contacts."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Wiring, Written, record, schema, state
from .test_lookups import GIVEN, LINE, START, invoice, payment
from .test_objects import phases
from .test_planning import other_log

SCHEMAS = [schema("contacts", "id"), schema("invoices", "id")]


def contact_ids(wiring: Wiring) -> dict[str, str]:
    return {one["Name"]: one["ContactID"] for one in wiring.records("Contacts")}


def sale(key: int, name: str = "Abel", **values: Any) -> dict[str, Any]:
    return invoice(key, "ACCREC", f"I-{key}", **{"contact_name": name, **values})


def contacts_of_sales(wiring: Wiring) -> list[str]:
    return sorted(i["Contact"]["Name"] for i in wiring.records("Invoices"))


# Ends

JOURNAL = [{"LineAmount": 5, "AccountCode": "477"}, {"LineAmount": -5, "AccountCode": "825"}]
SAVINGS = record("accounts", id=2, Code="091", Name="Savings", Type="BANK", BankAccountNumber="2")
ABELS = {"contact_name": "Abel", "LineItems": [LINE]}
MONTHLY = {
    "Period": 1,
    "Unit": "MONTHLY",
    "DueDate": 20,
    "DueDateType": "OFFOLLOWINGMONTH",
    "StartDate": "2026-12-01",
}
FROM_TO = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}}
PAYS = [{"Invoice": {"InvoiceNumber": "I-9"}, "Amount": 1}]
LUXURY = {"ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "Luxury", "Rate": 20}]}
#: The list and id of each object, the status that ends it, and a record of it.
DOCUMENTS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "invoices": ("Invoices", "InvoiceID", "VOIDED", invoice(1, "ACCPAY", "B-1")["record"]),
    "credit_notes": ("CreditNotes", "CreditNoteID", "VOIDED", {"Type": "ACCRECCREDIT", **GIVEN}),
    "quotes": ("Quotes", "QuoteID", "DELETED", {"Date": "2026-11-05", **ABELS}),
    "purchase_orders": ("PurchaseOrders", "PurchaseOrderID", "DELETED", ABELS),
    "bank_transactions": (
        "BankTransactions",
        "BankTransactionID",
        "DELETED",
        {"Type": "SPEND", "bank_account_code": "090", **ABELS},
    ),
    "bank_transfers": ("BankTransfers", "BankTransferID", "DELETED", {"Amount": 1, **FROM_TO}),
    "payments": ("Payments", "PaymentID", "DELETED", payment(1, invoice_number="I-9")["record"]),
    "batch_payments": (
        "BatchPayments",
        "BatchPaymentID",
        "DELETED",
        {"account_code": "090", "Date": "2026-11-05", "Payments": PAYS},
    ),
    "manual_journals": (
        "ManualJournals",
        "ManualJournalID",
        "VOIDED",
        {"Narration": "N", "Status": "POSTED", "JournalLines": JOURNAL},
    ),
    "repeating_invoices": (
        "RepeatingInvoices",
        "RepeatingInvoiceID",
        "DELETED",
        {"Type": "ACCREC", "Schedule": MONTHLY, **ABELS},
    ),
    "contacts": ("Contacts", "ContactID", "ARCHIVED", {"Name": "Bert"}),
    "tax_rates": ("TaxRates", "TaxType", "DELETED", {"Name": "Luxury", **LUXURY}),
}


def with_document(wiring: Wiring, name: str) -> str:
    """Write one of its kind and return the id that Xero gave it."""
    made = record(name, **{**DOCUMENTS[name][3], "id": 7})
    run = wiring.write(START, SAVINGS, SCHEMAS[1], invoice(9, "ACCREC", "I-9"), schema(name, "id"), made)
    assert run.rejected == []
    return wiring.ids(name)["7"]


@pytest.mark.parametrize("way", ["_sdc_deleted_at", "status"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_record_that_ended_in_xero_and_in_the_source_is_settled(wiring: Wiring, name: str, way: str):
    xero_id = with_document(wiring, name)
    path, _, over, made = DOCUMENTS[name]
    status = "ContactStatus" if name == "contacts" else "Status"
    wiring.xero.admin.edit(path, xero_id, wiring.tenant, **{status: over})
    gone = {"_sdc_deleted_at": "2026-11-20T09:00:00Z"} if way == "_sdc_deleted_at" else {status: over}
    ends = record(name, **{**made, "id": 7, **gone})
    for _ in range(2):
        run = wiring.write(schema(name, "id"), ends, state("all"), deletes=True)
        assert (run.error, run.rejected, run.states) == (None, [], ["all"])
        assert run.count(name).keys() <= {"unchanged", "removed"}
    wiring.xero.admin.forget_calls()
    wiring.write(schema(name, "id"), ends, deletes=True)
    assert wiring.writes() == []


@pytest.mark.parametrize(
    "name", ["accounts", "items", "tracking_categories", "contact_groups", "linked_transactions"]
)
def test_a_record_that_was_deleted_in_xero_and_in_the_source_is_settled(wiring: Wiring, name: str):
    pieces = phases(name)
    wiring.write(pieces["created"], deletes=True)
    path = {"accounts": "Accounts", "items": "Items", "tracking_categories": "TrackingCategories",
            "contact_groups": "ContactGroups", "linked_transactions": "LinkedTransactions"}[name]  # fmt: skip
    for xero_id in wiring.ids(name).values():
        if xero_id:
            wiring.xero.admin.delete(path, xero_id, wiring.tenant)
    run = wiring.write(pieces["ended"], deletes=True)
    assert run.error is None
    assert "rejected" not in run.count(name)


def test_a_draft_that_was_approved_in_xero_is_voided(wiring: Wiring):
    wiring.write(START, SCHEMAS[1], sale(1, Status="DRAFT"))
    (one,) = wiring.records("Invoices")
    wiring.xero.admin.edit("Invoices", one["InvoiceID"], wiring.tenant, Status="AUTHORISED")
    run = wiring.write(
        SCHEMAS[1], record("invoices", id=1, _sdc_deleted_at="2026-11-20T09:00:00Z"), deletes=True
    )
    assert (run.rejected, run.count("invoices")) == ([], {"removed": 1})
    assert wiring.records("Invoices")[0]["Status"] == "VOIDED"


def test_the_end_of_a_paid_invoice_is_a_reject_with_xero_s_message(wiring: Wiring):
    wiring.write(START, SCHEMAS[1], sale(1), schema("payments", "id"), payment(1, invoice_number="I-1"))
    run = wiring.write(SCHEMAS[1], record("invoices", id=1, Status="VOIDED"), deletes=True)
    assert run.count("invoices") == {"rejected": 1}
    assert "payments or credit notes allocated" in run.rejected[0][1]


# Contacts


def two_people(wiring: Wiring) -> dict[str, str]:
    wiring.write(START, record("contacts", id=2, Name="Bert"), SCHEMAS[1], sale(1))
    return contact_ids(wiring)


@pytest.mark.parametrize("by", ["name", "own key", "id"])
def test_invoices_of_a_merged_contact_go_to_the_one_it_was_merged_into(wiring: Wiring, by: str):
    ids = two_people(wiring)
    wiring.xero.admin.merge_contacts(ids["Abel"], ids["Bert"], wiring.tenant)
    assert contacts_of_sales(wiring) == ["Bert"]
    named = {
        "name": {"contact_name": "Abel"},
        "own key": {"contact_name": None, "contact_id": 1},
        "id": {"contact_name": None, "Contact": {"ContactID": ids["Abel"]}},
    }[by]
    sales = [sale(n, **named) for n in (2, 3)]
    run = wiring.write(SCHEMAS[1], sales)
    assert (run.rejected, run.count("invoices")) == ([], {"created": 2})
    assert contacts_of_sales(wiring) == ["Bert"] * 3
    # The next run knows, and is not refused first.
    wiring.xero.admin.forget_calls()
    assert wiring.write(SCHEMAS[1], sale(4, **named)).count("invoices") == {"created": 1}
    assert len(wiring.writes()) == 1


def test_a_contact_that_was_merged_twice_is_found(wiring: Wiring):
    ids = two_people(wiring)
    wiring.write(SCHEMAS[0], record("contacts", id=3, Name="Cora"))
    ids = contact_ids(wiring)
    wiring.xero.admin.merge_contacts(ids["Abel"], ids["Bert"], wiring.tenant)
    assert wiring.write(SCHEMAS[1], sale(2)).count("invoices") == {"created": 1}
    wiring.xero.admin.merge_contacts(ids["Bert"], ids["Cora"], wiring.tenant)
    run = wiring.write(SCHEMAS[1], sale(3), sale(4, "Bert"))
    assert (run.rejected, run.count("invoices")) == ([], {"created": 2})
    assert contacts_of_sales(wiring) == ["Cora"] * 4


def test_an_archived_contact_is_replaced_by_the_active_one_of_that_name(wiring: Wiring):
    ids = two_people(wiring)
    wiring.xero.admin.edit("Contacts", ids["Abel"], wiring.tenant, ContactStatus="ARCHIVED")
    again = wiring.xero.admin.put(
        "Contacts",
        {"Name": "ABEL", "ContactStatus": "ACTIVE", "Phones": [], "Addresses": [], "ContactGroups": []},
        wiring.tenant,
    )
    run = wiring.write(
        SCHEMAS[1],
        sale(2),
        schema("quotes", "id"),
        record("quotes", id=1, contact_name="Abel", Date="2026-11-05", LineItems=[LINE]),
        schema("contact_groups", "id"),
        record("contact_groups", id=1, Name="Friends", Contacts=[{"Name": "Abel"}]),
    )
    assert (run.error, run.rejected) == (None, [])
    assert {i["Contact"]["ContactID"] for i in wiring.records("Invoices")} == {
        ids["Abel"],
        again["ContactID"],
    }
    assert wiring.records("Quotes")[0]["Contact"]["ContactID"] == again["ContactID"]
    assert [c["ContactID"] for c in wiring.records("ContactGroups")[0]["Contacts"]] == [again["ContactID"]]


def test_an_invoice_can_be_updated_after_its_contact_was_merged(wiring: Wiring):
    ids = two_people(wiring)
    wiring.xero.admin.merge_contacts(ids["Abel"], ids["Bert"], wiring.tenant)
    run = wiring.write(SCHEMAS[1], sale(1, Reference="New"))
    assert (run.rejected, run.count("invoices")) == ([], {"updated": 1})
    assert wiring.records("Invoices")[0]["Reference"] == "New"


def test_an_archived_contact_without_a_successor_is_a_reject(wiring: Wiring):
    ids = two_people(wiring)
    wiring.xero.admin.edit("Contacts", ids["Abel"], wiring.tenant, ContactStatus="ARCHIVED")
    run = wiring.write(SCHEMAS[1], sale(2), sale(3, "Bert"))
    assert run.count("invoices") == {"created": 1, "rejected": 1}
    assert "has been archived" in run.rejected[0][1]
    lost = wiring.write(SCHEMAS[1], sale(4), **other_log(wiring))
    assert lost.rejected[-1][1] == (
        "Contact: Xero has no active record of contacts with the Name 'Abel', only one with the status ARCHIVED: "
        "restore it in Xero"
    )


def change(wiring: Wiring) -> Written:
    return wiring.write(SCHEMAS[0], record("contacts", id=1, Name="Abel", FirstName="A"))


def test_a_contact_merged_into_another_one_of_the_source_is_skipped(wiring: Wiring):
    ids = two_people(wiring)
    wiring.xero.admin.merge_contacts(ids["Abel"], ids["Bert"], wiring.tenant)
    run = change(wiring)
    assert (run.rejected, run.count("contacts")) == ([], {"skipped": 1})
    assert run.logged("merged into the contact of contacts id=2 in Xero, or replaced by it")
    assert [c.get("FirstName") for c in wiring.records("Contacts")] == [None, None]
    assert change(wiring).count("contacts") == {"unchanged": 1}


def test_a_contact_merged_into_one_made_in_xero_becomes_that_one(wiring: Wiring):
    ids = two_people(wiring)
    made = wiring.xero.admin.put(
        "Contacts",
        {"Name": "Abel Ltd", "ContactStatus": "ACTIVE", "Phones": [], "Addresses": [], "ContactGroups": []},
        wiring.tenant,
    )
    wiring.xero.admin.merge_contacts(ids["Abel"], made["ContactID"], wiring.tenant)
    assert change(wiring).count("contacts") == {"updated": 1}
    (now,) = [c for c in wiring.records("Contacts") if c["ContactID"] == made["ContactID"]]
    assert (now["Name"], now["FirstName"]) == ("Abel", "A")
    assert change(wiring).count("contacts") == {"unchanged": 1}


def test_a_refusal_for_another_reason_is_a_reject_after_one_look_up(wiring: Wiring):
    two_people(wiring)
    wiring.xero.admin.forget_calls()
    bad = [sale(n, LineItems=[{**LINE, "AccountCode": "9999"}]) for n in range(10, 40)]
    run = wiring.write(SCHEMAS[1], bad)
    assert run.count("invoices") == {"rejected": 30}
    assert len(wiring.xero.admin.calls("/Contacts", "GET")) == 1
