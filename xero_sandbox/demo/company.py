"""The organisations a sandbox can start with, complete and consistent, the same in every run.

`demo_company` is the one to look at: two years of a kayak maker's trade. `second_company` is a small
Australian sister, `empty_company` what Xero gives a brand-new organisation, `large_company` a mass of invoices
to measure with. `trading_day` lets an organisation live on for one more business day.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha512
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..accounting import chart
from ..accounting import double_entry as books
from .bookkeeper import IDS, Clerk, Guids, local_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Record = dict[str, Any]

NAMESPACE = UUID("6f1c0d2e-5a53-5c1b-9d0a-7e40a5d3c9b1")
TODAY = date(2026, 11, 20)
"""The day on which the histories of the demo companies end."""

_RESOURCES = """
Organisations Accounts TaxRates Currencies BrandingThemes TrackingCategories Users Contacts ContactGroups Items
Invoices CreditNotes BankTransactions BankTransfers Payments BatchPayments Prepayments Overpayments PurchaseOrders
Quotes ManualJournals Journals LinkedTransactions RepeatingInvoices Budgets PaymentServices Reports ExpenseClaims
Receipts History Attachments
"""
RESOURCES = tuple(_RESOURCES.split())
"""Every key of `Company.records`."""


@dataclass(frozen=True)
class Company:
    """One organisation: its tenant id, its name, and its records by Xero's resource name, in order of change.

    Rows of History and Attachments carry, beside Xero's fields, `Resource` and `ResourceID`: whose they are.
    """

    tenant_id: str
    name: str
    records: dict[str, list[Record]]


def _tenant(name: str) -> tuple[str, Guids]:
    guid = Guids(NAMESPACE, name)
    return guid("tenant"), guid


def new_organisation(name: str, country: str, at: datetime, **more: Any) -> tuple[Company, Guids]:
    """An organisation as Xero sets it up at `at`; `more` adds or replaces fields of the Organisation."""
    tenant_id, guid = _tenant(name)
    currency, tax_number, tax_name = {
        "NZ": ("NZD", "123-456-789", "GST Number"),
        "AU": ("AUD", "53 004 085 616", "ABN"),
    }[country]
    records: dict[str, list[Record]] = {resource: [] for resource in RESOURCES}
    records["Organisations"] = [
        {
            "Name": name,
            "LegalName": name,
            "PaysTax": True,
            "Version": country,
            "OrganisationType": "COMPANY",
            "BaseCurrency": currency,
            "CountryCode": country,
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "TaxNumber": tax_number,
            "TaxNumberName": tax_name,
            "FinancialYearEndDay": 31 if country == "NZ" else 30,
            "FinancialYearEndMonth": 3 if country == "NZ" else 6,
            "SalesTaxBasis": "INVOICE" if country == "NZ" else "ACCRUALS",
            "SalesTaxPeriod": "TWOMONTHS" if country == "NZ" else "QUARTERLY1",
            "DefaultSalesTax": "Tax Exclusive",
            "DefaultPurchasesTax": "Tax Exclusive",
            "CreatedDateUTC": at,
            "OrganisationEntityType": "COMPANY",
            "Timezone": "NEWZEALANDSTANDARDTIME" if country == "NZ" else "AUSEASTERNSTANDARDTIME",
            "ShortCode": "!" + guid("short")[:5],
            "OrganisationID": tenant_id,
            "Edition": "BUSINESS",
            "Class": "PREMIUM",
            "Addresses": [],
            "Phones": [],
            "ExternalLinks": [],
            "PaymentTerms": {},
            **more,
        }
    ]
    records["Accounts"] = chart.default_accounts(guid, country, at)
    records["TaxRates"] = chart.default_tax_rates(country)
    records["Currencies"] = [{"Code": currency, "Description": chart.CURRENCY_NAMES[currency]}]
    records["BrandingThemes"] = [branding_theme(guid, "Standard", 0, at)]
    records["Users"] = [user(guid, "Alex", "Owner", "alex@example.com", at=at, IsSubscriber=True)]
    return Company(tenant_id, name, records), guid


def branding_theme(guid: Callable[[str], str], name: str, order: int, at: datetime) -> Record:
    """One branding theme."""
    theme_id = guid(f"theme/{name}")
    return {
        "BrandingThemeID": theme_id,
        "Name": name,
        "LogoUrl": f"https://in.xero.com/logo?id={theme_id[:8]}",
        "Type": "INVOICE",
        "SortOrder": order,
        "CreatedDateUTC": at,
    }


def user(
    guid: Callable[[str], str], first: str, last: str, email: str, *, at: datetime, **more: Any
) -> Record:
    """One user of the organisation."""
    return {
        "UserID": guid(f"user/{email}"),
        "GlobalUserID": guid(f"global-user/{email}"),
        "EmailAddress": email,
        "FirstName": first,
        "LastName": last,
        "UpdatedDateUTC": at,
        "IsSubscriber": False,
        "OrganisationRole": "STANDARD",
        **more,
    }


def _stamp(now: datetime) -> datetime:
    return now.astimezone(timezone.utc).replace(microsecond=0)


def empty_company(now: datetime) -> Company:
    """A brand-new organisation in New Zealand, set up a minute before `now`: no contact, no document."""
    company, _ = new_organisation("Blank Slate Ltd", "NZ", _stamp(now) - timedelta(minutes=1))
    return company


def demo_company(now: datetime) -> Company:
    """Tōtara & Tide Limited of Nelson: a kayak maker with two years of trade that end on 20 November 2026.

    The history does not depend on `now`, which must not lie before its end. Raises ValueError if it does.
    """
    from . import story as demo

    _after_history(now)
    return demo.company()


def _after_history(now: datetime) -> None:
    if now < datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=timezone.utc):
        raise ValueError(
            f"The demo companies' history runs to {TODAY}; a sandbox cannot start on {now:%Y-%m-%d}"
        )


def second_company(now: datetime) -> Company:
    """Tide & Timber Pty Ltd of Hobart, the small Australian sister, with a year of trade up to 20 November 2026.

    Raises ValueError when `now` lies before that day.
    """
    from . import second_company as sister

    _after_history(now)
    return sister.company()


def put_in_order(records: dict[str, list[Record]], clerk: Clerk) -> None:
    """Take over what a clerk has made, every list in order of change and journals in order of their numbers.

    A few journals trade numbers with one made a little later: Xero numbers them in nearly, not quite, the order
    of creation (seen in every recording of its Journals endpoint).
    """

    def moment(record: Record) -> datetime:
        stamp: datetime = record.get("UpdatedDateUTC") or record["CreatedDateUTC"]
        return stamp

    for resource, table in clerk.changed.items():
        kept = [r for r in records[resource] if r[IDS[resource]] not in table]
        records[resource] = sorted([*kept, *table.values()], key=moment)
    journals = list(clerk.changed.get("Journals", {}).values())
    for i in range(20, len(journals) - 3, 53):
        one, other = journals[i], journals[i + 2]
        one["JournalNumber"], other["JournalNumber"] = other["JournalNumber"], one["JournalNumber"]
    records["Journals"] = sorted(journals, key=lambda journal: int(journal["JournalNumber"]))


# --- many invoices ------------------------------------------------------------------------------------------


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the cycle collector off while a million dicts are made, none of which is garbage: three times as fast."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_no_collection()
def large_company(now: datetime, invoices: int = 100_000) -> Company:
    """An organisation with so many sales invoices of one to five lines each, made in seconds, for measuring.

    The last invoice was changed shortly before `now`. Lines share their Tracking and Item, invoices their
    Contact: replace such a record as a whole, do not change it in place. There are no payments and no journals.
    """
    end = _stamp(now) - timedelta(minutes=10)
    step = timedelta(seconds=min(900, 90_000_000 // max(1, invoices)))
    start = end - step * invoices
    company, guid = new_organisation("Mass & Measure Ltd", "NZ", start - timedelta(days=1))
    records = company.records
    category = {"TrackingCategoryID": guid("tracking"), "Name": "Region", "Status": "ACTIVE"}
    options = [
        {"TrackingOptionID": guid(f"t{i}"), "Name": f"Region {i}", "Status": "ACTIVE"} for i in range(8)
    ]
    records["TrackingCategories"] = [{**category, "Options": options}]
    for i in range(max(1, invoices // 50)):
        records["Contacts"].append(
            {
                "ContactID": guid(f"contact/{i}"),
                "ContactStatus": "ACTIVE",
                "Name": f"Customer {i:05d} – Kia ora & Söhne",
                "EmailAddress": f"customer{i}@example.com",
                "BankAccountDetails": "",
                "Addresses": [{"AddressType": "POBOX", "City": "Nelson", "Country": "New Zealand"}],
                "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": f"{i:07d}", "PhoneAreaCode": "3"}],
                "UpdatedDateUTC": start - timedelta(seconds=invoices - i),
                "ContactGroups": [],
                "IsSupplier": False,
                "IsCustomer": True,
                "ContactPersons": [],
                "HasAttachments": False,
                "HasValidationErrors": False,
            }
        )
    named = [{"ContactID": c["ContactID"], "Name": c["Name"]} for c in records["Contacts"]]
    sales = next(a for a in records["Accounts"] if a["Code"] == "200")["AccountID"]
    lines = []
    for i in range(997):
        quantity, price = Decimal(1 + i % 9), Decimal(1000 + i * 7919 % 90000) / 10000 * (1 + i % 40)
        amount = books.money(quantity * price)
        line: Record = {
            "ItemCode": f"ITEM-{i % 200:03d}",
            "Description": f"Line {i}: goods as ordered, packed and delivered",
            "UnitAmount": price.quantize(Decimal("0.0001")),
            "TaxType": "OUTPUT2",
            "TaxAmount": books.line_tax(amount, Decimal(15), "Exclusive"),
            "LineAmount": books.money(quantity * price.quantize(Decimal("0.0001"))),
            "AccountCode": "200",
            "AccountID": sales,
            "Item": {
                "ItemID": guid(f"item/{i % 200}"),
                "Name": f"Item {i % 200}",
                "Code": f"ITEM-{i % 200:03d}",
            },
            "Tracking": [],
            "Quantity": quantity,
        }
        if i % 3 == 0:
            option = options[i % 8]
            line["Tracking"] = [
                {
                    "Name": "Region",
                    "Option": option["Name"],
                    "TrackingCategoryID": category["TrackingCategoryID"],
                    "TrackingOptionID": option["TrackingOptionID"],
                    "Options": [],
                }
            ]
        line["TaxAmount"] = books.line_tax(line["LineAmount"], Decimal(15), "Exclusive")
        lines.append(line)
    theme, salt = records["BrandingThemes"][0]["BrandingThemeID"], company.tenant_id.encode()
    made = records["Invoices"]
    one, zero = books.ONE, books.ZERO
    for i in range(invoices):
        digest = sha512(salt + i.to_bytes(8, "big")).hexdigest()
        digest += digest[::-1]
        key, *keys = (
            f"{digest[p : p + 8]}-{digest[p + 8 : p + 12]}-5{digest[p + 13 : p + 16]}-a{digest[p + 17 : p + 20]}-"
            f"{digest[p + 20 : p + 32]}"
            for p in range(0, 32 * (2 + (i * 7 % 5)), 32)
        )
        items = [{"LineItemID": keys[n], **lines[(i * 31 + n * 389) % 997]} for n in range(len(keys))]
        net = sum((line["LineAmount"] for line in items), zero)
        tax = sum((line["TaxAmount"] for line in items), zero)
        at = start + step * i
        day = at.date()
        status = "AUTHORISED" if i % 10 else ("DRAFT", "VOIDED")[i // 10 % 2]
        made.append(
            {
                "Type": "ACCREC",
                "InvoiceID": key,
                "InvoiceNumber": f"INV-{i + 1:06d}",
                "Reference": f"PO {i * 7919 % 100000}",
                "Payments": [],
                "CreditNotes": [],
                "Prepayments": [],
                "Overpayments": [],
                "AmountDue": zero if status == "VOIDED" else net + tax,
                "AmountPaid": zero,
                "AmountCredited": zero,
                "CurrencyRate": one,
                "IsDiscounted": False,
                "HasAttachments": False,
                "InvoiceAddresses": [],
                "HasErrors": False,
                "Contact": named[i * 7 % len(named)],
                "Date": day,
                "DueDate": day + timedelta(days=20),
                "BrandingThemeID": theme,
                "Status": status,
                "LineAmountTypes": "Exclusive",
                "LineItems": items,
                "SubTotal": net,
                "TotalTax": tax,
                "Total": net + tax,
                "UpdatedDateUTC": at.replace(microsecond=(i % 100) * 10_000 + (0, 3000, 7000)[i % 3]),
                "CurrencyCode": "NZD",
            }
        )
    return company


# --- one more day -------------------------------------------------------------------------------------------


def next_business_day(now: datetime) -> tuple[date, datetime]:
    """The next day of business after `now` (New Zealand's calendar), and the instant at which it closes."""
    day = (now + timedelta(hours=13)).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day, local_time(day, 17 * 3600 + 1800)


def trading_day(records: Mapping[str, Sequence[Record]], now: datetime) -> dict[str, list[Record]]:
    """What the next business day after `now` brings: new and changed full records by resource, journals included.

    It follows from the records and `now` alone. Nothing in `records` is changed; the caller stores the answer
    and moves its clock to the close of that day (`next_business_day`). An organisation without contacts has no
    trade, one without a bank account no payments.
    """
    day, _ = next_business_day(now)
    organisation = next(iter(records["Organisations"]))
    base = organisation["BaseCurrency"]
    guid = Guids(NAMESPACE, f"{organisation['OrganisationID']}/{day}")
    rnd = Random(f"{organisation['OrganisationID']}/{day}")
    banks = [a for a in records["Accounts"] if a["Type"] == "BANK" and a["Status"] == "ACTIVE"]
    bank = next((a["Code"] for a in banks if a["CurrencyCode"] == base), None)
    people = [c for c in records["Contacts"] if c["ContactStatus"] == "ACTIVE"]
    if not people:
        return {}
    clerk = Clerk(records, guid, books.next_journal_number(records["Journals"]), bank or "090")
    minutes = iter(sorted(rnd.sample(range(510, 1020), 40)))

    def later() -> datetime:
        return local_time(day, 60 * next(minutes) + rnd.randrange(60), rnd.randrange(1000))

    customers = [c for c in people if c.get("IsCustomer")] or people
    suppliers = [c for c in people if c.get("IsSupplier")] or people
    goods = [i for i in records["Items"] if i.get("SalesDetails") and not i.get("IsTrackedAsInventory")]
    open_ones = [
        i
        for i in records["Invoices"]
        if i["Status"] == "AUTHORISED" and i["AmountDue"] > 0 and i["CurrencyCode"] in books.CURRENCIES
    ]
    open_ones.sort(key=lambda i: (i.get("DueDate", day), i["InvoiceID"]))
    for n in range(rnd.randrange(3, 6)):
        number = clerk.number("INV-", (i.get("InvoiceNumber", "") for i in records["Invoices"]))
        lines = [clerk.line("Goods as ordered", Decimal(100 + rnd.randrange(900)), "200")]
        if goods:
            lines = [
                clerk.line(
                    item.get("Description") or item["Name"],
                    item["SalesDetails"].get("UnitPrice", books.ONE),
                    item["SalesDetails"].get("AccountCode", "200"),
                    quantity=Decimal(rnd.randrange(1, 5)),
                    item=item["Code"],
                )
                for item in rnd.sample(goods, min(len(goods), 1 + n % 3))
            ]
        contact = rnd.choice(customers)["ContactID"]
        status = "DRAFT" if n == 2 else "AUTHORISED"
        due = day + timedelta(days=20)
        clerk.invoice(
            "ACCREC",
            contact,
            day,
            later(),
            lines,
            name=f"invoice/{number}",
            due=due,
            number=number,
            status=status,
        )
    for n in range(2):
        contact = rnd.choice(suppliers)["ContactID"]
        lines = [clerk.line("Supplies", Decimal(80 + rnd.randrange(700)), ("429", "453")[n])]
        due, number = day + timedelta(days=14), f"{day:%y%m%d}-{n}"
        clerk.invoice("ACCPAY", contact, day, later(), lines, name=f"bill/{n}", due=due, number=number)
    if bank:
        for kind, count in (("ACCREC", 4), ("ACCPAY", 2)):
            for invoice in [i for i in open_ones if i["Type"] == kind][:count]:
                clerk.pay("Invoices", invoice["InvoiceID"], day, later(), reference="", reconciled=False)
        line = clerk.line("Postage and sundries", Decimal(5 + rnd.randrange(60)), "429")
        contact = rnd.choice(suppliers)["ContactID"]
        clerk.bank_transaction("SPEND", contact, day, later(), [line], name="sundries", reconciled=False)
    untouched = [i for i in open_ones if i["Type"] == "ACCPAY" and i["AmountDue"] == i["Total"]]
    if len(untouched) > 2:
        clerk.end("Invoices", untouched[-1]["InvoiceID"], "VOIDED", later())
    edited = rnd.choice(people)
    phones = [p for p in edited.get("Phones", ()) if p["PhoneType"] != "MOBILE"]
    mobile = {
        "PhoneType": "MOBILE",
        "PhoneNumber": f"555 {day:%m%d}",
        "PhoneAreaCode": "21",
        "PhoneCountryCode": "64",
    }
    clerk.touch("Contacts", edited["ContactID"], later(), Phones=[*phones, mobile])
    return {resource: list(table.values()) for resource, table in clerk.changed.items()}
