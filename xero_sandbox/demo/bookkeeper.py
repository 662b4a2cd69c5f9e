"""The everyday business of one organisation, entered in Xero: invoices go out, payments come in.

A `Bookkeeper` writes by the rules that also answer the API, as a person who works in Xero itself, at any time
in the past. A write that breaks a rule is a mistake in the story and raises `ValueError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ..accounting import double_entry as books
from ..accounting.double_entry import Posting, Record
from ..resources import RESOURCES
from ..rules import payments
from ..rules.work import tried
from .entries import Entries

_DOCUMENT_OF = {
    "Invoices": "Invoice",
    "CreditNotes": "CreditNote",
    "Prepayments": "Prepayment",
    "Overpayments": "Overpayment",
}
"""The field of a payment that names the paid document."""


class Bookkeeper(Entries):
    """Enters documents, payments and journals."""

    def invoice(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        due: date | None,
        number: str = "",
        reference: str = "",
        status: str = "AUTHORISED",
        amounts: str = "Exclusive",
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A sales invoice (ACCREC) or bill (ACCPAY).

        Most drafts have no DueDate yet, as recorded; they get one when they are approved.
        """
        asked = self._document(kind, contact_id, day, lines, status, amounts, currency, more)
        asked.update(InvoiceNumber=number, Reference=reference)
        undecided = status in ("DRAFT", "SUBMITTED") and int(self.guid(name)[:2], 16) % 4
        if due is not None and not undecided:
            asked["DueDate"] = due
        return self.create("Invoices", asked, at, name)

    def credit_note(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        number: str = "",
        reference: str = "",
        status: str = "AUTHORISED",
        amounts: str = "Exclusive",
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A credit note to a customer (ACCRECCREDIT) or from a supplier (ACCPAYCREDIT)."""
        asked = self._document(kind, contact_id, day, lines, status, amounts, currency, more)
        return self.create(
            "CreditNotes", {**asked, "CreditNoteNumber": number, "Reference": reference}, at, name
        )

    def _document(
        self,
        kind: str,
        contact_id: str,
        day: date,
        lines: Sequence[Record],
        status: str,
        amounts: str,
        currency: str | None,
        more: Mapping[str, Any],
    ) -> Record:
        return {
            "Type": kind,
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "Status": status,
            "LineAmountTypes": amounts,
            "LineItems": list(lines),
            "CurrencyCode": currency or self.chart.base_currency,
            **more,
        }

    def approve(self, resource: str, key: str, at: datetime, **more: Any) -> Record:
        """A draft or submitted invoice, bill or credit note becomes AUTHORISED."""
        return self.update(resource, key, at, Status="AUTHORISED", **more)

    def end(self, resource: str, key: str, status: str, at: datetime) -> Record:
        """Void or delete a document; a reconciled bank transaction is unreconciled first."""
        record = self.get(resource, key)
        if record.get("IsReconciled"):
            self.organisation.put(resource, {**record, "IsReconciled": False}, touch=False)
        return self.update(resource, key, at, Status=status)

    def new_status(self, resource: str, key: str, status: str, at: datetime) -> Record:
        """Change the status of an order or a quote; an update of a quote repeats its heading."""
        record = self.get(resource, key)
        again = ("Contact", "Date", "QuoteNumber", "Terms") if resource == "Quotes" else ()
        return self.update(resource, key, at, Status=status, **{name: record[name] for name in again})

    def pay(
        self,
        resource: str,
        key: str,
        day: date,
        at: datetime,
        *,
        amount: Decimal | None = None,
        bank: str | None = None,
        reference: str = "",
        reconciled: bool = True,
    ) -> Record:
        """Pay an invoice or bill, or refund a credit: all that is left, or `amount`."""
        document = self.get(resource, key)
        left = document["RemainingCredit" if books.is_credit(document) else "AmountDue"]
        asked = {
            _DOCUMENT_OF[resource]: {RESOURCES[resource].id: key},
            "Account": {"Code": bank or self.bank},
            "Date": day,
            "Amount": left if amount is None else amount,
            "Reference": reference,
            "IsReconciled": reconciled,
        }
        return self.create("Payments", asked, at, "")

    def delete_payment(self, payment_id: str, at: datetime) -> Record:
        """Delete a payment: it stays with the status DELETED, and its document is open again."""
        return self.update("Payments", payment_id, at, Status="DELETED")

    def pay_batch(
        self, keys: Sequence[str], day: date, at: datetime, *, reference: str, reconciled: bool = True
    ) -> Record:
        """Pay several invoices or several bills with one bank payment; everything changes at the same instant."""
        documents = [self.get("Invoices", key) for key in keys]
        asked: Record = {
            "Account": {"Code": self.bank},
            "Reference": reference,
            "Date": day,
            "IsReconciled": reconciled,
            "Payments": [
                {"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": one["AmountDue"]} for one in documents
            ],
        }
        if documents[0]["Type"] == "ACCPAY":
            asked.update(Particulars="Invoices", Code="Tōtara", Details=f"{day:%d %b %Y}")
            asked["Narrative"] = f"Pay {day:%d %b %Y}"
        return self.create("BatchPayments", asked, at, f"batch/{day}/{keys[0]}")

    def allocate(self, resource: str, credit_id: str, invoice_id: str, day: date, at: datetime) -> None:
        """Allocate as much of a credit note, prepayment or overpayment to an invoice as possible."""
        credit, invoice = self.get(resource, credit_id), self.get("Invoices", invoice_id)
        amount = min(credit["RemainingCredit"], invoice["AmountDue"])
        work = self._work(resource, {"Amount": amount, "Date": day, "Invoice": {"InvoiceID": invoice_id}}, at)
        self._done(tried(work, lambda: payments.allocate(work, credit_id)))

    def bank_transaction(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        bank: str | None = None,
        reference: str = "",
        amounts: str = "Inclusive",
        reconciled: bool = True,
        **more: Any,
    ) -> Record:
        """Money spent or received; -OVERPAYMENT and -PREPAYMENT make that credit as well."""
        asked = {
            "Type": kind,
            "BankAccount": {"Code": bank or self.bank},
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "LineAmountTypes": amounts,
            "LineItems": list(lines),
            "Reference": reference,
            "IsReconciled": reconciled,
            **more,
        }
        return self.create("BankTransactions", asked, at, name)

    def transfer(
        self, source: str, target: str, amount: Decimal, day: date, at: datetime, *, reference: str = ""
    ) -> Record:
        """Move money between two bank accounts; each side is a bank transaction of its own as well."""
        asked = {
            "FromBankAccount": {"Code": source},
            "ToBankAccount": {"Code": target},
            "Amount": amount,
            "Date": day,
            "Reference": reference,
            "FromIsReconciled": True,
            "ToIsReconciled": True,
        }
        return self.create("BankTransfers", asked, at, f"transfer/{day}/{source}/{target}")

    def manual_journal(
        self,
        narration: str,
        day: date,
        at: datetime,
        lines: Sequence[tuple[str, str, Decimal]],
        *,
        status: str = "POSTED",
        tracking: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> Record:
        """A manual journal from (account code, description, amount) lines; a debit is positive."""
        tracked = [{"Name": name, "Option": option} for name, option in tracking]
        asked = {
            "Narration": narration,
            "Date": day,
            "Status": status,
            "JournalLines": [
                {
                    "Description": description,
                    "LineAmount": amount,
                    "AccountCode": code,
                    "Tracking": tracked if code[0] in "234" else [],
                }
                for code, description, amount in lines
            ],
            **more,
        }
        return self.create("ManualJournals", asked, at, f"manual/{day}/{narration}")

    def order(
        self,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        number: str,
        status: str,
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A purchase order; orders never touch the ledger."""
        asked = {
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "PurchaseOrderNumber": number,
            "Status": status,
            "CurrencyCode": currency or self.chart.base_currency,
            "LineItems": list(lines),
            "SentToContact": status in ("AUTHORISED", "BILLED"),
            **more,
        }
        return self.create("PurchaseOrders", asked, at, f"order/{number}")

    def quote(
        self,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        number: str,
        status: str,
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A quote."""
        asked = {
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "QuoteNumber": number,
            "Status": status,
            "CurrencyCode": currency or self.chart.base_currency,
            "LineItems": list(lines),
            **more,
        }
        return self.create("Quotes", asked, at, f"quote/{number}")

    def opening(self, day: date, at: datetime, amounts: Mapping[str, Decimal]) -> None:
        """Conversion balances: a journal without source, as Xero keeps them."""
        chart = self.chart
        postings = [Posting(chart.account({"Code": code}), amount) for code, amount in amounts.items()]
        self.post(at, lambda ledger: ledger.journal(None, day, at, postings, "Conversion balances"))
