"""The rules for money: bank transactions and transfers, payments and their batches, allocations of credits."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from ..accounting import double_entry as books
from ..accounting.double_entry import ONE, ZERO, in_base, market_rate, money
from ..state.tables import Record
from .documents import SETTLED, Paper, default_theme, heading, own
from .lines import Lines, account, tracking, with_lines
from .work import Rule, Work

ONLY_STATUS = "Only Status accepted for updates."
RECONCILED = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."
_NAMED = ("AccountID", "Code", "Name")


# --- bank transactions -----------------------------------------------------------------------------------

BANK_TRANSACTION = Paper(
    "BankTransactions",
    "BankTransactionID",
    "",
    "",
    "Bank Transaction",
    "SPEND RECEIVE SPEND-OVERPAYMENT RECEIVE-OVERPAYMENT SPEND-PREPAYMENT RECEIVE-PREPAYMENT",
    "Reference Url",
    amounts="Inclusive",
    fresh={"Reference": "", "IsReconciled": False, "HasAttachments": False},
)
_CREDITS = {"OVERPAYMENT": ("Overpayments", "OverpaymentID"), "PREPAYMENT": ("Prepayments", "PrepaymentID")}


def save_bank_transaction(work: Work, current: Record | None) -> Record:
    """Check and put money spent or received; over- and prepayments make that credit as well."""
    asked = work.asked
    status = asked.get("Status", "AUTHORISED")
    if current is not None:
        _editable(work, current)
        if status in {"DELETED", "VOIDED"}:
            return _delete_transaction(work, current)
    if status != "AUTHORISED":
        work.refuse(f"The status '{status}' is not valid for bank transactions")
    bank = _bank(work, asked.get("BankAccount", (current or {}).get("BankAccount")))
    work.asked = {**asked, **({"CurrencyCode": bank["CurrencyCode"]} if bank.get("CurrencyCode") else {})}
    transaction = heading(work, BANK_TRANSACTION, current)
    transaction.update(Status="AUTHORISED", BankAccount={name: bank[name] for name in _NAMED if name in bank})
    if "IsReconciled" in asked:
        transaction["IsReconciled"] = asked["IsReconciled"]
    kind = str(transaction.get("Type") or "")
    credit = _CREDITS.get(kind.partition("-")[2])
    if credit is not None and "LineAmountTypes" not in asked and current is None:
        transaction["LineAmountTypes"] = "NoTax"
    if credit is not None and bank and kind:
        _to_control(work, kind)
    work.lock_dates(transaction["Date"], (current or {}).get("Date"))
    if bank and kind and transaction.get("Contact"):
        sale = kind.startswith("RECEIVE")
        transaction = with_lines(
            work, transaction, Lines(sale=sale, complete=True, control=credit is not None), current
        )
    work.echo = {**own(BANK_TRANSACTION, transaction), **work.echo}
    work.stop()
    if current is not None:
        names = (
            "Date",
            "Contact",
            "LineItems",
            "LineAmountTypes",
            "CurrencyRate",
            "BankAccount",
            "Reference",
        )
        if all(transaction.get(name) == current.get(name) for name in names):
            return work.put("BankTransactions", transaction)
        work.reverse(
            current.get("OverpaymentID") or current.get("PrepaymentID") or current["BankTransactionID"]
        )
    if credit is not None:
        _hold(work, transaction, *credit)
    work.post(work.ledger.post_bank_transaction(transaction, work.at))
    return work.put("BankTransactions", transaction)


def _bank(work: Work, named: Record | None) -> Record:
    """The bank account that is named, in full; an empty record if there is none."""
    found = account(work, named or {}, "Code")
    if found is None or found["Type"] != "BANK":
        work.refuse("The BankAccount could not be found" if named else "BankAccount must be specified")
        return {}
    if found["Status"] != "ACTIVE":
        work.refuse("The BankAccount has been archived")
    return {"CurrencyCode": work.base, **found}


def _editable(work: Work, current: Record) -> None:
    if current["Status"] != "AUTHORISED" or str(current["Type"]).endswith("-TRANSFER"):
        work.stop("Bank Transaction not of valid status for modification")
    if current.get("IsReconciled"):
        work.stop(RECONCILED)
    for path, key in _CREDITS.values():
        held = work.get(path, current.get(key))
        if held is not None and books.used(held):
            work.stop(SETTLED)


def _delete_transaction(work: Work, current: Record) -> Record:
    work.lock_dates(current["Date"])
    work.stop()
    source = current["BankTransactionID"]
    for path, key in _CREDITS.values():
        held = work.get(path, current.get(key))
        if held is not None:
            source = held[key]
            work.put(path, books.ended(held, "VOIDED", work.at))
    work.reverse(source)
    return work.put("BankTransactions", {**current, "Status": "DELETED"})


def _to_control(work: Work, kind: str) -> None:
    """Lines of over- and prepayments stand in receivables or payables unless they say otherwise."""
    control = work.chart.system["DEBTORS" if kind.startswith("RECEIVE") else "CREDITORS"]
    if "LineItems" in work.asked:
        lines = [
            {**one, "AccountCode": one.get("AccountCode") or control["Code"]}
            if "AccountID" not in one
            else one
            for one in work.asked["LineItems"]
        ]
        work.asked = {**work.asked, "LineItems": lines}


def _hold(work: Work, transaction: Record, path: str, key: str) -> None:
    """The overpayment or prepayment that a bank transaction makes."""
    if key not in transaction:
        transaction[key] = work.new_id("credit")
    names = "Type Reference Contact Date Status LineAmountTypes LineItems CurrencyCode CurrencyRate"
    names += " SubTotal TotalTax Total"
    held: Record = {key: transaction[key]}
    held.update({name: transaction[name] for name in names.split() if name in transaction})
    held.update(RemainingCredit=ZERO, Allocations=[], Payments=[], HasAttachments=False)
    if key == "PrepaymentID":  # Xero keeps its reference under both names (its API definition of Reference)
        held.update(ID=transaction[key], InvoiceNumber=held.get("Reference", ""))
    if transaction["Type"] == "RECEIVE-PREPAYMENT" and (theme := default_theme(work)):
        held["BrandingThemeID"] = theme
    work.put(path, books.settled(held))


BANK_TRANSACTIONS = Rule(save_bank_transaction)


# --- bank transfers --------------------------------------------------------------------------------------


def save_transfer(work: Work, current: Record | None) -> Record:
    """Move money between two bank accounts, or delete such a move (possible since July 2026)."""
    asked = work.asked
    if current is not None or work.origin.updates:
        return _delete_transfer(work, current)
    sides = {side: _bank(work, asked.get(f"{side}BankAccount")) for side in ("From", "To")}
    amount = money(asked.get("Amount", ZERO))
    if amount <= 0:
        work.refuse("Amount must be greater than zero")
    if sides["From"] and sides["From"] == sides["To"]:
        work.refuse("The FromBankAccount and ToBankAccount must be different")
    day = asked.get("Date") or work.today
    work.lock_dates(day)
    ways = {side: _transfer_tracking(work, asked.get(f"{side}Tracking", [])) for side in sides}
    work.stop()
    code = sides["From"]["CurrencyCode"]
    rate = market_rate(code, work.base, day)
    transfer: Record = {
        "BankTransferID": work.new_id(),
        "Date": day,
        "Status": "AUTHORISED",
        "Amount": amount,
        "Reference": asked.get("Reference", ""),
        "HasAttachments": False,
        "CurrencyRate": rate,
    }
    for side, bank in sides.items():
        named = {name: bank[name] for name in _NAMED if name in bank}
        other = market_rate(bank["CurrencyCode"], work.base, day)
        moved = amount if bank["CurrencyCode"] == code else money(in_base(amount, rate) * other)
        transaction = {
            "BankTransactionID": work.new_id(side.lower()),
            "BankAccount": named,
            "Type": "SPEND-TRANSFER" if side == "From" else "RECEIVE-TRANSFER",
            "Reference": transfer["Reference"],
            "IsReconciled": asked.get(f"{side}IsReconciled", False),
            "HasAttachments": False,
            "Date": day,
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [],
            "SubTotal": moved,
            "TotalTax": ZERO,
            "Total": moved,
            "CurrencyCode": bank["CurrencyCode"],
            "CurrencyRate": other,
        }
        work.put("BankTransactions", transaction)
        transfer[f"{side}BankAccount"] = named
        transfer[f"{side}BankTransactionID"] = transaction["BankTransactionID"]
        transfer[f"{side}IsReconciled"] = transaction["IsReconciled"]
        transfer[f"{side}Tracking"] = ways[side]
    work.post(work.ledger.post_transfer(transfer, work.at))
    return work.put("BankTransfers", transfer)


def _transfer_tracking(work: Work, asked: list[Record]) -> list[Record]:
    for one in asked:
        if not one.get("TrackingCategoryID") or not one.get("TrackingOptionID"):
            work.refuse("TrackingCategoryID and TrackingOptionID must be specified")
            return []
    return tracking(work, asked, work.refuse)


def _delete_transfer(work: Work, current: Record | None) -> Record:
    if current is None:
        work.stop("BankTransferID must be specified")
    transfer = current or {}
    if work.asked.get("Status") != "DELETED" or set(work.asked) - {"BankTransferID", "Status"}:
        work.refuse(ONLY_STATUS)
    if transfer["Status"] == "DELETED":
        work.refuse("Bank Transfer not of valid status for modification")
    sides = [work.get("BankTransactions", transfer[f"{side}BankTransactionID"]) for side in ("From", "To")]
    if any(one and one.get("IsReconciled") for one in sides):
        work.refuse(RECONCILED)
    work.lock_dates(transfer["Date"])
    work.stop()
    work.reverse(transfer["BankTransferID"])
    for one in sides:
        if one is not None:
            work.put("BankTransactions", {**one, "Status": "DELETED"})
    return work.put("BankTransfers", {**transfer, "Status": "DELETED"})


BANK_TRANSFERS = Rule(save_transfer, summarize="POST")


# --- payments --------------------------------------------------------------------------------------------

_PAID = {
    "Invoice": ("Invoices", "InvoiceID", "InvoiceNumber"),
    "CreditNote": ("CreditNotes", "CreditNoteID", "CreditNoteNumber"),
    "Prepayment": ("Prepayments", "PrepaymentID", ""),
    "Overpayment": ("Overpayments", "OverpaymentID", ""),
}
"""What a payment can be for: where it is kept, its id and its number."""


def save_payment(work: Work, current: Record | None) -> Record:
    """Pay or refund; of a payment that is there only the Status can be changed, to DELETED."""
    if current is None:
        return _pay(work, work.asked)
    if work.asked.get("Status") != "DELETED" or set(work.asked) - {"PaymentID", "Status"}:
        work.stop(ONLY_STATUS)
    if current["Status"] == "DELETED":
        work.stop("Payment not of valid status for modification")
    if current.get("BatchPaymentID"):
        work.stop("This payment is part of a batch payment; delete the batch payment instead")
    return _unpay(work, current)


def _document(work: Work, asked: Record) -> tuple[str, Record]:
    """Where the document of a payment is kept, and the document as it stands; ends the work if there is none."""
    given = {name: asked[name] for name in _PAID if name in asked}
    for name, number in (("Invoice", "InvoiceNumber"), ("CreditNote", "CreditNoteNumber")):
        if number in asked and not given:
            given[name] = {number: asked[number]}
    if len(given) != 1:
        work.stop("A payment must be applied to exactly one Invoice, CreditNote, Prepayment or Overpayment")
    ((name, named),) = given.items()
    path, key, number = _PAID[name]
    found = work.get(path, named.get(key))
    if found is None and number and named.get(number) and not named.get(key):
        each = [work.get(path, one[key]) or one for one in work.matching(path, number, named[number])]
        found = min(each, key=lambda one: one["Status"] != "AUTHORISED", default=None)
    if found is None:
        work.stop(f"{name} could not be found")
    return path, found or {}


def _pay(work: Work, asked: Record, batch: Record | None = None) -> Record:
    path, document = _document(work, asked)
    bank = account(work, asked.get("Account") or {"Code": asked.get("Code")}, "Code")
    if bank is None or bank["Status"] != "ACTIVE":
        work.refuse("Account could not be found")
    elif bank["Type"] != "BANK" and not bank.get("EnablePaymentsToAccount"):
        work.refuse(f"Account code '{bank.get('Code')}' is not a valid code for this document.")
    if document["Status"] != "AUTHORISED":
        work.refuse("Payments can only be made against Authorised documents")
    day = asked.get("Date") or work.today
    work.lock_dates(day)
    work.stop()
    paying = bank or {}
    amount, moved, rate = _amounts(work, asked, document, paying, day)
    left = document["RemainingCredit" if books.is_credit(document) else "AmountDue"]
    if amount <= 0:
        work.refuse("Payment amount must be greater than zero")
    elif amount > left:
        work.refuse("Payment amount exceeds the amount outstanding on this document")
    work.stop()
    kind = books.PAYMENT_TYPES[document["Type"]]
    name = f"/{books.document_id(document)}/payment/{day}/{len(document['Payments'])}"
    payment: Record = {"PaymentID": work.new_id(name)}
    if batch:
        payment["BatchPaymentID"] = batch["BatchPaymentID"]
        payment["BatchPayment"] = _thin(batch)
    payment.update(
        {
            "Date": day,
            "BankAmount": moved,
            "Amount": amount,
            "Reference": asked.get("Reference", ""),
            "CurrencyRate": rate,
            "PaymentType": kind,
            "Status": "AUTHORISED",
            "UpdatedDateUTC": work.at,
            "HasAccount": True,
            "IsReconciled": asked.get("IsReconciled", False),
            "Account": {name: paying[name] for name in ("AccountID", "Code") if name in paying},
            "Invoice": {
                "Type": kind.removesuffix("PAYMENT") if "-" in document["Type"] else document["Type"],
                "InvoiceID": books.document_id(document),
                "InvoiceNumber": document.get("InvoiceNumber") or document.get("CreditNoteNumber", ""),
                "Contact": document["Contact"],
                "CurrencyCode": document["CurrencyCode"],
            },
            "HasValidationErrors": False,
        }
    )
    for name in ("Particulars", "Code", "Details"):
        if name in asked and not (name == "Code" and "Account" not in asked):
            payment[name] = asked[name]
    work.post(work.ledger.post_payment(payment, document, work.at))
    work.put(path, books.with_payment(document, payment))
    return work.put("Payments", payment)


def _amounts(
    work: Work, asked: Record, document: Record, bank: Record, day: Any
) -> tuple[Decimal, Decimal, Decimal]:
    """Amount in the document's currency, BankAmount in the account's, and the rate between base and document.

    Either amount gives the other by the rate, which is asked for or the day's; both give the rate.
    """
    code, base = document["CurrencyCode"], work.base
    amount, moved, rate = asked.get("Amount"), asked.get("BankAmount"), asked.get("CurrencyRate")
    if code == base or bank.get("CurrencyCode", base) != base:
        usual = ONE if code == base else rate or _day_rate(code, base, day)
        whole = money(amount if amount is not None else moved or ZERO)
        return whole, whole, usual
    if amount is not None and moved:
        return money(amount), money(moved), rate or (amount / moved).quantize(Decimal("0.0000000001"))
    rate = rate or _day_rate(code, base, day)
    if amount is None:
        return money((moved or ZERO) * rate), money(moved or ZERO), rate
    return money(amount), in_base(money(amount), rate), rate


def _day_rate(code: str, base: str, day: Any) -> Decimal:
    try:
        return market_rate(code, base, day)
    except KeyError:
        return ONE


def _unpay(work: Work, payment: Record) -> Record:
    work.lock_dates(payment["Date"])
    work.stop()
    key = payment["Invoice"]["InvoiceID"]
    work.reverse(payment["PaymentID"])
    for path, _, _ in _PAID.values():
        document = work.get(path, key)
        if document is not None:
            work.put(path, books.without_payment(document, payment["PaymentID"], work.at))
    return work.put("Payments", {**payment, "Status": "DELETED", "IsReconciled": False, "CurrencyRate": ZERO})


PAYMENTS = Rule(save_payment, one="POST", summarize="PUT", flag="HasValidationErrors")


# --- batches of payments ---------------------------------------------------------------------------------


_BATCH_IN_PAYMENT = "Account BatchPaymentID Date Type Status TotalAmount UpdatedDateUTC IsReconciled"
"""What a payment shows of its batch (as recorded)."""


def _thin(batch: Record) -> Record:
    return {name: batch[name] for name in _BATCH_IN_PAYMENT.split() if name in batch}


def save_batch(work: Work, current: Record | None) -> Record:
    """Pay several invoices, or several bills, at once; of a batch that is there only the Status can be changed."""
    asked = work.asked
    if current is not None or work.origin.updates:
        return _delete_batch(work, current)
    bank = _bank(work, asked.get("Account"))
    if "Date" not in asked:
        work.refuse("Date must be specified")
    wanted = asked.get("Payments", [])
    if not wanted:
        work.refuse("One or more payments must be specified")
    for one in wanted:
        if "Invoice" not in one or ("Amount" not in one and "BankAmount" not in one):
            work.refuse("A payment of a batch needs an Invoice and an Amount")
    work.stop()
    found = [_document(work, {"Invoice": one["Invoice"]})[1] for one in wanted]
    if len({one["Type"] for one in found}) > 1:
        work.stop("The payments of a batch must all be for invoices or all be for bills")
    batch: Record = {
        "Account": {"AccountID": bank["AccountID"], "CurrencyCode": bank["CurrencyCode"]},
        "Reference": asked.get("Reference", ""),
        "BatchPaymentID": work.new_id(),
        "Date": asked["Date"],
        "Type": "PAYBATCH" if found[0]["Type"] == "ACCPAY" else "RECBATCH",
        "Status": "AUTHORISED",
        "TotalAmount": sum((money(one.get("BankAmount") or one["Amount"]) for one in wanted), ZERO),
        "UpdatedDateUTC": work.at,
        "IsReconciled": work.by_hand and asked.get("IsReconciled", False),
    }
    batch.update(
        {name: asked[name] for name in ("Particulars", "Code", "Details", "Narrative") if name in asked}
    )
    payments = [
        _pay(
            work,
            {
                "Reference": batch["Reference"],
                "IsReconciled": batch["IsReconciled"],
                **{name: one for name, one in each.items() if name != "PaymentID"},
                "Account": {"AccountID": bank["AccountID"]},
                "Date": asked["Date"],
            },
            batch,
        )
        for each in wanted
    ]
    batch["Payments"] = [
        {
            "Invoice": {name: one["Invoice"][name] for name in ("InvoiceID", "CurrencyCode")},
            **{name: one[name] for name in ("PaymentID", "Amount", "BankAmount")},
        }
        for one in payments
    ]
    return work.put("BatchPayments", batch)


def _delete_batch(work: Work, current: Record | None) -> Record:
    if current is None:
        work.stop("BatchPaymentID must be specified")
    batch = current or {}
    if work.asked.get("Status") != "DELETED" or set(work.asked) - {"BatchPaymentID", "Status"}:
        work.stop(ONLY_STATUS)
    if batch["Status"] == "DELETED":
        work.stop("Batch Payment not of valid status for modification")
    if batch.get("IsReconciled"):
        work.stop("This batch payment cannot be deleted as it has been reconciled with a Bank Statement.")
    gone = {**batch, "Status": "DELETED"}
    for one in batch["Payments"]:
        payment = work.get("Payments", one["PaymentID"])
        if payment is not None and payment["Status"] != "DELETED":
            _unpay(work, {**payment, "BatchPayment": _thin(gone)})
    return work.put("BatchPayments", gone)


BATCH_PAYMENTS = Rule(save_batch, summarize="PUT")


# --- allocations -----------------------------------------------------------------------------------------


def allocate(work: Work, identifier: str) -> Record:
    """Set a credit note, prepayment or overpayment against an invoice; returns the allocation."""
    asked = work.asked
    for name in ("Amount", "Date", "Invoice"):
        if name not in asked:
            work.refuse(f"{name} must be specified")
    work.stop()
    credit = work.get(work.path, identifier) or {}
    _, invoice = _document(work, {"Invoice": asked["Invoice"]})
    amount = money(asked["Amount"])
    if credit["Status"] != "AUTHORISED" or invoice["Status"] != "AUTHORISED":
        work.refuse("Allocations can only be made between Authorised documents")
    if credit["Contact"]["ContactID"] != invoice["Contact"]["ContactID"]:
        work.refuse("The credit and the invoice must belong to the same contact")
    if books.is_sale(credit) != books.is_sale(invoice) or credit["CurrencyCode"] != invoice["CurrencyCode"]:
        work.refuse("The credit and the invoice must be of the same kind and currency")
    if amount <= 0:
        work.refuse("Allocation amount must be greater than zero")
    if amount > credit["RemainingCredit"]:
        work.refuse("Allocation amount exceeds the remaining credit of this document")
    if amount > invoice["AmountDue"]:
        work.refuse("Allocation amount exceeds the amount outstanding on this document")
    work.lock_dates(asked["Date"])
    work.stop()
    allocation_id = work.new_id(f"/{identifier}/allocation/{len(credit['Allocations'])}")
    work.post(
        work.ledger.post_allocation(credit, invoice, amount, asked["Date"], work.at),
        None if work.by_hand else _journal_of(allocation_id),
    )
    credit, invoice = books.with_allocation(
        credit, invoice, allocation_id=allocation_id, amount=amount, day=asked["Date"], at=work.at
    )
    work.put(work.path, credit)
    work.put("Invoices", invoice)
    return dict(credit["Allocations"][-1])


def _journal_of(allocation_id: str) -> str:
    """The id of an allocation's journal, which has the credit for its source like the credit's own."""
    return str(uuid.uuid5(uuid.UUID(allocation_id), "journal"))


def deallocate(work: Work, credit: Record, allocation: Record) -> Record:
    """Take an allocation back; returns the allocation."""
    work.lock_dates(allocation["Date"])
    work.stop()
    invoice = work.get("Invoices", allocation["Invoice"]["InvoiceID"]) or {}
    work.post(work.ledger.reverse(_allocation_journal(work, credit, allocation), work.at))
    left, open_again = books.without_allocation(credit, invoice, allocation["AllocationID"], work.at)
    work.put(work.path, left)
    work.put("Invoices", open_again)
    return {**allocation, "IsDeleted": True}


def _allocation_journal(work: Work, credit: Record, allocation: Record) -> Record:
    """The journal of an allocation: by its id, or for one made before the sandbox began, by its day and amount."""
    known = work.get("Journals", _journal_of(allocation["AllocationID"]))
    if known is not None:
        return known
    wanted = in_base(allocation["Amount"], credit.get("CurrencyRate"))
    control = work.ledger.control(credit)["AccountID"]
    alike = [
        journal
        for journal in work.standing(books.document_id(credit))
        if [line["AccountID"] for line in journal["JournalLines"][:2]] == [control, control]
    ]
    return min(
        alike,
        key=lambda one: (
            one["JournalDate"] != allocation["Date"],
            abs(abs(one["JournalLines"][0]["NetAmount"]) - wanted),
        ),
    )
