"""Many sales invoices for measurements: copies of a few invoices that the rules have written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha512

from ..values import ZERO, Record
from .bookkeeper import Bookkeeper
from .company import Company, new_organisation, opened, without_collection

_LINES = 997
"""The number of different lines."""

_ITEMS, _REGIONS = 200, 8


@without_collection()
def large_company(now: datetime, invoices: int = 100_000) -> Company:
    """An organisation with this number of sales invoices of one to five lines each, made in seconds.

    The last invoice was changed shortly before `now`. Lines share their Tracking and Item, and invoices their
    Contact: do not change such a record in place. There are no payments and no journals.
    """
    end = now.astimezone(timezone.utc).replace(microsecond=0) - timedelta(minutes=10)
    step = timedelta(seconds=min(900, 90_000_000 // max(1, invoices)))
    start = end - step * invoices
    company, guid = new_organisation("Mass & Measure Ltd", "NZ", start - timedelta(days=1))
    bookkeeper = Bookkeeper(opened(company, now), guid)
    _reference_data(bookkeeper, start, invoices)
    people = [{"ContactID": one["ContactID"], "Name": one["Name"]} for one in bookkeeper.all("Contacts")]
    lines = _lines(bookkeeper, start, people[0]["ContactID"])
    heads = _heads(bookkeeper, start, people[0]["ContactID"])
    for path in ("TrackingCategories", "Items", "Contacts"):
        company.records[path] = bookkeeper.all(path)
    for contact in company.records["Contacts"]:
        contact["IsCustomer"] = True
    salt, made = company.tenant_id.encode(), company.records["Invoices"]
    for i in range(invoices):
        key, *keys = _ids(salt, i)
        items = [{"LineItemID": keys[n], **lines[(i * 31 + n * 389) % _LINES]} for n in range(len(keys))]
        net = sum((line["LineAmount"] for line in items), ZERO)
        tax = sum((line["TaxAmount"] for line in items), ZERO)
        at = start + step * i
        status = "AUTHORISED" if i % 10 else ("DRAFT", "VOIDED")[i // 10 % 2]
        made.append(
            {
                **heads[status],
                "InvoiceID": key,
                "InvoiceNumber": f"INV-{i + 1:06d}",
                "Reference": f"PO {i * 7919 % 100000}",
                "AmountDue": ZERO if status == "VOIDED" else net + tax,
                "Contact": people[i * 7 % len(people)],
                "Date": at.date(),
                "DueDate": at.date() + timedelta(days=20),
                "LineItems": items,
                "SubTotal": net,
                "TotalTax": tax,
                "Total": net + tax,
                "UpdatedDateUTC": at.replace(microsecond=(i % 100) * 10_000 + (0, 3000, 7000)[i % 3]),
            }
        )
    return company


def _ids(salt: bytes, i: int) -> Iterator[str]:
    """The id of invoice `i`, and those of its lines."""
    digest = sha512(salt + i.to_bytes(8, "big")).hexdigest()
    digest += digest[::-1]
    for p in range(0, 32 * (2 + (i * 7 % 5)), 32):
        yield (
            f"{digest[p : p + 8]}-{digest[p + 8 : p + 12]}-5{digest[p + 13 : p + 16]}-a{digest[p + 17 : p + 20]}-"
            f"{digest[p + 20 : p + 32]}"
        )


def _reference_data(bookkeeper: Bookkeeper, start: datetime, invoices: int) -> None:
    """What the invoices refer to: a tracking category, items and contacts."""
    category = bookkeeper.create("TrackingCategories", {"Name": "Region"}, start, "tracking")
    for i in range(_REGIONS):
        bookkeeper.add_option(category["TrackingCategoryID"], f"Region {i}", start, f"t{i}")
    for i in range(_ITEMS):
        element: Record = {"Code": f"ITEM-{i:03d}", "Name": f"Item {i}", "IsSold": True, "IsPurchased": False}
        bookkeeper.create("Items", element, start, f"item/{i}")
    for i in range(max(1, invoices // 50)):
        element = {
            "Name": f"Customer {i:05d} – Kia ora & Söhne",
            "EmailAddress": f"customer{i}@example.com",
            "Addresses": [{"AddressType": "POBOX", "City": "Nelson", "Country": "New Zealand"}],
            "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": f"{i:07d}", "PhoneAreaCode": "3"}],
        }
        bookkeeper.create("Contacts", element, start - timedelta(seconds=invoices - i), f"contact/{i}")


def _lines(bookkeeper: Bookkeeper, at: datetime, contact_id: str) -> list[Record]:
    """The different lines, as the rules write them, without ids."""
    element = []
    for i in range(_LINES):
        quantity, price = Decimal(1 + i % 9), Decimal(1000 + i * 7919 % 90000) / 10000 * (1 + i % 40)
        element.append(
            bookkeeper.line(
                f"Line {i}: goods as ordered, packed and delivered",
                price.quantize(Decimal("0.0001")),
                "200",
                quantity,
                f"ITEM-{i % _ITEMS:03d}",
                tracking=[] if i % 3 else [("Region", f"Region {i % _REGIONS}")],
            )
        )
    more = {"InvoiceNumber": "LINES", "Status": "DRAFT"}
    made = bookkeeper.invoice("ACCREC", contact_id, at.date(), at, element, "lines", None, **more)
    return [{name: one for name, one in line.items() if name != "LineItemID"} for line in made["LineItems"]]


def _heads(bookkeeper: Bookkeeper, at: datetime, contact_id: str) -> dict[str, Record]:
    """An invoice of each status, as the rules write it."""
    heads: dict[str, Record] = {}
    for status in ("AUTHORISED", "DRAFT", "VOIDED"):
        lines, day = [bookkeeper.line("Goods", 1, "200")], at.date()
        more = {"InvoiceNumber": status, "Status": "DRAFT" if status == "DRAFT" else "AUTHORISED"}
        heads[status] = bookkeeper.invoice("ACCREC", contact_id, day, at, lines, status, day, **more)
    voided = heads["VOIDED"]["InvoiceID"]
    return {**heads, "VOIDED": bookkeeper.end("Invoices", voided, "VOIDED", at)}
