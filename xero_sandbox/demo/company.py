"""An organisation with its records: as Xero sets it up, and after its history."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..accounting import chart
from ..resources import RESOURCES as TABLES
from ..state.clock import Clock
from ..state.organisation import Organisation
from ..state.store import Store
from ..values import UTC, Record
from .bookkeeper import Bookkeeper
from .entries import Guids

TODAY = date(2026, 11, 20)
"""The day on which the histories of the demo companies end."""

RESOURCES = (*(table.envelope for table in TABLES.values()), "Reports", "History", "Attachments")
"""Every key of `Company.records`."""


@dataclass(frozen=True)
class Company:
    """One organisation: its tenant id, its name, and its records by Xero's resource name, in order of change.

    Rows of History and Attachments have `Resource` and `ResourceID` as well: the record they belong to.
    """

    tenant_id: str
    name: str
    records: dict[str, list[Record]]


def new_organisation(name: str, country: str, at: datetime, **more: Any) -> tuple[Company, Guids]:
    """An organisation as Xero sets it up at `at`; `more` adds or replaces fields of the Organisation."""
    guid = Guids(name)
    tenant_id = guid("tenant")
    organisation = {
        **chart.default_organisation(country),
        "Name": name,
        "LegalName": name,
        "CreatedDateUTC": at,
        "ShortCode": "!" + guid("short")[:5],
        "OrganisationID": tenant_id,
        **more,
    }
    currency = organisation["BaseCurrency"]
    records: dict[str, list[Record]] = {resource: [] for resource in RESOURCES}
    records["Organisations"] = [organisation]
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


def phone(kind: str, number: str, area: str, country: str = "64") -> Record:
    """A phone number of an organisation or a contact."""
    parts = {"PhoneNumber": number, "PhoneAreaCode": area, "PhoneCountryCode": country}
    return {"PhoneType": kind, **parts}


@contextmanager
def without_collection() -> Iterator[None]:
    """Switch the garbage collector off while a million dicts are made: it takes most of the time and finds nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# --- histories -------------------------------------------------------------------------------------------


def opened(company: Company, now: datetime) -> Organisation:
    """A new organisation with the company's records to write to; its clock is stopped at `now`."""
    clock = Clock(now)
    clock.freeze()
    return Store(clock).add_organisation(company.tenant_id, company.name, company.records)


def closed(company: Company, bookkeeper: Bookkeeper) -> Company:
    """The company with the bookkeeper's records: lists by time of change, journals by number.

    A few journals swap numbers with a later one, because Xero numbers journals nearly, but not quite, in order of
    creation (as in every recording of its Journals endpoint).
    """
    records = dict(company.records)
    for path, table in bookkeeper.organisation.tables.items():
        changed = bookkeeper.changed.get(path, {})
        found = list(table.rows.values())
        if changed and TABLES[path].list_order:
            kept = [record for key, record in table.rows.items() if key not in changed]
            found = sorted([*kept, *bookkeeper.all(path)], key=_moment)
        records[TABLES[path].envelope] = [dict(record) for record in found]
    journals = records["Journals"] = [dict(record) for record in bookkeeper.all("Journals")]
    for i in range(20, len(journals) - 3, 53):
        one, other = journals[i], journals[i + 2]
        one["JournalNumber"], other["JournalNumber"] = other["JournalNumber"], one["JournalNumber"]
    journals.sort(key=lambda journal: int(journal["JournalNumber"]))
    return Company(company.tenant_id, company.name, records)


def _moment(record: Record) -> tuple[datetime, str]:
    """When a record was changed last; accounts and items with the same time are sorted by code."""
    stamp: datetime | None = record.get("UpdatedDateUTC") or record.get("CreatedDateUTC")
    return stamp or datetime.min.replace(tzinfo=UTC), record.get("Code", "")
