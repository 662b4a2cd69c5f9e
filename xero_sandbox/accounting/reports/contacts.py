"""Reports on contacts: aged receivables and payables, and payments to suppliers (1099)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from ...values import ZERO, Record
from ..currencies import in_base
from ..general_ledger import Books, month_end
from ..settlement import CREDIT_KEYS, SETTLED_DOCUMENTS, document_id, is_credit, is_sale
from .layout import cell, header, money, plus, row, section
from .request import Request, long_date


def aged(request: Request) -> dict[str, Any]:
    """What one contact owes or is owed, document by document, in base currency."""
    contact = _contact(request)
    day = request.day("date", month_end(request.today))
    first, last = request.day("fromDate", date.min), request.day("toDate", day)
    sales = request.name == "AgedReceivablesByContact"
    layout = list[str] if sales else _with_blanks
    opening, closing = [ZERO] * 4, [ZERO] * 4
    rows = []
    for document in _documents(request.books, contact["ContactID"], sales=sales):
        amounts = _as_at(document, day)
        if not amounts[3] or document["Date"] > last:
            continue
        if document["Date"] < first:
            opening[3] += amounts[3]
        else:
            closing = plus(closing, amounts)
            mark = ("invoiceID", document_id(document))
            values = [*_heading(document, day, sales=sales), *map(money, amounts)]
            rows.append(row(cell(value, mark) for value in layout(values)))
    columns = ["Date", "Number" if sales else "Reference", "Due Date", "", "Total", "Paid", "Credited", "Due"]
    body, span = [header(*layout(columns))], f"To {long_date(last)}"

    def summary(text: str, amounts: list[Decimal]) -> Record:
        return row(map(cell, layout([text, "", "", "", *map(money, amounts)])), "SummaryRow")

    started = request.text("fromDate")
    if started:
        span = f"From {long_date(first)} to {long_date(last)}"
        start = [f"{first}T00:00:00", "Opening Balance", "", "", "", "", "", money(opening[3])]
        body.append(section("", [row(map(cell, layout(start)))]))
    if rows or started:  # as recorded: without a document, the report is only the header
        body.append(section("", [*rows, summary("Total", closing)]))
    if started:
        body.append(section("", [summary("Closing Balance", plus(opening, closing))]))
    titles = ("Invoices", contact["Name"], span, f"Showing payments to {long_date(day)}")
    return request.report(titles, body)


def _contact(request: Request) -> Record:
    contact_id = request.guid("contactId")
    if contact_id is None:
        raise ValueError("The contactId parameter is required")
    contact = next((c for c in request.books.records("Contacts") if c["ContactID"] == contact_id), None)
    if contact is None:
        raise ValueError(f"The contact '{contact_id}' could not be found")
    return contact


def _with_blanks(values: list[str]) -> list[str]:
    """The row in the layout of payables (recorded in August 2026): an empty column after each amount."""
    return [*values[:4], *(text for value in values[4:] for text in (value, ""))]


def _documents(books: Books, contact_id: str, *, sales: bool) -> list[Record]:
    """The contact's approved sales documents, or the others, oldest first."""
    found = [
        document
        for resource in SETTLED_DOCUMENTS
        for document in books.records(resource)
        if document["Status"] in ("AUTHORISED", "PAID")
        and document["Contact"]["ContactID"] == contact_id
        and is_sale(document) == sales
    ]
    return sorted(found, key=lambda d: (d["Date"], d.get("InvoiceNumber") or d.get("CreditNoteNumber") or ""))


def _as_at(document: Record, day: date) -> list[Decimal]:
    """Total, paid, credited and due in base currency on `day`; negative for a credit."""

    def until(rows: list[Record], field: str) -> Decimal:
        return sum((one[field] for one in rows if one["Date"] <= day), ZERO)

    rate, paid = document.get("CurrencyRate"), until(document["Payments"], "Amount")
    if is_credit(document):
        sign, credited = -1, until(document["Allocations"], "Amount")
    else:
        sign = 1
        credited = sum((until(document[key], "AppliedAmount") for key in CREDIT_KEYS.values()), ZERO)
    whole, in_paid = in_base(document["Total"], rate), in_base(paid, rate)
    in_credited = in_base(paid + credited, rate) - in_paid
    return [sign * one + ZERO for one in (whole, in_paid, in_credited, whole - in_paid - in_credited)]


def _heading(document: Record, day: date, *, sales: bool) -> list[str]:
    """Date, number or reference, due date, and how long the document is overdue."""
    number = document.get("InvoiceNumber") or document.get("Reference", "")
    if sales or is_credit(document):
        number = document.get("InvoiceNumber") or document.get("CreditNoteNumber") or number
    due = document.get("DueDate")
    late = f"{(day - due).days} days overdue" if due and due < day else ""
    return [f"{document['Date']}T00:00:00", number, f"{due}T00:00:00" if due else "", late]


def ten_ninety_nine(request: Request) -> dict[str, Any]:
    """Payments to suppliers in a calendar year, for organisations in the United States only.

    Xero puts a payment into the box that the user's own 1099 rules name. The sandbox has no such rules and shows
    everything in box 1 of the 1099-NEC, from 600 dollars on.
    """
    if not request.american:
        raise ValueError("The 1099 report is only available to organisations in the United States")
    year = request.number("reportYear", request.today.year - 1, range(2000, request.today.year + 1))
    paid: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for payment in request.books.records("Payments"):
        live = payment["Status"] == "AUTHORISED" and payment["PaymentType"] == "ACCPAYPAYMENT"
        if live and payment["Date"].year == year:
            paid[payment["Invoice"]["Contact"]["ContactID"]] += payment["Amount"]
    contacts = [
        {
            "Box1": paid[c["ContactID"]],
            "Name": c["Name"],
            "Email": c.get("EmailAddress", ""),
            "ContactId": c["ContactID"],
        }
        for c in request.books.records("Contacts")
        if paid.get(c["ContactID"], ZERO) >= 600
    ]
    span = f"1 Jan {year} to 31 Dec {year}"
    return {"ReportName": "1099-NEC report", "ReportDate": span, "Fields": [], "Contacts": contacts}
