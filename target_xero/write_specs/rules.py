"""The rules of single objects, which their rows name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.payload import REFERENCES, Content
from target_xero.content.values import InvalidRecord

_NOTE_LENGTH = 2500
#: By the ending of its PaymentType, what a refund pays back.
_REFUNDS = {
    "CREDITPAYMENT": "CreditNote",
    "OVERPAYMENTPAYMENT": "Overpayment",
    "PREPAYMENTPAYMENT": "Prepayment",
}
#: What a payment can pay.
PAYABLE = ("Invoice", *_REFUNDS.values())
_PAYS_INVOICE = frozenset({None, "ACCRECPAYMENT", "ACCPAYPAYMENT"})


def is_own_rate(tax_type: str) -> bool:
    """Tell whether a tax type is an organisation's own: TAX001 and so on. Xero's are the same everywhere."""
    return tax_type.startswith("TAX") and tax_type[3:].isdigit()


def check_note(sent: Mapping[str, Any]) -> None:
    """Raise `InvalidRecord` for a note that is too long."""
    if len(str(sent.get("Details", ""))) > _NOTE_LENGTH:
        raise InvalidRecord(f"a note has at most {_NOTE_LENGTH:,} characters", "Details")


def check_balance(sent: Mapping[str, Any]) -> None:
    """Raise `InvalidRecord` for a journal whose lines do not sum to zero. Where Xero adds tax, only Xero can check."""
    lines = sent.get("JournalLines")
    if not lines:
        return
    for index, line in enumerate(lines):
        if "LineAmount" not in line:
            raise InvalidRecord("it is required", f"JournalLines[{index}].LineAmount")
    exclusive = str(sent.get("LineAmountTypes", "")).lower() == "exclusive"
    if exclusive and any(line.get("TaxType", "NONE") != "NONE" for line in lines):
        return
    if len(lines) < 2:
        raise InvalidRecord("a journal needs two lines", "JournalLines")
    if total := sum(line["LineAmount"] for line in lines):
        raise InvalidRecord(f"the lines must add up to zero, not to {total}", "JournalLines")


def is_unbalanced(record: Any) -> bool:
    """Tell whether a journal needs `check_balance`."""
    if record.JournalLines is None:
        return False
    amounts = [line.LineAmount for line in record.JournalLines]
    return None in amounts or len(amounts) < 2 or bool(sum(amounts))


def name_what_is_paid(content: Content) -> None:
    """Make a payment name the one document that it pays.

    Xero lists refunds of credit notes, overpayments and prepayments as if they paid an invoice of that id, and puts the
    number of the document beside the payment.
    """
    sent = content.sent
    for name in ("Invoice", "CreditNote"):
        number = sent.pop(f"{name}Number", None)
        if number and not any(other in sent for other in PAYABLE):
            sent[name] = {f"{name}Number": number}
    paid = sent.get("Invoice", {}).get("InvoiceID")
    kind = str(content.aside.get("PaymentType", ""))
    for ending, name in _REFUNDS.items():
        if paid and kind.endswith(ending):
            del sent["Invoice"]
            sent[name] = {REFERENCES[name][0]: paid}
            return


def may_be_refund(record: Any) -> bool:
    """Tell whether a payment needs `name_what_is_paid`."""
    return (
        record.InvoiceNumber is not None
        or record.CreditNoteNumber is not None
        or record.PaymentType not in _PAYS_INVOICE
    )
