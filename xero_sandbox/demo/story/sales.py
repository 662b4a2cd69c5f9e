"""What the demo company sells, and how its customers pay."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...accounting import double_entry as books
from ...accounting.double_entry import ONE, Record, market_rate, money
from ..entries import business_day
from . import names
from .contacts import Contacts
from .setting import END, START, amount


class Sales(Contacts):
    """Sales invoices, their payments, credits and refunds."""

    def _sale_lines(self, customer: Record, tax: str | None) -> tuple[list[Record], str]:
        """What a customer buys on one invoice, and whether it is priced with or without GST."""
        rnd, department = self.random, customer["department"]
        tracking = [("Region", customer["region"]), ("Department", department)]
        if rnd.random() < 0.12:
            tracking = tracking[:1]
        rate = market_rate(customer["currency"], "NZD", START)
        stock = [row for row in names.ITEMS if row[6] == department and row[0] not in ("FREIGHT", "GIFT")]
        chosen = rnd.sample(stock, min(len(stock), rnd.choice((1, 1, 2, 2, 3, 4))))
        foreign = customer["currency"] != "NZD"
        lines = [self._sale_line(row, rate if foreign else None, tax, tracking) for row in chosen]
        if department in ("Wholesale", "Retail") and not foreign and rnd.random() < 0.16:
            for code, name, price, _, _ in rnd.sample(names.TRACKED, 1):
                lines.append(self.bookkeeper.line(name, Decimal(price), "200", item=code, tracking=tracking))
        if department == "Wholesale" and rnd.random() < 0.5:
            cost = amount(rnd.uniform(45, 260) * float(rate))
            lines.append(
                self.bookkeeper.line(
                    "Freight and handling", cost, "205", tax=tax, item="FREIGHT", tracking=tracking
                )
            )
        if rnd.random() < 0.05:
            lines.append({"Description": "Thank you for paddling with us. Ngā mihi!", "Tracking": []})
        return lines, "Inclusive" if department == "Retail" else "Exclusive"

    def _sale_line(
        self, row: list[str], rate: Decimal | None, tax: str | None, tracking: list[tuple[str, str]]
    ) -> Record:
        """A line for an item of the price list; `rate` turns its price into the customer's currency."""
        rnd, (code, name, account, price, _, text, _) = self.random, row
        value = Decimal(price)
        most = 2 if value > 1000 else 6 if value > 100 else 24
        quantity = Decimal(rnd.randrange(1, most + 1))
        if code.endswith("-M"):
            quantity = Decimal(rnd.randrange(50, 900)) / 4
        if rate is not None:
            value = (value * rate).quantize(Decimal("0.0001") if value < 50 else Decimal("0.01"))
        more: dict[str, Any] = {}
        if rnd.random() < 0.06:
            more["DiscountRate"] = Decimal(rnd.choice((5, 10, 15))).quantize(Decimal("0.01"))
        words = rnd.choice(rnd.choice(names.REPAIRS)) if account == "203" else f"{name}: {text}"
        return self.bookkeeper.line(
            words, value, account, quantity=quantity, tax=tax, item=code, tracking=tracking, **more
        )

    def active(self, at: datetime) -> list[Record]:
        """The business customers that exist and are not archived at that time."""
        return [c for c in self.customers if c["from"] < at and c["id"] not in self.retired]

    def _pick_customer(self, at: datetime) -> Record:
        return self.random.choice(
            self.people if self.people and self.random.random() < 0.2 else self.active(at)
        )

    def sale(self, at: datetime, day: date) -> None:
        """A sales invoice, and the events that follow."""
        rnd, customer = self.random, self._pick_customer(at)
        tax = "ZERORATED" if customer["currency"] != "NZD" else None
        lines, amounts = self._sale_lines(customer, tax)
        number = self.bookkeeper.number("INV-")
        fate = rnd.random()
        draft = fate < 0.15
        sent: dict[str, Any] = {"SentToContact": True} if not draft and rnd.random() < 0.7 else {}
        record = self.bookkeeper.invoice(
            "ACCREC",
            customer["id"],
            day,
            at,
            lines,
            name=f"invoice/{number}",
            due=self.due(customer["id"], day),
            number=number,
            reference=rnd.choice(
                ("", "", f"PO {rnd.randrange(1000, 99999)}", f"Job {rnd.randrange(100, 999)}", "Web order")
            ),
            status=("DRAFT" if fate < 0.1 else "SUBMITTED") if draft else "AUTHORISED",
            amounts=amounts,
            currency=customer["currency"],
            **sent,
        )
        key = record["InvoiceID"]
        if fate < 0.025:
            if fate < 0.018:
                self.diary.plan(
                    self.when(business_day(day + timedelta(days=9))), self.end, "Invoices", key, "DELETED"
                )
        elif draft:
            self.diary.plan(
                self.when(business_day(day + timedelta(days=rnd.randrange(1, 4)))),
                self._approve,
                key,
                customer,
            )
        else:
            self.after_sale(key, customer)

    def _approve(self, at: datetime, key: str, customer: Record) -> None:
        self.bookkeeper.approve("Invoices", key, at, SentToContact=True, **self._due(key))
        self.after_sale(key, customer)

    def _due(self, key: str) -> dict[str, date]:
        """The DueDate that a draft gets with its approval."""
        record = self.bookkeeper.get("Invoices", key)
        return {"DueDate": record.get("DueDate") or self.due(record["Contact"]["ContactID"], record["Date"])}

    def end(self, at: datetime, resource: str, key: str, status: str) -> None:
        """Void or delete a record, unless it was paid or credited in the meantime."""
        record = self.bookkeeper.get(resource, key)
        if not ("Payments" in record and books.used(record)):
            self.bookkeeper.end(resource, key, status, at)

    def after_sale(self, key: str, customer: Record) -> None:
        """Plan what happens to an invoice: payment, part payment, credit, void, or nothing."""
        rnd, record = self.random, self.bookkeeper.get("Invoices", key)
        due: date = record["DueDate"]
        fate = rnd.random()
        if fate < 0.03:
            self.diary.plan(
                self.when(business_day(record["Date"] + timedelta(days=rnd.randrange(2, 12)))),
                self.end,
                "Invoices",
                key,
                "VOIDED",
            )
            return
        if record["Status"] == "PAID" or customer["pays"] < 0.03:
            return
        late = round(rnd.gauss(2, 5)) + (25 if customer["pays"] < 0.12 else 0)
        paid_on = business_day(max(record["Date"] + timedelta(days=2), due + timedelta(days=late)))
        pay = self.when(paid_on)
        if fate < 0.05:
            return
        if fate < 0.09:
            self.diary.plan(
                self.when(business_day(record["Date"] + timedelta(days=rnd.randrange(3, 15)))),
                self._credit,
                key,
                rnd.choice((ONE, Decimal("0.25"), Decimal("0.1"))),
            )
        elif fate < 0.17:
            half = business_day(record["Date"] + timedelta(days=rnd.randrange(2, 8)))
            self.diary.plan(self.when(half), self.receive, key, Decimal("0.4"))
        elif fate < 0.18:
            self.diary.plan(pay, self._bounce, key)
            pay = self.when(business_day(paid_on + timedelta(days=13)))
        elif fate < 0.2 and customer["currency"] == "NZD":
            self.diary.plan(pay, self._overpay, key, customer)
            return
        self.diary.plan(pay, self.receive, key)

    def _open(self, key: str) -> Record | None:
        """The invoice if there is something left to pay."""
        record = self.bookkeeper.get("Invoices", key)
        return record if record["Status"] == "AUTHORISED" and record["AmountDue"] > 0 else None

    def local_day(self, at: datetime) -> date:
        """The calendar day in New Zealand; everything here happens in business hours."""
        return (at + timedelta(hours=13)).date()

    def receive(self, at: datetime, key: str, part: Decimal | None = None) -> Record | None:
        """A customer pays an invoice, or a part of it."""
        record = self._open(key)
        if record is None:
            return None
        value = money(record["AmountDue"] * part) if part else None
        bank = None
        if record["CurrencyCode"] == "USD" and (
            books.is_sale(record) or self.bookkeeper.balance("092") > 2 * record["AmountDue"]
        ):
            bank = "092"
        day = self.local_day(at)
        settled = at < END - timedelta(days=6)
        reference = self.random.choice(
            ("", record["InvoiceNumber"], "EFTPOS", record["Contact"]["Name"][:12])
        )
        return self.bookkeeper.pay(
            "Invoices", key, day, at, amount=value, bank=bank, reference=reference, reconciled=settled
        )

    def _bounce(self, at: datetime, key: str) -> None:
        payment = self.receive(at, key)
        if payment:
            later = self.when(business_day(self.local_day(at) + timedelta(days=3)))
            self.diary.plan(later, self._unpay, payment["PaymentID"])

    def _unpay(self, at: datetime, payment_id: str) -> None:
        self.bookkeeper.delete_payment(payment_id, at)

    def _overpay(self, at: datetime, key: str, customer: Record) -> None:
        """The customer pays too much; the overpayment is allocated to a later invoice or refunded."""
        if not self.receive(at, key):
            return
        day, name = self.local_day(at), f"overpayment/{key}"
        extra = amount(self.random.uniform(20, 180))
        line = self.bookkeeper.line("Overpayment", extra, "610", tax="NONE")
        record = self.bookkeeper.bank_transaction(
            "RECEIVE-OVERPAYMENT",
            customer["id"],
            day,
            at,
            [line],
            name=name,
            reference="Paid too much",
            amounts="NoTax",
        )
        self.diary.plan(
            self.when(business_day(day + timedelta(days=20))),
            self.use_credit,
            "Overpayments",
            record["OverpaymentID"],
            customer["id"],
        )

    def use_credit(
        self, at: datetime, resource: str, credit_id: str, contact_id: str, tries: int = 3
    ) -> None:
        """Allocate a credit to an open invoice of the contact, or refund it if there is none after some tries."""
        credit, day = self.bookkeeper.get(resource, credit_id), self.local_day(at)
        if credit["Status"] != "AUTHORISED":
            return
        for record in self.bookkeeper.all("Invoices"):
            fits = (
                record["Contact"]["ContactID"] == contact_id
                and record["CurrencyCode"] == credit["CurrencyCode"]
            )
            if fits and books.is_sale(record) == books.is_sale(credit) and self._open(record["InvoiceID"]):
                self.bookkeeper.allocate(resource, credit_id, record["InvoiceID"], day, at)
                return
        if tries:
            again = self.when(business_day(day + timedelta(days=25)))
            self.diary.plan(again, self.use_credit, resource, credit_id, contact_id, tries - 1)
        else:
            bank = "092" if credit["CurrencyCode"] == "USD" else None
            self.bookkeeper.pay(resource, credit_id, day, at, bank=bank, reference="Refund")

    def _credit(self, at: datetime, key: str, share: Decimal) -> None:
        """A credit note for a share of an invoice, allocated to it soon after."""
        record = self._open(key)
        if record is None:
            return
        line = next(line for line in record["LineItems"] if "UnitAmount" in line)
        price = (line["UnitAmount"] * share).quantize(Decimal("0.01"))
        number, day = self.bookkeeper.number("CN-"), self.local_day(at)
        credit_line = self.bookkeeper.line(
            f"Credit for {record['InvoiceNumber']}: {line['Description']}",
            price,
            line["AccountCode"],
            quantity=line["Quantity"],
            tax=line["TaxType"],
        )
        credit_line["Tracking"] = [dict(t) for t in line["Tracking"]]
        note = {"Description": f"Our apologies; please see {record['InvoiceNumber']}.", "Tracking": []}
        credit = self.bookkeeper.credit_note(
            "ACCRECCREDIT",
            record["Contact"]["ContactID"],
            day,
            at,
            [credit_line, note],
            name=f"credit/{number}",
            number=number,
            reference=record["Reference"],
            amounts=record["LineAmountTypes"],
            currency=record["CurrencyCode"],
            SentToContact=True,
        )
        later = at + timedelta(minutes=self.random.randrange(1, 90))
        self.diary.plan(later, self._allocate_note, credit["CreditNoteID"], key)

    def _allocate_note(self, at: datetime, credit_id: str, key: str) -> None:
        if self._open(key):
            self.bookkeeper.allocate("CreditNotes", credit_id, key, self.local_day(at), at)
        self.diary.plan(
            self.when(business_day(self.local_day(at) + timedelta(days=16))), self._refund, credit_id
        )

    def _refund(self, at: datetime, credit_id: str) -> None:
        credit = self.bookkeeper.get("CreditNotes", credit_id)
        if credit["Status"] == "AUTHORISED" and self.random.random() < 0.5:
            bank = "092" if credit["CurrencyCode"] == "USD" else None
            self.bookkeeper.pay(
                "CreditNotes", credit_id, self.local_day(at), at, bank=bank, reference="Refund"
            )
