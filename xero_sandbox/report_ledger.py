"""The general ledger as reports read it: entries from journals, on an accrual or a cash basis, and their calendar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol

from .books import ZERO, Record, document_id, in_base, is_credit, is_sale


class Books(Protocol):
    """Where reports read from."""

    def records(self, resource: str) -> Iterable[Record]:
        """All records of a resource."""

    def now(self) -> datetime:
        """The present, an aware datetime."""


class Entry(NamedTuple):
    """A line of the ledger: a debit is positive, amounts in base currency."""

    day: date
    account: str
    net: Decimal
    options: frozenset[str]
    source: str


def accrued(books: Books) -> Iterable[Entry]:
    """Every line of every journal."""
    for journal in books.records("Journals"):
        day, source = journal["JournalDate"], journal.get("SourceID", "")
        for line in journal["JournalLines"]:
            options = frozenset(
                t["TrackingOptionID"] for t in line["TrackingCategories"] if "TrackingOptionID" in t
            )
            yield Entry(day, line["AccountID"], line["NetAmount"], options, source)


def on_cash_basis(books: Books, entries: list[Entry]) -> list[Entry]:
    """The ledger as if documents happened when money did.

    A payment takes its share of the lines of what it pays in the place of receivables or payables; so does a credit
    that is set against an invoice. Manual journals count if they say so.
    """
    documents: dict[str, Record] = {}
    for resource in ("Invoices", "CreditNotes", "Prepayments", "Overpayments"):
        for document in books.records(resource):
            documents[document_id(document)] = document
    payments = {p["PaymentID"]: p for p in books.records("Payments")}
    hidden = {
        m["ManualJournalID"]
        for m in books.records("ManualJournals")
        if not m.get("ShowOnCashBasisReports", True)
    }
    lines = _lines_in_ledger(books, entries, documents)
    system = {a.get("SystemAccount"): a["AccountID"] for a in books.records("Accounts")}
    receivables, payables = system["DEBTORS"], system["CREDITORS"]
    control = (receivables, payables)
    found: list[Entry] = []
    for entry in entries:
        if entry.source in hidden or (entry.source in lines and entry.source not in payments):
            continue
        payment = payments.get(entry.source)
        paid = lines.get(payment["Invoice"]["InvoiceID"]) if payment and entry.account in control else None
        found += _share(entry, entry.net, paid) if paid else [entry]
    for key, document in documents.items():
        for allocation in document["Allocations"] if is_credit(document) else ():
            invoice = documents[allocation["Invoice"]["InvoiceID"]]
            amount = in_base(allocation["Amount"], invoice.get("CurrencyRate"))
            amount = -amount if is_sale(invoice) else amount
            account = receivables if is_sale(invoice) else payables
            at = Entry(allocation["Date"], account, -amount, frozenset(), key)
            charged = lines.get(document_id(invoice))
            if charged:
                found += [*_share(at, amount, charged), *_share(at, -amount, lines.get(key) or [at])]
    return found


def _lines_in_ledger(
    books: Books, entries: list[Entry], documents: Mapping[str, Record]
) -> dict[str, list[Entry]]:
    """Per invoice or credit note what it put into the ledger beside receivables and payables, net of reversals."""
    control = {
        a["AccountID"]
        for a in books.records("Accounts")
        if a.get("SystemAccount") in ("DEBTORS", "CREDITORS")
    }
    kinds = ("ACCREC", "ACCPAY", "ACCRECCREDIT", "ACCPAYCREDIT")
    wanted = {key for key, document in documents.items() if document["Type"] in kinds}
    sums: dict[str, dict[tuple[str, frozenset[str]], Decimal]] = {
        key: defaultdict(lambda: ZERO) for key in wanted
    }
    for entry in entries:
        if entry.source in sums and entry.account not in control:
            sums[entry.source][entry.account, entry.options] += entry.net
    return {
        key: [Entry(date.min, account, net, options, key) for (account, options), net in lines.items() if net]
        for key, lines in sums.items()
    }


def _share(at: Entry, amount: Decimal, lines: list[Entry]) -> list[Entry]:
    """`amount` spread over lines in proportion to theirs, to the last cent, on the day of `at`."""
    whole = sum((line.net for line in lines), ZERO)
    if not whole:
        return []
    found, left = [], amount
    for n, line in enumerate(lines):
        part = (
            left
            if n == len(lines) - 1
            else (amount * line.net / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)
        )
        left -= part
        found.append(Entry(at.day, line.account, part, line.options, at.source))
    return found


def month_end(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def shifted(day: date, months: int) -> date:
    """The same day so many months away; the end of a month stays one, 29 February included."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    last = month_end(first)
    return last if day == month_end(day) else first.replace(day=min(day.day, last.day))
