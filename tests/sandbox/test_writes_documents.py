"""Invoices, bills, credit notes, orders, quotes, repeating invoices and manual journals."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

ZERO_ID = "00000000-0000-0000-0000-000000000000"
NOT_VALID = "Invoice not of valid status for modification"
SETTLED = "This document cannot be edited as it has a payment or credit note allocated to it."


def journals(company: Any, source: str) -> list[dict[str, Any]]:
    return [one for one in company.admin.records("Journals") if one.get("SourceID") == source]


def net(company: Any, source: str) -> dict[str, float]:
    """The net movement of a document in the ledger, by account code."""
    found: dict[str, float] = {}
    for journal in journals(company, source):
        for line in journal["JournalLines"]:
            found[line["AccountCode"]] = round(found.get(line["AccountCode"], 0) + line["NetAmount"], 2)
    return {code: amount for code, amount in found.items() if amount}


# --- invoices --------------------------------------------------------------------------------------------


def test_an_approved_invoice_is_numbered_priced_taxed_and_in_the_ledger(company):
    lines = [
        {"Description": "Work", "Quantity": 2, "UnitAmount": "10.50", "AccountCode": "200"},
        {"Description": "Only words"},
        {"Description": "Less", "Quantity": 3, "UnitAmount": 10, "DiscountRate": 10, "AccountCode": "200"},
    ]
    made = company.invoice(LineItems=lines, LineAmountTypes="Exclusive", Reference="PO 42")
    assert made["InvoiceNumber"] == "INV-0001"
    assert (made["SubTotal"], made["TotalTax"], made["Total"], made["AmountDue"]) == (48.0, 7.2, 55.2, 55.2)
    assert (made["TotalDiscount"], made["IsDiscounted"], made["CurrencyRate"]) == (3.0, True, 1.0)
    first = made["LineItems"][0]
    assert (first["TaxType"], first["TaxAmount"], first["LineAmount"]) == ("OUTPUT2", 3.15, 21.0)
    assert first["ValidationErrors"] == []
    assert len({line["LineItemID"] for line in made["LineItems"]}) == 3
    assert "Quantity" not in made["LineItems"][1]
    assert made["Contact"]["ContactStatus"] == "ACTIVE"
    assert net(company, made["InvoiceID"]) == {"610": 55.2, "200": -48.0, "820": -7.2}
    assert company.invoice()["InvoiceNumber"] == "INV-0002"


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ("Exclusive", (100.0, 15.0, 115.0)),
        ("inclusive", (86.96, 13.04, 100.0)),
        ("NoTax", (100.0, 0.0, 100.0)),
    ],
)
def test_amounts_include_tax_exclude_tax_or_have_none(company, amounts, expected):
    made = company.invoice(100, LineAmountTypes=amounts)
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == expected
    assert made["LineItems"][0]["TaxType"] == ("NONE" if amounts == "NoTax" else "OUTPUT2")


def test_unit_prices_keep_four_decimals_only_on_request(company):
    line = {"Description": "x", "Quantity": 1000, "UnitAmount": "1.2345", "AccountCode": "200"}
    rough = company.invoice(LineItems=[line], LineAmountTypes="NoTax")
    assert (rough["LineItems"][0]["UnitAmount"], rough["Total"]) == (1.23, 1230.0)
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineAmountTypes": "NoTax", "LineItems": [line]}
    exact = company.put("Invoices", body, unitdp=4)
    assert (exact["LineItems"][0]["UnitAmount"], exact["Total"]) == (1.2345, 1234.5)
    assert company.get("Invoices", exact["InvoiceID"], unitdp=4)["LineItems"][0]["UnitAmount"] == 1.2345


def test_a_draft_may_be_incomplete_and_an_approved_invoice_may_not(company):
    draft = company.put("Invoices", {"Type": "ACCREC", "Contact": {"Name": "Ada"}})
    assert (draft["Status"], draft["Total"]) == ("DRAFT", 0.0)
    assert journals(company, draft["InvoiceID"]) == []
    approve = {"InvoiceID": draft["InvoiceID"], "Status": "AUTHORISED"}
    assert company.refused("POST", "Invoices", approve) == [
        "DueDate must be specified",
        "One or more line items must be specified",
    ]
    line = {"UnitAmount": 5}
    words = company.refused("POST", "Invoices", {**approve, "DueDate": "2026-12-01", "LineItems": [line]})
    assert words == ["The Description field is mandatory", "Account code must be specified"]


def test_a_missing_due_date_comes_from_the_contacts_terms(company):
    terms = {
        "Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
        "Bills": {"Day": 7, "Type": "DAYSAFTERBILLDATE"},
    }
    company.put("Contacts", {"Name": "Ada", "PaymentTerms": terms})
    assert company.invoice(DueDate=None)["DueDateString"] == "2026-12-20T00:00:00"
    assert company.invoice(DueDate=None, Type="ACCPAY")["DueDateString"] == "2026-11-26T00:00:00"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"AccountCode": "999"}, "Account code '999' is not a valid code for this document."),
        ({"AccountCode": "610"}, "Account code '610' is not a valid code for this document."),
        ({"AccountCode": "090"}, "Account code '090' is not a valid code for this document."),
        (
            {"TaxType": "GST"},
            "The TaxType code GST does not exist or cannot be used for this type of transaction.",
        ),
        ({"TaxType": "INPUT2"}, "The TaxType code 'INPUT2' cannot be used with account code '200'."),
        ({"ItemCode": "NOPE"}, "Item code 'NOPE' is not valid"),
        ({"LineAmount": 90}, "The line total 90.00 does not match the expected line total 100.00"),
        ({"TaxAmount": 20}, "The tax amount 20.00 does not match the expected tax amount 13.04"),
        (
            {"Tracking": [{"Name": "Region", "Option": "Moon"}]},
            "The tracking option 'Moon' of the tracking category 'Region' could not be found",
        ),
    ],
)
def test_an_error_of_a_line_is_noted_on_the_line_and_on_the_invoice(company, line, words):
    good = {"Description": "x", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineAmountTypes": "Inclusive"}
    (failed,) = company.each("PUT", "Invoices", {**body, "LineItems": [good, {**good, **line}]})
    assert failed["InvoiceID"] == ZERO_ID
    assert [one["Message"] for one in failed["ValidationErrors"]] == [words]
    assert [[one["Message"] for one in each["ValidationErrors"]] for each in failed["LineItems"]] == [
        [],
        [words],
    ]
    assert company.count("Invoices") == 0


def test_bills_and_credit_notes_accept_no_line_discount(company):
    line = {"Description": "x", "UnitAmount": 100, "DiscountRate": 5}
    words = ["Discounts are not supported on this type of document"]
    bill = {"Type": "ACCPAY", "Contact": {"Name": "Ada"}, "LineItems": [{**line, "AccountCode": "400"}]}
    assert company.refused("PUT", "Invoices", bill) == words
    note = {"Type": "ACCRECCREDIT", "Contact": {"Name": "Ada"}, "LineItems": [{**line, "AccountCode": "200"}]}
    assert company.refused("PUT", "CreditNotes", note) == words


def test_an_item_provides_the_fields_that_are_not_sent(company):
    side = {"UnitPrice": 25, "AccountCode": "260"}
    company.put("Items", {"Code": "KAYAK", "Name": "Kayak", "Description": "A kayak", "SalesDetails": side})
    made = company.invoice(LineItems=[{"ItemCode": "kayak", "Quantity": 2}], LineAmountTypes="Exclusive")
    line = made["LineItems"][0]
    assert (line["ItemCode"], line["Description"], line["UnitAmount"]) == ("KAYAK", "A kayak", 25.0)
    assert (line["AccountCode"], line["TaxType"], made["Total"]) == ("260", "OUTPUT2", 57.5)
    other = {
        "ItemCode": "KAYAK",
        "Description": "Mine",
        "UnitAmount": 1,
        "AccountCode": "200",
        "TaxType": "NONE",
    }
    line = company.invoice(LineItems=[other])["LineItems"][0]
    assert (line["Description"], line["UnitAmount"], line["AccountCode"], line["TaxType"]) == (
        "Mine",
        1.0,
        "200",
        "NONE",
    )


def test_a_line_amount_without_a_price_gives_the_price(company):
    line = {"Description": "x", "Quantity": 4, "LineAmount": 50, "AccountCode": "200"}
    assert company.invoice(LineItems=[line])["LineItems"][0]["UnitAmount"] == 12.5


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"UnitAmount": 25, "LineAmount": 100}, (4.0, 25.0, 100.0)),
        ({"UnitAmount": 25, "DiscountRate": 20, "LineAmount": 100}, (5.0, 25.0, 100.0)),
        ({"Quantity": 2, "DiscountAmount": 10, "LineAmount": 90}, (2.0, 50.0, 90.0)),
        ({"LineAmount": 90}, (1.0, 90.0, 90.0)),
    ],
)
def test_a_line_amount_gives_the_missing_price_or_quantity(company, line, expected):
    made = company.invoice(LineItems=[{"Description": "x", "AccountCode": "200", **line}])["LineItems"][0]
    assert (made["Quantity"], made["UnitAmount"], made["LineAmount"]) == expected


def test_a_line_amount_is_checked_after_the_price_is_rounded(company):
    line = {"Description": "x", "AccountCode": "200", "Quantity": 8555500, "UnitAmount": "0.000149611361"}
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineItems": [{**line, "LineAmount": 1280}]}
    (failed,) = company.each("PUT", "Invoices", body, unitdp=4)
    words = ["The line total 1280.00 does not match the expected line total 855.55"]
    assert [one["Message"] for one in failed["ValidationErrors"]] == words


def test_dates_can_be_sent_as_their_text_fields(company):
    made = company.invoice(
        Date=None, DueDate=None, DateString="2026-11-02T00:00:00", DueDateString="2026-12-24"
    )
    assert made["DateString"] == "2026-11-02T00:00:00"
    assert made["DueDateString"] == "2026-12-24T00:00:00"
    both = company.invoice(Date="2026-11-03", DateString="2026-11-02T00:00:00")
    assert both["DateString"] == "2026-11-03T00:00:00"


def test_a_line_with_an_id_keeps_the_fields_that_are_not_sent(company):
    company.put(
        "Items", {"Code": "KAYAK", "Name": "Kayak", "SalesDetails": {"UnitPrice": 25, "AccountCode": "260"}}
    )
    region = company.put("TrackingCategories", {"Name": "Region"})
    company.send(
        "PUT", f"TrackingCategories/{region['TrackingCategoryID']}/Options", {"Options": [{"Name": "East"}]}
    )
    line = {
        "Description": "A",
        "Quantity": 2,
        "UnitAmount": 100,
        "DiscountRate": 50,
        "TaxType": "NONE",
        "AccountCode": "200",
        "Tracking": [{"Name": "Region", "Option": "East"}],
    }
    made = company.invoice(LineItems=[line])
    (before,) = made["LineItems"]
    change = {
        "LineItemID": before["LineItemID"],
        "Description": "B",
        "AccountCode": "260",
        "ItemCode": "KAYAK",
    }
    (after,) = company.post("Invoices", {"InvoiceID": made["InvoiceID"], "LineItems": [change]})["LineItems"]
    kept = ("Quantity", "UnitAmount", "DiscountRate", "TaxType", "Tracking", "LineAmount", "LineItemID")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["Description"], after["AccountCode"], after["ItemCode"]) == ("B", "260", "KAYAK")


def test_new_lines_come_before_those_with_an_id_and_unlisted_lines_are_deleted(company):
    lines = [{"Description": one, "UnitAmount": 10, "AccountCode": "200"} for one in "ABC"]
    made = company.invoice(LineItems=lines)
    ids = {line["Description"]: line["LineItemID"] for line in made["LineItems"]}
    asked = [{"LineItemID": ids["C"]}, {"LineItemID": ids["A"]}, {**lines[0], "Description": "D"}]
    done = company.post("Invoices", {"InvoiceID": made["InvoiceID"], "LineItems": asked})
    assert [line["Description"] for line in done["LineItems"]] == ["D", "C", "A"]
    assert [line["LineItemID"] for line in done["LineItems"]][1:] == [ids["C"], ids["A"]]


# --- numbers ---------------------------------------------------------------------------------------------


def test_sales_invoices_have_their_own_numbers_and_a_post_matches_by_them(company):
    made = company.invoice(InvoiceNumber="A-1")
    words = company.refused(
        "PUT", "Invoices", {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "InvoiceNumber": "a-1"}
    )
    assert words == ["Invoice # must be unique."]
    again = company.post("Invoices", {"Type": "ACCREC", "InvoiceNumber": "a-1", "Reference": "changed"})
    assert (again["InvoiceID"], again["Reference"]) == (made["InvoiceID"], "changed")
    other = company.invoice()
    rename = {"InvoiceID": other["InvoiceID"], "InvoiceNumber": "A-1"}
    assert company.refused("POST", "Invoices", rename) == ["Invoice # must be unique."]


def test_a_used_number_cannot_be_used_again(company):
    made = company.invoice(InvoiceNumber="A-1")
    company.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"})
    again = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "InvoiceNumber": "A-1"}
    assert company.refused("PUT", "Invoices", again) == ["Invoice # must be unique."]
    assert company.refused("POST", "Invoices", again) == [NOT_VALID]


def test_bills_may_share_a_number_so_a_repeated_post_creates_a_second_bill(company):
    bill = {"Type": "ACCPAY", "Contact": {"Name": "Ada"}, "InvoiceNumber": "S-1"}
    first, second = company.post("Invoices", bill), company.post("Invoices", bill)
    assert first["InvoiceID"] != second["InvoiceID"]


def test_credit_note_numbers_are_unique_for_customers_only(company):
    assert company.credit_note(CreditNoteNumber="CR-1")["CreditNoteNumber"] == "CR-1"
    note = {"Type": "ACCRECCREDIT", "Contact": {"Name": "Ada"}, "CreditNoteNumber": "cr-1"}
    assert company.refused("PUT", "CreditNotes", note) == ["Credit Note # must be unique."]
    company.put("CreditNotes", {**note, "Type": "ACCPAYCREDIT"})
    company.put("CreditNotes", {**note, "Type": "ACCPAYCREDIT"})


# --- statuses --------------------------------------------------------------------------------------------


def status(company: Any, path: str, record: dict[str, Any], wanted: str) -> list[str]:
    """The messages of a refusal, none if the write worked."""
    key = next(name for name in ("InvoiceID", "CreditNoteID", "ManualJournalID") if name in record)
    (done,) = company.each("POST", path, {key: record[key], "Status": wanted})
    return [one["Message"] for one in done.get("ValidationErrors", ())]


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        (["SUBMITTED", "DRAFT", "AUTHORISED", "VOIDED"], "AUTHORISED"),
        (["DELETED"], "DRAFT"),
        (["SUBMITTED", "DELETED"], "AUTHORISED"),
        (["AUTHORISED"], "DELETED"),
        (["AUTHORISED"], "DRAFT"),
        ([], "PAID"),
        ([], "VOIDED"),
        (["AUTHORISED", "VOIDED"], "VOIDED"),
    ],
)
def test_an_invoice_allows_only_certain_changes_of_status(company, steps, refused):
    made = company.invoice(Status="DRAFT")
    for step in steps:
        assert status(company, "Invoices", made, step) == []
        assert company.get("Invoices", made["InvoiceID"])["Status"] == step
    assert status(company, "Invoices", made, refused) == [NOT_VALID]


@pytest.mark.parametrize("wanted", ["PAID", "VOIDED", "DELETED", "NONSENSE"])
def test_an_invoice_cannot_be_created_as_voided_or_deleted(company, wanted):
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "Status": wanted}
    assert company.refused("PUT", "Invoices", body) == ["Invoice not of valid status for creation"]


def test_voiding_reverses_the_journal_and_its_answer_still_shows_the_old_amount_due(company, xero):
    made = company.invoice(115)
    xero.admin.advance(60)
    voided = company.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"})
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", 115.0)
    assert voided["UpdatedDateUTC"] != made["UpdatedDateUTC"]
    now = company.get("Invoices", made["InvoiceID"])
    assert (now["Status"], now["AmountDue"], now["Total"]) == ("VOIDED", 0.0, 115.0)
    assert len(journals(company, made["InvoiceID"])) == 2
    assert net(company, made["InvoiceID"]) == {}
    assert "Balances" not in company.get("Contacts", made["Contact"]["ContactID"])


def test_an_edit_of_an_approved_invoice_reverses_its_journal_and_posts_it_again(company):
    made = company.invoice(115)
    company.post("Invoices", {"InvoiceID": made["InvoiceID"], "Url": "https://a.nz"})
    assert len(journals(company, made["InvoiceID"])) == 1
    line = {"LineItemID": made["LineItems"][0]["LineItemID"], "UnitAmount": 230}
    done = company.post("Invoices", {"InvoiceID": made["InvoiceID"], "LineItems": [line]})
    assert (done["Total"], done["AmountDue"], done["LineItems"][0]["Description"]) == (230.0, 230.0, "Work")
    assert len(journals(company, made["InvoiceID"])) == 3
    assert net(company, made["InvoiceID"]) == {"610": 230.0, "200": -200.0, "820": -30.0}


def test_a_part_paid_invoice_allows_few_changes_some_without_a_new_stamp(company, xero):
    made = company.invoice(100)
    paid = company.pay(made, 40)
    stamp = company.get("Invoices", made["InvoiceID"])["UpdatedDateUTC"]
    assert stamp == paid["UpdatedDateUTC"]
    xero.admin.advance(60)
    change = {"InvoiceID": made["InvoiceID"], "DueDate": "2027-01-31"}
    assert company.post("Invoices", change)["UpdatedDateUTC"] == stamp
    assert company.get("Invoices", made["InvoiceID"])["DueDateString"] == "2027-01-31T00:00:00"
    assert company.post("Invoices", {**change, "Reference": "new"})["UpdatedDateUTC"] != stamp
    lines = [{"Description": "x", "UnitAmount": 50, "AccountCode": "200"}]
    same = [{"LineItemID": made["LineItems"][0]["LineItemID"]}]
    for sent in (lines, same):
        assert company.refused("POST", "Invoices", {**change, "LineItems": sent}) == [NOT_VALID, SETTLED]
    words = company.refused("POST", "Invoices", {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"})
    assert words[0].startswith("The status VOIDED cannot be applied to the invoice because it has payments")


def test_dates_up_to_a_lock_date_are_refused(company, xero):
    tenant = xero.admin.organisations()[0]["tenant_id"]
    early = company.invoice(Date="2026-03-31")
    draft = company.invoice(Date="2026-03-31", Status="DRAFT")
    xero.admin.edit("Organisation", tenant, PeriodLockDate="2026-03-31")
    words = ["The document date cannot be before the period lock date, currently set at 31-Mar-2026"]
    for element in (
        {"InvoiceID": early["InvoiceID"], "Status": "VOIDED"},
        {"InvoiceID": early["InvoiceID"], "Date": "2026-11-20"},
        {"InvoiceID": draft["InvoiceID"], "Status": "AUTHORISED"},
    ):
        assert company.refused("POST", "Invoices", element) == words
    company.post("Invoices", {"InvoiceID": draft["InvoiceID"], "Date": "2026-04-01", "Status": "AUTHORISED"})
    lines = [{"AccountCode": code, "LineAmount": one} for code, one in (("400", 5), ("404", -5))]
    body = {"Narration": "x", "JournalLines": lines, "Date": "2026-03-01", "Status": "POSTED"}
    assert company.refused("PUT", "ManualJournals", body) == words


# --- lines in updates ------------------------------------------------------------------------------------


def two_lines(company: Any, **more: Any) -> dict[str, Any]:
    line = {"Quantity": 1, "AccountCode": "200"}
    lines = [{**line, "Description": "A", "UnitAmount": 10}, {**line, "Description": "B", "UnitAmount": 20}]
    return company.invoice(Status="DRAFT", LineItems=lines, LineAmountTypes="NoTax", **more)


def test_an_update_without_line_items_keeps_all_lines(company):
    made = two_lines(company)
    done = company.post("Invoices", {"InvoiceID": made["InvoiceID"], "Reference": "x"})
    assert done["LineItems"] == made["LineItems"]


def test_lines_with_ids_stay_others_are_deleted_and_new_ones_come_first(company):
    made = two_lines(company)
    first, second = made["LineItems"]
    lines = [
        {"LineItemID": second["LineItemID"], "Quantity": 3},
        {"Description": "C", "UnitAmount": 1, "AccountCode": "200"},
    ]
    done = company.post("Invoices", {"InvoiceID": made["InvoiceID"], "LineItems": lines})
    assert [(line["Description"], line["LineAmount"]) for line in done["LineItems"]] == [
        ("C", 1.0),
        ("B", 60.0),
    ]
    assert done["LineItems"][1]["LineItemID"] == second["LineItemID"]
    assert first["LineItemID"] not in {line["LineItemID"] for line in done["LineItems"]}
    assert done["Total"] == 61.0


@pytest.mark.parametrize("path", ["Invoices", "PurchaseOrders", "Quotes"])
def test_the_same_lines_without_ids_get_new_ids(company, path):
    company.put("Contacts", {"Name": "Ada"})
    line = {"Description": "A", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    body = {"Contact": {"Name": "Ada"}, "Date": "2026-11-20", "LineItems": [line]}
    if path == "Invoices":
        body["Type"] = "ACCREC"
    key = {"Invoices": "InvoiceID", "PurchaseOrders": "PurchaseOrderID", "Quotes": "QuoteID"}[path]
    made = company.put(path, body)
    done = company.post(path, {**body, key: made[key]})
    assert done[key] == made[key]
    assert len(done["LineItems"]) == 1
    assert done["LineItems"][0]["LineItemID"] != made["LineItems"][0]["LineItemID"]


# --- currencies ------------------------------------------------------------------------------------------


def test_a_currency_needs_a_subscription_and_gets_the_rate_of_the_day(company):
    words = company.refused(
        "PUT", "Invoices", {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "CurrencyCode": "USD"}
    )
    assert words == ["Organisation is not subscribed to currency USD"]
    company.send("PUT", "Currencies", {"Code": "USD", "Description": "United States Dollar"})
    made = company.invoice(100, CurrencyCode="USD")
    assert 0.4 < made["CurrencyRate"] < 0.8
    own = company.invoice(100, CurrencyCode="USD", CurrencyRate="0.5123456789")
    assert own["CurrencyRate"] == 0.5123456789
    assert (
        sum(line["NetAmount"] for line in journals(company, own["InvoiceID"])[0]["JournalLines"][:1])
        == 195.18
    )


def test_a_rate_far_from_the_market_is_a_warning(company):
    company.send("PUT", "Currencies", {"Code": "USD"})
    odd = company.invoice(100, CurrencyCode="USD", CurrencyRate=60)
    assert odd["StatusAttributeString"] == "WARNING"
    assert "far from the market rate" in odd["Warnings"][0]["Message"]


# --- stock -----------------------------------------------------------------------------------------------


def test_tracked_items_move_stock_and_cost(company):
    details = {
        "PurchaseDetails": {"UnitPrice": 40, "COGSAccountCode": "310"},
        "InventoryAssetAccountCode": "630",
    }
    item = company.put(
        "Items",
        {"Code": "HULL", "Name": "Hull", "SalesDetails": {"UnitPrice": 100, "AccountCode": "200"}, **details},
    )
    assert (item["IsTrackedAsInventory"], item["QuantityOnHand"]) == (True, 0.0)
    line = {"ItemCode": "HULL", "Quantity": 10, "UnitAmount": 40}
    company.invoice(Type="ACCPAY", LineItems=[line], LineAmountTypes="Exclusive")
    sale = company.invoice(LineItems=[{"ItemCode": "HULL", "Quantity": 4}], LineAmountTypes="Exclusive")
    now = company.get("Items", item["ItemID"])
    assert (now["QuantityOnHand"], now["TotalCostPool"]) == (6.0, 240.0)
    assert net(company, sale["InvoiceID"])["310"] == 160.0
    many = {"LineItems": [{"ItemCode": "HULL", "Quantity": 7}], "Type": "ACCREC", "Contact": {"Name": "Ada"}}
    many.update(Status="AUTHORISED", DueDate="2026-12-01")
    assert company.refused("PUT", "Invoices", many) == [
        "The quantity of item 'HULL' on hand is not enough for this document"
    ]
    company.post("Invoices", {"InvoiceID": sale["InvoiceID"], "Status": "VOIDED"})
    now = company.get("Items", item["ItemID"])
    assert (now["QuantityOnHand"], now["TotalCostPool"]) == (10.0, 400.0)
    assert company.put(
        "Invoices", {**many, "LineItems": [{"ItemCode": "HULL", "Quantity": 12}]}, allowBackorders="true"
    )


# --- tracking --------------------------------------------------------------------------------------------


def test_tracking_is_sent_by_name_or_id_and_answered_in_full(company):
    category = company.put("TrackingCategories", {"Name": "Region"})
    path = f"TrackingCategories/{category['TrackingCategoryID']}/Options"
    option = company.send("PUT", path, {"Name": "North"}).json()["Options"][0]
    ids = {
        "TrackingCategoryID": category["TrackingCategoryID"],
        "TrackingOptionID": option["TrackingOptionID"],
    }
    line = {"Description": "x", "UnitAmount": 1, "AccountCode": "200"}
    for way in ({"Name": "region", "Option": "NORTH"}, ids):
        made = company.invoice(LineItems=[{**line, "Tracking": [way]}])
        found = company.get("Invoices", made["InvoiceID"])["LineItems"][0]["Tracking"][0]
        assert {name: found[name] for name in ("Name", "Option", *ids)} == {
            "Name": "Region",
            "Option": "North",
            **ids,
        }
    company.send("POST", f"{path}/{option['TrackingOptionID']}", {"Status": "ARCHIVED"})
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineItems": [{**line, "Tracking": [ids]}]}
    assert company.refused("PUT", "Invoices", body) == ["The tracking option 'North' has been archived"]


# --- purchase orders -------------------------------------------------------------------------------------


@pytest.fixture
def order(company):
    company.put("Contacts", {"Name": "Steel"})

    def make(**more: Any) -> dict[str, Any]:
        line = {"Description": "steel", "Quantity": 1, "UnitAmount": "100.1234", "AccountCode": "400"}
        return {"Contact": {"Name": "Steel"}, "LineItems": [line], **more}

    return make


def test_an_order_keeps_four_decimals_and_shows_its_contact_in_local_time(company, order):
    made = company.put("PurchaseOrders", order())
    assert made["PurchaseOrderNumber"] == "PO-0001"
    assert made["LineItems"][0]["UnitAmount"] == 100.1234
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (100.12, 15.02, 115.14)
    assert (made["Type"], made["Status"], made["TotalDiscount"]) == ("PURCHASEORDER", "DRAFT", 0.0)
    contact = company.get("Contacts", made["Contact"]["ContactID"])

    def ms(text: str) -> int:
        return int(text[6:19])

    assert ms(made["Contact"]["UpdatedDateUTC"]) - ms(contact["UpdatedDateUTC"]) == 13 * 3_600_000
    assert contact["IsSupplier"] is False


def test_an_orders_contact_must_exist(company, order):
    words = company.refused("PUT", "PurchaseOrders", order(Contact={"Name": "Nobody"}))
    assert words == ["The contact with the specified contact details could not be found."]
    assert company.refused("PUT", "PurchaseOrders", order(LineItems=[])) == [
        "One or more line items must be specified"
    ]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_create_with_a_live_orders_number_silently_updates_that_order(company, order, method):
    made = company.put("PurchaseOrders", order(PurchaseOrderNumber="PO-7"))
    (again,) = company.each(method, "PurchaseOrders", order(PurchaseOrderNumber="po-7", Reference="other"))
    assert again["StatusAttributeString"] == "OK"
    assert (again["PurchaseOrderID"], again["Reference"]) == (made["PurchaseOrderID"], "other")
    assert company.count("PurchaseOrders") == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_the_number_of_a_deleted_order_is_refused_with_a_zero_id(company, order, method):
    made = company.put("PurchaseOrders", order(PurchaseOrderNumber="PO-7"))
    company.post("PurchaseOrders", {"PurchaseOrderID": made["PurchaseOrderID"], "Status": "DELETED"})
    words = ["PurchaseOrder status change is invalid", "Deleted PurchaseOrders cannot be updated"]
    (failed,) = company.each(method, "PurchaseOrders", order(PurchaseOrderNumber="PO-7", Status="SUBMITTED"))
    assert failed["PurchaseOrderID"] == ZERO_ID
    assert [one["Message"] for one in failed["ValidationErrors"]] == words
    assert (failed["Status"], failed["Total"]) == ("SUBMITTED", 115.14)
    assert "LineItemID" not in failed["LineItems"][0]
    update = {"PurchaseOrderID": made["PurchaseOrderID"], "Reference": "x"}
    assert company.refused("POST", "PurchaseOrders", update) == words


def test_renaming_an_order_while_deleting_it_frees_its_number(company, order):
    made = company.put("PurchaseOrders", order(PurchaseOrderNumber="PO-7"))
    gone = {
        "PurchaseOrderID": made["PurchaseOrderID"],
        "PurchaseOrderNumber": "PO-7-old",
        "Status": "DELETED",
    }
    assert company.post("PurchaseOrders", gone)["PurchaseOrderNumber"] == "PO-7-old"
    again = company.put("PurchaseOrders", order(PurchaseOrderNumber="PO-7"))
    assert again["PurchaseOrderID"] != made["PurchaseOrderID"]


def test_the_status_of_orders_only_advances_and_even_billed_ones_can_be_deleted(company, order):
    bare = [{"Description": "no account", "Quantity": 1, "UnitAmount": 5}]
    made = company.put("PurchaseOrders", order(LineItems=bare))
    key = {"PurchaseOrderID": made["PurchaseOrderID"]}
    for step in ("SUBMITTED", "AUTHORISED", "BILLED"):
        assert company.post("PurchaseOrders", {**key, "Status": step})["Status"] == step
    assert company.refused("POST", "PurchaseOrders", {**key, "Status": "DRAFT"}) == [
        "PurchaseOrder status change is invalid"
    ]
    assert company.post("PurchaseOrders", {**key, "Status": "DELETED"})["Status"] == "DELETED"
    assert company.count("Journals") == 0


def test_an_order_cannot_take_the_number_of_another_one(company, order):
    company.put("PurchaseOrders", order(PurchaseOrderNumber="PO-7"))
    made = company.put("PurchaseOrders", order(PurchaseOrderNumber="PO-8"))
    rename = {"PurchaseOrderID": made["PurchaseOrderID"], "PurchaseOrderNumber": "PO-7"}
    assert company.refused("POST", "PurchaseOrders", rename) == ["Order number must be unique"]


def test_marking_a_draft_order_as_sent_gives_a_warning(company, order):
    made = company.put("PurchaseOrders", order(SentToContact=True))
    assert made["StatusAttributeString"] == "WARNING"
    assert made["Warnings"] == [
        {"Message": "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."}
    ]
    assert made["SentToContact"] is False


# --- quotes ----------------------------------------------------------------------------------------------


@pytest.fixture
def quote(company):
    line = {"Description": "Job", "Quantity": 1, "UnitAmount": "703.0222", "AccountCode": "200"}
    return {"Contact": {"Name": "Ada"}, "Date": "2026-11-20", "LineItems": [line], "Terms": "Half now"}


def test_a_line_of_a_quote_without_tax_type_gets_no_tax_and_answers_have_their_own_form(company, quote):
    response = company.send("PUT", "Quotes", {"Quotes": [quote]}, summarizeErrors="false")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["SummarizeErrors"] is False
    made = response.json()["Quotes"][0]
    assert (made["QuoteNumber"], made["LineAmountTypes"], made["Terms"]) == (
        "QU-0001",
        "EXCLUSIVE",
        "Half now",
    )
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (703.02, 0.0, 703.02)
    assert "TaxType" not in made["LineItems"][0]
    assert (made["LineItems"][0]["UnitAmount"], made["LineItems"][0]["ItemCode"]) == (703.0222, "")
    assert "HasErrors" not in made
    assert made["UpdatedDateUTC"].endswith(")/")
    assert "+" not in made["UpdatedDateUTC"]
    taxed = {**quote["LineItems"][0], "TaxType": "OUTPUT2"}
    assert company.put("Quotes", {**quote, "LineItems": [taxed]})["TotalTax"] == 105.45


def test_an_update_without_its_number_renumbers_a_quote_and_without_terms_empties_them(company, quote):
    made = company.put("Quotes", quote)
    update = {name: quote[name] for name in ("Contact", "Date")}
    update["QuoteID"] = made["QuoteID"]
    done = company.post("Quotes", {**update, "Status": "SENT"})
    assert (done["QuoteID"], done["QuoteNumber"], done["Terms"]) == (made["QuoteID"], "QU-0002", "")
    kept = company.post("Quotes", {**update, "QuoteNumber": "QU-0002", "Terms": "New", "Status": "ACCEPTED"})
    assert (kept["QuoteNumber"], kept["Terms"], kept["Status"]) == ("QU-0002", "New", "ACCEPTED")
    assert kept["LineItems"][0]["LineItemID"] == made["LineItems"][0]["LineItemID"]


def test_an_update_of_a_quote_needs_contact_and_date(company, quote):
    made = company.put("Quotes", quote)
    words = company.refused("POST", "Quotes", {"QuoteID": made["QuoteID"], "Title": "x"})
    assert words == ["Contact must be specified", "Date must be specified"]


def test_a_post_with_a_live_quotes_number_updates_it_and_a_put_is_refused(company, quote):
    made = company.put("Quotes", {**quote, "QuoteNumber": "Q-1"})
    assert company.refused("PUT", "Quotes", {**quote, "QuoteNumber": "q-1"}) == [
        "Quote number must be unique"
    ]
    again = company.post("Quotes", {**quote, "QuoteNumber": "q-1", "Title": "T"})
    assert (again["QuoteID"], again["Title"]) == (made["QuoteID"], "T")
    company.post("Quotes", {**quote, "QuoteNumber": "Q-1", "Status": "DELETED"})
    other = company.put("Quotes", {**quote, "QuoteNumber": "Q-1"})
    assert other["QuoteID"] != made["QuoteID"]


def test_a_deleted_quote_stays_deleted(company, quote):
    made = company.put("Quotes", {**quote, "Status": "ACCEPTED"})
    gone = {**quote, "QuoteID": made["QuoteID"], "Status": "DELETED"}
    company.post("Quotes", gone)
    assert company.refused("POST", "Quotes", {**gone, "Status": "DRAFT"}) == [
        "Quote status change is invalid"
    ]


# --- repeating invoices ----------------------------------------------------------------------------------


REPEATING = {
    "Type": "ACCREC",
    "Contact": {"Name": "Ada"},
    "Status": "DRAFT",
    "Schedule": {
        "Period": 1,
        "Unit": "MONTHLY",
        "DueDate": 20,
        "DueDateType": "OFFOLLOWINGMONTH",
        "StartDate": "2026-12-01",
    },
    "LineItems": [{"Description": "Rent", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}],
}


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_repeating_invoice_can_be_created_and_deleted_only(company, method):
    (made,) = company.each(method, "RepeatingInvoices", REPEATING)
    assert (made["Total"], made["Schedule"]["DueDate"]) == (115.0, 20)
    assert made["Schedule"]["NextScheduledDate"] == made["Schedule"]["StartDate"]
    key = {"RepeatingInvoiceID": made["RepeatingInvoiceID"]}
    assert company.refused("POST", "RepeatingInvoices", {**key, "Reference": "x"})
    assert company.post("RepeatingInvoices", {**key, "Status": "DELETED"})["Status"] == "DELETED"
    assert company.refused("POST", "RepeatingInvoices", {**key, "Status": "DELETED"})


def test_a_repeating_invoice_needs_a_schedule_a_status_and_lines(company):
    words = company.refused("PUT", "RepeatingInvoices", {"Type": "ACCREC", "Contact": {"Name": "Ada"}})
    assert "One or more line items must be specified" in words
    assert "Schedule.Period must be specified" in words
    assert any(word.startswith("Status") for word in words)


# --- manual journals -------------------------------------------------------------------------------------


def lines(*amounts: tuple[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"AccountCode": code, "LineAmount": amount, **more} for code, amount in amounts]


def test_a_posted_manual_journal_is_in_the_ledger_and_a_draft_is_not(company):
    body = {"Narration": "Wages", "JournalLines": lines(("477", 100), ("803", -60), ("825", -40))}
    draft = company.put("ManualJournals", body)
    assert (draft["Status"], draft["LineAmountTypes"]) == ("DRAFT", "NoTax")
    assert (draft["ShowOnCashBasisReports"], draft["JournalLines"][0]["TaxType"]) == (True, "NONE")
    assert journals(company, draft["ManualJournalID"]) == []
    company.post("ManualJournals", {"ManualJournalID": draft["ManualJournalID"], "Status": "POSTED"})
    assert net(company, draft["ManualJournalID"]) == {"477": 100.0, "803": -60.0, "825": -40.0}


def test_tax_counts_when_a_journal_is_balanced(company):
    more = {"LineAmountTypes": "Exclusive", "Narration": "x", "Status": "POSTED"}
    body = {**more, "JournalLines": lines(("400", 100)) + lines(("404", -115), TaxType="NONE")}
    made = company.put("ManualJournals", body)
    assert net(company, made["ManualJournalID"]) == {"400": 100.0, "404": -115.0, "820": 15.0}
    odd = {**more, "JournalLines": lines(("400", 100)) + lines(("404", -100), TaxType="NONE")}
    assert company.refused("PUT", "ManualJournals", odd) == [
        "The total debits (115.00) must equal total credits (-100.00)"
    ]


@pytest.mark.parametrize("code", ["610", "800", "960", "630", "090"])
def test_control_bank_stock_and_retained_earnings_accounts_accept_no_manual_journal(company, code):
    body = {"Narration": "x", "JournalLines": lines((code, 10), ("404", -10))}
    assert company.refused("PUT", "ManualJournals", body) == [
        f"Account code '{code}' is not a valid code for this document."
    ]


def test_a_manual_journal_needs_a_narration_two_lines_and_equal_sides(company):
    good = lines(("400", 10), ("404", -10))
    assert company.refused("PUT", "ManualJournals", {"JournalLines": good}) == ["Narration must be specified"]
    assert company.refused("PUT", "ManualJournals", {"Narration": "x"})
    assert company.refused(
        "PUT", "ManualJournals", {"Narration": "x", "JournalLines": lines(("400", 10), ("404", -9))}
    ) == ["The total debits (10.00) must equal total credits (-9.00)"]


def test_a_line_with_an_unknown_account_is_removed_with_a_warning(company):
    three = lines(("400", 10), ("404", -10), ("476x", 5))
    made = company.put("ManualJournals", {"Narration": "x", "JournalLines": three})
    assert made["StatusAttributeString"] == "WARNING"
    assert made["Warnings"] == [
        {"Message": "Account code '476x' has been removed as it does not match a recognised account."}
    ]
    assert len(made["JournalLines"]) == 2
    (failed,) = company.each("PUT", "ManualJournals", {"Narration": "x", "JournalLines": three[1:]})
    assert failed["StatusAttributeString"] == "ERROR"
    assert failed["Warnings"]


def test_journal_lines_are_replaced_as_a_set_and_a_posted_journal_is_reversed_first(company):
    body = {"Narration": "x", "Status": "POSTED", "JournalLines": lines(("400", 10), ("404", -10))}
    made = company.put("ManualJournals", body)
    key = {"ManualJournalID": made["ManualJournalID"]}
    company.post("ManualJournals", {**key, "JournalLines": lines(("400", 7), ("408", -7))})
    assert net(company, made["ManualJournalID"]) == {"400": 7.0, "408": -7.0}
    assert len(journals(company, made["ManualJournalID"])) == 3


@pytest.mark.parametrize(
    ("begin", "end", "refused"), [("DRAFT", "DELETED", "VOIDED"), ("POSTED", "VOIDED", "DELETED")]
)
def test_a_draft_journal_is_deleted_and_a_posted_one_voided(company, begin, end, refused):
    body = {"Narration": "x", "Status": begin, "JournalLines": lines(("400", 10), ("404", -10))}
    made = company.put("ManualJournals", body)
    words = ["Manual Journal not of valid status for modification"]
    assert status(company, "ManualJournals", made, refused) == words
    assert status(company, "ManualJournals", made, end) == []
    assert status(company, "ManualJournals", made, begin) == words
    assert net(company, made["ManualJournalID"]) == {}


def test_unknown_ids_in_documents_are_a_404(company):
    for path, key in (
        ("CreditNotes", "CreditNoteID"),
        ("Quotes", "QuoteID"),
        ("ManualJournals", "ManualJournalID"),
    ):
        assert company.send("POST", path, [{key: str(uuid4())}], summarizeErrors="false").status_code == 404
