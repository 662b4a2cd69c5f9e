"""Bank transactions and transfers, payments and their batches, allocations of credits."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

ONLY_STATUS = "Only Status accepted for updates."
SETTLED = "This document cannot be edited as it has a payment or credit note allocated to it."
RECONCILED = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."


def bank_balance(company: Any, code: str = "090") -> float:
    lines = (line for journal in company.admin.records("Journals") for line in journal["JournalLines"])
    return round(sum(line["NetAmount"] for line in lines if line["AccountCode"] == code), 2)


def spend(company: Any, amount: Any = 115, **more: Any) -> dict[str, Any]:
    """The element for a purchase by card."""
    line = {"Description": "Fuel", "Quantity": 1, "UnitAmount": amount, "AccountCode": "449"}
    body = {"Type": "SPEND", "Contact": {"Name": "Pump"}, "BankAccount": {"Code": "090"}, "LineItems": [line]}
    return {**body, **more}


# --- bank transactions -----------------------------------------------------------------------------------


def test_money_spent_includes_tax_and_moves_the_bank_account(company):
    made = company.put("BankTransactions", spend(company))
    assert (made["LineAmountTypes"], made["SubTotal"], made["TotalTax"], made["Total"]) == (
        "Inclusive",
        100.0,
        15.0,
        115.0,
    )
    assert (made["Status"], made["IsReconciled"], made["CurrencyCode"]) == ("AUTHORISED", False, "NZD")
    assert made["BankAccount"]["Name"] == "Bank 090"
    company.put(
        "BankTransactions",
        spend(
            company, Type="RECEIVE", LineItems=[{"Description": "x", "UnitAmount": 40, "AccountCode": "200"}]
        ),
    )
    assert bank_balance(company) == -75.0


def test_a_bank_transaction_is_changed_in_part_and_deleted_with_its_journal(company):
    made = company.put("BankTransactions", spend(company))
    key = {"BankTransactionID": made["BankTransactionID"]}
    done = company.post("BankTransactions", {**key, "Reference": "REF"})
    assert (done["Reference"], done["LineItems"]) == ("REF", made["LineItems"])
    line = {"LineItemID": made["LineItems"][0]["LineItemID"], "UnitAmount": 23}
    assert company.post("BankTransactions", {**key, "LineItems": [line]})["Total"] == 23.0
    assert bank_balance(company) == -23.0
    assert company.post("BankTransactions", {**key, "Status": "DELETED"})["Status"] == "DELETED"
    assert bank_balance(company) == 0
    assert company.refused("POST", "BankTransactions", {**key, "Reference": "x"}) == [
        "Bank Transaction not of valid status for modification"
    ]


def test_a_reconciled_bank_transaction_refuses_everything(company):
    made = company.put("BankTransactions", spend(company, IsReconciled=True))
    key = {"BankTransactionID": made["BankTransactionID"]}
    for change in ({"Status": "DELETED"}, {"Reference": "x"}):
        assert company.refused("POST", "BankTransactions", {**key, **change}) == [RECONCILED]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"BankAccount": {"Code": "200"}}, "The BankAccount could not be found"),
        ({"BankAccount": None}, "BankAccount must be specified"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"Type": "SPEND-TRANSFER"}, "The Type 'SPEND-TRANSFER' is not valid for this document"),
        (
            {"Contact": None},
            "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID,"
            " ContactNumber",
        ),
        ({"Status": "DELETED"}, "The status 'DELETED' is not valid for bank transactions"),
    ],
)
def test_a_bank_transaction_is_refused_with_the_reason(company, more, words):
    body = spend(company, **more)
    if "Contact" in more:
        body["Contact"] = {}
    assert words in company.refused("PUT", "BankTransactions", body)


@pytest.mark.parametrize(
    ("kind", "path", "key", "invoice"),
    [
        ("RECEIVE-OVERPAYMENT", "Overpayments", "OverpaymentID", "ACCREC"),
        ("SPEND-OVERPAYMENT", "Overpayments", "OverpaymentID", "ACCPAY"),
        ("RECEIVE-PREPAYMENT", "Prepayments", "PrepaymentID", "ACCREC"),
        ("SPEND-PREPAYMENT", "Prepayments", "PrepaymentID", "ACCPAY"),
    ],
)
def test_overpayments_and_prepayments_are_created_allocated_refunded_and_deleted(
    company, kind, path, key, invoice
):
    line = {"Description": "Too much", "Quantity": 1, "UnitAmount": 100}
    made = company.put("BankTransactions", spend(company, Type=kind, LineItems=[line]))
    held = company.get(path, made[key])
    assert (held["RemainingCredit"], held["Status"], held["Type"]) == (100.0, "AUTHORISED", kind)
    bill = company.invoice(80, Type=invoice, Contact={"Name": "Pump"})
    body = {"Amount": 30, "Date": "2026-11-20", "Invoice": {"InvoiceID": bill["InvoiceID"]}}
    done = company.send("PUT", f"{path}/{made[key]}/Allocations", {"Allocations": [body]})
    assert done.status_code == 200, done.text
    allocation = done.json()["Allocations"][0]
    assert (allocation["Amount"], allocation["Invoice"]["InvoiceID"]) == (30.0, bill["InvoiceID"])
    assert company.get("Invoices", bill["InvoiceID"])["AmountDue"] == 50.0
    refund = {path[:-1]: {key: made[key]}, "Account": {"Code": "090"}, "Amount": 70}
    refund = company.put("Payments", refund)
    assert company.get(path, made[key])["Status"] == "PAID"
    assert company.refused(
        "POST", "BankTransactions", {"BankTransactionID": made["BankTransactionID"], "Status": "DELETED"}
    ) == [SETTLED]
    company.send("POST", f"Payments/{refund['PaymentID']}", {"Status": "DELETED"})
    gone = company.send("DELETE", f"{path}/{made[key]}/Allocations/{allocation['AllocationID']}")
    assert gone.json()["IsDeleted"] is True
    assert company.get("Invoices", bill["InvoiceID"])["AmountDue"] == 80.0
    company.post("BankTransactions", {"BankTransactionID": made["BankTransactionID"], "Status": "DELETED"})
    assert company.get(path, made[key])["Status"] == "VOIDED"
    assert bank_balance(company) == 0


# --- bank transfers --------------------------------------------------------------------------------------


@pytest.fixture
def savings(company):
    return company.bank("091")


def move(**more: Any) -> dict[str, Any]:
    return {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 50, **more}


def test_a_transfer_moves_money_and_makes_a_bank_transaction_on_each_side(company, savings):
    made = company.put("BankTransfers", move(Reference="Save"))
    assert (bank_balance(company, "090"), bank_balance(company, "091")) == (-50.0, 50.0)
    side = company.get("BankTransactions", made["ToBankTransactionID"])
    assert (side["Type"], side["Total"], side["Reference"]) == ("RECEIVE-TRANSFER", 50.0, "Save")
    edit = {"BankTransactionID": made["ToBankTransactionID"], "Reference": "x"}
    assert company.refused("POST", "BankTransactions", edit)


@pytest.mark.parametrize("by_id", [False, True])
def test_a_transfer_is_deleted_by_post_and_allows_no_other_change(company, savings, by_id):
    made = company.put("BankTransfers", move())
    key = {"BankTransferID": made["BankTransferID"]}
    assert ONLY_STATUS in company.refused("POST", "BankTransfers", {**key, "Reference": "x"})
    if by_id:
        done = company.send("POST", f"BankTransfers/{made['BankTransferID']}", {"Status": "DELETED"})
        assert done.json()["BankTransfers"][0]["Status"] == "DELETED"
    else:
        assert company.post("BankTransfers", {**key, "Status": "DELETED"})["Status"] == "DELETED"
    assert bank_balance(company, "091") == 0
    assert company.kept("BankTransactions", made["FromBankTransactionID"])["Status"] == "DELETED"
    assert company.caller.get("BankTransfers")["BankTransfers"] == []
    assert company.refused("POST", "BankTransfers", {**key, "Status": "DELETED"})


def test_a_post_without_an_id_creates_no_transfer(company, savings):
    assert company.refused("POST", "BankTransfers", move()) == ["BankTransferID must be specified"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Amount": 0}, "Amount must be greater than zero"),
        ({"ToBankAccount": {"Code": "090"}}, "The FromBankAccount and ToBankAccount must be different"),
        ({"ToBankAccount": {"Code": "200"}}, "The BankAccount could not be found"),
        (
            {"FromTracking": [{"Name": "Region", "Option": "North"}]},
            "TrackingCategoryID and TrackingOptionID must be specified",
        ),
    ],
)
def test_a_transfer_is_refused_with_the_reason(company, savings, more, words):
    body = {"BankTransfers": [move(**more)]}
    response = company.send("PUT", "BankTransfers", body, summarizeErrors="false")
    assert response.status_code == 400, "PUT takes no summarizeErrors"
    (failed,) = response.json()["Elements"]
    assert failed["ValidationErrors"] == [{"Message": words}]
    assert company.count("BankTransfers") == company.count("BankTransactions") == 0


# --- payments --------------------------------------------------------------------------------------------


def test_a_payment_changes_its_invoice_at_the_same_instant(company, xero):
    invoice = company.invoice(100)
    xero.admin.advance(60)
    payment = company.pay(invoice, 40, Reference="R")
    now = company.get("Invoices", invoice["InvoiceID"])
    assert (now["AmountPaid"], now["AmountDue"], now["Status"]) == (40.0, 60.0, "AUTHORISED")
    assert now["UpdatedDateUTC"] == payment["UpdatedDateUTC"] != invoice["UpdatedDateUTC"]
    assert [one["PaymentID"] for one in now["Payments"]] == [payment["PaymentID"]]
    assert (payment["PaymentType"], payment["Status"], payment["HasAccount"]) == (
        "ACCRECPAYMENT",
        "AUTHORISED",
        True,
    )
    company.pay(invoice, 60)
    now = company.get("Invoices", invoice["InvoiceID"])
    assert (now["Status"], now["FullyPaidOnDate"]) == ("PAID", payment["Date"])
    assert bank_balance(company) == 100.0


def test_a_deleted_payment_opens_its_invoice_again(company, xero):
    invoice = company.invoice(100)
    payment = company.pay(invoice, 100)
    xero.admin.advance(60)
    done = company.send("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"}).json()["Payments"][
        0
    ]
    assert done["Status"] == "DELETED"
    now = company.get("Invoices", invoice["InvoiceID"])
    assert (now["AmountDue"], now["Status"], now["UpdatedDateUTC"]) == (
        100.0,
        "AUTHORISED",
        done["UpdatedDateUTC"],
    )
    assert "Payments" not in now
    assert bank_balance(company) == 0
    again = company.send("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert again.status_code == 400


@pytest.mark.parametrize(
    "change", [{"Amount": 5}, {"Status": "DELETED", "Reference": "x"}, {"Status": "AUTHORISED"}]
)
def test_only_the_status_of_a_payment_can_be_changed(company, change):
    payment = company.pay(company.invoice(100), 40)
    response = company.send("POST", f"Payments/{payment['PaymentID']}", change)
    assert response.status_code == 400
    assert response.json()["Elements"][0]["ValidationErrors"] == [{"Message": ONLY_STATUS}]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Amount": 101}, "Payment amount exceeds the amount outstanding on this document"),
        ({"Amount": 0}, "Payment amount must be greater than zero"),
        ({"Account": {"Code": "999"}}, "Account could not be found"),
        ({"Account": {"Code": "200"}}, "Account code '200' is not a valid code for this document."),
        ({"Invoice": {"InvoiceID": str(uuid4())}}, "Invoice could not be found"),
        (
            {"CreditNote": {"CreditNoteNumber": "x"}},
            "A payment must be applied to exactly one Invoice, CreditNote, Prepayment or Overpayment",
        ),
    ],
)
def test_a_payment_is_refused_with_the_reason(company, more, words):
    invoice = company.invoice(100)
    body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 10}
    (failed,) = company.each("PUT", "Payments", {**body, **more})
    assert failed["HasValidationErrors"] is True
    assert [one["Message"] for one in failed["ValidationErrors"]] == [words]
    assert company.count("Payments") == 0


def test_only_approved_documents_can_be_paid(company):
    draft = company.invoice(100, Status="DRAFT")
    body = {"Invoice": {"InvoiceID": draft["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 10}
    assert company.refused("PUT", "Payments", body) == [
        "Payments can only be made against Authorised documents"
    ]


def test_a_payment_names_its_invoice_by_number_and_another_account_if_that_allows_payments(company):
    invoice = company.invoice(100, InvoiceNumber="A-1")
    account = next(one for one in company.admin.records("Accounts") if one.get("Code") == "881")
    assert account["EnablePaymentsToAccount"] is True
    body = {"Invoice": {"InvoiceNumber": "a-1"}, "Account": {"AccountID": account["AccountID"]}, "Amount": 10}
    assert company.put("Payments", body)["Invoice"]["InvoiceID"] == invoice["InvoiceID"]
    company.put("Payments", {"InvoiceNumber": "A-1", "Code": "090", "Amount": 10})
    assert company.get("Invoices", invoice["InvoiceID"])["AmountDue"] == 80.0


def test_a_post_creates_one_payment_and_ignores_the_others(company):
    invoice = company.invoice(100)
    body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 10}
    answer = company.send("POST", "Payments", {"Payments": [body, body]})
    assert len(answer.json()["Payments"]) == 1
    assert company.count("Payments") == 1
    assert len(company.each("PUT", "Payments", body, body)) == 2


def test_a_foreign_invoice_is_paid_by_the_bank_amount_and_the_difference_is_a_gain(company):
    company.send("PUT", "Currencies", {"Code": "USD"})
    invoice = company.invoice(100, CurrencyCode="USD", CurrencyRate="0.5")
    payment = company.pay(invoice, 100, BankAmount=220)
    assert (payment["Amount"], payment["BankAmount"]) == (100.0, 220.0)
    assert payment["CurrencyRate"] == 0.4545454545
    assert company.get("Invoices", invoice["InvoiceID"])["Status"] == "PAID"
    assert bank_balance(company) == 220.0
    assert bank_balance(company, "499") == -20.0


def test_a_bill_is_paid_out_and_a_credit_note_refunded(company):
    bill = company.invoice(100, Type="ACCPAY")
    assert company.pay(bill, 100)["PaymentType"] == "ACCPAYPAYMENT"
    note = company.credit_note(30)
    body = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"Code": "090"}, "Amount": 30}
    assert company.put("Payments", body)["PaymentType"] == "ARCREDITPAYMENT"
    assert company.get("CreditNotes", note["CreditNoteID"])["Status"] == "PAID"
    assert bank_balance(company) == -130.0


# --- batches ---------------------------------------------------------------------------------------------


def batch(*invoices: dict[str, Any], amount: Any = 50, **more: Any) -> dict[str, Any]:
    payments = [{"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": amount} for one in invoices]
    return {
        "Account": {"Code": "090"},
        "Date": "2026-11-20",
        "Reference": "Run",
        "Payments": payments,
        **more,
    }


def test_a_batch_pays_several_bills_and_its_answer_always_has_a_status(company):
    bills = [company.invoice(100, Type="ACCPAY") for _ in range(3)]
    response = company.send("PUT", "BatchPayments", {"BatchPayments": [batch(*bills)]})
    made = response.json()["BatchPayments"][0]
    assert (made["Type"], made["TotalAmount"], made["StatusAttributeString"]) == ("PAYBATCH", 150.0, "OK")
    payments = [company.get("Payments", one["PaymentID"]) for one in made["Payments"]]
    assert {one["BatchPaymentID"] for one in payments} == {made["BatchPaymentID"]}
    assert [company.get("Invoices", one["InvoiceID"])["AmountDue"] for one in bills] == [50.0] * 3
    alone = company.send("POST", f"Payments/{payments[0]['PaymentID']}", {"Status": "DELETED"})
    assert alone.status_code == 400
    assert bank_balance(company) == -150.0


@pytest.mark.parametrize("by_id", [False, True])
def test_a_batch_is_deleted_with_all_its_payments(company, by_id):
    bills = [company.invoice(100, Type="ACCPAY") for _ in range(2)]
    made = company.put("BatchPayments", batch(*bills))
    key = {"BatchPaymentID": made["BatchPaymentID"]}
    path, body = (f"BatchPayments/{made['BatchPaymentID']}", {}) if by_id else ("BatchPayments", key)
    assert company.send("POST", path, {**body, "Status": "DELETED", "Reference": "x"}).status_code == 400
    done = company.send("POST", path, {**body, "Status": "DELETED"})
    assert done.json()["BatchPayments"][0]["Status"] == "DELETED"
    assert [company.get("Invoices", one["InvoiceID"])["AmountDue"] for one in bills] == [100.0] * 2
    assert {one["Status"] for one in company.admin.records("Payments")} == {"DELETED"}
    assert bank_balance(company) == 0


def test_one_invalid_payment_refuses_its_whole_batch(company):
    bill, other = company.invoice(100, Type="ACCPAY"), company.invoice(40, Type="ACCPAY")
    words = ["Payment amount exceeds the amount outstanding on this document"]
    assert company.refused("PUT", "BatchPayments", batch(bill, other)) == words
    mixed = batch(bill, company.invoice(100))
    assert company.refused("PUT", "BatchPayments", mixed) == [
        "The payments of a batch must all be for invoices or all be for bills"
    ]
    assert company.refused("PUT", "BatchPayments", batch(bill, bill, amount=60)) == words
    assert company.get("Invoices", bill["InvoiceID"])["AmountDue"] == 100.0


# --- allocations -----------------------------------------------------------------------------------------


def allocate(company: Any, note: dict[str, Any], *elements: dict[str, Any], **params: Any) -> Any:
    path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
    return company.send("PUT", path, {"Allocations": list(elements)}, **params)


def against(invoice: dict[str, Any], amount: Any, **more: Any) -> dict[str, Any]:
    return {"Amount": amount, "Date": "2026-11-20", "Invoice": {"InvoiceID": invoice["InvoiceID"]}, **more}


def test_a_credit_note_is_allocated_to_invoices_and_the_allocation_deleted(company, xero):
    note, first, second = company.credit_note(100), company.invoice(70), company.invoice(70)
    xero.admin.advance(60)
    answer = allocate(company, note, against(first, 70), against(second, 30), summarizeErrors="false").json()
    one, two = answer["Allocations"]
    assert [one["StatusAttributeString"], two["StatusAttributeString"]] == ["OK", "OK"]
    now = company.get("CreditNotes", note["CreditNoteID"])
    assert (now["Status"], now["RemainingCredit"], len(now["Allocations"])) == ("PAID", 0.0, 2)
    paid = company.get("Invoices", first["InvoiceID"])
    assert (paid["Status"], paid["AmountCredited"], paid["UpdatedDateUTC"]) == (
        "PAID",
        70.0,
        now["UpdatedDateUTC"],
    )
    path = f"CreditNotes/{note['CreditNoteID']}/Allocations/{two['AllocationID']}"
    gone = company.send("DELETE", path).json()
    assert (gone["AllocationID"], gone["IsDeleted"]) == (two["AllocationID"], True)
    assert company.get("CreditNotes", note["CreditNoteID"])["RemainingCredit"] == 30.0
    assert company.get("Invoices", second["InvoiceID"])["AmountDue"] == 70.0
    assert company.send("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Amount": 101}, "Allocation amount exceeds the remaining credit of this document"),
        ({"Amount": 80}, "Allocation amount exceeds the amount outstanding on this document"),
        ({"Amount": 0}, "Allocation amount must be greater than zero"),
        ({"Date": None}, "Date must be specified"),
        ({"Amount": None}, "Amount must be specified"),
        ({"Invoice": {"InvoiceID": str(uuid4())}}, "Invoice could not be found"),
    ],
)
def test_an_allocation_is_refused_with_the_reason(company, change, words):
    note, invoice = company.credit_note(100), company.invoice(70)
    response = allocate(company, note, against(invoice, 10, **change))
    assert response.status_code == 400
    assert words in [one["Message"] for one in response.json()["Elements"][0]["ValidationErrors"]]
    good, bad = allocate(
        company, note, against(invoice, 10), against(invoice, 10, **change), summarizeErrors="false"
    ).json()["Allocations"]
    assert [good["StatusAttributeString"], bad["StatusAttributeString"]] == ["OK", "ERROR"]
    assert company.get("Invoices", invoice["InvoiceID"])["AmountDue"] == 60.0


def test_credit_and_invoice_must_match(company):
    note = company.credit_note(100)
    other = company.invoice(70, Contact={"Name": "Grace"})
    bill = company.invoice(70, Type="ACCPAY")
    draft = company.invoice(70, Status="DRAFT")
    for invoice in (other, bill, draft):
        assert allocate(company, note, against(invoice, 10)).status_code == 400
    assert company.send("PUT", f"CreditNotes/{uuid4()}/Allocations", {"Allocations": []}).status_code == 404


def test_a_credit_note_or_invoice_that_is_allocated_cannot_be_voided_or_edited(company):
    note, invoice = company.credit_note(100), company.invoice(70)
    allocate(company, note, against(invoice, 10))
    void = {"CreditNoteID": note["CreditNoteID"], "Status": "VOIDED"}
    assert SETTLED in company.refused("POST", "CreditNotes", void)
    lines = [{"Description": "x", "UnitAmount": 1, "AccountCode": "200"}]
    assert SETTLED in company.refused(
        "POST", "CreditNotes", {**void, "Status": "AUTHORISED", "LineItems": lines}
    )
    assert SETTLED in company.refused(
        "POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "Status": "VOIDED"}
    )


def test_foreign_credits_settle_foreign_invoices_at_both_rates(company):
    company.send("PUT", "Currencies", {"Code": "USD"})
    note = company.credit_note("33.33", CurrencyCode="USD", CurrencyRate="0.61")
    invoice = company.invoice("100.01", CurrencyCode="USD", CurrencyRate="0.53")
    answers = [allocate(company, note, against(invoice, amount)) for amount in ("11.11", "11.11", "11.11")]
    ids = [answer.json()["Allocations"][0]["AllocationID"] for answer in answers]
    for identifier in (ids[1], ids[0], ids[2]):
        path = f"CreditNotes/{note['CreditNoteID']}/Allocations/{identifier}"
        assert company.send("DELETE", path).status_code == 200
    assert company.get("Invoices", invoice["InvoiceID"])["AmountDue"] == 100.01
