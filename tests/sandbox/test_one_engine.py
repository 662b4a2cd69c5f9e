"""A write through the API makes the same records as the demo company, because both use the same rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from xero_sandbox import Sandbox

HEADING = {
    "Invoices": "Type Status LineAmountTypes CurrencyCode Reference BrandingThemeID Url",
    "CreditNotes": "Type Status LineAmountTypes CurrencyCode Reference BrandingThemeID",
    "BankTransactions": "Type LineAmountTypes Reference Url",
    "PurchaseOrders": "Status LineAmountTypes CurrencyCode Reference DeliveryAddress AttentionTo Telephone",
    "Quotes": "Status LineAmountTypes CurrencyCode Reference Title Summary Terms",
    "ManualJournals": "Narration Status LineAmountTypes Url",
}
"""The fields of a heading that are sent again, by resource; dates, contact and bank account go with them."""

LINE = (
    "Description",
    "Quantity",
    "UnitAmount",
    "LineAmount",
    "TaxType",
    "AccountCode",
    "ItemCode",
    "DiscountRate",
    "DiscountAmount",
)
NUMBERS = {"Invoices": "InvoiceNumber", "CreditNotes": "CreditNoteNumber", "Quotes": "QuoteNumber"}
OWN = {
    "UpdatedDateUTC",
    "HasAttachments",
    "SentToContact",
    "IsReconciled",
    "InvoiceNumber",
    "CreditNoteNumber",
    "QuoteNumber",
    "PurchaseOrderNumber",
    "FullyPaidOnDate",
    "AmountDue",
    "AmountPaid",
    "AmountCredited",
    "RemainingCredit",
    "Payments",
    "CreditNotes",
    "Prepayments",
    "Overpayments",
    "Allocations",
    "ID",
    "PlannedPaymentDate",
    "ExpectedPaymentDate",
    "ExpectedArrivalDate",
    "DeliveryInstructions",
    "BatchPayment",
}
"""The fields that differ between the two records: ids, stamps and later changes."""


LOCKED = "/Date(1743465600000"
"""The day after the demo company's lock date."""


@pytest.fixture(scope="module")
def demo() -> Iterator[Sandbox]:
    with Sandbox(limits=False) as running:
        running.admin.freeze()
        yield running


@pytest.fixture
def api(demo: Sandbox, callers: Callable[..., Any]) -> Any:
    return callers(demo)


def sent_again(resource: str, record: dict[str, Any]) -> dict[str, Any]:
    """The element that creates a record like this one."""
    lines = "JournalLines" if resource == "ManualJournals" else "LineItems"
    known = (
        *HEADING[resource].split(),
        *["DateString", "DueDateString", "ExpiryDateString", "DeliveryDateString", "CurrencyRate"],
    )
    asked = {name: record[name] for name in known if name in record}
    if resource == "ManualJournals":
        asked["Date"] = record["Date"]
    asked[lines] = [
        {
            **{name: line[name] for name in LINE if name in line},
            "Tracking": [{"Name": one["Name"], "Option": one["Option"]} for one in line.get("Tracking", ())],
        }
        for line in record[lines]
    ]
    for name, key in (("Contact", "ContactID"), ("BankAccount", "AccountID")):
        if name in record:
            asked[name] = {key: record[name][key]}
    if resource in NUMBERS and record.get("Type") not in {"ACCPAY", "ACCPAYCREDIT"}:
        asked[NUMBERS[resource]] = f"AGAIN-{record[NUMBERS[resource]]}"
    if asked.get("Status") == "PAID":
        asked["Status"] = "AUTHORISED"
    return asked


def without_own(record: dict[str, Any], key: str) -> dict[str, Any]:
    """The record without the fields that differ, ids of lines included."""
    kept = {name: value for name, value in record.items() if name not in {key, *OWN}}
    lines = kept.get("LineItems", [])
    kept["LineItems"] = [{n: v for n, v in line.items() if n != "LineItemID"} for line in lines]
    if kept.get("Status") == "PAID":
        kept["Status"] = "AUTHORISED"
    return kept


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("Invoices", "InvoiceID"),
        ("CreditNotes", "CreditNoteID"),
        ("BankTransactions", "BankTransactionID"),
        ("PurchaseOrders", "PurchaseOrderID"),
        ("Quotes", "QuoteID"),
        ("ManualJournals", "ManualJournalID"),
    ],
)
def test_a_document_of_the_demo_sent_again_makes_the_same_document(
    demo: Sandbox, api: Any, resource: str, key: str
) -> None:
    kept = demo.admin.records(resource)
    active = {one["ContactID"] for one in demo.admin.records("Contacts") if one["ContactStatus"] == "ACTIVE"}
    usable = [
        one
        for one in kept
        if one["Status"] in {"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "POSTED", "SENT", "ACCEPTED"}
        and one.get("Type", "").partition("-")[2] == ""
        and ("Contact" not in one or one["Contact"]["ContactID"] in active)
        and one["Date"] > LOCKED
        and ("DueDate" in one or resource != "Invoices" or one["Status"] != "AUTHORISED")
    ]
    chosen = [one for one in usable if "RepeatingInvoiceID" not in one][:: max(1, len(usable) // 12)]
    assert len(chosen) >= 8
    asked = [sent_again(resource, api.get(f"{resource}/{one[key]}", unitdp=4)[resource][0]) for one in chosen]
    response = api.call(
        resource, "PUT", json={resource: asked}, params={"unitdp": 4, "summarizeErrors": False}
    )
    made = response.json()[resource]
    for before, after in zip(chosen, made, strict=True):
        assert not after.get("ValidationErrors"), (before, after)
        again = demo.admin.record(resource, after[key])
        assert without_own(again, key) == without_own(before, key)


def test_after_a_trading_day_balances_follow_from_the_documents(demo: Sandbox, api: Any) -> None:
    demo.admin.day()
    owed: dict[str, float] = {}
    for one in demo.admin.records("Invoices"):
        if one["Type"] == "ACCREC" and one["CurrencyCode"] == "NZD" and one["Status"] == "AUTHORISED":
            key = one["Contact"]["ContactID"]
            owed[key] = owed.get(key, 0) + one["AmountDue"]
    for path in ("CreditNotes", "Prepayments", "Overpayments"):
        for one in demo.admin.records(path):
            if one["Status"] == "AUTHORISED" and one["Type"] not in {
                "ACCPAYCREDIT",
                "SPEND-PREPAYMENT",
                "SPEND-OVERPAYMENT",
            }:
                key = one["Contact"]["ContactID"]
                owed[key] = owed.get(key, 0) - one["RemainingCredit"]
    balances = {
        one["ContactID"]: one.get("Balances", {}).get("AccountsReceivable", {}).get("Outstanding", 0)
        for one in demo.admin.records("Contacts")
        if one.get("DefaultCurrency", "NZD") == "NZD"
    }
    assert len(balances) > 50
    for key, balance in balances.items():
        assert balance == pytest.approx(owed.get(key, 0)), key


def test_a_deleted_payment_has_no_rate(demo: Sandbox, api: Any) -> None:
    payment = next(
        one
        for one in demo.admin.records("Payments")
        if one["Status"] == "AUTHORISED" and "BatchPaymentID" not in one and one["Date"] > LOCKED
    )
    assert payment["CurrencyRate"] > 0
    response = api.call(f"Payments/{payment['PaymentID']}", "POST", json={"Status": "DELETED"})
    assert response.status_code == 200, response.text
    assert response.json()["Payments"][0]["CurrencyRate"] == 0
    by_hand = next(one for one in demo.admin.records("Payments") if one["Status"] == "DELETED")
    assert by_hand["CurrencyRate"] == 0


def test_sandboxes_of_one_process_do_not_share_their_changes(demo: Sandbox) -> None:
    contact = demo.admin.records("Contacts")[0]["ContactID"]
    demo.admin.edit("Contacts", contact, Name="Renamed in one sandbox")
    with Sandbox(limits=False) as other:
        assert other.admin.record("Contacts", contact)["Name"] != "Renamed in one sandbox"
        other.admin.delete("Contacts", contact)
    assert demo.admin.record("Contacts", contact)["Name"] == "Renamed in one sandbox"
