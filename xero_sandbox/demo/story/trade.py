"""Money that the demo company takes and spends without an invoice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from ..company import TODAY
from .purchases import Purchases
from .setting import amount

BERTHS = ((5, 6), (24, 4), (47, 8))
"""The customers who store kayaks, with their number of berths."""

REGULAR_BILLS: dict[int, tuple[int, float | None, str]] = {
    10: (1, 4200.0, "rent"),
    11: (12, None, ""),
    12: (8, 189.0, "phones"),
    13: (3, 82.0, "software"),
    19: (26, 160.0, "cleaning"),
    24: (20, 575.0, ""),
    33: (5, 75.0, "alarm"),
    22: (2, None, ""),
}
"""The suppliers who send a bill each month: the day, the amount if it is fixed, and the name of its template."""

# Supplier, text, account, lowest and highest price of a small purchase.
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
        taken = amount(self.random.uniform(90, 820))
        lines = [self.bookkeeper.line("Shop takings", taken, "200", tracking=tracking)]
        if self.random.random() < 0.5:
            hire, taken = [("Region", "South"), ("Department", "Tours")], amount(self.random.uniform(60, 600))
            lines.append(self.bookkeeper.line("Hire at the beach", taken, "202", tracking=hire))
        record = self.bookkeeper.bank_transaction(
            "RECEIVE",
            self.walk_in,
            day,
            at,
            lines,
            f"till/{day}",
            Reference="EFTPOS settlement",
            Url=f"https://totara-and-tide.example/till/{day}",
            IsReconciled=day < TODAY - timedelta(days=5),
        )
        if self.random.random() < 0.02:
            self._delete_later(record["BankTransactionID"], day)

    def _delete_later(self, key: str, day: date) -> None:
        self.diary.plan(self.after(day, 2), self.end, "BankTransactions", key, "DELETED")

    def spend(self, at: datetime, day: date) -> None:
        """A small purchase by company card or from the cheque account."""
        choices = [row for row in PETTY if self.suppliers[row[0]][0]["ContactID"] not in self.retired]
        index, text, code, low, high = self.random.choice(choices)
        contact, name = self.suppliers[index][0]["ContactID"], f"spend/{day}/{code}/{at}"
        bank = "093" if self.random.random() < 0.7 else "090"
        line = self.bookkeeper.line(text, amount(self.random.uniform(low, high)), code)
        reference = self.random.choice(("", "Card 5678", "Kai 🍜"))
        more = {"Reference": reference, "IsReconciled": self.random.random() < 0.9}
        record = self.bookkeeper.bank_transaction("SPEND", contact, day, at, [line], name, bank, **more)
        if self.random.random() < 0.03:
            self._delete_later(record["BankTransactionID"], day)

    def simple(
        self,
        at: datetime,
        day: date,
        kind: str,
        contact: str,
        parts: list[tuple[str, str, Decimal]],
        reference: str = "",
        bank: str = "090",
    ) -> None:
        """A bank transaction without tax, from (text, account, amount) parts."""
        lines = [self.bookkeeper.line(text, value, code, tax="NONE") for text, code, value in parts]
        name = f"{kind}/{contact}/{day}/{parts[0][1]}/{bank}"
        more = {"Reference": reference, "LineAmountTypes": "NoTax"}
        self.bookkeeper.bank_transaction(kind, contact, day, at, lines, name, bank, **more)
