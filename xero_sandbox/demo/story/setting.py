"""The demo company on its first day: accounts, tracking, items, and the diary of planned events."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

from ...accounting import chart
from ...accounting.general_ledger import shifted
from ...values import Record, money
from ..bookkeeper import Bookkeeper
from ..company import TODAY, Company, branding_theme, new_organisation, opened, user
from ..entries import local_time
from . import names

START = date(2024, 11, 20)
FOUNDED = date(2024, 11, 4)
SUMMER = (11, 12, 1, 2, 3)
"""The months of the season."""

END = local_time(TODAY, 12 * 3600 + 1800)

CATEGORIES = (
    ("Region", ("North", "South", "Australia", "Overseas", "*Christchurch shop (closed)")),
    ("Department", ("Retail", "Tours", "Wholesale", "Workshop", "*Café kiosk")),
    ("Season", ("Summer", "Winter")),
)


def add_months(day: date, months: int) -> date:
    """The first of the month `months` after that of `day`."""
    return shifted(day.replace(day=1), months)


def amount(value: float) -> Decimal:
    """A price in cents from a float."""
    return money(Decimal(round(value * 100)) / 100)


class Diary:
    """Planned events in order of time; events after `END` are dropped."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, Callable[[datetime], Any]]] = []
        self._numbers = count()
        self._now = local_time(FOUNDED, 0)

    def plan(self, at: datetime, act: Callable[..., Any], *args: Any, **fields: Any) -> None:
        """Plan `act(at, *args, **fields)` for that time, or a minute from now if it is past."""
        at = max(at, self._now + timedelta(minutes=1))
        heapq.heappush(self._queue, (at, next(self._numbers), lambda at: act(at, *args, **fields)))

    def run(self) -> None:
        """Run all events up to `END`."""
        while self._queue and self._queue[0][0] <= END:
            self._now, _, act = heapq.heappop(self._queue)
            act(self._now)


class Setting:
    """The company on its first day, and what all later events need."""

    def __init__(self) -> None:
        self.random = Random("Tōtara & Tide")
        self.diary = Diary()
        self.founded = local_time(FOUNDED, 9 * 3600 + 840, 557)
        self.company, self.guid = self._set_up()
        self.organisation = opened(self.company, END)
        self.bookkeeper = Bookkeeper(self.organisation, self.guid)
        self._reference_data()
        self.terms: dict[str, tuple[str, int]] = {}
        self.customers: list[Record] = []
        self.suppliers: list[tuple[Record, dict[str, str]]] = []
        self.people: list[Record] = []
        self.disputed: set[str] = set()
        self.retired: set[str] = set()
        self._bills = 0
        self.tax_office = self.bank_contact = self.staff = self.walk_in = self.owner = ""

    def when(self, day: date, start: int = 8, end: int = 17) -> datetime:
        """A random time in business hours on `day`."""
        seconds = self.random.randrange(start * 3600, end * 3600)
        return local_time(day, seconds, self.random.randrange(1000))

    def _set_up(self) -> tuple[Company, Any]:
        company, guid = new_organisation("Tōtara & Tide Limited", "NZ", self.founded, **names.ORGANISATION)
        records = company.records
        records["Currencies"] = []
        records["BrandingThemes"] += [
            branding_theme(guid, "Wholesale", 1, self.founded),
            branding_theme(guid, "Kōwhai summer", 2, local_time(date(2025, 11, 3), 36000, 120)),
        ]
        records["Users"] = []
        for i, row in enumerate(names.USERS):
            at = local_time(FOUNDED + timedelta(days=40 * i), 34000, 70)
            more = {"OrganisationRole": row["role"], "IsSubscriber": row["subscriber"] == "yes"}
            records["Users"].append(user(guid, row["first"], row["last"], row["email"], at=at, **more))
        return company, guid

    def _reference_data(self) -> None:
        """Currencies, accounts, tracking and items, entered in the first days."""
        bookkeeper, at = self.bookkeeper, self.founded
        for code, name in chart.CURRENCY_NAMES.items():
            bookkeeper.create("Currencies", {"Code": code, "Description": name}, at, "")
        self._own_accounts()
        for name, options in CATEGORIES[:2]:
            self._category(name, options)
        self._archived_category(*CATEGORIES[2])
        self._items()

    def _category(self, name: str, options: tuple[str, ...]) -> str:
        bookkeeper, at = self.bookkeeper, self.founded
        made = bookkeeper.create("TrackingCategories", {"Name": name}, at, f"tracking/{name}")
        key = str(made["TrackingCategoryID"])
        for option in options:
            status = "ARCHIVED" if option[0] == "*" else "ACTIVE"
            bookkeeper.add_option(key, option.lstrip("*"), at, f"tracking/{name}/{option}", status)
        return key

    def _archived_category(self, name: str, options: tuple[str, ...]) -> None:
        """An archived tracking category. Only two can be active, so another one is archived meanwhile."""
        other = self.guid(f"tracking/{CATEGORIES[0][0]}")
        self.bookkeeper.update("TrackingCategories", other, self.founded, Status="ARCHIVED")
        key = self._category(name, options)
        self.bookkeeper.update("TrackingCategories", key, self.founded, Status="ARCHIVED")
        self.bookkeeper.update("TrackingCategories", other, self.founded, Status="ACTIVE")

    def _own_accounts(self) -> None:
        for i, row in enumerate(names.ACCOUNTS):
            at = self.founded + timedelta(minutes=i, seconds=7 * i)
            if row["Status"]:
                at = local_time(date(2025, 4, 3 + i), 33000 + i, 410)
            element: Record = {name: text for name, text in row.items() if text and name != "Status"}
            element["Description"] = f"{row['Name']}; added by the company"
            if row["Type"] == "BANK":
                element["BankAccountType"] = "CREDITCARD" if "Credit" in row["Name"] else "BANK"
                element["AddToWatchlist"] = True
            made = self.bookkeeper.create("Accounts", element, at, f"account/{row['Code']}")
            if row["Status"]:
                self.bookkeeper.update("Accounts", made["AccountID"], at, Status=row["Status"])

    def _items(self) -> None:
        for i, row in enumerate(names.ITEMS):
            code, name, account, sell, buy, text, _ = row.values()
            element: Record = {
                "Code": code,
                "Name": name,
                "Description": text,
                "SalesDetails": {"UnitPrice": Decimal(sell), "AccountCode": account, "TaxType": "OUTPUT2"},
                "IsPurchased": bool(buy),
            }
            if buy:
                element["PurchaseDescription"] = f"{name} (wholesale)"
                details = {"UnitPrice": Decimal(buy), "AccountCode": "310", "TaxType": "INPUT2"}
                element["PurchaseDetails"] = details
            at = local_time(FOUNDED + timedelta(days=15 * i), 37000 + 61 * i, 37 * i % 1000)
            self.bookkeeper.create("Items", element, at, f"item/{code}")
        for row in names.TRACKED:
            code, name, sell, buy, quantity = row.values()
            element = {
                "Code": code,
                "Name": name,
                "Description": name,
                "PurchaseDescription": name,
                "PurchaseDetails": {"UnitPrice": Decimal(buy), "COGSAccountCode": "310", "TaxType": "INPUT2"},
                "SalesDetails": {"UnitPrice": Decimal(sell), "AccountCode": "200", "TaxType": "OUTPUT2"},
                "InventoryAssetAccountCode": "630",
            }
            item = self.bookkeeper.create("Items", element, local_time(FOUNDED, 39000, 123), f"item/{code}")
            stock = {
                "QuantityOnHand": Decimal(quantity).quantize(Decimal("0.0001")),
                "TotalCostPool": money(Decimal(buy) * int(quantity)),
            }
            self.bookkeeper.put("Items", {**item, **stock})
