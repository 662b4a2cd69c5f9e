"""The story of the demo company, Tōtara & Tide Limited of Nelson, month by month. A generator with a fixed
seed decides what happens, and a diary runs the events in order of time, so that every record, balance and
journal follows from earlier events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...accounting.general_ledger import month_end
from ...accounting.reports.layout import cell, header, row, section
from ...accounting.reports.request import long_date, report
from ...values import ZERO, Record, money
from ..company import TODAY, Company, without_collection
from ..entries import business_day
from . import closing, rare_events
from .setting import START, SUMMER, add_months, amount
from .trade import BERTHS, REGULAR_BILLS, Trade


class Story(Trade):
    """Creates the company and runs its two years."""

    # --- month by month

    def month(self, first: date) -> None:
        """Plan the regular events of a month."""
        plan, last, following = self._plan, month_end(first), add_months(first, 1)
        for index, (day_of_month, value, template) in REGULAR_BILLS.items():
            day = business_day(first.replace(day=day_of_month))
            if day >= START:
                more = {"RepeatingInvoiceID": self.guid(f"repeating/{template}")} if template else {}
                plan(day, 8, self.bill, index, value, **more)
        for index, (contact, places) in enumerate(BERTHS):
            plan(first, 8, self._berths, self.customers[contact], places, index)
        fees = last - timedelta(days=max(0, last.weekday() - 4))
        plan(fees, 15, self._bank_fees)
        plan(fees, 16, self._payroll)
        plan(following, 9, self._pay_owed, self.staff, "814", "Net wages", "Wages")
        plan(following.replace(day=20), 10, self._pay_owed, self.tax_office, "825", "PAYE", until=last)
        plan(first.replace(day=18), 11, self._pay_card)
        if first.month % 2:
            plan(following.replace(day=28), 10, self._gst_return, last)
        if first.month % 3 == 0:
            plan(fees, 13, self._accrual)
        if first.month == 3:
            plan(fees, 16, self._income_tax)
        if first.month in (1, 5, 8):
            due = first.replace(day=28)
            plan(due, 9, self._pay_owed, self.tax_office, "830", "Income tax", parts=3)

    def _plan(self, day: date, hour: int, act: Callable[..., None], *args: Any, **fields: Any) -> None:
        """Plan `act` within that hour of the next business day, which is its first argument after the instant."""
        day = business_day(day)
        self.diary.plan(self.when(day, hour, hour + 1), act, day, *args, **fields)

    def _berths(self, at: datetime, day: date, customer: Record, places: int, index: int) -> None:
        tracking = [("Region", customer["region"]), ("Department", "Retail")]
        record = self.invoice(
            at,
            day,
            customer["id"],
            [self.berths(places, tracking)],
            Reference=f"Berths {day:%b %Y}",
            CurrencyCode=customer["currency"],
            RepeatingInvoiceID=self.guid(f"repeating/berth{index}"),
            SentToContact=True,
        )
        self.after_sale(record["InvoiceID"], customer)

    def _bank_fees(self, at: datetime, day: date) -> None:
        rnd = self.random
        fee = [("Account fee", "404", amount(rnd.uniform(9, 24)))]
        self.simple(at, day, "SPEND", self.bank_contact, fee, "Fee")
        held = self.bookkeeper.balance("091")
        if held > 0:
            interest = money(held * Decimal("0.0021"))
            self.simple(at, day, "RECEIVE", self.bank_contact, [("Interest", "270", interest)], bank="091")
        parts = [
            ("Loan repayment", "900", Decimal("950.00")),
            ("Loan interest", "437", amount(rnd.uniform(330, 410))),
        ]
        self.simple(at, day, "SPEND", self.bank_contact, parts, "Term loan")
        spare = self.bookkeeper.balance("090")
        if spare > 90000:
            self.bookkeeper.transfer("090", "091", Decimal("15000.00"), day, at, reference="To savings")
        elif spare < 15000 and held > 25000:
            self.bookkeeper.transfer("091", "090", Decimal("20000.00"), day, at, reference="From savings")
        if day.month % 4 == 0 and self.bookkeeper.balance("092") > 9000:
            self.bookkeeper.transfer("092", "090", Decimal("4500.00"), day, at, reference="USD sold")
        if day.month % 3 == 0:
            self.simple(at, day, "SPEND", self.owner, [("Drawings", "880", Decimal("18000.00"))], "Owner")

    def _payroll(self, at: datetime, day: date) -> None:
        gross = amount(self.random.uniform(27500, 31500))
        kiwisaver, paye = money(gross * 3 / 100), money(gross * 22 / 100)
        lines = [
            ("477", "Wages", gross),
            ("478", "KiwiSaver 3 %", kiwisaver),
            ("825", "PAYE and KiwiSaver", -paye - kiwisaver),
            ("814", "Net wages", paye - gross),
        ]
        workshop = [("Department", "Workshop")]
        self.bookkeeper.manual_journal(f"Payroll {day:%B %Y}", day, at, lines, tracking=workshop)
        depreciation = {"711": Decimal("85.00"), "721": Decimal("142.50"), "731": Decimal("610.25")}
        lines = [(code, "Depreciation", -value) for code, value in depreciation.items()]
        lines.insert(0, ("416", "Depreciation", sum(depreciation.values(), ZERO)))
        self.bookkeeper.manual_journal(f"Depreciation {day:%B %Y}", day, at, lines)

    def _pay_owed(
        self,
        at: datetime,
        day: date,
        contact: str,
        account: str,
        text: str,
        reference: str = "",
        *,
        until: date | None = None,
        parts: int = 1,
    ) -> None:
        """Pay what is owed on an account at the end of `until` (by default now), or a part of it."""
        owed = money(-self.bookkeeper.balance(account, until) / parts)
        if owed > 0:
            self.simple(at, day, "SPEND", contact, [(text, account, owed)], reference or text)

    def _pay_card(self, at: datetime, day: date) -> None:
        owed = -self.bookkeeper.balance("093")
        if owed > 0:
            self.bookkeeper.transfer("090", "093", owed, day, at, reference="Card")

    def _income_tax(self, at: datetime, day: date) -> None:
        """At the end of the financial year: 28 per cent of what was earned in it."""
        balance, before = self.bookkeeper.balance, add_months(day, -11) - timedelta(days=1)
        accounts = (
            one for one in self.organisation.records("Accounts") if one["Class"] in ("REVENUE", "EXPENSE")
        )
        profit = -sum((balance(one["Code"], day) - balance(one["Code"], before) for one in accounts), ZERO)
        tax = money(profit * 28 / 100)
        if tax > 0:
            lines = [("505", "Income tax", tax), ("830", "Income tax", -tax)]
            self.bookkeeper.manual_journal(f"Income tax {day.year}", day, at, lines)

    def _accrual(self, at: datetime, day: date) -> None:
        """Power used but not billed; reversed on the first of the next month."""
        value = amount(self.random.uniform(120, 300))
        text = f"Power accrued {day:%B %Y}"
        self.bookkeeper.manual_journal(text, day, at, [("445", text, value), ("850", text, -value)])
        back = business_day(add_months(day, 1))
        turned = [("445", text, -value), ("850", text, value)]
        self.diary.plan(
            self.when(back, 8, 9),
            lambda at: self.bookkeeper.manual_journal(f"Reversal: {text}", back, at, turned),
        )

    def _gst_return(self, at: datetime, day: date, last: date) -> None:
        """The two-monthly GST return: published as a report, then paid (or paid back)."""
        first = add_months(last, -1)
        gross: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for journal in self.bookkeeper.all("Journals"):
            if first <= journal["JournalDate"] <= last:
                for line in journal["JournalLines"]:
                    gross[line.get("TaxType", "")] += line["GrossAmount"]
        sales, zero, purchases = -gross["OUTPUT2"] - gross["ZERORATED"], -gross["ZERORATED"], gross["INPUT2"]
        due = -self.bookkeeper.balance("820", last)
        collected, paid = money((sales - zero) * 3 / 23), money(purchases * 3 / 23)
        boxes = (
            ("5", "Total sales and income", sales),
            ("6", "Zero-rated supplies", zero),
            ("7", "Subtract Box 6 from Box 5", sales - zero),
            ("8", "GST on sales and income", collected),
            ("11", "Total purchases and expenses", purchases),
            ("12", "GST on purchases and expenses", paid),
            ("13", "Adjustments", collected - paid - due),
            ("15", "GST to pay" if due >= 0 else "GST refund", abs(due)),
        )
        rows = [
            header("Box", "", "Amount"),
            section("", [row(map(cell, (*box[:2], f"{box[2]:.2f}"))) for box in boxes]),
        ]
        key, name = self.guid(f"gst/{last}"), "GST Return"
        titles = (name, self.company.name, f"{long_date(first)} to {long_date(last)}")
        self.company.records["Reports"].append(report(key, name, "GSTReturn", titles, day, at, rows))
        if due:
            kind = "SPEND" if due > 0 else "RECEIVE"
            self.simple(at, day, kind, self.tax_office, [("GST", "820", abs(due))], "GST return")

    # --- the telling

    def tell(self) -> Company:
        """Run the two years and return the company."""
        rare_events.before(self)
        day = START
        while day <= TODAY:
            if day.day == 1 or day == START:
                self.month(day.replace(day=1))
            if day.weekday() < 5:
                self._plan_day(day)
            day += timedelta(days=1)
        rare_events.during(self)
        self.diary.run()
        return closing.after(self)

    def _plan_day(self, day: date) -> None:
        rnd, plan = self.random, self.diary.plan
        season = 1.45 if day.month in SUMMER else 1.0
        for _ in range(sum(rnd.random() < 0.5 * season for _ in range(2))):
            plan(self.when(day), self.sale, day)
        if rnd.random() < 0.72:
            index = rnd.choice([i for i in range(len(self.suppliers)) if i not in REGULAR_BILLS])
            plan(self.when(day), self.any_bill, day, index)
        if rnd.random() < 0.55:
            plan(self.when(day, 15, 17), self.spend, day)
        if day.weekday() in (0, 3):
            plan(self.when(day, 8, 9), self.till, day)
        if day.weekday() == 3:
            plan(self.when(day, 14, 15), self.pay_run, day)


@without_collection()
def company() -> Company:
    """The demo company with its whole history."""
    return Story().tell()
