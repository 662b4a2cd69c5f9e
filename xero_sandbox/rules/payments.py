"""The rules for payments, batches of payments, and allocations of credits."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from ..accounting import settlement
from ..accounting.currencies import in_base, known_rate
from ..accounting.ledger import nearest, of_allocations
from ..resources import RESOURCES
from ..values import ONE, ZERO, Record, money, picked
from .bank_transactions import ONLY_STATUS, bank_account
from .checks import require
from .lines import account
from .work import Work

# --- payments --------------------------------------------------------------------------------------------

_PAID = {path.removesuffix("s"): path for path in settlement.SETTLED_DOCUMENTS}
"""The resources of the documents that can be paid, by the field that names one."""


def save_payment(work: Work, current: Record | None) -> Record:
    """Pay or refund a document. An existing payment can only be deleted."""
    if current is None:
        return _pay(work, work.sent)
    _check_deletion(work, current, "PaymentID", "Payment")
    if current.get("BatchPaymentID"):
        work.fail("This payment is part of a batch payment; delete the batch payment instead")
    return _unpay(work, current)


def _check_deletion(work: Work, current: Record, key: str, noun: str) -> None:
    """Check that a change only sets the status DELETED."""
    if work.sent.get("Status") != "DELETED" or set(work.sent) - {key, "Status"}:
        work.fail(ONLY_STATUS)
    if current["Status"] == "DELETED":
        work.fail(f"{noun} not of valid status for modification")


def _document(work: Work, sent: Record) -> tuple[str, Record]:
    """The resource and the document of a payment; ends the work if there is none."""
    given = picked(sent, _PAID)
    for name, number in (("Invoice", "InvoiceNumber"), ("CreditNote", "CreditNoteNumber")):
        if number in sent and not given:
            given[name] = {number: sent[number]}
    if len(given) != 1:
        work.fail("A payment must be applied to exactly one Invoice, CreditNote, Prepayment or Overpayment")
    ((name, named),) = given.items()
    resource = RESOURCES[_PAID[name]]
    path, key, number = resource.path, resource.id, next(iter(resource.by), "")
    found = work.get(path, named.get(key))
    if found is None and not named.get(key):
        each = [work.get(path, one[key]) or one for one in work.matching(path, number, named.get(number))]
        found = min(each, key=lambda one: one["Status"] != "AUTHORISED", default=None)
    if found is None:
        work.fail(f"{name} could not be found")
    return path, found


_STATEMENT = ("Particulars", "Code", "Details")
"""The fields of a payment that appear on the bank statement."""


def _pay(work: Work, sent: Record, batch: Record | None = None) -> Record:
    path, document = _document(work, sent)
    bank = _paying_account(work, sent)
    if document["Status"] != "AUTHORISED":
        work.refuse("Payments can only be made against Authorised documents")
    day = sent.get("Date") or work.today
    work.lock_dates(day)
    work.stop()
    amount, moved, rate = _amounts(work, sent, document, bank, day)
    if amount <= 0:
        work.refuse("Payment amount must be greater than zero")
    elif amount > settlement.left(document):
        work.refuse("Payment amount exceeds the amount outstanding on this document")
    work.stop()
    kind = settlement.PAYMENT_TYPES[document["Type"]]
    name = f"/{settlement.document_id(document)}/payment/{day}/{len(document['Payments'])}"
    payment: Record = {"PaymentID": work.new_id(name)}
    if batch:
        payment.update(BatchPaymentID=batch["BatchPaymentID"], BatchPayment=picked(batch, _THIN))
    payment.update(
        {
            "Date": day,
            "BankAmount": moved,
            "Amount": amount,
            "Reference": sent.get("Reference", ""),
            "CurrencyRate": rate,
            "PaymentType": kind,
            "Status": "AUTHORISED",
            "UpdatedDateUTC": work.at,
            "HasAccount": True,
            "IsReconciled": sent.get("IsReconciled", False),
            "Account": picked(bank, ("AccountID", "Code")),
            "Invoice": {
                "Type": kind.removesuffix("PAYMENT") if "-" in document["Type"] else document["Type"],
                "InvoiceID": settlement.document_id(document),
                "InvoiceNumber": document.get("InvoiceNumber") or document.get("CreditNoteNumber", ""),
                "Contact": document["Contact"],
                "CurrencyCode": document["CurrencyCode"],
            },
            "HasValidationErrors": False,
        }
    )
    shown = _STATEMENT if "Account" in sent else ("Particulars", "Details")
    payment.update(picked(sent, shown))
    work.post(work.ledger.post_payment(payment, document, work.at))
    work.put(path, settlement.with_payment(document, payment))
    return work.put("Payments", payment)


def _paying_account(work: Work, sent: Record) -> Record:
    """The account that money comes from or goes to; an empty record if there is none."""
    found = account(work, sent.get("Account") or {"Code": sent.get("Code")}, "Code")
    if found is None or found["Status"] != "ACTIVE":
        work.refuse("Account could not be found")
    elif found["Type"] != "BANK" and not found.get("EnablePaymentsToAccount"):
        work.refuse(f"Account code '{found.get('Code')}' is not a valid code for this document.")
    return found or {}


def _amounts(
    work: Work, sent: Record, document: Record, bank: Record, day: Any
) -> tuple[Decimal, Decimal, Decimal]:
    """Amount in the document's currency, BankAmount in the account's, and the rate between base and document.

    Of Amount and BankAmount, one follows from the other by the rate (sent, else the day's); both give the rate.
    """
    code, base = document["CurrencyCode"], work.base
    amount, moved, rate = sent.get("Amount"), sent.get("BankAmount") or ZERO, sent.get("CurrencyRate")
    if code == base or bank.get("CurrencyCode", base) != base:
        usual = ONE if code == base else rate or known_rate(code, base, day) or ONE
        whole = money(amount if amount is not None else moved)
        return whole, whole, usual
    if amount is not None and moved:
        return money(amount), money(moved), rate or (amount / moved).quantize(Decimal("0.0000000001"))
    rate = rate or known_rate(code, base, day) or ONE
    if amount is None:
        return money(moved * rate), money(moved), rate
    return money(amount), in_base(money(amount), rate), rate


def _unpay(work: Work, payment: Record) -> Record:
    work.lock_dates(payment["Date"])
    work.stop()
    key = payment["Invoice"]["InvoiceID"]
    work.reverse(payment["PaymentID"])
    for path in _PAID.values():
        document = work.get(path, key)
        if document is not None:
            work.put(path, settlement.without_payment(document, payment["PaymentID"], work.at))
    return work.put("Payments", {**payment, "Status": "DELETED", "IsReconciled": False, "CurrencyRate": ZERO})


# --- batches of payments ---------------------------------------------------------------------------------


_THIN = "Account BatchPaymentID Date Type Status TotalAmount UpdatedDateUTC IsReconciled".split()
"""The fields of its batch that a payment shows (as recorded)."""


def save_batch(work: Work, current: Record | None) -> Record:
    """Pay several invoices, or several bills, at once. An existing batch can only be deleted."""
    sent = work.sent
    if current is not None or work.origin.updates:
        return _delete_batch(work, current)
    bank = bank_account(work, sent.get("Account"))
    wanted = _batched(work)
    kind = _batch_type(work, wanted)
    batch: Record = {
        "Account": {"AccountID": bank["AccountID"], "CurrencyCode": bank["CurrencyCode"]},
        "Reference": sent.get("Reference", ""),
        "BatchPaymentID": work.new_id(),
        "Date": sent["Date"],
        "Type": kind,
        "Status": "AUTHORISED",
        "TotalAmount": sum((money(one.get("BankAmount") or one["Amount"]) for one in wanted), ZERO),
        "UpdatedDateUTC": work.at,
        "IsReconciled": work.by_hand and sent.get("IsReconciled", False),
    }
    batch.update(picked(sent, (*_STATEMENT, "Narrative")))
    common = {"Account": {"AccountID": bank["AccountID"]}, "Date": sent["Date"]}
    usual = {name: batch[name] for name in ("Reference", "IsReconciled")}
    payments = [_pay(work, {**usual, **one, **common}, batch) for one in wanted]
    batch["Payments"] = [
        {
            "Invoice": {name: one["Invoice"][name] for name in ("InvoiceID", "CurrencyCode")},
            **{name: one[name] for name in ("PaymentID", "Amount", "BankAmount")},
        }
        for one in payments
    ]
    return work.put("BatchPayments", batch)


def _batch_type(work: Work, wanted: list[Record]) -> str:
    """PAYBATCH for bills, RECBATCH for invoices; refuses a mixture."""
    types = {_document(work, {"Invoice": one["Invoice"]})[1]["Type"] for one in wanted}
    if len(types) > 1:
        work.fail("The payments of a batch must all be for invoices or all be for bills")
    return "PAYBATCH" if types == {"ACCPAY"} else "RECBATCH"


def _batched(work: Work) -> list[Record]:
    """The payments of a new batch, as sent."""
    require(work, work.sent, "Date")
    wanted = work.sent.get("Payments", [])
    if not wanted:
        work.refuse("One or more payments must be specified")
    for one in wanted:
        if "Invoice" not in one or ("Amount" not in one and "BankAmount" not in one):
            work.refuse("A payment of a batch needs an Invoice and an Amount")
    work.stop()
    return [{name: value for name, value in one.items() if name != "PaymentID"} for one in wanted]


def _delete_batch(work: Work, current: Record | None) -> Record:
    if current is None:
        work.fail("BatchPaymentID must be specified")
    _check_deletion(work, current, "BatchPaymentID", "Batch Payment")
    if current.get("IsReconciled"):
        work.fail("This batch payment cannot be deleted as it has been reconciled with a Bank Statement.")
    gone = {**current, "Status": "DELETED"}
    for one in current["Payments"]:
        payment = work.get("Payments", one["PaymentID"])
        if payment is not None and payment["Status"] != "DELETED":
            _unpay(work, {**payment, "BatchPayment": picked(gone, _THIN)})
    return work.put("BatchPayments", gone)


# --- allocations -----------------------------------------------------------------------------------------


def allocate(work: Work, identifier: str) -> Record:
    """Allocate a credit note, prepayment or overpayment to an invoice; returns the allocation."""
    sent = work.sent
    require(work, sent, "Amount", "Date", "Invoice")
    work.stop()
    credit = work.get(work.path, identifier) or {}
    _, invoice = _document(work, {"Invoice": sent["Invoice"]})
    amount = money(sent["Amount"])
    if credit["Status"] != "AUTHORISED" or invoice["Status"] != "AUTHORISED":
        work.refuse("Allocations can only be made between Authorised documents")
    if credit["Contact"]["ContactID"] != invoice["Contact"]["ContactID"]:
        work.refuse("The credit and the invoice must belong to the same contact")
    if (
        settlement.is_sale(credit) != settlement.is_sale(invoice)
        or credit["CurrencyCode"] != invoice["CurrencyCode"]
    ):
        work.refuse("The credit and the invoice must be of the same kind and currency")
    if amount <= 0:
        work.refuse("Allocation amount must be greater than zero")
    if amount > credit["RemainingCredit"]:
        work.refuse("Allocation amount exceeds the remaining credit of this document")
    if amount > invoice["AmountDue"]:
        work.refuse("Allocation amount exceeds the amount outstanding on this document")
    work.lock_dates(sent["Date"])
    work.stop()
    allocation_id = work.new_id(f"/{identifier}/allocation/{len(credit['Allocations'])}")
    work.post(
        work.ledger.post_allocation(credit, invoice, amount, sent["Date"], work.at),
        None if work.by_hand else _journal_of(allocation_id),
    )
    credit, invoice = settlement.with_allocation(
        credit, invoice, allocation_id=allocation_id, amount=amount, day=sent["Date"], at=work.at
    )
    work.put(work.path, credit)
    work.put("Invoices", invoice)
    return dict(credit["Allocations"][-1])


def _journal_of(allocation_id: str) -> str:
    """The id of an allocation's journal, which has the same SourceID as the credit's own journal."""
    return str(uuid.uuid5(uuid.UUID(allocation_id), "journal"))


def deallocate(work: Work, credit: Record, allocation: Record) -> Record:
    """Delete an allocation; returns it."""
    work.lock_dates(allocation["Date"])
    work.stop()
    invoice = work.get("Invoices", allocation["Invoice"]["InvoiceID"]) or {}
    work.post(work.ledger.reverse(_allocation_journal(work, credit, allocation), work.at))
    left, open_again = settlement.without_allocation(credit, invoice, allocation["AllocationID"], work.at)
    work.put(work.path, left)
    work.put("Invoices", open_again)
    return {**allocation, "IsDeleted": True}


def _allocation_journal(work: Work, credit: Record, allocation: Record) -> Record:
    """The journal of an allocation: by its id, or by date and amount for an allocation of the demo company."""
    known = work.get("Journals", _journal_of(allocation["AllocationID"]))
    if known is not None:
        return known
    control = work.ledger.control(credit)["AccountID"]
    alike = of_allocations(work.standing(settlement.document_id(credit)), {control})
    return nearest(alike, credit, allocation)
