"""What the demo company buys, and how it pays its suppliers."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...accounting.currencies import market_rate
from ...values import TEN_THOUSANDTH, Record
from ..company import TODAY
from . import names
from .sales import Sales
from .setting import START, amount

DISPUTE = date(2026, 6, 1)
"""From this day on the radio station's bills are disputed and not paid."""


class Purchases(Sales):
    """Bills, suppliers' credit notes and the weekly pay run."""

    def bill(self, at: datetime, day: date, index: int, value: float | None = None, **fields: Any) -> None:
        """A bill of the supplier in row `index`, and the events that follow unless `fields` have a Status."""
        rnd = self.random
        contact, row = self.suppliers[index]
        lines, due = self._bill_lines(row, value), self.due(contact["ContactID"], day)
        self._bills += 1
        if rnd.random() < 0.1:
            fields["PlannedPaymentDate"] = due
        first, second, *_ = row["name"].split()
        number = f"{first[0]}{second[0]}-{4000 + 37 * self._bills}".upper()
        fate = rnd.random()
        status = "DRAFT" if fate < 0.03 else "SUBMITTED" if fate < 0.08 else "AUTHORISED"
        amounts = "Inclusive" if index % 5 == 4 else "Exclusive"
        usual = {
            "Status": status,
            "LineAmountTypes": amounts,
            "CurrencyCode": row["currency"],
            "InvoiceNumber": number,
        }
        record = self.bookkeeper.invoice(
            "ACCPAY", contact["ContactID"], day, at, lines, f"bill/{self._bills}", due, **{**usual, **fields}
        )
        later = self.after(day, rnd.randrange(1, 5))
        if "Status" not in fields:
            self._after_bill(record["InvoiceID"], status, fate, later)

    def _bill_lines(self, row: dict[str, str], value: float | None) -> list[Record]:
        """The lines of a supplier's bill."""
        rnd, currency, code = self.random, row["currency"], row["account"]
        tax = None if currency == "NZD" else "NONE"
        value = value or float(row["amount"]) * rnd.uniform(0.55, 1.6) * (1.9 if code == "310" else 1.2)
        department = {"310": "Wholesale", "425": "Wholesale", "473": "Workshop"}.get(code, "Retail")
        tracking = [("Region", "South"), ("Department", department)] if rnd.random() < 0.7 else []
        lines = [self.bookkeeper.line(row["text"], amount(value), code, tax=tax, tracking=tracking)]
        if code == "310" and rnd.random() < 0.5:
            bought = [one for one in names.ITEMS if one["cost"]]
            lines = []
            for item in rnd.sample(bought, rnd.randrange(1, 4)):
                price = Decimal(item["cost"]) * market_rate(currency, "NZD", START)
                pieces = rnd.randrange(*((8, 36) if price < 200 else (2, 6)))
                price = price.quantize(TEN_THOUSANDTH)
                lines.append(self.bookkeeper.goods(item, price, "310", pieces, tax=tax, tracking=tracking))
        if rnd.random() < 0.12:
            freight = amount(value * 0.04 + 5)
            lines.append(self.bookkeeper.line("Freight", freight, "425", tax=tax, tracking=tracking))
        return lines

    def _after_bill(self, key: str, status: str, fate: float, later: datetime) -> None:
        """Approve, delete, void or credit a bill, at random."""
        if status != "AUTHORISED" and fate < 0.012:
            self.diary.plan(later, self.end, "Invoices", key, "DELETED")
        elif status != "AUTHORISED":
            self.diary.plan(later, self.approve, key)
        elif fate > 0.985:
            self.diary.plan(later, self.end, "Invoices", key, "VOIDED")
        elif fate > 0.955:
            self.diary.plan(later, self._supplier_credit, key)

    def any_bill(self, at: datetime, day: date, index: int) -> None:
        """A bill of a supplier, unless it is archived."""
        if self.suppliers[index][0]["ContactID"] not in self.retired:
            self.bill(at, day, index)

    def _supplier_credit(self, at: datetime, key: str) -> None:
        """Part of a delivery goes back; the supplier's credit note is set against the bill."""
        bill = self.open_invoice(key)
        if bill is None:
            return
        line = bill["LineItems"][0]
        lines = [self.credit_line(line, "Returned", line["UnitAmount"] / 4)]
        number = f"{bill['InvoiceNumber']}-CR"
        credit_id = self.credit(at, "ACCPAYCREDIT", bill, lines, number, name=f"return/{key}")
        if self.random.random() < 0.8:
            self.diary.plan(at + timedelta(minutes=12), self.allocate_note, credit_id, key)

    def pay_run(self, at: datetime, day: date) -> None:
        """Pay the bills that fall due within a week, those in New Zealand dollars in one batch."""
        soon = day + timedelta(days=7)
        batch: list[str] = []
        for record in self.bookkeeper.all("Invoices"):
            key = record["InvoiceID"]
            if record["Type"] != "ACCPAY" or not self.open_invoice(key) or record["DueDate"] > soon:
                continue
            disputed = record["Contact"]["ContactID"] in self.disputed and record["Date"] >= DISPUTE
            forgotten = "RepeatingInvoiceID" not in record and int(key[:4], 16) % 43 == 0
            if disputed or forgotten:
                continue
            if record["CurrencyCode"] == "NZD":
                batch.append(key)
            else:
                self.receive(at, key)
        settled = day < TODAY - timedelta(days=6)
        for part in (batch[i : i + 12] for i in range(0, len(batch), 12)):
            if len(part) > 1:
                self.bookkeeper.pay_batch(part, day, at, reference=f"Pay run {day:%d %b}", reconciled=settled)
            else:
                self.receive(at, part[0])
