"""The story of the demo company, Tōtara & Tide Limited of Nelson, told day by day through a `Clerk`.

A fixed-seed generator decides what happens; a diary runs it in order of time, so that every record, balance and
journal follows from what happened before.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from . import books, chart, extras, names
from .books import ONE, ZERO, Record, market_rate, money
from .clerk import Clerk, business_day, local_time
from .seed import TODAY, Company, branding_theme, new_organisation, user

START = date(2024, 11, 20)
FOUNDED = date(2024, 11, 4)
DISPUTE = date(2026, 6, 1)
"""From here on the radio station's bills are contested, and left unpaid."""
END = local_time(TODAY, 12 * 3600 + 1800)

CATEGORIES = (
    ("Region", "ACTIVE", ("North", "South", "Australia", "Overseas", "*Christchurch shop (closed)")),
    ("Department", "ACTIVE", ("Retail", "Tours", "Wholesale", "Workshop", "*Café kiosk")),
    ("Season", "ARCHIVED", ("Summer", "Winter")),
)

# Code, name, type, tax, currency or system of an account the company added itself; banks have a number.
OWN_ACCOUNTS = """
090|Business Cheque Account|BANK|NONE|NZD 12-3167-0145820-00
091|Business Savings Account|BANK|NONE|NZD 12-3167-0145820-51
092|US Dollar Account|BANK|NONE|USD 12-3167-0145820-62
093|Company Credit Card|BANK|NONE|NZD 4988-0100-1234-5678
201|Sales - Guided Tours & Courses|REVENUE|OUTPUT2|
202|Sales - Hire|REVENUE|OUTPUT2|
203|Sales - Workshop|REVENUE|OUTPUT2|
205|Freight Recovered|REVENUE|OUTPUT2|
209|Gift Vouchers (old scheme)|REVENUE|OUTPUT2|ARCHIVED
486|Fax Line|EXPENSE|INPUT2|ARCHIVED
730|Workshop Plant|FIXED|INPUT2|
731|Less Accumulated Depreciation on Workshop Plant|FIXED|NONE|
740|Land at 14 Karetu Road|FIXED|NONE|
814|Wages Payable - Payroll|CURRLIAB|NONE|
"""


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


def add_months(day: date, months: int) -> date:
    """The first of the month `months` after that of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return add_months(day, 1) - timedelta(days=1)


def amount(value: float) -> Decimal:
    """A price with cents from a rough number."""
    return money(Decimal(round(value * 100)) / 100)


class Diary:
    """What is going to happen, in order of time; nothing happens after `END`."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._count = 0
        self._now = local_time(FOUNDED, 0)

    def plan(self, at: datetime, act: Callable[..., Any], *args: Any) -> None:
        """Let `act(at, *args)` happen at that instant, or in a minute if that is over."""
        self._count += 1
        heapq.heappush(self._queue, (max(at, self._now + timedelta(minutes=1)), self._count, act, args))

    def run(self) -> None:
        """Let everything up to `END` happen."""
        while self._queue and self._queue[0][0] <= END:
            self._now, _, act, args = heapq.heappop(self._queue)
            act(self._now, *args)


class Story:
    """Makes the company and lives through its two years."""

    def __init__(self) -> None:
        self.random = Random("Tōtara & Tide")
        self.diary = Diary()
        self.founded = local_time(FOUNDED, 9 * 3600 + 840, 557)
        self.company, self.guid = self._set_up()
        self.records = self.company.records
        self.records["Items"] = self._items()
        self.clerk = Clerk(self.records, self.guid, 1)
        self.clerk.changed["Contacts"] = {}
        self.terms: dict[str, tuple[str, int]] = {}
        self.customers: list[Record] = []
        self.suppliers: list[tuple[Record, list[str]]] = []
        self.people: list[Record] = []
        self.disputed: set[str] = set()
        self.retired: set[str] = set()
        self._bills = 0
        self.tax_office = self.bank_contact = self.staff = self.walk_in = self.owner = ""

    def when(self, day: date, start: int = 8, end: int = 17) -> datetime:
        """Some instant of business hours on `day`."""
        seconds = self.random.randrange(start * 3600, end * 3600)
        return local_time(day, seconds, self.random.randrange(1000))

    # --- what there is from the start

    def _set_up(self) -> tuple[Company, Any]:
        address = {
            "AddressType": "POBOX",
            "AddressLine1": "PO Box 1402",
            "City": "Nelson",
            "Region": "",
            "PostalCode": "7040",
            "Country": "New Zealand",
            "AttentionTo": "",
        }
        street = {**address, "AddressType": "STREET", "AddressLine1": "14 Karetu Road", "PostalCode": "7010"}
        company, guid = new_organisation(
            "Tōtara & Tide Limited",
            "NZ",
            self.founded,
            LegalName="Tōtara & Tide Limited",
            IsDemoCompany=True,
            Class="DEMO",
            RegistrationNumber="9429041234567",
            PeriodLockDate=date(2025, 3, 31),
            LineOfBusiness="Boatbuilding and guided sea kayak tours",
            Addresses=[address, street],
            Phones=[
                {
                    "PhoneType": "OFFICE",
                    "PhoneNumber": "548 0199",
                    "PhoneAreaCode": "3",
                    "PhoneCountryCode": "64",
                }
            ],
            ExternalLinks=[{"LinkType": "Website", "Url": "https://totara-and-tide.example"}],
            PaymentTerms={
                "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
                "Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
            },
        )
        records = company.records
        records["Accounts"] += self._own_accounts(guid)
        records["Accounts"].sort(key=lambda a: (a["UpdatedDateUTC"], a["Code"]))
        records["Currencies"] = [{"Code": c, "Description": n} for c, n in chart.CURRENCY_NAMES.items()]
        records["BrandingThemes"] += [
            branding_theme(guid, "Wholesale", 1, self.founded),
            branding_theme(guid, "Kōwhai summer", 2, local_time(date(2025, 11, 3), 36000, 120)),
        ]
        people = (
            ("Hinewai", "Parata", "hinewai", "FINANCIALADVISER", True),
            ("Jörg", "Kästner", "joerg", "STANDARD", False),
            ("Mere", "O'Sullivan", "mere", "STANDARD", False),
            ("Old", "Bookkeeper", "books", "REMOVED", False),
        )
        records["Users"] = [
            user(
                guid,
                first,
                last,
                f"{mail}@totara-and-tide.example",
                at=local_time(FOUNDED + timedelta(days=40 * i), 34000, 70),
                OrganisationRole=role,
                IsSubscriber=owner,
            )
            for i, (first, last, mail, role, owner) in enumerate(people)
        ]
        for name, status, options in CATEGORIES:
            records["TrackingCategories"].append(
                {
                    "Name": name,
                    "Status": status,
                    "TrackingCategoryID": guid(f"tracking/{name}"),
                    "Options": [
                        {
                            "TrackingOptionID": guid(f"tracking/{name}/{option}"),
                            "Name": option.lstrip("*"),
                            "Status": "ARCHIVED" if option[0] == "*" else "ACTIVE",
                            "HasValidationErrors": False,
                            "IsDeleted": False,
                            "IsArchived": option[0] == "*",
                            "IsActive": option[0] != "*",
                        }
                        for option in options
                    ],
                }
            )
        return company, guid

    def _own_accounts(self, guid: Any) -> list[Record]:
        found = []
        for i, row in enumerate(OWN_ACCOUNTS.strip().splitlines()):
            code, name, kind, tax, extra = row.split("|")
            at = self.founded + timedelta(minutes=i, seconds=7 * i)
            more: dict[str, Any] = {}
            if kind == "BANK":
                more["CurrencyCode"], number = extra.split()
                more["BankAccountNumber"] = number.replace("-", "")
                more["BankAccountType"] = "CREDITCARD" if "Credit" in name else "BANK"
                more["AddToWatchlist"] = True
            elif extra:
                more["Status"], at = extra, local_time(date(2025, 4, 3 + i), 33000 + i, 410)
            found.append(chart.account(guid, code, name=name, kind=kind, tax=tax, at=at, **more))
        return found

    def _items(self) -> list[Record]:
        found = []
        for i, (code, name, account, sell, buy, text, _) in enumerate(names.ITEMS):
            purchase: Record = {}
            if buy:
                purchase = {"UnitPrice": Decimal(buy), "AccountCode": "310", "TaxType": "INPUT2"}
            found.append(
                {
                    "ItemID": self.guid(f"item/{code}"),
                    "Code": code,
                    "Name": name,
                    "Description": text,
                    **({"PurchaseDescription": f"{name} (wholesale)"} if buy else {}),
                    "UpdatedDateUTC": local_time(
                        FOUNDED + timedelta(days=15 * i), 37000 + 61 * i, 37 * i % 1000
                    ),
                    "PurchaseDetails": purchase,
                    "SalesDetails": {
                        "UnitPrice": Decimal(sell),
                        "AccountCode": account,
                        "TaxType": "OUTPUT2",
                    },
                    "IsTrackedAsInventory": False,
                    "IsSold": True,
                    "IsPurchased": bool(buy),
                }
            )
        for code, name, sell, buy, quantity in names.TRACKED:
            found.append(
                {
                    "ItemID": self.guid(f"item/{code}"),
                    "Code": code,
                    "Name": name,
                    "Description": name,
                    "PurchaseDescription": name,
                    "UpdatedDateUTC": local_time(FOUNDED, 39000, 123),
                    "PurchaseDetails": {
                        "UnitPrice": Decimal(buy),
                        "COGSAccountCode": "310",
                        "TaxType": "INPUT2",
                    },
                    "SalesDetails": {"UnitPrice": Decimal(sell), "AccountCode": "200", "TaxType": "OUTPUT2"},
                    "IsTrackedAsInventory": True,
                    "InventoryAssetAccountCode": "630",
                    "QuantityOnHand": Decimal(quantity).quantize(Decimal("0.0001")),
                    "TotalCostPool": money(Decimal(buy) * int(quantity)),
                    "IsSold": True,
                    "IsPurchased": True,
                }
            )
        return sorted(found, key=lambda item: (item["UpdatedDateUTC"], item["Code"]))

    # --- contacts

    def make_contact(
        self,
        name: str,
        at: datetime,
        *,
        number: str,
        currency: str,
        city: str,
        country: str,
        person: str,
        **more: Any,
    ) -> Record:
        """A contact in full, with addresses, phones and what else is given."""
        first, _, last = person.partition(" ")
        index = len(self.clerk.changed["Contacts"])
        slug = "".join(c for c in name.lower().replace(" ", "-") if c.isascii() and (c.isalnum() or c == "-"))
        slug = slug.strip("-") or f"contact-{number.lower()}"
        nothing = {"AddressLine1": "", "City": "", "Region": "", "PostalCode": "", "Country": ""}
        street = {**nothing, "AddressType": "STREET"}
        if index % 3 == 0:
            road = names.STREETS[index % len(names.STREETS)]
            street.update(
                AddressLine1=f"{index + 3} {road}",
                City=city,
                Country=country,
                PostalCode=f"70{index % 90:02d}",
            )
        box = {
            **nothing,
            "AddressType": "POBOX",
            "AddressLine1": f"PO Box {1200 + 7 * index}",
            "City": city,
            "Country": country,
            "PostalCode": f"{7000 + index * 13 % 900}",
            "AttentionTo": person,
        }
        blank = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
        phones = [{"PhoneType": kind, **blank} for kind in ("DDI", "DEFAULT", "FAX", "MOBILE")]
        phones[1].update(
            PhoneNumber=f"{200 + index} {4000 + 37 * index % 6000}", PhoneAreaCode=str(3 + index % 7)
        )
        phones[1]["PhoneCountryCode"] = {"Australia": "61", "United States": "1", "Deutschland": "49"}.get(
            country, "64"
        )
        if index % 2:
            phones[3].update(PhoneNumber=f"{100 + index} {3000 + 91 * index % 7000}", PhoneAreaCode="21")
        record: Record = {
            "ContactID": self.guid(f"contact/{name}"),
            "ContactNumber": number,
            "AccountNumber": f"{number}-{index:03d}",
            "ContactStatus": "ACTIVE",
            "Name": name,
            "FirstName": first,
            "LastName": last,
            "EmailAddress": f"accounts@{slug}.example",
            "BankAccountDetails": "",
            "Addresses": [box, street],
            "Phones": phones,
            "UpdatedDateUTC": at,
            "ContactGroups": [],
            "IsSupplier": False,
            "IsCustomer": False,
            "DefaultCurrency": currency,
            "ContactPersons": [],
            "HasAttachments": False,
            "HasValidationErrors": False,
            **more,
        }
        return self.clerk.put("Contacts", record)

    def make_contacts(self) -> None:
        """Customers and suppliers at the start; people who book for themselves as time goes on."""
        imported = local_time(date(2024, 11, 18), 9 * 3600 + 843, 407)
        for i, (name, currency, city, country, person, place) in enumerate(names.CUSTOMERS):
            at = imported if i % 3 else self.when(date(2024, 11, 19) + timedelta(days=i // 3))
            region, department = place.split("/")
            days = self.random.choice((7, 14, 20, 20, 30))
            terms: dict[str, Any] = {
                "Day": days,
                "Type": "OFFOLLOWINGMONTH" if days == 20 else "DAYSAFTERBILLDATE",
            }
            more: dict[str, Any] = {
                "PaymentTerms": {"Sales": terms},
                "SalesDefaultLineAmountType": "EXCLUSIVE" if department != "Retail" else "INCLUSIVE",
            }
            if currency != "NZD":
                more["AccountsReceivableTaxType"] = "ZERORATED"
            if i % 4 == 0:
                more["SalesDefaultAccountCode"] = "201" if department == "Tours" else "200"
                more["SalesTrackingCategories"] = [
                    {"TrackingCategoryName": "Region", "TrackingOptionName": region},
                    {"TrackingCategoryName": "Department", "TrackingOptionName": department},
                ]
                more["TrackingCategoryName"], more["TrackingCategoryOption"] = "Region", region
            if i % 5 == 0:
                more["ContactPersons"] = [
                    {
                        "FirstName": "Office",
                        "LastName": "Team",
                        "EmailAddress": f"office{i}@example.org",
                        "IncludeInEmails": True,
                    },
                    {
                        "FirstName": person.split()[0],
                        "LastName": person.split()[-1],
                        "EmailAddress": f"boss{i}@example.org",
                        "IncludeInEmails": False,
                    },
                ][: 1 + i % 2]
            if i % 11 == 0:
                more["Discount"] = Decimal("5.00")
                more["Website"] = f"https://customer-{i}.example"
            record = self.make_contact(
                name,
                at,
                number=f"C{i + 1:04d}",
                currency=currency,
                city=city,
                country=country,
                person=person,
                **more,
            )
            self.terms[record["ContactID"]] = (terms["Type"], days)
            self.customers.append(
                {
                    "id": record["ContactID"],
                    "currency": currency,
                    "region": region,
                    "department": department,
                    "from": at,
                    "pays": self.random.random(),
                }
            )
        for i, row in enumerate(names.SUPPLIERS):
            name, currency, city, country, code, _, _ = row
            at = imported if i % 4 else self.when(date(2024, 11, 19) + timedelta(days=i // 2))
            more = {
                "PaymentTerms": {"Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}},
                "PurchasesDefaultLineAmountType": "EXCLUSIVE",
            }
            if currency == "NZD":
                account = f"12-31{i:02d}-0{100000 + 7919 * i}-00"
                more["BankAccountDetails"] = account
                more["BatchPayments"] = {
                    "BankAccountNumber": account,
                    "BankAccountName": name[:20],
                    "Details": "T&T",
                    "Code": f"S{i:03d}",
                    "Reference": "Tōtara",
                }
                more["TaxNumber"] = f"{50 + i}-{100 + 3 * i}-{200 + 7 * i}"
            else:
                more["AccountsPayableTaxType"] = "NONE"
            if i % 3 == 0:
                more["PurchasesDefaultAccountCode"] = code
                more["PurchasesTrackingCategories"] = [
                    {"TrackingCategoryName": "Department", "TrackingOptionName": "Workshop"}
                ]
            record = self.make_contact(
                name,
                at,
                number=f"S{i + 1:04d}",
                currency=currency,
                city=city,
                country=country,
                person="",
                **more,
            )
            self.terms[record["ContactID"]] = ("OFFOLLOWINGMONTH", 20)
            self.suppliers.append((record, row))
        firsts, lasts = names.PEOPLE
        for i in range(64):
            name = f"{firsts[i % len(firsts)]} {lasts[i * 7 % len(lasts)]}"
            at = self.when(date(2024, 11, 20) + timedelta(days=10 * i), 9, 16)
            self.diary.plan(at, self._person, name, i)

    def _person(self, at: datetime, name: str, i: int) -> None:
        record = self.make_contact(
            name,
            at,
            number=f"P{i + 1:04d}",
            currency="NZD",
            city="Nelson",
            country="New Zealand",
            person=name,
            SalesDefaultLineAmountType="INCLUSIVE",
        )
        self.terms[record["ContactID"]] = ("DAYSAFTERBILLDATE", 7)
        self.people.append(
            {
                "id": record["ContactID"],
                "currency": "NZD",
                "region": "South",
                "department": "Tours",
                "from": at,
                "pays": self.random.random(),
            }
        )

    def due(self, contact_id: str, day: date) -> date:
        """When a document of `day` falls due by the contact's terms."""
        kind, days = self.terms[contact_id]
        if kind == "OFFOLLOWINGMONTH":
            return add_months(day, 1).replace(day=days)
        return day + timedelta(days=days)

    # --- sales

    def _sale_lines(self, customer: Record, tax: str | None) -> tuple[list[Record], str]:
        """What a customer buys on one invoice, and whether it is priced with or without GST."""
        rnd, department = self.random, customer["department"]
        tracking = [("Region", customer["region"]), ("Department", department)]
        if rnd.random() < 0.12:
            tracking = tracking[:1]
        rate = market_rate(customer["currency"], "NZD", START)
        stock = [row for row in names.ITEMS if row[6] == department and row[0] not in ("FREIGHT", "GIFT")]
        lines = []
        for code, name, account, price, _, text, _ in rnd.sample(
            stock, min(len(stock), rnd.choice((1, 1, 2, 2, 3, 4)))
        ):
            value = Decimal(price)
            most = 2 if value > 1000 else 6 if value > 100 else 24
            quantity = Decimal(rnd.randrange(1, most + 1))
            if code.endswith("-M"):
                quantity = Decimal(rnd.randrange(50, 900)) / 4
            if customer["currency"] != "NZD":
                value = (value * rate).quantize(Decimal("0.0001") if value < 50 else Decimal("0.01"))
            more: dict[str, Any] = {}
            if rnd.random() < 0.06:
                more["DiscountRate"] = Decimal(rnd.choice((5, 10, 15))).quantize(Decimal("0.01"))
            words = rnd.choice(rnd.choice(names.REPAIRS)) if account == "203" else f"{name}: {text}"
            lines.append(
                self.clerk.line(
                    words, value, account, quantity=quantity, tax=tax, item=code, tracking=tracking, **more
                )
            )
        if department in ("Wholesale", "Retail") and customer["currency"] == "NZD" and rnd.random() < 0.16:
            for code, name, price, _, _ in rnd.sample(names.TRACKED, 1):
                lines.append(self.clerk.line(name, Decimal(price), "200", item=code, tracking=tracking))
        if department == "Wholesale" and rnd.random() < 0.5:
            cost = amount(rnd.uniform(45, 260) * float(rate))
            lines.append(
                self.clerk.line(
                    "Freight and handling", cost, "205", tax=tax, item="FREIGHT", tracking=tracking
                )
            )
        if rnd.random() < 0.05:
            lines.append({"Description": "Thank you for paddling with us. Ngā mihi!", "Tracking": []})
        return lines, "Inclusive" if department == "Retail" else "Exclusive"

    def active(self, at: datetime) -> list[Record]:
        """The business customers known and not archived at that time."""
        return [c for c in self.customers if c["from"] < at and c["id"] not in self.retired]

    def _pick_customer(self, at: datetime) -> Record:
        return self.random.choice(
            self.people if self.people and self.random.random() < 0.2 else self.active(at)
        )

    def sale(self, at: datetime, day: date) -> None:
        """One more sales invoice, and what becomes of it."""
        rnd, customer = self.random, self._pick_customer(at)
        tax = "ZERORATED" if customer["currency"] != "NZD" else None
        lines, amounts = self._sale_lines(customer, tax)
        number = self.clerk.number("INV-")
        fate = rnd.random()
        draft = fate < 0.15
        sent: dict[str, Any] = {"SentToContact": True} if not draft and rnd.random() < 0.7 else {}
        record = self.clerk.invoice(
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
        self.clerk.approve("Invoices", key, at, SentToContact=True)
        self.after_sale(key, customer)

    def end(self, at: datetime, resource: str, key: str, status: str) -> None:
        """Void or delete a record."""
        self.clerk.end(resource, key, status, at)

    def after_sale(self, key: str, customer: Record) -> None:
        """Pay, part-pay, credit, void or leave open, as the customer and chance will have it."""
        rnd, record = self.random, self.clerk.get("Invoices", key)
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
        record = self.clerk.get("Invoices", key)
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
            books.is_sale(record) or self.balance("092") > 2 * record["AmountDue"]
        ):
            bank = "092"
        day = self.local_day(at)
        settled = at < END - timedelta(days=6)
        reference = self.random.choice(
            ("", record["InvoiceNumber"], "EFTPOS", record["Contact"]["Name"][:12])
        )
        return self.clerk.pay(
            "Invoices", key, day, at, amount=value, bank=bank, reference=reference, reconciled=settled
        )

    def _bounce(self, at: datetime, key: str) -> None:
        payment = self.receive(at, key)
        if payment:
            later = self.when(business_day(self.local_day(at) + timedelta(days=3)))
            self.diary.plan(later, self._unpay, payment["PaymentID"])

    def _unpay(self, at: datetime, payment_id: str) -> None:
        self.clerk.delete_payment("Invoices", payment_id, at)

    def _overpay(self, at: datetime, key: str, customer: Record) -> None:
        """The invoice is paid, and some money too much came with it; it goes to a later invoice or back."""
        if not self.receive(at, key):
            return
        day, name = self.local_day(at), f"overpayment/{key}"
        extra = amount(self.random.uniform(20, 180))
        line = self.clerk.line("Overpayment", extra, "610", tax="NONE")
        record = self.clerk.bank_transaction(
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
        """Set a credit against an open invoice of the contact; refund it if there is none for long."""
        credit, day = self.clerk.get(resource, credit_id), self.local_day(at)
        if credit["Status"] != "AUTHORISED":
            return
        for record in self.clerk.changed["Invoices"].values():
            fits = (
                record["Contact"]["ContactID"] == contact_id
                and record["CurrencyCode"] == credit["CurrencyCode"]
            )
            if fits and books.is_sale(record) == books.is_sale(credit) and self._open(record["InvoiceID"]):
                self.clerk.allocate(resource, credit_id, record["InvoiceID"], day, at)
                return
        if tries:
            again = self.when(business_day(day + timedelta(days=25)))
            self.diary.plan(again, self.use_credit, resource, credit_id, contact_id, tries - 1)
        else:
            bank = "092" if credit["CurrencyCode"] == "USD" else None
            self.clerk.pay(resource, credit_id, day, at, bank=bank, reference="Refund")

    def _credit(self, at: datetime, key: str, share: Decimal) -> None:
        """A credit note for a share of an invoice, set against it at once."""
        record = self._open(key)
        if record is None:
            return
        line = next(line for line in record["LineItems"] if "UnitAmount" in line)
        price = (line["UnitAmount"] * share).quantize(Decimal("0.01"))
        number, day = self.clerk.number("CN-"), self.local_day(at)
        credit_line = self.clerk.line(
            f"Credit for {record['InvoiceNumber']}: {line['Description']}",
            price,
            line["AccountCode"],
            quantity=line["Quantity"],
            tax=line["TaxType"],
        )
        credit_line["Tracking"] = [dict(t) for t in line["Tracking"]]
        note = {"Description": f"Our apologies; please see {record['InvoiceNumber']}.", "Tracking": []}
        credit = self.clerk.credit_note(
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
            self.clerk.allocate("CreditNotes", credit_id, key, self.local_day(at), at)
        self.diary.plan(
            self.when(business_day(self.local_day(at) + timedelta(days=16))), self._refund, credit_id
        )

    def _refund(self, at: datetime, credit_id: str) -> None:
        credit = self.clerk.get("CreditNotes", credit_id)
        if credit["Status"] == "AUTHORISED" and self.random.random() < 0.5:
            bank = "092" if credit["CurrencyCode"] == "USD" else None
            self.clerk.pay("CreditNotes", credit_id, self.local_day(at), at, bank=bank, reference="Refund")

    # --- purchases

    def bill(self, at: datetime, day: date, index: int, value: float | None = None, **more: Any) -> Record:
        """A bill of the supplier in row `index`, with what becomes of it."""
        rnd = self.random
        contact, row = self.suppliers[index]
        name, currency, _, _, code, text, typical = row
        tax = None if currency == "NZD" else "NONE"
        value = value or float(typical) * rnd.uniform(0.55, 1.6) * (1.9 if code == "310" else 1.2)
        department = "Wholesale" if code in ("310", "425") else "Workshop" if code == "473" else "Retail"
        tracking = [("Region", "South"), ("Department", department)] if rnd.random() < 0.7 else []
        lines = [self.clerk.line(text, amount(value), code, tax=tax, tracking=tracking)]
        if code == "310" and rnd.random() < 0.5:
            bought = [r for r in names.ITEMS if r[4]]
            lines = []
            for item in rnd.sample(bought, rnd.randrange(1, 4)):
                price = Decimal(item[4]) * market_rate(currency, "NZD", START)
                pieces = Decimal(rnd.randrange(8, 36) if price < 200 else rnd.randrange(2, 6))
                price = price.quantize(Decimal("0.0001"))
                lines.append(
                    self.clerk.line(
                        item[1], price, "310", quantity=pieces, tax=tax, item=item[0], tracking=tracking
                    )
                )
        if rnd.random() < 0.12:
            lines.append(
                self.clerk.line("Freight", amount(value * 0.04 + 5), "425", tax=tax, tracking=tracking)
            )
        self._bills += 1
        words = name.split()
        number = more.pop("number", None) or f"{words[0][0]}{words[1][0]}-{4000 + 37 * self._bills}".upper()
        fate = rnd.random()
        status = "DRAFT" if fate < 0.03 else "SUBMITTED" if fate < 0.08 else "AUTHORISED"
        waits = "status" in more
        contact_id = contact["ContactID"]
        record = self.clerk.invoice(
            "ACCPAY",
            contact_id,
            day,
            at,
            lines,
            name=f"bill/{self._bills}",
            due=self.due(contact_id, day),
            number=number,
            reference=more.pop("reference", ""),
            status=more.pop("status", status),
            amounts=more.pop("amounts", "Inclusive" if index % 5 == 4 else "Exclusive"),
            currency=currency,
            **more,
        )
        key = record["InvoiceID"]
        later = self.when(business_day(day + timedelta(days=rnd.randrange(1, 5))))
        if waits:
            return record
        if status != "AUTHORISED" and fate < 0.012:
            self.diary.plan(later, self.end, "Invoices", key, "DELETED")
        elif status != "AUTHORISED":
            self.diary.plan(later, self._approve_bill, key)
        elif fate > 0.985:
            self.diary.plan(later, self.end, "Invoices", key, "VOIDED")
        elif fate > 0.955:
            self.diary.plan(later, self._supplier_credit, key)
        return record

    def _any_bill(self, at: datetime, day: date, index: int) -> None:
        if self.suppliers[index][0]["ContactID"] not in self.retired:
            self.bill(at, day, index)

    def _approve_bill(self, at: datetime, key: str) -> None:
        self.clerk.approve("Invoices", key, at)

    def _supplier_credit(self, at: datetime, key: str) -> None:
        """Part of a delivery goes back; the supplier's credit note is set against the bill."""
        bill = self._open(key)
        if bill is None:
            return
        line, day = bill["LineItems"][0], self.local_day(at)
        returned = self.clerk.line(
            f"Returned: {line['Description']}",
            (line["UnitAmount"] / 4).quantize(Decimal("0.01")),
            line["AccountCode"],
            quantity=line["Quantity"],
            tax=line["TaxType"],
        )
        credit = self.clerk.credit_note(
            "ACCPAYCREDIT",
            bill["Contact"]["ContactID"],
            day,
            at,
            [returned],
            name=f"return/{key}",
            number=f"{bill['InvoiceNumber']}-CR",
            currency=bill["CurrencyCode"],
            amounts=bill["LineAmountTypes"],
        )
        if self.random.random() < 0.8:
            self.diary.plan(at + timedelta(minutes=12), self._allocate_note, credit["CreditNoteID"], key)

    def pay_run(self, at: datetime, day: date) -> None:
        """Thursday: what falls due within a week is paid, bills in dollars of ours in one batch."""
        soon = day + timedelta(days=7)
        batch: list[str] = []
        for record in list(self.clerk.changed["Invoices"].values()):
            key = record["InvoiceID"]
            if record["Type"] != "ACCPAY" or record["DueDate"] > soon or not self._open(key):
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
                self.clerk.pay_batch(part, day, at, reference=f"Pay run {day:%d %b}", reconciled=settled)
            else:
                self.receive(at, part[0])

    # --- the bank

    def till(self, at: datetime, day: date) -> None:
        """Card takings of the shop since last time."""
        tracking = [("Region", "South"), ("Department", "Retail")]
        lines = [
            self.clerk.line("Shop takings", amount(self.random.uniform(90, 820)), "200", tracking=tracking)
        ]
        if self.random.random() < 0.5:
            hire = [("Region", "South"), ("Department", "Tours")]
            lines.append(
                self.clerk.line(
                    "Hire at the beach", amount(self.random.uniform(60, 600)), "202", tracking=hire
                )
            )
        record = self.clerk.bank_transaction(
            "RECEIVE",
            self.walk_in,
            day,
            at,
            lines,
            name=f"till/{day}",
            reference="EFTPOS settlement",
            reconciled=day < TODAY - timedelta(days=5),
        )
        if self.random.random() < 0.02:
            self._delete_bank(record["BankTransactionID"], day)

    def _delete_bank(self, key: str, day: date) -> None:
        later = self.when(business_day(day + timedelta(days=2)))
        self.diary.plan(later, self._unbank, key)

    def _unbank(self, at: datetime, key: str) -> None:
        self.clerk.end("BankTransactions", key, "DELETED", at)
        self.clerk.changed["BankTransactions"][key]["IsReconciled"] = False

    def spend(self, at: datetime, day: date) -> None:
        """Something small on the company card or from the cheque account."""
        choices = [row for row in PETTY if self.suppliers[row[0]][0]["ContactID"] not in self.retired]
        index, text, code, low, high = self.random.choice(choices)
        bank = "093" if self.random.random() < 0.7 else "090"
        line = self.clerk.line(text, amount(self.random.uniform(low, high)), code)
        record = self.clerk.bank_transaction(
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
        lines = [self.clerk.line(text, value, code, tax="NONE") for text, code, value in parts]
        name = f"{kind}/{contact}/{day}/{parts[0][1]}/{bank}"
        return self.clerk.bank_transaction(
            kind, contact, day, at, lines, name=name, bank=bank, amounts="NoTax", **more
        )

    def balance(self, code: str, day: date | None = None) -> Decimal:
        """What an account holds in the ledger, in base currency."""
        account = self.clerk.ledger.account({"Code": code})["AccountID"]
        if day is None:
            return self.clerk.moved.get(account, ZERO)
        return sum(
            (
                line["NetAmount"]
                for journal in self.clerk.changed["Journals"].values()
                if journal["JournalDate"] <= day
                for line in journal["JournalLines"]
                if line["AccountID"] == account
            ),
            ZERO,
        )

    # --- month by month

    def month(self, first: date) -> None:
        """Put the fixed points of a month into the diary."""
        plan, when, last = self.diary.plan, self.when, month_end(first)
        for index, day_of_month, value, repeat in (
            (10, 1, 4200.0, "rent"),
            (11, 12, None, None),
            (12, 8, 189.0, "phones"),
            (13, 3, 82.0, "software"),
            (19, 26, 160.0, "cleaning"),
            (24, 20, 575.0, None),
            (33, 5, 75.0, "alarm"),
            (22, 2, None, None),
        ):
            day = business_day(first.replace(day=day_of_month))
            if day >= START:
                more = {"RepeatingInvoiceID": self.guid(f"repeating/{repeat}")} if repeat else {}
                plan(when(day, 8, 9), self._monthly_bill, day, index, value, more)
        for index, (contact, places) in enumerate(((5, 6), (24, 4), (47, 8))):
            day = business_day(first)
            plan(when(day, 8, 9), self._berths, day, self.customers[contact], places, index)
        fees = last - timedelta(days=max(0, last.weekday() - 4))
        plan(when(fees, 15, 16), self._bank_fees, fees)
        plan(when(fees, 16, 17), self._payroll, fees)
        wages = business_day(last + timedelta(days=1))
        plan(when(wages, 9, 10), self._wages, wages)
        paye = business_day(add_months(first, 1).replace(day=20))
        plan(when(paye, 10, 11), self._paye, paye)
        card = business_day(first.replace(day=18))
        plan(when(card, 11, 12), self._pay_card, card)
        if first.month in (1, 3, 5, 7, 9, 11):
            gst = business_day(add_months(first, 1).replace(day=28))
            plan(when(gst, 10, 11), self._gst_return, gst, last)
        if first.month % 3 == 0:
            plan(when(fees, 13, 14), self._accrual, fees)
        if first.month == 3:
            plan(when(fees, 16, 17), self._income_tax, fees)
        if first.month in (1, 5, 8):
            provisional = business_day(first.replace(day=28))
            plan(when(provisional, 9, 10), self._provisional_tax, provisional)

    def _monthly_bill(
        self, at: datetime, day: date, index: int, value: float | None, more: dict[str, Any]
    ) -> None:
        self.bill(at, day, index, value, **more)

    def _berths(self, at: datetime, day: date, customer: Record, places: int, index: int) -> None:
        tracking = [("Region", customer["region"]), ("Department", "Retail")]
        line = self.clerk.line(
            "Kayak storage, monthly",
            Decimal("48.00"),
            "202",
            quantity=Decimal(places),
            item="BERTH",
            tracking=tracking,
        )
        number = self.clerk.number("INV-")
        record = self.clerk.invoice(
            "ACCREC",
            customer["id"],
            day,
            at,
            [line],
            name=f"invoice/{number}",
            due=self.due(customer["id"], day),
            number=number,
            reference=f"Berths {day:%b %Y}",
            currency=customer["currency"],
            RepeatingInvoiceID=self.guid(f"repeating/berth{index}"),
            SentToContact=True,
        )
        self.after_sale(record["InvoiceID"], customer)

    def _bank_fees(self, at: datetime, day: date) -> None:
        rnd = self.random
        self.simple(
            at,
            day,
            "SPEND",
            self.bank_contact,
            [("Account fee", "404", amount(rnd.uniform(9, 24)))],
            reference="Fee",
        )
        held = self.balance("091")
        if held > 0:
            interest = money(held * Decimal("0.0021"))
            self.simple(at, day, "RECEIVE", self.bank_contact, [("Interest", "270", interest)], "091")
        parts = [
            ("Loan repayment", "900", Decimal("950.00")),
            ("Loan interest", "437", amount(rnd.uniform(330, 410))),
        ]
        self.simple(at, day, "SPEND", self.bank_contact, parts, reference="Term loan")
        spare = self.balance("090")
        if spare > 90000:
            self.clerk.transfer("090", "091", Decimal("15000.00"), day, at, reference="To savings")
        elif spare < 15000 and held > 25000:
            self.clerk.transfer("091", "090", Decimal("20000.00"), day, at, reference="From savings")
        if day.month % 4 == 0 and self.balance("092") > 9000:
            self.clerk.transfer("092", "090", Decimal("4500.00"), day, at, reference="USD sold")
        if day.month % 3 == 0:
            self.simple(
                at, day, "SPEND", self.owner, [("Drawings", "880", Decimal("18000.00"))], reference="Owner"
            )

    def _payroll(self, at: datetime, day: date) -> None:
        gross = amount(self.random.uniform(27500, 31500))
        kiwisaver, paye = money(gross * 3 / 100), money(gross * 22 / 100)
        self.clerk.manual_journal(
            f"Payroll {day:%B %Y}",
            day,
            at,
            [
                ("477", "Wages", gross),
                ("478", "KiwiSaver 3 %", kiwisaver),
                ("825", "PAYE and KiwiSaver", -paye - kiwisaver),
                ("814", "Net wages", paye - gross),
            ],
            tracking=[("Department", "Workshop")],
        )
        depreciation = {"711": Decimal("85.00"), "721": Decimal("142.50"), "731": Decimal("610.25")}
        total = sum(depreciation.values(), ZERO)
        lines = [
            ("416", "Depreciation", total),
            *((code, "Depreciation", -value) for code, value in depreciation.items()),
        ]
        self.clerk.manual_journal(f"Depreciation {day:%B %Y}", day, at, lines)

    def _wages(self, at: datetime, day: date) -> None:
        owed = -self.balance("814")
        if owed > 0:
            self.simple(at, day, "SPEND", self.staff, [("Net wages", "814", owed)], reference="Wages")

    def _paye(self, at: datetime, day: date) -> None:
        owed = -self.balance("825", month_end(add_months(day, -1)))
        if owed > 0:
            self.simple(at, day, "SPEND", self.tax_office, [("PAYE", "825", owed)], reference="PAYE")

    def _pay_card(self, at: datetime, day: date) -> None:
        owed = -self.balance("093")
        if owed > 0:
            self.clerk.transfer("090", "093", owed, day, at, reference="Card")

    def _income_tax(self, at: datetime, day: date) -> None:
        """At the end of the financial year: 28 per cent of what was earned in it."""
        start = add_months(day, -11)
        profit = -sum(
            (
                line["NetAmount"]
                for journal in self.clerk.changed["Journals"].values()
                if start <= journal["JournalDate"] <= day
                for line in journal["JournalLines"]
                if chart.CLASSES[line["AccountType"]] in ("REVENUE", "EXPENSE")
            ),
            ZERO,
        )
        tax = money(profit * 28 / 100)
        if tax > 0:
            lines = [("505", "Income tax", tax), ("830", "Income tax", -tax)]
            self.clerk.manual_journal(f"Income tax {day.year}", day, at, lines)

    def _provisional_tax(self, at: datetime, day: date) -> None:
        owed = money(-self.balance("830") / 3)
        if owed > 0:
            self.simple(
                at, day, "SPEND", self.tax_office, [("Income tax", "830", owed)], reference="Income tax"
            )

    def _accrual(self, at: datetime, day: date) -> None:
        """Power used but not billed; reversed on the first of the next month."""
        value = amount(self.random.uniform(120, 300))
        text = f"Power accrued {day:%B %Y}"
        self.clerk.manual_journal(text, day, at, [("445", text, value), ("850", text, -value)])
        back = business_day(add_months(day, 1))
        turned = [("445", text, -value), ("850", text, value)]
        self.diary.plan(self.when(back, 8, 9), self.manual, f"Reversal: {text}", back, turned)

    def manual(
        self,
        at: datetime,
        text: str,
        day: date,
        lines: list[tuple[str, str, Decimal]],
        status: str = "POSTED",
    ) -> None:
        """A manual journal, straight from the diary."""
        self.clerk.manual_journal(text, day, at, lines, status=status)

    def _gst_return(self, at: datetime, day: date, last: date) -> None:
        """The two-monthly GST return: published as a report, then paid (or paid back)."""
        first = add_months(last, -1)
        gross: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for journal in self.clerk.changed["Journals"].values():
            if first <= journal["JournalDate"] <= last:
                for line in journal["JournalLines"]:
                    gross[line.get("TaxType", "")] += line["GrossAmount"]
        sales, zero, purchases = -gross["OUTPUT2"] - gross["ZERORATED"], -gross["ZERORATED"], gross["INPUT2"]
        due = -self.balance("820", last)
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
        self.records["Reports"].append(
            {
                "ReportID": self.guid(f"gst/{last}"),
                "ReportName": "GST Return",
                "ReportType": "GSTReturn",
                "ReportTitles": [
                    "GST Return",
                    self.company.name,
                    f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}",
                ],
                "ReportDate": f"{day.day} {day:%B %Y}",
                "UpdatedDateUTC": at,
                "Fields": [],
                "Rows": [
                    {"RowType": "Header", "Cells": [{"Value": "Box"}, {"Value": ""}, {"Value": "Amount"}]},
                    {
                        "RowType": "Section",
                        "Title": "",
                        "Rows": [
                            {
                                "RowType": "Row",
                                "Cells": [{"Value": box}, {"Value": text}, {"Value": f"{value:.2f}"}],
                            }
                            for box, text, value in boxes
                        ],
                    },
                ],
            }
        )
        if due:
            kind = "SPEND" if due > 0 else "RECEIVE"
            self.simple(at, day, kind, self.tax_office, [("GST", "820", abs(due))], reference="GST return")

    # --- the telling

    def tell(self) -> Company:
        """Live through the two years and hand over the company."""
        extras.before(self)
        day = START
        while day <= TODAY:
            if day.day == 1 or day == START:
                self.month(day.replace(day=1))
            if day.weekday() < 5:
                self._plan_day(day)
            day += timedelta(days=1)
        extras.during(self)
        self.diary.run()
        extras.after(self)
        return self.company

    def _plan_day(self, day: date) -> None:
        rnd, plan = self.random, self.diary.plan
        season = 1.45 if day.month in (11, 12, 1, 2, 3) else 1.0
        for _ in range(sum(rnd.random() < 0.5 * season for _ in range(2))):
            plan(self.when(day), self.sale, day)
        if rnd.random() < 0.72:
            index = rnd.choice(
                [i for i in range(len(self.suppliers)) if i not in (10, 11, 12, 13, 19, 22, 24, 33)]
            )
            plan(self.when(day), self._any_bill, day, index)
        if rnd.random() < 0.55:
            plan(self.when(day, 15, 17), self.spend, day)
        if day.weekday() in (0, 3):
            plan(self.when(day, 8, 9), self.till, day)
        if day.weekday() == 3:
            plan(self.when(day, 14, 15), self.pay_run, day)


def company(_now: datetime) -> Company:
    """The demo company in full; its history is the same whatever the time is now."""
    return Story().tell()
