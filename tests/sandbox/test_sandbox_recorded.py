"""The fields of lists, single reads and writes, as in recordings of Xero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Caller, client_credentials

from xero_sandbox import Sandbox, apps

EMPTY_INVOICE = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "IsDiscounted": False,
    "InvoiceAddresses": [],
    "HasErrors": False,
    "InvoicePaymentServices": [],
    "LineItems": [],
}
EMPTY_CONTACT = {
    "Addresses": [],
    "Phones": [],
    "ContactGroups": [],
    "ContactPersons": [],
    "HasValidationErrors": False,
}


def only(caller, path, **params):
    """The only record of an answer."""
    (record,) = caller.get(path, **params)[path.partition("/")[0]]
    return record


# --- payments ---


@pytest.fixture
def paid(company):
    """A sales invoice with a tracked line, paid in part through the API."""
    invoice = company.invoice(
        LineItems=[{"Description": "Hire", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}]
    )
    payment = company.pay(invoice, 40)
    return invoice, payment


def test_a_listed_payment_has_an_invoice_of_empty_parts(paid, api):
    invoice, _ = paid
    listed = only(api, "Payments", page=1)["Invoice"]
    assert EMPTY_INVOICE.items() <= listed.items()
    assert listed["Contact"] == {
        "ContactID": invoice["Contact"]["ContactID"],
        "Name": invoice["Contact"]["Name"],
        **EMPTY_CONTACT,
    }
    assert set(listed) == {"Type", "InvoiceID", "InvoiceNumber", "Contact", "CurrencyCode", *EMPTY_INVOICE}


def test_a_single_payment_has_the_whole_invoice_and_the_name_of_the_account(paid, api):
    invoice, payment = paid
    single = only(api, f"Payments/{payment['PaymentID']}")
    assert single["Account"]["Name"] == "Bank 090"
    whole = single["Invoice"]
    assert (whole["Total"], whole["AmountDue"], whole["AmountPaid"]) == (
        invoice["Total"],
        invoice["Total"] - 40,
        40,
    )
    assert whole["DueDateString"] == invoice["DueDateString"]
    assert [one["PaymentID"] for one in whole["Payments"]] == [payment["PaymentID"]]
    assert whole["LineItems"][0]["Description"] == "Hire"
    assert whole["LineItems"][0]["ValidationErrors"] == []
    assert whole["Contact"] == {
        **{name: invoice["Contact"][name] for name in ("ContactID", "Name")},
        **{name: EMPTY_CONTACT[name] for name in ("ContactPersons", "HasValidationErrors")},
    }
    assert not {"CreditNotes", "AmountCredited", "HasAttachments", "Attachments", "InvoiceAddresses"} & set(
        whole
    )
    assert payment["Invoice"].keys() == whole.keys()  # the answer to the write shows the same


def test_a_payment_of_a_batch_shows_the_batch_with_its_day_as_text_and_without_currency(company, api):
    bills = [company.invoice(Type="ACCPAY", InvoiceNumber=number) for number in ("B1", "B2")]
    payments = [{"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": 115} for bill in bills]
    company.put("BatchPayments", {"Account": {"Code": "090"}, "Date": "2026-11-20", "Payments": payments})
    for payment in api.get("Payments", page=1)["Payments"]:
        batch = payment["BatchPayment"]
        assert batch["DateString"] == "2026-11-20T00:00:00"
        assert set(batch["Account"]) == {"AccountID"}


# --- credits ---

RECEIVED = {
    "Contact": {"Name": "Ada"},
    "BankAccount": {"Code": "090"},
    "Reference": "On account",
    "LineItems": [{"Description": "Deposit", "Quantity": 1, "UnitAmount": 50}],
}


def test_overpayments_have_no_id_beside_their_key_and_prepayments_an_invoice_number(company, api):
    for kind in ("OVERPAYMENT", "PREPAYMENT"):
        company.put("BankTransactions", {**RECEIVED, "Type": f"RECEIVE-{kind}"})
    overpayment, prepayment = only(api, "Overpayments", page=1), only(api, "Prepayments", page=1)
    assert "ID" not in overpayment
    assert "InvoiceNumber" not in overpayment
    assert (prepayment["ID"], prepayment["InvoiceNumber"]) == (prepayment["PrepaymentID"], "On account")


def test_allocations_show_an_invoice_of_empty_parts_and_the_invoice_its_credit_with_empty_lines(company, api):
    invoice = company.invoice()
    note = company.credit_note()
    named = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 10, "Date": "2026-11-20"}
    company.send("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", {"Allocations": [named]})
    (allocation,) = only(api, "CreditNotes", page=1)["Allocations"]
    number = {name: invoice[name] for name in ("InvoiceID", "InvoiceNumber")}
    assert allocation["Invoice"] == {**number, **EMPTY_INVOICE}
    assert "IsDeleted" not in allocation
    for path in ("Invoices", f"Invoices/{invoice['InvoiceID']}"):
        (credit,) = only(api, path)["CreditNotes"]
        assert (credit["LineItems"], credit["HasErrors"], credit["InvoiceAddresses"]) == ([], False, [])


# --- documents ---


def test_invoices_list_their_payment_services(books, invoices):
    caller = books(Invoices=invoices(1))
    for params in ({}, {"page": 1}):
        assert only(caller, "Invoices", **params)["InvoicePaymentServices"] == []
    assert only(caller, "Invoices/INV-1")["InvoicePaymentServices"] == []


def test_lines_in_single_reads_show_how_their_discount_was_entered_in_xero(books, invoices):
    lines = [
        {"LineItemID": "a", "UnitAmount": 5, "DiscountAmount": 1},
        {"LineItemID": "b", "UnitAmount": 5},
        {"LineItemID": "c", "Description": "words only"},
    ]
    caller = books(Invoices=invoices(1, LineItems=lines))
    shown = only(caller, "Invoices/INV-1")["LineItems"]
    assert [line.get("DiscountEnteredAsPercent") for line in shown] == [False, True, None]
    assert all(line["ValidationErrors"] == [] for line in shown)
    assert all("ValidationErrors" not in line for line in only(caller, "Invoices", page=1)["LineItems"])


ORDERED = {
    "LineItemID": "x",
    "UnitAmount": 5,
    "AccountCode": "200",
    "AccountID": "account",
    "ItemCode": "KAYAK",
    "Item": {"ItemID": "item", "Code": "KAYAK", "Name": "Kayak"},
}


def test_orders_and_quotes_in_lists_have_lines_without_account_id_and_item(books):
    caller = books(PurchaseOrders=[{"LineItems": [ORDERED]}], Quotes=[{"LineItems": [ORDERED]}])
    for path in ("PurchaseOrders", "Quotes"):
        (line,) = only(caller, path)["LineItems"]
        assert not {"AccountID", "Item"} & set(line), path


def test_a_single_purchase_order_has_item_ids_and_its_contact_in_full(books):
    person = {
        "ContactID": "11111111-0000-4000-8000-000000000000",
        "Name": "Ada",
        "IsSupplier": True,
        "Phones": [{"PhoneType": "DDI"}, {"PhoneType": "MOBILE", "PhoneNumber": "1"}],
        "Addresses": [{"AddressType": "STREET"}],
    }
    caller = books(
        PurchaseOrders=[
            {
                "PurchaseOrderNumber": "PO-1",
                "Contact": {"ContactID": person["ContactID"]},
                "LineItems": [ORDERED],
            }
        ],
        Contacts=[person],
    )
    order = only(caller, "PurchaseOrders/PO-1")
    assert (order["LineItems"][0]["ItemID"], order["LineItems"][0]["AccountID"]) == ("item", "account")
    assert "Item" not in order["LineItems"][0]
    assert order["Contact"]["IsSupplier"] is True
    assert order["Contact"]["Phones"] == [{"PhoneType": "MOBILE", "PhoneNumber": "1"}]
    assert order["Contact"]["Addresses"] == []
    assert "IsSupplier" not in only(caller, "PurchaseOrders")["Contact"]


def test_items_show_up_to_four_decimals_of_a_price_by_default(books):
    prices = (1, 1.5, 1.234, 1.2345, 1.23456)
    caller = books(
        Items=[{"Code": f"A{n}", "SalesDetails": {"UnitPrice": price}} for n, price in enumerate(prices)]
    )
    text = caller.call("Items").text
    for price in ("1.00", "1.50", "1.234", "1.2345", "1.2346"):
        assert f'"UnitPrice":{price}}}' in text, price
    assert '"UnitPrice":1.5000}' in caller.call("Items?unitdp=4").text


def test_attachments_have_include_online_only_if_it_is_true(company, api):
    invoice = company.invoice()
    path = f"Invoices/{invoice['InvoiceID']}/Attachments"
    for name, online in (("a.txt", "false"), ("b.txt", "true")):
        assert (
            api.call(f"{path}/{name}", "PUT", params={"IncludeOnline": online}, data=b"x").status_code == 200
        )
    listed = {one["FileName"]: one.get("IncludeOnline") for one in api.get(path)["Attachments"]}
    assert listed == {"a.txt": None, "b.txt": True}


def test_deleted_manual_journals_are_in_the_default_list(books):
    caller = books(
        ManualJournals=[{"Narration": one, "Status": one} for one in ("POSTED", "DELETED", "VOIDED")]
    )
    listed = caller.get("ManualJournals", page=1)["ManualJournals"]
    assert {one["Status"] for one in listed} == {"POSTED", "DELETED", "VOIDED"}


def test_bank_transactions_in_base_currency_have_a_rate_only_if_an_app_created_them(company, demo_api):
    lines = [{**RECEIVED["LineItems"][0], "AccountCode": "200"}]
    made = company.put("BankTransactions", {**RECEIVED, "Type": "RECEIVE", "LineItems": lines})
    assert made["CurrencyRate"] == 1
    listed = demo_api.get("BankTransactions", page=1, pageSize=1000)["BankTransactions"]
    base = [one for one in listed if one["CurrencyCode"] == "NZD"]
    assert base
    assert not [one for one in base if "CurrencyRate" in one]
    assert all("CurrencyRate" in one for one in listed if one["CurrencyCode"] != "NZD")


def test_the_groups_of_a_contact_have_an_empty_list_of_members(demo_api):
    contacts = demo_api.get("Contacts", page=1, pageSize=1000)["Contacts"]
    groups = [group for one in contacts for group in one["ContactGroups"]]
    assert groups
    assert all(group["Contacts"] == [] for group in groups)


# --- the demo company ---


@pytest.fixture(scope="module")
def demo_api() -> Iterator[Any]:
    with Sandbox(limits=False) as running:
        caller = Caller(running.url, client_credentials(running.url)["access_token"])
        yield caller
        caller.session.close()


def test_contacts_of_the_demo_have_no_empty_fields(demo_api):
    contacts = demo_api.get("Contacts", page=1, pageSize=1000)["Contacts"]
    assert 0 < sum("FirstName" in one for one in contacts) < len(contacts)
    assert all(one.get("FirstName") != "" for one in contacts)
    slots = [slot for one in contacts for slot in (*one["Phones"], *one["Addresses"])]
    bare = [slot for slot in slots if set(slot) <= {"PhoneType", "AddressType"}]
    assert 0 < len(bare) < len(slots)
    lines = {"AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4"}
    assert all(lines <= set(slot) for slot in slots if "AddressLine1" in slot)


def test_drafts_and_some_bills_of_the_demo_have_no_due_date(demo_api):
    invoices = demo_api.get("Invoices", page=1, pageSize=1000, Statuses="DRAFT,SUBMITTED,VOIDED,DELETED")[
        "Invoices"
    ]
    without = {(one["Type"], one["Status"]) for one in invoices if "DueDate" not in one}
    assert {("ACCREC", "DRAFT"), ("ACCPAY", "VOIDED")} <= without
    approved = demo_api.get("Invoices", summaryOnly="true", pageSize=1000, Statuses="AUTHORISED,PAID")[
        "Invoices"
    ]
    assert all("DueDate" in one for one in approved if one["Type"] == "ACCREC")


# --- refusals ---


def test_malformed_ids_are_refused_in_plain_text_in_any_format(books, invoices):
    response = books(Invoices=invoices(1)).call("Invoices", params={"IDs": "test"})
    assert response.status_code == 400
    assert response.text == "Supplied parameter 'Ids' cannot be parsed - must be of type UUID."


def test_journals_are_refused_to_an_app_below_the_advanced_tier_whatever_its_scopes(xero, api):
    assert api.call("Journals").status_code == 200
    custom = apps.CUSTOM_CONNECTION
    xero.admin.add_app(
        client_id=custom.client_id, client_secret=custom.client_secret, kind=custom.kind, tier="core"
    )
    refused = api.call("Journals")
    assert refused.status_code == 401
    assert refused.json()["Detail"] == "AuthorizationUnsuccessful"
    assert "WWW-Authenticate" not in refused.headers
    assert api.call("ManualJournals").status_code == 200


def test_the_concurrent_limit_is_named_in_lower_case(xero, api):
    xero.admin.limits(concurrent=0)
    response = api.call("Accounts")
    assert (response.status_code, response.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")


# --- reports and budgets ---


@pytest.mark.parametrize(
    "name",
    ["ProfitAndLoss", "BalanceSheet", "TrialBalance", "BankSummary", "BudgetSummary", "ExecutiveSummary"],
)
def test_every_report_has_an_empty_list_of_fields_and_its_id(api, name):
    (report,) = api.get(f"Reports/{name}")["Reports"]
    assert (report["ReportID"], report["Fields"]) == (name, [])


def test_a_single_budget_is_a_list_of_one_with_dates_in_xeros_form(books):
    budget = {"Type": "OVERALL", "Tracking": [], "UpdatedDateUTC": "2026-08-10T12:00:00Z", "BudgetLines": []}
    caller = books(Budgets=[budget])
    listed = only(caller, "Budgets")
    assert (listed["BudgetLines"], listed["Tracking"]) == ([], [])
    single = only(caller, f"Budgets/{listed['BudgetID']}")
    assert single["UpdatedDateUTC"] == listed["UpdatedDateUTC"] == "/Date(1786363200000+0000)/"
