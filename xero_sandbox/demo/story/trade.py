"""Money that the demo company takes and spends without an invoice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from ..company import TODAY
from . import names
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
        sold_by = [
            (self.suppliers[int(row["supplier"])][0]["ContactID"], row) for row in names.SMALL_PURCHASES
        ]
        contact, row = self.random.choice([one for one in sold_by if one[0] not in self.retired])
        code, name = row["account"], f"spend/{day}/{row['account']}/{at}"
        bank = "093" if self.random.random() < 0.7 else "090"
        price = amount(self.random.uniform(float(row["lowest"]), float(row["highest"])))
        line = self.bookkeeper.line(row["text"], price, code)
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
