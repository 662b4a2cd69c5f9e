"""The everyday business of one organisation, entered in Xero: invoices go out, payments come in.

A `Bookkeeper` writes by the rules that also answer the API, as a person who works in Xero itself, at any time
in the past. A write that breaks a rule is a mistake in the story and raises `ValueError`. Further fields of a
record are keyword arguments with Xero's names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ..accounting import settlement
from ..resources import RESOURCES
from ..rules import payments
from ..rules.work import tried
from ..values import Record
from .entries import Entries


class Bookkeeper(Entries):
    """Enters documents, payments and journals."""

    def document(
        self,
        path: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        name: str,
        **fields: Any,
    ) -> Record:
        """An approved document in the base currency, unless `fields` say otherwise; `name` makes its ids."""
        element = {
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "Status": "AUTHORISED",
            "LineItems": list(lines),
            "CurrencyCode": self.chart.base_currency,
            **fields,
        }
        return self.create(path, element, at, name)

    def invoice(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        name: str,
        due: date | None,
        **fields: Any,
    ) -> Record:
        """A sales invoice (ACCREC) or bill (ACCPAY). Most drafts get their DueDate on approval, as recorded."""
        draft = fields.get("Status") in ("DRAFT", "SUBMITTED")
        if due is not None and not (draft and int(self.guid(name)[:2], 16) % 4):
            fields["DueDate"] = due
        return self.document("Invoices", contact_id, day, at, lines, name, Type=kind, **fields)

    def end(self, resource: str, key: str, status: str, at: datetime) -> Record:
        """Void or delete a document; a reconciled bank transaction is unreconciled first."""
        record = self.get(resource, key)
        if record.get("IsReconciled"):
            self.organisation.put(resource, {**record, "IsReconciled": False}, touch=False)
        return self.update(resource, key, at, Status=status)

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
        element = {
            resource.removesuffix("s"): {RESOURCES[resource].id: key},
            "Account": {"Code": bank or self.bank},
            "Date": day,
            "Amount": settlement.left(self.get(resource, key)) if amount is None else amount,
            "Reference": reference,
            "IsReconciled": reconciled,
        }
        return self.create("Payments", element, at, "")

    def pay_batch(
        self, keys: Sequence[str], day: date, at: datetime, *, reference: str, reconciled: bool = True
    ) -> Record:
        """Pay several invoices or several bills with one bank payment; everything changes at the same instant."""
        documents = [self.get("Invoices", key) for key in keys]
        element: Record = {
            "Account": {"Code": self.bank},
            "Reference": reference,
            "Date": day,
            "IsReconciled": reconciled,
            "Payments": [
                {"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": one["AmountDue"]} for one in documents
            ],
        }
        if documents[0]["Type"] == "ACCPAY":
            element.update(Particulars="Invoices", Code="Tōtara", Details=f"{day:%d %b %Y}")
            element["Narrative"] = f"Pay {day:%d %b %Y}"
        return self.create("BatchPayments", element, at, f"batch/{day}/{keys[0]}")

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
        name: str,
        bank: str | None = None,
        **fields: Any,
    ) -> Record:
        """Money spent or received; -OVERPAYMENT and -PREPAYMENT create that credit as well."""
        account = {"Code": bank or self.bank}
        fields = {"Type": kind, "BankAccount": account, "IsReconciled": True, **fields}
        return self.document("BankTransactions", contact_id, day, at, lines, name, **fields)

    def transfer(
        self, source: str, target: str, amount: Decimal, day: date, at: datetime, *, reference: str
    ) -> Record:
        """Move money between two bank accounts, which also makes a bank transaction in each of them."""
        element = {
            "FromBankAccount": {"Code": source},
            "ToBankAccount": {"Code": target},
            "Amount": amount,
            "Date": day,
            "Reference": reference,
            "FromIsReconciled": True,
            "ToIsReconciled": True,
        }
        return self.create("BankTransfers", element, at, f"transfer/{day}/{source}/{target}")

    def manual_journal(
        self,
        narration: str,
        day: date,
        at: datetime,
        lines: Sequence[tuple[str, str, Decimal]],
        *,
        tracking: Sequence[tuple[str, str]] = (),
        **fields: Any,
    ) -> Record:
        """A posted manual journal from (account code, description, amount) lines; a debit is positive."""
        tracked = [{"Name": name, "Option": option} for name, option in tracking]
        element = {
            "Narration": narration,
            "Date": day,
            "Status": "POSTED",
            "JournalLines": [
                {
                    "Description": description,
                    "LineAmount": amount,
                    "AccountCode": code,
                    "Tracking": tracked if code[0] in "234" else [],
                }
                for code, description, amount in lines
            ],
            **fields,
        }
        return self.create("ManualJournals", element, at, f"manual/{day}/{narration}")
