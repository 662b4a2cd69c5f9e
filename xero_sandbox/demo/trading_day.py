"""One more business day of an organisation."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from ..accounting.currencies import CURRENCIES
from ..rules.work import refresh_balances
from ..state.organisation import Organisation
from ..values import ONE, Record
from .bookkeeper import Bookkeeper
from .company import phone
from .entries import Guids, business_day, local_time


def next_business_day(now: datetime) -> tuple[date, datetime]:
    """The next day of business after `now` (New Zealand's calendar), and the instant at which it closes."""
    day = business_day((now + timedelta(hours=13)).date() + timedelta(days=1))
    return day, local_time(day, 17 * 3600 + 1800)


def trading_day(organisation: Organisation, now: datetime) -> dict[str, list[Record]]:
    """Let the next business day after `now` pass in an organisation; returns the new and changed records by resource.

    The events depend only on the records and `now`. The caller moves its clock to the close of that day, see
    `next_business_day`. An organisation without contacts has no trade, one without a bank account no payments.
    """
    if not any(one["ContactStatus"] == "ACTIVE" for one in organisation.records("Contacts")):
        return {}
    day = _Day(organisation, now)
    day.pass_by()
    changed = {path: day.bookkeeper.all(path) for path in day.bookkeeper.changed}
    concerned = {
        one["Contact"]["ContactID"] for rows in changed.values() for one in rows if one.get("Contact")
    }
    refresh_balances(organisation, concerned)
    return {path: day.bookkeeper.all(path) for path in changed}


class _Day:
    """The events of one day."""

    def __init__(self, organisation: Organisation, now: datetime) -> None:
        self.organisation = organisation
        self.day, _ = next_business_day(now)
        own = organisation.records("Organisation")[0]
        scope = f"{own['OrganisationID']}/{self.day}"
        self.random = Random(scope)
        banks = [
            one
            for one in organisation.records("Accounts")
            if one["Type"] == "BANK" and one["Status"] == "ACTIVE"
        ]
        self.bank = next((one["Code"] for one in banks if one["CurrencyCode"] == own["BaseCurrency"]), None)
        self.people = [one for one in organisation.records("Contacts") if one["ContactStatus"] == "ACTIVE"]
        self.suppliers = [one for one in self.people if one.get("IsSupplier")] or self.people
        self.bookkeeper = Bookkeeper(organisation, Guids(scope), self.bank or "090")
        self._minutes = iter(sorted(self.random.sample(range(510, 1020), 40)))

    def later(self) -> datetime:
        """The next instant of the day at which something happens."""
        seconds = 60 * next(self._minutes) + self.random.randrange(60)
        return local_time(self.day, seconds, self.random.randrange(1000))

    def pass_by(self) -> None:
        """Sell, buy, pay, void a bill and correct a contact."""
        unpaid = [
            one
            for one in self.organisation.records("Invoices")
            if one["Status"] == "AUTHORISED" and one["AmountDue"] > 0 and one["CurrencyCode"] in CURRENCIES
        ]
        unpaid.sort(key=lambda one: (one.get("DueDate", self.day), one["InvoiceID"]))
        self._sell()
        self._buy()
        if self.bank:
            self._pay(unpaid)
        untouched = [one for one in unpaid if one["Type"] == "ACCPAY" and one["AmountDue"] == one["Total"]]
        if len(untouched) > 2:
            self.bookkeeper.end("Invoices", untouched[-1]["InvoiceID"], "VOIDED", self.later())
        mobile = phone("MOBILE", f"555 {self.day:%m%d}", "21")
        edited = self.random.choice(self.people)
        self.bookkeeper.update("Contacts", edited["ContactID"], self.later(), Phones=[mobile])

    def _sell(self) -> None:
        bookkeeper, rnd = self.bookkeeper, self.random
        customers = [one for one in self.people if one.get("IsCustomer")] or self.people
        goods = [
            one
            for one in self.organisation.records("Items")
            if one.get("SalesDetails") and not one.get("IsTrackedAsInventory")
        ]
        numbers = [one.get("InvoiceNumber", "") for one in self.organisation.records("Invoices")]
        for n in range(rnd.randrange(3, 6)):
            number = bookkeeper.number("INV-", numbers)
            lines = [bookkeeper.line("Goods as ordered", 100 + rnd.randrange(900), "200")]
            if goods:
                lines = [self._line(item) for item in rnd.sample(goods, min(len(goods), 1 + n % 3))]
            self._invoice(
                "ACCREC",
                rnd.choice(customers)["ContactID"],
                lines,
                f"invoice/{number}",
                20,
                InvoiceNumber=number,
                Status="DRAFT" if n == 2 else "AUTHORISED",
            )

    def _invoice(
        self, kind: str, contact_id: str, lines: list[Record], name: str, days: int, **fields: Any
    ) -> None:
        """An invoice or bill of this day, due in `days` days."""
        due = self.day + timedelta(days=days)
        self.bookkeeper.invoice(kind, contact_id, self.day, self.later(), lines, name, due, **fields)

    def _line(self, item: Record) -> Record:
        sale = item["SalesDetails"]
        return self.bookkeeper.line(
            item.get("Description") or item["Name"],
            sale.get("UnitPrice", ONE),
            sale.get("AccountCode", "200"),
            self.random.randrange(1, 5),
            item["Code"],
        )

    def _buy(self) -> None:
        for n in range(2):
            contact = self.random.choice(self.suppliers)["ContactID"]
            price = 80 + self.random.randrange(700)
            line = self.bookkeeper.line("Supplies", price, ("429", "453")[n])
            number = f"{self.day:%y%m%d}-{n}"
            self._invoice("ACCPAY", contact, [line], f"bill/{n}", 14, InvoiceNumber=number)

    def _pay(self, unpaid: list[Record]) -> None:
        bookkeeper, day = self.bookkeeper, self.day
        for kind, count in (("ACCREC", 4), ("ACCPAY", 2)):
            for invoice in [one for one in unpaid if one["Type"] == kind][:count]:
                bookkeeper.pay("Invoices", invoice["InvoiceID"], day, self.later(), reconciled=False)
        line = bookkeeper.line("Postage and sundries", 5 + self.random.randrange(60), "429")
        contact = self.random.choice(self.suppliers)["ContactID"]
        bookkeeper.bank_transaction(
            "SPEND", contact, day, self.later(), [line], "sundries", IsReconciled=False
        )
