"""The ledger on a cash basis: income and costs count on the day on which money settles their documents.

Xero's reports (`paymentsOnly`) and its Journals (the same parameter) show this ledger. A payment posts its
share of the paid document's lines instead of receivables or payables; so does an allocated credit. Bank
transactions without a document, and manual journals shown on cash basis reports, do not change.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property

from ..values import ZERO, Record, money
from .currencies import in_base
from .general_ledger import Books, Entry, entries
from .ledger import nearest, of_allocations, standing, tracking_of
from .settlement import SETTLED_DOCUMENTS, document_id, is_credit, is_sale

_IN_LEDGER = ("ACCREC", "ACCPAY", "ACCRECCREDIT", "ACCPAYCREDIT")
"""Document types that post on their own date on the accrual basis, and when they are settled on the cash basis."""


def cash_journals(books: Books) -> list[Record]:
    """The journals on a cash basis, by number. A document's journal counts only to the extent that the
    document is settled."""
    cash = _CashBasis(books)
    return [made for journal in cash.journals if (made := cash.journal(journal)) is not None]


class _CashBasis:
    """Turns the journals of an organisation into those of the cash basis."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.journals = list(books.records("Journals"))
        self.accounts = {account["AccountID"]: account for account in books.records("Accounts")}
        system = {one.get("SystemAccount"): key for key, one in self.accounts.items()}
        self.control = system.get("DEBTORS", ""), system.get("CREDITORS", "")
        self.documents = {
            document_id(document): document
            for resource in SETTLED_DOCUMENTS
            for document in books.records(resource)
        }
        self.payments = {payment["PaymentID"]: payment for payment in books.records("Payments")}
        self.hidden = {
            manual["ManualJournalID"]
            for manual in books.records("ManualJournals")
            if not manual.get("ShowOnCashBasisReports", True)
        }

    @cached_property
    def lines(self) -> dict[str, list[Entry]]:
        """What each invoice or credit note posted to accounts other than its control account, net of reversals."""
        sums: dict[str, dict[tuple[str, frozenset[str]], Decimal]] = {
            key: defaultdict(lambda: ZERO)
            for key, document in self.documents.items()
            if document.get("Type") in _IN_LEDGER
        }
        for entry in entries(self.journals):
            if entry.source in sums and entry.account not in self.control:
                sums[entry.source][entry.account, entry.options] += entry.net
        return {
            key: [
                Entry(date.min, account, net, options, key)
                for (account, options), net in found.items()
                if net
            ]
            for key, found in sums.items()
        }

    @cached_property
    def allocations(self) -> dict[str, tuple[Record, Record, Record]]:
        """Credit, allocation and invoice by the id of the journal that the allocation made."""
        found: dict[str, tuple[Record, Record, Record]] = {}
        by_source: dict[str, list[Record]] = defaultdict(list)
        for journal in self.journals:
            by_source[journal.get("SourceID", "")].append(journal)
        for key, credit in self.documents.items():
            if not is_credit(credit) or not credit.get("Allocations"):
                continue
            alike = of_allocations(standing(by_source[key], key), self.control)
            for allocation in credit["Allocations"][: len(alike)]:
                journal = nearest(alike, credit, allocation)
                alike.remove(journal)
                invoice = self.documents[allocation["Invoice"]["InvoiceID"]]
                found[journal["JournalID"]] = credit, allocation, invoice
        return found

    def journal(self, journal: Record) -> Record | None:
        """A journal on the cash basis; None if it has no effect there."""
        source = journal.get("SourceID", "")
        if source in self.hidden:
            return None
        if journal["JournalID"] in self.allocations:
            return self._allocated(journal)
        payment = self.payments.get(source)
        if payment is not None:
            return self._paid(journal, payment)
        if source in self.lines or journal.get("SourceType") in _IN_LEDGER:
            return None
        return journal

    def _paid(self, journal: Record, payment: Record) -> Record:
        """A payment, posted to the accounts of the paid document instead of receivables or payables."""
        charged = self.lines.get((payment.get("Invoice") or {}).get("InvoiceID", ""))
        if not charged:
            return journal
        lines: list[Record] = []
        for line in journal["JournalLines"]:
            if line["AccountID"] in self.control:
                lines += self._shares(line["NetAmount"], charged)
            else:
                lines.append(line)
        return _with_lines(journal, lines)

    def _allocated(self, journal: Record) -> Record | None:
        """An allocation: the invoice's accounts against the credit's."""
        credit, allocation, invoice = self.allocations[journal["JournalID"]]
        amount = in_base(allocation["Amount"], invoice.get("CurrencyRate"))
        amount = -amount if is_sale(invoice) else amount
        account = self.control[0 if is_sale(invoice) else 1]
        kept = [] if document_id(credit) in self.lines else journal["JournalLines"]
        charged = self.lines.get(document_id(invoice))
        if not charged:
            return _with_lines(journal, kept) if kept else None
        held = self.lines.get(document_id(credit)) or [
            Entry(allocation["Date"], account, -amount, frozenset(), document_id(credit))
        ]
        return _with_lines(journal, [*kept, *self._shares(amount, charged), *self._shares(-amount, held)])

    def _shares(self, amount: Decimal, lines: list[Entry]) -> list[Record]:
        """Journal lines that spread `amount` over the entries in proportion, exact to the cent."""
        whole = sum((line.net for line in lines), ZERO)
        if not whole:
            return []
        found, left = [], amount
        for place, line in enumerate(lines, 1):
            part = left if place == len(lines) else money(amount * line.net / whole)
            left -= part
            found.append(self._line(line, part))
        return found

    def _line(self, entry: Entry, net: Decimal) -> Record:
        account = self.accounts.get(entry.account, {})
        return {
            "AccountID": entry.account,
            **({"AccountCode": account["Code"]} if account.get("Code") else {}),
            "AccountType": account.get("Type", ""),
            "AccountName": account.get("Name", ""),
            "NetAmount": net,
            "GrossAmount": net,
            "TaxAmount": ZERO,
            "TrackingCategories": [
                self.options[option] for option in sorted(entry.options) if option in self.options
            ],
        }

    @cached_property
    def options(self) -> Mapping[str, Record]:
        """Tracking options in the form that journal lines use."""
        return {
            option["TrackingOptionID"]: tracking_of(category, option)
            for category in self.books.records("TrackingCategories")
            for option in category.get("Options") or ()
        }


def _with_lines(journal: Record, lines: Iterable[Record]) -> Record:
    """The journal with these lines; their ids are the same on every read."""
    space = uuid.uuid5(uuid.NAMESPACE_OID, str(journal["JournalID"]))
    return {
        **journal,
        "JournalLines": [
            line if "JournalLineID" in line else {"JournalLineID": str(uuid.uuid5(space, str(place))), **line}
            for place, line in enumerate(lines)
        ],
    }
