"""The demo company's customers and suppliers."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...values import Record
from ..company import phone
from ..entries import local_time
from . import names
from .setting import Setting, add_months

_COUNTRY_CODES = {"Australia": "61", "United States": "1", "Deutschland": "49"}


class Contacts(Setting):
    """Contacts and their payment terms."""

    def make_contact(
        self,
        at: datetime,
        number: str,
        name: str,
        currency: str = "NZD",
        city: str = "Nelson",
        country: str = "New Zealand",
        person: str = "",
        **fields: Any,
    ) -> Record:
        """Create a contact with addresses and phones."""
        first, _, last = person.partition(" ")
        index = len(self.bookkeeper.changed.get("Contacts", ()))
        plain = unicodedata.normalize("NFKD", name.lower()).replace(" ", "-")
        slug = "".join(c for c in plain if c.isascii() and (c.isalnum() or c == "-")).replace("--", "-")
        slug = slug.strip("-") or f"contact-{number.lower()}"
        # An empty address has only its type; an address with one line has the other lines, too.
        place = {"City": city, "PostalCode": f"70{index % 90:02d}", "Country": country}
        rest = {"AddressLine2": "", "AddressLine3": "", "AddressLine4": "", "Region": "", **place}
        street = {"AddressType": "STREET"}
        if index % 3 == 0:
            road = names.STREETS[index % len(names.STREETS)]
            street |= {"AddressLine1": f"{index + 3} {road}", **rest}
        box = {"AddressType": "POBOX", "AddressLine1": f"PO Box {1200 + 7 * index}", **rest}
        box["PostalCode"] = f"{7000 + index * 13 % 900}"
        if person:
            box["AttentionTo"] = person
        digits, area = f"{200 + index} {4000 + 37 * index % 6000}", str(3 + index % 7)
        phones = [phone("DEFAULT", digits, area, _COUNTRY_CODES.get(country, "64"))]
        if index % 2:
            phones.append(phone("MOBILE", f"{100 + index} {3000 + 91 * index % 7000}", "21", ""))
        element: Record = {
            "ContactNumber": number,
            "AccountNumber": f"{number}-{index:03d}",
            "Name": name,
            **({"FirstName": first, "LastName": last} if person else {}),
            "EmailAddress": f"accounts@{slug}.example",
            "Addresses": [box, street],
            "Phones": phones,
            "DefaultCurrency": currency,
            **fields,
        }
        return self.bookkeeper.create("Contacts", element, at, f"contact/{name}")

    def _customer(self, record: Record, currency: str, region: str, department: str, at: datetime) -> Record:
        """What the story remembers of a customer."""
        return {
            "id": record["ContactID"],
            "currency": currency,
            "region": region,
            "department": department,
            "from": at,
            "pays": self.random.random(),
        }

    def make_contacts(self) -> None:
        """Customers and suppliers at the start, and individuals over time."""
        imported = local_time(date(2024, 11, 18), 9 * 3600 + 843, 407)
        for i, row in enumerate(names.CUSTOMERS):
            name, currency, city, country, person, region, department = row.values()
            at = imported if i % 3 else self.when(date(2024, 11, 19) + timedelta(days=i // 3))
            days = self.random.choice((7, 14, 20, 20, 30))
            kind = "OFFOLLOWINGMONTH" if days == 20 else "DAYSAFTERBILLDATE"
            more = self._customer_details(i, person, currency, region, department)
            more["PaymentTerms"] = {"Sales": {"Day": days, "Type": kind}}
            record = self.make_contact(at, f"C{i + 1:04d}", name, currency, city, country, person, **more)
            self.terms[record["ContactID"]] = (kind, days)
            self.customers.append(self._customer(record, currency, region, department, at))
        self._make_suppliers(imported)
        firsts, lasts = names.FIRST_NAMES, names.LAST_NAMES
        for i in range(64):
            name = f"{firsts[i % len(firsts)]} {lasts[i * 7 % len(lasts)]}"
            at = self.when(date(2024, 11, 20) + timedelta(days=10 * i), 9, 16)
            self.diary.plan(at, self._person, name, i)

    def _customer_details(
        self, i: int, person: str, currency: str, region: str, department: str
    ) -> dict[str, Any]:
        """The optional fields of a customer."""
        more: dict[str, Any] = {
            "SalesDefaultLineAmountType": "EXCLUSIVE" if department != "Retail" else "INCLUSIVE"
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
            first, last = person.split(maxsplit=1)[0], person.rsplit(maxsplit=1)[-1]
            more["ContactPersons"] = [
                {
                    "FirstName": one,
                    "LastName": other,
                    "EmailAddress": f"{mail}{i}@example.org",
                    "IncludeInEmails": on,
                }
                for one, other, mail, on in (("Office", "Team", "office", True), (first, last, "boss", False))
            ][: 1 + i % 2]
        if i % 11 == 0:
            more["Discount"] = Decimal("5.00")
            more["Website"] = f"https://customer-{i}.example"
            more["CompanyNumber"] = f"94290{31000000 + 104729 * i}"
            wholesale = self.company.records["BrandingThemes"][1]
            more["BrandingTheme"] = {key: wholesale[key] for key in ("BrandingThemeID", "Name")}
        return more

    def _make_suppliers(self, imported: datetime) -> None:
        for i, row in enumerate(names.SUPPLIERS):
            name, currency, city, country, code, *_ = row.values()
            at = imported if i % 4 else self.when(date(2024, 11, 19) + timedelta(days=i // 2))
            more: dict[str, Any] = {
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
            record = self.make_contact(at, f"S{i + 1:04d}", name, currency, city, country, **more)
            self.terms[record["ContactID"]] = ("OFFOLLOWINGMONTH", 20)
            self.suppliers.append((record, row))

    def _person(self, at: datetime, name: str, i: int) -> None:
        more = {"person": name, "SalesDefaultLineAmountType": "INCLUSIVE"}
        record = self.make_contact(at, f"P{i + 1:04d}", name, **more)
        self.terms[record["ContactID"]] = ("DAYSAFTERBILLDATE", 7)
        self.people.append(self._customer(record, "NZD", "South", "Tours", at))

    def due(self, contact_id: str, day: date) -> date:
        """The due date of a document of `day` by the contact's payment terms."""
        kind, days = self.terms[contact_id]
        if kind == "OFFOLLOWINGMONTH":
            return add_months(day, 1).replace(day=days)
        return day + timedelta(days=days)
