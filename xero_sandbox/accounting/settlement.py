"""What documents owe: payments, credits and allocations. All functions return new records.

An invoice or bill, and a credit note, prepayment or overpayment (a credit) settle each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ..values import ONE, ZERO, Record, picked
from .currencies import in_base

SALES = ("ACCREC", "ACCRECCREDIT")
DEAD = ("VOIDED", "DELETED")

CREDIT_SOURCES = {
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENT",
}
"""SourceType of the journals of overpayments and prepayments, by their type."""

PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    **{kind: f"{source}PAYMENT" for kind, source in CREDIT_SOURCES.items()},
}
"""PaymentType by the type of the document that is paid or refunded."""

CREDIT_KEYS = {"CreditNoteID": "CreditNotes", "PrepaymentID": "Prepayments", "OverpaymentID": "Overpayments"}
"""The id of a credit document, and the list on an invoice in which it is named."""

SETTLED_DOCUMENTS = ("Invoices", *CREDIT_KEYS.values())
"""The resources whose documents are paid, credited or allocated."""


def is_credit(document: Mapping[str, Any]) -> bool:
    """Whether the document is a credit note, prepayment or overpayment, rather than an invoice or bill."""
    return "InvoiceID" not in document


def credit_key(document: Mapping[str, Any]) -> str:
    """The id field of a credit document."""
    return next(key for key in CREDIT_KEYS if key in document)


def document_id(document: Mapping[str, Any]) -> str:
    """The id of an invoice, bill, credit note, prepayment or overpayment."""
    return str(document[credit_key(document) if is_credit(document) else "InvoiceID"])


def is_sale(document: Mapping[str, Any]) -> bool:
    """Whether the document belongs to accounts receivable, rather than accounts payable."""
    return document["Type"] in SALES or document["Type"].startswith(("RECEIVE", "AR"))


def _settling(document: Mapping[str, Any]) -> tuple[list[Record], list[Record]]:
    """The document's payments, and its allocations or the credits applied to it with their amount as Amount."""
    if is_credit(document):
        return document["Payments"], document["Allocations"]
    applied = [one for key in CREDIT_KEYS.values() for one in document[key]]
    return document["Payments"], [{**one, "Amount": one["AppliedAmount"]} for one in applied]


def used(document: Mapping[str, Any]) -> Decimal:
    """How much of the document is paid, credited or allocated so far, in its own currency."""
    return sum((one["Amount"] for part in _settling(document) for one in part), ZERO)


def left(document: Mapping[str, Any]) -> Decimal:
    """What is left to pay of an invoice or bill, or to use of a credit."""
    amount: Decimal = document["RemainingCredit" if is_credit(document) else "AmountDue"]
    return amount


def settled(document: Record) -> Record:
    """The document with the amounts due and the status that follow from its payments, credits and allocations.

    An approved document with nothing left is PAID and has a FullyPaidOnDate; one with something left is
    AUTHORISED. A voided or deleted one owes nothing, whatever its Total.
    """
    result = dict(document)
    payments, others = _settling(document)
    paid, credited = (sum((one["Amount"] for one in part), ZERO) for part in (payments, others))
    rest = document["Total"] - paid - credited if document["Status"] not in DEAD else ZERO
    if is_credit(document):
        result["RemainingCredit"] = rest
    else:
        result.update(AmountDue=rest, AmountPaid=paid, AmountCredited=credited)
    result.pop("FullyPaidOnDate", None)
    if document["Status"] in ("AUTHORISED", "PAID"):
        result["Status"] = "AUTHORISED" if rest else "PAID"
        if not rest and ("InvoiceID" in document or "CreditNoteID" in document):
            dates = (one["Date"] for one in (*payments, *others))
            result["FullyPaidOnDate"] = max(dates, default=document["Date"])
    return result


def with_payment(document: Record, payment: Mapping[str, Any]) -> Record:
    """The invoice or credit with the payment on it, changed at the payment's own instant (as Xero does)."""
    thin = {
        **picked(payment, ("PaymentID", "BatchPaymentID", "Date", "Amount")),
        "Reference": payment.get("Reference", ""),
        "CurrencyRate": payment.get("CurrencyRate", ONE),
        "HasAccount": False,
        "HasValidationErrors": False,
    }
    payments = [*document["Payments"], thin]
    return settled({**document, "Payments": payments, "UpdatedDateUTC": payment["UpdatedDateUTC"]})


def without_payment(document: Record, payment_id: str, at: datetime) -> Record:
    """The invoice or credit without a deleted payment."""
    kept = [p for p in document["Payments"] if p["PaymentID"] != payment_id]
    return settled({**document, "Payments": kept, "UpdatedDateUTC": at})


def with_allocation(
    credit: Record, invoice: Record, *, allocation_id: str, amount: Decimal, day: date, at: datetime
) -> tuple[Record, Record]:
    """The credit and the invoice after `amount` of the credit was allocated; both change at `at`."""
    key = credit_key(credit)
    allocation = {
        "AllocationID": allocation_id,
        "Amount": amount,
        "Date": day,
        "Invoice": {"InvoiceID": invoice["InvoiceID"], "InvoiceNumber": invoice.get("InvoiceNumber", "")},
    }
    named = {
        key: credit[key],
        "ID": credit[key],
        "AppliedAmount": amount,
        "Date": day,
        "Total": credit["Total"],
    }
    named.update(picked(credit, ["CreditNoteNumber"]))
    named_now = [*invoice[CREDIT_KEYS[key]], named]
    return (
        settled({**credit, "Allocations": [*credit["Allocations"], allocation], "UpdatedDateUTC": at}),
        settled({**invoice, CREDIT_KEYS[key]: named_now, "UpdatedDateUTC": at}),
    )


def without_allocation(
    credit: Record, invoice: Record, allocation_id: str, at: datetime
) -> tuple[Record, Record]:
    """The credit and the invoice after the allocation was deleted."""
    key = credit_key(credit)
    gone = next(a for a in credit["Allocations"] if a["AllocationID"] == allocation_id)
    kept = [a for a in credit["Allocations"] if a is not gone]
    named = list(invoice[CREDIT_KEYS[key]])
    named.remove(next(c for c in named if c[key] == credit[key] and c["AppliedAmount"] == gone["Amount"]))
    return (
        settled({**credit, "Allocations": kept, "UpdatedDateUTC": at}),
        settled({**invoice, CREDIT_KEYS[key]: named, "UpdatedDateUTC": at}),
    )


def ended(document: Record, status: str, at: datetime) -> Record:
    """The document as VOIDED (if it was approved) or DELETED. The caller refuses documents with payments."""
    result = {**document, "Status": status, "UpdatedDateUTC": at}
    return settled(result) if "Payments" in document else result


_BALANCES = ("AccountsReceivable", "AccountsPayable")


def balances(documents: Iterable[Record], today: date) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Outstanding and overdue amounts by ContactID in base currency, in the form of Contact.Balances.

    Contacts without an open document are omitted. Xero stores these amounts outside the contact: they change
    without a new UpdatedDateUTC.
    """
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for document in documents:
        if document["Status"] != "AUTHORISED":
            continue
        rate = document.get("CurrencyRate", ONE)
        amount = in_base(document["Total"], rate) - in_base(used(document), rate)
        none = {kind: {"Outstanding": ZERO, "Overdue": ZERO} for kind in _BALANCES}
        sides = found.setdefault(document["Contact"]["ContactID"], none)
        side = sides["AccountsReceivable" if is_sale(document) else "AccountsPayable"]
        side["Outstanding"] += -amount if is_credit(document) else amount
        if not is_credit(document) and document.get("DueDate", today) < today:
            side["Overdue"] += amount
    return found


def relief(document: Mapping[str, Any], before: Decimal, amount: Decimal) -> Decimal:
    """The amount in base currency that settling `amount` takes off a document of which `before` is settled
    already. It is the difference of two running values, so the parts of a document always add up to the whole.
    """
    rate = document.get("CurrencyRate", ONE)
    return in_base(before + amount, rate) - in_base(before, rate)
