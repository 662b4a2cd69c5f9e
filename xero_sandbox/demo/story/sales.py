"""What the demo company sells, and how its customers pay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...accounting.currencies import market_rate
from ...accounting.settlement import document_id, is_sale, used
from ...values import CENT, ONE, TEN_THOUSANDTH, Record, money
from ..entries import business_day
from . import names
from .contacts import Contacts
from .setting import END, START, amount


class Sales(Contacts):
    """Sales invoices, their payments, credits and refunds."""

    def after(self, day: date, days: int) -> datetime:
        """A random time on the business day `days` after `day`."""
        return self.when(business_day(day + timedelta(days=days)))

    # --- invoices

    def _sale_lines(self, customer: Record, tax: str | None) -> tuple[list[Record], str]:
        """The lines of an invoice to a customer, and their LineAmountTypes."""
        rnd, line, department = self.random, self.bookkeeper.line, customer["department"]
        tracking = [("Region", customer["region"]), ("Department", department)]
        if rnd.random() < 0.12:
            tracking = tracking[:1]
        rate = market_rate(customer["currency"], "NZD", START)
        goods = (item for item in names.ITEMS if item["department"] == department)
        stock = [item for item in goods if item["code"] not in ("FREIGHT", "GIFT")]
        chosen = rnd.sample(stock, min(len(stock), rnd.choice((1, 1, 2, 2, 3, 4))))
        foreign = customer["currency"] != "NZD"
        lines = [self._sale_line(row, rate if foreign else None, tax, tracking) for row in chosen]
        if department in ("Wholesale", "Retail") and not foreign and rnd.random() < 0.16:
            (item,) = rnd.sample(names.TRACKED, 1)
            lines.append(self.bookkeeper.goods(item, item["price"], "200", tracking=tracking))
        if department == "Wholesale" and rnd.random() < 0.5:
            cost = amount(rnd.uniform(45, 260) * float(rate))
            lines.append(
                line("Freight and handling", cost, "205", tax=tax, item="FREIGHT", tracking=tracking)
            )
        if rnd.random() < 0.05:
            lines.append({"Description": "Thank you for paddling with us. Ngā mihi!", "Tracking": []})
        return lines, "Inclusive" if department == "Retail" else "Exclusive"

    def _sale_line(
        self, item: dict[str, str], rate: Decimal | None, tax: str | None, tracking: list[tuple[str, str]]
    ) -> Record:
        """A line for an item of the price list; `rate` converts its price into the customer's currency."""
        rnd, code, account, value = self.random, item["code"], item["account"], Decimal(item["price"])
        most = 2 if value > 1000 else 6 if value > 100 else 24
        quantity = Decimal(rnd.randrange(1, most + 1))
        if code.endswith("-M"):
            quantity = Decimal(rnd.randrange(50, 900)) / 4
        if rate is not None:
            value = (value * rate).quantize(TEN_THOUSANDTH if value < 50 else CENT)
        more: dict[str, Any] = {}
        if rnd.random() < 0.06:
            more["DiscountRate"] = Decimal(rnd.choice((5, 10, 15))).quantize(CENT)
        repaired = account == "203"
        words = rnd.choice(rnd.choice(names.REPAIRS)) if repaired else f"{item['name']}: {item['text']}"
        return self.bookkeeper.line(words, value, account, quantity, code, tax=tax, tracking=tracking, **more)

    def berths(self, places: int = 1, tracking: Sequence[tuple[str, str]] = ()) -> Record:
        """The line for a month of kayak storage."""
        text = "Kayak storage, monthly"
        return self.bookkeeper.line(text, "48.00", "202", places, "BERTH", tracking=tracking)

    def active(self, at: datetime) -> list[Record]:
        """The business customers that exist and are not archived at that time."""
        return [c for c in self.customers if c["from"] < at and c["id"] not in self.retired]

    def invoice(self, at: datetime, day: date, contact_id: str, lines: list[Record], **fields: Any) -> Record:
        """A sales invoice with the next number, due by the contact's payment terms."""
        number = self.bookkeeper.number("INV-")
        name, due = f"invoice/{number}", self.due(contact_id, day)
        return self.bookkeeper.invoice(
            "ACCREC", contact_id, day, at, lines, name, due, InvoiceNumber=number, **fields
        )

    def sale(self, at: datetime, day: date) -> None:
        """A sales invoice, and the events that follow."""
        rnd = self.random
        customer = rnd.choice(self.people if self.people and rnd.random() < 0.2 else self.active(at))
        lines, amounts = self._sale_lines(customer, "ZERORATED" if customer["currency"] != "NZD" else None)
        fate = rnd.random()
        draft = fate < 0.15
        more: dict[str, Any] = {"SentToContact": True} if not draft and rnd.random() < 0.7 else {}
        order, job = f"PO {rnd.randrange(1000, 99999)}", f"Job {rnd.randrange(100, 999)}"
        more["Reference"] = rnd.choice(("", "", order, job, "Web order"))
        more["Status"] = ("DRAFT" if fate < 0.1 else "SUBMITTED") if draft else "AUTHORISED"
        more.update(LineAmountTypes=amounts, CurrencyCode=customer["currency"])
        key = self.invoice(at, day, customer["id"], lines, **more)["InvoiceID"]
        if fate < 0.018:
            self.diary.plan(self.after(day, 9), self.end, "Invoices", key, "DELETED")
        elif draft and fate >= 0.025:
            self.diary.plan(self.after(day, rnd.randrange(1, 4)), self._approve, key, customer)
        elif not draft:
            self.after_sale(key, customer)

    def _approve(self, at: datetime, key: str, customer: Record) -> None:
        self.approve(at, key, SentToContact=True)
        self.after_sale(key, customer)

    def approve(self, at: datetime, key: str, **fields: Any) -> None:
        """Approve a draft; it gets a DueDate if it has none."""
        record = self.bookkeeper.get("Invoices", key)
        due = record.get("DueDate") or self.due(record["Contact"]["ContactID"], record["Date"])
        self.bookkeeper.update("Invoices", key, at, Status="AUTHORISED", DueDate=due, **fields)

    def end(self, at: datetime, resource: str, key: str, status: str) -> None:
        """Void or delete a record, unless it was paid or credited in the meantime."""
        record = self.bookkeeper.get(resource, key)
        if not ("Payments" in record and used(record)):
            self.bookkeeper.end(resource, key, status, at)

    def after_sale(self, key: str, customer: Record) -> None:
        """Plan what happens to an invoice: payment, part payment, credit, void, or nothing."""
        rnd, record = self.random, self.bookkeeper.get("Invoices", key)
        day, due, fate = record["Date"], record["DueDate"], rnd.random()
        if fate < 0.03:
            self.diary.plan(self.after(day, rnd.randrange(2, 12)), self.end, "Invoices", key, "VOIDED")
            return
        if record["Status"] == "PAID" or customer["pays"] < 0.03:
            return
        late = round(rnd.gauss(2, 5)) + (25 if customer["pays"] < 0.12 else 0)
        paid_on = business_day(max(day + timedelta(days=2), due + timedelta(days=late)))
        pay = self.when(paid_on)
        if fate < 0.05:
            return
        if fate < 0.09:
            later = self.after(day, rnd.randrange(3, 15))
            self.diary.plan(later, self._credit, key, rnd.choice((ONE, Decimal("0.25"), Decimal("0.1"))))
        elif fate < 0.17:
            self.diary.plan(self.after(day, rnd.randrange(2, 8)), self.receive, key, Decimal("0.4"))
        elif fate < 0.18:
            self.diary.plan(pay, self._bounce, key)
            pay = self.after(paid_on, 13)
        elif fate < 0.2 and customer["currency"] == "NZD":
            self.diary.plan(pay, self._overpay, key, customer)
            return
        self.diary.plan(pay, self.receive, key)

    # --- payments

    def open_invoice(self, key: str) -> Record | None:
        """The invoice if something is left to pay."""
        record = self.bookkeeper.get("Invoices", key)
        return record if record["Status"] == "AUTHORISED" and record["AmountDue"] > 0 else None

    def local_day(self, at: datetime) -> date:
        """The calendar day in New Zealand; everything here happens in business hours."""
        return (at + timedelta(hours=13)).date()

    def receive(self, at: datetime, key: str, part: Decimal | None = None) -> Record | None:
        """A customer pays an invoice, or a part of it."""
        record = self.open_invoice(key)
        if record is None:
            return None
        value = money(record["AmountDue"] * part) if part else None
        bank = None
        if record["CurrencyCode"] == "USD" and (
            is_sale(record) or self.bookkeeper.balance("092") > 2 * record["AmountDue"]
        ):
            bank = "092"
        day, settled = self.local_day(at), at < END - timedelta(days=6)
        references = ("", record["InvoiceNumber"], "EFTPOS", record["Contact"]["Name"][:12])
        reference = self.random.choice(references)
        return self.bookkeeper.pay(
            "Invoices", key, day, at, amount=value, bank=bank, reference=reference, reconciled=settled
        )

    def _bounce(self, at: datetime, key: str) -> None:
        payment = self.receive(at, key)
        if payment:
            later = self.after(self.local_day(at), 3)
            key = payment["PaymentID"]
            self.diary.plan(later, lambda at: self.bookkeeper.update("Payments", key, at, Status="DELETED"))

    def advance(
        self, at: datetime, day: date, kind: str, contact_id: str, text: str, value: Decimal, **more: Any
    ) -> Record:
        """An overpayment or prepayment without tax."""
        account = "610" if kind.startswith("RECEIVE") else "800"
        line = self.bookkeeper.line(text, value, account, tax="NONE")
        return self.bookkeeper.bank_transaction(
            kind, contact_id, day, at, [line], LineAmountTypes="NoTax", **more
        )

    def _overpay(self, at: datetime, key: str, customer: Record) -> None:
        """The customer pays too much; the overpayment is allocated to a later invoice or refunded."""
        if not self.receive(at, key):
            return
        day, extra = self.local_day(at), amount(self.random.uniform(20, 180))
        more = {"name": f"overpayment/{key}", "Reference": "Paid too much"}
        record = self.advance(at, day, "RECEIVE-OVERPAYMENT", customer["id"], "Overpayment", extra, **more)
        later = self.after(day, 20)
        self.diary.plan(later, self.use_credit, "Overpayments", record["OverpaymentID"], customer["id"])

    def use_credit(
        self, at: datetime, resource: str, credit_id: str, contact_id: str, tries: int = 3
    ) -> None:
        """Allocate a credit to an open invoice of the contact, or refund it if there is none after some tries."""
        credit, day = self.bookkeeper.get(resource, credit_id), self.local_day(at)
        if credit["Status"] != "AUTHORISED":
            return
        for record in self.bookkeeper.all("Invoices"):
            same = record["Contact"]["ContactID"], record["CurrencyCode"], is_sale(record)
            fits = same == (contact_id, credit["CurrencyCode"], is_sale(credit))
            if fits and self.open_invoice(record["InvoiceID"]):
                self.bookkeeper.allocate(resource, credit_id, record["InvoiceID"], day, at)
                return
        if tries:
            again = self.after(day, 25)
            self.diary.plan(again, self.use_credit, resource, credit_id, contact_id, tries - 1)
        else:
            self._refund(at, resource, credit)

    def _refund(self, at: datetime, resource: str, credit: Record) -> None:
        bank, key = "092" if credit["CurrencyCode"] == "USD" else None, document_id(credit)
        self.bookkeeper.pay(resource, key, self.local_day(at), at, bank=bank, reference="Refund")

    # --- credit notes

    def credit(
        self, at: datetime, kind: str, record: Record, lines: list[Record], number: str, **fields: Any
    ) -> str:
        """A credit note for a document; returns its id."""
        same = {name: record[name] for name in ("LineAmountTypes", "CurrencyCode")}
        made = self.bookkeeper.document(
            "CreditNotes", record["Contact"]["ContactID"], self.local_day(at), at, lines,
            Type=kind, CreditNoteNumber=number, **same, **fields,
        )  # fmt: skip
        return str(made["CreditNoteID"])

    def credit_line(self, line: Record, text: str, price: Decimal) -> Record:
        """The line of a credit note for a line."""
        return self.bookkeeper.line(
            f"{text}: {line['Description']}",
            price.quantize(CENT),
            line["AccountCode"],
            line["Quantity"],
            tax=line["TaxType"],
        )

    def _credit(self, at: datetime, key: str, share: Decimal) -> None:
        """A credit note for a share of an invoice, allocated to it soon after."""
        record = self.open_invoice(key)
        if record is None:
            return
        line = next(line for line in record["LineItems"] if "UnitAmount" in line)
        number, invoice_number = self.bookkeeper.number("CN-"), record["InvoiceNumber"]
        lines = [
            self.credit_line(line, f"Credit for {invoice_number}", line["UnitAmount"] * share),
            {"Description": f"Our apologies; please see {invoice_number}.", "Tracking": []},
        ]
        lines[0]["Tracking"] = [dict(t) for t in line["Tracking"]]
        more = {"Reference": record["Reference"], "SentToContact": True}
        credit_id = self.credit(at, "ACCRECCREDIT", record, lines, number, name=f"credit/{number}", **more)
        later = at + timedelta(minutes=self.random.randrange(1, 90))
        self.diary.plan(later, self.allocate_note, credit_id, key)

    def allocate_note(self, at: datetime, credit_id: str, key: str) -> None:
        """Allocate a credit note to its invoice if that is open; the rest may be refunded."""
        day = self.local_day(at)
        if self.open_invoice(key):
            self.bookkeeper.allocate("CreditNotes", credit_id, key, day, at)
        self.diary.plan(self.after(day, 16), self._refund_note, credit_id)

    def _refund_note(self, at: datetime, credit_id: str) -> None:
        credit = self.bookkeeper.get("CreditNotes", credit_id)
        if credit["Status"] == "AUTHORISED" and self.random.random() < 0.5:
            self._refund(at, "CreditNotes", credit)
