"""Money that the demo company takes and spends without an invoice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...accounting.double_entry import Record
from ..company import TODAY
from ..entries import business_day
from .purchases import Purchases
from .setting import amount

# Supplier, text, account, lowest and highest price of what is bought in passing.
PETTY = (
    (17, "Fuel, shuttle van", "449", 45, 160),
    (17, "LPG bottles for the camp kitchen", "429", 25, 90),
    (20, "Printer paper", "461", 12, 60),
    (29, "Ferry tickets", "493", 70, 240),
    (30, "Flight to the boat show", "493", 110, 420),
    (31, "Lunch for the guides 🥪", "420", 28, 120),
    (37, "Plasters and bandages", "429", 15, 70),
    (26, "Drill bits", "473", 18, 95),
)


class Trade(Purchases):
    """The daily trade: sales, purchases, and bank transactions without a document."""

    def till(self, at: datetime, day: date) -> None:
        """Card takings of the shop since last time."""
        tracking = [("Region", "South"), ("Department", "Retail")]
        lines = [
            self.bookkeeper.line(
                "Shop takings", amount(self.random.uniform(90, 820)), "200", tracking=tracking
            )
        ]
        if self.random.random() < 0.5:
            hire = [("Region", "South"), ("Department", "Tours")]
            lines.append(
                self.bookkeeper.line(
                    "Hire at the beach", amount(self.random.uniform(60, 600)), "202", tracking=hire
                )
            )
        record = self.bookkeeper.bank_transaction(
            "RECEIVE",
            self.walk_in,
            day,
            at,
            lines,
            name=f"till/{day}",
            reference="EFTPOS settlement",
            Url=f"https://totara-and-tide.example/till/{day}",
            reconciled=day < TODAY - timedelta(days=5),
        )
        if self.random.random() < 0.02:
            self._delete_bank(record["BankTransactionID"], day)

    def _delete_bank(self, key: str, day: date) -> None:
        later = self.when(business_day(day + timedelta(days=2)))
        self.diary.plan(later, self._unbank, key)

    def _unbank(self, at: datetime, key: str) -> None:
        self.bookkeeper.end("BankTransactions", key, "DELETED", at)

    def spend(self, at: datetime, day: date) -> None:
        """A small purchase by company card or from the cheque account."""
        choices = [row for row in PETTY if self.suppliers[row[0]][0]["ContactID"] not in self.retired]
        index, text, code, low, high = self.random.choice(choices)
        bank = "093" if self.random.random() < 0.7 else "090"
        line = self.bookkeeper.line(text, amount(self.random.uniform(low, high)), code)
        record = self.bookkeeper.bank_transaction(
            "SPEND",
            self.suppliers[index][0]["ContactID"],
            day,
            at,
            [line],
            name=f"spend/{day}/{code}/{at}",
            bank=bank,
            reference=self.random.choice(("", "Card 5678", "Kai 🍜")),
            reconciled=self.random.random() < 0.9,
        )
        if self.random.random() < 0.03:
            self._delete_bank(record["BankTransactionID"], day)

    def simple(
        self,
        at: datetime,
        day: date,
        kind: str,
        contact: str,
        parts: list[tuple[str, str, Decimal]],
        bank: str = "090",
        **more: Any,
    ) -> Record:
        """A bank transaction without tax, from (text, account, amount) parts."""
        lines = [self.bookkeeper.line(text, value, code, tax="NONE") for text, code, value in parts]
        name = f"{kind}/{contact}/{day}/{parts[0][1]}/{bank}"
        return self.bookkeeper.bank_transaction(
            kind, contact, day, at, lines, name=name, bank=bank, amounts="NoTax", **more
        )
